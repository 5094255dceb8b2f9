//! What sign-in can answer.

use crate::base::Explain;

/// Why someone is not let in. None of these says whether an account exists.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("e-mail or password is wrong")]
    WrongCredentials,
    #[error("too many attempts; try again in {retry_after_seconds} s")]
    Throttled { retry_after_seconds: u64 },
    #[error("this link is not valid or has been used")]
    BadLink,
    #[error("{0}")]
    WeakPassword(&'static str),
    #[error("setup is finished")]
    SetupClosed,
    #[error("there is no person with this e-mail address")]
    NoSuchUser,
    #[error("there is no such token")]
    NoSuchToken,
    #[error("{0}")]
    Invalid(String),
}

impl Explain for AuthError {
    fn code(&self) -> &'static str {
        match self {
            AuthError::WrongCredentials => "ATH002",
            AuthError::Throttled { .. } => "ATH003",
            AuthError::BadLink => "ATH004",
            AuthError::WeakPassword(_) => "ATH005",
            AuthError::SetupClosed => "ATH006",
            AuthError::NoSuchUser => "ATH404",
            AuthError::NoSuchToken => "ATH404",
            AuthError::Invalid(_) => "ATH007",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            AuthError::BadLink => Some("ask for a new link; each works once and for a short time".into()),
            AuthError::WeakPassword(_) => Some("use a sentence of several words".into()),
            AuthError::NoSuchUser => Some("`relata user list` shows who there is".into()),
            _ => None,
        }
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            AuthError::Throttled { retry_after_seconds } => Some(serde_json::json!({ "retry_after": retry_after_seconds })),
            _ => None,
        }
    }
}
