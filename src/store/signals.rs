//! What the store tells others after a commit: work waits, definitions changed, people changed.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::watch;

use super::tx::AfterCommit;

/// The sending ends.
#[derive(Debug)]
pub(super) struct Signals {
    work: watch::Sender<u64>,
    catalog: watch::Sender<i64>,
    /// How often this process changed people, sessions or tokens.
    identity: AtomicI64,
}

impl Signals {
    pub fn new(catalog_version: i64) -> Self {
        Self { work: watch::Sender::new(0), catalog: watch::Sender::new(catalog_version), identity: AtomicI64::new(0) }
    }

    pub fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    pub fn catalog(&self) -> watch::Receiver<i64> {
        self.catalog.subscribe()
    }

    /// How often this process changed people, sessions or tokens.
    pub fn identity(&self) -> i64 {
        self.identity.load(Ordering::Acquire)
    }

    /// The newest version this process knows of.
    pub fn catalog_version(&self) -> i64 {
        *self.catalog.borrow()
    }

    /// Passes on what a kept unit had to tell.
    pub fn tell(&self, after: AfterCommit) {
        if after.identity {
            self.identity.fetch_add(1, Ordering::AcqRel);
        }
        if after.wakes {
            self.work.send_modify(|count| *count = count.wrapping_add(1));
        }
        if let Some(version) = after.catalog {
            self.tell_catalog(version);
        }
    }

    /// Wakes those who wait for a new version, if it is one.
    pub fn tell_catalog(&self, version: i64) {
        self.catalog.send_if_modified(|known| {
            let is_new = *known != version;
            *known = version;
            is_new
        });
    }
}

impl AfterCommit {
    /// Adds what a later unit has to tell.
    pub fn add(&mut self, later: AfterCommit) {
        self.wakes |= later.wakes;
        self.identity |= later.identity;
        self.catalog = later.catalog.or(self.catalog);
    }
}
