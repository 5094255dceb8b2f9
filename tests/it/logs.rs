//! No personal value and no secret reaches the log, whatever is sent and however it fails.

use axum::http::Method;
use relata::auth::NewUser;
use relata::cli::{Log, LogFormat};
use serde_json::{Value, json};

use crate::support::log::{Scanner, variable};
use crate::support::needles::Needles;
use crate::support::{TestApp, log};

/// Words that occur nowhere else; each is sent in other ways.
const NAME: &str = "Zqcanary-Name-7311";
const EMAIL: &str = "zqcanary.mail.7312@example.org";
const PHONE: &str = "+8613800007313";
const PASSWORD: &str = "zqcanary phrase 7314 is long";
const SEARCHED: &str = "zqcanarysearch7315";
const BROKEN: &str = "zqcanarybroken7316";
const PATH: &str = "zqcanarypath7317";
const HEADER: &str = "zqcanaryheader7318";
const FILE: &str = "zqcanary-file-7319.txt";

#[tokio::test]
async fn no_value_of_a_request_reaches_the_log() {
    let app = TestApp::shipped("crm").await;
    for value in [NAME, EMAIL, PHONE, PASSWORD, SEARCHED, BROKEN, PATH, HEADER, FILE] {
        log::used_secret(value);
    }
    let before = log::lines();
    let contact = json!({"name": {"given": NAME, "family": NAME}, "email": EMAIL, "phone": PHONE});
    let id = app.create_id("contact", contact.clone()).await;
    let path = format!("/api/v1/records/contact/{id}");
    app.post("/api/v1/records/contact", contact).await;
    app.patch(&path, json!({"name": {"given": BROKEN, "family": NAME}, "email": BROKEN})).await;
    app.patch(&path, json!({BROKEN: NAME, "phone": BROKEN})).await;
    app.post("/api/v1/records/contact", json!({"account": BROKEN, "email": EMAIL})).await;
    app.post("/api/v1/batch", json!({"operations": [{"op": "create", "entity": BROKEN, "data": {"name": NAME}}]})).await;
    for query in [
        format!("q={SEARCHED}"),
        format!("filter=email='{SEARCHED}'"),
        format!("filter={SEARCHED}"),
        format!("sort={SEARCHED}"),
        format!("cursor={SEARCHED}"),
        format!("select={SEARCHED}"),
        format!("{SEARCHED}={SEARCHED}"),
    ] {
        app.get(&format!("/api/v1/records/contact?{query}")).await;
        app.get(&format!("/records/contact?{query}")).await;
        app.get(&format!("/search?{query}")).await;
    }
    for path in [format!("/{PATH}"), format!("/api/v1/{PATH}"), format!("/records/{PATH}"), format!("/api/v1/records/contact/{PATH}")] {
        app.get(&path).await;
        app.delete(&path).await;
    }
    for body in
        [format!("{{\"name\": \"{BROKEN}"), BROKEN.to_owned(), format!("[\"{BROKEN}\"]"), format!("{{\"email\": \"{BROKEN}\\u0000\"}}")]
    {
        app.request(Method::POST, "/api/v1/records/contact").header("content-type", "application/json").text(body).send().await;
    }
    let ask = |name: &'static str, value: &str| app.request(Method::GET, "/api/v1/records/contact").anonymous().header(name, value);
    for (name, value) in [
        ("authorization", format!("Bearer {HEADER}")),
        ("authorization", format!("Basic {HEADER}")),
        ("cookie", format!("relata_session={HEADER}")),
        ("user-agent", HEADER.to_owned()),
        ("referer", format!("http://localhost/{HEADER}")),
        ("x-forwarded-for", HEADER.to_owned()),
        ("host", format!("{HEADER}.example")),
        ("if-match", HEADER.to_owned()),
        ("idempotency-key", HEADER.to_owned()),
        ("accept-language", HEADER.to_owned()),
    ] {
        ask(name, &value).send().await;
    }
    let form = |path: &'static str, text: String| {
        let ask = app.request(Method::POST, path).anonymous().header("sec-fetch-site", "same-origin");
        ask.header("content-type", "application/x-www-form-urlencoded").text(text).send()
    };
    let person = NewUser { name: NAME.into(), email: EMAIL.into(), password: PASSWORD.into(), locale: None, admin: false };
    app.workspace.auth.create_user(person).await.expect("created");
    let (email, password) = (EMAIL.replace('@', "%40"), PASSWORD.replace(' ', "+"));
    form("/sign-in", format!("email={email}&password={password}")).await.expect_status(303);
    form("/sign-in", format!("email={email}&password={password}x")).await;
    form("/sign-in", format!("email={password}&password={email}")).await;
    form("/setup", format!("token={HEADER}&name={NAME}&email={email}&password={password}")).await;
    form("/sign-in/link", format!("token={HEADER}")).await;
    let upload = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{FILE}\"\r\nContent-Type: text/plain\r\n\r\n{BROKEN}\r\n--b--\r\n"
    );
    app.request(Method::POST, "/api/v1/files").header("content-type", "multipart/form-data; boundary=b").text(upload).send().await;
    app.post("/api/v1/definitions/check", json!({"files": [{"path": "a.yaml", "text": format!("kind: {BROKEN}\n")}]})).await;
    app.get(&path).await.expect_status(200);
    app.get(&format!("{path}/history")).await.expect_status(200);
    app.delete(&path).await;
    let after = log::lines();
    assert!(after >= before + 50, "each request leaves a line: {before} {after}");
    log::expect_clean();
}

/// The comparison finds what is there: in both formats, whichever way it came into a line, and also what is known only later.
#[test]
fn a_value_in_a_line_is_found() {
    static SCANNER: std::sync::LazyLock<Scanner> = std::sync::LazyLock::new(|| Scanner::new(None));
    let listening = tracing::Dispatch::new(log::subscriber(&SCANNER));
    let found = |what: fn()| {
        let before = SCANNER.found().len();
        tracing::dispatcher::with_default(&listening, what);
        SCANNER.found().len() - before
    };
    for value in [NAME, EMAIL, "a \"quoted\" value 7320"] {
        SCANNER.used(value);
    }
    assert_eq!(found(|| tracing::debug!(http.route = "/records/{entity}", "request")), 0);
    assert_eq!(found(|| tracing::debug!("welcome, {NAME}")), 2);
    assert_eq!(found(|| tracing::debug!(mail = EMAIL, "sent")), 2);
    assert_eq!(found(|| tracing::error!(error = ?Some("a \"quoted\" value 7320"), "failed")), 2);
    assert_eq!(found(|| tracing::warn!(person = %PHONE, "not yet known")), 0);
    SCANNER.told(PHONE);
    assert_eq!(SCANNER.found().last().map(String::as_str), Some("`+8613800007313`, before it was told"));
}

/// Compares a written log with all values of all runs that wrote it (`RELATA_TEST_LOG_SCAN=FILE`); `tests/run long logs` makes it.
#[test]
fn long_no_value_of_any_run_is_in_the_log() {
    let Some(path) = variable("RELATA_TEST_LOG_SCAN") else { return };
    let path = std::path::Path::new(&path);
    let mut needles = Needles::default();
    let values = std::fs::read(log::values_of(path)).expect("the values can be read");
    for value in String::from_utf8_lossy(&values).lines() {
        needles.add(value);
    }
    let text = without_routes(std::fs::read(path).expect("the log can be read"));
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines > 1_000 && needles.len() > 1_000, "{lines} lines, {} values: nothing ran", needles.len());
    // One of the values, put into one of the lines, is found where it is.
    for (at, value) in String::from_utf8_lossy(&values).lines().enumerate().step_by(needles.len() / 50 + 1) {
        let from = text.len() / 60 * (at * 60 / needles.len()).min(59);
        let mut piece = text[from..text.len().min(from + 2_000)].to_vec();
        piece.splice(1_000..1_000, value.bytes());
        assert!(needles.find(&piece).iter().any(|(at, found)| *at == 1_000 && found == value), "`{value}` was put in and not found");
    }
    let found = needles.find(&text);
    let shown = found.iter().take(20).map(|(at, value)| {
        let (from, to) = (at.saturating_sub(150), text.len().min(at + 150));
        format!("`{value}` in …{}…", String::from_utf8_lossy(&text[from..to]))
    });
    let shown: Vec<String> = shown.collect();
    println!("{:.1} MB of log, {lines} lines, {} values, {} found", text.len() as f64 / 1e6, needles.len(), found.len());
    assert!(found.is_empty(), "{shown:#?}");
}

/// What stands in the log where a route stood: no value is made of it, as some are of blanks.
const NO_ROUTE: u8 = 0x1f;

/// The log without the routes of requests: these are texts of the router and not of any request, whatever else was asked with
/// the same letters.
fn without_routes(mut text: Vec<u8>) -> Vec<u8> {
    for before in [&b"http.route=\""[..], b"\"http.route\":\""] {
        let found = text.windows(before.len()).enumerate().filter(|(_, window)| *window == before);
        let begins: Vec<usize> = found.map(|(at, _)| at + before.len()).collect();
        for begin in begins {
            let length = text[begin..].iter().position(|byte| *byte == b'"').map_or(0, |at| at + 1);
            text[begin..begin + length].fill(NO_ROUTE);
        }
    }
    text
}

#[test]
fn routes_are_no_values_and_all_else_is_kept() {
    let text = "a http.route=\"/account\" account\" b\n{\"http.route\":\"/records/{entity}\",\"x\":\"/account\"}";
    let blanks = |count: usize| char::from(NO_ROUTE).to_string().repeat(count);
    let wanted = format!("a http.route=\"{} account\" b\n{{\"http.route\":\"{},\"x\":\"/account\"}}", blanks(9), blanks(18));
    assert_eq!(String::from_utf8(without_routes(text.into())).expect("a text"), wanted);
}

/// A log into a buffer of its own.
#[derive(Clone, Default)]
struct Buffer(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lines_of(format: LogFormat) -> String {
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let log = Log { level: "info".into(), format };
    let subscriber = relata::app::log::subscriber(&log, false, move || writer.clone());
    tracing::subscriber::with_default(subscriber, || {
        tracing::warn!(script = "a\r\nERROR forged\u{1b}[31m\u{202e}", count = 3, "one\nline");
        tracing::debug!("not at this level");
    });
    let bytes = buffer.0.lock().expect("the lock").clone();
    String::from_utf8(bytes).expect("a text")
}

#[test]
fn a_line_cannot_be_forged() {
    let text = lines_of(LogFormat::Text);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.ends_with(" WARN one\\u{a}line script=a\\u{d}\\u{a}ERROR forged\\u{1b}[31m\\u{202e} count=3\n"), "{text}");
    let json = lines_of(LogFormat::Json);
    assert_eq!(json.lines().count(), 1, "{json}");
    let line: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&line["level"], &line["message"], &line["count"]), (&json!("warn"), &json!("one\nline"), &json!(3)));
    assert_eq!(line["script"], "a\r\nERROR forged\u{1b}[31m\u{202e}");
}
