//! The condition "has all these words".
