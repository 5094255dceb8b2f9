//! Single sign-on with one identity provider: OpenID Connect, authorisation code with PKCE, state and nonce.
//!
//! The provider is pinned: its issuer, the hosts it may name, the algorithms of its tokens ([`super::jwt`]). An account of the
//! provider is joined to a person only when the provider vouches for the e-mail address and the person gives their password
//! here; where nobody has that address, a person may be made for it, if the operator says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::attempts::Attempt;
use super::secret::{digest, new_secret};
use super::{Auth, AuthError, Caller, SessionStart, jwt, person};
use crate::access::Actor;
use crate::base::{DateTime, RecordId};
use crate::outbound::{HttpAnswer, HttpClient, HttpRequest};
use crate::record::{Input, Source, WriteOptions};
use crate::store::audit::{self, Entry};
use crate::store::{challenges, sso};

/// On the way to the provider and back.
const AWAY: &str = "sso";
/// Between the provider's word and the local password.
const JOIN: &str = "sso-join";
/// How old what the provider publishes about itself may be.
const KNOWN_MICROS: i64 = 3600 * 1_000_000;
/// Keys are asked for again at most this often when a token names an unknown one.
const RETRY_MICROS: i64 = 60 * 1_000_000;
/// Clocks may differ so much.
const LEEWAY_SECONDS: i64 = 60;

/// An identity provider, as the operator configures it.
#[derive(Clone)]
pub struct Provider {
    /// What the button says.
    pub name: String,
    /// As the provider writes it, without a slash at the end unless it has one.
    pub issuer: String,
    pub client_id: String,
    /// Empty for a public client.
    pub client_secret: String,
    /// Hosts besides the issuer's own that it may name for tokens and keys.
    pub hosts: Vec<String>,
    /// The claim that lists groups or roles.
    pub roles_claim: String,
    /// A value of that claim to a role here. Empty: roles are given here alone.
    pub roles: BTreeMap<String, String>,
    /// Make a person for a verified address that nobody has.
    pub creates_people: bool,
}

/// The secret is not shown.
impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({} at {})", self.name, self.issuer)
    }
}

/// The provider and what it publishes about itself.
pub(super) struct Sso {
    provider: Provider,
    http: Arc<dyn HttpClient>,
    known: Mutex<Option<Known>>,
}

struct Known {
    at: DateTime,
    document: Arc<Document>,
    keys: Arc<Value>,
    keys_at: DateTime,
}

/// What is used of the discovery document.
struct Document {
    authorization: String,
    token: String,
    keys: String,
    user_info: Option<String>,
}

/// Where to send the browser. `state` goes into a cookie, so that only this browser can come back.
#[derive(Clone)]
pub struct SsoStart {
    pub url: String,
    pub state: String,
}

/// How a way to the provider and back ends.
pub enum SsoEnd {
    /// The person is known: signed in, or a second factor is missing.
    Person { outcome: Result<SessionStart, AuthError>, next: String },
    /// Someone here has this address and must prove it by the password.
    Join { challenge: String, email: String, next: String },
}

/// What the provider says of someone.
struct Vouched {
    subject: String,
    email: Option<String>,
    name: Option<String>,
    /// Values of the claim of roles; `None` when there is no such claim.
    groups: Option<Vec<String>>,
}

impl Auth {
    /// With single sign-on.
    #[must_use]
    pub fn with_provider(mut self, provider: Option<Provider>, http: Arc<dyn HttpClient>) -> Self {
        self.sso = provider.map(|provider| Sso { provider, http, known: Mutex::new(None) });
        self
    }

    /// What the button for single sign-on says; `None` without a provider.
    pub fn provider_name(&self) -> Option<&str> {
        self.sso.as_ref().map(|sso| sso.provider.name.as_str())
    }

    /// Begins a way to the provider. `back` is our address for the way back, `next` where to go afterwards.
    ///
    /// # Errors
    /// `ATH017` when the provider cannot be asked.
    pub async fn begin_sso(&self, back: &str, next: &str) -> Result<SsoStart, AuthError> {
        let sso = self.sso.as_ref().ok_or(AuthError::SsoRefused)?;
        let document = sso.document(self.clock.now()).await?;
        let (nonce, verifier) = (new_secret(self.random.as_ref()), new_secret(self.random.as_ref()));
        let data = json!({ "nonce": nonce, "verifier": verifier, "next": next }).to_string();
        let state = self.challenge(AWAY, RecordId(0), &data).await?;
        let mut url = Url::parse(&document.authorization).map_err(|_| unreachable("its address for signing in is unreadable"))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &sso.provider.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(digest(&verifier)))
            .append_pair("code_challenge_method", "S256");
        Ok(SsoStart { url: url.into(), state })
    }

    /// The way back: `state` and `code` as the provider's redirect has them, `cookie` the state this browser set out with.
    ///
    /// # Errors
    /// `ATH016` for a way that was not begun here, was ended before or took too long, and for a token that is not right;
    /// `ATH017` when the provider cannot be asked.
    pub async fn finish_sso(&self, state: &str, cookie: &str, code: &str, back: &str, from: &Caller) -> Result<SsoEnd, AuthError> {
        let end = self.come_back(state, cookie, code, back, from).await;
        if let Err(AuthError::SsoRefused | AuthError::SsoUnknown) = &end {
            audit::note(&self.store, Entry::new("session.refuse").fact("at", "sso")).await?;
        }
        end
    }

    async fn come_back(&self, state: &str, cookie: &str, code: &str, back: &str, from: &Caller) -> Result<SsoEnd, AuthError> {
        let sso = self.sso.as_ref().ok_or(AuthError::SsoRefused)?;
        let is_same = bool::from(subtle::ConstantTimeEq::ct_eq(state.as_bytes(), cookie.as_bytes()));
        let away = if is_same { self.find_challenge(state, AWAY).await? } else { None };
        let Some(away) = away else { return Err(AuthError::SsoRefused) };
        let hash = away.hash.clone();
        let is_first =
            self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(challenges::consume(tx, &hash).await?) })).await?;
        if !is_first {
            return Err(AuthError::SsoRefused);
        }
        let data: Value = serde_json::from_str(&away.data).unwrap_or_default();
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let vouched = sso.ask(code, &text("verifier"), &text("nonce"), back, self.clock.now()).await?;
        let next = text("next");
        let issuer = sso.provider.issuer.clone();
        if let Some(user) = sso::find(&self.store, &issuer, &vouched.subject).await? {
            let person = person::get(&self.records, RecordId(user)).await?.filter(|person| person.active).ok_or(AuthError::SsoUnknown)?;
            let person = self.take_roles(person, &vouched).await?;
            return Ok(SsoEnd::Person { outcome: self.begin_session(&person, from).await, next });
        }
        let email = vouched.email.clone().ok_or(AuthError::SsoUnknown)?;
        if let Some(person) = person::find_by_email(&self.records, &email).await? {
            if !person.active {
                return Err(AuthError::SsoUnknown);
            }
            let data = json!({ "subject": vouched.subject, "groups": vouched.groups, "next": next }).to_string();
            let challenge = self.challenge(JOIN, person.id, &data).await?;
            return Ok(SsoEnd::Join { challenge, email: person.email, next });
        }
        let person = self.make_vouched(&email, &vouched).await?;
        let user = person.id.0;
        let subject = vouched.subject.clone();
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(sso::create(tx, &issuer, &subject, user).await?) })).await?;
        Ok(SsoEnd::Person { outcome: self.begin_session(&person, from).await, next })
    }

    /// Joins the provider's account to the person whose password this is, and signs them in. Gives where to go next.
    ///
    /// # Errors
    /// `ATH002` for a wrong password, `ATH003` after too many, `ATH010` when it took too long.
    pub async fn join_sso(&self, challenge: &str, password: &str, from: &Caller) -> Result<SsoEnd, AuthError> {
        let sso = self.sso.as_ref().ok_or(AuthError::SsoRefused)?;
        let join = self.find_challenge(challenge, JOIN).await?.ok_or(AuthError::SignInOver)?;
        let known = person::get(&self.records, RecordId(join.user_id)).await?.filter(|person| person.active);
        let known = known.ok_or(AuthError::SignInOver)?;
        let person = self.check_password(&known.email, password, Attempt::new(&known.email, from.ip)).await?;
        let data: Value = serde_json::from_str(&join.data).unwrap_or_default();
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (issuer, subject, user, hash) = (sso.provider.issuer.clone(), text("subject"), person.id.0, join.hash);
        let joined = self
            .store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move { Ok(challenges::consume(tx, &hash).await? && sso::create(tx, &issuer, &subject, user).await?) })
            })
            .await?;
        if !joined {
            return Err(AuthError::SignInOver);
        }
        let groups = data.get("groups").and_then(Value::as_array).map(|list| texts(list));
        let vouched = Vouched { subject: String::new(), email: None, name: None, groups };
        let person = self.take_roles(person, &vouched).await?;
        Ok(SsoEnd::Person { outcome: self.begin_session(&person, from).await, next: text("next") })
    }

    /// The address of whom a join waits for; `None` when it is over.
    pub async fn joining(&self, challenge: &str) -> Result<Option<String>, AuthError> {
        let Some(join) = self.find_challenge(challenge, JOIN).await? else { return Ok(None) };
        Ok(person::get(&self.records, RecordId(join.user_id)).await?.map(|person| person.email))
    }

    /// The roles the provider's word gives here; `None` where it does not decide.
    fn roles_of(&self, vouched: &Vouched) -> Option<Vec<String>> {
        let provider = &self.sso.as_ref()?.provider;
        if provider.roles.is_empty() {
            return None;
        }
        let groups = vouched.groups.as_deref().unwrap_or_default();
        let mut roles: Vec<String> = groups.iter().filter_map(|group| provider.roles.get(group).cloned()).collect();
        roles.sort_unstable();
        roles.dedup();
        Some(roles)
    }

    /// Gives the person the roles the provider says, at each sign-in.
    async fn take_roles(&self, person: person::Person, vouched: &Vouched) -> Result<person::Person, AuthError> {
        let Some(roles) = self.roles_of(vouched) else { return Ok(person) };
        let mut before = person.roles.clone();
        before.sort_unstable();
        if before == roles {
            return Ok(person);
        }
        let catalog = self.records.catalog();
        let entity = person::user_entity(&catalog)?;
        let input = Input::from_json(&catalog, entity, &person::roles_json(entity, &roles)).map_err(AuthError::from_faults)?;
        let options = WriteOptions::from(Source::System);
        self.records.update(&Actor::system(), &catalog, entity.ix, person.id, input, options).await?;
        Ok(person::Person { roles, ..person })
    }

    async fn make_vouched(&self, email: &str, vouched: &Vouched) -> Result<person::Person, AuthError> {
        let creates = self.sso.as_ref().is_some_and(|sso| sso.provider.creates_people);
        let roles = self.roles_of(vouched);
        // Where the provider decides on roles, someone without any has no business here.
        if !creates || roles.as_ref().is_some_and(Vec::is_empty) {
            return Err(AuthError::SsoUnknown);
        }
        let roles = roles.unwrap_or_else(|| vec!["user".to_owned()]);
        let catalog = self.records.catalog();
        let entity = person::user_entity(&catalog)?.ix;
        let name = vouched.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(email);
        let name: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
        let input = person::input_of(&catalog, &name, email, None, &roles)?;
        let saved = self.records.create(&Actor::system(), &catalog, entity, input, WriteOptions::from(Source::System)).await?;
        person::get(&self.records, saved.id).await?.ok_or(AuthError::SsoUnknown)
    }
}

impl Sso {
    /// What the provider publishes about itself, remembered for an hour.
    async fn document(&self, now: DateTime) -> Result<Arc<Document>, AuthError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| now.0 - known.at.0 < KNOWN_MICROS) {
            return Ok(known.document.clone());
        }
        let place = format!("{}/.well-known/openid-configuration", self.provider.issuer.trim_end_matches('/'));
        let found = self.json(HttpRequest::get(place)).await?;
        let text = |name: &str| found.get(name).and_then(Value::as_str).map(str::to_owned);
        if text("issuer").as_deref() != Some(self.provider.issuer.as_str()) {
            return Err(unreachable("it calls itself by another issuer than the configured one"));
        }
        let needed = |name: &'static str| text(name).ok_or_else(|| unreachable("its configuration is not whole"));
        let document = Document {
            authorization: needed("authorization_endpoint")?,
            token: self.own(needed("token_endpoint")?)?,
            keys: self.own(needed("jwks_uri")?)?,
            user_info: text("userinfo_endpoint").map(|place| self.own(place)).transpose()?,
        };
        // People are sent there: never to another scheme than the issuer's own.
        if scheme(&document.authorization) != scheme(&self.provider.issuer) {
            return Err(unreachable("its address for signing in has another scheme than its issuer"));
        }
        let keys = self.json(HttpRequest::get(document.keys.clone())).await?;
        let document = Arc::new(document);
        *known = Some(Known { at: now, document: document.clone(), keys: Arc::new(keys), keys_at: now });
        Ok(document)
    }

    /// The address, if it is the issuer's own or one the operator named.
    fn own(&self, place: String) -> Result<String, AuthError> {
        let (Ok(url), Ok(issuer)) = (Url::parse(&place), Url::parse(&self.provider.issuer)) else {
            return Err(unreachable("one of its addresses is unreadable"));
        };
        let is_named = url.host_str().is_some_and(|host| self.provider.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)));
        let is_own = url.origin() == issuer.origin() || (is_named && url.scheme() == "https");
        if is_own { Ok(place) } else { Err(unreachable("it names a host that is not configured (`oidc_hosts`)")) }
    }

    /// Exchanges the code and checks everything the provider says.
    async fn ask(&self, code: &str, verifier: &str, nonce: &str, back: &str, now: DateTime) -> Result<Vouched, AuthError> {
        let document = self.document(now).await?;
        let provider = &self.provider;
        let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", back), ("code_verifier", verifier)];
        if provider.client_secret.is_empty() {
            form.push(("client_id", &provider.client_id));
        }
        let mut request = HttpRequest::post_form(document.token.clone(), &form).header("accept", "application/json");
        if !provider.client_secret.is_empty() {
            let pair = format!("{}:{}", encode(&provider.client_id), encode(&provider.client_secret));
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
        }
        let answer = self.send(request).await?;
        if !answer.is_success() {
            // A code that was used or made up; the answer may repeat it and is not logged.
            return Err(refused("the provider refused the code"));
        }
        let tokens: Value = serde_json::from_slice(&answer.body).map_err(|_| refused("the provider's answer is unreadable"))?;
        let token = tokens.get("id_token").and_then(Value::as_str).ok_or_else(|| refused("the provider gave no token"))?;
        let claims = self.claims(token, now).await?;
        self.check(&claims, nonce, now)?;
        let subject = claims.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty() && sub.len() <= 255 && !sub.contains('\0'));
        let subject = subject.ok_or_else(|| refused("the token names nobody"))?.to_owned();
        let info = match (&document.user_info, tokens.get("access_token").and_then(Value::as_str)) {
            (Some(place), Some(access)) if claims.get("email").is_none() || claims.get(&provider.roles_claim).is_none() => {
                let request = HttpRequest::get(place.clone()).header("authorization", format!("Bearer {access}"));
                self.json(request.header("accept", "application/json")).await.unwrap_or_default()
            }
            _ => Value::Null,
        };
        // Someone else's particulars are worth nothing (OpenID Connect Core, 5.3.2).
        let info = if info.get("sub").and_then(Value::as_str) == Some(subject.as_str()) { info } else { Value::Null };
        let claim = |name: &str| claims.get(name).or_else(|| info.get(name));
        let text = |name: &str| claim(name).and_then(Value::as_str).map(str::to_owned);
        // Both from one mouth: an address of the token with the word of the other answer would prove nothing.
        let vouching = if claims.get("email").is_some() { &claims } else { &info };
        let is_verified = vouching.get("email_verified") == Some(&Value::Bool(true));
        let groups = claim(&provider.roles_claim).map(|value| match value {
            Value::Array(list) => texts(list),
            Value::String(one) => vec![one.clone()],
            _ => Vec::new(),
        });
        Ok(Vouched { email: text("email").filter(|_| is_verified), name: text("name"), subject, groups })
    }

    /// The claims of a token signed by one of the provider's keys; keys are asked for again when none of them made it.
    async fn claims(&self, token: &str, now: DateTime) -> Result<Value, AuthError> {
        let mut known = self.known.lock().await;
        let Some(known) = known.as_mut() else { return Err(refused("the provider is not known")) };
        if let Some(claims) = jwt::verify(token, &known.keys).map_err(refused)? {
            return Ok(claims);
        }
        if now.0 - known.keys_at.0 >= RETRY_MICROS {
            known.keys = Arc::new(self.json(HttpRequest::get(known.document.keys.clone())).await?);
            known.keys_at = now;
            if let Some(claims) = jwt::verify(token, &known.keys).map_err(refused)? {
                return Ok(claims);
            }
        }
        Err(refused("no key of the provider has signed the token"))
    }

    /// OpenID Connect Core, 3.1.3.7.
    fn check(&self, claims: &Value, nonce: &str, now: DateTime) -> Result<(), AuthError> {
        let provider = &self.provider;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let seconds = now.0.div_euclid(1_000_000);
        if text("iss") != Some(provider.issuer.as_str()) {
            return Err(refused("the token is of another issuer"));
        }
        let audience: Vec<&str> = match claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is_ours = audience.contains(&provider.client_id.as_str());
        let is_party = match text("azp") {
            Some(party) => party == provider.client_id,
            None => audience.len() == 1,
        };
        if !is_ours || !is_party {
            return Err(refused("the token is for someone else"));
        }
        let moment = |name: &str| claims.get(name).and_then(|value| value.as_i64().or_else(|| value.as_f64().map(|at| at as i64)));
        if moment("exp").is_none_or(|until| until + LEEWAY_SECONDS <= seconds) {
            return Err(refused("the token is over"));
        }
        if moment("iat").is_none_or(|made| made - LEEWAY_SECONDS > seconds)
            || moment("nbf").is_some_and(|from| from - LEEWAY_SECONDS > seconds)
        {
            return Err(refused("the token is of the future"));
        }
        let is_asked = text("nonce").is_some_and(|found| bool::from(subtle::ConstantTimeEq::ct_eq(found.as_bytes(), nonce.as_bytes())));
        if is_asked { Ok(()) } else { Err(refused("the token answers another question")) }
    }

    async fn json(&self, request: HttpRequest) -> Result<Value, AuthError> {
        let answer = self.send(request).await?;
        if !answer.is_success() {
            return Err(unreachable("it answered with a failure"));
        }
        serde_json::from_slice(&answer.body).map_err(|_| unreachable("its answer is unreadable"))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, AuthError> {
        self.http.send(request).await.map_err(|error| {
            tracing::warn!(error = %error, "the identity provider cannot be reached");
            AuthError::SsoUnreachable
        })
    }
}

/// The person is told no more than that it did not work; the operator finds the reason in the log.
fn refused(reason: &'static str) -> AuthError {
    tracing::warn!(reason, "a single sign-on was refused");
    AuthError::SsoRefused
}

fn unreachable(reason: &'static str) -> AuthError {
    tracing::warn!(reason, "the identity provider cannot be used");
    AuthError::SsoUnreachable
}

fn scheme(url: &str) -> Option<&str> {
    url.split_once("://").map(|(scheme, _)| scheme)
}

fn texts(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// As RFC 6749, 2.3.1 wants a client's name and secret inside `Basic`.
fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
