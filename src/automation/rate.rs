//! A breaker for scripts that run far too often: each handler may run so many times a minute, then it pauses.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::base::DateTime;

/// Runs of one handler in one minute.
const RUNS: u32 = 1_000;
const MINUTE_US: i64 = 60_000_000;

/// Counts runs by handler, in this process.
#[derive(Default)]
pub(super) struct Rate(Mutex<HashMap<String, (i64, u32)>>);

impl Rate {
    /// Counts a run; false when the handler has had its runs of this minute. The first refusal of a minute is logged.
    pub fn allows(&self, handler: &str, now: DateTime) -> bool {
        let minute = now.0.div_euclid(MINUTE_US);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(handler.to_owned()).or_insert((minute, 0));
        if count.0 != minute {
            *count = (minute, 0);
        }
        count.1 += 1;
        if count.1 == RUNS + 1 {
            tracing::warn!(script = handler, limit = RUNS, "the script ran too often this minute and pauses");
        }
        count.1 <= RUNS
    }
}
