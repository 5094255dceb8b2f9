//! The one test application: the whole site in this process, over a database of its own.
//!
//! ```ignore
//! let app = TestApp::crm().await;
//! let deal = app.post("/api/v1/records/deal", json!({"name": "A"})).await.expect_status(201).json();
//! ```
//! SQLite in a temporary folder by default; `RELATA_TEST_DATABASE=postgres://…` gives each test a schema of its own.
//! The clock stands at 2026-11-21T08:00:00Z until a test moves it; randomness is seeded.

mod answer;
mod carried;
mod definitions;
pub mod doors;
pub mod log;
pub mod needles;
pub mod smtp;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{Method, Request, header};
use relata::app::{self, Workspace};
use relata::auth::{NewToken, NewUser};
use relata::base::{DateTime, FixedClock, SeededRandom};
use relata::deploy::Folders;
use relata::store::Target;
use relata::web::{self, WebConfig};
use serde_json::Value;
use tower::ServiceExt;

pub use answer::Answer;
pub use definitions::{CRM, KITCHEN};

/// Where the clock of every test stands at first.
pub const NOW: &str = "2026-11-21T08:00:00Z";

/// A running site.
pub struct TestApp {
    pub workspace: Workspace,
    pub router: Router,
    pub clock: Arc<FixedClock>,
    /// API token of the administrator.
    pub token: String,
    options: app::Options,
    config: WebConfig,
    _follower: Option<tokio::sync::watch::Sender<bool>>,
    _folder: Folder,
}

/// A temporary folder, removed with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        if !std::thread::panicking() {
            log::expect_clean();
        }
    }
}

static NUMBERS: AtomicU64 = AtomicU64::new(0);

impl TestApp {
    /// A site with `core` alone.
    pub async fn empty() -> Self {
        Self::with_files(&[]).await
    }

    /// A site with the small CRM of [`CRM`].
    pub async fn crm() -> Self {
        Self::with_files(&CRM).await
    }

    /// A site with one entity of every field type, [`KITCHEN`].
    pub async fn kitchen() -> Self {
        Self::with_files(&KITCHEN).await
    }

    /// A site with a package shipped with the program (`crm`, `retail`).
    pub async fn shipped(package: &str) -> Self {
        let folder = new_folder();
        copy(&root().join("definitions").join(package), &folder.0.join("definitions").join(package));
        Self::open(folder, WebConfig::default()).await
    }

    /// A site with shipped packages and further files, or why it does not open.
    pub async fn packages(packages: &[&str], files: &[(&str, &str)]) -> Result<Self, String> {
        let folder = new_folder();
        for package in packages {
            copy(&root().join("definitions").join(package), &folder.0.join("definitions").join(package));
        }
        for (path, text) in files {
            write(&folder.0, path, text);
        }
        Self::try_open(folder, WebConfig::default()).await
    }

    /// A site with these definition files: paths below the workspace (`definitions/shop/entities/deal.yaml`) and texts.
    pub async fn with_files(files: &[(&str, &str)]) -> Self {
        Self::with_config(files, WebConfig::default()).await
    }

    /// [`TestApp::with_files`] with the same random numbers for the same seed.
    pub async fn seeded(files: &[(&str, &str)], seed: u64) -> Self {
        let folder = new_folder();
        for (path, text) in files {
            write(&folder.0, path, text);
        }
        let change = |options: &mut app::Options| options.random = Arc::new(SeededRandom::new(seed));
        Self::open_with(folder, WebConfig::default(), change).await.expect("the workspace opens")
    }

    /// [`TestApp::with_files`] with another web configuration.
    pub async fn with_config(files: &[(&str, &str)], config: WebConfig) -> Self {
        let folder = new_folder();
        for (path, text) in files {
            write(&folder.0, path, text);
        }
        Self::open(folder, config).await
    }

    /// [`TestApp::with_files`]; requests to other servers go through `http`.
    pub async fn with_http(files: &[(&str, &str)], http: Arc<dyn relata::outbound::HttpClient>) -> Self {
        Self::with_options(files, |options| options.http = Some(http)).await
    }

    /// A workspace with these files, opened otherwise than usual.
    pub async fn with_options(files: &[(&str, &str)], change: impl FnOnce(&mut app::Options)) -> Self {
        let folder = new_folder();
        for (path, text) in files {
            write(&folder.0, path, text);
        }
        Self::open_with(folder, WebConfig::default(), change).await.expect("the workspace opens")
    }

    /// The small CRM with single sign-on; requests to other servers go to `http`.
    pub async fn with_provider(provider: relata::auth::Provider, http: Arc<dyn relata::outbound::HttpClient>) -> Self {
        let folder = new_folder();
        for (path, text) in CRM {
            write(&folder.0, path, text);
        }
        let change = |options: &mut app::Options| (options.provider, options.http) = (Some(provider), Some(http));
        Self::open_with(folder, WebConfig::default(), change).await.expect("the workspace opens")
    }

    /// The small CRM with other limits of sessions.
    pub async fn with_sessions(sessions: relata::auth::SessionLimits) -> Self {
        let folder = new_folder();
        for (path, text) in CRM {
            write(&folder.0, path, text);
        }
        Self::open_with(folder, WebConfig::default(), |options| options.sessions = sessions).await.expect("the workspace opens")
    }

    async fn open(folder: Folder, config: WebConfig) -> Self {
        Self::try_open(folder, config).await.unwrap_or_else(|error| panic!("the workspace does not open: {error}"))
    }

    async fn try_open(folder: Folder, config: WebConfig) -> Result<Self, String> {
        Self::open_with(folder, config, |_| {}).await
    }

    async fn open_with(folder: Folder, config: WebConfig, change: impl FnOnce(&mut app::Options)) -> Result<Self, String> {
        std::fs::create_dir_all(folder.0.join("definitions")).expect("the folder can be made");
        log::start();
        let clock = Arc::new(FixedClock::at(DateTime::parse(NOW).expect("a moment")));
        let mut options = app::Options::new(target(&folder.0), Folders::new(&folder.0, None));
        options.clock = clock.clone();
        options.random = Arc::new(SeededRandom::new(NUMBERS.load(Ordering::SeqCst)));
        options.files = Some(folder.0.join("files"));
        options.keys = Some(folder.0.join("keys"));
        options.postgres_connections = 4;
        change(&mut options);
        let workspace = Workspace::open(&options).await.map_err(|error| format!("{error}\n{error:?}"))?;
        let person =
            NewUser { name: "Ada Admin".into(), email: "admin@example.com".into(), password: String::new(), locale: None, admin: true };
        workspace.auth.create_user(person).await.expect("the administrator is created");
        let token = workspace
            .auth
            .create_token(NewToken { email: "admin@example.com".into(), name: "tests".into(), days: Some(0) })
            .await
            .expect("a token is created")
            .secret;
        log::used_secret(&token);
        log::used_keys(&folder.0.join("keys"));
        let router = web::router(app::services(&workspace, config.clone()));
        Ok(Self { workspace, router, clock, token, options, config, _follower: None, _folder: folder })
    }

    /// Another process on the same database, which follows what is applied elsewhere; none on SQLite.
    pub async fn beside(&self) -> Option<Self> {
        let Target::Postgres { .. } = self.options.target else { return None };
        let workspace = Workspace::open(&self.options).await.unwrap_or_else(|error| panic!("the workspace does not open: {error}"));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        tokio::spawn(workspace.clone().follow(stopped));
        let router = web::router(app::services(&workspace, self.config.clone()));
        let (clock, token) = (self.clock.clone(), self.token.clone());
        let (options, config) = (self.options.clone(), self.config.clone());
        Some(Self { workspace, router, clock, token, options, config, _follower: Some(stop), _folder: new_folder() })
    }

    pub fn request(&self, method: Method, path: &str) -> Ask<'_> {
        let builder = Request::builder().method(method).uri(path).header(header::HOST, "localhost:8080");
        Ask { app: self, builder, body: Body::empty(), token: Some(self.token.clone()) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path).json(&body).send().await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.request(Method::PUT, path).json(&body).send().await
    }

    /// A JSON merge patch.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.request(Method::PATCH, path).json(&body).header("content-type", "application/merge-patch+json").send().await
    }

    /// Creates a record and gives it as the API told it.
    pub async fn create(&self, entity: &str, values: Value) -> Value {
        self.post(&format!("/api/v1/records/{entity}"), values).await.expect_status(201).json()
    }

    /// Creates a record and gives its id.
    pub async fn create_id(&self, entity: &str, values: Value) -> String {
        self.create(entity, values).await["id"].as_str().expect("an id").to_owned()
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        Self::send_to(&self.router, request).await
    }

    /// Sends a request to this router.
    pub async fn send_to(router: &Router, request: Request<Body>) -> Answer {
        let (parts, mut body) = request.into_parts();
        // What comes piece by piece goes on as it is.
        let mut bytes = Vec::new();
        if body.size_hint().exact().is_some() {
            bytes = axum::body::to_bytes(body, usize::MAX).await.expect("the body can be read").to_vec();
            body = Body::from(bytes.clone());
        }
        log::sent(&parts.uri, &parts.headers, &bytes);
        let response = router.clone().oneshot(Request::from_parts(parts, body)).await.expect("the router is infallible");
        let answer = Answer::read(response).await;
        log::answered(&answer.headers, &answer.bytes);
        answer
    }
}

/// One request on its way.
pub struct Ask<'a> {
    app: &'a TestApp,
    builder: axum::http::request::Builder,
    body: Body,
    token: Option<String>,
}

impl Ask<'_> {
    /// Replaces a header that is there.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Some(headers) = self.builder.headers_mut() {
            let name: header::HeaderName = name.parse().expect("a header name");
            headers.insert(name, value.parse().expect("a header value"));
        }
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").text(body.to_string())
    }

    pub fn text(mut self, body: impl Into<String>) -> Self {
        self.body = Body::from(body.into());
        self
    }

    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::from(body.into());
        self
    }

    /// Without a token.
    pub fn anonymous(mut self) -> Self {
        self.token = None;
        self
    }

    /// With another token.
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// In a session instead of with a token, as `Set-Cookie` gave it.
    pub fn session(self, cookie: &str) -> Self {
        let pair = cookie.split(';').next().unwrap_or(cookie).to_owned();
        self.anonymous().header("cookie", &pair)
    }

    pub async fn send(self) -> Answer {
        let mut builder = self.builder;
        if let Some(token) = self.token {
            builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.app.send(builder.body(self.body).expect("a request")).await
    }
}

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether this run is on PostgreSQL.
#[expect(clippy::disallowed_methods, reason = "the environment chooses the database of the whole run")]
pub fn postgres_url() -> Option<String> {
    std::env::var("RELATA_TEST_DATABASE").ok().filter(|url| !url.is_empty())
}

fn target(folder: &Path) -> Target {
    match postgres_url() {
        Some(url) => {
            let number = NUMBERS.fetch_add(1, Ordering::SeqCst);
            Target::Postgres { url, schema: Some(format!("t_{}_{number}", std::process::id())) }
        }
        None => Target::Sqlite { path: folder.join("relata-data") },
    }
}

fn new_folder() -> Folder {
    let number = NUMBERS.fetch_add(1, Ordering::SeqCst);
    let path = std::env::temp_dir().join(format!("relata-test-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a temporary folder can be made");
    Folder(path)
}

fn write(folder: &Path, path: &str, text: &str) {
    let place = folder.join(path);
    std::fs::create_dir_all(place.parent().expect("below the folder")).expect("the folder can be made");
    std::fs::write(place, text).expect("the file can be written");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder is readable") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).expect("the file can be copied");
        }
    }
}
