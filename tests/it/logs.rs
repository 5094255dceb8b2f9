//! No personal value and no secret reaches the log, whatever is sent and however it fails.

use axum::http::Method;
use relata::auth::NewUser;
use relata::cli::{Log, LogFormat};
use serde_json::{Value, json};

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
        log::watch(value);
    }
    let (before, _) = log::seen();
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
    let (after, found) = log::seen();
    assert!(after >= before + 50, "each request leaves a line: {before} {after}");
    assert!(found.is_empty(), "{found:#?}");
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
