//! Who asks: found once per request by the surrounding layer, read by handlers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;

use super::config::WebConfig;
use super::{Problem, State};
use crate::access::{ADMINISTRATOR, AccessError, Actor, ActorKind};
use crate::auth::{Identity, SessionStart};
use crate::base::Locale;
use crate::schema::catalog::Catalog;

/// Who sent this request, and how they want to be spoken to. Handlers take it as an argument.
#[derive(Debug, Clone)]
pub struct Requester {
    /// `None` for a visitor who is not signed in.
    pub identity: Option<Arc<Identity>>,
    pub request_id: Arc<str>,
    /// The person's language, else the best match of `Accept-Language`, else the workspace's.
    pub locale: Locale,
    /// Address of the client; taken from a proxy's header only when the proxy is trusted.
    pub ip: IpAddr,
    /// The request came in a session (cookie), not with an API token.
    pub by_session: bool,
}

impl Requester {
    /// The signed-in person or token, or the problem that asks to sign in.
    pub fn identity(&self) -> Result<&Arc<Identity>, Problem> {
        self.identity.as_ref().ok_or_else(Problem::sign_in_needed)
    }

    /// The signed-in administrator: definitions are theirs alone.
    pub fn administrator(&self) -> Result<&Arc<Identity>, Problem> {
        let identity = self.identity()?;
        if identity.roles.iter().any(|role| role == ADMINISTRATOR) { Ok(identity) } else { Err(AccessError::AdministratorsOnly.into()) }
    }

    /// On whose behalf the rooms below act; anonymous for a visitor, whom `access` refuses everything.
    pub fn actor(&self, catalog: &Catalog) -> Actor {
        let Some(identity) = &self.identity else { return Actor::anonymous() };
        Actor {
            kind: if identity.token.is_some() { ActorKind::Token } else { ActorKind::Person },
            user: Some(identity.user),
            roles: identity.roles.clone(),
            locale: self.locale,
            time_zone: identity.time_zone.clone().unwrap_or_else(|| catalog.settings.time_zone.clone()),
            request_id: self.request_id.to_string(),
        }
    }
}

impl FromRequestParts<State> for Requester {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &State) -> Result<Self, Problem> {
        parts.extensions.get::<Requester>().cloned().ok_or_else(Problem::sign_in_needed)
    }
}

/// Name of the session cookie: bound to the host by its prefix where the site is https.
pub(super) fn cookie_name(config: &WebConfig) -> &'static str {
    if config.public_url.https { "__Host-relata" } else { "relata" }
}

/// The `Set-Cookie` that begins a session.
pub fn session_cookie(config: &WebConfig, start: &SessionStart) -> HeaderValue {
    let secure = if config.public_url.https { "; Secure" } else { "" };
    let text =
        format!("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", cookie_name(config), start.cookie, start.max_age_seconds);
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The `Set-Cookie` that ends it; send `Clear-Site-Data: "cache", "cookies", "storage"` beside it.
pub fn clear_session_cookie(config: &WebConfig) -> HeaderValue {
    let secure = if config.public_url.https { "; Secure" } else { "" };
    let text = format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}", cookie_name(config));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
