//! Writing: actions, fields, links, nested records, keys, the recycle bin.

use axum::http::Method;
use serde_json::json;

use super::world::{World, get, person, send};

#[tokio::test]
async fn an_action_is_allowed_on_some_records_and_not_on_others() {
    let world = World::new().await;
    let mine = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let ours = world.deal(&world.mate, json!({"name": "Ours"})).await;
    let theirs = world.deal(&world.stranger, json!({"name": "Theirs"})).await;
    let path = |id: &str| format!("/api/v1/records/deal/{id}");
    let name = json!({"name": "New"});
    send(&world.app, &world.rep, Method::PATCH, &path(&mine), &name).await.expect_status(200);
    send(&world.app, &world.rep, Method::PATCH, &path(&ours), &name).await.expect_problem(403, "ACL005");
    send(&world.app, &world.rep, Method::PATCH, &path(&theirs), &name).await.expect_problem(404, "REC002");
    send(&world.app, &world.rep, Method::DELETE, &path(&ours), &json!({})).await.expect_problem(403, "ACL005");
    send(&world.app, &world.rep, Method::DELETE, &path(&theirs), &json!({})).await.expect_problem(404, "REC002");
    // A version that is asked for tells nothing of a record that may not be read.
    let answer =
        world.app.request(Method::PATCH, &path(&theirs)).token(&world.rep.token).json(&name).header("if-match", "\"v99\"").send().await;
    answer.expect_problem(404, "REC002");
    send(&world.app, &world.rep, Method::DELETE, &path(&mine), &json!({})).await.expect_status(204);
    send(&world.app, &world.mate, Method::POST, &format!("{}/restore", path(&mine)), &json!({})).await.expect_problem(403, "ACL005");
    send(&world.app, &world.stranger, Method::POST, &format!("{}/restore", path(&mine)), &json!({})).await.expect_problem(404, "REC002");
    assert_eq!(world.ids(&world.stranger, "deal?deleted=deleted").await, Vec::<String>::new());
    assert_eq!(world.ids(&world.rep, "deal?deleted=deleted").await, std::slice::from_ref(&mine));
    send(&world.app, &world.rep, Method::POST, &format!("{}/restore", path(&mine)), &json!({})).await.expect_status(200);
    let many = json!([{"id": mine, "set": {"name": "a"}}, {"id": ours, "set": {"name": "b"}}, {"id": theirs, "set": {"name": "c"}}]);
    let many = send(&world.app, &world.rep, Method::PATCH, "/api/v1/records/deal", &many).await.expect_status(200).json();
    let codes: Vec<_> = many["results"].as_array().expect("results").iter().map(|one| one["error"]["code"].clone()).collect();
    assert_eq!(codes, [json!(null), json!("ACL005"), json!("REC002")]);
    let all = json!({"filter": "id is not null", "set": {"name": "x"}, "max_affected": 100});
    let all = send(&world.app, &world.rep, Method::PATCH, "/api/v1/records/deal", &all).await.expect_status(200).json();
    assert_eq!(all["results"].as_array().map(Vec::len), Some(2), "{all:#}");
}

#[tokio::test]
async fn a_field_is_written_by_those_who_may() {
    let world = World::new().await;
    let mine = world.deal(&world.rep, json!({"name": "Mine", "amount": "5.00"})).await;
    let path = format!("/api/v1/records/deal/{mine}");
    for values in [json!({"amount": "6.00"}), json!({"owner": world.mate.id})] {
        let refused = send(&world.app, &world.rep, Method::PATCH, &path, &values).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["code"], "not_writable", "{refused:#}");
    }
    let made = json!({"name": "B", "amount": "1.00"});
    send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal", &made).await.expect_status(422);
    let made = send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal", &json!({"name": "B"})).await.expect_status(201).json();
    assert_eq!(made["owner"], world.rep.id.as_str());
    assert!(made.get("margin").is_none(), "{made:#}");
    assert_eq!((&made["profit"], &made["grade"]), (&json!(null), &json!("low")));
    // What the definitions fault about a hidden field is told without its name.
    let whole = world.deal(&world.rep, json!({"name": "C"})).await;
    let _ = whole;
}

#[tokio::test]
async fn links_lead_to_what_may_be_read_and_to_nothing_else() {
    let world = World::new().await;
    let secret = world.app.create_id("account", json!({"name": "Secret", "secret": true})).await;
    let missing = secret.replace(&secret[secret.len() - 3..], "zzz");
    let hidden = world.app.create_id("contact", json!({"name": "Mole", "secret": true})).await;
    let faults = |answer: serde_json::Value, id: &str| answer["errors"].to_string().replace(id, "ID");
    let make = |account: &str| json!({"name": "A", "account": account});
    let one = send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal", &make(&secret)).await.expect_status(422).json();
    let two = send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal", &make(&missing)).await.expect_status(422).json();
    assert_eq!(faults(one, &secret), faults(two, &missing));
    let nested = json!({"name": "A", "contacts": [hidden]});
    send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal", &nested).await.expect_status(422);
    // A list that is replaced leaves alone what its writer does not see.
    let known = world.app.create_id("contact", json!({"name": "Known"})).await;
    let deal = world.deal(&world.rep, json!({"name": "B", "contacts": [hidden, known]})).await;
    let path = format!("/api/v1/records/deal/{deal}");
    send(&world.app, &world.rep, Method::PATCH, &path, &json!({"contacts": []})).await.expect_status(200);
    assert_eq!(world.app.get(&path).await.json()["contacts"], json!([hidden]));
}

#[tokio::test]
async fn a_form_lists_no_link_to_what_may_not_be_read_and_a_save_leaves_it_there() {
    let world = World::new().await;
    let hidden = world.app.create_id("contact", json!({"name": "Mole", "secret": true})).await;
    let known = world.app.create_id("contact", json!({"name": "Known"})).await;
    let deal = world.deal(&world.rep, json!({"name": "B", "contacts": [hidden, known]})).await;
    let edit = get(&world.app, &world.rep, &format!("/records/deal/{deal}/edit")).await.expect_status(200).text();
    assert!(edit.contains(&known) && !edit.contains(&hidden), "{edit}");
    // Who may not change the list gets it as text.
    let reading = "kind: role\nid: rep\npermissions:\n  deal: {rows: \"owner = me()\", update: true, fields: {read_only: [contacts]}}\n  contact: {rows: \"secret = false\"}\n";
    let mut files = super::world::SALES.to_vec();
    files[2] = (files[2].0, reading);
    let other = crate::support::TestApp::with_files(&files).await;
    let reader = person(&other, "reader", &["rep"], json!({})).await;
    let mole = other.create_id("contact", json!({"name": "Mole", "secret": true})).await;
    let friend = other.create_id("contact", json!({"name": "Known"})).await;
    let shown = other.create_id("deal", json!({"name": "B", "owner": reader.id, "contacts": [mole, friend]})).await;
    let page = get(&other, &reader, &format!("/records/deal/{shown}/edit")).await.expect_status(200).text();
    assert!(page.contains(&friend) && !page.contains(&mole), "{page}");
    let form = world.app.request(Method::POST, &format!("/records/deal/{deal}")).token(&world.rep.token);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    form.text(format!("_version=1&name=New&contacts={known}")).send().await.expect_status(303);
    let path = format!("/api/v1/records/deal/{deal}?select=name,contacts");
    let after = world.app.get(&path).await.json();
    let mut left: Vec<String> =
        after["contacts"].as_array().expect("links").iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
    left.sort();
    let mut both = vec![hidden, known];
    both.sort();
    assert_eq!((after["name"].clone(), left), (json!("New"), both));
}

#[tokio::test]
async fn row_26_a_nested_record_needs_rights_of_its_own() {
    let world = World::new().await;
    let clerk = "kind: role\nid: clerk\npermissions:\n  deal: write\n  line: read\n";
    let mut files = super::world::SALES.to_vec();
    files.push(("definitions/sales/roles/clerk.yaml", clerk));
    let app = crate::support::TestApp::with_files(&files).await;
    let clerk = person(&app, "clerk", &["clerk"], json!({})).await;
    let deal = app.create("deal", json!({"name": "A", "lines": [{"label": "one"}]})).await;
    let id = deal["id"].as_str().expect("an id");
    let line = app.get("/api/v1/records/line").await.json()["data"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/records/deal/{id}");
    for lines in [json!([{"label": "new"}]), json!([{"id": line, "label": "changed"}]), json!([{"id": line, "_delete": true}])] {
        let answer = send(&app, &clerk, Method::PATCH, &path, &json!({"lines": lines})).await;
        assert!(answer.status.is_client_error(), "{lines}: {}", answer.text());
    }
    let created = json!({"name": "B", "lines": [{"label": "new"}]});
    assert!(send(&app, &clerk, Method::POST, "/api/v1/records/deal", &created).await.status.is_client_error());
    send(&app, &clerk, Method::PATCH, &path, &json!({"name": "C"})).await.expect_status(200);
    assert_eq!(app.get("/api/v1/records/line").await.json()["data"].as_array().map(Vec::len), Some(1));
    // In a batch each operation stands for itself, and references lead nowhere else.
    let theirs = world.deal(&world.stranger, json!({"name": "Theirs"})).await;
    let batch = json!({"atomic": false, "operations": [
        {"op": "create", "entity": "deal", "values": {"name": "Mine"}, "as": "d"},
        {"op": "create", "entity": "line", "values": {"label": "l", "deal": {"$ref": "d"}}},
        {"op": "update", "entity": "deal", "id": theirs, "values": {"name": "Stolen"}},
        {"op": "create", "entity": "deal", "values": {"name": "x", "margin": "1"}},
        {"op": "delete", "entity": "account", "id": "account_0000000000000"},
    ]});
    let done = send(&world.app, &world.rep, Method::POST, "/api/v1/batch", &batch).await.expect_status(200).json();
    let codes: Vec<_> = done["results"].as_array().expect("results").iter().map(|one| one["error"]["code"].clone()).collect();
    assert_eq!(codes, [json!(null), json!(null), json!("REC002"), json!("REC010"), json!("REC002")], "{done:#}");
}

#[tokio::test]
async fn a_key_that_meets_a_hidden_record_says_no_more_than_that_it_is_taken() {
    let world = World::new().await;
    world.app.create_id("account", json!({"name": "Hidden", "secret": true, "credit": 7})).await;
    let created = json!({"name": "Hidden"});
    let by_create = send(&world.app, &world.rep, Method::POST, "/api/v1/records/account", &created).await.expect_problem(409, "REC011");
    let by_key = send(&world.app, &world.rep, Method::PUT, "/api/v1/records/account/by/name/Hidden", &json!({})).await;
    let by_key = by_key.expect_problem(409, "REC011");
    assert_eq!(by_create["errors"], by_key["errors"]);
    assert!(!by_key.to_string().contains("credit"), "{by_key:#}");
}

#[tokio::test]
async fn somebody_who_may_only_create_gives_away_what_they_made() {
    let world = World::new().await;
    let filer = person(&world.app, "filer", &["filer"], json!({})).await;
    send(&world.app, &filer, Method::POST, "/api/v1/records/deal", &json!({"name": "Filed"})).await.expect_status(204);
    assert_eq!(world.ids(&filer, "deal").await, Vec::<String>::new());
    let nobody = person(&world.app, "nobody", &[], json!({})).await;
    get(&world.app, &nobody, "/api/v1/records/deal").await.expect_problem(404, "REC001");
    let deal = json!({"name": "x"});
    send(&world.app, &nobody, Method::POST, "/api/v1/records/deal", &deal).await.expect_problem(404, "REC001");
}

#[tokio::test]
async fn a_manager_sees_everyone_below_whatever_the_depth() {
    let world = World::new().await;
    let top = person(&world.app, "top", &["manager"], json!({})).await;
    let middle = person(&world.app, "middle", &["manager"], json!({"manager": top.id})).await;
    let low = person(&world.app, "low", &["rep"], json!({"manager": middle.id})).await;
    let deal = world.deal(&low, json!({"name": "Low"})).await;
    let other = world.deal(&world.rep, json!({"name": "Other"})).await;
    for person in [&top, &middle, &low] {
        assert_eq!(world.ids(person, "deal").await, std::slice::from_ref(&deal));
    }
    let path = format!("/api/v1/records/deal/{deal}");
    send(&world.app, &top, Method::PATCH, &path, &json!({"margin": "3.00"})).await.expect_status(200);
    assert_eq!(world.ids(&world.mate, "deal").await, [other]);
    // Teams below a team belong to it; only administrators say who is where.
    let sub = world
        .app
        .create_id("team", json!({"name": "Sub", "parent": world.app.get("/api/v1/records/team").await.json()["data"][0]["id"]}))
        .await;
    let inner = person(&world.app, "inner", &["rep"], json!({"teams": [sub], "team": sub})).await;
    let inside = world.deal(&inner, json!({"name": "Inside"})).await;
    assert!(world.ids(&world.rep, "deal").await.contains(&inside));
    assert_eq!(world.ids(&inner, "deal").await, [inside]);
    let looker = person(&world.app, "looker", &["looker", "user"], json!({})).await;
    let path = format!("/api/v1/records/user/{}", looker.id);
    for values in [json!({"team": sub}), json!({"manager": null, "teams": [sub]}), json!({"roles": ["admin"]})] {
        send(&world.app, &looker, Method::PATCH, &path, &values).await.expect_status(403);
    }
    send(&world.app, &looker, Method::PATCH, &path, &json!({"phone": "+86 10 1234 5678"})).await.expect_status(200);
}
