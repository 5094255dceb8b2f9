//! API tokens: made by a person or the command line, sent in `Authorization: Bearer`, never in an address.

use std::net::IpAddr;
use std::sync::Arc;

use super::secret::{digest, hex, is_token, new_token};
use super::session::address_key;
use super::{Auth, AuthError, Identity, person};
use crate::access::Scopes;
use crate::base::{DateTime, RecordId};
use crate::outbound::Network;
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

/// What a token is limited to.
#[derive(Debug, Clone)]
pub struct TokenLimits {
    pub scopes: Scopes,
    /// Addresses it may be used from; empty means everywhere.
    pub networks: Vec<Network>,
}

impl Default for TokenLimits {
    fn default() -> Self {
        Self { scopes: Scopes::all(), networks: Vec::new() }
    }
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
    pub scopes: Scopes,
    pub networks: Vec<Network>,
}

impl Auth {
    /// Scopes from words, entities by id or slug; addresses from a text with commas or spaces.
    ///
    /// # Errors
    /// `ATH007` for what is no scope, an unknown entity or no scope at all, `ATH008` for what is no address.
    pub fn token_limits(&self, words: &[String], networks: &str) -> Result<TokenLimits, AuthError> {
        let catalog = self.records.catalog();
        let mut known = Vec::with_capacity(words.len());
        for word in words {
            known.push(match word.trim().split_once(':') {
                None => word.trim().to_owned(),
                Some((verb, name)) => {
                    let entity = catalog.find_entity(name).ok_or_else(|| {
                        let name: String = name.chars().take(80).collect();
                        AuthError::BadScopes(format!("there is no entity `{name}` for the scope `{verb}:{name}`"))
                    })?;
                    format!("{verb}:{}", entity.id)
                }
            });
        }
        let scopes = Scopes::parse(known.iter().map(String::as_str)).map_err(|fault| AuthError::BadScopes(fault.to_string()))?;
        if scopes.is_empty() {
            return Err(AuthError::BadScopes("a token without any scope could do nothing".into()));
        }
        Ok(TokenLimits { scopes, networks: parse_networks(networks)? })
    }

    /// Makes a token for a person that may do all they may.
    pub async fn create_token(&self, token: NewToken) -> Result<CreatedToken, AuthError> {
        self.create_limited_token(token, TokenLimits::default()).await
    }

    /// Makes a token for a person.
    pub async fn create_limited_token(&self, token: NewToken, limits: TokenLimits) -> Result<CreatedToken, AuthError> {
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
            scopes_json: serde_json::Value::from(limits.scopes.words()).to_string(),
            created_at: now,
            expires_at,
            used_at: None,
            revoked_at: None,
            networks: limits.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
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
        Ok(tokens::list(&self.store, user).await?.into_iter().map(info).collect())
    }

    /// The tokens of the one who asks, newest first.
    pub async fn list_own_tokens(&self, identity: &Identity) -> Result<Vec<TokenInfo>, AuthError> {
        Ok(tokens::list(&self.store, Some(identity.user.0)).await?.into_iter().map(info).collect())
    }

    /// Ends a token at once.
    pub async fn revoke_token(&self, id: i64) -> Result<(), AuthError> {
        let revoked = self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(tokens::revoke(tx, id).await?) })).await?;
        if revoked { Ok(()) } else { Err(AuthError::NoSuchToken) }
    }

    /// Ends a token of the one who asks.
    ///
    /// # Errors
    /// `ATH405` when it is not theirs.
    pub async fn revoke_own_token(&self, identity: &Identity, id: i64) -> Result<(), AuthError> {
        let own = tokens::list(&self.store, Some(identity.user.0)).await?;
        if !own.iter().any(|token| token.id == id) {
            return Err(AuthError::NoSuchToken);
        }
        self.revoke_token(id).await
    }

    /// The person of an API token (`rl_…`).
    pub async fn identify_token(&self, token: &str, from: IpAddr) -> Result<Option<Arc<Identity>>, AuthError> {
        if !is_token(token) {
            return Ok(None);
        }
        let now = self.clock.now();
        let digest = digest(token);
        let is_allowed = |identity: &Identity| identity.networks.is_empty() || identity.networks.iter().any(|net| net.contains(from));
        let under = self.under().await?;
        if let Some(identity) = self.cache.get(&digest, now, under) {
            return Ok(Some(identity).filter(|identity| is_allowed(identity)));
        }
        let Some(row) = tokens::find(&self.store, &hex(&digest), now).await? else {
            // One that was ours and has ended is no guess. Unknown ones are counted, and they alone are refused: whoever
            // guesses behind an address locks out nobody else.
            if tokens::is_ended(&self.store, &hex(&digest)).await? {
                return Ok(None);
            }
            let key = format!("token:{}", address_key(from));
            self.refuse_blocked(&[&key]).await?;
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
        let scopes = Some(Arc::new(scopes_of(&row)));
        let networks = parse_networks(&row.networks)?;
        let identity = Arc::new(Identity { token: Some(row.id), scopes, networks, ..person.into_identity(&self.records).await? });
        if !is_allowed(&identity) {
            return Ok(None);
        }
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
        self.cache.put(digest, identity.clone(), under, now, row.expires_at.unwrap_or(DateTime::MAX));
        Ok(Some(identity))
    }
}

fn info(row: Token) -> TokenInfo {
    TokenInfo {
        id: row.id,
        scopes: scopes_of(&row),
        networks: parse_networks(&row.networks).unwrap_or_default(),
        user: RecordId(row.user_id),
        name: row.name,
        hint: row.hint,
        created_at: row.created_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
        revoked_at: row.revoked_at,
    }
}

/// What is stored, as scopes. What cannot be read allows nothing.
fn scopes_of(row: &Token) -> Scopes {
    let words: Vec<String> = serde_json::from_str(&row.scopes_json).unwrap_or_default();
    Scopes::parse(words.iter().map(String::as_str)).unwrap_or_default()
}

fn parse_networks(text: &str) -> Result<Vec<Network>, AuthError> {
    text.split([',', ' ', '\n', '\r'])
        .filter(|part| !part.is_empty())
        .map(|part| Network::parse(part).ok_or_else(|| AuthError::BadNetwork(part.chars().take(80).collect())))
        .collect()
}
