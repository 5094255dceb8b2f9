//! Tells the log about statements that take long, without their text: a digest tells them apart.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::base::Stopwatch;

/// From here on a statement is worth a line.
const SLOW: Duration = Duration::from_secs(1);

/// The time of one statement.
pub(super) struct Watch(Stopwatch);

impl Watch {
    pub fn start() -> Self {
        Self(Stopwatch::start())
    }

    pub fn end(self, sql: &str) {
        let took = self.0.elapsed();
        if took >= SLOW {
            let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(statement.digest = %digest(sql), duration_ms, "a statement took long");
        }
    }
}

/// Twelve hexadecimal digits of the text's SHA-256. Texts hold no values, so the same request has the same digest.
fn digest(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
