//! Three server processes, as operators run them, on one PostgreSQL: who may no longer do something, or be here, is refused by
//! the next request on each of them, and their event streams end.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{CRM, postgres_url};

const BINARY: &str = env!("CARGO_BIN_EXE_relata");

/// A workspace on disk and its database; both go with the test.
struct Site {
    folder: PathBuf,
    url: String,
    servers: Vec<Server>,
}

struct Server {
    child: Child,
    address: String,
}

impl Drop for Site {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.child.kill();
            let _ = server.child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Site {
    async fn new(base: &str) -> Self {
        let name = format!("relata_three_{}", std::process::id());
        let mut connection = sqlx::PgConnection::connect(base).await.expect("connects");
        for text in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
            connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(text))).await.expect("a database of its own");
        }
        let url = format!("{}/{name}", base.rsplit_once('/').expect("postgres://host/database").0);
        let folder = std::env::temp_dir().join(format!("relata-three-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        for (path, text) in CRM {
            let place = folder.join(path);
            std::fs::create_dir_all(place.parent().expect("below the folder")).expect("made");
            std::fs::write(place, text).expect("written");
        }
        Self { folder, url, servers: Vec::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(&self.folder).env("DATABASE_URL", &self.url).env_remove("RELATA_TEST_DATABASE").args(arguments);
        command
    }

    /// Runs a command to its end; gives what it printed.
    fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Starts a server on a free port; it says where.
    fn start(&mut self) {
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let address = lines.by_ref().take(200).map_while(Result::ok).find_map(|line| {
            let port = line.split_once("serves http://localhost:")?.1;
            Some(format!("127.0.0.1:{}", port.trim_end_matches('/')))
        });
        // Whatever else it says is read, so that it never waits for the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        self.servers.push(Server { child, address: address.expect("the server says where it listens") });
    }
}

/// One request on a connection of its own; gives the status and the body.
async fn ask(address: &str, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut bytes = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await.expect("answered in time").expect("read");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer: {text}"));
    (status, text.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()))
}

/// An open event stream; gives what it says until `word`, or until its end.
struct Stream(TcpStream, String);

impl Stream {
    async fn open(address: &str, token: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let head = format!(
            "GET /api/v1/changes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut open = Self(stream, String::new());
        open.read_until("retry:").await;
        assert!(open.1.starts_with("HTTP/1.1 200"), "{}", open.1);
        open
    }

    async fn read_until(&mut self, word: &str) {
        let wait = async {
            let mut bytes = [0; 4096];
            while !self.1.contains(word) {
                let count = self.0.read(&mut bytes).await.expect("read");
                assert!(count > 0, "the stream ended without `{word}`: {}", self.1);
                self.1.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        assert!(waited.is_ok(), "never heard `{word}`: {}", self.1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_and_deactivation_hold_for_the_next_request_on_each_of_three_processes() {
    let Some(base) = postgres_url() else { return };
    let mut site = Site::new(&base).await;
    site.run(&["user", "add", "ada@example.com", "--name", "Ada", "--admin"], "a long enough phrase\n");
    site.run(&["user", "add", "bo@example.com", "--name", "Bo", "--admin"], "another long phrase\n");
    assert!(site.folder.join("relata-data/keys/audit.key").exists());
    let ada = site.run(&["token", "create", "--user", "ada@example.com", "--scope", "admin"], "");
    let bo = site.run(&["token", "create", "--user", "bo@example.com", "--scope", "admin"], "");
    for _ in 0..3 {
        site.start();
    }
    let nodes: Vec<String> = site.servers.iter().map(|server| server.address.clone()).collect();
    let (status, people) = ask(&nodes[0], &ada, "GET", "/api/v1/people", None).await;
    assert_eq!(status, 200, "{people}");
    let people: Value = serde_json::from_str(&people).expect("JSON");
    let row = people["data"].as_array().into_iter().flatten().find(|row| row["email"] == "bo@example.com").expect("listed").clone();
    let id = row["id"].as_str().expect("an id").to_owned();
    let record = format!("/api/v1/records/user/{id}");
    // Only administrators see versions: 200 with the role, 403 without it, 401 for someone who is out.
    let all = async |expected: u16, when: &str| {
        for (number, node) in nodes.iter().enumerate() {
            let (status, body) = ask(node, &bo, "GET", "/api/v1/definitions/versions", None).await;
            assert_eq!(status, expected, "{when}, process {number}: {body}");
        }
    };
    all(200, "an administrator").await;
    for round in 0..3 {
        let by = &nodes[round];
        assert_eq!(ask(by, &ada, "PATCH", &record, Some(&json!({ "roles": ["user"] }))).await.0, 200);
        all(403, "no administrator any more").await;
        assert_eq!(ask(by, &ada, "PATCH", &record, Some(&json!({ "roles": ["admin"] }))).await.0, 200);
        all(200, "an administrator again").await;
        let mut streams = Vec::new();
        for node in &nodes {
            streams.push(Stream::open(node, &bo).await);
        }
        let (status, made) = ask(by, &ada, "POST", "/api/v1/records/account", Some(&json!({ "name": format!("Heard {round}") }))).await;
        assert_eq!(status, 201, "{made}");
        let made: Value = serde_json::from_str(&made).expect("JSON");
        for stream in &mut streams {
            stream.read_until(made["id"].as_str().expect("an id")).await;
        }
        let out = format!("/api/v1/people/{id}/deactivate");
        assert_eq!(ask(by, &ada, "POST", &out, Some(&json!({}))).await.0, 200);
        all(401, "deactivated").await;
        for stream in &mut streams {
            stream.read_until("event: end").await;
        }
        let back = format!("/api/v1/people/{id}/reactivate");
        assert_eq!(ask(by, &ada, "POST", &back, None).await.0, 204);
        all(200, "active again").await;
    }
}
