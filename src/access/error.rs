//! Refusals.

use crate::base::Explain;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("nobody is signed in")]
    NotSignedIn,
    #[error("only administrators may do this")]
    AdministratorsOnly,
    /// The token is narrower than its owner; `needed` is the scope that is missing.
    #[error("this token may not do that: it has no scope `{needed}`")]
    OutOfScope { needed: String },
    #[error("confirm who you are first: this was asked for too long after signing in")]
    StepUpNeeded,
}

impl Explain for AccessError {
    fn code(&self) -> &'static str {
        match self {
            AccessError::NotSignedIn => "ACL001",
            AccessError::AdministratorsOnly => "ACL002",
            AccessError::OutOfScope { .. } => "ACL003",
            AccessError::StepUpNeeded => "ACL004",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            AccessError::NotSignedIn => Some("sign in, or send an API token as `Authorization: Bearer …`".to_owned()),
            AccessError::AdministratorsOnly => Some("ask an administrator of this workspace".to_owned()),
            AccessError::OutOfScope { needed } => {
                Some(format!("make a token with the scope `{needed}`: on the account page, or `relata token create --scope {needed}`"))
            }
            AccessError::StepUpNeeded => {
                Some("send the password again to `POST /api/v1/session/confirm`; it then holds for ten minutes".to_owned())
            }
        }
    }
}
