//! Refusals.

use crate::base::Explain;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("nobody is signed in")]
    NotSignedIn,
    #[error("only administrators may do this")]
    AdministratorsOnly,
}

impl Explain for AccessError {
    fn code(&self) -> &'static str {
        match self {
            AccessError::NotSignedIn => "ACL001",
            AccessError::AdministratorsOnly => "ACL002",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            AccessError::NotSignedIn => Some("sign in, or send an API token as `Authorization: Bearer …`".to_owned()),
            AccessError::AdministratorsOnly => Some("ask an administrator of this workspace".to_owned()),
        }
    }
}
