//! The grammar of `sort`.
