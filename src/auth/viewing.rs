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

    /// Whose eyes a session looks through, as long as its person administers and the other may sign in.
    pub(super) async fn viewed(&self, session: &Session, own: &Person) -> Result<Option<(Person, Viewer)>, AuthError> {
        let Some(user) = session.viewing.filter(|_| own.roles.iter().any(|role| role == ADMINISTRATOR)) else { return Ok(None) };
        let found = person::get(&self.records, RecordId(user)).await?.filter(|person| person.active);
        Ok(found.map(|person| (person, Viewer { user: own.id, name: own.name.clone() })))
    }
}
