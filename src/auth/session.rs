//! Signing in and out, and who a cookie stands for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::attempts::{Attempt, USUAL_MICROS};
use super::password::{Passwords, check_strength};
use super::secret::{digest, hex, is_secret, new_secret};
use super::{Auth, AuthError, Caller, Identity, NewUser, SessionRef, SessionStart, UserInfo, person};
use crate::access::Actor;
use crate::base::{DateTime, RecordId};
use crate::record::{Records, Source, WriteOptions};
use crate::store::audit::Entry;
use crate::store::sessions::Session;
use crate::store::throttle::Policy;
use crate::store::{challenges, credentials, sessions, throttle};

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// A session ends after this time without a request,
    pub idle: Duration,
    /// and after this time in any case.
    pub longest: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: Duration::from_secs(12 * 3600), longest: Duration::from_secs(7 * 24 * 3600) }
    }
}

impl SessionLimits {
    /// When a session of then ends that is used now.
    fn end(self, began: DateTime, now: DateTime) -> DateTime {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        DateTime(now.0.saturating_add(micros(self.idle)).min(began.0.saturating_add(micros(self.longest))))
    }

    /// How long a browser keeps the cookie.
    fn max_age_seconds(self) -> i64 {
        i64::try_from(self.longest.as_secs()).unwrap_or(i64::MAX)
    }
}

/// How often the last use is written down.
const TOUCH_MICROS: i64 = 60 * 1_000_000;
/// An address is shared by many people (an office behind one router), so it is blocked later than an account.
pub(super) const PER_ADDRESS: Policy = Policy { allowed: 30, ..Policy::SIGN_IN };

/// A session in a list.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// Names it among the sessions of its person; no secret.
    pub id: String,
    pub ip: String,
    /// What the browser called itself.
    pub agent: String,
    pub created_at: DateTime,
    pub seen_at: DateTime,
    /// The session that asks.
    pub is_own: bool,
}

impl Auth {
    /// E-mail and password. Unknown people, wrong passwords and deactivated accounts get one and the same error after the
    /// same work.
    pub async fn sign_in(&self, email: &str, password: &str, from: IpAddr) -> Result<SessionStart, AuthError> {
        self.sign_in_from(email, password, &from.into()).await
    }

    /// [`Auth::sign_in`] from a browser, which the session remembers.
    pub async fn sign_in_from(&self, email: &str, password: &str, from: &Caller) -> Result<SessionStart, AuthError> {
        let person = self.check_password(email, password, Attempt::new(email, from.ip)).await?;
        self.begin_session(&person, from).await
    }

    /// The active person whose e-mail and password these are.
    pub(super) async fn check_password(&self, email: &str, password: &str, attempt: Attempt) -> Result<person::Person, AuthError> {
        self.admit(&attempt).await?;
        let found = person::find_by_email(&self.records, email).await?.filter(|person| person.active);
        let stored = match &found {
            Some(person) => credentials::load(&self.store, person.id.0).await?.and_then(|credential| credential.password_hash),
            None => None,
        };
        // A password longer than any we accept is not worth a hash, whoever it is for.
        let is_right = password.len() <= 256 && self.passwords.verify(password, stored.as_deref()).await?;
        let (Some(person), true) = (found.clone(), is_right) else {
            // What was typed is not noted: people type passwords into the wrong field.
            let entry = Entry::new("session.refuse").fact("at", "password");
            let entry = found.map_or(entry.clone(), |person| entry.on("core.user", person.id.0));
            crate::store::audit::note(&self.store, entry).await?;
            self.note_failed(attempt).await?;
            return Err(AuthError::WrongCredentials);
        };
        let rehash = match stored.as_deref() {
            Some(stored) if Passwords::is_outdated(stored) => Some(self.passwords.hash(password).await?),
            _ => None,
        };
        let user = person.id;
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    if let Some(hash) = rehash {
                        credentials::rehash(tx, user.0, &hash).await?;
                    }
                    attempt.succeed(tx).await
                })
            })
            .await?;
        Ok(person)
    }

    /// Ends the session of this cookie everywhere.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), AuthError> {
        if !is_secret(cookie) {
            return Ok(());
        }
        let hash = hex(&digest(cookie));
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sessions::delete(tx, &hash).await?) })).await?;
        Ok(())
    }

    /// The person of a session cookie.
    pub async fn identify_session(&self, cookie: &str) -> Result<Option<Arc<Identity>>, AuthError> {
        if !is_secret(cookie) {
            return Ok(None);
        }
        let now = self.clock.now();
        let digest = digest(cookie);
        let under = self.under().await?;
        if let Some(identity) = self.cache.get(&digest, now, under) {
            return Ok(Some(identity));
        }
        let hash = hex(&digest);
        let Some(session) = sessions::find(&self.store, &hash, now).await? else { return Ok(None) };
        let found = person::get(&self.records, RecordId(session.user_id)).await?.filter(|person| person.active);
        let Some(person) = found else {
            if session.viewing.is_some() {
                self.view_is_over(&session).await?;
            }
            return Ok(None);
        };
        if now.0 - session.seen_at.0 >= TOUCH_MICROS {
            let ends = self.limits.end(session.created_at, now);
            let (store, hash) = (self.store.clone(), hash.clone());
            tokio::spawn(async move {
                let noted =
                    store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sessions::touch(tx, &hash, ends).await?) })).await;
                if let Err(error) = noted {
                    tracing::debug!(error = %error, "the last use of a session was not noted");
                }
            });
        }
        let session_ref = SessionRef { hash, proved_at: session.stepped_up_at };
        let identity = match self.viewed(&session, &person).await? {
            Some((viewed, viewer)) => {
                Identity { session: Some(session_ref), viewer: Some(viewer), ..viewed.into_identity(&self.records).await? }
            }
            None => Identity { session: Some(session_ref), ..person.into_identity(&self.records).await? },
        };
        let identity = Arc::new(identity);
        self.cache.put(digest, identity.clone(), under, now, session.expires_at);
        Ok(Some(identity))
    }

    /// The password once more, within a session: dangerous acts are open for ten minutes. The session gets a new secret.
    ///
    /// # Errors
    /// `ATH002` for a wrong password, `ATH003` after too many; as [`Auth::sign_in`].
    pub async fn confirm(&self, identity: &Identity, password: &str) -> Result<SessionStart, AuthError> {
        let Some(session) = identity.session.clone() else { return Err(AuthError::WrongCredentials) };
        self.check_password(&identity.email, password, Attempt::within(&session.hash)).await?;
        let cookie = new_secret(self.random.as_ref());
        let new_hash = hex(&digest(&cookie));
        let rotated = self
            .store
            .write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sessions::rotate(tx, &session.hash, &new_hash).await?) }))
            .await?;
        if !rotated {
            return Err(AuthError::WrongCredentials);
        }
        Ok(SessionStart { user: identity.user, cookie, max_age_seconds: self.limits.max_age_seconds() })
    }

    /// Who asks, in their session as it goes on after [`Auth::confirm`].
    pub fn confirmed(&self, identity: &Identity, start: &SessionStart) -> Identity {
        let session = SessionRef { hash: hex(&digest(&start.cookie)), proved_at: self.clock.now() };
        Identity { session: Some(session), ..identity.clone() }
    }

    /// A new password of the one who asks, who gives the present one; their other sessions end and this one goes on anew.
    ///
    /// # Errors
    /// As [`Auth::confirm`], and `ATH005` for a weak password.
    pub async fn change_password(&self, identity: &Identity, current: &str, new: &str, from: &Caller) -> Result<SessionStart, AuthError> {
        let attempt = match &identity.session {
            Some(session) => Attempt::within(&session.hash),
            None => Attempt::new(&identity.email, from.ip),
        };
        let person = self.check_password(&identity.email, current, attempt).await?;
        check_strength(new, &identity.email)?;
        let hash = self.passwords.hash(new).await?;
        let (session, start) = self.new_session(person.id, from);
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    credentials::set_password(tx, session.user_id, &hash).await?;
                    Ok(sessions::create(tx, &session).await?)
                })
            })
            .await?;
        Ok(start)
    }

    /// The sessions of the one who asks, the one used last first.
    pub async fn list_sessions(&self, identity: &Identity) -> Result<Vec<SessionInfo>, AuthError> {
        let own = identity.session.as_ref().map(|session| session.hash.as_str());
        let rows = sessions::list(&self.store, identity.user.0, self.clock.now()).await?;
        Ok(rows
            .into_iter()
            .map(|row| SessionInfo {
                id: session_id(&row.hash),
                is_own: own == Some(row.hash.as_str()),
                ip: row.ip,
                agent: row.agent,
                created_at: row.created_at,
                seen_at: row.seen_at,
            })
            .collect())
    }

    /// Ends one session of the one who asks, everywhere and at once.
    ///
    /// # Errors
    /// `ATH407` when they have no such session.
    pub async fn end_session(&self, identity: &Identity, id: &str) -> Result<(), AuthError> {
        let rows = sessions::list(&self.store, identity.user.0, self.clock.now()).await?;
        let Some(found) = rows.into_iter().find(|row| session_id(&row.hash) == id) else { return Err(AuthError::NoSuchSession) };
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sessions::delete(tx, &found.hash).await?) })).await?;
        Ok(())
    }

    /// Ends all sessions of the one who asks but the one they ask in; gives how many.
    pub async fn end_other_sessions(&self, identity: &Identity) -> Result<u64, AuthError> {
        let (user, keep) = (identity.user.0, identity.session.as_ref().map(|session| session.hash.clone()));
        self.store
            .write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sessions::delete_all(tx, user, keep.as_deref()).await?) }))
            .await
    }

    /// Ends all sessions of a person: for administrators. Gives how many.
    pub async fn end_sessions_of(&self, user: RecordId) -> Result<u64, AuthError> {
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sessions::delete_all(tx, user.0, None).await?) })).await
    }

    /// Deletes sessions and counters that are over; `app` calls it now and then.
    pub async fn prune(&self) -> Result<(), AuthError> {
        let now = self.clock.now();
        let (day_ago, no_longer_usual) = (DateTime(now.0 - 24 * 3600 * 1_000_000), DateTime(now.0 - USUAL_MICROS));
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    sessions::prune(tx).await?;
                    challenges::prune(tx).await?;
                    throttle::prune(tx, day_ago, no_longer_usual).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Creates a person from the command line or a page; with a password they can sign in at once.
    ///
    /// # Errors
    /// `ATH005` for a weak password, `REC010`/`REC011` when the record cannot be saved (the address is taken).
    pub async fn create_user(&self, user: NewUser) -> Result<RecordId, AuthError> {
        let hash = if user.password.is_empty() {
            None
        } else {
            check_strength(&user.password, &user.email)?;
            Some(self.passwords.hash(&user.password).await?)
        };
        let id = save_user(&self.records, user, hash, None, None).await?;
        Ok(id)
    }

    /// Sets a password and ends all of the person's sessions: the reset from the command line.
    pub async fn set_password(&self, email: &str, password: &str) -> Result<RecordId, AuthError> {
        let person = person::find_by_email(&self.records, email).await?.ok_or(AuthError::NoSuchUser)?;
        check_strength(password, email)?;
        let hash = self.passwords.hash(password).await?;
        let id = person.id;
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(credentials::set_password(tx, id.0, &hash).await?) })).await?;
        Ok(id)
    }

    /// Everyone who can be found, for `relata user list`.
    pub async fn list_users(&self) -> Result<Vec<UserInfo>, AuthError> {
        let mut users = Vec::new();
        for person in person::list(&self.records).await? {
            let credential = credentials::load(&self.store, person.id.0).await?;
            users.push(UserInfo {
                id: person.id,
                name: person.name,
                email: person.email,
                roles: person.roles,
                active: person.active,
                has_password: credential.is_some_and(|credential| credential.password_hash.is_some()),
            });
        }
        Ok(users)
    }

    /// A session for a person: the row to be written and what the browser gets.
    pub(super) fn new_session(&self, user: RecordId, from: &Caller) -> (Session, SessionStart) {
        let now = self.clock.now();
        let cookie = new_secret(self.random.as_ref());
        let session = Session {
            hash: hex(&digest(&cookie)),
            user_id: user.0,
            epoch: 0,
            created_at: now,
            seen_at: now,
            stepped_up_at: now,
            expires_at: self.limits.end(now, now),
            ip: from.ip.to_canonical().to_string(),
            agent: from.agent.chars().filter(|c| !c.is_control()).take(300).collect(),
            viewing: None,
        };
        (session, SessionStart { user, cookie, max_age_seconds: self.limits.max_age_seconds() })
    }

    /// Refuses while one of the keys is blocked.
    pub(super) async fn refuse_blocked(&self, keys: &[&str]) -> Result<(), AuthError> {
        let now = self.clock.now();
        for key in keys {
            if let Some(until) = throttle::blocked_until(&self.store, key).await? {
                let seconds = (until.0 - now.0).max(0).div_euclid(1_000_000) + 1;
                return Err(AuthError::Throttled { retry_after_seconds: u64::try_from(seconds).unwrap_or(1) });
            }
        }
        Ok(())
    }

    pub(super) async fn note_failure(&self, account_key: String, address_key: String) -> Result<(), AuthError> {
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    throttle::note_failure(tx, &account_key, Policy::SIGN_IN).await?;
                    throttle::note_failure(tx, &address_key, PER_ADDRESS).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// A short name of a session: the beginning of its hash, which is no secret.
fn session_id(hash: &str) -> String {
    hash.chars().take(16).collect()
}

/// The network an attempt is counted for: an IPv4 address, or the /64 that one IPv6 customer has.
pub(super) fn address_key(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(ip) => format!("ip:{ip}"),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("ip:{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// One unit of work: the person's record, their password, a link used up, a first session.
pub(super) async fn save_user(
    records: &Records,
    user: NewUser,
    hash: Option<String>,
    link: Option<String>,
    session: Option<Session>,
) -> Result<RecordId, AuthError> {
    let saved = records
        .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
            let (user, hash, link, session) = (user.clone(), hash.clone(), link.clone(), session.clone());
            Box::pin(async move {
                if let Some(link) = link
                    && !crate::store::setup::consume(tx.store(), &link).await?
                {
                    return Ok(None);
                }
                let catalog = tx.catalog().clone();
                let input = person::input(&catalog, &user).map_err(into_record_error)?;
                let entity = person::user_entity(&catalog).map_err(into_record_error)?.ix;
                let saved = tx.create(entity, input, &WriteOptions::from(Source::System)).await?;
                if let Some(hash) = &hash {
                    credentials::set_password(tx.store(), saved.id.0, hash).await?;
                }
                if let Some(session) = session {
                    sessions::create(tx.store(), &Session { user_id: saved.id.0, ..session }).await?;
                }
                Ok(Some(saved.id))
            })
        })
        .await?;
    saved.ok_or(AuthError::BadLink)
}

fn into_record_error(error: AuthError) -> crate::record::RecordError {
    match error {
        AuthError::Record(error) => error,
        other => crate::record::RecordError::State { message: other.to_string() },
    }
}
