//! Records that are one: put together and taken apart again.

use std::collections::BTreeMap;

use axum::http::Method;
use relata::base::Cell;
use relata::schema::catalog::ColumnKind;
use relata::store::Sql;
use serde_json::{Value, json};

use crate::access::world::{Person, person, send};
use crate::support::TestApp;
use crate::support::log::variable;

const FILES: [(&str, &str); 2] = [
    ("relata.yaml", "name: Shop\ncurrency: CNY\nlocale: en\ntime_zone: Asia/Shanghai\n"),
    (
        "definitions/shop/package.yaml",
        r#"
kind: package
id: shop
version: 1.0.0
---
kind: entity
id: shop.firm
title: "{name}"
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
  phone: {type: phone}
  words: {type: tags}
  worth: {type: money}
  parent: {type: link, to: shop.firm, on_delete: set_null, inverse: daughters}
  deals: {type: children, of: shop.deal, by: firm}
  partners: {type: links, to: shop.human}
  total: {type: rollup, of: deals, agg: "sum(amount)", returns: decimal, scale: 2, stored: true}
---
kind: entity
id: shop.deal
title: "{name}"
features: {owner: false}
fields:
  name: {type: text, required: true}
  number: {type: text}
  firm: {type: link, to: shop.firm, on_delete: cascade}
  amount: {type: decimal, scale: 2}
  loud: {type: formula, expr: "upper(firm.name)", returns: text}
unique:
  - {name: per_firm, fields: [firm, number]}
---
kind: entity
id: shop.human
title: "{name}"
features: {owner: false}
fields:
  name: {type: text, required: true}
---
kind: entity
id: shop.memo
title: "{text}"
features: {owner: false}
fields:
  text: {type: text}
  about: {type: any_link, to: [shop.human, shop.firm], on_delete: cascade}
---
kind: role
id: clerk
permissions:
  core.user: read
  firm: {read: true, update: true, delete: "code != 'kept'", share: true}
  deal: all
---
kind: role
id: reader
permissions:
  core.user: read
  firm: {read: "name = 'Other'"}
"#,
    ),
];

struct World {
    app: TestApp,
    clerk: Person,
    reader: Person,
}

const FIRMS: &str = "/api/v1/records/firm";

impl World {
    async fn new() -> Self {
        let app = TestApp::with_files(&FILES).await;
        let clerk = person(&app, "clerk", &["clerk"], json!({})).await;
        let reader = person(&app, "reader", &["reader"], json!({})).await;
        Self { app, clerk, reader }
    }

    async fn merge(&self, id: &str, body: Value) -> Value {
        self.app.post(&format!("{FIRMS}/{id}/merge"), body).await.expect_status(200).json()
    }

    async fn undo(&self, id: &str, merged: &Value) -> Value {
        let merge = merged["merges"][0]["id"].as_str().expect("a merge").to_owned();
        self.app.post(&format!("{FIRMS}/{id}/merges/{merge}/undo"), json!({})).await.expect_status(200).json()
    }

    /// Everything that records hold, but versions and stamps, which only ever grow.
    async fn contents(&self) -> BTreeMap<String, String> {
        let store = &self.app.workspace.store;
        let catalog = self.app.workspace.catalog.load_full();
        let mut all = BTreeMap::new();
        for entity in catalog.entities.iter().filter(|entity| entity.package == "shop") {
            let names: Vec<(&str, ColumnKind)> = entity
                .fields
                .iter()
                .filter(|field| !matches!(field.name.as_str(), "version" | "updated_at" | "updated_by"))
                .flat_map(|field| field.columns.iter().map(|column| (column.name.as_str(), column.kind)))
                .collect();
            let kinds: Vec<ColumnKind> = names.iter().map(|(_, kind)| *kind).collect();
            let mut sql = Sql::new("SELECT ");
            for (at, (name, _)) in names.iter().enumerate() {
                if at > 0 {
                    sql.push(", ");
                }
                sql.ident(name);
            }
            sql.push(" FROM ").ident(&entity.table).push(" ORDER BY id");
            let rows = store.query(&sql.statement(store.dialect(), &kinds)).await.expect("the rows");
            let cells: Vec<&Cell> = rows.cells.iter().collect();
            all.insert(entity.id.clone(), format!("{cells:?}"));
            for field in entity.fields.iter().filter_map(|field| field.side_table.as_deref()) {
                let mut sql = Sql::new("SELECT count(*) FROM ");
                sql.ident(field);
                let count = store.query(&sql.statement(store.dialect(), &[ColumnKind::Int])).await.expect("a count").one_int();
                all.insert(field.to_owned(), format!("{count:?}"));
            }
        }
        let shares =
            Sql::new("SELECT id, record FROM sys_share ORDER BY id").statement(store.dialect(), &[ColumnKind::Int, ColumnKind::Int]);
        all.insert("shares".to_owned(), format!("{:?}", store.query(&shares).await.expect("shares").cells));
        all
    }

    async fn get(&self, id: &str) -> Value {
        self.app.get(&format!("{FIRMS}/{id}")).await.expect_status(200).json()
    }
}

/// Two firms with what belongs to them; `count` deals hang on the one that goes.
async fn two(world: &World, count: usize) -> (String, String) {
    let app = &world.app;
    let stays = app.create_id("firm", json!({"name": "Acme", "code": "a", "phone": "010-1111111", "words": ["old"]})).await;
    let human = app.create_id("human", json!({"name": "Both"})).await;
    let other = app.create_id("human", json!({"name": "One"})).await;
    let goes = json!({"name": "ACME Inc", "code": "b", "phone": "020-2222222", "words": ["new", "loud"], "worth": "12.50", "partners": [human, other]});
    let goes = app.create_id("firm", goes).await;
    app.patch(&format!("{FIRMS}/{stays}"), json!({"partners": [human], "parent": goes})).await.expect_status(200);
    app.create_id("firm", json!({"name": "Daughter", "parent": goes})).await;
    app.create_id("memo", json!({"text": "About", "about": goes})).await;
    app.create_id("memo", json!({"text": "Other", "about": stays})).await;
    app.create_id("deal", json!({"name": "Own", "number": "own", "firm": stays, "amount": "1"})).await;
    for part in (0..count).collect::<Vec<_>>().chunks(400) {
        let operations: Vec<Value> = part
            .iter()
            .map(|number| json!({"op": "create", "entity": "deal", "values": {"name": format!("Deal {number}"), "number": number.to_string(), "amount": "2"}}))
            .collect();
        app.post("/api/v1/batch", json!({ "operations": operations })).await.expect_status(200);
    }
    link(app, &goes).await;
    app.workspace.runner.run_until_idle().await.expect("jobs run");
    (stays, goes)
}

/// Links all deals without a firm to this one at once: one by one, each would sum all those before it.
async fn link(app: &TestApp, firm: &str) {
    let catalog = app.workspace.catalog.load_full();
    let (deals, firms) = (catalog.find_entity("deal").expect("deals"), catalog.find_entity("firm").expect("firms"));
    let (table, column) = (deals.table.clone(), deals.find_field("firm").expect("a link").columns[0].name.clone());
    let id = relata::base::RecordId::parse(firm).expect("an id").1;
    let written = app.workspace.store.write(move |tx| {
        Box::pin(async move {
            let mut sql = Sql::new("UPDATE ");
            sql.ident(&table).push(" SET ").ident(&column).push(" = ").bind(ColumnKind::Int, Cell::Int(id.0));
            sql.push(" WHERE ").ident(&column).push(" IS NULL");
            tx.run(sql).await
        })
    });
    let _: u64 = written.await.expect("linked");
    let total = firms.find_field("total").expect("a total").ix;
    app.workspace.records.recompute(firms.ix, &[total]).await.expect("computed");
}

async fn there_and_back(count: usize) {
    let world = World::new().await;
    let (stays, goes) = two(&world, count).await;
    let share = json!({"role": "reader", "may": "read"});
    assert!(world.app.post(&format!("{FIRMS}/{goes}/shares"), share).await.status.is_success());
    let before = world.contents().await;
    let take = json!({"phone": goes, "worth": goes, "words": goes, "code": goes});
    let merged = world.merge(&stays, json!({"from": [goes], "take": take})).await;
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    // Deals, the daughter, the note and the partner that the other had not.
    assert_eq!(merged["merges"][0]["moved"], count + 3, "{merged:#}");
    let now = world.get(&stays).await;
    assert_eq!(
        (&now["name"], &now["phone"], &now["code"], &now["parent"]),
        (&json!("Acme"), &json!("020-2222222"), &json!("b"), &Value::Null),
        "{now:#}"
    );
    assert_eq!(
        now["total"].as_str().map(|total| total.trim_end_matches('0').trim_end_matches('.').to_owned()),
        Some((1 + 2 * count).to_string())
    );
    // Counts go no further than that.
    let deals = world.app.get(&format!("/api/v1/records/deal?filter=firm%20%3D%20'{stays}'&count=exact&select=loud&limit=1")).await.json();
    assert_eq!((&deals["total"]["value"], &deals["data"][0]["loud"]), (&json!((count + 1).min(10_000)), &json!("ACME")), "{deals:#}");
    let partners = world.app.get(&format!("{FIRMS}/{stays}?select=partners(name)")).await.json();
    assert_eq!(partners["partners"].as_array().map(Vec::len), Some(2), "{partners:#}");
    // The id that went says where.
    let gone = world.app.get(&format!("{FIRMS}/{goes}")).await;
    assert_eq!((gone.status.as_u16(), gone.header("location")), (301, format!("{FIRMS}/{stays}").as_str()));
    assert_ne!(world.contents().await, before);
    let undone = world.undo(&stays, &merged).await;
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    assert_eq!((&undone["moved"], &undone["kept_fields"], &undone["kept_links"]), (&json!(count + 3), &json!([]), &json!(0)), "{undone:#}");
    let after = world.contents().await;
    for (name, rows) in &before {
        assert!(
            after[name] == *rows,
            "{name} differs:\n{}\n{}",
            &rows[..rows.len().min(3000)],
            &after[name][..after[name].len().min(3000)]
        );
    }
    world.get(&goes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_and_its_undo_leave_everything_as_it_was() {
    there_and_back(250).await;
}

/// The same with 10,000 linked records (`RELATA_LONG=1`): `tests/run long merge`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_merge_of_ten_thousand_links_and_its_undo() {
    if variable("RELATA_LONG").is_some() {
        there_and_back(10_000).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_merged_is_refused_whole() {
    let world = World::new().await;
    let (stays, goes) = two(&world, 3).await;
    let path = format!("{FIRMS}/{stays}/merge");
    let before = world.contents().await;
    for (body, status) in [
        (json!({}), 422),
        (json!([]), 422),
        (json!({"from": []}), 422),
        (json!({"from": ["x"]}), 422),
        (json!({"from": [stays]}), 422),
        (json!({"from": [goes, goes]}), 422),
        (json!({"from": [goes], "take": {"nmae": goes}}), 422),
        (json!({"from": [goes], "take": {"total": goes}}), 422),
        (json!({"from": [goes], "take": {"name": stays}}), 422),
        (json!({"from": [goes], "tkae": {}}), 422),
        (json!({"from": ["firm_7zzzzzzzzzzzz"]}), 404),
    ] {
        let answer = world.app.post(&path, body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text());
    }
    let keyed = world.app.request(Method::POST, &path).header("idempotency-key", "k").json(&json!({"from": [goes]})).send().await;
    keyed.expect_problem(400, "WEB400");
    // A number that both have stands in the way of one of them.
    world.app.create_id("deal", json!({"name": "Clash", "number": "1", "firm": stays})).await;
    world.app.post(&path, json!({"from": [goes]})).await.expect_problem(409, "REC011");
    let clash = world.app.get("/api/v1/records/deal?filter=name%20%3D%20'Clash'&select=id").await.json();
    world.app.delete(&format!("/api/v1/records/deal/{}", clash["data"][0]["id"].as_str().unwrap_or_default())).await.expect_status(204);
    // Who may not delete the other may not merge it, and who may not read it is told of nothing.
    world.app.patch(&format!("{FIRMS}/{goes}"), json!({"code": "kept"})).await.expect_status(200);
    let refused = send(&world.app, &world.clerk, Method::POST, &path, &json!({"from": [goes]})).await;
    assert_eq!(refused.status.as_u16(), 403, "{}", refused.text());
    let refused = send(&world.app, &world.reader, Method::POST, &path, &json!({"from": [goes]})).await;
    assert_eq!(refused.status.as_u16(), 404, "{}", refused.text());
    world.app.patch(&format!("{FIRMS}/{goes}"), json!({"code": "b"})).await.expect_status(200);
    let mut now = world.contents().await;
    // The row that clashed is in the recycle bin.
    now.insert("shop.deal".to_owned(), before["shop.deal"].clone());
    assert_eq!(now, before);
    let dry = world
        .app
        .request(Method::POST, &path)
        .header("prefer", "dry-run")
        .json(&json!({"from": [goes]}))
        .send()
        .await
        .expect_status(200)
        .json();
    assert_eq!((&dry["dry_run"], &dry["merges"][0]["moved"]), (&json!(true), &json!(6)), "{dry:#}");
    let merged = send(&world.app, &world.clerk, Method::POST, &path, &json!({"from": [goes]})).await.expect_status(200).json();
    // Where it went is told to those who may read that.
    let hidden = send(&world.app, &world.reader, Method::GET, &format!("{FIRMS}/{goes}"), &json!({})).await;
    assert_eq!(hidden.status.as_u16(), 404);
    world.app.post(&format!("{FIRMS}/{goes}/restore"), json!({})).await.expect_problem(409, "REC013");
    world.undo(&stays, &merged).await;
    let merge = merged["merges"][0]["id"].as_str().expect("a merge");
    world.app.post(&format!("{FIRMS}/{stays}/merges/{merge}/undo"), json!({})).await.expect_problem(409, "REC013");
    world.app.post(&format!("{FIRMS}/{goes}/merges/{merge}/undo"), json!({})).await.expect_problem(404, "REC002");
    world.app.post(&format!("{FIRMS}/{stays}/merges/merge_0000000000001/undo"), json!({})).await.expect_problem(404, "REC002");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_since_is_kept_and_told() {
    let world = World::new().await;
    let (stays, goes) = two(&world, 3).await;
    let merged = world.merge(&stays, json!({"from": [goes], "take": {"phone": goes, "worth": goes}})).await;
    let third = world.app.create_id("firm", json!({"name": "Third", "code": "c"})).await;
    let deals = world.app.get("/api/v1/records/deal?filter=name%20%3D%20'Deal%201'&select=id").await.json();
    let deal = format!("/api/v1/records/deal/{}", deals["data"][0]["id"].as_str().unwrap_or_default());
    world.app.patch(&deal, json!({"firm": third})).await.expect_status(200);
    world.app.patch(&format!("{FIRMS}/{stays}"), json!({"phone": "030-3333333"})).await.expect_status(200);
    // Merged on: the first one is taken apart after the second.
    let second = world.merge(&third, json!({"from": [stays]})).await;
    let merge = merged["merges"][0]["id"].as_str().expect("a merge");
    let gone = world.app.get(&format!("{FIRMS}/{goes}")).await;
    assert_eq!((gone.status.as_u16(), gone.header("location")), (301, format!("{FIRMS}/{third}").as_str()));
    let early = world.app.post(&format!("{FIRMS}/{stays}/merges/{merge}/undo"), json!({})).await.expect_problem(409, "REC013");
    assert!(early["detail"].as_str().is_some_and(|why| why.contains("undo that first")), "{early:#}");
    world.undo(&third, &second).await;
    let undone = world.undo(&stays, &merged).await;
    assert_eq!((&undone["kept_fields"], &undone["kept_links"]), (&json!(["phone"]), &json!(1)), "{undone:#}");
    let now = world.get(&stays).await;
    assert_eq!((&now["phone"], &now["worth"]), (&json!("030-3333333"), &Value::Null), "{now:#}");
    assert_eq!(world.app.get(&deal).await.json()["firm"], third.as_str());
    let listed = world.app.get(&format!("{FIRMS}/{stays}/merges")).await.expect_status(200).json();
    assert!(listed["data"][0]["undone_at"].is_string(), "{listed:#}");
}
