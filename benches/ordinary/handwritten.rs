//! What a careful programmer writes by hand for this one table: axum and rusqlite, prepared statements, reads inline on a
//! connection of the thread, writes by a thread that commits waiting writes together, `synchronous=FULL`, a token checked.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rusqlite::{Connection, params};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::client::Target;
use crate::rows::{self, ACCOUNTS, Folder, Row};

/// A running server; its folder goes when this goes.
pub struct Running {
    pub target: Target,
    _folder: Folder,
}

struct Shared {
    file: PathBuf,
    token: [u8; 32],
    writes: mpsc::Sender<Write>,
}

struct Write {
    kind: Kind,
    done: oneshot::Sender<i64>,
}

enum Kind {
    Create { name: String, code: String, stage: String, amount: i64, close_on: String, account: i64 },
    Update { id: i64, amount: i64 },
}

const SCHEMA: &str = "
CREATE TABLE account (id integer PRIMARY KEY, name text) STRICT;
CREATE TABLE deal (id integer PRIMARY KEY, version integer NOT NULL, created_at integer NOT NULL, updated_at integer NOT NULL, name text, code text,
  stage text, amount integer, close_on text, account integer REFERENCES account(id)) STRICT;
CREATE UNIQUE INDEX deal_code ON deal(code);
CREATE INDEX deal_stage ON deal(stage);
CREATE INDEX deal_close ON deal(close_on);
CREATE INDEX deal_stage_close ON deal(stage, close_on);
CREATE INDEX deal_account ON deal(account);
CREATE VIRTUAL TABLE deal_text USING fts5(words, content='', contentless_delete=1);";

const COLUMNS: &str = "d.id, d.version, d.name, d.code, d.stage, d.amount, d.close_on, d.account, d.created_at, d.updated_at";

fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).expect("the database opens");
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=0;")
        .expect("pragmas");
    connection.set_prepared_statement_cache_capacity(64);
    connection
}

pub async fn start(rows: &[Row]) -> Running {
    let folder = Folder::new("handwritten");
    let file = folder.0.join("data.db");
    let mut connection = new_database(&file);
    import(&mut connection, &rows::csv(rows));
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || writer(connection, receiver));
    let shadow = file.clone();
    std::thread::spawn(move || {
        let connection = open(&shadow);
        loop {
            std::thread::sleep(std::time::Duration::from_millis(250));
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    });
    let token = "a-token-of-the-handler";
    let shared = Arc::new(Shared { file, token: digest(token), writes: sender });
    let router = Router::new().route("/deal", get(list).post(create)).route("/deal/{id}", get(read).patch(update)).with_state(shared);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    let step = (rows.len() / 5000).max(1);
    let ids = (1..=rows.len()).step_by(step).map(|id| id.to_string()).collect();
    let accounts = (1..=ACCOUNTS).map(|id| id.to_string()).collect();
    Running { target: Target { address, token: token.into(), ids: Arc::new(ids), accounts: Arc::new(accounts) }, _folder: folder }
}

/// A database with the accounts, no deals.
fn new_database(file: &Path) -> Connection {
    let mut connection = open(file);
    connection.execute_batch(SCHEMA).expect("the tables");
    let tx = connection.transaction().expect("a transaction");
    for position in 0..ACCOUNTS {
        tx.execute("INSERT INTO account VALUES (?, ?)", params![position as i64 + 1, rows::account(position)]).expect("an account");
    }
    tx.commit().expect("a commit");
    connection
}

/// How long an import of the deals takes, from the text of the file to the commit.
pub fn time_import(csv: &str) -> Duration {
    let folder = Folder::new("handwritten");
    let mut connection = new_database(&folder.0.join("data.db"));
    let begin = Instant::now();
    import(&mut connection, csv);
    begin.elapsed()
}

/// One transaction, prepared statements, accounts found by name in a map, values checked as they are read.
fn import(connection: &mut Connection, csv: &str) {
    let tx = connection.transaction().expect("a transaction");
    {
        let mut accounts: HashMap<String, i64> = HashMap::new();
        let mut select = tx.prepare("SELECT name, id FROM account").expect("a statement");
        let mut found = select.query([]).expect("a query");
        while let Some(row) = found.next().expect("a step") {
            accounts.insert(row.get(0).expect("a name"), row.get(1).expect("an id"));
        }
        let mut insert = tx.prepare("INSERT INTO deal VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?)").expect("a statement");
        let mut index = tx.prepare("INSERT INTO deal_text (rowid, words) VALUES (?, ?)").expect("a statement");
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        for (position, record) in reader.records().enumerate() {
            let record = record.expect("a row");
            let (name, stage, day) = (&record[0], &record[2], &record[4]);
            assert!(rows::STAGES.contains(&stage), "a stage");
            assert!(day.len() == 10, "a date");
            let (id, now) = (position as i64 + 1, 1_790_000_000_000_000_i64);
            let account = accounts.get(&record[5]).expect("an account");
            insert.execute(params![id, now, now, name, &record[1], stage, units(&record[3]), day, account]).expect("a row");
            index.execute(params![id, name]).expect("its words");
        }
    }
    tx.commit().expect("a commit");
}

fn digest(token: &str) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(token).into()
}

fn allowed(shared: &Shared, headers: &HeaderMap) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|token| digest(token) == shared.token)
}

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

fn with_reader<T>(shared: &Shared, work: impl FnOnce(&Connection) -> T) -> T {
    READER.with_borrow_mut(|slot| work(slot.get_or_insert_with(|| open(&shared.file))))
}

fn push_row(row: &rusqlite::Row<'_>, out: &mut String, expanded: bool) {
    let text = |at: usize| row.get_ref(at).ok().and_then(|value| value.as_str().ok().map(str::to_owned)).unwrap_or_default();
    let number = |at: usize| row.get::<_, i64>(at).unwrap_or(0);
    let amount = number(5);
    let _ = write!(
        out,
        "{{\"id\":\"{}\",\"version\":{},\"name\":{},\"code\":{},\"stage\":\"{}\",\"amount\":\"{}.{:02}\",\"close_on\":\"{}\",",
        number(0),
        number(1),
        serde_json::to_string(&text(2)).expect("a text"),
        serde_json::to_string(&text(3)).expect("a text"),
        text(4),
        amount / 100,
        amount % 100,
        text(6)
    );
    if expanded {
        let _ = write!(out, "\"account\":{{\"id\":\"{}\",\"name\":{}}},", number(7), serde_json::to_string(&text(10)).expect("a text"));
    } else {
        let _ = write!(out, "\"account\":\"{}\",", number(7));
    }
    let _ = write!(out, "\"created_at\":\"{}\",\"updated_at\":\"{}\"}}", stamp(number(8)), stamp(number(9)));
}

/// Microseconds as RFC 3339.
fn stamp(micros: i64) -> String {
    relata::base::DateTime(micros).to_string()
}

fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn read(State(shared): State<Arc<Shared>>, UrlPath(id): UrlPath<i64>, headers: HeaderMap) -> Response {
    if !allowed(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    with_reader(&shared, |connection| {
        let mut statement =
            connection.prepare_cached(const_format(&["SELECT ", COLUMNS, " FROM deal d WHERE d.id = ?"])).expect("a statement");
        let mut found = statement.query([id]).expect("a query");
        match found.next().expect("a step") {
            Some(row) => {
                let mut out = String::with_capacity(400);
                push_row(row, &mut out, false);
                json(out)
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    })
}

/// Statement texts are made once.
fn const_format(parts: &[&'static str]) -> &'static str {
    thread_local! {
        static TEXTS: RefCell<HashMap<String, &'static str>> = RefCell::new(HashMap::new());
    }
    TEXTS.with_borrow_mut(|texts| {
        let text = parts.concat();
        *texts.entry(text.clone()).or_insert_with(|| Box::leak(text.into_boxed_str()))
    })
}

async fn list(State(shared): State<Arc<Shared>>, Query(query): Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    if !allowed(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    with_reader(&shared, |connection| {
        let expanded = query.get("select").is_some_and(|select| select.contains("account("));
        let limit: i64 = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50);
        let mut out = String::with_capacity(16 * 1024);
        out.push_str("{\"data\":[");
        let each = |rows: &mut rusqlite::Rows<'_>, out: &mut String| {
            let mut first = true;
            while let Some(row) = rows.next().expect("a step") {
                if !first {
                    out.push(',');
                }
                first = false;
                push_row(row, out, expanded);
            }
        };
        if let Some(words) = query.get("q") {
            let mut statement = connection
                .prepare_cached(const_format(&[
                    "SELECT ",
                    COLUMNS,
                    " FROM deal_text t JOIN deal d ON d.id = t.rowid WHERE deal_text MATCH ? ORDER BY d.id LIMIT ?",
                ]))
                .expect("a statement");
            each(&mut statement.query(params![words, limit]).expect("a query"), &mut out);
        } else if let Some(filter) = query.get("filter") {
            // The one filter the bench sends: stage = 'x' and close_on >= 'y'.
            let mut quoted = filter.split('\'').skip(1).step_by(2);
            let (stage, day) = (quoted.next().unwrap_or(""), quoted.next().unwrap_or(""));
            let mut statement = connection
                .prepare_cached(const_format(&[
                    "SELECT ",
                    COLUMNS,
                    " FROM deal d WHERE d.stage = ? AND d.close_on >= ? ORDER BY d.close_on, d.id LIMIT ?",
                ]))
                .expect("a statement");
            each(&mut statement.query(params![stage, day, limit]).expect("a query"), &mut out);
        } else if expanded {
            let mut statement = connection
                .prepare_cached(const_format(&[
                    "SELECT ",
                    COLUMNS,
                    ", a.name FROM deal d LEFT JOIN account a ON a.id = d.account ORDER BY d.id LIMIT ?",
                ]))
                .expect("a statement");
            each(&mut statement.query([limit]).expect("a query"), &mut out);
        } else {
            let mut statement =
                connection.prepare_cached(const_format(&["SELECT ", COLUMNS, " FROM deal d ORDER BY d.id LIMIT ?"])).expect("a statement");
            each(&mut statement.query([limit]).expect("a query"), &mut out);
        }
        out.push(']');
        if query.contains_key("count") {
            let mut statement = connection.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM deal LIMIT 10001)").expect("a statement");
            let count: i64 = statement.query_row([], |row| row.get(0)).expect("a count");
            let _ = write!(out, ",\"count\":{count}");
        }
        out.push('}');
        json(out)
    })
}

fn hundredths(value: &Value) -> i64 {
    units(value.as_str().unwrap_or("0"))
}

fn units(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    whole.parse::<i64>().unwrap_or(0) * 100 + fraction.parse::<i64>().unwrap_or(0)
}

async fn write(shared: &Shared, kind: Kind) -> i64 {
    let (done, answer) = oneshot::channel();
    shared.writes.send(Write { kind, done }).expect("the writer lives");
    answer.await.expect("the writer answers")
}

async fn create(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    if !allowed(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let kind = Kind::Create {
        name: text("name"),
        code: text("code"),
        stage: text("stage"),
        amount: hundredths(&body["amount"]),
        close_on: text("close_on"),
        account: text("account").parse().unwrap_or(1),
    };
    let id = write(&shared, kind).await;
    with_reader(&shared, |connection| {
        let mut statement =
            connection.prepare_cached(const_format(&["SELECT ", COLUMNS, " FROM deal d WHERE d.id = ?"])).expect("a statement");
        let mut found = statement.query([id]).expect("a query");
        let mut out = String::with_capacity(400);
        if let Some(row) = found.next().expect("a step") {
            push_row(row, &mut out, false);
        }
        (StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], out).into_response()
    })
}

async fn update(State(shared): State<Arc<Shared>>, UrlPath(id): UrlPath<i64>, headers: HeaderMap, body: Bytes) -> Response {
    if !allowed(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let id = write(&shared, Kind::Update { id, amount: hundredths(&body["amount"]) }).await;
    read(State(shared), UrlPath(id), headers).await
}

fn writer(mut connection: Connection, receiver: mpsc::Receiver<Write>) {
    while let Ok(first) = receiver.recv() {
        let mut batch = vec![first];
        while batch.len() < 64 {
            match receiver.try_recv() {
                Ok(next) => batch.push(next),
                Err(_) => break,
            }
        }
        let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("a transaction");
        let mut answers = Vec::with_capacity(batch.len());
        for Write { kind, done } in batch {
            answers.push((done, apply(&tx, kind)));
        }
        tx.commit().expect("a commit");
        for (done, id) in answers {
            let _ = done.send(id);
        }
    }
}

fn apply(tx: &rusqlite::Transaction<'_>, kind: Kind) -> i64 {
    match kind {
        Kind::Create { name, code, stage, amount, close_on, account } => {
            tx.prepare_cached("INSERT INTO deal (version, created_at, updated_at, name, code, stage, amount, close_on, account) VALUES (1, 0, 0, ?, ?, ?, ?, ?, ?)")
                .expect("a statement")
                .execute(params![name, code, stage, amount, close_on, account])
                .expect("a row");
            let id = tx.last_insert_rowid();
            tx.prepare_cached("INSERT INTO deal_text (rowid, words) VALUES (?, ?)")
                .expect("a statement")
                .execute(params![id, name])
                .expect("words");
            id
        }
        Kind::Update { id, amount } => {
            tx.prepare_cached("UPDATE deal SET amount = ?, version = version + 1 WHERE id = ?")
                .expect("a statement")
                .execute(params![amount, id])
                .expect("a row");
            id
        }
    }
}
