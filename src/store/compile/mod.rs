//! Authorised requests become SQL statements, and the rows they give become records.
//!
//! Only [`Authorised`](crate::access::Authorised) requests are taken. A plan runs a fixed number of statements: one for
//! the page, one for each to-many expansion, one for the total, and now and then one that looks which way to take. Plans of frequent requests are kept by [`Plans`].

pub mod aggregate;
mod branches;
mod children;
mod columns;
mod constant;
pub mod cursor;
pub mod expr;
pub mod fetch;
mod found;
pub mod gained;
pub mod json;
mod order;
mod other;
pub mod plans;
pub mod rows;
pub mod select;
pub mod shape;
pub mod single;
mod truths;
mod window;
pub mod write;

pub use aggregate::{AggregateColumn, AggregatePlan, aggregate};
pub use fetch::{Page, Source, Total, fetch_aggregate, fetch_list, fetch_list_at, fetch_rows};
pub use plans::{At, PlanError, Plans};
pub use rows::{PartRows, Row, RowSet, SealedCell};
pub use select::{ListPlan, list};
pub use shape::{Codec, Output, PartPlan, RowPlan, Shape, What};
pub use single::{GetPlan, get};
pub use truths::truths;
pub use write::{Lock, Update, UpdateTexts, by_unique, delete, insert, live, load, load_by, update};
