//! `formula`: a value computed from the record; stored in columns of its result type, or computed when read.

use super::FieldFault;

/// No door sets a computed value.
pub fn read_only() -> FieldFault {
    FieldFault::new("read_only", "is computed and cannot be set")
}
