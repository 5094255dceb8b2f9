//! What stops a command.

use crate::auth::AuthError;
use crate::base::Explain;
use crate::cli::exit;
use crate::cli::print::Printer;
use crate::deploy::DeployError;
use crate::proof::what_if::WhatIfError;
use crate::record::RecordError;
use crate::store::StoreError;
use crate::transfer::TransferError;

/// Any refusal, with the exit code it leads to.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("the program cannot start: {0}")]
    Start(String),
    #[error("{place}: {message}")]
    Config { place: String, message: String, hint: String },
    #[error("`{path}` cannot be read or written: {reason}")]
    File { path: String, reason: String },
    #[error("{message}")]
    Input { message: String, hint: String },
    #[error("cannot listen on {address}: {reason}")]
    Listen { address: String, reason: String },
    /// What a running server answered over its socket.
    #[error("{message}")]
    Remote {
        code: String,
        message: String,
        hint: Option<String>,
        exit: i32,
        diagnostics: Option<String>,
        document: Option<serde_json::Value>,
    },
    #[error(transparent)]
    Deploy(#[from] DeployError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl From<WhatIfError> for AppError {
    fn from(error: WhatIfError) -> Self {
        match error {
            WhatIfError::Definitions(error) => Self::Deploy(error),
            WhatIfError::Records(error) => Self::Record(error),
        }
    }
}

impl Explain for AppError {
    fn code(&self) -> &'static str {
        match self {
            Self::Start(_) => "APP001",
            Self::Config { .. } => "APP002",
            Self::File { .. } => "APP003",
            Self::Input { .. } => "APP004",
            Self::Listen { .. } => "APP005",
            Self::Remote { .. } => "APP006",
            Self::Deploy(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Record(error) => error.code(),
            Self::Transfer(error) => error.code(),
            Self::Auth(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Start(_) => None,
            Self::Config { hint, .. } | Self::Input { hint, .. } => Some(hint.clone()),
            Self::File { .. } => Some("look at the path and its permissions".into()),
            Self::Listen { .. } => Some("choose another address with --listen, for example 127.0.0.1:8081".into()),
            Self::Remote { hint, .. } => hint.clone(),
            Self::Deploy(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::Transfer(error) => error.hint(),
            Self::Auth(error) => error.hint(),
        }
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::Deploy(error) => error.details(),
            Self::Store(error) => error.details(),
            Self::Record(error) => error.details(),
            _ => None,
        }
    }
}

impl AppError {
    /// Shows the refusal; faults of definitions with their places.
    pub fn print(&self, printer: Printer) {
        match self {
            Self::Deploy(DeployError::Faults(faults)) => printer.diagnostics(faults),
            // As the server wrote it: its codes, its faults.
            Self::Remote { document: Some(document), .. } if printer.is_json() => printer.result("", document),
            Self::Remote { diagnostics: Some(text), .. } if !printer.is_json() => printer.note(text),
            Self::Remote { code, message, hint, .. } if !code.is_empty() => printer.refused(code, message, hint.as_deref()),
            other => printer.error(other),
        }
    }

    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Deploy(DeployError::Faults(_)) => exit::FAULTS,
            Self::Deploy(DeployError::Unconfirmed(_) | DeployError::Blocked(_)) => exit::REFUSED,
            Self::Deploy(DeployError::StalePlan { .. } | DeployError::ChangedPlan) | Self::Store(StoreError::Locked { .. }) => {
                exit::CONFLICT
            }
            Self::Remote { exit, .. } => *exit,
            _ => exit::ERROR,
        }
    }
}
