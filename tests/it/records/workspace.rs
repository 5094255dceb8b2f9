//! A workspace from YAML texts with its own database.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use relata::access::{Actor, ActorKind};
use relata::base::{FixedClock, Locale, RecordId, SeededRandom};
use relata::query::{self, Params};
use relata::record::{Input, NoHooks, RecordError, RecordHooks, Records, Row, Saved, WriteOptions};
use relata::schema::catalog::{Catalog, Entity};
use relata::schema::{self, Bindings, SourceFile};
use relata::store::{Store, StoreError, catalog as applied, ddl};
use serde_json::{Value as Json, json};

use crate::store::support;

/// What `core` needs for links to people and files.
const CORE: &str = r#"
kind: entity
id: core.user
title: "{name}"
features: {owner: false}
fields:
  name: {type: text, required: true, search: true}
  email: {type: email, unique: true}
---
kind: entity
id: core.file
features: {owner: false, history: false, soft_delete: false}
fields:
  name: {type: text}
"#;

pub struct Workspace {
    pub store: Store,
    pub records: Records,
    pub catalog: Arc<Catalog>,
    pub clock: Arc<FixedClock>,
    pub actor: Actor,
}

impl Workspace {
    /// A workspace with these definitions (YAML documents of one package `shop`) and no scripts.
    pub async fn new(definitions: &str) -> Self {
        Self::with_hooks(definitions, Arc::new(NoHooks)).await
    }

    pub async fn with_hooks(definitions: &str, hooks: Arc<dyn RecordHooks>) -> Self {
        let files = [
            SourceFile::new("relata.yaml", "kind: workspace\nname: Test\ncurrency: CNY\ntime_zone: Asia/Shanghai\n"),
            SourceFile::new("core/package.yaml", "kind: package\nid: core\nversion: 1.0.0\n"),
            SourceFile::new("core/entities.yaml", CORE),
            SourceFile::new("shop/package.yaml", "kind: package\nid: shop\nversion: 1.0.0\n"),
            SourceFile::new("shop/entities.yaml", definitions),
        ];
        let mut loaded = schema::load(&files, &Bindings::default()).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let (store, clock) = support::open().await;
        let version = apply(&store, &loaded.catalog).await;
        loaded.catalog.version = version;
        let catalog = Arc::new(loaded.catalog);
        let random = Arc::new(SeededRandom::new(7));
        let records =
            Records::new(store.clone(), Arc::new(ArcSwap::new(catalog.clone())), hooks, clock.clone(), random, store.mint().clone());
        let mut workspace = Self { store, records, catalog, clock, actor: Actor::system() };
        let user = workspace.create("user", json!({ "name": "Ada", "email": "ada@example.com" })).await.unwrap().id;
        workspace.actor = Actor::person(ActorKind::Person, user, Locale::En, TimeZone::get("Asia/Shanghai").unwrap());
        workspace
    }

    pub fn entity(&self, slug: &str) -> &Entity {
        self.catalog.find_entity(slug).unwrap_or_else(|| panic!("no entity {slug}"))
    }

    pub fn input(&self, slug: &str, values: &Json) -> Result<Input, RecordError> {
        Input::from_json(&self.catalog, self.entity(slug), values).map_err(RecordError::Invalid)
    }

    pub async fn create(&self, slug: &str, values: Json) -> Result<Saved, RecordError> {
        self.create_with(slug, values, WriteOptions::default()).await
    }

    pub async fn create_with(&self, slug: &str, values: Json, options: WriteOptions) -> Result<Saved, RecordError> {
        let input = self.input(slug, &values)?;
        self.records.create(&self.actor, &self.catalog, self.entity(slug).ix, input, options).await
    }

    pub async fn update(&self, slug: &str, id: RecordId, values: Json) -> Result<Saved, RecordError> {
        self.update_with(slug, id, values, WriteOptions::default()).await
    }

    pub async fn update_with(&self, slug: &str, id: RecordId, values: Json, options: WriteOptions) -> Result<Saved, RecordError> {
        let input = self.input(slug, &values)?;
        self.records.update(&self.actor, &self.catalog, self.entity(slug).ix, id, input, options).await
    }

    pub async fn delete(&self, slug: &str, id: RecordId) -> Result<Saved, RecordError> {
        self.records.delete(&self.actor, &self.catalog, self.entity(slug).ix, id, WriteOptions::default()).await
    }

    pub async fn restore(&self, slug: &str, id: RecordId) -> Result<Saved, RecordError> {
        self.records.restore(&self.actor, &self.catalog, self.entity(slug).ix, id, WriteOptions::default()).await
    }

    /// The record as the API shows it, or null.
    pub async fn get(&self, slug: &str, id: RecordId) -> Json {
        self.get_selected(slug, id, "").await
    }

    pub async fn get_selected(&self, slug: &str, id: RecordId, query: &str) -> Json {
        let request = query::parse_get(&self.catalog, self.entity(slug).ix, id, &Params::parse(query)).unwrap();
        self.records.get(&self.actor, &self.catalog, request).await.unwrap().map_or(Json::Null, |row| json_of(&row))
    }

    /// A list as the API shows it.
    pub async fn list(&self, slug: &str, query: &str) -> Vec<Json> {
        let request = query::parse_list(&self.catalog, self.records.cursor_key(), self.entity(slug).ix, &Params::parse(query))
            .unwrap_or_else(|faults| panic!("{faults:?}"));
        let page = self.records.list(&self.actor, &self.catalog, request).await.unwrap();
        let mut text = String::new();
        page.write_json(&mut text);
        match relata::base::json::parse(text.as_bytes()).unwrap() {
            Json::Array(rows) => rows,
            other => panic!("{other}"),
        }
    }

    pub fn show(&self, slug: &str, id: RecordId) -> String {
        id.display(&self.entity(slug).prefix)
    }
}

pub fn json_of(row: &Row) -> Json {
    let mut text = String::new();
    row.write_json(&mut text);
    relata::base::json::parse(text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// (path, code) of each fault.
pub fn faults(error: &RecordError) -> Vec<(String, String)> {
    error.faults().into_iter().map(|fault| (fault.path, fault.code)).collect()
}

/// Creates all tables and records the version.
pub async fn apply(store: &Store, catalog: &Catalog) -> i64 {
    let entities: Vec<&Entity> = catalog.entities.iter().collect();
    let statements = ddl::create_entities(store.dialect(), catalog, &entities);
    let digest = catalog.digest.clone();
    store
        .apply(move |tx| {
            Box::pin(async move {
                for sql in statements {
                    tx.run(sql).await?;
                }
                let new = applied::NewVersion {
                    base: 0,
                    digest,
                    bundle_json: "{}".to_owned(),
                    plan_json: "{}".to_owned(),
                    bindings: Vec::new(),
                    by: 0,
                };
                applied::save_version(tx, &new).await
            })
        })
        .await
        .unwrap_or_else(|error: StoreError| panic!("{error}"))
}
