//! A run of the simulator once more, told as a table: a row for each turn and each event, a column for each M.
//!
//! Where the program departs from the schedule, the place is marked, and the run goes on with what fits of the rest.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Arc;

use sigurg_shuttle::sim::{Actor, Choice, End, Replay, Schedule, Slice, Strategy, View};

use super::drive::{Drive, Ran};
use crate::case::Writer;
use crate::scenario::Scenario;
use crate::scenario::expect::Results;
use crate::show::lanes::{Cell, write};
use crate::show::line::seq_width;
use crate::show::words::words;
use crate::timeline::{Film, Part, Window};

/// A run that was told.
#[derive(Debug)]
pub struct Told {
    /// What came of it.
    pub ran: Ran,
    /// Where the program departed from the schedule, if it did.
    pub departs: Option<String>,
    /// The last rows.
    pub table: String,
    /// Rows before them.
    pub left_out: usize,
    /// The last events, and who ran where.
    pub window: Window,
}

/// Repeats `schedule`, and keeps the last `rows` rows.
pub fn narrate(
    drive: &mut Drive,
    scenario: &Arc<Scenario>,
    expected: &Results,
    schedule: &Schedule,
    rows: usize,
) -> Told {
    let log = RefCell::new(Log { rows: VecDeque::new(), most: rows, left_out: 0, told: 0, now_ns: 0 });
    let mut film = Film::new(Part::Last(FILMED));
    let rest = OnceCell::new();
    let mut repeats = Repeats {
        exact: Replay::new(schedule),
        schedule,
        rest: &rest,
        lenient: None,
        departs: None,
        turns: 0,
        log: &log,
    };
    let ran = drive.run_and_hear(scenario, expected, &mut repeats, &mut |event, symbols| {
        film.take(event, symbols);
        let words = words(event, symbols);
        let cell = Cell { seq: event.seq, t_ns: event.t_ns, m: event.m, words, marked: false };
        log.borrow_mut().event(cell);
    });
    let departs = repeats.departs;
    let fault = ran.judged.failures.iter().find_map(|failure| failure.seq);
    let (table, left_out) = log.into_inner().table(fault);
    let mut window = film.end();
    window.rows.iter_mut().for_each(|row| row.marked = Some(row.seq) == fault);
    Told { ran, departs, table, left_out, window }
}

/// Rows that a case keeps.
const KEPT_ROWS: usize = 60;
/// Events that a timeline shows.
const FILMED: usize = 160;

/// Repeats a run, writes it as a case to a file at `path`, and tells it.
///
/// # Errors
/// Those of the file system.
pub fn keep(
    path: &Path,
    drive: &mut Drive,
    scenario: &Arc<Scenario>,
    expected: &Results,
    schedule: &Schedule,
) -> io::Result<Told> {
    let told = narrate(drive, scenario, expected, schedule, KEPT_ROWS);
    let mut case = told.ran.case(scenario);
    let outcome = case.outcome.take().expect("it came back");
    Writer::begin(path, &case)?.end(&outcome, &told.table)?;
    Ok(told)
}

/// A row before the Ms of all threads are known.
enum Row {
    Event(Cell),
    /// A turn: its thread, and what is told of it.
    Turn(Option<u16>, Cell),
}

struct Log {
    rows: VecDeque<Row>,
    most: usize,
    left_out: usize,
    /// Events so far, and the time of the last.
    told: u64,
    now_ns: u64,
}

impl Log {
    fn push(&mut self, row: Row) {
        self.rows.push_back(row);
        if self.rows.len() > self.most {
            self.rows.pop_front();
            self.left_out += 1;
        }
    }

    fn event(&mut self, cell: Cell) {
        (self.told, self.now_ns) = (cell.seq + 1, cell.t_ns);
        self.push(Row::Event(cell));
    }

    fn turn(&mut self, thread: Option<u16>, words: String, marked: bool) {
        // It has the number of the first event that it may bring.
        let cell = Cell { seq: self.told, t_ns: self.now_ns, m: -1, words, marked };
        self.push(Row::Turn(thread, cell));
    }

    /// As text; the event numbered `fault` is marked.
    fn table(self, fault: Option<u64>) -> (String, usize) {
        let mut ms: HashMap<u16, i32> = HashMap::new();
        let mut cells: Vec<Cell> = Vec::with_capacity(self.rows.len());
        // Turns whose thread has told nothing yet.
        let mut unknown: Vec<(usize, u16)> = Vec::new();
        let mut running = None;
        for row in self.rows {
            match row {
                Row::Turn(thread, mut cell) => {
                    running = thread;
                    if let Some(thread) = thread {
                        match ms.get(&thread) {
                            Some(&m) => cell.m = m,
                            None => unknown.push((cells.len(), thread)),
                        }
                    }
                    cells.push(cell);
                }
                Row::Event(mut cell) => {
                    if let Some(thread) = running.filter(|_| cell.m >= 0) {
                        ms.insert(thread, cell.m);
                        unknown.retain(|&(at, other)| {
                            if other == thread {
                                cells[at].m = cell.m;
                            }
                            other != thread
                        });
                    }
                    cell.marked = Some(cell.seq) == fault;
                    cells.push(cell);
                }
            }
        }
        let mut text = Vec::new();
        write(&mut text, &cells, seq_width(self.told)).expect("memory takes what is written");
        (String::from_utf8(text).expect("text"), self.left_out)
    }
}

/// Repeats a schedule as it is, and from where the program departs from it what fits.
struct Repeats<'a> {
    exact: Replay<'a>,
    schedule: &'a Schedule,
    rest: &'a OnceCell<Schedule>,
    lenient: Option<Replay<'a>>,
    departs: Option<String>,
    turns: u64,
    log: &'a RefCell<Log>,
}

impl<'a> Repeats<'a> {
    /// The program departs: `done` turns of the schedule are behind it.
    fn depart(&mut self, how: String, done: usize) -> &mut Replay<'a> {
        self.log.borrow_mut().turn(None, format!("departs: {how}"), true);
        self.departs = Some(how);
        let rest = || Schedule { slices: self.schedule.slices.get(done..).unwrap_or_default().to_vec() };
        self.lenient.insert(Replay::lenient(self.rest.get_or_init(rest)))
    }
}

impl Strategy for Repeats<'_> {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        if let Some(lenient) = &mut self.lenient {
            return lenient.choose(view);
        }
        match self.exact.choose(view) {
            Ok(choice) => Ok(choice),
            Err(how) => self.depart(how, self.exact.repeated()).choose(view),
        }
    }

    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        self.turns += 1;
        let words = format!("[{}: {}]", self.turns, tell(slice));
        self.log.borrow_mut().turn(slice.actor.thread(), words, false);
        if self.lenient.is_none()
            && let Err(how) = self.exact.ran(slice)
        {
            self.depart(how, self.exact.repeated() + 1);
        }
        Ok(())
    }
}

/// A turn in words.
fn tell(slice: &Slice) -> String {
    let (thread, signal) = match slice.actor {
        Actor::Clock if slice.amount == 0 => return "time passes".into(),
        Actor::Clock => return format!("time passes, {} us more", slice.amount / 1_000),
        Actor::Thread(thread) => (thread, ""),
        Actor::Signal(thread) => (thread, ", SIGURG"),
    };
    let end = match slice.end {
        End::Chosen => "",
        End::Slept => ", sleeps",
        End::GaveWay => ", gives way",
        End::Ended => ", ends",
    };
    format!("t{thread}{signal}, {} ops{end}", slice.amount)
}
