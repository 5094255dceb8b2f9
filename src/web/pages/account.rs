//! A person's own settings, password and API tokens.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::entry::{locales, unkept};
use super::page::{Page, THEME_COOKIE};
use super::post::Post;
use crate::auth::{AuthError, NewToken};
use crate::base::Value;
use crate::record::{Input, Source, WriteOptions};
use crate::render::context::{AccountPage, Choice, Stamp, TokenRow};
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
    let stamp = |at| Stamp::new(at, &page.ui, page.messages());
    let tokens = page.state.auth.list_tokens(Some(&identity.email)).await?;
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
        tokens: tokens
            .into_iter()
            .filter(|token| token.revoked_at.is_none())
            .map(|token| TokenRow {
                id: token.id.to_string(),
                name: token.name,
                hint: token.hint,
                created: Some(stamp(token.created_at)),
                used: token.used_at.map(stamp),
                expires: token.expires_at.map(stamp),
            })
            .collect(),
        new_token,
        error_at: error.as_ref().map(|(place, _)| (*place).to_owned()).unwrap_or_default(),
        error: error.map(|(_, text)| text),
    };
    Ok(unkept(page.html(status, "page/account", &context)?))
}

/// `POST /account/settings`
pub(super) async fn settings(page: Page, post: Post) -> Result<Response, Problem> {
    let identity = page.requester.identity()?;
    let user = page.catalog.find_entity("user").ok_or_else(Problem::not_found)?;
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
    page.state.auth.forget_all();
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
    let auth = &page.state.auth;
    let refuse = |key: &str| Some(("password", page.say(key, &[])));
    match auth.sign_in(&identity.email, post.get("current"), page.requester.ip).await {
        Ok(start) => auth.sign_out(&start.cookie).await?,
        Err(AuthError::WrongCredentials) => {
            return account_page(&page, StatusCode::UNPROCESSABLE_ENTITY, refuse("account-wrong-password"), None).await;
        }
        Err(AuthError::Throttled { .. }) => {
            return account_page(&page, StatusCode::TOO_MANY_REQUESTS, refuse("sign-in-throttled"), None).await;
        }
        Err(fault) => return Err(fault.into()),
    }
    match auth.set_password(&identity.email, post.get("new")).await {
        Ok(_) => {}
        Err(AuthError::WeakPassword(_)) => {
            return account_page(&page, StatusCode::UNPROCESSABLE_ENTITY, refuse("account-weak-password"), None).await;
        }
        Err(fault) => return Err(fault.into()),
    }
    let start = auth.sign_in(&identity.email, post.get("new"), page.requester.ip).await?;
    let mut response = page.go("/account?done=password");
    response.headers_mut().append(header::SET_COOKIE, session_cookie(&page.state.config, &start));
    Ok(unkept(response))
}

/// `POST /account/tokens`: answers the page itself, since the secret is shown once and kept nowhere.
pub(super) async fn create_token(page: Page, post: Post) -> Result<Response, Problem> {
    let identity = page.requester.identity()?;
    let name = post.get("name").trim();
    if name.is_empty() {
        return account_page(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(("token", page.say("token-bad-name", &[]))), None).await;
    }
    let days = post.get("days").parse().ok().filter(|days| (1..=3650).contains(days));
    let name = name.chars().take(100).collect();
    let made = page.state.auth.create_token(NewToken { email: identity.email.clone(), name, days }).await?;
    account_page(&page, StatusCode::OK, None, Some(made.secret)).await
}

/// `POST /account/tokens/{id}/revoke`
pub(super) async fn revoke_token(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    let identity = page.requester.identity()?;
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    let own = page.state.auth.list_tokens(Some(&identity.email)).await?;
    if !own.iter().any(|token| token.id == id) {
        return Err(Problem::not_found());
    }
    page.state.auth.revoke_token(id).await?;
    Ok(page.go("/account?done=revoked"))
}
