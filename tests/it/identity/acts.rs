//! Every door through which somebody comes in, or changes who may: each leaves its entries in the audit, with who and from
//! where, and no entry holds a secret or a personal value.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use axum::http::Method;
use relata::auth::totp::code_for_tests;
use relata::store::audit::{self, Filter, Line};
use relata::store::passkeys::{self, Passkey};
use serde_json::{Value, json};

use super::second_factor::{hidden, recovery_codes, secret_of};
use super::{PASSWORD, new_cookie, post_form, signed_in};
use crate::support::{Answer, CRM, TestApp};

/// The audit as a reader who remembers where they were.
struct Book {
    app: TestApp,
    last: i64,
    /// What was used as a password, code, token or address: none of it may be told.
    secrets: BTreeSet<String>,
}

impl Book {
    async fn open(app: TestApp) -> Self {
        let mut book = Self { app, last: 0, secrets: BTreeSet::new() };
        book.news().await;
        for word in [PASSWORD, "wrong and long enough", "another long sentence", "example.com"] {
            book.secrets.insert(word.to_owned());
        }
        book
    }

    /// Entries since the last look, oldest first.
    async fn news(&mut self) -> Vec<Line> {
        let mut lines = audit::list(&self.app.workspace.store, &Filter::default(), None, 500).await.expect("lists");
        lines.retain(|line| line.seq > self.last);
        lines.reverse();
        self.last = lines.last().map_or(self.last, |line| line.seq);
        lines
    }

    /// What this door left: acts and who did them, from an address and in a request.
    #[track_caller]
    fn check(&self, door: &str, news: &[Line], expected: &[(&str, &str)]) {
        let told: Vec<(&str, &str)> = news.iter().map(|line| (line.action.as_str(), line.actor_kind.as_str())).collect();
        assert_eq!(told, expected, "{door}: {news:?}");
        for line in news {
            assert_eq!(line.origin, "127.0.0.1", "{door}: {line:?}");
            assert!(!line.request.is_empty(), "{door}: {line:?}");
            assert!(line.actor_kind == "nobody" || line.actor != 0, "{door}: {line:?}");
            for secret in &self.secrets {
                assert!(!line.detail.contains(secret.as_str()), "{door} tells `{secret}`: {line:?}");
            }
        }
    }

    async fn after(&mut self, door: &str, answer: Answer, status: u16, expected: &[(&str, &str)]) -> Answer {
        let answer = answer.expect_status(status);
        let news = self.news().await;
        self.check(door, &news, expected);
        answer
    }

    /// A form of a visitor or in a session.
    async fn form(&mut self, cookie: &str, path: &str, form: &str, status: u16, expected: &[(&str, &str)]) -> Answer {
        let answer = post_form(&self.app, cookie, path, form).await;
        self.after(path, answer, status, expected).await
    }

    /// A request of the API in a session.
    async fn api(&mut self, cookie: &str, method: Method, path: &str, body: Value, status: u16, expected: &[(&str, &str)]) -> Value {
        let ask = self.app.request(method, path).session(cookie).header("origin", "http://localhost:8080");
        let answer = ask.json(&body).send().await;
        let answer = self.after(path, answer, status, expected).await;
        serde_json::from_slice(&answer.bytes).unwrap_or_default()
    }

    fn code(&self, secret: &str) -> String {
        self.app.clock.advance_ms(30_000);
        code_for_tests(secret, relata::base::Clock::now(self.app.clock.as_ref()))
    }
}

const NOBODY: &str = "none=x";
const REFUSED: (&str, &str) = ("session.refuse", "nobody");
const BEGUN: (&str, &str) = ("session.begin", "person");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_of_the_site_leaves_its_entries() {
    let app = TestApp::crm().await;
    signed_in(&app, "bo@example.com", true).await;
    let mut book = Book::open(app).await;
    let sign_in = |password: &str| format!("email=bo%40example.com&password={}", password.replace(' ', "+"));

    // Refused first, at every way in.
    book.form(NOBODY, "/sign-in", &sign_in("wrong and long enough"), 422, &[REFUSED]).await;
    book.form(NOBODY, "/sign-in", "email=nobody%40example.com&password=x", 422, &[REFUSED]).await;
    book.form(NOBODY, "/sign-in/link", "token=wrong", 422, &[REFUSED]).await;
    let passkey = json!({ "id": "AAAA", "client_data": "AAAA", "device_data": "AAAA", "signature": "AAAA" });
    let ask = book.app.request(Method::POST, "/sign-in/passkey").anonymous().header("origin", "http://localhost:8080").json(&passkey);
    let answer = ask.send().await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    let news = book.news().await;
    book.check("/sign-in/passkey", &news, &[REFUSED]);

    // In, and once more.
    let done = book.form(NOBODY, "/sign-in", &sign_in(PASSWORD), 303, &[BEGUN]).await;
    let cookie = new_cookie(&done);
    let confirm = "/api/v1/session/confirm";
    book.api(&cookie, Method::POST, confirm, json!({ "password": "wrong and long enough" }), 401, &[("session.refuse", "person")]).await;
    let ask = book.app.request(Method::POST, confirm).session(&cookie).header("origin", "http://localhost:8080");
    let answer = ask.json(&json!({ "password": PASSWORD })).send().await;
    let cookie = new_cookie(&book.after(confirm, answer, 204, &[("session.confirm", "person")]).await);

    // Tokens.
    let made = [("token.create", "person")];
    let token = book.api(&cookie, Method::POST, "/api/v1/tokens", json!({ "name": "t", "scopes": ["read"] }), 201, &made).await;
    book.secrets.insert(token["token"].as_str().expect("a secret").to_owned());
    let path = format!("/api/v1/tokens/{}", token["id"].as_str().expect("an id"));
    book.api(&cookie, Method::DELETE, &path, json!({}), 204, &[("token.revoke", "person")]).await;
    book.api(&cookie, Method::DELETE, &path, json!({}), 404, &[]).await;

    // Second factors.
    let page = book.form(&cookie, "/account/second-factor/begin", "", 200, &[]).await.text();
    let secret = secret_of(&page);
    book.secrets.insert(secret.clone());
    book.form(&cookie, "/account/second-factor/finish", "code=000000", 422, &[("session.refuse", "person")]).await;
    let code = book.code(&secret);
    let done = book.form(&cookie, "/account/second-factor/finish", &format!("code={code}"), 200, &[("factor.set", "person")]).await;
    let codes = recovery_codes(&done.text());
    book.secrets.extend(codes.iter().cloned());
    let page = book.form(NOBODY, "/sign-in", &sign_in(PASSWORD), 200, &[]).await.text();
    let challenge = hidden(&page, "challenge");
    book.form(NOBODY, "/sign-in/code", &format!("code=000000&challenge={challenge}"), 422, &[REFUSED]).await;
    let form = format!("code={}&challenge={challenge}", codes[0]);
    book.form(NOBODY, "/sign-in/code", &form, 303, &[("factor.recover", "nobody"), BEGUN]).await;
    book.form(&cookie, "/account/second-factor/codes", "", 200, &[("factor.set", "person")]).await;
    book.form(&cookie, "/account/second-factor/remove", "", 303, &[("factor.remove", "person")]).await;

    // Sessions, passwords.
    book.form(&cookie, "/account/sessions/end-others", "", 303, &[("session.end", "person")]).await;
    let form = "current=correct+horse+battery&new=another+long+sentence&again=another+long+sentence";
    let changed = book.form(&cookie, "/account/password", form, 303, &[("password.set", "person"), BEGUN]).await;
    let cookie = new_cookie(&changed);

    // Other people.
    let invited = [("person.change", "person"), ("link.create", "person")];
    let eve = book.api(&cookie, Method::POST, "/api/v1/people/invite", json!({ "email": "eve@example.com" }), 201, &invited).await;
    let (id, link) = (eve["id"].as_str().expect("an id").to_owned(), eve["link"].as_str().expect("a link").to_owned());
    let token = link.split("token=").nth(1).expect("a token").to_owned();
    book.secrets.insert(token.clone());
    let accepted = [("link.use", "nobody"), ("password.set", "nobody"), BEGUN];
    let form = format!("token={token}&password=another+long+sentence");
    book.form(NOBODY, "/invitation", &form, 303, &accepted).await;
    let record = format!("/api/v1/records/user/{id}");
    let changes = [("person.change", "person")];
    let team = book.api(&cookie, Method::POST, "/api/v1/records/team", json!({ "name": "North" }), 201, &changes).await["id"].clone();
    for values in [json!({ "roles": ["admin"] }), json!({ "email": "eva@example.com" }), json!({ "team": team })] {
        book.api(&cookie, Method::PATCH, &record, values, 200, &changes).await;
    }
    book.api(&cookie, Method::PATCH, &record, json!({ "phone": "+49 30 123456" }), 200, &[]).await;
    book.form(&cookie, &format!("/people/{id}/end-sessions"), "", 303, &[("session.end", "person")]).await;
    book.form(&cookie, &format!("/people/{id}/reset-factor"), "", 303, &[("factor.remove", "person")]).await;
    let bo = book.app.get("/api/v1/records/user?filter=email%20%3D%20%27bo%40example.com%27").await.json()["data"][0]["id"].clone();
    let left = [("person.change", "person"), ("records.handover", "person")];
    book.api(&cookie, Method::POST, &format!("/api/v1/people/{id}/deactivate"), json!({ "heir": bo }), 200, &left).await;
    book.api(&cookie, Method::POST, &format!("/api/v1/people/{id}/reactivate"), json!({}), 204, &changes).await;
    book.form(&cookie, "/people/second-factor", "required=user", 303, &[("rules.change", "person")]).await;
    book.form(&cookie, "/people/second-factor", "", 303, &[("rules.change", "person")]).await;
    book.api(&cookie, Method::DELETE, &record, json!({}), 204, &changes).await;

    // Definitions, exports.
    book.api(&cookie, Method::POST, "/api/v1/definitions/plan", json!({}), 200, &[("definitions.plan", "person")]).await;
    let answer = book.app.request(Method::GET, "/audit/export").session(&cookie).send().await;
    book.after("/audit/export", answer, 200, &[("audit.export", "person")]).await;
    book.form(&cookie, "/sign-out", "", 303, &[("session.end", "person")]).await;
}

/// Passkeys and accounts of an identity provider are further ways in: adding and removing one is told.
#[tokio::test]
async fn further_ways_in_are_told_when_they_are_added_and_removed() {
    let app = TestApp::crm().await;
    let mut book = Book::open(app).await;
    let store = book.app.workspace.store.clone();
    let passkey = Passkey {
        id: "AAAA".into(),
        user_id: 7,
        name: "Somebody's phone".into(),
        public_key: "AAAA".into(),
        counter: 0,
        created_at: store.clock().now(),
        used_at: None,
    };
    let wrote: Result<(), relata::store::StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                assert!(passkeys::create(tx, &passkey).await?);
                assert!(!passkeys::create(tx, &passkey).await?, "the id is taken");
                assert!(passkeys::remove(tx, 7, "AAAA").await?);
                assert!(!passkeys::remove(tx, 7, "AAAA").await?);
                assert!(relata::store::sso::create(tx, "https://login.example.com", "subject", 7).await?);
                Ok(())
            })
        })
        .await;
    wrote.expect("written");
    let news = book.news().await;
    let told: Vec<(&str, &str)> = news.iter().map(|line| (line.action.as_str(), line.detail.as_str())).collect();
    assert_eq!(
        told,
        [("factor.set", r#"{"kind":"passkey"}"#), ("factor.remove", r#"{"kind":"passkey"}"#), ("factor.set", r#"{"kind":"sso"}"#)]
    );
}

/// What an operator does on the command line, with what is told of it.
const COMMANDS: [(&str, &str, &[&str]); 17] = [
    ("user add bo@example.com --name Bo --admin", "a long enough phrase\n", &["definitions.apply", "person.change", "password.set"]),
    ("user add eve@example.com --name Eve", "another long sentence\n", &["person.change", "password.set"]),
    ("user password eve@example.com", "a third long sentence\n", &["password.set"]),
    ("user link eve@example.com", "", &["link.create"]),
    ("user invite guest@example.com", "", &["person.change", "link.create"]),
    ("user require-second-factor admin", "", &["rules.change"]),
    ("user require-second-factor none", "", &["rules.change"]),
    ("user reset-second-factor eve@example.com", "", &["factor.remove"]),
    ("token create --user bo@example.com", "", &["token.create"]),
    ("user deactivate eve@example.com --reassign-to bo@example.com", "", &["person.change", "records.handover"]),
    ("user reactivate eve@example.com", "", &["person.change"]),
    ("import people.csv --into shop.account --dry-run", "", &[]),
    ("import people.csv --into shop.account", "", &["records.import"]),
    ("subject ACCOUNT", "", &["subject.export"]),
    ("apply --yes", "", &["definitions.apply"]),
    ("backup copy", "", &["backup.take"]),
    ("restore copy", "", &["backup.restore"]),
];

#[test]
fn every_command_leaves_its_entries() {
    let folder = std::env::temp_dir().join(format!("relata-acts-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    for (path, text) in CRM {
        let place = folder.join(path);
        std::fs::create_dir_all(place.parent().expect("below the folder")).expect("made");
        std::fs::write(place, text).expect("written");
    }
    std::fs::write(folder.join("people.csv"), "name,code\nAcme,a1\n").expect("written");
    let run = |line: &str, input: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relata"));
        command.current_dir(&folder).env_remove("DATABASE_URL").env_remove("RELATA_TEST_DATABASE").args(line.split(' '));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut last = 0;
    for (line, input, expected) in COMMANDS {
        if line.starts_with("apply") {
            let place = folder.join(CRM[2].0);
            let text = std::fs::read_to_string(&place).expect("read").replace("  code:", "  city: {type: text}\n  code:");
            std::fs::write(place, text).expect("written");
        }
        let line = if line.contains("ACCOUNT") { line.replace("ACCOUNT", &account_of(&folder)) } else { line.to_owned() };
        run(&line, input);
        if line.starts_with("restore") {
            // The look after the backup is not in it.
            last -= 1;
        }
        let entries: Value = serde_json::from_str(&run("audit export --format json", "")).expect("JSON");
        let mut news: Vec<&Value> =
            entries.as_array().expect("entries").iter().filter(|entry| entry["seq"].as_i64() > Some(last)).collect();
        news.sort_by_key(|entry| entry["seq"].as_i64());
        last = news.last().and_then(|entry| entry["seq"].as_i64()).unwrap_or(last);
        // The look itself is the last entry.
        let looked = news.pop().expect("the export is told");
        assert_eq!(looked["action"], "audit.export", "{line}: {looked}");
        let told: Vec<&str> = news.iter().map(|entry| entry["action"].as_str().expect("an act")).collect();
        assert_eq!(told, expected, "{line}");
        for entry in news {
            let text = entry.to_string();
            let is_first_apply = entry["action"] == "definitions.apply" && entry["origin"] == "";
            assert!(entry["origin"] == "command line" || is_first_apply, "{line}: {entry}");
            for word in ["example.com", "phrase", "sentence", "Acme"] {
                assert!(!text.contains(word), "{line} tells `{word}`: {entry}");
            }
        }
    }
    let whole = run("audit verify", "");
    assert!(whole.contains("the chain is whole"), "{whole}");
    let _ = std::fs::remove_dir_all(folder);
}

/// The id of the account that was imported.
fn account_of(folder: &std::path::Path) -> String {
    let database = rusqlite::Connection::open(folder.join("relata-data/relata.db")).expect("opens");
    let id: i64 = database.query_row("SELECT id FROM e_account", [], |row| row.get(0)).expect("one account");
    relata::base::RecordId(id).display("account")
}
