//! Who a secret stands for, remembered so that a request costs no look-up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Identity;
use crate::base::DateTime;

/// How long an answer is used without looking at the session again, so that its last use is noted. Whatever changes people,
/// sessions or tokens ends it at once, on every node: it holds for one epoch ([`crate::store::identity`]). So do new
/// definitions: what is read of a person's teams and reports depends on what their roles ask for.
const FRESH_MICROS: i64 = 30_000_000;
/// More secrets than this in use: begin anew rather than grow.
const MOST: usize = 20_000;

/// What an answer holds under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Under {
    pub epoch: i64,
    /// The version of the definitions.
    pub catalog: i64,
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    known: RwLock<HashMap<[u8; 32], Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    identity: Arc<Identity>,
    /// As it was before it was looked up.
    under: Under,
    looked_up: DateTime,
    ends: DateTime,
}

impl Cache {
    pub(super) fn get(&self, digest: &[u8; 32], now: DateTime, under: Under) -> Option<Arc<Identity>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let entry = known.get(digest)?;
        let is_fresh = entry.under == under && now.0 - entry.looked_up.0 < FRESH_MICROS && now >= entry.looked_up && now < entry.ends;
        is_fresh.then(|| entry.identity.clone())
    }

    pub(super) fn put(&self, digest: [u8; 32], identity: Arc<Identity>, under: Under, now: DateTime, ends: DateTime) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, Entry { identity, under, looked_up: now, ends });
    }
}
