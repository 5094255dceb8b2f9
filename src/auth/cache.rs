//! Who a secret stands for, remembered so that a request costs no look-up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Identity;
use crate::base::DateTime;

/// How long an answer is used without looking at the session again, so that its last use is noted. Whatever changes people,
/// sessions or tokens ends it at once, on every node: it holds for one epoch ([`crate::store::identity`]).
const FRESH_MICROS: i64 = 30_000_000;
/// More secrets than this in use: begin anew rather than grow.
const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Cache {
    known: RwLock<HashMap<[u8; 32], Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    identity: Arc<Identity>,
    /// The epoch before it was looked up.
    epoch: i64,
    looked_up: DateTime,
    ends: DateTime,
}

impl Cache {
    pub(super) fn get(&self, digest: &[u8; 32], now: DateTime, epoch: i64) -> Option<Arc<Identity>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let entry = known.get(digest)?;
        let is_fresh = entry.epoch == epoch && now.0 - entry.looked_up.0 < FRESH_MICROS && now >= entry.looked_up && now < entry.ends;
        is_fresh.then(|| entry.identity.clone())
    }

    pub(super) fn put(&self, digest: [u8; 32], identity: Arc<Identity>, epoch: i64, now: DateTime, ends: DateTime) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, Entry { identity, epoch, looked_up: now, ends });
    }
}
