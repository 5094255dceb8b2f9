//! Looking through somebody else's eyes: an administrator sees what a person sees, changes nothing, and is seen doing it.

use super::person::{self, Person};
use super::{Auth, AuthError, Identity, Viewer};
use crate::access::ADMINISTRATOR;
use crate::base::RecordId;
use crate::store::sessions::{self, Session};

impl Auth {
    /// From now on the session of `identity` sees what `user` sees, and may change nothing.
    ///
    /// # Errors
    /// `ATH404` for somebody who is not there or may not sign in, `ATH407` outside of a session.
    pub async fn view_as(&self, identity: &Identity, user: RecordId) -> Result<(), AuthError> {
        let session = identity.session.clone().ok_or(AuthError::NoSuchSession)?;
        let found = person::get(&self.records, user).await?.filter(|person| person.active && person.id != identity.user);
        found.ok_or(AuthError::NoSuchUser)?;
        self.look(session.hash, Some(user)).await
    }

    /// The session is its own person's again.
    ///
    /// # Errors
    /// `ATH407` outside of a session.
    pub async fn end_view(&self, identity: &Identity) -> Result<(), AuthError> {
        let session = identity.session.clone().ok_or(AuthError::NoSuchSession)?;
        self.look(session.hash, None).await
    }

    async fn look(&self, hash: String, user: Option<RecordId>) -> Result<(), AuthError> {
        let write = self
            .store
            .write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sessions::view(tx, &hash, user.map(|user| user.0)).await?) }));
        if write.await? { Ok(()) } else { Err(AuthError::NoSuchSession) }
    }

    /// Whose eyes a session looks through.
    ///
    /// # Errors
    /// `ATH020` when it looked until now and may no longer, since its person does not administer any more or the other may not
    /// sign in. The looking is over then for good: whoever asked believes to look only, so nothing is done with their own rights.
    pub(super) async fn viewed(&self, session: &Session, own: &Person) -> Result<Option<(Person, Viewer)>, AuthError> {
        let Some(user) = session.viewing else { return Ok(None) };
        let found = match own.roles.iter().any(|role| role == ADMINISTRATOR) {
            true => person::get(&self.records, RecordId(user)).await?.filter(|person| person.active),
            false => None,
        };
        match found {
            Some(person) => Ok(Some((person, Viewer { user: own.id, name: own.name.clone() }))),
            None => Err(self.view_is_over(session).await?),
        }
    }

    /// Writes down that a session looks no longer; gives what to answer.
    pub(super) async fn view_is_over(&self, session: &Session) -> Result<AuthError, AuthError> {
        match self.look(session.hash.clone(), None).await {
            Ok(()) | Err(AuthError::NoSuchSession) => Ok(AuthError::ViewOver),
            Err(error) => Err(error),
        }
    }
}
