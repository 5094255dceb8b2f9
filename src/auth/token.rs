//! API tokens: made by a person or the command line, sent in `Authorization: Bearer`, never in an address.

use std::net::IpAddr;
use std::sync::Arc;

use super::secret::{digest, hex, is_token, new_token};
use super::session::address_key;
use super::{Auth, AuthError, Identity, person};
use crate::base::{DateTime, RecordId};
use crate::store::throttle::{self, Policy};
use crate::store::tokens::{self, Token};

const DAY_MICROS: i64 = 24 * 3600 * 1_000_000;
const TOUCH_MICROS: i64 = 60 * 1_000_000;
/// Wrong tokens from one address: programs with an old token ask again and again, so this is generous.
const PER_ADDRESS: Policy = Policy { allowed: 200, ..Policy::SIGN_IN };

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Whose rights it has.
    pub email: String,
    pub name: String,
    /// `None` uses 90 days; `Some(0)` never ends.
    pub days: Option<u32>,
}

/// A token that was just made: `secret` is shown once.
#[derive(Clone)]
pub struct CreatedToken {
    pub id: i64,
    pub secret: String,
    pub expires_at: Option<DateTime>,
}

/// A token in a list.
#[derive(Debug, Clone)]
pub struct TokenInfo {
    pub id: i64,
    pub user: RecordId,
    pub name: String,
    /// Its first characters.
    pub hint: String,
    pub created_at: DateTime,
    pub expires_at: Option<DateTime>,
    pub used_at: Option<DateTime>,
    pub revoked_at: Option<DateTime>,
}

impl Auth {
    /// Makes a token for a person.
    pub async fn create_token(&self, token: NewToken) -> Result<CreatedToken, AuthError> {
        let person =
            person::find_by_email(&self.records, &token.email).await?.filter(|person| person.active).ok_or(AuthError::NoSuchUser)?;
        let secret = new_token(self.random.as_ref());
        let now = self.clock.now();
        let expires_at = match token.days {
            Some(0) => None,
            days => Some(DateTime(now.0 + i64::from(days.unwrap_or(90)) * DAY_MICROS)),
        };
        let id = self.store.mint().next().0;
        let row = Token {
            id,
            hash: hex(&digest(&secret)),
            user_id: person.id.0,
            name: token.name.chars().take(200).collect(),
            hint: secret.chars().take(8).collect(),
            scopes_json: "[]".into(),
            created_at: now,
            expires_at,
            used_at: None,
            revoked_at: None,
        };
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(tokens::create(tx, &row).await?) })).await?;
        Ok(CreatedToken { id, secret, expires_at })
    }

    /// Tokens of one person, or of all, newest first.
    pub async fn list_tokens(&self, email: Option<&str>) -> Result<Vec<TokenInfo>, AuthError> {
        let user = match email {
            Some(email) => Some(person::find_by_email(&self.records, email).await?.ok_or(AuthError::NoSuchUser)?.id.0),
            None => None,
        };
        let rows = tokens::list(&self.store, user).await?;
        Ok(rows
            .into_iter()
            .map(|row| TokenInfo {
                id: row.id,
                user: RecordId(row.user_id),
                name: row.name,
                hint: row.hint,
                created_at: row.created_at,
                expires_at: row.expires_at,
                used_at: row.used_at,
                revoked_at: row.revoked_at,
            })
            .collect())
    }

    /// Ends a token at once.
    pub async fn revoke_token(&self, id: i64) -> Result<(), AuthError> {
        let revoked = self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(tokens::revoke(tx, id).await?) })).await?;
        self.cache.forget_all();
        if revoked { Ok(()) } else { Err(AuthError::NoSuchToken) }
    }

    /// The person of an API token (`rl_…`).
    pub async fn identify_token(&self, token: &str, from: IpAddr) -> Result<Option<Arc<Identity>>, AuthError> {
        if !is_token(token) {
            return Ok(None);
        }
        let now = self.clock.now();
        let digest = digest(token);
        if let Some(identity) = self.cache.get(&digest, now) {
            return Ok(Some(identity));
        }
        let key = format!("token:{}", address_key(from));
        self.refuse_blocked(&[&key]).await?;
        let Some(row) = tokens::find(&self.store, &hex(&digest), now).await? else {
            self.store
                .write::<_, AuthError>(move |tx| {
                    Box::pin(async move { throttle::note_failure(tx, &key, PER_ADDRESS).await.map(|_| ()).map_err(Into::into) })
                })
                .await?;
            return Ok(None);
        };
        let Some(person) = person::get(&self.records, RecordId(row.user_id)).await?.filter(|person| person.active) else {
            return Ok(None);
        };
        if row.used_at.is_none_or(|used| now.0 - used.0 >= TOUCH_MICROS) {
            let store = self.store.clone();
            let id = row.id;
            tokio::spawn(async move {
                let noted = store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(tokens::touch(tx, id).await?) })).await;
                if let Err(error) = noted {
                    tracing::debug!(error = %error, "the last use of a token was not noted");
                }
            });
        }
        let identity = Arc::new(person.into_identity(Some(row.id)));
        self.cache.put(digest, identity.clone(), now, row.expires_at.unwrap_or(DateTime::MAX));
        Ok(Some(identity))
    }
}
