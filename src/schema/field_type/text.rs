//! `text`: one line.

use serde_json::{Value as Json, json};

use super::FieldFault;
use super::common::{length, one_line, printable, text_of, wrong_value};
use crate::base::Value;
use crate::schema::catalog::Pattern;

pub const DEFAULT_MAX: u32 = 255;
/// The most a definition may allow.
pub const LIMIT: u32 = 4000;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "a text").map(one_line)
}

pub fn check(value: &Value, min: Option<u32>, max: u32, pattern: Option<&Pattern>) -> Result<(), FieldFault> {
    let text = value.as_text().ok_or_else(|| wrong_value("a text"))?;
    printable(text, false)?;
    length(text, min, max)?;
    match pattern {
        Some(pattern) if !pattern.regex.is_match(text) => {
            Err(FieldFault::new("pattern", format!("does not match the pattern `{}`", pattern.text))
                .params(json!({"pattern": pattern.text})))
        }
        _ => Ok(()),
    }
}

/// Compiles a pattern that must match the whole text. Linear-time; at most 256 KB compiled.
///
/// # Errors
/// What is wrong with the pattern, in one line.
pub fn compile_pattern(text: &str) -> Result<Pattern, String> {
    regex::RegexBuilder::new(&format!("^(?:{text})$"))
        .size_limit(256 << 10)
        .build()
        .map(|regex| Pattern { text: text.to_owned(), regex })
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
            other => other
                .to_string()
                .lines()
                .rfind(|line| !line.trim().is_empty())
                .unwrap_or("not a pattern")
                .trim()
                .trim_start_matches("error: ")
                .to_owned(),
        })
}
