//! `auto_number`: a text made from a format and a counter, given at creation and never changed.
//!
//! Columns: the text, `seq` (the counter).

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{one_line, text_of};
use crate::base::{Cell, Date, Value};
use crate::schema::catalog::Reset;

/// Pieces of a format such as `D-{yyyy}-{seq:5}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Year,
    ShortYear,
    Month,
    Day,
    /// Digits at least this many, filled with zeros.
    Seq(u8),
}

/// Reads a format; it must hold `{seq}` exactly once.
///
/// # Errors
/// What is wrong, and the byte offset in the format.
pub fn parse_format(format: &str) -> Result<Vec<Piece>, (usize, String)> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(open) = rest.find('{') {
        let at = format.len() - rest.len() + open;
        if open > 0 {
            pieces.push(Piece::Text(rest[..open].to_owned()));
        }
        let close = rest[open..].find('}').ok_or((at, "`{` without `}`".to_owned()))?;
        let name = &rest[open + 1..open + close];
        pieces.push(match name {
            "yyyy" => Piece::Year,
            "yy" => Piece::ShortYear,
            "mm" => Piece::Month,
            "dd" => Piece::Day,
            "seq" => Piece::Seq(1),
            other => match other.strip_prefix("seq:").and_then(|digits| digits.parse::<u8>().ok()) {
                Some(digits @ 1..=12) => Piece::Seq(digits),
                _ => return Err((at, format!("unknown placeholder `{{{name}}}`"))),
            },
        });
        rest = &rest[open + close + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    match pieces.iter().filter(|piece| matches!(piece, Piece::Seq(_))).count() {
        1 => Ok(pieces),
        0 => Err((0, "the format needs `{seq}`".to_owned())),
        _ => Err((0, "the format has `{seq}` more than once".to_owned())),
    }
}

/// The text for a counter on a day (in the workspace's time zone).
pub fn text_for(format: &str, seq: i64, on: Date) -> String {
    let day = on.civil();
    let pieces = parse_format(format).unwrap_or_else(|_| vec![Piece::Seq(1)]);
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(&text),
            Piece::Year => out.push_str(&format!("{:04}", day.year())),
            Piece::ShortYear => out.push_str(&format!("{:02}", day.year() % 100)),
            Piece::Month => out.push_str(&format!("{:02}", day.month())),
            Piece::Day => out.push_str(&format!("{:02}", day.day())),
            Piece::Seq(digits) => out.push_str(&format!("{seq:0width$}", width = usize::from(digits))),
        }
    }
    out
}

/// The counter's period on a day: counters of two periods start anew. Empty for a counter that never resets.
pub fn period(reset: Reset, on: Date) -> String {
    let day = on.to_string();
    match reset {
        Reset::Never => String::new(),
        Reset::Yearly => day[..4].to_owned(),
        Reset::Monthly => day[..7].to_owned(),
        Reset::Daily => day,
    }
}

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "a text").map(one_line)
}

/// The counter inside a text of this format.
pub fn seq_of(format: &str, text: &str) -> Option<i64> {
    let pieces = parse_format(format).ok()?;
    let mut rest = text;
    let mut seq = None;
    for (position, piece) in pieces.iter().enumerate() {
        rest = match piece {
            Piece::Text(fixed) => rest.strip_prefix(fixed.as_str())?,
            Piece::Year => rest.get(4..)?,
            Piece::ShortYear | Piece::Month | Piece::Day => rest.get(2..)?,
            Piece::Seq(digits) => {
                let run = rest.bytes().take_while(u8::is_ascii_digit).count();
                // Digits of a date that follow the counter at once belong to the date.
                let after: usize = pieces[position + 1..]
                    .iter()
                    .take_while(|piece| !matches!(piece, Piece::Text(_)))
                    .map(|piece| if matches!(piece, Piece::Year) { 4 } else { 2 })
                    .sum();
                let own = run.checked_sub(after).filter(|own| *own >= usize::from(*digits))?;
                seq = rest[..own].parse().ok();
                &rest[own..]
            }
        };
    }
    seq
}

pub fn to_cells(format: &str, value: &Value, out: &mut Vec<Cell>) {
    out.push(super::common::cell(value));
    out.push(value.as_text().and_then(|text| seq_of(format, text)).into());
}
