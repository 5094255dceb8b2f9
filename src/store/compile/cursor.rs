//! The condition "after this row" for any order.
