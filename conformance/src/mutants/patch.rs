//! Unified diffs, applied by their text: a hunk goes where its old lines are, nearest to where they were. Its context must be there to the letter.

use std::io;
use std::path::{Path, PathBuf};

/// Changes to some files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch(Vec<Change>);

/// Changes to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    path: PathBuf,
    hunks: Vec<Hunk>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hunk {
    /// The line that it began at, from 0.
    at: usize,
    old: String,
    new: String,
}

impl Patch {
    /// Reads a diff as `diff -u` writes it, with one folder before each path.
    ///
    /// # Errors
    /// The line that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut changes = Vec::<Change>::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let wrong = || format!("a wrong line in the diff: {line}");
            if let Some(path) = line.strip_prefix("+++ ") {
                let (_, path) = path.split_once('/').ok_or_else(wrong)?;
                changes.push(Change { path: path.into(), hunks: Vec::new() });
            } else if line.starts_with("@@ ") {
                let change = changes.last_mut().ok_or_else(wrong)?;
                let (at, count_old, count_new) = numbers(line).ok_or_else(wrong)?;
                let mut hunk = Hunk { at: at.saturating_sub(1), old: String::new(), new: String::new() };
                let (mut old, mut new) = (count_old, count_new);
                while old + new > 0 {
                    let line = lines.next().ok_or("the diff ends in a hunk")?;
                    // Editors take the space of an empty line away.
                    let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
                    for (of, count, text) in [("-", &mut old, &mut hunk.old), ("+", &mut new, &mut hunk.new)]
                    {
                        if sign == of || sign == " " {
                            *count = count.checked_sub(1).ok_or("a hunk has more lines than it says")?;
                            text.push_str(rest);
                            text.push('\n');
                        }
                    }
                    if !["-", "+", " "].contains(&sign) {
                        return Err(format!("a wrong line in a hunk: {line}"));
                    }
                }
                change.hunks.push(hunk);
            } else if !line.starts_with("--- ") {
                return Err(wrong());
            }
        }
        if changes.is_empty() || changes.iter().any(|change| change.hunks.is_empty()) {
            return Err("there is nothing to change".into());
        }
        Ok(Self(changes))
    }

    /// The files that it changes, as they are afterwards. `read` gives one as it is.
    ///
    /// # Errors
    /// Where it does not apply.
    pub fn apply(
        &self,
        read: impl Fn(&Path) -> io::Result<String>,
    ) -> Result<Vec<(PathBuf, String)>, String> {
        let apply = |change: &Change| {
            let fault = |why: &dyn std::fmt::Display| format!("{}: {why}", change.path.display());
            let mut text = read(&change.path).map_err(|e| fault(&e))?;
            for hunk in &change.hunks {
                let at = hunk.place(&text).ok_or_else(|| {
                    fault(&format!("what was at line {} is not there any more:\n{}", hunk.at + 1, hunk.old))
                })?;
                text.replace_range(at..at + hunk.old.len(), &hunk.new);
            }
            Ok((change.path.clone(), text))
        };
        self.0.iter().map(apply).collect()
    }
}

impl Hunk {
    /// Where it goes in `text`: the place with its old lines that is nearest to the line that it began at.
    fn place(&self, text: &str) -> Option<usize> {
        let mut starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).enumerate();
        let here = |&(_, at): &(usize, usize)| text[at..].starts_with(&self.old);
        starts.by_ref().filter(here).min_by_key(|(line, _)| line.abs_diff(self.at)).map(|(_, at)| at)
    }
}

/// `@@ -at,old +at,new @@`; a count that is not there is 1.
fn numbers(line: &str) -> Option<(usize, usize, usize)> {
    let mut words = line.split(' ').skip(1);
    let mut range = |sign: char| {
        let (at, count) = words.next()?.strip_prefix(sign).map(|r| r.split_once(',').unwrap_or((r, "1")))?;
        Some((at.parse().ok()?, count.parse().ok()?))
    };
    let (at, old) = range('-')?;
    let (_, new): (usize, _) = range('+')?;
    Some((at, old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "--- a/x/y.rs\n+++ b/x/y.rs\n@@ -5,3 +5,3 @@\n same\n-old\n+new\n\n";

    fn applied(text: &str) -> Result<String, String> {
        let patch = Patch::parse(DIFF).unwrap();
        patch.apply(|_| Ok(text.to_owned())).map(|mut changed| changed.remove(0).1)
    }

    #[test]
    fn a_hunk_goes_where_its_lines_are_nearest() {
        assert_eq!(applied("same\nold\n\n").unwrap(), "same\nnew\n\n");
        let far = "same\nold\n\n".repeat(3);
        assert_eq!(applied(&far).unwrap(), "same\nold\n\nsame\nnew\n\nsame\nold\n\n");
    }

    #[test]
    fn what_is_not_there_to_the_letter_is_refused() {
        for text in ["", "same\nold", "same\nold \n\n", "same\n\nold\n\n", "not same\nold\n\n"] {
            let refusal = applied(text).unwrap_err();
            assert!(refusal.starts_with("x/y.rs: what was at line 5 is not there"), "{text:?}: {refusal}");
        }
    }

    #[test]
    fn what_is_no_diff_is_refused() {
        let cut = &DIFF[..DIFF.len() - 1];
        let more = DIFF.replace("5,3 +5,3", "5,2 +5,3");
        let sign = DIFF.replace("-old", "*old");
        for text in ["", "text\n", "--- a/x\n+++ b/x\n", "@@ -1 +1 @@\n-a\n+b\n", cut, &more, &sign] {
            assert!(Patch::parse(text).is_err(), "{text:?}");
        }
    }
}
