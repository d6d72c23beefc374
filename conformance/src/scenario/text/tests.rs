//! Reading, writing, and what is said of mistakes.

use proptest::prelude::*;

use super::parse;
use crate::scenario::expect::End;
use crate::scenario::make::{Size, scenarios};
use crate::scenario::{Op, check};

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(scenario in scenarios(Size::NATIVE), about in "[ -~é]{0,30}") {
        let mut scenario = scenario;
        scenario.about = vec![about.trim_end().into(), String::new()];
        let text = scenario.to_string();
        let again = parse(&text);
        prop_assert_eq!(again.as_ref(), Ok(&scenario), "{}", text);
        prop_assert_eq!(again.unwrap().to_string(), text);
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in "[ -~\n]{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_damage_makes_the_reader_fail(scenario in scenarios(Size::NATIVE), cut in any::<prop::sample::Index>(), put in "[{};#a-z0-9 \n]{0,4}") {
        let mut text = scenario.to_string();
        let at = cut.index(text.len());
        text.replace_range(at..(at + 3).min(text.len()), &put);
        let _ = parse(&text);
    }
}

const GOOD: &str = "\
# What it is about.
scenario two
procs 2
channel c 0; mutex m; flag f
go a { repeat 3 { send c }; lock m { compute 1ms }; await f }
go b { repeat 3 { recv c }   # a comment
    set f }
";

#[test]
fn a_text_says_what_comes_out() {
    let scenario = parse(GOOD).unwrap();
    assert_eq!(scenario.about, ["What it is about."]);
    assert_eq!(scenario.goroutines[0].body[0], Op::Repeat(3, vec![Op::Send(0)]));
    let results = check::check(&scenario).unwrap();
    assert_eq!(results.ends, [Some(End::Returned); 2]);
    assert_eq!((results.channels[0].values, results.channels[0].sum), (3, Some(3 * 1_000_003 + 3)));
    assert_eq!(results.locks, [1]);
}

/// Of each mistake the place and a part of the reason.
#[test]
fn a_mistake_has_a_line_a_column_and_a_reason() {
    let head = "scenario s\nprocs 1\nchannel c 0\nchannel d 0\nmutex m\nmutex n\nflag f\n";
    for (text, line, column, part) in [
        ("go a { frob }", 8, 8, "frob: not one of: compute"),
        ("go a { compute 3 }", 8, 16, "a time, such as 20us"),
        ("go a { compute 5s }", 8, 8, "at most 1000000"),
        ("go a { send x }", 8, 13, "there is no channel x: c, d"),
        ("go a { send c d }", 8, 15, "the statement has ended"),
        ("go a { yield", 8, 13, "`}` is missing"),
        ("go a yield", 8, 6, "`{` is missing"),
        ("go a { } go b { }", 8, 10, "the statement has ended"),
        ("go é { }", 8, 4, "'é' means nothing here"),
        ("gogo a { }", 8, 1, "not one of: scenario"),
        ("go c { }", 1, 1, "two things are called c"),
        ("procs 2", 8, 1, "twice"),
        ("sometimes nothing", 8, 11, "not one of: stopped_by_signal"),
        ("go a {\n  yield\n  recv c\n}\ngo b { park }", 10, 3, "a waits here for ever, and so do b"),
        ("go a { send c; recv d }\ngo b { send d; recv c }", 8, 8, "waits here for ever"),
        ("go a { lock m { recv c } }", 8, 17, "with m held nobody may be waited for"),
        ("go a { lock n { lock m { } } }", 8, 17, "declared after it"),
        ("go a { forever { yield } }", 8, 8, "only a daemon"),
        ("daemon a { forever { preempt_off 1ms } }", 8, 22, "nobody could stop it"),
        ("daemon a { set f }", 8, 12, "it gives nothing"),
        ("go a { repeat 2 { spawn b } }\ngo b { }", 8, 19, "not in a loop"),
        ("go a { join b }\ngo b { }", 8, 8, "joined by whoever spawns it"),
        ("go a { exit; spawn b }\ngo b { }", 9, 1, "b is never started"),
        ("go a { spawn b }\ngo b { spawn a }", 8, 1, "spawned only by what it spawns itself"),
        ("go a { send c }\ngo b { send c }\ngo r { recv c; recv c }", 1, 1, "it must hold all 2 values"),
        (
            "go a { repeat 2 { send c } }\ngo b { recv c; set f }\ngo r { recv c }",
            9,
            16,
            "others receive from c, too",
        ),
        ("go a { repeat 1000000 { } }", 8, 8, "at most 100000"),
        ("go a { repeat 100000 { repeat 100000 { yield } } }", 1, 1, "more than 2000000 steps"),
        ("go a { grow 3MB }", 8, 13, "a size, such as 20KiB"),
    ] {
        let error = parse(&format!("{head}{text}\n")).expect_err(text);
        assert!(error.reason.contains(part), "{text}: {error}");
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    }
    for (text, part) in
        [("procs 1\ngo a { }", "scenario NAME"), ("scenario s\ngo a { }", "procs N"), ("", "no name")]
    {
        assert!(parse(text).is_err_and(|e| e.reason.contains(part)), "{text}");
    }
}
