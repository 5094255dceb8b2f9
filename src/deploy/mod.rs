//! From definition files to a changed workspace: read the folders, check, plan, apply.
//!
//! `check` never touches the database, `plan` only reads it, `apply` does what a plan says in one transaction. The
//! definitions' rules live in `schema`, the tables' text in `store`.

mod apply;
mod check;
mod consequence;
mod effects;
mod error;
mod folder;
mod opened;
mod plan;
mod render;
mod shipped;
mod stranded;

pub use apply::{Outcome, apply};
pub use check::{check, current};
pub use consequence::{Blocked, Consequence};
pub use effects::{Effect, RoleEffect};
pub use error::DeployError;
pub use folder::{Folders, read};
pub use opened::{Gained, Opened, OpenedMove};
pub use plan::{Confirmation, Plan, Risk, Step, furnish, plan};
pub use shipped::{package_ids, plugin_ids, plugin_needs, with_needs, write_package, write_plugin};
