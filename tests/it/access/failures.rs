//! What broke in other products (rows of the list of failures), each as a test of its own.

use axum::http::Method;
use serde_json::json;

use super::world::{World, get, person, send};

/// What each row is about; at least one test below or beside is named after it.
const ROWS: [(u8, &str); 12] = [
    (20, "a filter on what is hidden"),
    (21, "a sort, a group or a saved view by what is hidden"),
    (22, "related records of others"),
    (23, "aggregates over what may not be read"),
    (24, "children without the scope of their parent"),
    (25, "another door with other rules"),
    (26, "records written inside of others"),
    (27, "a feed by rights of a moment ago"),
    (28, "rights field by field"),
    (44, "a rule that does not compile"),
    (45, "a restricted delete by another way"),
    (46, "values in statements"),
];

#[test]
fn every_row_has_a_test_of_its_name() {
    let mut names = Vec::new();
    let mut folders = vec![crate::support::root().join("tests/it")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable").filter_map(Result::ok) {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let mut is_test = false;
            for line in text.lines() {
                let name = line.split_once("fn ").map_or("", |(_, rest)| rest.split('(').next().unwrap_or_default());
                if is_test && name.starts_with("row_") {
                    names.push(name.to_owned());
                }
                is_test = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            }
        }
    }
    for (row, about) in ROWS {
        assert!(names.iter().any(|name| name.starts_with(&format!("row_{row}_"))), "row {row}, {about}, has no test");
    }
    let strangers: Vec<&String> =
        names.iter().filter(|name| !ROWS.iter().any(|(row, _)| name.starts_with(&format!("row_{row}_")))).collect();
    assert!(strangers.is_empty(), "{strangers:?} are named after rows that are not listed");
}

/// The answer with one name in the place of another.
fn told(answer: &crate::support::Answer, name: &str) -> String {
    let mut body = answer.json();
    body["request_id"] = "".into();
    format!("{} {}", answer.status, body.to_string().replace(name, "NAME"))
}

#[tokio::test]
async fn row_20_a_hidden_field_answers_like_one_that_is_not_there() {
    let world = World::new().await;
    world.deal(&world.rep, json!({"name": "A", "margin": "5.00"})).await;
    let asks = [
        "?filter=NAME%20%3D%201",
        "?filter=NAME%20is%20null",
        "?filter=not%20(NAME%20%3E%205)",
        "?select=id,NAME",
        "?select=id,account(id,deals(NAME))",
        "?select=id,account(id,deals(id;filter=NAME%3D1))",
        "?select=id,account(id,deals(id;sort=NAME))",
        "?filter=exists(account.deals%20where%20NAME%20%3D%201)",
        "?filter=sum(account.deals.NAME)%20%3E%201",
    ];
    for ask in asks {
        let hidden = get(&world.app, &world.rep, &format!("/api/v1/records/deal{}", ask.replace("NAME", "margin"))).await;
        let missing = get(&world.app, &world.rep, &format!("/api/v1/records/deal{}", ask.replace("NAME", "morgan"))).await;
        assert_eq!(hidden.status.as_u16(), 400, "{ask}: {}", hidden.text());
        assert_eq!(told(&hidden, "margin"), told(&missing, "morgan"), "{ask}");
    }
    let body = |name: &str| json!({"measures": {"n": format!("sum({name})")}});
    let hidden = send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal/aggregate", &body("margin")).await;
    let missing = send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal/aggregate", &body("morgan")).await;
    assert_eq!(told(&hidden, "margin"), told(&missing, "morgan"));
    let write = |name: &str| json!({"name": "B", name: "1.00"});
    let hidden = send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal", &write("margin")).await;
    let missing = send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal", &write("morgan")).await;
    assert_eq!(told(&hidden, "margin"), told(&missing, "morgan"));
}

#[tokio::test]
async fn row_21_nothing_is_sorted_or_grouped_by_what_is_hidden() {
    let world = World::new().await;
    for ask in ["deal?sort=-margin", "deal?sort=account.credit", "deal?sort=margin,name"] {
        get(&world.app, &world.rep, &format!("/api/v1/records/{ask}")).await.expect_status(400);
    }
    for body in [
        json!({"group": ["margin"], "measures": {"n": "count()"}}),
        json!({"group": ["account.credit"], "measures": {"n": "count()"}}),
        json!({"measures": {"n": "max(margin)"}}),
        json!({"measures": {"n": "count()"}, "filter": "account.credit > 1"}),
    ] {
        let answer = send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal/aggregate", &body).await;
        assert!(answer.status.is_client_error(), "{body}: {}", answer.text());
    }
}

/// A view of the definitions is a request of whoever opens it: what it filters, sorts and shows by is theirs to see, or the view
/// does without. The page is the same whatever the hidden values are.
#[tokio::test]
async fn row_21_a_view_orders_and_filters_by_nothing_that_is_hidden() {
    let view = "\nviews:\n  - {id: rich, label: Rich, columns: [name, margin], filter: \"margin > 3\", sort: [-margin]}\n";
    let mut files = super::world::SALES.to_vec();
    let with_view = files[1].1.replace("rules:\n  - {id: sane", &format!("{}rules:\n  - {{id: sane", view.trim_start()));
    files[1].1 = &with_view;
    let mut pages = Vec::new();
    for margins in [["1.00", "9.00"], ["9.00", "1.00"]] {
        let app = crate::support::TestApp::with_files(&files).await;
        let rep = person(&app, "rep", &["rep"], json!({})).await;
        for (name, margin) in ["Alpha", "Beta"].iter().zip(margins) {
            app.create("deal", json!({"name": name, "margin": margin, "owner": rep.id})).await;
        }
        let mut told = Vec::new();
        for path in ["?view=rich", "?view=rich&sort=-margin", "?sort=margin", "?sort=-margin&filter=margin%20%3E%203"] {
            let answer = get(&app, &rep, &format!("/records/deal{path}")).await;
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.text());
            let text = answer.text();
            let order: Vec<usize> = ["Alpha", "Beta"].iter().map(|name| text.find(name).unwrap_or(usize::MAX)).collect();
            told.push((path, answer.status, order[0] < order[1], order.iter().filter(|at| **at != usize::MAX).count()));
        }
        pages.push(told);
    }
    assert_eq!(pages[0], pages[1], "the order or number of records tells what is hidden");
}

#[tokio::test]
async fn row_22_related_records_are_seen_only_by_those_who_may() {
    let world = World::new().await;
    let secret = world.app.create_id("account", json!({"name": "Secret Ltd", "secret": true})).await;
    let open = world.app.create_id("account", json!({"name": "Open Ltd"})).await;
    let hidden = world.app.create_id("contact", json!({"name": "Mole", "secret": true})).await;
    let known = world.app.create_id("contact", json!({"name": "Known"})).await;
    let one = world.deal(&world.rep, json!({"name": "One", "account": secret, "contacts": [hidden, known]})).await;
    world.deal(&world.stranger, json!({"name": "Foreign", "account": open})).await;
    let row = get(&world.app, &world.rep, &format!("/api/v1/records/deal/{one}?select=id,contacts,account(id,name),worth")).await;
    let row = row.expect_status(200).json();
    assert_eq!(row["account"], json!(null), "an account that may not be read is not expanded");
    assert_eq!(row["contacts"], json!([known]));
    assert_eq!(row["worth"], json!(null), "a formula shows no more than its inputs");
    for filter in ["account.name%20%3D%20'Secret%20Ltd'", "exists(contacts%20where%20name%20%3D%20'Mole')"] {
        assert!(world.ids(&world.rep, &format!("deal?filter={filter}")).await.is_empty(), "{filter}");
    }
    assert_eq!(world.ids(&world.rep, "deal?filter=count(contacts)%20%3D%201").await, [one]);
    let account = get(&world.app, &world.rep, &format!("/api/v1/records/account/{open}?select=id,deals(name),total")).await;
    let account = account.expect_status(200).json();
    assert_eq!(account["deals"], json!([]));
    get(&world.app, &world.rep, &format!("/api/v1/records/account/{secret}")).await.expect_problem(404, "REC002");
}

#[tokio::test]
async fn row_23_aggregates_are_taken_over_what_may_be_read() {
    let world = World::new().await;
    world.deal(&world.rep, json!({"name": "Mine", "amount": "1.00"})).await;
    world.deal(&world.mate, json!({"name": "Ours", "amount": "2.00"})).await;
    world.deal(&world.stranger, json!({"name": "Theirs", "amount": "4.00"})).await;
    let body = json!({"measures": {"n": "count()", "sum": "sum(amount)"}});
    for (person, n, sum) in [(&world.rep, 2, "3.00"), (&world.stranger, 1, "4.00")] {
        let answer = send(&world.app, person, Method::POST, "/api/v1/records/deal/aggregate", &body).await.expect_status(200).json();
        assert_eq!(answer["data"], json!([{"n": n, "sum": sum}]));
    }
    let page = get(&world.app, &world.rep, "/api/v1/records/deal?count=exact&limit=1").await.expect_status(200).json();
    assert_eq!(page["total"]["value"], 2);
    // A stored total over deals of which some may not be read is computed from those that may.
    let account = world.app.create_id("account", json!({"name": "Both"})).await;
    world.deal(&world.rep, json!({"name": "a", "amount": "10.00", "margin": "1.00", "account": account})).await;
    world.deal(&world.stranger, json!({"name": "b", "amount": "90.00", "margin": "2.00", "account": account})).await;
    let seen = get(&world.app, &world.rep, &format!("/api/v1/records/account/{account}")).await.expect_status(200).json();
    assert_eq!((&seen["total"], &seen["earned"]), (&json!("10.00"), &json!(null)), "{seen:#}");
    let whole = world.app.get(&format!("/api/v1/records/account/{account}")).await.json();
    assert_eq!((&whole["total"], &whole["earned"]), (&json!("100.00"), &json!("3.00")));
    assert_eq!(world.ids(&world.rep, "account?filter=total%20%3E%2050").await, Vec::<String>::new());
    assert_eq!(world.ids(&world.rep, "account?filter=total%20%3D%2010&sort=-total").await, [account]);
}

#[tokio::test]
async fn row_24_children_have_the_scope_of_their_parent() {
    let world = World::new().await;
    let mine = world.deal(&world.rep, json!({"name": "Mine", "lines": [{"label": "a", "price": "1.00"}]})).await;
    let theirs = world.deal(&world.stranger, json!({"name": "Theirs", "lines": [{"label": "b", "price": "2.00"}]})).await;
    get(&world.app, &world.rep, "/api/v1/records/line/export").await.expect_problem(403, "ACL005");
    let line = |deal: &str| format!("line?filter=deal%20%3D%20'{deal}'");
    assert_eq!(world.ids(&world.rep, &line(&mine)).await.len(), 1);
    assert_eq!(world.ids(&world.rep, "line").await.len(), 1);
    assert_eq!(world.ids(&world.stranger, "line").await, world.ids(&world.stranger, &line(&theirs)).await);
    let foreign = world.ids(&world.stranger, "line").await.remove(0);
    for path in [format!("line/{foreign}"), format!("line/{foreign}/history")] {
        get(&world.app, &world.rep, &format!("/api/v1/records/{path}")).await.expect_problem(404, "REC002");
    }
    let path = format!("/api/v1/records/line/{foreign}");
    send(&world.app, &world.rep, Method::PATCH, &path, &json!({"label": "x"})).await.expect_problem(404, "REC002");
    send(&world.app, &world.rep, Method::DELETE, &path, &json!({})).await.expect_problem(404, "REC002");
    // A mate reads the lines of the team, and changes none: the deal is not theirs to change.
    let own = world.ids(&world.mate, "line").await.remove(0);
    let path = format!("/api/v1/records/line/{own}");
    send(&world.app, &world.mate, Method::PATCH, &path, &json!({"label": "x"})).await.expect_problem(403, "ACL005");
    send(&world.app, &world.rep, Method::PATCH, &path, &json!({"label": "x"})).await.expect_status(200);
    let lines = json!({"deal": theirs, "label": "smuggled"});
    send(&world.app, &world.rep, Method::POST, "/api/v1/records/line", &lines).await.expect_status(422);
}

#[tokio::test]
async fn row_27_rights_are_those_of_now() {
    let world = World::new().await;
    let deal = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let path = format!("/api/v1/records/deal/{deal}");
    get(&world.app, &world.rep, &path).await.expect_status(200);
    let feed =
        |answer: serde_json::Value| answer["data"].as_array().expect("events").iter().filter(|event| event["entity"] == "deal").count();
    assert_eq!(feed(get(&world.app, &world.rep, "/api/v1/changes").await.json()), 1);
    assert_eq!(feed(get(&world.app, &world.stranger, "/api/v1/changes").await.json()), 0);
    world.app.patch(&path, json!({"owner": world.stranger.id})).await.expect_status(200);
    get(&world.app, &world.rep, &path).await.expect_problem(404, "REC002");
    assert_eq!(feed(get(&world.app, &world.rep, "/api/v1/changes").await.json()), 0);
    assert_eq!(feed(get(&world.app, &world.stranger, "/api/v1/changes").await.json()), 2);
    world.app.patch(&format!("/api/v1/records/user/{}", world.stranger.id), json!({"roles": []})).await.expect_status(200);
    get(&world.app, &world.stranger, &path).await.expect_problem(404, "REC001");
    // A team that is left is no team any more.
    let ours = world.deal(&world.mate, json!({"name": "Ours"})).await;
    let path = format!("/api/v1/records/deal/{ours}");
    get(&world.app, &world.rep, &path).await.expect_status(200);
    world.app.patch(&format!("/api/v1/records/user/{}", world.rep.id), json!({"team": null})).await.expect_status(200);
    get(&world.app, &world.rep, &path).await.expect_problem(404, "REC002");
}

#[tokio::test]
async fn row_28_roles_decide_field_by_field_and_union_by_row() {
    let world = World::new().await;
    let both = person(&world.app, "both", &["rep", "auditor"], json!({})).await;
    let mine = world.deal(&both, json!({"name": "Mine", "margin": "7.00", "amount": "1.00"})).await;
    let won = world.deal(&world.stranger, json!({"name": "Won", "stage": "won", "margin": "8.00", "amount": "2.00"})).await;
    let lost = world.deal(&world.stranger, json!({"name": "Lost", "stage": "lost", "margin": "9.00"})).await;
    let rows = get(&world.app, &both, "/api/v1/records/deal?select=id,name,margin,amount&sort=name").await.expect_status(200).json();
    assert_eq!(
        rows["data"],
        json!([
            {"id": mine, "name": "Mine", "margin": null, "amount": "1.00"},
            {"id": won, "name": "Won", "margin": "8.00", "amount": null},
        ]),
        "each value by the role that grants its row"
    );
    assert_eq!(world.ids(&both, "deal?filter=margin%20%3D%207").await, Vec::<String>::new());
    assert_eq!(world.ids(&both, "deal?filter=margin%20is%20null").await, std::slice::from_ref(&mine));
    assert_eq!(world.ids(&both, "deal?filter=amount%20is%20null").await, [won]);
    let sum = json!({"measures": {"m": "sum(margin)", "a": "sum(amount)"}});
    let sum = send(&world.app, &both, Method::POST, "/api/v1/records/deal/aggregate", &sum).await.expect_status(200).json();
    assert_eq!(sum["data"], json!([{"m": "8.00", "a": "1.00"}]));
    let path = format!("/api/v1/records/deal/{mine}");
    send(&world.app, &both, Method::PATCH, &path, &json!({"margin": "7.00"})).await.expect_problem(422, "REC010");
    get(&world.app, &both, &format!("/api/v1/records/deal/{lost}")).await.expect_problem(404, "REC002");
}

#[test]
fn row_44_a_rule_that_does_not_compile_is_a_fault_of_the_definitions() {
    let text =
        "kind: entity\nid: deal\nfields: {name: {type: text}}\n---\nkind: role\nid: r\npermissions:\n  deal: {rows: \"owner = nobody\"}\n";
    let files = [relata::schema::SourceFile { path: "site.yaml".to_owned(), text: text.to_owned() }];
    let faults = relata::schema::load(&files, &relata::schema::Bindings::default()).expect_err("a rule that names nothing");
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!((faults[0].line, faults[0].column), (8, 25), "{faults:?}");
}

/// A field that a rule asks about cannot go: definitions whose rules would no longer say anything are refused whole.
#[tokio::test]
async fn row_44_definitions_that_take_a_rule_its_ground_are_refused() {
    let world = World::new().await;
    let theirs = world.deal(&world.stranger, json!({"name": "Theirs"})).await;
    let without: Vec<serde_json::Value> = super::world::SALES
        .iter()
        .map(|(path, text)| json!({"path": path, "text": text.replace("owner = me() or owner.team in my_teams()", "owner = me() or region = 'x'")}))
        .collect();
    let answer = world.app.post("/api/v1/definitions/apply", json!({"files": without})).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    get(&world.app, &world.rep, &format!("/api/v1/records/deal/{theirs}")).await.expect_problem(404, "REC002");
}

#[tokio::test]
async fn row_45_a_restricted_delete_is_refused_whoever_sees_what() {
    let world = World::new().await;
    let account = world.app.create_id("account", json!({"name": "Busy"})).await;
    world.deal(&world.stranger, json!({"name": "Foreign", "account": account})).await;
    let path = format!("/api/v1/records/account/{account}");
    world.app.delete(&path).await.expect_problem(409, "REC012");
    // At every door.
    let batch = json!({"operations": [{"op": "delete", "entity": "account", "id": account}]});
    world.app.post("/api/v1/batch", batch).await.expect_problem(409, "REC012");
    let cookie = crate::identity::signed_in(&world.app, "bo@example.com", true).await;
    let page = crate::identity::post_form(&world.app, &cookie, &format!("/records/account/{account}/delete"), "").await;
    assert_eq!(page.status, 409, "{}", page.text());
    world.app.get(&path).await.expect_status(200);
    // Somebody who may delete accounts and sees none of the deals learns that it cannot be done, and no more.
    let clerk = [("definitions/sales/roles/clerk.yaml", "kind: role\nid: clerk\npermissions: {account: all}\n")];
    let mut files = super::world::SALES.to_vec();
    files.extend(clerk);
    let app = crate::support::TestApp::with_files(&files).await;
    let clerk = person(&app, "clerk", &["clerk"], json!({})).await;
    let account = app.create_id("account", json!({"name": "Busy"})).await;
    app.create_id("deal", json!({"name": "Foreign", "account": account})).await;
    let path = format!("/api/v1/records/account/{account}");
    let refused = send(&app, &clerk, Method::DELETE, &path, &json!({})).await.expect_problem(409, "REC013");
    assert!(!refused.to_string().contains("deal"), "{refused:#}");
}

/// A child that something else must have stays, whichever way its parent lets it go.
#[tokio::test]
async fn row_45_a_restricted_child_is_not_removed_through_its_parent() {
    let bill = "kind: entity\nid: sales.bill\ntitle: \"{no}\"\nfields:\n  no: {type: text}\n  line: {type: link, to: sales.line, on_delete: restrict}\n";
    let mut files = super::world::SALES.to_vec();
    files.push(("definitions/sales/entities/bill.yaml", bill));
    let app = crate::support::TestApp::with_files(&files).await;
    let deal = app.create_id("deal", json!({"name": "A", "lines": [{"label": "billed"}]})).await;
    let line = app.get("/api/v1/records/line").await.json()["data"][0]["id"].as_str().expect("an id").to_owned();
    app.create_id("bill", json!({"no": "1", "line": line})).await;
    let path = format!("/api/v1/records/deal/{deal}");
    app.patch(&path, json!({"lines": [{"id": line, "_delete": true}]})).await.expect_problem(409, "REC012");
    app.patch(&path, json!({"lines": []})).await;
    app.delete(&format!("/api/v1/records/line/{line}")).await.expect_problem(409, "REC012");
    let batch = json!({"operations": [{"op": "delete", "entity": "line", "id": line}]});
    app.post("/api/v1/batch", batch).await.expect_problem(409, "REC012");
    app.get(&format!("/api/v1/records/line/{line}")).await.expect_status(200);
}

#[tokio::test]
async fn row_46_values_in_rules_and_in_requests_are_bound() {
    let hostile = "kind: role\nid: odd\npermissions:\n  account: {rows: \"name != 'x''; DROP TABLE e_account; --'\"}\n";
    let mut files = super::world::SALES.to_vec();
    files.push(("definitions/sales/roles/odd.yaml", hostile));
    let app = crate::support::TestApp::with_files(&files).await;
    let odd = person(&app, "odd", &["odd"], json!({"name": "'; DROP TABLE e_user; --"})).await;
    let name = "x'; DROP TABLE e_account; --";
    app.create_id("account", json!({"name": name})).await;
    app.create_id("account", json!({"name": "Plain"})).await;
    let page = get(&app, &odd, "/api/v1/records/account?select=name").await.expect_status(200).json();
    assert_eq!(page["data"], json!([{"name": "Plain"}]));
    // Names, orders, zones and positions are words of the catalog or nothing.
    let evil = "name%22%3B%20DROP%20TABLE%20e_account%3B%20--";
    for ask in ["select=NAME", "sort=NAME", "filter=NAME%20%3D%201", "cursor=NAME", "q=NAME", "deleted=NAME", "NAME=1"] {
        let answer = get(&app, &odd, &format!("/api/v1/records/account?{}", ask.replace("NAME", evil))).await;
        assert!(!answer.status.is_server_error(), "{ask}: {}", answer.text());
    }
    for body in [
        json!({"group": ["name\"; DROP TABLE e_account; --"], "measures": {"n": "count()"}}),
        json!({"group": [{"by": "created_at", "bucket": "month', 'x'); DROP TABLE e_account; --"}], "measures": {"n": "count()"}}),
        json!({"measures": {"n\"; DROP TABLE e_account; --": "count()"}}),
        json!({"measures": {"n": "count()"}, "filter": {"and": [{"name\"": "x"}]}}),
    ] {
        let answer = send(&app, &odd, Method::POST, "/api/v1/records/account/aggregate", &body).await;
        assert!(!answer.status.is_server_error(), "{body}: {}", answer.text());
    }
    app.get("/api/v1/records/account?count=exact").await.expect_status(200);
}
