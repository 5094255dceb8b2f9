//! What the database refuses or fails at, by type.

use crate::base::Explain;

/// A fault of the store. `Clone`, because one failed commit answers every unit of its batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A unique index (its physical name) already holds the value.
    #[error("a live record with the same value exists (`{index}`)")]
    UniqueViolation { index: String },
    /// A reference points to nothing, or something still points here. `table` is empty where the database does not say.
    #[error("a reference does not hold (`{table}`)")]
    ForeignKey { table: String },
    /// A column that may not be empty was.
    #[error("a system column is empty (`{column}`)")]
    NotNull { column: String },
    /// The definitions changed since the unit was prepared: prepare it anew with the new catalog.
    #[error("definitions changed: this was prepared for version {expected}, the database has {actual}")]
    StaleCatalog { expected: i64, actual: i64 },
    /// Locked by another transaction for longer than the limit, or a deadlock: worth one more try.
    #[error("the database is busy")]
    Busy,
    /// The unit or statement took longer than it may.
    #[error("the database took too long")]
    Timeout,
    /// The disk is full or the quota reached; nothing of the transaction was kept.
    #[error("the disk is full")]
    DiskFull,
    /// The transaction was lost before its commit; nothing of it was kept.
    #[error("the transaction was lost: {0}")]
    TransactionLost(String),
    /// The unit of work panicked; nothing of it was kept.
    #[error("a unit of work failed unexpectedly: {0}")]
    Panicked(String),
    /// Another process owns this data folder.
    #[error("the data folder `{path}` is in use by another process")]
    Locked { path: String },
    /// Written by a newer program.
    #[error("the database was written by a newer version (it has migration {found}, this program knows {known})")]
    NewerDatabase { found: i64, known: i64 },
    /// A migration that was applied has another text now.
    #[error("migration {name} of the database differs from this program's")]
    ChangedMigration { name: String },
    /// The library or server is too old.
    #[error("{found} is too old, {needed} is needed")]
    OldVersion { found: String, needed: String },
    /// No connection could be had.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// All node numbers are leased.
    #[error("all 1,024 node numbers are in use")]
    NoFreeNode,
    /// This process was away so long that another took its node number.
    #[error("this process lost its node number")]
    NodeLost,
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// The file is damaged or no database.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A stored value does not fit its column's kind.
    #[error("column {column} does not hold what its kind says")]
    BadCell { column: usize },
    /// Reading or writing a file.
    #[error("{path}: {message}")]
    File { path: String, message: String },
    /// A backup that does not verify.
    #[error("the backup does not verify: {0}")]
    BadBackup(String),
    /// A key file that is missing, open to others, or of another workspace.
    #[error("the key `{path}` cannot be used: {reason}")]
    BadKey { path: String, reason: String },
    /// The store was opened without its keys.
    #[error("this store has no key to sign the audit with")]
    NoKey,
    /// Anything else the driver says. Never shown to a client as it is.
    #[error("database error: {message}")]
    Database { state: String, message: String },
}

impl StoreError {
    /// Worth trying the whole unit again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::StaleCatalog { .. })
    }

    pub(super) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::DiskFull;
        }
        Self::File { path: path.display().to_string(), message: error.to_string() }
    }
}

impl Explain for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::UniqueViolation { .. } => "STO001",
            Self::ForeignKey { .. } => "STO002",
            Self::NotNull { .. } => "STO003",
            Self::StaleCatalog { .. } => "STO004",
            Self::Busy => "STO005",
            Self::Timeout => "STO006",
            Self::DiskFull => "STO007",
            Self::TransactionLost(_) => "STO008",
            Self::Panicked(_) => "STO009",
            Self::Locked { .. } => "STO010",
            Self::NewerDatabase { .. } => "STO011",
            Self::ChangedMigration { .. } => "STO012",
            Self::OldVersion { .. } => "STO013",
            Self::Unreachable(_) => "STO014",
            Self::NoFreeNode => "STO015",
            Self::Closed => "STO016",
            Self::Corrupt(_) => "STO017",
            Self::BadCell { .. } => "STO018",
            Self::File { .. } => "STO019",
            Self::BadBackup(_) => "STO020",
            Self::Database { .. } => "STO021",
            Self::NodeLost => "STO022",
            Self::BadKey { .. } => "STO023",
            Self::NoKey => "STO024",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UniqueViolation { .. } => "change the value, or open the record that has it",
            Self::Busy | Self::StaleCatalog { .. } => "try again",
            Self::Timeout => "narrow the request, or raise the limit in relata.yaml",
            Self::DiskFull => "free some space on the disk that holds the data folder",
            Self::Locked { .. } => "stop the other `relata` that uses this folder, or let the command go through its socket",
            Self::NewerDatabase { .. } => "run the newer program, or restore a backup made before the upgrade",
            Self::ChangedMigration { .. } => "this program and the database come from different builds; use the build that wrote it",
            Self::OldVersion { .. } => "upgrade the database server or the library",
            Self::Unreachable(_) => "check DATABASE_URL and that the server accepts connections",
            Self::NoFreeNode => "stop processes that are no longer needed; a lease ends a minute after its process",
            Self::NodeLost => "restart it",
            Self::BadKey { .. } => {
                "all processes of a workspace share the files of its `keys` folder (key `keys` of the configuration), mode 0600"
            }
            Self::Corrupt(_) => "restore the last backup with `relata restore`",
            Self::BadBackup(_) => "take another backup; this one was not restored",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
