//! Who a secret stands for, remembered for a moment so that a request costs no look-up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Identity;
use crate::base::DateTime;

/// How long an answer may be old. A person who is disabled or changes role on another node is noticed after this; on this
/// node at once ([`Cache::forget_all`]).
const FRESH_MICROS: i64 = 2_000_000;
/// More secrets than this in use within two seconds: begin anew rather than grow.
const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Cache {
    known: RwLock<HashMap<[u8; 32], Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    identity: Arc<Identity>,
    looked_up: DateTime,
    ends: DateTime,
}

impl Cache {
    pub(super) fn get(&self, digest: &[u8; 32], now: DateTime) -> Option<Arc<Identity>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let entry = known.get(digest)?;
        let is_fresh = now.0 - entry.looked_up.0 < FRESH_MICROS && now >= entry.looked_up && now < entry.ends;
        is_fresh.then(|| entry.identity.clone())
    }

    pub(super) fn put(&self, digest: [u8; 32], identity: Arc<Identity>, now: DateTime, ends: DateTime) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, Entry { identity, looked_up: now, ends });
    }

    pub(super) fn forget(&self, digest: &[u8; 32]) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }

    pub(super) fn forget_all(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
