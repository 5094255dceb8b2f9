//! What sign-in can answer.

use crate::base::Explain;
use crate::record::{FieldFault, RecordError};
use crate::store::StoreError;

/// Why someone is not let in. None of these says whether an account exists.
#[derive(Debug, Clone, thiserror::Error)]
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
    #[error("there is no such session")]
    NoSuchSession,
    /// A token was asked for that could do more than the one who asks.
    #[error("{0}")]
    BadScopes(String),
    #[error("`{0}` is no address or network")]
    BadNetwork(String),
    /// The password was right; this secret stands for the sign-in until the code comes.
    #[error("a code of the authenticator app is needed")]
    CodeNeeded(String),
    /// The password was right; a second factor must be set up first.
    #[error("a second factor must be set up first")]
    EnrolmentNeeded(String),
    #[error("the code is wrong or was used")]
    WrongCode,
    #[error("this sign-in took too long")]
    SignInOver,
    #[error("there is a second factor already")]
    FactorThere,
    #[error("the roles of this person must have a second factor")]
    FactorRequired,
    #[error("this person is not active or has a password already")]
    CannotInvite,
    #[error("the records cannot go to this person")]
    BadHeir,
    /// Why is in the log.
    #[error("single sign-on did not work")]
    SsoRefused,
    #[error("the identity provider cannot be asked now")]
    SsoUnreachable,
    #[error("this account of the identity provider is nobody's here")]
    SsoUnknown,
    #[error("the passkey was not taken")]
    PasskeyRefused,
    /// Somebody looked through the eyes of another until this request.
    #[error("looking as somebody else has ended; this request was not carried out")]
    ViewOver,
    #[error("there is no role `{0}`")]
    NoSuchRole(String),
    /// The person's record cannot be saved as asked for.
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("{0}")]
    Internal(String),
}

impl AuthError {
    pub(super) fn from_faults(faults: Vec<FieldFault>) -> Self {
        AuthError::Record(RecordError::Invalid(faults))
    }
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        AuthError::Record(error.into())
    }
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
            AuthError::NoSuchToken => "ATH405",
            AuthError::NoSuchSession => "ATH407",
            AuthError::CodeNeeded(_) | AuthError::EnrolmentNeeded(_) => "ATH001",
            AuthError::NoSuchRole(_) => "ATH013",
            AuthError::SsoRefused => "ATH016",
            AuthError::SsoUnreachable => "ATH017",
            AuthError::SsoUnknown => "ATH018",
            AuthError::PasskeyRefused => "ATH019",
            AuthError::ViewOver => "ATH020",
            AuthError::CannotInvite => "ATH014",
            AuthError::BadHeir => "ATH015",
            AuthError::WrongCode => "ATH009",
            AuthError::SignInOver => "ATH010",
            AuthError::FactorThere => "ATH011",
            AuthError::FactorRequired => "ATH012",
            AuthError::BadScopes(_) => "ATH007",
            AuthError::BadNetwork(_) => "ATH008",
            AuthError::Record(error) => error.code(),
            AuthError::Internal(_) => "ATH500",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            AuthError::BadLink => Some("ask for a new link; each works once and for a short time".into()),
            AuthError::WeakPassword(_) => Some("use a sentence of several words".into()),
            AuthError::NoSuchUser => Some("`relata user list` shows who there is".into()),
            AuthError::NoSuchToken => Some("`relata token list` shows the tokens".into()),
            AuthError::NoSuchSession => Some("it may have ended; `GET /api/v1/sessions` lists those that have not".into()),
            AuthError::CannotInvite => {
                Some("`relata user link` prints a link that signs in once, `relata user password` sets a password".into())
            }
            AuthError::BadHeir => Some("name someone else who is active".into()),
            AuthError::NoSuchRole(_) => Some("roles are the options of the field `roles` of `core.user`".into()),
            AuthError::WrongCode => Some("wait for the next code of the app; each works once".into()),
            AuthError::SignInOver => Some("sign in again".into()),
            AuthError::ViewOver => Some("from now on you ask as yourself; send it again if that is what you want".into()),
            AuthError::FactorThere => Some("remove it first".into()),
            AuthError::FactorRequired => Some("an administrator says which roles must have one".into()),
            AuthError::BadScopes(_) => {
                Some("there are `admin`, `erase`, `read`, `write`, and for one entity `read:crm.deal` or `write:crm.deal`".into())
            }
            AuthError::BadNetwork(_) => Some("write addresses or blocks, for example 192.0.2.7 or 10.0.0.0/8".into()),
            AuthError::Record(error) => error.hint(),
            _ => None,
        }
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            AuthError::Throttled { retry_after_seconds } => Some(serde_json::json!({ "retry_after": retry_after_seconds })),
            AuthError::Record(error) => error.details(),
            _ => None,
        }
    }
}
