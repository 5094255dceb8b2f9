//! A person's own settings, password, sessions and API tokens.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::entry::{locales, unkept};
use super::page::{Page, THEME_COOKIE};
use super::post::Post;
use crate::auth::{AuthError, NewToken, SessionInfo, TokenInfo};
use crate::base::Value;
use crate::record::{Input, Source, WriteOptions};
use crate::render::Arg;
use crate::render::context::{AccountPage, Choice, PasskeyRow, SessionRow, Stamp, TokenRow};
use crate::web::{Problem, session_cookie};

/// Zones offered by name; others are set in the person's record.
const ZONES: [&str; 24] = [
    "Asia/Shanghai",
    "Asia/Taipei",
    "Asia/Hong_Kong",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Asia/Seoul",
    "Asia/Kolkata",
    "Asia/Dubai",
    "Europe/London",
    "Europe/Paris",
    "Europe/Berlin",
    "Europe/Madrid",
    "Europe/Istanbul",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Toronto",
    "America/Sao_Paulo",
    "Australia/Sydney",
    "Pacific/Auckland",
    "UTC",
];

/// `GET /account`
pub(super) async fn account(page: Page) -> Result<Response, Problem> {
    account_page(&page, StatusCode::OK, None, None).await
}

async fn account_page(
    page: &Page,
    status: StatusCode,
    error: Option<(&str, String)>,
    new_token: Option<String>,
) -> Result<Response, Problem> {
    let identity = page.requester.identity()?;
    let sessions = page.state.auth.list_sessions(identity).await?;
    let passkeys = page.state.auth.list_passkeys(identity).await?;
    let factors = page.state.auth.factors_of(identity.user, &identity.roles).await?;
    let tokens = page.state.auth.list_own_tokens(identity).await?;
    let choice = |value: &str, label: String, selected: bool| Choice { value: value.to_owned(), label, selected, ..Choice::default() };
    let default = page.say("account-workspace-default", &[]);
    let zone = identity.time_zone.as_ref().and_then(|zone| zone.iana_name()).unwrap_or("").to_owned();
    let mut zones = vec![choice("", format!("{default} ({})", page.catalog.settings.time_zone_name), zone.is_empty())];
    zones.extend(ZONES.iter().map(|name| choice(name, name.replace('_', " "), *name == zone)));
    if !zone.is_empty() && !ZONES.contains(&zone.as_str()) {
        zones.push(choice(&zone, zone.clone(), true));
    }
    let mut languages = vec![choice("", default, identity.locale.is_none())];
    languages.extend(locales(identity.locale));
    let context = AccountPage {
        shell: page.shell(&page.say("account-title", &[]), ":account", Vec::new()),
        locales: languages,
        themes: ["auto", "light", "dark"]
            .iter()
            .map(|theme| choice(theme, page.say(&format!("theme-{theme}"), &[]), *theme == page.theme))
            .collect(),
        zones,
        tokens: tokens.into_iter().filter(|token| token.revoked_at.is_none()).map(|token| token_row(page, token)).collect(),
        has_others: sessions.len() > 1,
        sessions: sessions.into_iter().map(|session| session_row(page, session)).collect(),
        scope_entities: page
            .catalog
            .entities
            .iter()
            .filter(|entity| !entity.is_junction)
            .map(|entity| choice(&entity.id, entity.label_plural.get(page.ui.locale).to_owned(), false))
            .collect(),
        is_admin: page.is_admin(),
        must_confirm: !page.requester.is_fresh,
        has_totp: factors.totp,
        recovery_codes: factors.recovery_codes,
        passkeys: passkeys
            .into_iter()
            .map(|passkey| PasskeyRow {
                id: passkey.id,
                name: passkey.name,
                created: Some(Stamp::new(passkey.created_at, &page.ui, page.messages())),
                used: passkey.used_at.map(|at| Stamp::new(at, &page.ui, page.messages())),
            })
            .collect(),
        factor_is_required: factors.is_required,
        new_token,
        error_at: error.as_ref().map(|(place, _)| (*place).to_owned()).unwrap_or_default(),
        error: error.map(|(_, text)| text),
    };
    Ok(unkept(page.html(status, "page/account", &context)?))
}

/// The page with the reason why a second factor was not changed.
pub(super) async fn refused_factor(page: &Page, why: String) -> Result<Response, Problem> {
    account_page(page, StatusCode::UNPROCESSABLE_ENTITY, Some(("factor", why)), None).await
}

fn token_row(page: &Page, token: TokenInfo) -> TokenRow {
    let stamp = |at| Stamp::new(at, &page.ui, page.messages());
    let words = token.scopes.words();
    let scopes = words.iter().map(|word| match word.split_once(':') {
        None if word == "erase" => page.say("token-scope-erase", &[]),
        None => page.say(&format!("token-scope-{word}"), &[]),
        Some((verb, id)) => {
            let entity = page.catalog.find_entity(id);
            let label = entity.map_or(id, |entity| entity.label_plural.get(page.ui.locale));
            let key = if verb == "write" { "token-scope-write-one" } else { "token-scope-read-one" };
            page.say(key, &[("entity", Arg::Text(label))])
        }
    });
    TokenRow {
        id: token.id.to_string(),
        hint: token.hint,
        created: Some(stamp(token.created_at)),
        used: token.used_at.map(stamp),
        expires: token.expires_at.map(stamp),
        scopes: scopes.collect::<Vec<_>>().join(", "),
        networks: token.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        name: token.name,
    }
}

fn session_row(page: &Page, session: SessionInfo) -> SessionRow {
    let stamp = |at| Stamp::new(at, &page.ui, page.messages());
    SessionRow {
        device: device(&session.agent).map_or_else(|| page.say("session-unknown", &[]), str::to_owned),
        id: session.id,
        ip: session.ip,
        agent: session.agent,
        began: Some(stamp(session.created_at)),
        seen: Some(stamp(session.seen_at)),
        is_own: session.is_own,
    }
}

/// A browser and a system by the words every browser of them uses.
fn device(agent: &str) -> Option<&'static str> {
    const BROWSERS: [(&str, [&str; 6]); 4] = [
        ("Edg/", ["Edge", "Edge · Windows", "Edge · macOS", "Edge · Android", "Edge · iOS", "Edge · Linux"]),
        ("Firefox/", ["Firefox", "Firefox · Windows", "Firefox · macOS", "Firefox · Android", "Firefox · iOS", "Firefox · Linux"]),
        ("Chrome/", ["Chrome", "Chrome · Windows", "Chrome · macOS", "Chrome · Android", "Chrome · iOS", "Chrome · Linux"]),
        ("Safari/", ["Safari", "Safari · Windows", "Safari · macOS", "Safari · Android", "Safari · iOS", "Safari · Linux"]),
    ];
    // An iPhone calls itself "like Mac OS X" and an Android phone "Linux": the narrower word comes first.
    const SYSTEMS: [(&str, usize); 6] = [("iPhone", 4), ("iPad", 4), ("Android", 3), ("Windows", 1), ("Mac OS", 2), ("Linux", 5)];
    let (_, names) = BROWSERS.iter().find(|(word, _)| agent.contains(word))?;
    let system = SYSTEMS.iter().find(|(word, _)| agent.contains(word)).map_or(0, |(_, at)| *at);
    Some(names[system])
}

/// `POST /account/settings`
pub(super) async fn settings(page: Page, post: Post) -> Result<Response, Problem> {
    let identity = page.requester.identity()?;
    let user = page.catalog.find_entity("core.user").ok_or_else(Problem::not_found)?;
    let mut input = Input::new();
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::Text(text.to_owned()) };
    let language = post.get("locale");
    if let Some(field) = user.find_field("locale").filter(|_| language.is_empty() || crate::base::Locale::from_tag(language).is_some()) {
        input.set(field.ix, text(language));
    }
    let zone = post.get("time_zone");
    if let Some(field) = user.find_field("time_zone").filter(|_| zone.is_empty() || jiff::tz::TimeZone::get(zone).is_ok()) {
        input.set(field.ix, text(zone));
    }
    let options = WriteOptions::from(Source::Form);
    page.state.records.update(&page.actor, &page.catalog, user.ix, identity.user, input, options).await?;
    let mut response = page.go("/account?done=settings");
    let theme = match post.get("theme") {
        theme @ ("light" | "dark") => theme,
        _ => "auto",
    };
    let secure = if page.state.config.public_url.https { "; Secure" } else { "" };
    if let Ok(cookie) = HeaderValue::from_str(&format!("{THEME_COOKIE}={theme}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000{secure}"))
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `POST /account/password`: the present password is asked for again, other sessions end.
pub(super) async fn password(page: Page, post: Post) -> Result<Response, Problem> {
    let identity = page.requester.identity()?;
    let (status, key) =
        match page.state.auth.change_password(identity, post.get("current"), post.get("new"), &page.requester.caller()).await {
            Ok(start) => {
                let mut response = page.go("/account?done=password");
                response.headers_mut().append(header::SET_COOKIE, session_cookie(&page.state.config, &start));
                return Ok(unkept(response));
            }
            Err(AuthError::WrongCredentials) => (StatusCode::UNPROCESSABLE_ENTITY, "account-wrong-password"),
            Err(AuthError::WeakPassword(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "account-weak-password"),
            Err(AuthError::Throttled { .. }) => (StatusCode::TOO_MANY_REQUESTS, "sign-in-throttled"),
            Err(fault) => return Err(fault.into()),
        };
    account_page(&page, status, Some(("password", page.say(key, &[]))), None).await
}

/// `POST /account/sessions/{id}/end`
pub(super) async fn end_session(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    page.state.auth.end_session(page.requester.identity()?, &id).await?;
    Ok(page.go("/account?done=session-ended"))
}

/// `POST /account/sessions/end-others`
pub(super) async fn end_other_sessions(page: Page) -> Result<Response, Problem> {
    page.state.auth.end_other_sessions(page.requester.identity()?).await?;
    Ok(page.go("/account?done=sessions-ended"))
}

/// `POST /account/tokens`: answers the page itself, since the secret is shown once and kept nowhere.
pub(super) async fn create_token(mut page: Page, post: Post) -> Result<Response, Problem> {
    let refuse = |text: String| Some(("token", text));
    if let Some(why) = page.confirm(&post).await? {
        return account_page(&page, StatusCode::UNPROCESSABLE_ENTITY, refuse(why), None).await;
    }
    let identity = page.requester.identity()?.clone();
    let name = post.get("name").trim();
    if name.is_empty() {
        return account_page(&page, StatusCode::UNPROCESSABLE_ENTITY, refuse(page.say("token-bad-name", &[])), None).await;
    }
    if post.get("may") == "erase" && !page.is_admin() {
        return account_page(&page, StatusCode::UNPROCESSABLE_ENTITY, refuse(page.say("token-bad-scopes", &[])), None).await;
    }
    let limits = match page.state.auth.token_limits(&scope_words(&post), post.get("networks")) {
        Ok(limits) => limits,
        Err(AuthError::BadNetwork(_)) => {
            return account_page(&page, StatusCode::UNPROCESSABLE_ENTITY, refuse(page.say("token-bad-networks", &[])), None).await;
        }
        Err(AuthError::BadScopes(_)) => {
            return account_page(&page, StatusCode::UNPROCESSABLE_ENTITY, refuse(page.say("token-bad-scopes", &[])), None).await;
        }
        Err(fault) => return Err(fault.into()),
    };
    let days = post.get("days").parse().ok().filter(|days| *days <= 3650);
    let token = NewToken { email: identity.email.clone(), name: name.chars().take(100).collect(), days };
    let made = page.state.auth.create_limited_token(token, limits).await?;
    account_page(&page, StatusCode::OK, None, Some(made.secret)).await
}

/// `may` is one of `read`, `write`, `admin`, and `erase`, which is worth nothing without `admin`; with entities chosen the first
/// two hold for them alone.
fn scope_words(post: &Post) -> Vec<String> {
    let may = match post.get("may") {
        "" => "write",
        may => may,
    };
    if may == "erase" {
        return vec!["admin".to_owned(), may.to_owned()];
    }
    let entities: Vec<&str> = post.pairs.iter().filter(|(name, _)| name == "entity").map(|(_, id)| id.as_str()).collect();
    if may == "admin" || entities.is_empty() {
        return vec![may.to_owned()];
    }
    entities.iter().map(|entity| format!("{may}:{entity}")).collect()
}

/// `POST /account/tokens/{id}/revoke`
pub(super) async fn revoke_token(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    let identity = page.requester.identity()?;
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    page.state.auth.revoke_own_token(identity, id).await?;
    Ok(page.go("/account?done=revoked"))
}
