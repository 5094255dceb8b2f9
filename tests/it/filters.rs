//! Requests to SQL: golden texts for both databases side by side, faults of requests, tampering.
//!
//! A case is a folder below `tests/cases/query`: `request.txt` says in its first line what is asked
//! (`list deal`, `query deal`, `get deal`, `aggregate deal`) and then the parameters or the JSON body. Beside it stand the
//! texts `sqlite.sql` and `postgres.sql`, or `error.txt` for a request that is refused. `UPDATE_GOLDEN=1` writes them.

mod cases;
mod catalog;
mod database;
mod random;
mod running;
mod tampering;
