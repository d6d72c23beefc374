//! What the instructions of a function say of it.

use std::ops::Range;

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::decline::Decline;
use super::image::{Image, Slot};
use super::name::is_neutral_in_library;

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

/// Decodes the function at `range`, from its first byte to its last: compilers put no data between instructions.
pub(super) fn read(image: &Image, range: &Range<u64>) -> Body {
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
        follow(image, range, &instruction, &mut body);
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

fn follow(image: &Image, range: &Range<u64>, instruction: &Instruction, body: &mut Body) {
    let call = instruction.mnemonic() == Mnemonic::Call;
    let target = match instruction.op0_kind() {
        // Conditional jumps, loops and the like, too.
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => {
            Target::Inside(instruction.near_branch_target())
        }
        OpKind::FarBranch16 | OpKind::FarBranch32 => return body.not(Decline::Machine),
        _ if call || instruction.mnemonic() == Mnemonic::Jmp => through(image, instruction),
        _ => return,
    };
    match resolve(image, target) {
        Target::Inside(address) if call => body.calls.push(address),
        Target::Inside(address) if !range.contains(&address) => body.jumps.push(address),
        Target::Inside(_) => {}
        Target::Library(name) if is_neutral_in_library(&name) => {}
        Target::Library(name) if &*name == "__tls_get_addr" => {
            body.thread_local = true;
            body.not(Decline::ThreadLocal);
        }
        Target::Library(_) => body.not(Decline::ForeignCall),
        // A function pointer or a table of methods: the callee is known when it is walked through. A jump table.
        Target::Unknown => {}
    }
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
