//! Why a request to another server did not bring an answer.

use crate::base::Explain;

/// What went wrong. The host is told, never the path, the query or the body: they carry secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("this is no address to send a request to: {0}")]
    BadAddress(&'static str),
    #[error("`{host}` may not be reached from here")]
    Refused { host: String },
    #[error("`{host}` cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("`{host}` did not answer in time")]
    Timeout { host: String },
    #[error("the answer of `{host}` is longer than {longest} bytes")]
    TooLong { host: String, longest: usize },
    #[error("`{host}` did not answer in HTTP: {reason}")]
    BadAnswer { host: String, reason: String },
}

impl Explain for OutboundError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadAddress(_) => "OUT001",
            Self::Refused { .. } => "OUT002",
            Self::Unreachable { .. } => "OUT003",
            Self::Timeout { .. } => "OUT004",
            Self::TooLong { .. } => "OUT005",
            Self::BadAnswer { .. } => "OUT006",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::BadAddress(_) => Some("write it like https://example.com/path".into()),
            Self::Refused { .. } => Some(
                "only servers on the internet at ports 80 and 443 are reached; the operator allows others with `egress_allow` \
                 (`idp.intern:8443` or `10.1.0.0/16`)"
                    .into(),
            ),
            _ => None,
        }
    }
}
