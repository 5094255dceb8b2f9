//! One request for a page: who asks, in which language, and how the answer is made.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::RENDERER;
use super::{post::Post, sidebar};
use crate::access::Actor;
use crate::auth::AuthError;
use crate::query::Params;
use crate::record::RecordError;
use crate::render::context::{Crumb, EntityHead, Notice, Shell};
use crate::render::show::{ShowContext, Titles};
use crate::render::{Arg, Messages, Ui};
use crate::schema::catalog::{Catalog, Entity};
use crate::store::notifications;
use crate::web::{Problem, Requester, State};

/// What every page handler takes.
pub(super) struct Page {
    pub state: State,
    pub requester: Requester,
    pub catalog: Arc<Catalog>,
    pub actor: Actor,
    pub ui: Ui,
    pub params: Params,
    /// `auto`, `light` or `dark`.
    pub theme: String,
    /// The id of the element htmx will replace; `None` for a whole page.
    pub region: Option<String>,
    /// Path and query.
    pub here: String,
    /// The tag of the copy the browser holds, of a GET.
    known: Option<String>,
    /// What a script said when its button was pressed.
    said: Option<String>,
    /// A survey about the record of this page, and the link of the invitation that was just made.
    pub survey_link: Option<(String, String)>,
    /// What the person was told and has not read, for whole pages.
    unread: i64,
}

impl FromRequestParts<State> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let requester = Requester::from_request_parts(parts, state).await?;
        let mut whole = state.catalog();
        // Another process may have applied a moment ago.
        if names_unknown_entity(parts.uri.path(), &whole)
            && let Some(newer) = state.records.newer(&whole).await
        {
            whole = newer;
        }
        let actor = requester.actor(&whole);
        let catalog = actor.sees(&whole);
        let zone = if requester.identity.is_some() { actor.time_zone.clone() } else { catalog.settings.time_zone.clone() };
        let ui = Ui { locale: requester.locale, zone, now: state.clock.now() };
        let params = parts.uri.query().map(Params::parse).unwrap_or_default();
        if params.0.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(Problem::new("WEB400", "the address contains a null character"));
        }
        let region = region_of(&parts.headers);
        let unread = match &requester.identity {
            Some(identity) if region.is_none() => {
                notifications::unread(state.records.store(), identity.user.0).await.map_err(RecordError::from)?
            }
            _ => 0,
        };
        Ok(Self {
            survey_link: None,
            unread,
            theme: theme_of(&parts.headers),
            region,
            here: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            known: known_tag(parts),
            said: cookie(&parts.headers, SAID_COOKIE).and_then(|text| Params::parse(&format!("t={text}")).get("t").map(str::to_owned)),
            state: state.clone(),
            requester,
            catalog,
            actor,
            ui,
            params,
        })
    }
}

fn names_unknown_entity(path: &str, catalog: &Catalog) -> bool {
    let slug = path.strip_prefix("/records/").and_then(|rest| rest.split('/').next());
    slug.is_some_and(|slug| !catalog.by_slug.contains_key(slug))
}

fn known_tag(parts: &Parts) -> Option<String> {
    let tag = (parts.method == Method::GET).then(|| parts.headers.get(header::IF_NONE_MATCH))?;
    Some(tag.and_then(|value| value.to_str().ok()).unwrap_or("").to_owned())
}

/// The cookie that holds the choice of colours: not secret, and needed by the first byte of the page.
pub(super) const THEME_COOKIE: &str = "relata_theme";

/// The field of a form for a dangerous act in which the password is given again.
pub(super) const PASSWORD: &str = "_password";

/// Carries a script's words over the redirect. A cookie, because an address could be made up by someone else.
pub(super) const SAID_COOKIE: &str = "relata_said";

/// The colours chosen: `auto`, `light` or `dark`.
pub(in crate::web) fn theme_of(headers: &HeaderMap) -> String {
    match cookie(headers, THEME_COOKIE) {
        Some(theme @ ("light" | "dark")) => theme.to_owned(),
        _ => "auto".to_owned(),
    }
}

pub(super) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    cookies.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// `div#list` of the header `HX-Target`, when htmx asks for a part.
fn region_of(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("hx-request") != Some("true") || text("hx-request-type") == Some("full") {
        return None;
    }
    Some(text("hx-target").and_then(|target| target.split_once('#')).map(|(_, id)| id.to_owned()).unwrap_or_default())
}

impl Page {
    pub fn messages(&self) -> &'static Messages {
        RENDERER.messages()
    }

    /// A message in the reader's language.
    pub fn say(&self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        RENDERER.text(self.ui.locale, key, args)
    }

    pub fn show<'a>(&'a self, titles: &'a Titles) -> ShowContext<'a> {
        ShowContext { catalog: &self.catalog, ui: &self.ui, messages: RENDERER.messages(), titles }
    }

    /// The entity of a path.
    pub fn entity(&self, slug: &str) -> Result<&Entity, Problem> {
        self.catalog
            .by_slug
            .get(slug)
            .map(|ix| self.catalog.entity(*ix))
            .filter(|entity| !entity.is_junction)
            .ok_or_else(Problem::not_found)
    }

    pub fn is_admin(&self) -> bool {
        sidebar::is_admin(&self.requester)
    }

    /// What surrounds a page for someone signed in (or, without a person, for a visitor).
    pub fn shell(&self, title: &str, current: &str, mut crumbs: Vec<Crumb>) -> Shell {
        crumbs.push(Crumb { label: title.to_owned(), href: None });
        let person = sidebar::person(&self.requester);
        let viewer = self.requester.identity.as_ref().and_then(|identity| identity.viewer.as_ref());
        Shell {
            title: title.to_owned(),
            theme: self.theme.clone(),
            workspace: self.catalog.settings.name.clone(),
            groups: sidebar::groups(&self.requester, &self.catalog, current),
            person,
            viewer: viewer.map(|viewer| viewer.name.clone()).unwrap_or_default(),
            crumbs,
            notices: self.notices(),
            find: String::new(),
            current: current.to_owned(),
            here: self.here.clone(),
            has_approvals: self.requester.identity.is_some() && self.catalog.entities.iter().any(|entity| !entity.approvals.is_empty()),
            has_pools: self.has_pools(),
            has_registrations: self.has_registrations(),
            has_surveys: self.has_surveys(),
            unread: self.unread,
        }
    }

    /// `?done=created&what=…` of an address someone was sent on to.
    fn notices(&self) -> Vec<Notice> {
        const KNOWN: [&str; 51] = [
            "registration-protected",
            "registration-contested",
            "registration-refused",
            "registration-decided",
            "registration-extended",
            "registration-withdrawn",
            "claimed",
            "returned",
            "approval-asked",
            "approval-approved",
            "approval-rejected",
            "approval-handed-on",
            "approval-withdrawn",
            "stand-in-added",
            "stand-in-ended",
            "converted",
            "merged",
            "twins-looking",
            "twins-apart",
            "unmerged",
            "moved",
            "erased",
            "created",
            "saved",
            "deleted",
            "removed",
            "restored",
            "settings",
            "password",
            "revoked",
            "button",
            "unchanged",
            "session-ended",
            "sessions-ended",
            "factor-removed",
            "person-active",
            "person-inactive",
            "passkey-added",
            "passkey-removed",
            "shared",
            "share-ended",
            "applied",
            "job-retried",
            "job-cancelled",
            "automation-paused",
            "automation-resumed",
            "webhook-sent",
            "webhook-changed",
            "webhook-deleted",
            "mail-sent",
            "mail-released",
        ];
        let mut notices = Vec::new();
        if let Some(fault) = self.is_admin().then(|| self.state.definitions.fault()).flatten() {
            notices.push(Notice { kind: "warn".to_owned(), text: self.say("definitions-broken", &[]), detail: Some(fault), action: None });
        }
        let paused = self.state.automation.paused();
        if self.is_admin() && !paused.is_empty() {
            let names: Vec<&str> = paused.iter().map(|uid| uid.strip_prefix("automation/").unwrap_or(uid)).collect();
            let text = self.say("automations-paused", &[("names", Arg::Text(&names.join(", ")))]);
            notices.push(Notice { kind: "warn".to_owned(), text, detail: None, action: None });
        }
        let Some(done) = self.params.get("done").filter(|done| KNOWN.contains(done)) else { return notices };
        let what = self.params.get("what").unwrap_or("");
        let what: String = what.chars().take(120).collect();
        let number = |name: &str| Arg::Count(self.params.get(name).and_then(|text| text.parse().ok()).unwrap_or(0));
        let said = self.said.clone().filter(|said| done == "button" && !said.is_empty());
        let action = (done == "deleted").then(|| self.params.get("undo")).flatten().filter(|to| is_record_path(to));
        notices.push(Notice {
            kind: "ok".to_owned(),
            text: said.unwrap_or_else(|| {
                self.say(&format!("done-{done}"), &[("title", Arg::Text(&what)), ("moved", number("moved")), ("left", number("left"))])
            }),
            detail: None,
            action: action.map(|to| (format!("{to}/restore"), self.say("action-restore", &[]))),
        });
        notices
    }

    pub fn head(&self, entity: &Entity) -> EntityHead {
        let locale = self.ui.locale;
        EntityHead {
            slug: entity.slug.clone(),
            name: entity.label.get(locale).to_owned(),
            label: label_of(entity, locale),
            plural: entity.label_plural.get(locale).to_owned(),
            description: entity.description.get(locale).to_owned(),
            icon: entity.icon.clone(),
            soft_delete: entity.features.soft_delete,
        }
    }

    pub fn entity_crumb(&self, entity: &Entity) -> Crumb {
        Crumb { label: entity.label_plural.get(self.ui.locale).to_owned(), href: Some(format!("/records/{}", entity.slug)) }
    }

    /// A rendered answer. Pages and their parts share addresses, so caches must tell them apart.
    pub fn html(&self, status: StatusCode, template: &str, context: &impl Serialize) -> Result<Response, Problem> {
        let text = RENDERER.render(template, context, self.ui.locale).map_err(|fault| Problem::internal(&fault))?;
        // The text itself says what the reader would see: language, rights, related records and moments included.
        let tag = self.known.as_ref().filter(|_| status == StatusCode::OK).map(|_| tag_of(&text));
        let is_known = tag.as_ref().is_some_and(|tag| self.known.as_ref().is_some_and(|known| known.trim_start_matches("W/") == tag));
        let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { (status, text).into_response() };
        let headers = response.headers_mut();
        if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::VARY, HeaderValue::from_static("HX-Request, HX-Request-Type, HX-Target, Cookie, Accept-Language"));
        Ok(response)
    }

    /// Sends the reader on: 303 for a plain form, the header htmx follows for a part.
    pub fn go(&self, to: &str) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        let name = if self.region.is_some() {
            *response.status_mut() = StatusCode::OK;
            HeaderName::from_static("hx-redirect")
        } else {
            header::LOCATION
        };
        if let Ok(place) = HeaderValue::from_str(to) {
            response.headers_mut().insert(name, place);
        }
        response
    }

    /// Whether a form about records of the entity asks for the password: who people are is decided there.
    pub fn must_confirm(&self, entity: &Entity) -> bool {
        entity.id == "core.user" && self.is_admin() && !self.requester.is_fresh
    }

    /// [`Page::confirm`] when the form brought a password. Without one the act itself is refused if it wants one.
    pub async fn confirm_given(&mut self, post: &Post) -> Result<Option<String>, Problem> {
        if post.get(PASSWORD).is_empty() { Ok(None) } else { self.confirm(post).await }
    }

    /// The password that came with a form, as the proof a dangerous act wants. `Ok(None)`: such acts are open now. Else what
    /// to tell the person; nothing may be done then.
    pub async fn confirm(&mut self, post: &Post) -> Result<Option<String>, Problem> {
        if self.requester.is_fresh {
            return Ok(None);
        }
        let password = post.get(PASSWORD);
        if password.is_empty() {
            return Ok(Some(self.say("confirm-needed", &[])));
        }
        let identity = self.requester.identity()?.clone();
        match self.state.auth.confirm(&identity, password).await {
            Ok(start) => {
                self.requester.confirmed(&self.state, &start);
                self.actor.is_fresh = true;
                Ok(None)
            }
            Err(AuthError::WrongCredentials) => Ok(Some(self.say("account-wrong-password", &[]))),
            Err(AuthError::Throttled { .. }) => Ok(Some(self.say("sign-in-throttled", &[]))),
            Err(fault) => Err(fault.into()),
        }
    }
}

fn tag_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// A label inside a sentence or a button: English nouns in lower case there, unless they are names or abbreviations.
fn label_of(entity: &Entity, locale: crate::base::Locale) -> String {
    let label = entity.label.get(locale);
    let mut chars = label.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_ascii_uppercase() && second.is_ascii_lowercase() => {
            label.replacen(first, &first.to_ascii_lowercase().to_string(), 1)
        }
        _ => label.to_owned(),
    }
}

/// Percent-encodes a value of an address.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b',' | b':') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// An address with its parameters; without any, the bare path.
pub(super) fn address(path: &str, params: &[(String, String)]) -> String {
    let query: Vec<String> = params.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// A path of this site and nothing that leads elsewhere (`//host`, `/\host`).
pub(super) fn is_own_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t'])
}

fn is_record_path(path: &str) -> bool {
    path.starts_with("/records/") && path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-'))
}
