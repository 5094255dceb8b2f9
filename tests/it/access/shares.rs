//! Records shared one by one: with a person, a team, a role; to read or to edit; until a moment.

use axum::http::Method;
use relata::access::authorise_list;
use relata::base::RecordId;
use relata::expr::{EvalContext, Zone};
use relata::query::{self, Params};
use relata::schema::catalog::ColumnKind;
use relata::store::compile;
use relata::store::{Dialect, Statement, StoreError};
use serde_json::{Value, json};

use super::world::{Person, World, get, person, send};
use crate::support::TestApp;

fn path(deal: &str) -> String {
    format!("/api/v1/records/deal/{deal}")
}

fn shares(deal: &str) -> String {
    format!("/api/v1/records/deal/{deal}/shares")
}

async fn share(world: &World, deal: &str, body: Value) -> Value {
    send(&world.app, &world.rep, Method::POST, &shares(deal), &body).await.expect_status(201).json()
}

/// Whether somebody finds a deal, by itself and in a list: both always say the same.
async fn sees(world: &World, who: &Person, deal: &str) -> bool {
    let alone = get(&world.app, who, &path(deal)).await.status.is_success();
    let listed = world.ids(who, "deal").await.contains(&deal.to_owned());
    let sorted = world.ids(who, "deal?sort=name&filter=name%20is%20not%20null").await.contains(&deal.to_owned());
    assert_eq!((alone, alone), (listed, sorted), "{deal}");
    alone
}

#[tokio::test]
async fn only_those_who_may_share_do_and_no_more_than_they_have() {
    let world = World::new().await;
    let deal = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let with = json!({"person": world.stranger.id});
    // What is not seen is not there; what is seen may still not be theirs to share.
    send(&world.app, &world.stranger, Method::POST, &shares(&deal), &with).await.expect_problem(404, "REC002");
    get(&world.app, &world.stranger, &shares(&deal)).await.expect_problem(404, "REC002");
    send(&world.app, &world.mate, Method::POST, &shares(&deal), &with).await.expect_problem(403, "ACL005");
    get(&world.app, &world.mate, &shares(&deal)).await.expect_problem(403, "ACL005");
    let nobody = world.stranger.id.replace(&world.stranger.id[world.stranger.id.len() - 3..], "zzz");
    for (body, code) in [
        (json!({}), "bad_shape"),
        (json!({"person": world.mate.id, "role": "rep"}), "bad_shape"),
        (json!({"person": deal}), "bad_shape"),
        (json!({"person": 7}), "bad_shape"),
        (json!({"person": nobody}), "not_found"),
        (json!({"role": "admin"}), "not_found"),
        (json!({"role": "nothing"}), "not_found"),
        (json!({"person": world.mate.id, "may": "delete"}), "bad_shape"),
        (json!({"person": world.mate.id, "until": "soon"}), "bad_shape"),
        (json!({"person": world.mate.id, "until": "2026-11-21T08:00:00Z"}), "over"),
        (json!({"person": world.mate.id, "who": 1}), "bad_shape"),
    ] {
        let refused = send(&world.app, &world.rep, Method::POST, &shares(&deal), &body).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["code"], code, "{body}: {refused:#}");
    }
    let user = format!("/api/v1/records/user/{}/shares", world.rep.id);
    let refused = world.app.post(&user, with.clone()).await.expect_status(422).json();
    assert_eq!(refused["errors"][0]["code"], "not_shared", "{refused:#}");
    // Somebody who may share but not change gives reading alone.
    let giver = "kind: role\nid: giver\npermissions:\n  user: read\n  deal: {rows: \"stage = 'new'\", share: true}\n";
    let mut files = super::world::SALES.to_vec();
    files.push(("definitions/sales/roles/giver.yaml", giver));
    let app = TestApp::with_files(&files).await;
    let giver = person(&app, "giver", &["giver"], json!({})).await;
    let deal = app.create_id("deal", json!({"name": "A"})).await;
    let edit = json!({"role": "rep", "may": "edit"});
    send(&app, &giver, Method::POST, &shares(&deal), &edit).await.expect_problem(403, "ACL005");
    send(&app, &giver, Method::POST, &shares(&deal), &json!({"role": "rep"})).await.expect_status(201);
    send(&app, &giver, Method::DELETE, &format!("{}/share_0000000000001", shares(&deal)), &json!({})).await.expect_status(404);
}

#[tokio::test]
async fn a_shared_record_is_read_at_every_door_and_no_other_is() {
    let world = World::new().await;
    let account = world.app.create_id("account", json!({"name": "Acme"})).await;
    let values =
        json!({"name": "Shared", "amount": "4.00", "margin": "9.00", "account": account, "lines": [{"label": "l", "price": "2.00"}]});
    let deal = world.deal(&world.rep, values).await;
    let other = world.deal(&world.rep, json!({"name": "Other", "amount": "8.00", "account": account})).await;
    let total = async |who: &Person| {
        let body = json!({"measures": {"n": "count()", "sum": "sum(amount)"}});
        let answer = send(&world.app, who, Method::POST, "/api/v1/records/deal/aggregate", &body).await.expect_status(200).json();
        answer["data"][0].clone()
    };
    let who = &world.stranger;
    assert!(!sees(&world, who, &deal).await);
    let made = share(&world, &deal, json!({"person": who.id})).await;
    assert_eq!((&made["may"], &made["until"], &made["created_by"]), (&json!("read"), &json!(null), &json!(world.rep.id)), "{made:#}");
    assert!(sees(&world, who, &deal).await && !sees(&world, who, &other).await);
    let row = get(&world.app, who, &path(&deal)).await.expect_status(200).json();
    assert!(row.get("margin").is_none() && row["profit"] == json!(null), "{row:#}");
    assert_eq!(row["lines_sum"], "2.00");
    assert_eq!(total(who).await, json!({"n": 1, "sum": "4.00"}));
    assert_eq!(world.ids(who, "line").await.len(), 1, "what inherits goes with it");
    assert_eq!(world.ids(who, "deal?q=shar").await, std::slice::from_ref(&deal));
    assert_eq!(world.ids(who, "deal?filter=account.name%20%3D%20'Acme'&count=exact").await, std::slice::from_ref(&deal));
    let above =
        get(&world.app, who, &format!("/api/v1/records/account/{account}?select=total,deals(name)")).await.expect_status(200).json();
    assert_eq!(above, json!({"total": "4.00", "deals": [{"name": "Shared"}]}));
    get(&world.app, who, &format!("{}/history", path(&deal))).await.expect_status(200);
    let feed = get(&world.app, who, "/api/v1/changes").await.json().to_string();
    assert!(feed.contains(&deal) && !feed.contains(&other));
    assert!(get(&world.app, who, "/search?q=Shared").await.text().contains(&deal));
    assert!(get(&world.app, who, &format!("/records/deal/{deal}")).await.expect_status(200).text().contains("Shared"));
    // To read is all it says.
    send(&world.app, who, Method::PATCH, &path(&deal), &json!({"name": "Stolen"})).await.expect_problem(403, "ACL005");
    send(&world.app, who, Method::POST, &shares(&deal), &json!({"role": "rep"})).await.expect_problem(403, "ACL005");
    let id = made["id"].as_str().expect("an id");
    let changed = send(&world.app, &world.rep, Method::PATCH, &format!("{}/{id}", shares(&deal)), &json!({"may": "edit"})).await;
    assert_eq!(changed.expect_status(200).json()["may"], "edit");
    send(&world.app, who, Method::PATCH, &path(&deal), &json!({"name": "Ours"})).await.expect_status(200);
    for values in [json!({"amount": "1.00"}), json!({"margin": "1.00"})] {
        assert!(send(&world.app, who, Method::PATCH, &path(&deal), &values).await.status.is_client_error(), "{values}");
    }
    send(&world.app, who, Method::DELETE, &path(&deal), &json!({})).await.expect_problem(403, "ACL005");
    send(&world.app, who, Method::PATCH, &path(&other), &json!({"name": "Stolen"})).await.expect_problem(404, "REC002");
    let listed = get(&world.app, &world.rep, &shares(&deal)).await.expect_status(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    send(&world.app, &world.rep, Method::DELETE, &format!("{}/{id}", shares(&deal)), &json!({})).await.expect_status(204);
    assert!(!sees(&world, who, &deal).await);
    assert_eq!(total(who).await["n"], 0);
    assert!(world.ids(who, "line").await.is_empty());
    let acts = world.app.get("/audit/export?format=json").await.text();
    for act in ["share.add", "share.change", "share.end"] {
        assert!(acts.contains(act), "{act}: {acts}");
    }
}

#[tokio::test]
async fn a_share_ends_with_its_moment_and_with_those_it_is_for() {
    let world = World::new().await;
    let deal = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let until = json!({"person": world.stranger.id, "until": "2026-11-21T09:00:00Z"});
    share(&world, &deal, until.clone()).await;
    assert!(sees(&world, &world.stranger, &deal).await);
    // With the same person again it is another share in the same place.
    let again = json!({"person": world.stranger.id, "may": "edit", "until": "2026-11-21T08:30:00Z"});
    send(&world.app, &world.rep, Method::POST, &shares(&deal), &again).await.expect_status(200);
    assert_eq!(get(&world.app, &world.rep, &shares(&deal)).await.json()["data"].as_array().map(Vec::len), Some(1));
    world.app.clock.set(relata::base::DateTime::parse("2026-11-21T08:30:00Z").expect("a moment"));
    assert!(!sees(&world, &world.stranger, &deal).await);
    assert_eq!(get(&world.app, &world.rep, &shares(&deal)).await.json()["data"], json!([]));
    // Teams with those below them, and those who lead one.
    let top = world.app.create_id("team", json!({"name": "Top"})).await;
    let below = world.app.create_id("team", json!({"name": "Below", "parent": top})).await;
    let inner = person(&world.app, "inner", &["rep"], json!({"team": below})).await;
    let lead = person(&world.app, "lead", &["rep"], json!({})).await;
    let beside = world.app.create_id("team", json!({"name": "Beside", "parent": top, "lead": lead.id})).await;
    let outer = person(&world.app, "outer", &["rep"], json!({"team": beside})).await;
    share(&world, &deal, json!({"team": below})).await;
    assert_eq!(
        [sees(&world, &inner, &deal).await, sees(&world, &outer, &deal).await, sees(&world, &lead, &deal).await],
        [true, false, false]
    );
    share(&world, &deal, json!({"team": top})).await;
    assert_eq!(
        [sees(&world, &inner, &deal).await, sees(&world, &outer, &deal).await, sees(&world, &lead, &deal).await],
        [true, true, true]
    );
    assert!(!sees(&world, &world.stranger, &deal).await);
    world.app.delete(&format!("/api/v1/records/team/{top}")).await;
    world.app.patch(&format!("/api/v1/records/user/{}", outer.id), json!({"team": null})).await.expect_status(200);
    assert!(!sees(&world, &outer, &deal).await && sees(&world, &inner, &deal).await);
    // Everybody with a role, as long as they have it.
    share(&world, &deal, json!({"role": "rep"})).await;
    assert!(sees(&world, &world.stranger, &deal).await && sees(&world, &outer, &deal).await);
    world.app.patch(&format!("/api/v1/records/user/{}", outer.id), json!({"roles": ["auditor"]})).await.expect_status(200);
    assert!(!sees(&world, &outer, &deal).await);
    // Nobody gets more out of a share than their roles give for such records at all.
    let filer = person(&world.app, "filer", &["filer"], json!({})).await;
    let bare = person(&world.app, "bare", &[], json!({})).await;
    for who in [&filer, &bare] {
        share(&world, &deal, json!({"person": who.id, "may": "edit"})).await;
        assert!(!get(&world.app, who, &path(&deal)).await.status.is_success());
    }
    // Who is gone takes their shares along.
    world.app.delete(&format!("/api/v1/records/user/{}", filer.id)).await.expect_status(204);
    let left = get(&world.app, &world.rep, &shares(&deal)).await.expect_status(200).text();
    assert!(!left.contains(&filer.id) && left.contains(&bare.id), "{left}");
    // In the recycle bin it is shared too, and is seen there.
    send(&world.app, &world.rep, Method::DELETE, &path(&deal), &json!({})).await.expect_status(204);
    get(&world.app, &world.rep, &shares(&deal)).await.expect_status(200);
    assert_eq!(world.ids(&world.stranger, "deal?deleted=deleted").await, [deal]);
}

#[tokio::test]
async fn the_page_shares_without_scripts() {
    let world = World::new().await;
    let deal = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let page = format!("/records/deal/{deal}");
    let shares = format!("{page}/shares");
    let text = |answer: crate::support::Answer| answer.text().replace("&#x2f;", "/");
    assert!(!text(get(&world.app, &world.mate, &page).await.expect_status(200)).contains(&shares));
    get(&world.app, &world.mate, &shares).await.expect_status(403);
    get(&world.app, &world.stranger, &shares).await.expect_status(404);
    assert!(text(get(&world.app, &world.rep, &page).await.expect_status(200)).contains(&shares));
    let form = text(get(&world.app, &world.rep, &shares).await.expect_status(200));
    assert!(form.contains(&world.stranger.id) && form.contains("role:rep") && form.contains("North"), "{form}");
    let post = async |path: &str, body: String| {
        let request =
            world.app.request(Method::POST, path).token(&world.rep.token).header("content-type", "application/x-www-form-urlencoded");
        request.text(body).send().await
    };
    post(&shares, "with=&may=read".to_owned()).await.expect_status(422);
    post(&shares, format!("with={}&may=read&until=2026-11-20", world.stranger.id)).await.expect_status(422);
    post(&shares, format!("with={}&may=read&until=gestern", world.stranger.id)).await.expect_status(422);
    post(&shares, format!("with={}&may=read&until=2026-11-21", world.stranger.id)).await.expect_status(303);
    assert!(sees(&world, &world.stranger, &deal).await);
    let form = text(get(&world.app, &world.rep, &shares).await.expect_status(200));
    let end = form.split("action=\"").filter_map(|rest| rest.split('"').next()).find(|action| action.ends_with("/end")).expect("a form");
    post(end, String::new()).await.expect_status(303);
    assert!(!sees(&world, &world.stranger, &deal).await);
}

/// How the database would run a list of deals for somebody.
async fn plan(app: &TestApp, who: &Person, query: &str) -> (bool, String) {
    let records = &app.workspace.records;
    let catalog = records.catalog();
    let actor = records.actor_of(RecordId::parse(&who.id).expect("an id").1).await.expect("asked").expect("a person");
    let entity = catalog.find_entity("deal").expect("deals").ix;
    let asked = query::parse_list(&catalog, records.cursor_key(), entity, &Params::parse(query)).expect("a list");
    let asked = authorise_list(&catalog, &actor, asked).expect("allowed");
    let context = EvalContext { now: records.clock().now(), zone: Zone::utc(), me: actor.user, old: None };
    let statement = compile::list(&catalog, records.store().dialect(), &asked, &context).page;
    let is_sqlite = records.store().dialect() == Dialect::Sqlite;
    let columns: &[ColumnKind] =
        if is_sqlite { &[ColumnKind::Int, ColumnKind::Int, ColumnKind::Int, ColumnKind::Text] } else { &[ColumnKind::Text] };
    let prefix = if is_sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " };
    let explain = Statement { sql: format!("{prefix}{}", statement.sql).into(), binds: statement.binds.clone(), columns: columns.into() };
    let found = records.store().write(move |tx| {
        Box::pin(async move {
            if !is_sqlite {
                // As if the tables were large.
                tx.run(relata::store::Sql::new("SET LOCAL enable_seqscan = off")).await?;
            }
            tx.query(&explain).await
        })
    });
    let rows = found.await.unwrap_or_else(|error: StoreError| panic!("{error:?}\n{}", statement.sql));
    (is_sqlite, rows.iter().filter_map(|row| row.last()?.as_text()).collect::<Vec<_>>().join("\n"))
}

#[tokio::test]
async fn rows_or_shared_is_answered_by_indexes() {
    let world = World::new().await;
    let deal = world.deal(&world.rep, json!({"name": "Mine"})).await;
    share(&world, &deal, json!({"person": world.stranger.id})).await;
    for query in ["select=id,name&limit=50", "select=id,name&limit=50&sort=name"] {
        let (is_sqlite, plan) = plan(&world.app, &world.stranger, query).await;
        assert!(plan.contains("x_sys_share_"), "{query}: {plan}");
        assert!(!plan.contains(if is_sqlite { "SCAN t" } else { "Seq Scan" }), "{query}: {plan}");
        assert!(plan.contains("owner"), "{query}: an index of the owner: {plan}");
    }
    // So are the deals somebody is in the team of.
    let app = TestApp::shipped("crm").await;
    let helper = person(&app, "helper", &["sales_rep"], json!({})).await;
    for query in ["select=id,name&limit=50", "select=id,name&limit=50&sort=name"] {
        let (is_sqlite, plan) = plan(&app, &helper, query).await;
        for index in ["x_sys_share_", "owner", "person"] {
            assert!(plan.contains(index), "{query}: {plan}");
        }
        assert!(!plan.contains(if is_sqlite { "SCAN t" } else { "Seq Scan" }), "{query}: {plan}");
    }
}

const KEEPER: &str = "kind: role\nid: keeper\npermissions:\n  user: read\n  deal: {rows: \"stage = 'new'\", admin: true}\n";

/// The small sales team with one more role.
async fn with_role(id: &str, role: &str) -> (TestApp, Vec<relata::schema::SourceFile>) {
    let path = format!("definitions/sales/roles/{id}.yaml");
    let mut files = super::world::SALES.to_vec();
    files.push((&path, role));
    let app = TestApp::with_files(&files).await;
    let mut all = relata::deploy::read(&app.workspace.folders).expect("the files are readable");
    all.sort_by_key(|file| file.path == path);
    (app, all)
}

/// Applies definitions, with whatever has to be confirmed.
async fn apply(app: &TestApp, files: &[relata::schema::SourceFile]) {
    let plan = relata::deploy::plan(&app.workspace.store, files).await.expect("a plan");
    let accept: Vec<String> = plan.confirmations.iter().map(|needed| needed.name.clone()).collect();
    app.workspace.apply(files, None, &accept, 0).await.expect("applied");
}

#[tokio::test]
async fn who_looks_after_shares_sees_and_ends_them_and_makes_none() {
    let (app, _) = with_role("keeper", KEEPER).await;
    let keeper = person(&app, "keeper", &["keeper"], json!({})).await;
    let rep = person(&app, "rep", &["rep"], json!({})).await;
    let deal = app.create_id("deal", json!({"name": "A"})).await;
    let share = app.post(&shares(&deal), json!({"role": "rep"})).await.expect_status(201).json();
    let one = format!("{}/{}", shares(&deal), share["id"].as_str().expect("an id"));
    send(&app, &keeper, Method::POST, &shares(&deal), &json!({"person": keeper.id})).await.expect_problem(403, "ACL005");
    send(&app, &keeper, Method::PATCH, &one, &json!({"until": "2027-01-01T00:00:00Z"})).await.expect_problem(403, "ACL005");
    let page = format!("/records/deal/{deal}/shares");
    let form = get(&app, &keeper, &page).await.expect_status(200).text();
    assert!(form.contains("/end\"") || form.contains("&#x2f;end\""), "{form}");
    assert!(!form.contains("name=\"with\""), "{form}");
    let document = get(&app, &keeper, "/api/v1/openapi.json").await.expect_status(200).json();
    let operations = |path: &str| -> Vec<String> {
        let path = document["paths"][format!("/api/v1/records/deal/{{id}}/{path}")].as_object().expect("a path");
        path.keys().cloned().collect()
    };
    assert_eq!((operations("shares"), operations("shares/{share}")), (vec!["get".to_owned()], vec!["delete".to_owned()]));
    assert_eq!(get(&app, &keeper, &shares(&deal)).await.json()["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(get(&app, &rep, &path(&deal)).await.status.as_u16(), 200);
    send(&app, &keeper, Method::DELETE, &one, &json!({})).await.expect_status(204);
    get(&app, &rep, &path(&deal)).await.expect_status(404);
}

#[tokio::test]
async fn a_share_to_edit_does_not_let_the_record_be_taken_over() {
    let closer =
        "kind: role\nid: closer\npermissions:\n  user: read\n  deal: {rows: \"owner = me()\", update: true, delete: true, share: true}\n";
    let (app, _) = with_role("closer", closer).await;
    let owner = person(&app, "owner", &["closer"], json!({})).await;
    let taker = person(&app, "taker", &["closer"], json!({})).await;
    let deal = app.create_id("deal", json!({"name": "A", "owner": owner.id})).await;
    let with = json!({"person": taker.id, "may": "edit"});
    send(&app, &owner, Method::POST, &shares(&deal), &with).await.expect_status(201);
    for to in [json!(taker.id), json!(null)] {
        let refused = send(&app, &taker, Method::PATCH, &path(&deal), &json!({"name": "B", "owner": to})).await;
        let refused = refused.expect_status(403).json();
        assert_eq!(refused["code"], "ACL006", "{refused:#}");
        assert!(refused.to_string().contains("by a share"), "{refused:#}");
    }
    let many = json!([{"id": deal, "set": {"owner": taker.id}}]);
    let answer = send(&app, &taker, Method::PATCH, "/api/v1/records/deal", &many).await.expect_status(200).text();
    assert!(answer.contains("ACL006"), "{answer}");
    send(&app, &taker, Method::DELETE, &path(&deal), &json!({})).await.expect_problem(403, "ACL005");
    // Everything else is what was shared, also beside the owner as it is; and the owner hands it on.
    let same = json!({"name": "C", "owner": owner.id});
    send(&app, &taker, Method::PATCH, &path(&deal), &same).await.expect_status(200);
    let row = get(&app, &owner, &path(&deal)).await.expect_status(200).json();
    assert_eq!((&row["name"], &row["owner"]), (&json!("C"), &json!(owner.id)));
    // Who has handed it on does not read it any more.
    send(&app, &owner, Method::PATCH, &path(&deal), &json!({"owner": taker.id})).await.expect_status(204);
}

#[tokio::test]
async fn a_role_that_is_gone_opens_nothing() {
    let (app, files) = with_role("guest", "kind: role\nid: guest\npermissions:\n  user: read\n").await;
    let both = person(&app, "both", &["rep", "guest"], json!({})).await;
    let deal = app.create_id("deal", json!({"name": "A"})).await;
    app.post(&shares(&deal), json!({"role": "guest"})).await.expect_status(201);
    get(&app, &both, &path(&deal)).await.expect_status(200);
    let (_, without) = files.split_last().expect("files");
    apply(&app, without).await;
    get(&app, &both, &path(&deal)).await.expect_status(404);
}

#[tokio::test]
async fn a_new_rule_on_teams_holds_from_the_next_request_on() {
    let (app, mut files) = with_role("peer", "kind: role\nid: peer\npermissions:\n  user: read\n  deal: read\n").await;
    let team = app.create_id("team", json!({"name": "North"})).await;
    let peer = person(&app, "peer", &["peer"], json!({"team": team})).await;
    let mate = person(&app, "mate", &["rep"], json!({"team": team})).await;
    let deal = app.create_id("deal", json!({"name": "A", "owner": mate.id})).await;
    get(&app, &peer, &path(&deal)).await.expect_status(200);
    let last = files.last_mut().expect("files");
    last.text = last.text.replace("deal: read", "deal: {rows: \"owner.team is null or owner.team not in my_teams()\"}");
    apply(&app, &files).await;
    get(&app, &peer, &path(&deal)).await.expect_status(404);
}

#[tokio::test]
async fn a_dry_run_keeps_nothing_and_headers_without_a_meaning_are_refused() {
    let world = World::new().await;
    let deal = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let ask = async |method: Method, path: &str, header: (&str, &str), body: Value| {
        world.app.request(method, path).token(&world.rep.token).header(header.0, header.1).json(&body).send().await
    };
    let one = share(&world, &deal, json!({"person": world.stranger.id})).await;
    let place = format!("{}/{}", shares(&deal), one["id"].as_str().expect("an id"));
    let asked = [
        (Method::POST, shares(&deal), json!({"role": "rep"})),
        (Method::PATCH, place.clone(), json!({"may": "edit"})),
        (Method::DELETE, place.clone(), json!({})),
    ];
    for (method, path, body) in &asked {
        for header in [("if-match", "\"v1\""), ("idempotency-key", "once")] {
            let refused = ask(method.clone(), path, header, body.clone()).await;
            let refused = refused.expect_status(400).json();
            assert_eq!((&refused["code"], &refused["errors"][0]["code"]), (&json!("WEB400"), &json!("not_supported")), "{refused:#}");
        }
        let dry = ask(method.clone(), path, ("prefer", "dry-run"), body.clone()).await;
        assert!(dry.status.is_success() && dry.status.as_u16() != 201, "{method} {path}: {}", dry.status);
        assert_eq!(dry.headers.get("preference-applied").and_then(|value| value.to_str().ok()), Some("dry-run"));
        assert!(dry.headers.get("location").is_none());
    }
    // What would be refused is refused in a dry run too.
    let refused = ask(Method::POST, &shares(&deal), ("prefer", "dry-run"), json!({"role": "nothing"})).await;
    refused.expect_status(422);
    let left = get(&world.app, &world.rep, &shares(&deal)).await.expect_status(200).json();
    assert_eq!(left["data"], json!([one]));
}

#[tokio::test]
async fn what_lies_in_the_recycle_bin_is_shared_with_nobody_more_and_its_shares_are_ended() {
    let world = World::new().await;
    let deal = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let one = share(&world, &deal, json!({"person": world.stranger.id})).await;
    let place = format!("{}/{}", shares(&deal), one["id"].as_str().expect("an id"));
    send(&world.app, &world.rep, Method::DELETE, &path(&deal), &json!({})).await.expect_status(204);
    send(&world.app, &world.rep, Method::POST, &shares(&deal), &json!({"role": "rep"})).await.expect_problem(404, "REC002");
    send(&world.app, &world.rep, Method::PATCH, &place, &json!({"may": "edit"})).await.expect_problem(404, "REC002");
    get(&world.app, &world.stranger, &shares(&deal)).await.expect_problem(403, "ACL005");
    assert_eq!(get(&world.app, &world.rep, &shares(&deal)).await.expect_status(200).json()["data"], json!([one]));
    let page = get(&world.app, &world.rep, &format!("/records/deal/{deal}/shares")).await.expect_status(200).text();
    assert!(!page.contains("name=\"with\""), "{page}");
    send(&world.app, &world.mate, Method::DELETE, &place, &json!({})).await.expect_problem(403, "ACL005");
    send(&world.app, &world.rep, Method::DELETE, &place, &json!({})).await.expect_status(204);
    assert!(world.ids(&world.stranger, "deal?deleted=deleted").await.is_empty());
    assert_eq!(get(&world.app, &world.rep, &shares(&deal)).await.expect_status(200).json()["data"], json!([]));
}

#[tokio::test]
async fn a_share_to_edit_changes_nothing_of_who_sees_the_record() {
    let app = TestApp::shipped("crm").await;
    let owner = person(&app, "owner", &["sales_rep"], json!({})).await;
    let helper = person(&app, "helper", &["sales_rep"], json!({})).await;
    let third = person(&app, "third", &["sales_rep"], json!({})).await;
    let account = app.create_id("account", json!({"name": "Acme"})).await;
    let amount = json!({"amount": "5.00", "currency": "USD"});
    let deal = app.create_id("deal", json!({"name": "A", "owner": owner.id, "account": account, "amount": amount})).await;
    let member = app.create_id("deal_member", json!({"deal": deal, "person": third.id, "part": "presales"})).await;
    let with = json!({"person": helper.id, "may": "edit"});
    send(&app, &owner, Method::POST, &shares(&deal), &with).await.expect_status(201);
    // Who takes part is said by the rows of the deal's team: none is added, changed or taken away, also not below the deal.
    let members = "/api/v1/records/deal_member";
    let new = json!({"deal": deal, "person": helper.id, "part": "presales", "may_edit": true});
    send(&app, &helper, Method::POST, members, &new).await.expect_problem(403, "ACL006");
    let one = format!("{members}/{member}");
    send(&app, &helper, Method::PATCH, &one, &json!({"may_edit": true})).await.expect_problem(403, "ACL006");
    send(&app, &helper, Method::PATCH, &one, &json!({"person": helper.id})).await.expect_problem(403, "ACL006");
    send(&app, &helper, Method::DELETE, &one, &json!({})).await.expect_problem(403, "ACL006");
    for below in [json!([{"person": helper.id, "part": "presales", "may_edit": true}]), json!([])] {
        let answer = send(&app, &helper, Method::PATCH, &path(&deal), &json!({"members": below})).await;
        answer.expect_problem(403, "ACL006");
    }
    send(&app, &helper, Method::PATCH, &path(&deal), &json!({"owner": helper.id})).await.expect_problem(403, "ACL006");
    // Nor does a form offer it.
    let form = get(&app, &helper, &format!("/records/deal/{deal}/edit")).await.expect_status(200).text();
    assert!(form.contains("name=\"name\"") && !form.contains("name=\"owner\""), "{form}");
    assert!(get(&app, &owner, &format!("/records/deal/{deal}/edit")).await.text().contains("name=\"owner\""));
    // The rest is what was shared, and the owner does it all.
    send(&app, &helper, Method::PATCH, &path(&deal), &json!({"name": "B"})).await.expect_status(200);
    send(&app, &helper, Method::PATCH, &one, &json!({"may_edit": false})).await.expect_status(200);
    send(&app, &owner, Method::PATCH, &one, &json!({"may_edit": true})).await.expect_status(200);
    send(&app, &owner, Method::POST, members, &new).await.expect_status(201);
    // In the team to edit one changes the team, share or not.
    send(&app, &helper, Method::DELETE, &one, &json!({})).await.expect_status(204);
}

#[tokio::test]
async fn any_field_that_a_rule_for_reading_reads_is_kept_from_a_share() {
    let roles = r#"
kind: role
id: closer
permissions:
  user: read
  deal: {rows: "owner = me()", update: true, share: true}
---
kind: role
id: partner
permissions:
  deal: "none"
  account: {rows: "secret = false"}
"#;
    let (app, _) = with_role("closer", roles).await;
    let owner = person(&app, "owner", &["closer"], json!({})).await;
    let taker = person(&app, "taker", &["closer"], json!({})).await;
    let deal = app.create_id("deal", json!({"name": "A", "owner": owner.id})).await;
    send(&app, &owner, Method::POST, &shares(&deal), &json!({"person": taker.id, "may": "edit"})).await.expect_status(201);
    // The role `auditor` sees what was won.
    let refused = send(&app, &taker, Method::PATCH, &path(&deal), &json!({"stage": "won", "name": "B"})).await;
    refused.expect_problem(403, "ACL006");
    send(&app, &taker, Method::PATCH, &path(&deal), &json!({"stage": "new", "amount": "2.00"})).await.expect_status(200);
    send(&app, &owner, Method::PATCH, &path(&deal), &json!({"stage": "won"})).await.expect_status(200);
}
