//! Who may do what: the only maker of authorised requests.
//!
//! `store::compile` takes nothing but [`Authorised`] trees, and only the functions here make them. Today every actor
//! that is signed in may do everything; grants, row scopes and field masks will be added at these very places.
//! No IO, no SQL.

pub mod actor;
pub mod authorise;
pub mod error;
pub mod scopes;

pub use actor::{ADMINISTRATOR, Actor, ActorKind};
pub use authorise::{Authorised, RowRules, Write, WriteKind, authorise_aggregate, authorise_get, authorise_list, authorise_write};
pub use error::AccessError;
pub use scopes::{NoScope, Scopes, entities_of_aggregate, entities_of_get, entities_of_list};
