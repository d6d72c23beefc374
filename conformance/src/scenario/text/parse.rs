//! Reads the text form.

use std::collections::BTreeMap;

use super::TextError;
use super::lex::{Spot, Token, Tokens, lex};
use crate::scenario::check::{self, MOST_OBJECTS, Place, is_word};
use crate::scenario::walk::Path;
use crate::scenario::{Channel, Go, Goroutine, Op, Scenario, Situation, Storm};

/// The scenario that `text` says. It is accepted by [`check`](super::super::check).
///
/// # Errors
/// The first mistake, with its place.
pub fn parse(text: &str) -> Result<Scenario, TextError> {
    let (tokens, about) = lex(text)?;
    let mut parser = Parser {
        goroutines: names(&tokens)?,
        end: tokens.last().map_or((1, 1), |&(_, spot)| spot),
        tokens,
        at: 0,
        scenario: Scenario { about, ..Scenario::default() },
        spots: BTreeMap::new(),
        path: Path::new(),
    };
    parser.everything()?;
    let Parser { scenario, spots, .. } = parser;
    check::check(&scenario).map_err(|fault| {
        let spot = match fault.place {
            Place::Step(go, path) => spots.get(&(go, path)).copied(),
            Place::Goroutine(go) => spots.get(&(go, Path::new())).copied(),
            Place::Whole | Place::Channel(_) => None,
        };
        // What is wrong with the whole shows at its beginning.
        error(spot.unwrap_or((1, 1)), fault.reason)
    })?;
    Ok(scenario)
}

fn error(spot: Spot, reason: impl Into<String>) -> TextError {
    TextError { line: spot.0, column: spot.1, reason: reason.into() }
}

/// The names of the goroutines, which may be used before they stand there.
fn names(tokens: &[(Token<'_>, Spot)]) -> Result<Vec<String>, TextError> {
    let (mut depth, mut names) = (0usize, Vec::new());
    let mut first = true;
    for pair in tokens.windows(2) {
        if let [(Token::Word("go" | "daemon"), _), (Token::Word(name), spot)] = pair
            && first
            && depth == 0
        {
            if names.len() == MOST_OBJECTS {
                return Err(error(*spot, format!("more than {MOST_OBJECTS} goroutines")));
            }
            names.push((*name).to_owned());
        }
        match pair[0].0 {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        first = matches!(pair[0].0, Token::End | Token::Close);
    }
    Ok(names)
}

struct Parser<'a> {
    goroutines: Vec<String>,
    tokens: Tokens<'a>,
    at: usize,
    end: Spot,
    scenario: Scenario,
    /// Where each step stands; a goroutine stands where the path is empty.
    spots: BTreeMap<(Go, Path), Spot>,
    /// Of the body that is being read, and in it the next step.
    path: Path,
}

/// Statements outside goroutines.
const DECLARATIONS: &str = "scenario, procs, channel, mutex, flag, storm, sometimes, go, daemon";
/// Statements inside.
const STEPS: &str = "compute, alloc, call, yield, send, recv, lock, set, await, park, ready, sleep, syscall, foreign, \
                     spawn, join, burst, lock_thread, unlock_thread, preempt_off, panic, exit, grow, scan, shrink, procs, repeat, forever";

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<(Token<'a>, Spot)> {
        self.tokens.get(self.at).copied()
    }

    fn spot(&self) -> Spot {
        self.peek().map_or(self.end, |(_, spot)| spot)
    }

    fn word(&mut self, what: &str) -> Result<(&'a str, Spot), TextError> {
        match self.peek() {
            Some((Token::Word(word), spot)) => {
                self.at += 1;
                Ok((word, spot))
            }
            _ => Err(error(self.spot(), format!("{what} is missing"))),
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.peek(), Some((Token::End, _))) {
            self.at += 1;
        }
    }

    /// A statement ends here.
    fn ends(&mut self) -> Result<(), TextError> {
        match self.peek() {
            None | Some((Token::End | Token::Close, _)) => Ok(()),
            Some((Token::Open, spot)) => Err(error(spot, "this statement has no body")),
            Some((Token::Word(word), spot)) => Err(error(
                spot,
                format!("{word}: the statement has ended; the next begins on a line of its own or after `;`"),
            )),
        }
    }

    fn everything(&mut self) -> Result<(), TextError> {
        let mut procs = false;
        loop {
            self.skip_ends();
            let Some((token, spot)) = self.peek() else { break };
            let Token::Word(word) = token else {
                return Err(error(spot, format!("a statement begins with one of: {DECLARATIONS}")));
            };
            self.at += 1;
            match word {
                "scenario" => {
                    if !self.scenario.name.is_empty() {
                        return Err(error(spot, "a second name"));
                    }
                    self.scenario.name = self.name()?;
                }
                "procs" => {
                    if procs {
                        return Err(error(spot, "procs is said twice"));
                    }
                    procs = true;
                    self.scenario.procs = self.number("the number of Ps", u64::from(u8::MAX))? as u8;
                }
                "channel" => {
                    let name = self.name()?;
                    let capacity = self.number("the number of values it holds", u64::from(u16::MAX))? as u16;
                    self.scenario.channels.push(Channel { name, capacity });
                    self.room(spot, self.scenario.channels.len())?;
                }
                "mutex" => {
                    let name = self.name()?;
                    self.scenario.mutexes.push(name);
                    self.room(spot, self.scenario.mutexes.len())?;
                }
                "flag" => {
                    let name = self.name()?;
                    self.scenario.flags.push(name);
                    self.room(spot, self.scenario.flags.len())?;
                }
                "storm" => {
                    let every_us = self.time()?;
                    let signals = self.number("how many signals", u64::from(u32::MAX))? as u32;
                    if self.scenario.storm.replace(Storm { every_us, signals }).is_some() {
                        return Err(error(spot, "a second storm"));
                    }
                }
                "sometimes" => self.situations()?,
                "go" | "daemon" => self.goroutine(word == "daemon", spot)?,
                word => {
                    return Err(error(spot, format!("{word}: not one of: {DECLARATIONS}")));
                }
            }
            self.ends()?;
        }
        match (self.scenario.name.is_empty(), procs) {
            (true, _) => Err(error((1, 1), "no name: `scenario NAME`")),
            (_, false) => Err(error((1, 1), "no `procs N`")),
            _ => Ok(()),
        }
    }

    fn room(&self, spot: Spot, count: usize) -> Result<(), TextError> {
        if count > MOST_OBJECTS {
            return Err(error(spot, format!("more than {MOST_OBJECTS} of them")));
        }
        Ok(())
    }

    fn name(&mut self) -> Result<String, TextError> {
        let (word, spot) = self.word("a name")?;
        if !is_word(word) {
            return Err(error(spot, format!("{word}: a name begins with a letter")));
        }
        Ok(word.to_owned())
    }

    fn number(&mut self, what: &str, most: u64) -> Result<u64, TextError> {
        let (word, spot) = self.word(what)?;
        match word.parse() {
            Ok(number) if number <= most => Ok(number),
            _ => Err(error(spot, format!("{word}: {what}: a number from 0 to {most}"))),
        }
    }

    /// A number with one of these units: of the smallest.
    fn measure(&mut self, what: &str, units: &[(&str, u64)]) -> Result<u64, TextError> {
        let (word, spot) = self.word(what)?;
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        let factor = units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
        let product = number.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
        product.filter(|&value| value <= u64::from(u32::MAX)).ok_or_else(|| {
            let units: Vec<_> = units.iter().map(|(name, _)| format!("20{name}")).collect();
            error(spot, format!("{word}: {what}, such as {}", units.join(" or ")))
        })
    }

    fn time(&mut self) -> Result<u32, TextError> {
        Ok(self.measure("a time", &[("us", 1), ("ms", 1_000), ("s", 1_000_000)])? as u32)
    }

    fn situations(&mut self) -> Result<(), TextError> {
        loop {
            let (word, spot) = self.word("a situation")?;
            let Some(situation) = Situation::by_name(word) else {
                let known: Vec<_> = Situation::ALL.iter().map(|situation| situation.as_str()).collect();
                return Err(error(spot, format!("{word}: not one of: {}", known.join(", "))));
            };
            self.scenario.sometimes.push(situation);
            if !matches!(self.peek(), Some((Token::Word(_), _))) {
                return Ok(());
            }
        }
    }

    fn goroutine(&mut self, daemon: bool, spot: Spot) -> Result<(), TextError> {
        let name = self.name()?;
        let go = self.scenario.goroutines.len() as Go;
        self.spots.insert((go, Path::new()), spot);
        let body = self.body()?;
        self.scenario.goroutines.push(Goroutine { name, daemon, body });
        Ok(())
    }

    fn body(&mut self) -> Result<Vec<Op>, TextError> {
        match self.peek() {
            Some((Token::Open, _)) => self.at += 1,
            _ => return Err(error(self.spot(), "`{` is missing")),
        }
        // A bound of its own: the text may be nested deeper than anybody's stack.
        if self.path.len() > 2 * check::MOST_DEPTH {
            return Err(error(self.spot(), format!("more than {} bodies in each other", check::MOST_DEPTH)));
        }
        let mut ops = Vec::new();
        loop {
            self.skip_ends();
            match self.peek() {
                None => return Err(error(self.end, "`}` is missing")),
                Some((Token::Close, _)) => {
                    self.at += 1;
                    return Ok(ops);
                }
                Some((_, spot)) => {
                    self.path.push(ops.len());
                    self.spots.insert((self.scenario.goroutines.len() as Go, self.path.clone()), spot);
                    ops.push(self.step()?);
                    self.path.pop();
                    self.ends()?;
                }
            }
        }
    }

    fn step(&mut self) -> Result<Op, TextError> {
        let (word, spot) = self.word("a step")?;
        Ok(match word {
            "compute" => Op::Compute(self.time()?),
            "alloc" => Op::Alloc(self.time()?),
            "preempt_off" => Op::PreemptOff(self.time()?),
            "sleep" => Op::Sleep(self.time()?),
            "syscall" => Op::Syscall(self.time()?),
            "foreign" => Op::Foreign(self.time()?),
            "call" => Op::Call(self.number("how often", u64::from(u32::MAX))? as u32),
            "yield" => Op::Yield,
            "send" => Op::Send(self.channel()?),
            "recv" => Op::Recv(self.channel()?),
            "lock" => {
                Op::Lock(self.of("mutex", |parser| &parser.scenario.mutexes, |name| name)?, self.body()?)
            }
            "set" => Op::Set(self.flag()?),
            "await" => Op::Await(self.flag()?),
            "park" => Op::Park,
            "ready" => Op::Ready(self.other()?),
            "spawn" => Op::Spawn(self.other()?),
            "join" => Op::Join(self.other()?),
            "burst" => Op::Burst(self.number("how many goroutines", u64::from(u16::MAX))? as u16),
            "lock_thread" => Op::LockThread,
            "unlock_thread" => Op::UnlockThread,
            "panic" => Op::Panic,
            "exit" => Op::Exit,
            "grow" => {
                let kib = self.measure("a size", &[("KiB", 1)])?;
                Op::Grow(u16::try_from(kib).map_err(|_| error(spot, "more than any stack has"))?)
            }
            "scan" => Op::Scan,
            "shrink" => Op::Shrink,
            "procs" => Op::Procs(self.number("the number of Ps", u64::from(u8::MAX))? as u8),
            "repeat" => Op::Repeat(self.number("how often", u64::from(u32::MAX))? as u32, self.body()?),
            "forever" => Op::Forever(self.body()?),
            word => return Err(error(spot, format!("{word}: not one of: {STEPS}"))),
        })
    }

    fn channel(&mut self) -> Result<u8, TextError> {
        self.of("channel", |parser| &parser.scenario.channels, |channel| &channel.name)
    }

    fn flag(&mut self) -> Result<u8, TextError> {
        self.of("flag", |parser| &parser.scenario.flags, |name| name)
    }

    fn other(&mut self) -> Result<u8, TextError> {
        self.of("goroutine", |parser| &parser.goroutines, |name| name)
    }

    /// The index of what is called by the next word.
    fn of<T>(
        &mut self,
        what: &str,
        all: impl Fn(&Self) -> &Vec<T>,
        name: impl Fn(&T) -> &String,
    ) -> Result<u8, TextError> {
        let (word, spot) = self.word(&format!("a {what}"))?;
        let all = all(self);
        all.iter().position(|one| name(one) == word).map(|index| index as u8).ok_or_else(|| {
            let known: Vec<_> = all.iter().map(|one| &**name(one)).collect();
            let known = if known.is_empty() { "there is none".into() } else { known.join(", ") };
            error(spot, format!("there is no {what} {word}: {known}"))
        })
    }
}
