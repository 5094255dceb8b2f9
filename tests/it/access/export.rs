//! Taking records out: those that may be exported, with the values that may be read, and seen in the audit.

use serde_json::json;

use super::world::{Person, SALES, World, get, person};
use crate::support::TestApp;

async fn file(app: &TestApp, who: &Person, query: &str) -> String {
    get(app, who, &format!("/api/v1/records/deal/export{query}")).await.expect_status(200).text()
}

#[tokio::test]
async fn what_may_not_be_exported_is_in_no_file() {
    let world = World::new().await;
    world.deal(&world.rep, json!({"name": "Mine"})).await;
    get(&world.app, &world.rep, "/api/v1/records/deal/export").await.expect_problem(403, "ACL005");
    assert!(!get(&world.app, &world.rep, "/records/deal").await.text().contains("export"));
    let nobody = person(&world.app, "nobody", &[], json!({})).await;
    get(&world.app, &nobody, "/api/v1/records/deal/export").await.expect_problem(404, "REC001");
    let mut files = SALES.to_vec();
    let taker = "kind: role\nid: taker\npermissions:\n  user: read\n  deal: {rows: \"stage != 'lost'\", export: \"stage = 'won'\", fields: {hide: [margin]}}\n";
    files.push(("definitions/sales/roles/taker.yaml", taker));
    let app = TestApp::with_files(&files).await;
    let taker = person(&app, "taker", &["taker"], json!({})).await;
    for (name, stage) in [("New", "new"), ("Won", "won"), ("Lost", "lost"), ("=cmd|' /C calc'!A0", "won")] {
        app.create_id("deal", json!({"name": name, "stage": stage, "margin": "7.77", "amount": "1.50"})).await;
    }
    let csv = file(&app, &taker, "?select=name,stage,amount&sort=name").await;
    assert_eq!(csv, "\u{feff}name,stage,amount\r\n'=cmd|' /C calc'!A0,Won,1.50\r\nWon,Won,1.50\r\n");
    let all = file(&app, &taker, "").await;
    assert!(!all.contains("margin") && !all.contains("7.77") && !all.contains("Lost") && !all.contains("New"), "{all}");
    for query in ["?filter=margin%20%3E%201", "?select=name,margin", "?sort=margin"] {
        get(&app, &taker, &format!("/api/v1/records/deal/export{query}")).await.expect_status(400);
    }
    get(&app, &taker, "/api/v1/records/deal/export?format=pdf").await.expect_status(400);
    get(&app, &taker, "/api/v1/records/account/export").await.expect_problem(404, "REC001");
    let lines = file(&app, &taker, "?format=jsonl&select=name&filter=name%20%3D%20'Won'").await;
    assert_eq!(lines, "{\"name\":\"Won\"}\n");
    // The list itself shows more than may be taken out.
    assert_eq!(get(&app, &taker, "/api/v1/records/deal").await.json()["data"].as_array().map(Vec::len), Some(3));
    let page = get(&app, &taker, "/records/deal").await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(page.contains("/api/v1/records/deal/export?"), "{page}");
    let acts = app.get("/audit/export?format=json").await.text();
    assert!(acts.contains("records.export"), "{acts}");
}

#[tokio::test]
async fn a_file_holds_every_record_and_the_titles_of_links() {
    let world = World::new().await;
    let account = world.app.create_id("account", json!({"name": "Acme, \"the\" one"})).await;
    let operations: Vec<_> =
        (0..499).map(|at| json!({"op": "create", "entity": "contact", "values": {"name": format!("c{at}")}})).collect();
    for _ in 0..2 {
        world.app.post("/api/v1/batch", json!({"operations": operations})).await.expect_status(200);
    }
    world.app.create_id("contact", json!({"name": "last"})).await;
    let all = world.app.get("/api/v1/records/contact/export?select=name").await.expect_status(200).text();
    assert_eq!(all.lines().count(), 1 + 2 * 499 + 1);
    world.app.create_id("deal", json!({"name": "A", "account": account})).await;
    let csv = world.app.get("/api/v1/records/deal/export?select=name,account(_title)").await.expect_status(200).text();
    assert_eq!(csv, "\u{feff}name,account\r\nA,\"Acme, \"\"the\"\" one\"\r\n");
}
