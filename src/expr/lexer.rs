//! Text to tokens.

use super::error::{ExprError, ExprErrorKind};
use super::tree::Span;

/// One token with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// A name or a word of the language, as written.
    Word(String),
    /// A name in backticks: never a word of the language.
    Quoted(String),
    Number(String),
    Text(String),
    /// An operator or punctuation mark.
    Mark(&'static str),
    End,
}

/// Longest first, so that `<=` is not read as `<`.
const MARKS: [&str; 21] = ["&&", "||", "==", "!=", "<>", "<=", ">=", "=", "<", ">", "!", "+", "-", "*", "/", "%", "(", ")", ",", ".", ";"];

/// Words with a meaning of their own: a field of such a name is written in backticks.
pub const RESERVED: [&str; 16] =
    ["and", "or", "not", "in", "is", "null", "true", "false", "between", "like", "ilike", "case", "when", "then", "else", "end"];

/// Cuts the text into tokens; the last one is [`TokenKind::End`].
pub fn tokens(text: &str) -> Result<Vec<Token>, ExprError> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = match first {
            '\'' | '"' => quoted(rest, first, at)?,
            '`' => name_in_backticks(rest, at)?,
            '0'..='9' => number(rest),
            'a'..='z' | 'A'..='Z' | '_' => {
                let word = &rest[..word_length(rest)];
                (TokenKind::Word(word.to_owned()), word.len())
            }
            _ => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                Some(mark) => (TokenKind::Mark(mark), mark.len()),
                None => {
                    let wanted = "a name, a number, a text in quotes or an operator";
                    return Err(ExprError::new(
                        ExprErrorKind::Unexpected { found: format!("`{first}`"), wanted },
                        at..at + first.len_utf8(),
                    ));
                }
            },
        };
        found.push(Token { kind, span: at..at + length });
        at += length;
    }
    found.push(Token { kind: TokenKind::End, span: text.len()..text.len() });
    Ok(found)
}

fn word_length(rest: &str) -> usize {
    rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// Digits, one point with digits after it, an exponent with digits.
fn number(rest: &str) -> (TokenKind, usize) {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = if bytes.len() > length + 1 + sign { digits(length + 1 + sign) } else { 0 };
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    (TokenKind::Number(rest[..length].to_owned()), length)
}

/// A text in quotes; the quote itself is written twice.
fn quoted(rest: &str, quote: char, at: usize) -> Result<(TokenKind, usize), ExprError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((position, c)) = chars.next() {
        if c != quote {
            text.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
            text.push(quote);
        } else {
            // No database stores the character NUL in a text.
            return if text.contains('\0') {
                let kind = ExprErrorKind::Unexpected { found: "the character NUL".to_owned(), wanted: "a text without it" };
                Err(ExprError::new(kind, at..at + position + 1))
            } else {
                Ok((TokenKind::Text(text), position + 1))
            };
        }
    }
    Err(ExprError::new(ExprErrorKind::UnclosedText, at..at + rest.len()))
}

fn name_in_backticks(rest: &str, at: usize) -> Result<(TokenKind, usize), ExprError> {
    let length = word_length(&rest[1..]);
    if length == 0 || rest.as_bytes().get(length + 1) != Some(&b'`') {
        let kind = ExprErrorKind::Unexpected { found: "a backtick".to_owned(), wanted: "a name between backticks" };
        return Err(ExprError::new(kind, at..at + 1));
    }
    Ok((TokenKind::Quoted(rest[1..=length].to_owned()), length + 2))
}
