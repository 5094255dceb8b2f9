//! The record service: the only way to read or write records.
//!
//! A request comes in as a checked tree (`query`) or an [`Input`], is authorised (`access`), compiled and run (`store`).
//! Writes happen inside a [`RecordTx`], a unit of work that knows the actor, the cause chain and the budgets; the order
//! of the steps of one save stands in `save`. Scripts hang in through [`RecordHooks`]. No SQL text and no HTTP here.

pub mod approvals;
pub mod delivery;
pub mod error;
pub mod explain;
pub mod form;
pub mod gates;
pub mod history;
pub mod hooks;
pub mod input;
pub mod many;
pub mod moves;
pub mod options;
pub mod row;
pub mod service;
pub mod shares;
pub mod tasks;
pub mod unit;

mod approvers;
mod approving;
mod bulk;
mod check;
mod condition;
mod convert;
mod delete;
mod erase;
mod feed;
mod fetch;
mod forget;
mod input_text;
mod keyed;
mod load;
mod moved;
mod nested;
mod number;
mod overlay;
mod passing;
mod people;
mod plan;
mod prepare;
mod read;
mod ready;
mod refill;
mod retain;
mod rights;
mod rollup;
mod save;
mod sealing;
mod standing;
mod state;
mod steps;
mod trace;
mod witness;
mod world;
mod written;

pub use approvals::{APPROVAL, ApprovalFilter, ApprovalStanding, Ask, Decision, HandOn, NewStandIn, Offered, SeenValue};
pub use approving::ApprovalFor;
pub use delivery::{DELIVER, Delivery};
pub use erase::{Erased, SCRUB};
pub use error::{ErrorKind, FieldFault, RecordError, pointer};
pub use feed::Stretch;
pub use forget::FORGET;
pub use form::{FieldState, FormState};
pub use gates::{Condition, ConditionKind, may_pass_over};
pub use history::{ChangeEvent, ChangesPage, FieldChange, HistoryEntry, HistoryPage};
pub use hooks::{BoxFuture, Draft, EventKind, HookPoint, NoHooks, Record, RecordEvent, RecordHooks};
pub use input::{Input, Nested, NestedItem, Others, parse_id};
pub use many::{Batch, BatchResult, Done, ManyResult, ManyUpdate, OneUpdate, Operation, OperationKind};
pub use moves::{PossibleMove, Standing, Stay};
pub use options::{LONGEST_REASON, Saved, Source, WriteOptions, is_reason};
pub(crate) use ready::Feed;
pub use ready::{Ready, ReadyBatch};
pub use retain::Retained;
pub use row::{Page, Row, RowRef, Total};
pub use service::Records;
pub use shares::{NewShare, ShareChange};
pub use standing::roles_in;
pub use tasks::{TaskStanding, TaskState};
pub use trace::RECALCULATE;
pub use unit::{Cause, RecordTx};
