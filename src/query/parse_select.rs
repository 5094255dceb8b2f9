//! The grammar of `select`.
