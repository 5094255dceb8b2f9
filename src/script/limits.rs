//! What a script may use up, by the kind of moment it runs at (`ENGINE.md` 4e).

use crate::schema::catalog::{ScriptLimits, Trigger};

/// The kind of moment a script runs at: decides its limits and which host functions it may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    BeforeSave,
    BeforeDelete,
    AfterWrite,
    AfterCommit,
    Button,
    Schedule,
}

impl Kind {
    pub const ALL: [Kind; 6] = [Kind::BeforeSave, Kind::BeforeDelete, Kind::AfterWrite, Kind::AfterCommit, Kind::Button, Kind::Schedule];

    pub fn of(trigger: &Trigger) -> Self {
        match trigger {
            Trigger::BeforeSave => Kind::BeforeSave,
            Trigger::BeforeDelete => Kind::BeforeDelete,
            Trigger::AfterWrite => Kind::AfterWrite,
            // A step of an automation runs after the commit as well.
            Trigger::AfterCommit | Trigger::Automation => Kind::AfterCommit,
            Trigger::Button(_) => Kind::Button,
            Trigger::Schedule { .. } => Kind::Schedule,
        }
    }

    /// The word definitions use.
    pub fn word(self) -> &'static str {
        match self {
            Kind::BeforeSave => "before_save",
            Kind::BeforeDelete => "before_delete",
            Kind::AfterWrite => "after_write",
            Kind::AfterCommit => "after_commit",
            Kind::Button => "button",
            Kind::Schedule => "schedule",
        }
    }

    /// May write other records.
    pub fn may_write(self) -> bool {
        !matches!(self, Kind::BeforeSave | Kind::BeforeDelete)
    }

    /// May change the record it runs on by assigning to `rec`.
    pub fn may_change_rec(self) -> bool {
        matches!(self, Kind::BeforeSave)
    }

    /// May refuse what is going on.
    pub fn may_reject(self) -> bool {
        !matches!(self, Kind::AfterCommit | Kind::Schedule)
    }
}

/// Bounds of one run. Strings count bytes, arrays and maps count nested content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub operations: u64,
    pub wall_ms: u64,
    pub host_calls: u32,
    pub rows_read: u32,
    pub rows_written: u32,
    pub log_lines: u32,
}

/// Bounds that are the same for all scripts.
pub(super) const CALL_DEPTH: usize = 32;
pub(super) const STRING_BYTES: usize = 64 * 1024;
pub(super) const ARRAY_ITEMS: usize = 10_000;
pub(super) const MAP_ENTRIES: usize = 1_000;
/// Of one function; and of all functions on the stack together.
pub(super) const VARIABLES: usize = 128;
pub(super) const FUNCTIONS: usize = 64;
pub(super) const EXPRESSION_DEPTH: usize = 64;
/// All variables of a run together, estimated.
pub(super) const MEMORY_BYTES: usize = 8 * 1024 * 1024;
/// Messages of `reject` and `warn` in one run.
pub(super) const ISSUES: usize = 50;
/// A script's text.
pub(super) const SOURCE_BYTES: usize = 256 * 1024;

/// The highest a script's own `limits:` may go.
const CEILING_OPERATIONS: u64 = 20_000_000;
const CEILING_WALL_MS: u64 = 60_000;

impl Limits {
    /// The defaults for a kind.
    pub fn of(kind: Kind) -> Self {
        let (operations, wall_ms, host_calls, rows_read) = match kind {
            Kind::BeforeSave | Kind::BeforeDelete => (200_000, 50, 50, 1_000),
            Kind::AfterWrite | Kind::Button => (1_000_000, 250, 200, 5_000),
            Kind::AfterCommit | Kind::Schedule => (5_000_000, 10_000, 1_000, 20_000),
        };
        Self { operations, wall_ms, host_calls, rows_read, rows_written: 200, log_lines: 100 }
    }

    /// The defaults with a script's own wishes, up to the ceiling. A zero wish means the default.
    pub fn with(kind: Kind, wish: ScriptLimits) -> Self {
        let mut limits = Self::of(kind);
        if wish.operations > 0 {
            limits.operations = wish.operations.min(CEILING_OPERATIONS);
        }
        if wish.wall_ms > 0 {
            limits.wall_ms = wish.wall_ms.min(CEILING_WALL_MS);
        }
        limits
    }
}
