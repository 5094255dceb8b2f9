//! What goes wrong between definition files and the database.

use crate::base::Explain;
use crate::schema::diagnostic::{self, Diagnostic};
use crate::store::StoreError;

/// A refusal of check, plan or apply.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    #[error("the definitions have {} faults", .0.iter().filter(|d| d.is_error()).count())]
    Faults(Vec<Diagnostic>),
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("`{path}` cannot be written: {reason}")]
    Unwritable { path: String, reason: String },
    #[error("no shipped package `{name}`")]
    NoSuchPackage { name: String, known: Vec<String> },
    #[error("the plan is stale: it was made for version {planned}, the workspace has version {actual}")]
    StalePlan { planned: i64, actual: i64 },
    #[error("the plan is not what the definitions say now")]
    ChangedPlan,
    #[error("the plan file is not a plan: {0}")]
    NotAPlan(String),
    #[error("{} of the plan's steps cannot be done", .0.len())]
    Blocked(Vec<String>),
    #[error("the plan needs confirmation: {}", .0.join(", "))]
    Unconfirmed(Vec<String>),
    #[error("stored definitions of version {version} cannot be read")]
    BrokenCatalog { version: i64, faults: Vec<Diagnostic> },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Explain for DeployError {
    fn code(&self) -> &'static str {
        match self {
            Self::Faults(_) => "DEP001",
            Self::Unreadable { .. } => "DEP002",
            Self::Unwritable { .. } => "DEP003",
            Self::NoSuchPackage { .. } => "DEP004",
            Self::StalePlan { .. } => "DEP005",
            Self::ChangedPlan => "DEP006",
            Self::NotAPlan(_) => "DEP007",
            Self::Blocked(_) => "DEP008",
            Self::Unconfirmed(_) => "DEP009",
            Self::BrokenCatalog { .. } => "DEP010",
            Self::Store(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Faults(_) => Some("mend the faults shown; nothing was changed".into()),
            Self::Unreadable { .. } => Some("look at the path and its permissions".into()),
            Self::Unwritable { .. } => Some("look at the path, its permissions and the space left".into()),
            Self::NoSuchPackage { known, .. } => Some(format!("shipped packages: {}", known.join(", "))),
            Self::StalePlan { .. } | Self::ChangedPlan => Some("make a new plan and look at it again; nothing was changed".into()),
            Self::NotAPlan(_) => Some("write one with `relata plan --out FILE`".into()),
            Self::Blocked(steps) => Some(steps.join("; ")),
            Self::Unconfirmed(needed) => {
                let accepts: Vec<String> = needed.iter().map(|name| format!("--accept {name}")).collect();
                Some(format!("look at the plan, then apply with {}", accepts.join(" ")))
            }
            Self::BrokenCatalog { .. } => {
                Some("the database was written by another version of the program; use that one or restore a backup".into())
            }
            Self::Store(error) => error.hint(),
        }
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::Faults(faults) | Self::BrokenCatalog { faults, .. } => Some(diagnostic::to_json(faults)),
            Self::Store(error) => error.details(),
            _ => None,
        }
    }
}
