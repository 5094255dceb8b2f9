//! Every operation of the OpenAPI document and every page, asked by everybody: answered as the policy in
//! `tests/cases/access/matrix.txt` says. What has no line there fails.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use relata::auth::{NewToken, NewUser, TokenLimits};
use serde_json::{Value, json};

use crate::identity::PASSWORD;
use crate::support::{Answer, Ask, TestApp};

const POLICY: &str = include_str!("../../cases/access/matrix.txt");
const WORKSPACE: [(&str, &str); 2] = [
    ("definitions/lab/package.yaml", "kind: package\nid: lab\n"),
    ("definitions/lab/all.yaml", include_str!("../../cases/access/matrix.yaml")),
];

/// How far a right goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    None,
    Own,
    Seen,
    All,
}

impl Reach {
    fn parse(word: &str) -> Self {
        match word {
            "none" => Self::None,
            "own" => Self::Own,
            "seen" => Self::Seen,
            "all" => Self::All,
            other => panic!("`{other}` is no reach"),
        }
    }

    fn covers(self, kind: Kind) -> bool {
        match self {
            Self::None => false,
            Self::Own => kind == Kind::Own,
            Self::Seen => kind != Kind::Foreign,
            Self::All => true,
        }
    }
}

/// Whose record is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Own,
    Shared,
    Foreign,
}

/// One line of the operations.
#[derive(Debug, Clone)]
struct Row {
    needs: &'static str,
    right: &'static str,
    good: u16,
    otherwise: BTreeMap<&'static str, u16>,
}

#[derive(Default)]
struct Policy {
    records: BTreeMap<(&'static str, &'static str), [Reach; 7]>,
    operations: BTreeMap<(&'static str, &'static str), Row>,
    pages: BTreeMap<(&'static str, &'static str), &'static str>,
}

impl Policy {
    fn read() -> Self {
        let mut policy = Self::default();
        for line in POLICY.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["record", role, entity, reaches @ ..] => {
                    let reaches: Vec<Reach> = reaches.iter().map(|word| Reach::parse(word)).collect();
                    policy.records.insert((role, entity), reaches.try_into().expect("seven reaches"));
                }
                ["ask", method, path, needs, right, good, otherwise @ ..] => {
                    let status = |text: &str| text.parse::<u16>().expect("a status");
                    let pair = |text: &'static str| text.split_once('=').map(|(who, code)| (who, status(code))).expect("who=status");
                    let otherwise = otherwise.iter().map(|text| pair(text)).collect();
                    policy.operations.insert((method, path), Row { needs, right, good: status(good), otherwise });
                }
                ["page", method, path, who] => drop(policy.pages.insert((method, path), who)),
                _ => panic!("not a line of the policy: {line}"),
            }
        }
        policy
    }

    /// Whether everything is open to a role, but for what only administrators do.
    fn is_open_to(&self, role: &str) -> bool {
        self.records.iter().any(|((r, entity), reaches)| *r == role && *entity == "*" && *reaches == [Reach::All; 7])
    }

    fn reach(&self, role: &str, entity: &str, right: &str) -> Reach {
        let right = right.trim_start_matches("list-");
        let position =
            ["read", "create", "update", "delete", "share", "export", "import"].iter().position(|known| *known == right).expect("a right");
        let find = |name: &str| self.records.iter().find(|((r, e), _)| *r == role && *e == name).map(|(_, reaches)| reaches);
        find(entity).or_else(|| find("*")).map_or(Reach::None, |reaches| reaches[position])
    }
}

/// Somebody who asks.
struct Subject {
    name: &'static str,
    role: &'static str,
    /// What a token is limited to, with the entity it is for.
    scope: Option<(&'static str, Option<&'static str>)>,
    /// A token or a cookie; empty for a visitor.
    secret: String,
    by_cookie: bool,
    person: String,
    file: String,
}

impl Subject {
    fn send<'a>(&self, ask: Ask<'a>) -> Ask<'a> {
        match (self.by_cookie, self.secret.as_str()) {
            (_, "") => ask.anonymous(),
            (true, cookie) => ask.session(cookie).header("origin", "http://localhost:8080"),
            (false, token) => ask.token(token),
        }
    }

    /// Whether a token is made for this: reading or writing an entity, or one of the words of the table.
    fn is_in_scope(&self, right: &str, entity: Option<&str>) -> bool {
        let Some((scope, only)) = self.scope else { return true };
        let writes = matches!(right, "create" | "update" | "delete" | "share" | "import" | "write");
        match (right, entity) {
            ("any", _) => true,
            ("admin", _) => false,
            (_, Some(entity)) => only.is_none_or(|only| only == entity) && (scope == "write" || !writes),
            ("read", None) => only.is_none(),
            _ => scope == "write",
        }
    }
}

struct Lab {
    app: TestApp,
    subjects: Vec<Subject>,
    number: usize,
}

impl Lab {
    async fn new() -> Self {
        let app = TestApp::with_files(&WORKSPACE).await;
        let auth = &app.workspace.auth;
        let mut subjects = Vec::new();
        let roles =
            [("nobody", None), ("clerk", Some("clerk")), ("reader", Some("read_only")), ("user", Some("user")), ("admin", Some("admin"))];
        for (name, role) in roles {
            let email = format!("{name}.subject@example.com");
            let password = if name == "clerk" { PASSWORD } else { "" };
            let person = NewUser { name: name.into(), email: email.clone(), password: password.into(), locale: None, admin: false };
            let id = auth.create_user(person).await.expect("created").display("user");
            let roles: Vec<&str> = role.into_iter().collect();
            app.patch(&format!("/api/v1/records/user/{id}"), json!({ "roles": roles })).await.expect_status(200);
            let new = || NewToken { email: email.clone(), name: "matrix".into(), days: Some(0) };
            let secret = auth.create_token(new()).await.expect("made").secret;
            let upload =
                app.request(Method::POST, "/api/v1/files?name=a.txt").token(&secret).header("content-type", "application/octet-stream");
            let file = upload.bytes(*b"text").send().await.expect_status(201).json()["id"].as_str().expect("an id").to_owned();
            let subject = |name, scope, secret, by_cookie| Subject {
                role: if role.is_some() { roles_name(role) } else { "nobody" },
                name,
                scope,
                secret,
                by_cookie,
                person: id.clone(),
                file: file.clone(),
            };
            subjects.push(subject(name, None, secret, false));
            if name == "clerk" {
                subjects.push(subject("clerk-session", None, crate::identity::sign_in(&app, &email).await, true));
            }
            if name == "admin" {
                for (name, words, scope) in
                    [("read-token", "read", ("read", None)), ("memo-token", "write:lab.memo", ("write", Some("memo")))]
                {
                    let limits = TokenLimits { networks: Vec::new(), ..auth.token_limits(&[words.to_owned()], "").expect("scopes") };
                    let secret = auth.create_limited_token(new(), limits).await.expect("made").secret;
                    subjects.push(subject(name, Some(scope), secret, false));
                }
            }
        }
        let visitor = Subject {
            name: "visitor",
            role: "nobody",
            scope: None,
            secret: String::new(),
            by_cookie: false,
            person: String::new(),
            file: subjects[0].file.clone(),
        };
        subjects.push(visitor);
        Self { app, subjects, number: 0 }
    }

    fn next(&mut self) -> usize {
        self.number += 1;
        self.number
    }

    /// The values of a new record; a line hangs below a memo of this kind.
    async fn values(&mut self, entity: &str, person: &str, kind: Kind) -> Value {
        let number = self.next();
        match entity {
            "memo" => json!({ "name": format!("Memo {number}"), "code": format!("m{number}") }),
            "line" => json!({ "label": "x", "memo": Box::pin(self.record("memo", person, kind)).await }),
            "user" => json!({ "name": "Somebody", "email": format!("somebody{number}@example.com") }),
            "user_teams" => json!({
                "user": Box::pin(self.record("user", person, kind)).await, "team": Box::pin(self.record("team", person, kind)).await,
            }),
            "note" | "task" | "activity" => json!({ "subject": "x" }),
            "consent" => json!({ "purpose": "newsletter", "source": "paper" }),
            _ => json!({ "name": format!("Thing {number}") }),
        }
    }

    /// Values for a record that is there.
    async fn change(&mut self, entity: &str) -> Value {
        match entity {
            "line" => json!({ "label": "new" }),
            "note" | "task" | "activity" => json!({ "subject": "new" }),
            "consent" => json!({ "wording": "new" }),
            "user" => json!({ "phone": "+49 30 123456" }),
            "user_teams" => json!({ "team": self.record("team", "", Kind::Shared).await }),
            _ => json!({ "name": format!("New {}", self.next()) }),
        }
    }

    /// A new record of this kind, made by the administrator.
    async fn record(&mut self, entity: &str, person: &str, kind: Kind) -> String {
        let mut values = self.values(entity, person, kind).await;
        if entity == "memo" {
            values["shared"] = (kind == Kind::Shared).into();
            if kind == Kind::Own && !person.is_empty() {
                values["owner"] = person.into();
            }
        }
        self.app.create_id(entity, values).await
    }
}

fn roles_name(role: Option<&'static str>) -> &'static str {
    match role {
        Some("read_only") => "reader",
        Some(role) => role,
        None => "nobody",
    }
}

/// `/api/v1/records/memo/by/code/{value}` as it stands in the table, with its entity.
pub(super) fn template(path: &str) -> (String, Option<String>) {
    let mut parts: Vec<&str> = path.split('/').collect();
    let names_entity = path.starts_with("/api/v1/records/") || path.starts_with("/api/v1/pools/");
    let Some(entity) = parts.get(4).filter(|_| names_entity).map(|slug| (*slug).to_owned()) else { return (path.to_owned(), None) };
    parts[4] = "{entity}";
    if parts.get(5) == Some(&"by") {
        parts[6] = "{unique}";
    }
    if parts.get(6) == Some(&"actions") {
        parts[7] = "{name}";
    }
    (parts.join("/"), Some(entity))
}

/// The operations of a document.
pub(super) fn operations(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, methods) in paths {
        let methods = methods.as_object().expect("methods").keys().filter(|name| *name != "parameters");
        found.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    found
}

/// What is expected of a request about the records of an entity.
fn expected(policy: &Policy, row: &Row, subject: &Subject, entity: &str, kind: Kind) -> u16 {
    let right = if row.right == "any" { "read" } else { row.right };
    if policy.reach(subject.role, entity, "read") == Reach::None {
        return 404;
    }
    let reach = policy.reach(subject.role, entity, right);
    match row.needs {
        "list" if matches!(right, "export" | "import") && reach == Reach::None => 403,
        "list" => row.good,
        // A new line belongs to a memo, which must be there and be theirs to change.
        "new" if entity == "line" && !policy.reach(subject.role, "memo", "read").covers(kind) && reach != Reach::None => 422,
        "new" | "memo" => {
            if reach.covers(kind) {
                row.good
            } else {
                403
            }
        }
        _ if !policy.reach(subject.role, entity, "read").covers(kind) => 404,
        _ => {
            if reach.covers(kind) {
                row.good
            } else {
                403
            }
        }
    }
}

/// A request and who sends it; gives its status, of `item` requests that of the item.
async fn ask(lab: &mut Lab, at: usize, method: &str, path: &str, row: &Row, entity: Option<&str>, kind: Kind) -> (u16, Answer) {
    let person = lab.subjects[at].person.clone();
    let mut target = path.to_owned();
    let (mut body, mut file) = (None, None);
    match (row.needs, entity) {
        ("new", Some(entity)) => {
            let mut values = lab.values(entity, &person, kind).await;
            if path.contains("/by/") {
                let unique = path.split('/').nth(6).expect("a unique");
                let fields = if unique == "once" { vec!["user", "team"] } else { vec![unique] };
                let values = values.as_object_mut().expect("values");
                let parts: Vec<String> =
                    fields.iter().filter_map(|field| values.remove(*field)?.as_str().map(|text| text.replace(' ', "%20"))).collect();
                target = target.replace("{value}", &parts.join("~"));
            }
            body = Some(values);
        }
        ("item", Some(entity)) => {
            let (id, set) = (lab.record(entity, &person, kind).await, lab.change(entity).await);
            body = Some(json!([{ "id": id, "set": set }]));
        }
        ("one", Some(entity)) => {
            let id = lab.record(entity, &person, kind).await;
            target = target.replace("{id}", &id);
            if path.ends_with("/restore") {
                lab.app.delete(&format!("/api/v1/records/{entity}/{id}")).await.expect_status(204);
            }
            if path.contains("/shares") {
                if path.ends_with("{share}") {
                    let shared = lab.app.post(&format!("/api/v1/records/{entity}/{id}/shares"), json!({ "role": "read_only" })).await;
                    target = target.replace("{share}", shared.json()["id"].as_str().unwrap_or("none"));
                }
                body = match method {
                    "POST" => Some(json!({ "role": "read_only" })),
                    "PATCH" => Some(json!({ "may": "read" })),
                    _ => None,
                };
            } else if path.ends_with("/merge") || path.ends_with("/undo") {
                let other = lab.record(entity, &person, kind).await;
                let request = json!({ "from": [other] });
                if path.ends_with("/undo") {
                    let merged = lab.app.post(&format!("/api/v1/records/{entity}/{id}/merge"), request).await.json();
                    target = target.replace("{merge}", merged["merges"][0]["id"].as_str().unwrap_or("none"));
                } else {
                    body = Some(request);
                }
            } else if path.ends_with("/apart") {
                let other = lab.record(entity, &person, kind).await;
                body = Some(json!({ "records": [id, other] }));
            } else if path.ends_with("/convert") {
                body = (method == "POST").then(|| json!({}));
            } else if path.ends_with("/moves") {
                body = (method == "POST").then(|| json!({ "to": "done" }));
            } else if path.ends_with("/approvals") {
                body = (method == "POST").then(|| json!({ "approval": "nod" }));
            } else if path.ends_with("/registrations") {
                body = (method == "POST").then(|| json!({ "registration": "lay" }));
            } else if path.ends_with("/surveys") {
                body = Some(json!({ "survey": "lab.liked" }));
            } else if path.ends_with("/return") {
                body = Some(json!({ "reason": "Enough" }));
            } else if path.ends_with("/tasks") {
                body = Some(json!({ "pipeline": "work", "task": "look" }));
            } else if method == "PATCH" {
                body = Some(lab.change(entity).await);
            }
        }
        ("list", Some(entity)) => {
            target = target.replace("{entity}", entity);
            if path.ends_with("/aggregate") {
                body = Some(json!({ "measures": { "n": "count()" } }));
            } else if path.ends_with("/import") {
                let set = lab.change(entity).await;
                file = set.as_object().and_then(|set| set.keys().next()).map(|name| format!("{name}\nx\n"));
            } else if method == "POST" {
                body = Some(json!({}));
            }
        }
        ("memo", _) => {
            let values = lab.values("memo", &person, kind).await;
            body = Some(json!({ "operations": [{ "op": "create", "entity": "memo", "values": values }] }));
        }
        ("other", entity) => {
            let id = lab.record(entity.unwrap_or("user"), "", Kind::Shared).await;
            if path.ends_with("/erase") && entity == Some("user") {
                // Who still signs in is not erased.
                lab.app.patch(&format!("/api/v1/records/user/{id}"), json!({ "active": false })).await.expect_status(200);
            }
            target = target.replace("{id}", &id);
        }
        ("file", _) => {
            let whose = if kind == Kind::Own { lab.subjects[at].file.clone() } else { lab.subjects[0].file.clone() };
            target = target.replace("{id}", &whose);
        }
        _ => target = target.replace("{id}", "1"),
    }
    match path {
        "/api/v1/tokens" if method == "POST" => body = Some(json!({ "name": "t", "scopes": ["read"] })),
        "/api/v1/access/why" => target.push_str(&format!("?record={}", lab.record("memo", &person, Kind::Own).await)),
        "/api/v1/access/who" => target.push_str("?of=memo.name"),
        // Nobody stands in for themselves.
        "/api/v1/stand-ins" if method == "POST" => body = Some(json!({ "stand_in": person, "until": "2030-01-01T00:00:00Z" })),
        _ if path.starts_with("/api/v1/pools/") => {
            target = target.replace("{pool}", "free");
            body = match method {
                "POST" if path.ends_with("/claim") => Some(json!({ "records": [lab.record("memo", &person, Kind::Own).await] })),
                "POST" => Some(json!({ "most": 1 })),
                _ => None,
            };
        }
        "/api/v1/webhooks" if method == "POST" => {
            body = Some(json!({ "name": format!("hook{}", lab.next()), "url": "https://example.com" }))
        }
        "/api/v1/what-if" => body = Some(json!({ "automation": "crm.none" })),
        "/api/v1/mails/preview" | "/api/v1/mails/test" | "/api/v1/mails/stops/release" => body = Some(json!({})),
        "/api/v1/people/invite" => body = Some(json!({ "email": format!("guest{}@example.com", lab.next()) })),
        _ if path.ends_with("/deactivate") => body = Some(json!({})),
        "/api/v1/session/confirm" => body = Some(json!({ "password": "wrong password" })),
        _ if path.starts_with("/api/v1/definitions/") && method == "POST" => body = Some(json!({})),
        _ => {}
    }
    let verb = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request = lab.app.request(verb, &target);
    if path == "/api/v1/files" {
        request = lab.app.request(Method::POST, "/api/v1/files?name=b.txt").header("content-type", "application/octet-stream").text("b");
    }
    if let Some(body) = &body {
        request = request.json(body);
    }
    if let Some(file) = &file {
        request = request.header("content-type", "text/csv").text(file.as_str());
    }
    let answer = lab.subjects[at].send(request).send().await;
    let mut status = answer.status.as_u16();
    if row.needs == "item" && status == 200 {
        let item = &answer.json()["results"][0];
        status = if item["status"] == "failed" { u16::try_from(item["error"]["status"].as_u64().unwrap_or(0)).unwrap_or(0) } else { 200 };
    }
    // Whoever may set no field of an entity is told so, field by field.
    if status == 422 && answer.text().contains("\"not_writable\"") {
        status = 403;
    }
    (status, answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_answers_everybody_as_the_policy_says() {
    let policy = Policy::read();
    let mut lab = Lab::new().await;
    let document = lab.app.get("/api/v1/openapi.json").await.expect_status(200).json();
    let slugs: Vec<String> = {
        let schemas = lab.app.get("/api/v1/schema").await.expect_status(200).json();
        schemas["data"].as_array().expect("entities").iter().map(|one| one["entity"].as_str().expect("a slug").to_owned()).collect()
    };
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (method, path) in operations(&document) {
        let (general, entity) = template(&path);
        let Some((known, row)) = policy.operations.iter().find(|((m, p), _)| *m == method && *p == general) else {
            wrong.push(format!("{method} {general} has no line in the policy"));
            continue;
        };
        used.insert(*known);
        // An operation about all entities is asked for each.
        let entities: Vec<Option<String>> =
            if path.contains("{entity}") { slugs.iter().cloned().map(Some).collect() } else { vec![entity] };
        for entity in entities {
            let kinds: &[Kind] = match (row.needs, entity.as_deref()) {
                ("one" | "item", Some("memo" | "line")) | ("new", Some("line")) => &[Kind::Own, Kind::Shared, Kind::Foreign],
                ("one" | "item", _) => &[Kind::Shared],
                ("file", _) => &[Kind::Own, Kind::Foreign],
                _ => &[Kind::Own],
            };
            for at in 0..lab.subjects.len() {
                for kind in kinds {
                    let subject = &lab.subjects[at];
                    let right_of_scope = match row.needs {
                        "memo" => subject.is_in_scope("create", Some("memo")),
                        // No scope stands before what describes the workspace.
                        "list" if row.right == "any" => true,
                        _ => subject.is_in_scope(row.right, entity.as_deref()),
                    };
                    let status = match row.needs {
                        "open" => row.good,
                        _ if subject.secret.is_empty() => 401,
                        _ if row.otherwise.contains_key(subject.name) => row.otherwise[subject.name],
                        _ if !right_of_scope => 403,
                        "person" => row.good,
                        "admin" | "other" => {
                            if subject.role == "admin" {
                                row.good
                            } else {
                                403
                            }
                        }
                        "file" if *kind == Kind::Own || policy.is_open_to(subject.role) || subject.file == lab.subjects[0].file => row.good,
                        "file" => 404,
                        "memo" => expected(&policy, &Row { right: "create", ..row.clone() }, subject, "memo", *kind),
                        _ => expected(&policy, row, subject, entity.as_deref().expect("an entity"), *kind),
                    };
                    let (got, answer) = ask(&mut lab, at, &method, &path, row, entity.as_deref(), *kind).await;
                    asked += 1;
                    if got != status {
                        let name = lab.subjects[at].name;
                        wrong.push(format!("{method} {path} {entity:?} {kind:?} as {name}: {got} instead of {status}: {}", answer.text()));
                    }
                }
            }
        }
    }
    for known in policy.operations.keys().filter(|known| !used.contains(*known)) {
        wrong.push(format!("{known:?} has a line in the policy and is not in the document"));
    }
    assert!(wrong.is_empty(), "{} of {asked} answers are not as the policy says:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 1000, "{asked}");
}

#[tokio::test]
async fn the_document_of_each_role_holds_what_it_may_ask_and_nothing_else_of_records() {
    let policy = Policy::read();
    let lab = Lab::new().await;
    let whole = operations(&lab.app.get("/api/v1/openapi.json").await.expect_status(200).json());
    for subject in lab.subjects.iter().filter(|subject| subject.scope.is_none() && !subject.secret.is_empty()) {
        let answer = subject.send(lab.app.request(Method::GET, "/api/v1/openapi.json")).send().await;
        let own: BTreeSet<(String, String)> = operations(&answer.expect_status(200).json()).into_iter().collect();
        for (method, path) in &whole {
            let Some(entity) = template(path).1 else { continue };
            let reads = policy.reach(subject.role, &entity, "read") != Reach::None;
            let is_there = own.contains(&(method.clone(), path.clone()));
            assert!(reads || !is_there, "{method} {path} is in the document of {}", subject.name);
            let list = method == "GET" && path == &format!("/api/v1/records/{entity}");
            assert!(!list || reads == is_there, "{method} {path} is not in the document of {}", subject.name);
        }
    }
}

/// The routes of a file of sources: methods and paths.
fn routes(source: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for line in source.lines() {
        let Some((path, handlers)) = line.trim().strip_prefix(".route(\"").and_then(|rest| rest.split_once('"')) else { continue };
        for (word, method) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("patch(", "PATCH"), ("delete(", "DELETE")] {
            if handlers.contains(word) {
                found.push((method, path.to_owned()));
            }
        }
    }
    found
}

/// The routes of the pages.
pub(super) fn page_routes() -> Vec<(&'static str, String)> {
    routes(include_str!("../../../src/web/pages/mod.rs"))
}

#[tokio::test]
async fn every_route_has_a_line_in_the_policy_and_every_page_is_shut_as_it_says() {
    let policy = Policy::read();
    let api = routes(include_str!("../../../src/web/api/mod.rs"));
    let pages = page_routes();
    assert!(api.len() > 20 && pages.len() > 40, "the routes are read from the sources: {} {}", api.len(), pages.len());
    for (method, path) in &api {
        // Metrics have tests of their own; a file's page is its address in the API.
        let is_beside = matches!(path.as_str(), "/metrics" | "/files/{id}");
        let is_known = policy.operations.keys().any(|(m, p)| m == method && p == path);
        assert!(is_beside || is_known, "{method} {path} has no line in the policy");
    }
    for (method, path) in &pages {
        assert!(policy.pages.keys().any(|(m, p)| m == method && p == path), "{method} {path} has no line in the policy");
    }
    let mut lab = Lab::new().await;
    let memo = lab.record("memo", "", Kind::Shared).await;
    let find = |name: &str| lab.subjects.iter().find(|subject| subject.name == name).expect("a subject");
    let (visitor, clerk) = (find("visitor"), find("clerk-session"));
    for ((method, path), who) in &policy.pages {
        assert!(pages.iter().any(|(m, p)| m == method && p == path), "{method} {path} is no page any more");
        let id = if path.starts_with("/people") { clerk.person.as_str() } else { memo.as_str() };
        let target = path.replace("{entity}", "memo").replace("{id}", id).replace("{act}", "deactivate").replace("{name}", "press");
        let target = target.replace("{hash}", "0").replace("{*file}", "app.css");
        let request = || {
            let ask = lab
                .app
                .request(Method::from_bytes(method.as_bytes()).expect("a method"), &target)
                .header("origin", "http://localhost:8080");
            if *method == "POST" { ask.header("content-type", "application/x-www-form-urlencoded") } else { ask }
        };
        let answer = visitor.send(request()).send().await;
        let to_sign_in = answer.status == 303 && answer.header("location").starts_with("/sign-in");
        match *who {
            "open" => assert!(!answer.status.is_server_error() && answer.status != 403, "{method} {target}: {}", answer.text()),
            _ => assert!(to_sign_in || answer.status == 401, "{method} {target} is open: {} {}", answer.status, answer.text()),
        }
        if *who == "admin" {
            let answer = clerk.send(request()).send().await;
            assert_eq!(answer.status, 403, "{method} {target} as a clerk: {}", answer.text());
        }
    }
}
