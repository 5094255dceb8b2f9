//! Passkeys: a device that knows its person proves who they are, with nothing to be typed and nothing to be stolen here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::webauthn::{self, Site};
use super::{Auth, AuthError, Caller, Identity, SessionStart, jwt, person};
use crate::base::{DateTime, RecordId};
use crate::store::audit::{self, Entry};
use crate::store::passkeys::{self, Passkey};
use crate::store::{challenges, sessions, throttle};

/// A key is about to be made, or to be used.
const NEW: &str = "passkey-new";
const USE: &str = "passkey-use";
/// More keys than anyone has devices.
const MOST: usize = 20;

/// A passkey in a list.
#[derive(Debug, Clone)]
pub struct PasskeyInfo {
    pub id: String,
    pub name: String,
    pub created_at: DateTime,
    pub used_at: Option<DateTime>,
}

/// What a browser sends after it made a key, each base64url.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    pub name: String,
    pub id: String,
    /// `clientDataJSON`
    pub client_data: String,
    /// `authenticatorData`
    pub device_data: String,
    /// SubjectPublicKeyInfo.
    pub public_key: String,
}

/// What a browser sends after a key was used, each base64url.
#[derive(Debug, Clone)]
pub struct PasskeyProof {
    pub id: String,
    pub client_data: String,
    pub device_data: String,
    pub signature: String,
}

impl Auth {
    /// The challenge for a new key of the one who asks, base64url, and the ids of those they have.
    pub async fn begin_passkey(&self, identity: &Identity) -> Result<(String, Vec<String>), AuthError> {
        let known = passkeys::list(&self.store, identity.user.0).await?;
        if known.len() >= MOST {
            return Err(AuthError::PasskeyRefused);
        }
        let secret = self.challenge(NEW, identity.user, "").await?;
        Ok((URL_SAFE_NO_PAD.encode(secret), known.into_iter().map(|passkey| passkey.id).collect()))
    }

    /// Adds a key to the one who asks.
    ///
    /// # Errors
    /// `ATH019` for anything that is not as it should be.
    pub async fn add_passkey(&self, identity: &Identity, new: NewPasskey, site: &Site) -> Result<(), AuthError> {
        let bytes = |text: &str| jwt::decode(text).ok_or(AuthError::PasskeyRefused);
        let secret = webauthn::challenge_of(&bytes(&new.client_data)?, "webauthn.create", site).ok_or(AuthError::PasskeyRefused)?;
        let challenge = self.find_challenge(&secret, NEW).await?.filter(|challenge| challenge.user_id == identity.user.0);
        let challenge = challenge.ok_or(AuthError::PasskeyRefused)?;
        let counter = webauthn::counter_of(&bytes(&new.device_data)?, site).ok_or(AuthError::PasskeyRefused)?;
        let is_sound = (1..=1023).contains(&bytes(&new.id)?.len()) && webauthn::is_known_key(&bytes(&new.public_key)?);
        if !is_sound {
            return Err(AuthError::PasskeyRefused);
        }
        let passkey = Passkey {
            id: new.id,
            user_id: identity.user.0,
            name: new.name.chars().filter(|c| !c.is_control()).take(100).collect(),
            public_key: new.public_key,
            counter: i64::from(counter),
            created_at: self.clock.now(),
            used_at: None,
        };
        let added = self
            .store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move { Ok(challenges::consume(tx, &challenge.hash).await? && passkeys::create(tx, &passkey).await?) })
            })
            .await?;
        if added { Ok(()) } else { Err(AuthError::PasskeyRefused) }
    }

    /// The challenge for signing in with a key, base64url. Nobody is named: the device knows its people.
    pub async fn begin_passkey_sign_in(&self) -> Result<String, AuthError> {
        Ok(URL_SAFE_NO_PAD.encode(self.challenge(USE, RecordId(0), "").await?))
    }

    /// Signs in by a key. The device has asked for a finger or a number, so that no second factor is asked for.
    ///
    /// # Errors
    /// `ATH019` for anything that is not as it should be, unknown keys among it; `ATH003` after too many.
    pub async fn sign_in_with_passkey(&self, proof: &PasskeyProof, site: &Site, from: &Caller) -> Result<SessionStart, AuthError> {
        let address = super::session::address_key(from.ip);
        self.refuse_blocked(&[&address]).await?;
        match self.check_passkey(proof, site).await? {
            Some((user, challenge, counter)) => {
                let (session, start) = self.new_session(user, from);
                let id = proof.id.clone();
                let begun = self
                    .store
                    .write::<_, AuthError>(move |tx| {
                        Box::pin(async move {
                            let is_first = challenges::consume(tx, &challenge).await? && passkeys::used(tx, &id, counter).await?;
                            if is_first {
                                sessions::create(tx, &session).await?;
                            }
                            Ok(is_first)
                        })
                    })
                    .await?;
                if begun { Ok(start) } else { Err(AuthError::PasskeyRefused) }
            }
            None => {
                self.store
                    .write::<_, AuthError>(move |tx| {
                        Box::pin(async move {
                            throttle::note_failure(tx, &address, super::session::PER_ADDRESS).await?;
                            audit::append(tx, Entry::new("session.refuse").fact("at", "passkey")).await?;
                            Ok(())
                        })
                    })
                    .await?;
                Err(AuthError::PasskeyRefused)
            }
        }
    }

    /// The person, the challenge used and the device's counter.
    async fn check_passkey(&self, proof: &PasskeyProof, site: &Site) -> Result<Option<(RecordId, String, i64)>, AuthError> {
        let parts = (jwt::decode(&proof.client_data), jwt::decode(&proof.device_data), jwt::decode(&proof.signature));
        let (Some(client_data), Some(device_data), Some(signature)) = parts else { return Ok(None) };
        let Some(secret) = webauthn::challenge_of(&client_data, "webauthn.get", site) else { return Ok(None) };
        let Some(challenge) = self.find_challenge(&secret, USE).await? else { return Ok(None) };
        let Some(counter) = webauthn::counter_of(&device_data, site) else { return Ok(None) };
        if proof.id.len() > 1400 || jwt::decode(&proof.id).is_none() {
            return Ok(None);
        }
        let Some(passkey) = passkeys::find(&self.store, &proof.id).await? else { return Ok(None) };
        let key = jwt::decode(&passkey.public_key).unwrap_or_default();
        if !webauthn::is_signed(&key, &device_data, &client_data, &signature) {
            return Ok(None);
        }
        let person = person::get(&self.records, RecordId(passkey.user_id)).await?.filter(|person| person.active);
        Ok(person.map(|person| (person.id, challenge.hash, i64::from(counter))))
    }

    /// The keys of the one who asks.
    pub async fn list_passkeys(&self, identity: &Identity) -> Result<Vec<PasskeyInfo>, AuthError> {
        let rows = passkeys::list(&self.store, identity.user.0).await?;
        let info = |row: Passkey| PasskeyInfo { id: row.id, name: row.name, created_at: row.created_at, used_at: row.used_at };
        Ok(rows.into_iter().map(info).collect())
    }

    /// Takes a key of the one who asks away.
    ///
    /// # Errors
    /// `ATH019` when they have no such key.
    pub async fn remove_passkey(&self, identity: &Identity, id: &str) -> Result<(), AuthError> {
        let (user, id) = (identity.user.0, id.to_owned());
        let removed =
            self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(passkeys::remove(tx, user, &id).await?) })).await?;
        if removed { Ok(()) } else { Err(AuthError::PasskeyRefused) }
    }
}
