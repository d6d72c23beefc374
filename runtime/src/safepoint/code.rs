//! What the instructions of a function say of it.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::decline::Decline;
use super::image::{Image, Slot};
use super::name::is_neutral_in_library;
use super::rows::Entry;

/// Where a function goes, and why it is not preemptible by itself.
#[derive(Default)]
pub(super) struct Body {
    /// The first reason found.
    pub(super) own: Option<Decline>,
    /// It has an instruction that accesses a thread-local.
    pub(super) thread_local: bool,
    /// Addresses that it calls.
    pub(super) calls: Vec<u64>,
    /// Addresses outside of it that it jumps to.
    pub(super) jumps: Vec<u64>,
    /// Functions whose addresses it takes.
    addresses: Vec<u64>,
    /// It leaves for where a register says.
    jumps_anywhere: bool,
}

impl Body {
    fn not(&mut self, decline: Decline) {
        self.own.get_or_insert(decline);
    }
}

/// What an instruction refers to.
enum Target {
    Inside(u64),
    Library(Box<str>),
    /// A register, or a table: nothing is known.
    Unknown,
}

/// Decodes the function of an entry of the unwind tables, from its first byte to its last: compilers put no data between instructions.
pub(super) fn read(image: &Image, entry: &Entry) -> Body {
    let range = &(entry.start..entry.end);
    let mut body = Body::default();
    let Some(code) = image.code(range) else {
        body.not(Decline::Undecodable);
        return body;
    };
    let mut decoder = Decoder::with_ip(64, code, range.start, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        if instruction.is_invalid() {
            body.not(Decline::Undecodable);
            continue;
        }
        if matches!(instruction.segment_prefix(), Register::FS | Register::GS) {
            body.thread_local = true;
            body.not(Decline::ThreadLocal);
        }
        if depends_on_thread(&instruction) {
            body.not(Decline::Machine);
        }
        follow(image, entry, &instruction, &mut body);
    }
    body.calls.extend(&body.addresses);
    if body.jumps_anywhere {
        body.jumps.extend(&body.addresses);
    }
    body.calls.sort_unstable();
    body.calls.dedup();
    body.jumps.sort_unstable();
    body.jumps.dedup();
    body
}

/// Whether it does another thing on another thread, or cannot be begun again there: a system call that was interrupted may be
/// continued by its thread only.
fn depends_on_thread(instruction: &Instruction) -> bool {
    use Mnemonic as M;
    matches!(
        instruction.mnemonic(),
        M::Syscall
            | M::Sysenter
            | M::Int
            | M::Rdfsbase
            | M::Rdgsbase
            | M::Wrfsbase
            | M::Wrgsbase
            | M::Rdpkru
            | M::Wrpkru
            | M::Ldtilecfg
            | M::Sttilecfg
            | M::Tilerelease
            | M::Senduipi
            | M::Clui
            | M::Stui
    )
}

/// Notes what the instruction calls or jumps to, and of which functions it takes the address: that is as good as calling them, for
/// compilers keep addresses in registers.
fn follow(image: &Image, entry: &Entry, instruction: &Instruction, body: &mut Body) {
    let range = entry.start..entry.end;
    let mnemonic = instruction.mnemonic();
    let (target, how) = match instruction.op0_kind() {
        // Conditional jumps, loops and the like, too.
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => {
            let how = if mnemonic == Mnemonic::Call { How::Call } else { How::Jump };
            (Target::Inside(instruction.near_branch_target()), how)
        }
        OpKind::FarBranch16 | OpKind::FarBranch32 => return body.not(Decline::Machine),
        _ if mnemonic == Mnemonic::Call => (through(image, instruction), How::Call),
        _ if mnemonic == Mnemonic::Jmp => (through(image, instruction), How::Jump),
        _ if !instruction.is_ip_rel_memory_operand() => return,
        _ if mnemonic == Mnemonic::Lea => {
            let address = instruction.ip_rel_memory_address();
            if image.text_at(address).is_none() || range.contains(&address) {
                return;
            }
            (Target::Inside(address), How::Address)
        }
        _ => (through(image, instruction), How::Address),
    };
    match (resolve(image, target), how) {
        (Target::Inside(address), How::Call) => body.calls.push(address),
        (Target::Inside(address), How::Jump) if !range.contains(&address) => body.jumps.push(address),
        (Target::Inside(_), How::Jump) => {}
        (Target::Inside(address), How::Address) => body.addresses.push(address),
        (Target::Library(name), _) if is_neutral_in_library(&name) => {}
        (Target::Library(name), _) if &*name == "__tls_get_addr" => {
            body.thread_local = true;
            body.not(Decline::ThreadLocal);
        }
        (Target::Library(_), _) => body.not(Decline::ForeignCall),
        // A tail call, maybe of one of the functions whose address it has; or a jump table: then its frame is still there.
        (Target::Unknown, How::Jump) => body.jumps_anywhere |= !entry.has_frame_at(instruction.ip()),
        // A function pointer or a table of methods: the callee is known when it is walked through.
        (Target::Unknown, _) => {}
    }
}

/// What an instruction does with a function.
enum How {
    Call,
    Jump,
    Address,
}

/// Where an indirect branch goes.
fn through(image: &Image, instruction: &Instruction) -> Target {
    if !instruction.is_ip_rel_memory_operand() {
        return Target::Unknown;
    }
    match image.slot(instruction.ip_rel_memory_address()) {
        Some(Slot::Inside(address)) => Target::Inside(address),
        Some(Slot::Library(name)) => Target::Library(name),
        // A static that holds a function pointer, which may be any.
        None => Target::Unknown,
    }
}

/// A target in the linker's table of jumps is what it jumps to.
fn resolve(image: &Image, target: Target) -> Target {
    /// What stands before the jump at most: `endbr64`.
    const BEFORE: usize = 2;
    let Target::Inside(address) = target else { return target };
    let Some(plt) = image.text_at(address).filter(|text| text.is_plt) else { return target };
    let code = &plt.bytes[(address - plt.start) as usize..];
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    for instruction in decoder.iter().take(BEFORE) {
        if instruction.mnemonic() == Mnemonic::Jmp {
            return match through(image, &instruction) {
                // Unknown to the loader's table: foreign, and not neutral.
                Target::Unknown => Target::Library("".into()),
                target => target,
            };
        }
    }
    Target::Library("".into())
}
