//! Lists that go by id, newest first, a page at a time: their parameters `before` and `limit`, and where the next page begins.

use serde_json::json;

use super::locate::number;
use crate::query::Params;
use crate::web::Problem;

const DEFAULT: i64 = 50;
/// Lines that most lists give at once.
pub(super) const MOST: i64 = 200;

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    /// Only what came before this one.
    pub before: Option<i64>,
    /// Lines of a page.
    pub limit: u32,
}

impl Paging {
    /// Reads `before`, the id of a `thing`, and `limit`, at most `most`.
    ///
    /// # Errors
    /// `WEB422` for what is no id, `QRY003` for a limit out of range.
    pub(super) fn read(params: &Params, thing: &str, most: i64) -> Result<Self, Problem> {
        let before = match params.get("before") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| bad_parameter("before", &format!("must be the id of {thing}")))?),
        };
        let limit = number(params, "limit", DEFAULT, 1..=most)?;
        Ok(Self { before, limit: u32::try_from(limit).unwrap_or(1) })
    }

    /// How many lines to look for: one more tells that there is another page.
    pub(super) fn wanted(self) -> u32 {
        self.limit + 1
    }

    /// Leaves a page of what was found, and tells what the next one is before.
    pub(super) fn cut<T>(self, lines: &mut Vec<T>, id: impl Fn(&T) -> i64) -> Option<String> {
        let has_more = lines.len() > self.limit as usize;
        lines.truncate(self.limit as usize);
        lines.last().filter(|_| has_more).map(|line| id(line).to_string())
    }
}

/// A parameter that cannot be understood.
pub(super) fn bad_parameter(name: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the parameters cannot be understood").with_fault(name, "bad_parameter", message, json!({}))
}
