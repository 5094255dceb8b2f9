//! Record ids: 64-bit, time-ordered, minted in the process.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Clock;

/// Milliseconds of 2024-01-01T00:00Z, where id time begins.
const EPOCH_MS: i64 = 1_704_067_200_000;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 41 bits of milliseconds since 2024-01-01, 10 bits node, 12 bits sequence. Always positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub i64);

impl RecordId {
    /// The public form: `deal_` and 13 characters of Crockford's base32, lower case.
    pub fn display(self, prefix: &str) -> String {
        let mut text = String::with_capacity(prefix.len() + 14);
        self.write(prefix, &mut text);
        text
    }

    /// Appends the public form to `out` without another allocation.
    pub fn write(self, prefix: &str, out: &mut String) {
        out.push_str(prefix);
        out.push('_');
        for shift in (0..13).rev() {
            let digit = (self.0.cast_unsigned() >> (shift * 5)) & 31;
            out.push(char::from(ALPHABET[usize::try_from(digit).unwrap_or(0)]));
        }
    }

    /// Splits `deal_01hv…` into prefix and id. Accepts capital letters and Crockford's look-alikes (`o`, `i`, `l`).
    pub fn parse(text: &str) -> Option<(&str, Self)> {
        let (prefix, digits) = text.rsplit_once('_')?;
        if digits.len() != 13 || prefix.is_empty() {
            return None;
        }
        let mut number: u64 = 0;
        for (position, byte) in digits.bytes().enumerate() {
            let lower = match byte.to_ascii_lowercase() {
                b'o' => b'0',
                b'i' | b'l' => b'1',
                other => other,
            };
            let digit = ALPHABET.iter().position(|known| *known == lower)?;
            if position == 0 && digit > 7 {
                return None;
            }
            number = (number << 5) | u64::try_from(digit).ok()?;
        }
        let id = i64::try_from(number).ok()?;
        (id > 0).then_some((prefix, Self(id)))
    }

    /// When the id was minted, milliseconds since 1970.
    pub fn minted_ms(self) -> i64 {
        (self.0 >> 22) + EPOCH_MS
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Mints ids for one process. Several processes never share a node number: it is leased from the database.
#[derive(Debug)]
pub struct IdMint {
    clock: Arc<dyn Clock>,
    node: i64,
    last: AtomicI64,
}

impl IdMint {
    /// `node` is 0 to 1,023.
    pub fn new(clock: Arc<dyn Clock>, node: u16) -> Self {
        Self { clock, node: i64::from(node & 1023), last: AtomicI64::new(0) }
    }

    /// The next id: greater than all this mint gave before, also when the clock goes back. When 4,096
    /// ids fall in one millisecond the following ones borrow from the next millisecond.
    pub fn next(&self) -> RecordId {
        let now = (self.clock.now().as_ms() - EPOCH_MS).max(1) << 12;
        let tick = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(now.max(last + 1)))
            .map_or(now, |last| now.max(last + 1));
        let (ms, sequence) = (tick >> 12, tick & 4095);
        RecordId((ms << 22) | (self.node << 12) | sequence)
    }
}
