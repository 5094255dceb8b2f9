//! What is asked for besides a password: a code of an authenticator app, or a recovery code.

use std::collections::BTreeSet;

use super::secret::{digest, hex, is_secret, new_secret};
use super::session::PER_ADDRESS;
use super::{Auth, AuthError, Caller, Identity, SessionStart, person, totp};
use crate::base::{DateTime, RecordId};
use crate::store::audit::{self, Entry};
use crate::store::challenges::{self, Challenge};
use crate::store::throttle::{self, Policy};
use crate::store::{credentials, factors, passkeys, sessions, settings};

/// Between a right password and the code.
const CODE: &str = "second-factor";
/// Between a right password and setting up what the person's role must have.
const ENROL: &str = "enrol";
const CHALLENGE_MICROS: i64 = 600 * 1_000_000;
/// The setting that names roles.
const ROLES: &str = "second_factor_roles";
const RECOVERY_CODES: usize = 10;
/// Wrong codes: few, because six digits are few.
const PER_PERSON: Policy = Policy { allowed: 5, ..Policy::SIGN_IN };

/// An authenticator app to be set up.
#[derive(Clone)]
pub struct Enrolment {
    /// Base32, to be typed where no camera is.
    pub secret: String,
    /// The content of the QR code.
    pub uri: String,
}

/// What someone has besides a password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Factors {
    pub totp: bool,
    pub recovery_codes: i64,
    /// Their roles must have one.
    pub is_required: bool,
}

impl Auth {
    /// The end of every way to sign in: a session, or what is still missing.
    ///
    /// # Errors
    /// [`AuthError::CodeNeeded`] and [`AuthError::EnrolmentNeeded`] with the secret that stands for the half done sign-in.
    pub(super) async fn begin_session(&self, person: &person::Person, from: &Caller) -> Result<SessionStart, AuthError> {
        let has_totp = factors::totp(&self.store, person.id.0).await?.is_some_and(|totp| totp.is_confirmed);
        if has_totp {
            return Err(AuthError::CodeNeeded(self.challenge(CODE, person.id, "").await?));
        }
        let required = self.second_factor_roles().await?;
        if person.roles.iter().any(|role| required.contains(role)) {
            return Err(AuthError::EnrolmentNeeded(self.challenge(ENROL, person.id, "").await?));
        }
        let (session, start) = self.new_session(person.id, from);
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sessions::create(tx, &session).await?) })).await?;
        Ok(start)
    }

    /// Finishes a sign-in that waits for a code: of the app, or a recovery code.
    ///
    /// # Errors
    /// `ATH009` for a wrong or used code, `ATH010` when the password must be given again, `ATH003` after too many.
    pub async fn sign_in_with_code(&self, challenge: &str, code: &str, from: &Caller) -> Result<SessionStart, AuthError> {
        let (challenge, person) = self.half_signed_in(challenge, CODE).await?;
        let user = person.id;
        self.refuse_wrong_code(user, code, from).await?;
        let (session, start) = self.new_session(user, from);
        let begun = self
            .store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    let is_open = challenges::consume(tx, &challenge.hash).await?;
                    if is_open {
                        sessions::create(tx, &session).await?;
                    }
                    Ok(is_open)
                })
            })
            .await?;
        if begun { Ok(start) } else { Err(AuthError::SignInOver) }
    }

    /// An app for someone who signs in and must have one.
    pub async fn begin_enrolment(&self, challenge: &str) -> Result<Enrolment, AuthError> {
        let (_, person) = self.half_signed_in(challenge, ENROL).await?;
        self.propose(person.id, &person.email).await
    }

    /// What [`Auth::begin_enrolment`] gave, for the page after a wrong code.
    pub async fn proposed_enrolment(&self, challenge: &str) -> Result<Enrolment, AuthError> {
        let (_, person) = self.half_signed_in(challenge, ENROL).await?;
        self.proposed(person.id, &person.email).await
    }

    /// Finishes a sign-in that waited for an app to be set up. Gives the recovery codes too.
    pub async fn finish_enrolment(&self, challenge: &str, code: &str, from: &Caller) -> Result<(SessionStart, Vec<String>), AuthError> {
        let (challenge, person) = self.half_signed_in(challenge, ENROL).await?;
        let user = person.id;
        let codes = self.confirm_totp(user, code, from).await?;
        let (session, start) = self.new_session(user, from);
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    challenges::consume(tx, &challenge.hash).await?;
                    Ok(sessions::create(tx, &session).await?)
                })
            })
            .await?;
        Ok((start, codes))
    }

    /// An app for someone who is signed in.
    ///
    /// # Errors
    /// `ATH011` when they have one.
    pub async fn begin_totp(&self, identity: &Identity) -> Result<Enrolment, AuthError> {
        self.propose(identity.user, &identity.email).await
    }

    /// What [`Auth::begin_totp`] gave, for the page after a wrong code.
    pub async fn proposed_totp(&self, identity: &Identity) -> Result<Enrolment, AuthError> {
        self.proposed(identity.user, &identity.email).await
    }

    /// The first code of a new app; gives the recovery codes, which are shown once.
    pub async fn finish_totp(&self, identity: &Identity, code: &str, from: &Caller) -> Result<Vec<String>, AuthError> {
        self.confirm_totp(identity.user, code, from).await
    }

    /// New recovery codes; the former ones are worth nothing.
    pub async fn new_recovery_codes(&self, identity: &Identity) -> Result<Vec<String>, AuthError> {
        let (codes, hashes) = self.recovery_codes();
        let user = identity.user.0;
        self.store
            .write::<_, AuthError>(move |tx| Box::pin(async move { Ok(factors::set_recovery_codes(tx, user, &hashes).await?) }))
            .await?;
        Ok(codes)
    }

    /// Takes the app of the one who asks away.
    ///
    /// # Errors
    /// `ATH012` when their roles must have one.
    pub async fn remove_totp(&self, identity: &Identity) -> Result<(), AuthError> {
        if self.factors_of(identity.user, &identity.roles).await?.is_required {
            return Err(AuthError::FactorRequired);
        }
        let user = identity.user.0;
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(factors::remove(tx, user).await?) })).await
    }

    /// What someone has besides a password.
    pub async fn factors_of(&self, user: RecordId, roles: &[String]) -> Result<Factors, AuthError> {
        let required = self.second_factor_roles().await?;
        Ok(Factors {
            totp: factors::totp(&self.store, user.0).await?.is_some_and(|totp| totp.is_confirmed),
            recovery_codes: factors::recovery_codes_left(&self.store, user.0).await?,
            is_required: roles.iter().any(|role| required.contains(role)),
        })
    }

    /// Takes all second factors of a person away and ends their sessions: for someone who lost their phone.
    ///
    /// # Errors
    /// `ATH404`.
    pub async fn reset_second_factor(&self, email: &str) -> Result<(), AuthError> {
        let user = self.find_user(email).await?;
        self.reset_second_factor_of(user).await
    }

    /// [`Auth::reset_second_factor`] by id.
    pub async fn reset_second_factor_of(&self, user: RecordId) -> Result<(), AuthError> {
        let user = user.0;
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    factors::remove(tx, user).await?;
                    passkeys::remove_all(tx, user).await?;
                    credentials::raise_epoch(tx, user).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Roles whose people must have a second factor.
    pub async fn second_factor_roles(&self) -> Result<BTreeSet<String>, AuthError> {
        let text = settings::get(&self.store, ROLES).await?.unwrap_or_default();
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Sets these roles. People of them who have no second factor are signed out and set one up when they sign in.
    ///
    /// # Errors
    /// `ATH013` for a role that nobody can have.
    pub async fn set_second_factor_roles(&self, roles: BTreeSet<String>) -> Result<(), AuthError> {
        if let Some(known) = person::known_roles(&self.records.catalog())
            && let Some(unknown) = roles.iter().find(|role| !known.contains(role))
        {
            return Err(AuthError::NoSuchRole(unknown.chars().take(80).collect()));
        }
        let with: BTreeSet<i64> = factors::users_with_totp(&self.store).await?.into_iter().collect();
        let people = person::list(&self.records).await?;
        let without: Vec<i64> = people
            .iter()
            .filter(|person| person.roles.iter().any(|role| roles.contains(role)) && !with.contains(&person.id.0))
            .map(|person| person.id.0)
            .collect();
        let text = serde_json::Value::from_iter(roles).to_string();
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    settings::set(tx, ROLES, &text).await?;
                    let roles: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                    audit::append(tx, Entry::new("rules.change").fact("rule", ROLES).fact("roles", roles)).await?;
                    for user in without {
                        sessions::delete_all(tx, user, None).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// A fresh secret each time: whoever saw one that was never confirmed must not know the one that is.
    async fn propose(&self, user: RecordId, email: &str) -> Result<Enrolment, AuthError> {
        let secret = totp::new_secret(self.random.as_ref());
        let proposed = secret.clone();
        let is_taken = self
            .store
            .write::<_, AuthError>(move |tx| Box::pin(async move { Ok(factors::propose_totp(tx, user.0, &proposed).await?) }))
            .await?;
        if is_taken { Ok(self.enrolment(email, secret)) } else { Err(AuthError::FactorThere) }
    }

    async fn proposed(&self, user: RecordId, email: &str) -> Result<Enrolment, AuthError> {
        match factors::totp(&self.store, user.0).await? {
            Some(known) if !known.is_confirmed => Ok(self.enrolment(email, known.secret)),
            _ => Err(AuthError::FactorThere),
        }
    }

    fn enrolment(&self, email: &str, secret: String) -> Enrolment {
        Enrolment { uri: totp::key_uri(&self.records.catalog().settings.name, email, &secret), secret }
    }

    async fn confirm_totp(&self, user: RecordId, code: &str, from: &Caller) -> Result<Vec<String>, AuthError> {
        let known = factors::totp(&self.store, user.0).await?.ok_or(AuthError::WrongCode)?;
        if known.is_confirmed {
            return Err(AuthError::FactorThere);
        }
        self.refuse_wrong_code(user, code, from).await?;
        let (codes, hashes) = self.recovery_codes();
        self.store
            .write::<_, AuthError>(move |tx| Box::pin(async move { Ok(factors::set_recovery_codes(tx, user.0, &hashes).await?) }))
            .await?;
        Ok(codes)
    }

    /// Checks a code and uses it up; wrong ones are counted for the person and the address. Who asks here has given their
    /// password or is signed in, so that only their own wrong codes hold them up.
    async fn refuse_wrong_code(&self, user: RecordId, code: &str, from: &Caller) -> Result<(), AuthError> {
        let (key, address) = (format!("code:{}", user.0), super::session::address_key(from.ip));
        self.refuse_blocked(&[&key]).await?;
        let step = match factors::totp(&self.store, user.0).await? {
            Some(known) => totp::step_of(&known.secret, code, self.clock.now(), known.last_step),
            None => None,
        };
        let recovery = hex(&digest(&normal_code(code)));
        let is_right = self
            .store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    let is_right = match step {
                        Some(step) => factors::use_step(tx, user.0, step).await?,
                        None => factors::use_recovery_code(tx, user.0, &recovery).await?,
                    };
                    if is_right {
                        throttle::clear(tx, &key).await?;
                    } else {
                        throttle::note_failure(tx, &key, PER_PERSON).await?;
                        throttle::note_failure(tx, &address, PER_ADDRESS).await?;
                        audit::append(tx, Entry::new("session.refuse").on("core.user", user.0).fact("at", "code")).await?;
                    }
                    Ok(is_right)
                })
            })
            .await?;
        if is_right { Ok(()) } else { Err(AuthError::WrongCode) }
    }

    /// Codes to be written down, and their hashes. Each has fifty random bits, so that a fast hash is enough.
    fn recovery_codes(&self) -> (Vec<String>, Vec<String>) {
        let codes: Vec<String> = (0..RECOVERY_CODES)
            .map(|_| {
                let secret = new_secret(self.random.as_ref());
                format!("{}-{}", &secret[..5], &secret[5..10])
            })
            .collect();
        let hashes = codes.iter().map(|code| hex(&digest(&normal_code(code)))).collect();
        (codes, hashes)
    }

    /// Writes a challenge; gives its secret.
    pub(super) async fn challenge(&self, purpose: &str, user: RecordId, data: &str) -> Result<String, AuthError> {
        let secret = new_secret(self.random.as_ref());
        let challenge = Challenge {
            hash: hex(&digest(&secret)),
            purpose: purpose.to_owned(),
            user_id: user.0,
            data: data.to_owned(),
            expires_at: DateTime(self.clock.now().0 + CHALLENGE_MICROS),
        };
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(challenges::create(tx, &challenge).await?) })).await?;
        Ok(secret)
    }

    /// The challenge with this secret.
    pub(super) async fn find_challenge(&self, secret: &str, purpose: &str) -> Result<Option<Challenge>, AuthError> {
        if !is_secret(secret) {
            return Ok(None);
        }
        Ok(challenges::find(&self.store, &hex(&digest(secret)), purpose, self.clock.now()).await?)
    }

    async fn half_signed_in(&self, secret: &str, purpose: &str) -> Result<(Challenge, person::Person), AuthError> {
        let challenge = self.find_challenge(secret, purpose).await?.ok_or(AuthError::SignInOver)?;
        let person = person::get(&self.records, RecordId(challenge.user_id)).await?.filter(|person| person.active);
        Ok((challenge, person.ok_or(AuthError::SignInOver)?))
    }
}

/// As people type it: capitals, blanks and hyphens do not matter.
fn normal_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
