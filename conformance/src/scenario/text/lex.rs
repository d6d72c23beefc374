//! Words, braces and ends of statements, each with its place.

use super::TextError;

/// Where something stands: line and column, from 1.
pub(super) type Spot = (usize, usize);

/// A piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Open,
    Close,
    /// The end of a line, or `;`.
    End,
}

/// The pieces of a text, in order.
pub(super) type Tokens<'a> = Vec<(Token<'a>, Spot)>;

/// The pieces of `text`; and the comments before the first of them.
pub(super) fn lex(text: &str) -> Result<(Tokens<'_>, Vec<String>), TextError> {
    let (mut tokens, mut about) = (Vec::new(), Vec::new());
    for (line, content) in text.lines().enumerate() {
        let line = line + 1;
        let (code, comment) = match content.split_once('#') {
            Some((code, comment)) => (code, Some(comment)),
            None => (content, None),
        };
        let mut column = 0;
        let mut rest = code;
        while let Some(first) = rest.chars().next() {
            let spot = (line, column + 1);
            let (token, length) = match first {
                '{' => (Some(Token::Open), 1),
                '}' => (Some(Token::Close), 1),
                ';' => (Some(Token::End), 1),
                c if c.is_whitespace() => (None, 1),
                c if is_of_word(c) => {
                    let length = rest.chars().take_while(|&c| is_of_word(c)).count();
                    (Some(Token::Word(&rest[..length])), length)
                }
                c => {
                    let reason = format!("{c:?} means nothing here");
                    return Err(TextError { line, column: column + 1, reason });
                }
            };
            tokens.extend(token.map(|token| (token, spot)));
            column += length;
            let bytes = rest.chars().take(length).map(char::len_utf8).sum::<usize>();
            rest = &rest[bytes..];
        }
        match comment {
            Some(comment) if tokens.is_empty() => {
                about.push(comment.strip_prefix(' ').unwrap_or(comment).trim_end().to_owned());
            }
            _ => {}
        }
        if tokens.last().is_some_and(|(token, _)| *token != Token::End) {
            tokens.push((Token::End, (line, column + 1)));
        }
    }
    Ok((tokens, about))
}

/// Names and numbers are ASCII.
fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}
