//! What is wrong in a definition: code, place, source line with caret, hint.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::source::Place;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One fault (or warning) of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable, listed in `docs/errors.md`.
    pub code: &'static str,
    pub severity: Severity,
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// Column one past the last character.
    pub end: u32,
    /// The source line, empty when the text is not at hand.
    pub excerpt: String,
    /// Lower case, no final stop, names in backticks.
    pub message: String,
    /// What the reader can do about it.
    pub hint: Option<String>,
    /// Other places that belong to it (the first of two duplicates).
    pub labels: Vec<Label>,
    /// The known name nearest to the unknown one.
    pub near: Option<String>,
}

/// A second place of a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub end: u32,
    pub excerpt: String,
    pub message: String,
}

impl Diagnostic {
    pub fn error(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            file: place.file.to_string(),
            line: place.line,
            column: place.column,
            end: place.end.max(place.column + 1),
            excerpt: String::new(),
            message: message.into(),
            hint: None,
            labels: Vec::new(),
            near: None,
        }
    }

    pub fn warning(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the nearest known name; without a hint of its own it becomes "did you mean".
    pub fn near(mut self, near: Option<String>) -> Self {
        self.near = near;
        self
    }

    pub fn label(mut self, place: &Place, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            file: place.file.to_string(),
            line: place.line,
            column: place.column,
            end: place.end.max(place.column + 1),
            excerpt: String::new(),
            message: message.into(),
        });
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The hint with the near name in front of it.
    pub fn full_hint(&self) -> Option<String> {
        match (&self.near, &self.hint) {
            (Some(near), Some(hint)) => Some(format!("did you mean `{near}`? {hint}")),
            (Some(near), None) => Some(format!("did you mean `{near}`?")),
            (None, hint) => hint.clone(),
        }
    }
}

/// The diagnostics as a person reads them, one block each, with the source line and a caret under the place.
pub fn render_text(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for (position, diagnostic) in diagnostics.iter().enumerate() {
        if position > 0 {
            out.push('\n');
        }
        render_one(diagnostic, &mut out);
    }
    out
}

fn render_one(diagnostic: &Diagnostic, out: &mut String) {
    let Diagnostic { file, line, column, message, code, .. } = diagnostic;
    let warning = if diagnostic.severity == Severity::Warning { "warning: " } else { "" };
    let _ = writeln!(out, "{file}:{line}:{column}: {warning}{message} [{code}]");
    excerpt(diagnostic.line, diagnostic.column, diagnostic.end, &diagnostic.excerpt, "", out);
    for label in &diagnostic.labels {
        if label.excerpt.is_empty() || label.file != diagnostic.file {
            let _ = writeln!(out, "  {}:{}:{}: {}", label.file, label.line, label.column, label.message);
        }
        let beside = if label.file == diagnostic.file { label.message.as_str() } else { "" };
        excerpt(label.line, label.column, label.end, &label.excerpt, beside, out);
    }
    if let Some(hint) = diagnostic.full_hint() {
        let _ = writeln!(out, "  hint: {hint}");
    }
}

/// The widest line shown; a longer one is cut around the place.
const MAX_WIDTH: usize = 160;

fn excerpt(line: u32, column: u32, end: u32, text: &str, beside: &str, out: &mut String) {
    if text.is_empty() {
        return;
    }
    let chars: Vec<char> = text.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let start = (column as usize).saturating_sub(1).min(chars.len());
    let stop = (end as usize).saturating_sub(1).clamp(start, chars.len());
    let from = if chars.len() > MAX_WIDTH { start.saturating_sub(60) } else { 0 };
    let to = chars.len().min(from + MAX_WIDTH);
    let shown: String = chars[from..to].iter().filter(|c| c.width().is_some()).collect();
    let before: String = chars[from..start].iter().collect();
    let marked: String = chars[start..stop.min(to).max(start)].iter().collect();
    let carets = "^".repeat(marked.width().max(1));
    let beside = if beside.is_empty() { String::new() } else { format!(" {beside}") };
    let _ = writeln!(out, "{line:>5} | {shown}");
    let _ = writeln!(out, "      | {}{carets}{beside}", " ".repeat(before.width()));
}

/// The same for programs and editors.
pub fn to_json(diagnostics: &[Diagnostic]) -> serde_json::Value {
    diagnostics.iter().map(one_to_json).collect()
}

fn one_to_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let labels: Vec<_> = diagnostic
        .labels
        .iter()
        .map(|label| {
            serde_json::json!({
                "file": label.file, "line": label.line, "column": label.column, "end_column": label.end, "message": label.message,
            })
        })
        .collect();
    serde_json::json!({
        "code": diagnostic.code,
        "severity": if diagnostic.is_error() { "error" } else { "warning" },
        "file": diagnostic.file,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "end_column": diagnostic.end,
        "excerpt": diagnostic.excerpt,
        "message": diagnostic.message,
        "hint": diagnostic.full_hint(),
        "near": diagnostic.near,
        "labels": labels,
    })
}

/// The known name nearest to `wanted`, if one is near enough to be meant.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let folded = crate::base::text::fold(wanted);
    // Of a word of one or two letters everything is near.
    let limit = (wanted.chars().count() / 3).min(3);
    known
        .into_iter()
        .filter(|name| *name != wanted)
        .map(|name| (strsim::osa_distance(&folded, &crate::base::text::fold(name)), name))
        .filter(|(distance, _)| *distance <= limit && limit > 0)
        .min_by(|left, right| left.cmp(right))
        .map(|(_, name)| name.to_owned())
}
