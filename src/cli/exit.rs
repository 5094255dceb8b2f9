//! Exit codes, documented in `docs/operations.md`.

/// Done, or nothing to do.
pub const OK: i32 = 0;
/// Something went wrong.
pub const ERROR: i32 = 1;
/// `plan --detailed-exitcode`: there are changes.
pub const CHANGES: i32 = 2;
/// Definitions, or tests beside them, have faults.
pub const FAULTS: i32 = 3;
/// A step needs a confirmation that was not given.
pub const REFUSED: i32 = 4;
/// The plan is stale, or the data folder is in use.
pub const CONFLICT: i32 = 5;
/// Interrupted by the person.
pub const INTERRUPTED: i32 = 130;
