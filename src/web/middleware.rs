//! What surrounds every request: request id, who asks, what is refused before a handler sees it, security headers, and
//! problems written down.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use super::admission::{Class, Share};
use super::config::{WebConfig, is_loopback_host, split_port};
use super::error::{Unwritten, is_safe};
use super::requester::cookie_name;
use super::server::Peer;
use super::{Problem, Requester, State, pages, scope};
use crate::base::Locale;
use crate::base::clock::Stopwatch;
use crate::render::Arg;
use crate::store::audit::{self, Here};

const PAGE_CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const API_CSP: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// Longest form that one can send without being signed in.
const LONGEST_ENTRY_BYTES: usize = 64 * 1024;
/// Answers smaller than this fit in one packet anyway.
const COMPRESS_FROM_BYTES: u64 = 1400;

/// Puts the layers around the whole site.
pub(super) fn surround(site: Router, state: State) -> Router {
    let panics = state.clone();
    let compression = CompressionLayer::new()
        .gzip(true)
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESS_FROM_BYTES).and(NotForContentType::IMAGES).and(NotForContentType::SSE));
    site.fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(move |panic: Box<dyn std::any::Any + Send + 'static>| panicked(&panics, &*panic)))
        .layer(axum::middleware::from_fn_with_state(state, one_request))
        .layer(compression)
}

/// 405, or the bare list of methods for `OPTIONS` (axum adds `Allow`).
async fn method_not_allowed(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Problem::new("WEB405", format!("this path does not answer {method}"))
        .with_hint("the header `Allow` lists what it answers")
        .into_response()
}

/// A panic of a handler: counted, logged, told as an internal fault.
fn panicked(state: &State, panic: &(dyn std::any::Any + Send)) -> Response {
    state.panics.fetch_add(1, Ordering::Relaxed);
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("unknown"), "a handler panicked");
    Problem::new("WEB500", "something went wrong on our side").with_hint("the log has the cause under this request id").into_response()
}

/// Which of the site's parts a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Health: answered to everyone, whatever the `Host`.
    Health,
    /// Reached without signing in.
    Open,
    Api,
    Page,
}

fn part_of(path: &str) -> Part {
    match path {
        "/healthz" | "/readyz" | "/metrics" => Part::Health,
        "/sign-in" | "/setup" | "/invitation" | "/favicon.ico" | "/robots.txt" => Part::Open,
        _ if ["/assets/", "/sign-in/", "/survey/"].iter().any(|open| path.starts_with(open)) => Part::Open,
        _ if path.starts_with("/api/") || path == "/api" => Part::Api,
        _ => Part::Page,
    }
}

/// The id of the request that this task answers, for the log.
pub fn current_request() -> Option<Arc<str>> {
    audit::here().map(|here| here.request.clone()).filter(|id| !id.is_empty())
}

async fn one_request(axum::extract::State(state): axum::extract::State<State>, request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let id: Arc<str> = state.next_request_id().into();
    let class = Class::of(request.method(), request.uri().path());
    let note = Note::of(&request, class);
    let peer = request.extensions().get::<Peer>().copied();
    let ip = client_ip(&state.config, request.headers(), peer);
    let here = Arc::new(Here::new(ip.to_string(), id.clone()));
    audit::within(here.clone(), async {
        let response = answer(&state, id, ip, &here, class, request, next).await;
        let took = watch.elapsed();
        state.config.meters.answered(class, response.status().as_u16(), took);
        note.write(response.status(), took);
        response
    })
    .await
}

/// What the log says of a request: never its path's values, its query, its headers or its body.
struct Note(Option<(Method, Option<MatchedPath>)>);

impl Note {
    /// Requests slower than this are worth a line at the usual level.
    const SLOW: Duration = Duration::from_secs(1);

    fn of(request: &Request, class: Class) -> Self {
        Self((class != Class::Free).then(|| (request.method().clone(), request.extensions().get::<MatchedPath>().cloned())))
    }

    fn write(self, status: StatusCode, took: Duration) {
        let Some((method, route)) = self.0 else { return };
        let (method, status, ms) = (method.as_str(), status.as_u16(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let route = route.as_ref().map_or("none", MatchedPath::as_str);
        if took >= Self::SLOW {
            tracing::warn!(http.method = method, http.route = route, http.status = status, duration_ms = ms, "a slow request");
        } else {
            tracing::debug!(http.method = method, http.route = route, http.status = status, duration_ms = ms, "request");
        }
    }
}

async fn answer(state: &State, id: Arc<str>, ip: IpAddr, here: &Here, class: Class, request: Request, next: Next) -> Response {
    let (mut parts, mut body) = request.into_parts();
    let part = part_of(parts.uri.path());
    let mut requester = Requester {
        identity: None,
        request_id: id,
        locale: locale_of(state, &parts.headers),
        ip,
        by_session: false,
        agent: parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("").into(),
        is_fresh: false,
        renewed: Arc::default(),
    };
    // A program reads problem documents wherever it went astray; a browser gets a page.
    let wants_json = part == Part::Api || part == Part::Health || parts.headers.contains_key(header::AUTHORIZATION);
    let theme = (!wants_json).then(|| pages::theme_of(&parts.headers));
    let has_body = !axum::body::HttpBody::is_end_stream(&body);
    let mut is_read = false;
    if has_body && class == Class::Entry {
        // Anyone may send this: a body that trickles in must not hold a place while it does.
        match super::api::body::read_bytes(body, LONGEST_ENTRY_BYTES).await {
            Ok(bytes) => body = Body::from(bytes),
            Err(problem) => {
                let mut response = problem.into_response();
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                return finish(state, part, &requester, theme.as_deref(), response);
            }
        }
        is_read = true;
    }
    let admitted = match state.admission.enter(class).await {
        Ok(place) => admit(state, part, class, &parts, &mut requester).await.map(|share| (place, share)),
        Err(problem) => Err(problem.into()),
    };
    let is_unread = has_body && !is_read && admitted.is_err();
    let mut response = match admitted {
        Ok(_places) => {
            if let Some(identity) = &requester.identity {
                let user = identity.viewer.as_ref().map_or(identity.user, |viewer| viewer.user);
                here.is_asked_by(user.0, if identity.token.is_some() { "token" } else { "person" });
            }
            parts.extensions.insert(requester.clone());
            next.run(Request::from_parts(parts, body)).await
        }
        Err(Refusal::Problem(problem)) => problem.into_response(),
        Err(Refusal::SignIn(to)) => sign_in_redirect(&to),
    };
    if is_unread {
        // The body stays in the connection, where the next request would begin: the client opens another one.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    finish(state, part, &requester, theme.as_deref(), response)
}

/// Why a request does not reach a handler.
enum Refusal {
    Problem(Box<Problem>),
    /// To the sign-in page and back.
    SignIn(String),
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal::Problem(Box::new(error.into()))
    }
}

async fn admit<'a>(
    state: &'a State,
    part: Part,
    class: Class,
    request: &Parts,
    requester: &mut Requester,
) -> Result<Option<Share<'a>>, Refusal> {
    if part == Part::Health {
        return Ok(None);
    }
    check_uri(&request.uri)?;
    check_host(&state.config, &request.headers, &request.uri)?;
    let bearer = request.headers.contains_key(header::AUTHORIZATION);
    if !bearer && !is_safe(&request.method) {
        check_origin(&state.config, &request.headers)?;
    }
    let path = request.uri.path();
    // Icons say nothing to anybody, so that nobody would learn from them that looking as somebody else has ended.
    if !path.starts_with("/assets/") && class != Class::Free {
        match identify(state, &request.headers, requester).await {
            // The way back and the way out lead where they always lead.
            Err(problem) if problem.code == "ATH020" && matches!(path, "/view-as/end" | "/sign-out") => {
                identify(state, &request.headers, requester).await?;
            }
            outcome => outcome?,
        }
    }
    if requester.identity.as_ref().is_some_and(|identity| identity.viewer.is_some()) && !looks_only(&request.method, request.uri.path()) {
        return Err(crate::access::AccessError::OnlyLooks.into());
    }
    if let Some(scopes) = requester.limits() {
        scope::check(&state.catalog(), scopes, &request.method, request.uri.path())?;
    }
    if let Some(identity) = &requester.identity {
        return Ok(state.admission.share(class, identity.user.0)?);
    }
    if part == Part::Open {
        return Ok(None);
    }
    // Whoever sends a message to it shows by a signature who they are.
    if path.starts_with("/api/v1/received/") && request.method == Method::POST {
        return Ok(None);
    }
    if part == Part::Api {
        return Err(Problem::sign_in_needed().into());
    }
    let back = request.uri.path_and_query().map_or("/", |path| path.as_str());
    Err(Refusal::SignIn(if request.method == Method::GET { back.to_owned() } else { "/".to_owned() }))
}

/// What is open to one who looks through somebody else's eyes: records, and the way back. What belongs to the person alone
/// (account, sessions, tokens) and to administrators is not.
fn looks_only(method: &Method, path: &str) -> bool {
    if !is_safe(method) {
        let is_read = path.starts_with("/api/v1/records/") && (path.ends_with("/query") || path.ends_with("/aggregate"));
        return matches!(path, "/view-as/end" | "/sign-out") || (is_read && *method == Method::POST && path.split('/').count() == 6);
    }
    let open = ["/records/", "/files/", "/assets/", "/docs/", "/api/v1/records/", "/api/v1/files/", "/api/v1/schema/"];
    matches!(path, "/" | "/search" | "/favicon.ico" | "/robots.txt" | "/api/v1/schema" | "/api/v1/openapi.json" | "/api/v1/changes")
        || open.iter().any(|open| path.starts_with(open))
}

/// PostgreSQL's text cannot hold the null character, and nothing sensible contains it.
fn check_uri(uri: &Uri) -> Result<(), Problem> {
    let has_null = |text: &str| text.as_bytes().windows(3).any(|three| three == b"%00");
    if has_null(uri.path()) || uri.query().is_some_and(has_null) {
        return Err(Problem::new("WEB400", "the address contains a null character"));
    }
    Ok(())
}

/// Refuses a `Host` that is not ours: a name that resolves to this machine must not make a browser treat our answers
/// as that name's (DNS rebinding). Bare addresses cannot be rebound.
fn check_host(config: &WebConfig, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let mut values = headers.get_all(header::HOST).iter();
    let host = match (values.next(), values.next()) {
        (Some(host), None) => host.to_str().unwrap_or(""),
        (None, _) => uri.authority().map_or("", |authority| authority.as_str()),
        (Some(_), Some(_)) => return Err(Problem::new("WEB400", "the header `Host` is there twice")),
    };
    let Some((name, _)) = split_port(host) else {
        return Err(Problem::new("WEB400", "the header `Host` is missing or not readable"));
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if is_loopback_host(name) || name.eq_ignore_ascii_case(&config.public_url.host) || bare.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(Problem::new("WEB421", format!("this site is not `{name}`"))
        .with_hint(format!("open {}, or set `public_url`", config.public_url.origin)))
}

/// Refuses a changing request that another site made a browser send.
fn check_origin(config: &WebConfig, headers: &HeaderMap) -> Result<(), Problem> {
    let refused = || {
        Problem::new("WEB403", "this request came from another site")
            .with_hint("open the page here and try again; programs send an API token")
    };
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return if matches!(site, "same-origin" | "none") { Ok(()) } else { Err(refused()) };
    }
    if let Some(origin) = text(header::ORIGIN) {
        let own_host = text(header::HOST).is_some_and(|host| origin == format!("http://{host}") && is_loopback_host(host_name(host)));
        return if origin.eq_ignore_ascii_case(&config.public_url.origin) || own_host { Ok(()) } else { Err(refused()) };
    }
    // No browser of today omits both on a changing request; a cookie without them is nobody's.
    if session_of(config, headers).is_some() { Err(refused()) } else { Ok(()) }
}

fn host_name(host: &str) -> &str {
    split_port(host).map_or("", |(name, _)| name)
}

/// Finds the person: an `Authorization` header counts alone, whatever cookies come with it.
pub(in crate::web) async fn identify(state: &State, headers: &HeaderMap, requester: &mut Requester) -> Result<(), Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(bearer_token).ok_or_else(Problem::sign_in_needed)?;
        let identity = state.auth.identify_token(token, requester.ip).await?.ok_or_else(Problem::sign_in_needed)?;
        requester.identity = Some(identity);
    } else if let Some(cookie) = session_of(&state.config, headers) {
        requester.identity = state.auth.identify_session(cookie).await?;
        requester.by_session = requester.identity.is_some();
    }
    requester.is_fresh = requester.identity.as_ref().is_some_and(|identity| identity.is_fresh(state.clock.now()));
    if let Some(locale) = requester.identity.as_ref().and_then(|identity| identity.locale)
        && requester.by_session
    {
        requester.locale = locale;
    }
    Ok(())
}

fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.trim())
}

/// The value of the session cookie.
pub(super) fn session_of<'a>(config: &WebConfig, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = cookie_name(config);
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    })
}

fn locale_of(state: &State, headers: &HeaderMap) -> Locale {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(Locale::from_accept_language)
        .unwrap_or_else(|| state.services().catalog.load().settings.locale)
}

/// The client's address. A trusted proxy says it in `X-Forwarded-For`: the last entry that is no trusted proxy itself.
fn client_ip(config: &WebConfig, headers: &HeaderMap, peer: Option<Peer>) -> IpAddr {
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip().to_canonical());
    let is_trusted = |ip: IpAddr| config.trusted_proxies.iter().any(|network| network.contains(ip));
    if !is_trusted(peer) {
        return peer;
    }
    let mut client = peer;
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    for entry in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Ok(ip) = entry.trim().parse::<IpAddr>() else { break };
        client = ip.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    client
}

fn sign_in_redirect(back: &str) -> Response {
    let mut to = String::from("/sign-in");
    if back != "/" {
        to.push_str("?next=");
        for byte in back.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
                to.push(char::from(byte));
            } else {
                to.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// Writes a problem down and adds the headers that every answer has.
fn finish(state: &State, part: Part, requester: &Requester, theme: Option<&str>, mut response: Response) -> Response {
    if let Some(Unwritten(problem)) = response.extensions_mut().remove::<Unwritten>() {
        write_problem(state, &problem, requester, theme, &mut response);
    }
    let status = response.status();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&requester.request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let api = part == Part::Api || part == Part::Health;
        headers.insert(header::CONTENT_SECURITY_POLICY, if api { API_CSP } else { PAGE_CSP });
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        let plain = if status.is_client_error() || status.is_server_error() { "no-store" } else { "private, no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(plain));
    }
    if part != Part::Api {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
        headers.insert(
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        );
    }
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    if let Some(cookie) = requester.renewed.get() {
        // The former secret is worth nothing any more, whatever came of the request. A session that began or ended in it goes before.
        let name = format!("{}=", cookie_name(&state.config));
        if !headers.get_all(header::SET_COOKIE).iter().any(|set| set.as_bytes().starts_with(name.as_bytes())) {
            headers.append(header::SET_COOKIE, cookie.clone());
        }
    }
    if state.config.public_url.https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// `theme` is `None` where a program asks, which gets a document.
fn write_problem(state: &State, problem: &Arc<Problem>, requester: &Requester, theme: Option<&str>, response: &mut Response) {
    if let Some(theme) = theme
        && let Some(page) = pages::error_page(state, problem, requester, theme)
    {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        *response.body_mut() = Body::from(page);
        return;
    }
    let document = match requester.locale {
        Locale::En => problem.to_json(&requester.request_id),
        locale => translated(state, problem, locale).to_json(&requester.request_id),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response.body_mut() = Body::from(document.to_string());
}

/// The problem with its faults told in a person's language, where the product has words for them. A rule of the
/// definitions brings its own words, which stay.
fn translated(state: &State, problem: &Problem, locale: Locale) -> Problem {
    let mut problem = problem.clone();
    for fault in &mut problem.errors {
        fault.message = fault_words(state, locale, &fault.code, &fault.params, &fault.message);
    }
    problem
}

/// A fault in a person's language; `message` where the product has no words of its own for it.
pub(super) fn fault_words(state: &State, locale: Locale, code: &str, params: &Value, message: &str) -> String {
    let messages = state.messages();
    let key = format!("fault-{}", code.to_ascii_lowercase().replace('_', "-"));
    if locale == Locale::En || !messages.has(locale, &key) {
        return message.to_owned();
    }
    let args: Vec<(&str, Arg<'_>)> = params
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name.as_str(), Arg::Text(text))),
            Value::Number(number) => number.as_i64().map(|number| (name.as_str(), Arg::Count(number))),
            _ => None,
        })
        .collect();
    messages.text(locale, &key, &args)
}
