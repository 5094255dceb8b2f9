//! Who asks: found once per request by the surrounding layer, read by handlers.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;

use super::config::WebConfig;
use super::{Problem, State};
use crate::access::{ADMINISTRATOR, AccessError, Actor, ActorKind, Scopes};
use crate::auth::{Caller, Identity, SessionStart};
use crate::base::{EntityIx, Locale};
use crate::record::{Input, NestedItem};
use crate::schema::catalog::{Catalog, Entity, FieldType};

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
    /// What the client calls itself.
    pub agent: Arc<str>,
    /// Dangerous acts are open: see [`Identity::is_fresh`].
    pub is_fresh: bool,
    /// The session's new secret, when the person confirmed who they are in this request: whatever is answered brings it along.
    pub renewed: Arc<OnceLock<HeaderValue>>,
}

impl Requester {
    /// From here on the request is one of the session as it goes on after the person confirmed who they are.
    pub fn confirmed(&mut self, state: &State, start: &SessionStart) {
        if let Some(identity) = &self.identity {
            self.identity = Some(Arc::new(state.auth.confirmed(identity, start)));
        }
        self.is_fresh = true;
        self.renewed.get_or_init(|| {
            let mut cookie = session_cookie(&state.config, start);
            cookie.set_sensitive(true);
            cookie
        });
    }

    /// The signed-in person or token, or the problem that asks to sign in.
    pub fn identity(&self) -> Result<&Arc<Identity>, Problem> {
        self.identity.as_ref().ok_or_else(Problem::sign_in_needed)
    }

    /// The signed-in administrator: definitions are theirs alone.
    pub fn administrator(&self) -> Result<&Arc<Identity>, Problem> {
        let identity = self.identity()?;
        if let Some(scopes) = &identity.scopes
            && !scopes.may_administer()
        {
            return Err(AccessError::OutOfScope { needed: "admin".into() }.into());
        }
        if identity.roles.iter().any(|role| role == ADMINISTRATOR) { Ok(identity) } else { Err(AccessError::AdministratorsOnly.into()) }
    }

    /// The same for dangerous acts: they must have proved who they are a short time ago.
    pub fn fresh_administrator(&self) -> Result<&Arc<Identity>, Problem> {
        let identity = self.administrator()?;
        if self.is_fresh { Ok(identity) } else { Err(AccessError::StepUpNeeded.into()) }
    }

    /// The same for erasing people. A token cannot be asked to prove anything: it must have been made for this.
    ///
    /// # Errors
    /// `ACL002`, `ACL003` for a token without the scope `erase`, `ACL004` for a person who has not proved who they are.
    pub fn eraser(&self) -> Result<&Arc<Identity>, Problem> {
        let identity = self.fresh_administrator()?;
        if identity.scopes.as_ref().is_some_and(|scopes| !scopes.may_erase()) {
            return Err(AccessError::OutOfScope { needed: "erase".into() }.into());
        }
        Ok(identity)
    }

    /// Address and browser, for sign-in.
    pub fn caller(&self) -> Caller {
        Caller { ip: self.ip, agent: self.agent.to_string() }
    }

    /// Refuses a token that is not made for reading these entities.
    pub fn may_read(&self, catalog: &Catalog, entities: impl IntoIterator<Item = EntityIx>) -> Result<(), Problem> {
        let Some(scopes) = self.limits() else { return Ok(()) };
        for entity in entities {
            let id = &catalog.entity(entity).id;
            if !scopes.may_read(id) {
                return Err(AccessError::OutOfScope { needed: format!("read:{id}") }.into());
            }
        }
        Ok(())
    }

    /// Refuses a token that is not made for writing records of the entity.
    pub fn may_write(&self, entity: &Entity) -> Result<(), Problem> {
        match self.limits() {
            Some(scopes) if !scopes.may_write(&entity.id) => Err(AccessError::OutOfScope { needed: format!("write:{}", entity.id) }.into()),
            _ => Ok(()),
        }
    }

    /// Refuses a token that is not made for writing what a request writes: the records inside it too.
    pub fn may_write_input(&self, catalog: &Catalog, entity: &Entity, input: &Input) -> Result<(), Problem> {
        if self.limits().is_none() {
            return Ok(());
        }
        self.may_write(entity)?;
        for (field, nested) in &input.children {
            let below = match &entity.field(*field).ty {
                FieldType::Children { of, .. } => *of,
                FieldType::Links { through, .. } => *through,
                _ => continue,
            };
            let below = catalog.entity(below);
            // Who may write the record may say what it links to.
            if !below.is_junction {
                self.may_write(below)?;
            }
            for item in &nested.items {
                if let NestedItem::Create(input) | NestedItem::Update { input, .. } = item {
                    self.may_write_nested(catalog, below, input)?;
                }
            }
        }
        Ok(())
    }

    /// [`Requester::may_write_input`] for values that are still JSON: whatever a batch names below a record counts.
    pub fn may_write_below(&self, catalog: &Catalog, entity: &Entity, values: &serde_json::Value) -> Result<(), Problem> {
        match values {
            serde_json::Value::Array(items) => items.iter().try_for_each(|item| self.may_write_below(catalog, entity, item)),
            serde_json::Value::Object(map) => {
                map.iter().try_for_each(|(name, value)| match entity.find_field(name).map(|field| &field.ty) {
                    Some(FieldType::Children { of, .. }) => {
                        let below = catalog.entity(*of);
                        self.may_write(below)?;
                        self.may_write_below(catalog, below, value)
                    }
                    Some(_) => Ok(()),
                    None => self.may_write_below(catalog, entity, value),
                })
            }
            _ => Ok(()),
        }
    }

    fn may_write_nested(&self, catalog: &Catalog, entity: &Entity, input: &Input) -> Result<(), Problem> {
        if entity.is_junction { Ok(()) } else { self.may_write_input(catalog, entity, input) }
    }

    /// What a token is narrowed to; `None` for people and for tokens that may do all their person may.
    pub fn limits(&self) -> Option<&Scopes> {
        self.identity.as_ref().and_then(|identity| identity.scopes.as_deref()).filter(|scopes| !scopes.may_administer())
    }

    /// On whose behalf the rooms below act; anonymous for a visitor, whom `access` refuses everything.
    pub fn actor(&self, catalog: &Catalog) -> Actor {
        let Some(identity) = &self.identity else { return Actor::anonymous() };
        Actor {
            kind: if identity.token.is_some() { ActorKind::Token } else { ActorKind::Person },
            user: Some(identity.user),
            roles: identity.roles.clone(),
            scopes: identity.scopes.clone(),
            is_fresh: self.is_fresh,
            only_looks: identity.viewer.is_some(),
            rights: identity.rights.clone(),
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
