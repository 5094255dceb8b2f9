//! Relata over the same records.

use std::path::PathBuf;
use std::sync::Arc;

use relata::access::Actor;
use relata::app::{Options, Workspace};
use relata::auth::{NewToken, NewUser};
use relata::deploy::Folders;
use relata::store::Target as Database;
use relata::transfer::{self, Import, Mapping, Table, TableOptions};
use relata::web::{self, WebConfig};

use crate::client::Target;
use crate::rows::{ACCOUNTS, Row};

/// A running server; its folder goes when this goes.
pub struct Running {
    pub target: Target,
    _folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
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

pub async fn start(rows: &[Row]) -> Running {
    let folder = Folder(std::env::temp_dir().join(format!("relata-bench-{}", std::process::id())));
    let definitions = folder.0.join("definitions/bench");
    std::fs::create_dir_all(&definitions).expect("a folder");
    std::fs::write(definitions.join("package.yaml"), DEFINITIONS).expect("definitions");
    let database = Database::Sqlite { path: folder.0.join("relata-data") };
    let workspace = Workspace::open(&Options::new(database, Folders::new(&folder.0, None))).await.expect("the workspace opens");

    fill(&workspace, rows).await;
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
    Running { target, _folder: folder }
}

async fn token(workspace: &Workspace) -> String {
    let email = "bench@example.com".to_owned();
    let user = NewUser { name: "Bench".into(), email: email.clone(), password: String::new(), locale: None, admin: true };
    workspace.auth.create_user(user).await.expect("a user");
    workspace.auth.create_token(NewToken { email, name: "bench".into(), days: None }).await.expect("a token").secret
}

async fn fill(workspace: &Workspace, rows: &[Row]) {
    let mut csv = String::from("name\n");
    for number in 1..=ACCOUNTS {
        csv.push_str(&format!("Account {number}\n"));
    }
    run_import(workspace, &csv, "{\"kind\":\"import\",\"into\":\"bench.account\",\"columns\":{\"name\":\"name\"}}").await;
    let mapping = "{\"kind\":\"import\",\"into\":\"bench.deal\",\"columns\":{\"name\":\"name\",\"code\":\"code\",\"stage\":\"stage\",\"amount\":\"amount\",\"close_on\":\"close_on\"},\"links\":{\"account\":{\"match\":[\"name\"],\"existing\":\"keep\",\"columns\":{\"account\":\"name\"}}}}";
    let mut csv = String::from("name,code,stage,amount,close_on,account\n");
    for row in rows {
        csv.push_str(&format!(
            "{},{},{},{}.{:02},{},Account {}\n",
            row.name,
            row.code,
            row.stage,
            row.amount / 100,
            row.amount % 100,
            row.close_on,
            row.account + 1
        ));
    }
    run_import(workspace, &csv, mapping).await;
}

async fn run_import(workspace: &Workspace, csv: &str, mapping: &str) {
    let catalog = workspace.catalog.load_full();
    let table = Table::read(csv.as_bytes(), &TableOptions::default()).expect("a table");
    let document = serde_json::from_str(mapping).expect("a mapping");
    let mapping = Mapping::read(&document, &catalog, &table.header).expect("a mapping");
    let import = Import { table, mapping, zone: catalog.settings.time_zone.clone(), dry_run: false, without_hooks: false };
    let report = transfer::import(&workspace.records, &Actor::system(), import, &|_| ()).await.expect("the import");
    assert!(report.failed.is_empty(), "{:?}", report.failed.first());
}
