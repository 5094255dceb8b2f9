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
    #[error("you look through somebody else's eyes: nothing can be changed, and some pages are their own")]
    OnlyLooks,
    /// Also said of an entity the actor may not know of.
    #[error("unknown entity `{entity}`")]
    NoEntity { entity: String },
    /// Also said of a field the actor may not know of.
    #[error("`{entity}` has no field `{field}`")]
    NoField { entity: String, field: String },
    /// The record may be read, but this may not be done with it.
    #[error("you may not {action} this {entity}")]
    NotAllowed { action: &'static str, entity: String },
    /// The field may be read, but not written.
    #[error("you may not change `{field}` of this {entity}")]
    NotWritable { entity: String, field: String },
    /// A share lets the record be changed, not who sees it.
    #[error("`{field}` decides who sees this {entity}, and you may change it by a share alone")]
    OnlyShared { entity: String, field: String },
    /// Records that say who has rights in another one, which was shared.
    #[error("a {entity} says who may see a record, and you may change that record by a share alone")]
    OnlySharedRows { entity: String },
}

impl Explain for AccessError {
    fn code(&self) -> &'static str {
        match self {
            AccessError::NotSignedIn => "ACL001",
            AccessError::AdministratorsOnly => "ACL002",
            AccessError::OutOfScope { .. } => "ACL003",
            AccessError::StepUpNeeded => "ACL004",
            AccessError::NoEntity { .. } => "REC001",
            AccessError::NoField { .. } => "QRY010",
            AccessError::NotAllowed { .. } => "ACL005",
            AccessError::NotWritable { .. } | AccessError::OnlyShared { .. } | AccessError::OnlySharedRows { .. } => "ACL006",
            AccessError::OnlyLooks => "ACL007",
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
            AccessError::NotAllowed { .. } | AccessError::NotWritable { .. } => {
                Some("ask an administrator of this workspace for a role that allows it".to_owned())
            }
            AccessError::OnlyShared { .. } | AccessError::OnlySharedRows { .. } => {
                Some("who sees a record is changed by its owner, or somebody whose role lets them change the record: ask them".to_owned())
            }
            AccessError::OnlyLooks => Some("end it first: the button stands above each page".to_owned()),
            AccessError::NoEntity { .. } | AccessError::NoField { .. } => None,
        }
    }
}
