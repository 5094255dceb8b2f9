//! Who may do what: the only maker of authorised requests.
//!
//! `store::compile` takes nothing but [`Authorised`] trees, and only the functions here make them. A person's roles become a
//! [`Policy`] (shared by all with the same roles), with their own ids a [`Granted`], and that the [`RowRules`] every statement
//! is compiled with. No IO, no SQL.

pub mod actor;
pub mod authorise;
pub mod error;
pub mod policy;
pub mod rules;
pub mod scopes;
pub mod share;

mod alike;
mod deciding;
mod derive;
mod narrow;
mod pools;
mod walk;

pub use actor::{ADMINISTRATOR, Actor, ActorKind, Rights, Standing};
pub use alike::Alike;
pub use authorise::{
    Authorised, Write, WriteKind, authorise_aggregate, authorise_export, authorise_get, authorise_import, authorise_list, authorise_write,
};
pub use deciding::Deciding;
pub use error::AccessError;
pub use policy::{Action, EVERYDAY, EntityRights, Granted, Holder, Own, Policies, Policy, Wants, wants_own};
pub use pools::pool_catalog;
pub use rules::{Mask, RowRules};
pub use scopes::{NoScope, Scopes, entities_of_aggregate, entities_of_get, entities_of_list};
pub use share::ShareWith;
