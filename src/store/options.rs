//! How a store is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Clock, Random, SystemClock, SystemRandom};

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The embedded database `relata.db` in this data folder (made if absent), which one process owns.
    Sqlite { path: PathBuf },
    /// A PostgreSQL 15+ server. `schema` is created if absent; `None` means `public`.
    Postgres { url: String, schema: Option<String> },
    /// An embedded database in a new folder under the system's temporary one, removed when the store is dropped,
    /// without waiting for the disk: for `relata test` and what-if.
    Temporary,
    /// The same, holding what the embedded database in this data folder holds now, with its keys.
    TemporaryCopy { of: PathBuf },
}

/// Whether an acknowledged write has reached the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// It has (`synchronous=FULL`).
    #[default]
    Full,
    /// It may be lost with the power, for tests and bulk loads.
    Relaxed,
}

/// Everything [`super::Store::open`] needs.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    pub target: Target,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub durability: Durability,
    /// Folder of uploaded files; by default `files` in the data folder of SQLite, `relata-data/files` otherwise.
    pub files: Option<PathBuf>,
    /// Folder of keys; by default `keys` in the data folder of SQLite, `relata-data/keys` otherwise.
    pub keys: Option<PathBuf>,
    /// Rows may refer to others that are not there: for a copy that is filled table by table (embedded databases only).
    pub is_loose: bool,
    /// Longest unit of work.
    pub write_timeout: Duration,
    /// Longest read.
    pub read_timeout: Duration,
    /// PostgreSQL connections of this process.
    pub max_connections: u32,
    /// How long a node number stays leased after its holder's last sign of life.
    pub node_lease: Duration,
}

impl OpenOptions {
    /// The usual settings with the machine's clock and randomness.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            durability: Durability::Full,
            files: None,
            keys: None,
            is_loose: false,
            write_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(30),
            max_connections: 16,
            node_lease: Duration::from_secs(60),
        }
    }
}
