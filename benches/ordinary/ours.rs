//! Relata over the same records.

use std::sync::Arc;
use std::time::{Duration, Instant};

use relata::access::Actor;
use relata::app::{Options, Workspace};
use relata::auth::{NewToken, NewUser};
use relata::deploy::Folders;
use relata::store::Target as Database;
use relata::transfer::{self, Import, Mapping, Table, TableOptions};
use relata::web::{self, WebConfig};

use crate::client::Target;
use crate::rows::{self, ACCOUNTS, Folder, Row};

/// A running server; its folder goes when this goes.
pub struct Running {
    pub target: Target,
    pub workspace: Workspace,
    _stop: tokio::sync::watch::Sender<bool>,
    _folder: Folder,
}

const DEFINITIONS: &str = "kind: package
id: bench
version: 0.1.0
---
kind: entity
id: bench.account
features: {owner: false}
fields:
  name: {type: text, required: true, unique: true, search: true}
---
kind: entity
id: bench.deal
features: {owner: false}
fields:
  name: {type: text, required: true, search: true}
  code: {type: text, unique: true}
  stage:
    type: select
    index: true
    options: [{key: new}, {key: qualified}, {key: proposal}, {key: won}, {key: lost}]
  amount: {type: decimal, scale: 2}
  close_on: {type: date, index: true}
  account: {type: link, to: bench.account}
indexes:
  - {fields: [stage, close_on]}
";

/// A workspace with the definitions and the accounts, no deals.
async fn open(postgres: Option<&str>, text: &str) -> (Workspace, Folder) {
    let folder = Folder::new("ours");
    let definitions = folder.0.join("definitions/bench");
    std::fs::create_dir_all(&definitions).expect("a folder");
    std::fs::write(definitions.join("package.yaml"), text).expect("definitions");
    let database = match postgres {
        // A schema of its own, so that runs do not meet.
        Some(url) => Database::Postgres { url: url.to_owned(), schema: Some(format!("bench_{}", std::process::id())) },
        None => Database::Sqlite { path: folder.0.join("relata-data") },
    };
    let workspace = Workspace::open(&Options::new(database, Folders::new(&folder.0, None))).await.expect("the workspace opens");
    let mut csv = String::from("name\n");
    for position in 0..ACCOUNTS {
        csv.push_str(&rows::account(position));
        csv.push('\n');
    }
    run_import(&workspace, &csv, "{\"kind\":\"import\",\"into\":\"bench.account\",\"columns\":{\"name\":\"name\"}}").await;
    (workspace, folder)
}

/// How long an import of the deals takes, from the text of the file to the last commit.
pub async fn time_import(csv: &str) -> Duration {
    let (workspace, _folder) = open(None, DEFINITIONS).await;
    let begin = Instant::now();
    run_import(&workspace, csv, DEALS).await;
    let elapsed = begin.elapsed();
    workspace.store.close().await.expect("the store closes");
    elapsed
}

pub async fn start(rows: &[Row], postgres: Option<&str>) -> Running {
    serve(rows, postgres, DEFINITIONS).await
}

/// The same with owners of deals and a role that sees some.
pub async fn start_with_roles(rows: &[Row], postgres: Option<&str>) -> Running {
    let deals = "id: bench.deal\nfeatures: {owner: false}\n";
    serve(rows, postgres, &format!("{}{}", DEFINITIONS.replace(deals, "id: bench.deal\n"), crate::access::ROLE)).await
}

/// The same with more documents beside the definitions.
pub async fn start_with(rows: &[Row], postgres: Option<&str>, documents: &str) -> Running {
    serve(rows, postgres, &format!("{DEFINITIONS}{documents}")).await
}

async fn serve(rows: &[Row], postgres: Option<&str>, text: &str) -> Running {
    let (workspace, folder) = open(postgres, text).await;
    run_import(&workspace, &rows::csv(rows), DEALS).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let runner = workspace.runner.clone();
    tokio::spawn(async move { runner.run(stopped).await });
    let token = token(&workspace).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let config = WebConfig {
        public_url: web::PublicUrl::parse(&format!("http://localhost:{}", address.port())).expect("an address"),
        ..WebConfig::default()
    };
    let router = web::router(relata::app::services(&workspace, config.clone()));
    tokio::spawn(async move { web::serve(listener, router, &config, std::future::pending()).await });
    let mut target = Target { address, token, ids: Arc::default(), accounts: Arc::default() };
    target.ids = Arc::new(crate::client::ids(&target, "/api/v1/records/deal?select=id&limit=200", 25).await);
    target.accounts = Arc::new(crate::client::ids(&target, "/api/v1/records/account?select=id&limit=200", 3).await);
    Running { target, workspace, _stop: stop, _folder: folder }
}

async fn token(workspace: &Workspace) -> String {
    let email = "bench@example.com".to_owned();
    let user = NewUser { name: "Bench".into(), email: email.clone(), password: String::new(), locale: None, admin: true };
    workspace.auth.create_user(user).await.expect("a user");
    workspace.auth.create_token(NewToken { email, name: "bench".into(), days: None }).await.expect("a token").secret
}

const DEALS: &str = r#"{"kind": "import", "into": "bench.deal",
  "columns": {"name": "name", "code": "code", "stage": "stage", "amount": "amount", "close_on": "close_on"},
  "links": {"account": {"match": ["name"], "existing": "keep", "columns": {"account": "name"}}}}"#;

async fn run_import(workspace: &Workspace, csv: &str, mapping: &str) {
    let catalog = workspace.catalog.load_full();
    let table = Table::read(csv.as_bytes(), &TableOptions::default()).expect("a table");
    let document = serde_json::from_str(mapping).expect("a mapping");
    let mapping = Mapping::read(&document, &catalog, &table.header).expect("a mapping");
    let import = Import {
        table,
        mapping,
        zone: catalog.settings.time_zone.clone(),
        dry_run: false,
        without_hooks: false,
        reason: None,
        allow_duplicates: false,
    };
    let report = transfer::import(&workspace.records, &Actor::system(), import, &|_| ()).await.expect("the import");
    assert!(report.failed.is_empty(), "{:?}", report.failed.first());
}
