//! Requests on a real database: what comes back, in which order, by which index.

use std::cmp::Ordering;

use relata::access::WriteKind;
use relata::base::{DateTime, FieldIx, RecordId, Value};
use relata::store::Dialect;
use relata::store::compile::{self, Source, Total, UpdateTexts};
use serde_json::{Value as Json, json};

use super::cases::key;
use super::database::{DEALS, Database};

fn ids(rows: &Json) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn id(prefix: &str, number: i64) -> String {
    RecordId(number).display(prefix)
}

/// How the API orders two values of a sort key: nulls last, whatever the direction.
fn order(a: &Json, b: &Json, descending: bool) -> Ordering {
    let number = |json: &Json| json.as_str().and_then(|text| text.parse::<f64>().ok()).or(json.as_f64());
    let ascending = match (a, b) {
        (Json::Null, Json::Null) => return Ordering::Equal,
        (Json::Null, _) => return Ordering::Greater,
        (_, Json::Null) => return Ordering::Less,
        (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.as_str().unwrap().cmp(b.as_str().unwrap()),
        },
    };
    if descending { ascending.reverse() } else { ascending }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_by_cursor_give_every_record_once_in_order() {
    let database = Database::filled().await;
    let sorts = [
        "",
        "id",
        "close_on",
        "-close_on",
        "created_at",
        "-created_at",
        "name",
        "-name",
        "amount",
        "-amount",
        "is_hot,-score",
        "-stage,close_on,name",
        "score,-id",
        "account",
        "-account,name",
        "account.industry",
        "-account.industry,-close_on",
        "effort_left",
        "discount",
        "closed_at",
        "call_at,number",
    ];
    for filter in ["", "stage = 'won'", "score >= 2 and name is not null", "account.industry = 'software'"] {
        for sort in sorts {
            let columns = "id,name,stage,amount,close_on,created_at,is_hot,score,account(name,industry),effort_left,discount,closed_at,call_at,number";
            let base = format!("select={columns}&sort={sort}&filter={filter}");
            let mut seen: Vec<Json> = Vec::new();
            let mut cursor = String::new();
            for page in 0.. {
                assert!(page < 40, "endless: {base}");
                let page = database.list("deal", &format!("{base}&limit=7&cursor={cursor}")).await;
                seen.extend(super::database::json(&page.rows).as_array().unwrap().iter().cloned());
                assert_eq!(page.has_more, page.next.is_some());
                match page.next {
                    Some(next) => cursor = next,
                    None => break,
                }
            }
            let whole = database.list("deal", &format!("{base}&limit=500&count=exact")).await;
            assert_eq!(seen, *super::database::json(&whole.rows).as_array().unwrap(), "{base}");
            assert_eq!(whole.total, Some(Total::Exact(seen.len() as u64)));
            assert!(!seen.is_empty());
            let keys: Vec<(bool, Vec<&str>)> = sort
                .split(',')
                .filter(|key| !key.is_empty())
                .map(|key| {
                    let path = match key.trim_start_matches('-') {
                        "account" => vec!["account", "name"],
                        "amount" => vec!["amount", "base"],
                        path => path.split('.').collect(),
                    };
                    (key.starts_with('-'), path)
                })
                .collect();
            for pair in seen.windows(2) {
                let get =
                    |row: &Json, path: &[&str]| path.iter().fold(row.clone(), |value, part| value.get(part).cloned().unwrap_or(Json::Null));
                let by_keys = keys
                    .iter()
                    .map(|(descending, path)| order(&get(&pair[0], path), &get(&pair[1], path), *descending))
                    .find(|order| order.is_ne());
                let newest_first = keys.last().is_none_or(|(descending, _)| *descending);
                let by_id = order(&pair[0]["id"], &pair[1]["id"], newest_first);
                assert_eq!(by_keys.unwrap_or(by_id), Ordering::Less, "{base}\n{}\n{}", pair[0], pair[1]);
            }
        }
    }
    assert_eq!(database.list("deal", "select=id&limit=500").await.rows.len(), usize::try_from(DEALS - 1).unwrap());
    assert_eq!(database.list("deal", "select=id&deleted=deleted").await.rows.len(), 1);
    assert_eq!(ids(&database.json("deal", "select=id&sort=id&limit=3&page=2").await), [103, 104, 105].map(|number| id("deal", number)));
    database.store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_shows_every_type_as_the_api_says() {
    let database = Database::filled().await;
    let deal = database.get("deal", 105, "").await;
    let expected = json!({
        "id": id("deal", 105), "version": 1, "created_at": "2026-11-18T11:06:40Z", "created_by": null, "updated_at": "2026-11-18T11:06:40Z", "updated_by": null,
        "owner": id("usr", 1), "deleted_at": null, "number": "D-00006", "name": "Ünder", "account": id("acc", 15), "stage": "proposal",
        "amount": null, "discount": "0.05", "close_on": "2026-11-20", "closed_at": "2026-11-21T07:00:00Z", "call_at": "08:30:00", "effort": 300, "is_hot": false,
        "score": 1, "notes": "Zeile 1\nline \"2\"", "segments": ["mid", "big"], "tags": ["b", "a, \"x\""], "origin": id("con", 20), "place": null,
        "info": {"n": 5}, "products": deal["products"], "files": [], "effort_left": -3300, "industry": null, "quantity": "142.500",
    });
    let mut expected = expected;
    // The moment of creation comes from the id alone, see `Database::record`.
    expected["created_at"] = deal["created_at"].clone();
    expected["updated_at"] = deal["updated_at"].clone();
    assert_eq!(deal, expected, "{deal:#}");
    assert_eq!(deal["products"].as_array().unwrap().len(), 9);
    assert_eq!(
        database.get("deal", 106, "select=amount,tags").await,
        json!({"amount": {"amount": "6.00", "currency": "EUR", "base": "46.80"}, "tags": []})
    );
    assert_eq!(database.get("contact", 20, "select=name,_title").await["_title"], "王伟");
    assert_eq!(database.get("deal", 177, "select=id").await, Json::Null, "in the recycle bin");
    assert_eq!(database.get("deal", 177, "select=id&deleted=all").await["id"], id("deal", 177));
    database.store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn expansions_bring_the_records_next_to_a_page_with_a_fixed_number_of_statements() {
    let database = Database::filled().await;
    let select = "id,_title,account(id,_title,parent(name)),origin(id,_title),owner(name),lines(pos,product(_title),total;sort=-pos;limit=2),products(id,quantity;sort=-name;filter=price > 1;limit=2)";
    for limit in [1, 5, 50] {
        let plan = database.list_plan("deal", &format!("select={select}&sort=id&limit={limit}"));
        assert_eq!(plan.rows.parts.len(), 2, "one statement for each to-many expansion, whatever the limit");
    }
    let rows = database.json("deal", &format!("select={select}&sort=id&limit=3")).await;
    assert_eq!(rows[0]["account"], Json::Null);
    assert_eq!(
        rows[1],
        json!({
            "id": id("deal", 101), "_title": "D-00002 · under",
            "account": {"id": id("acc", 11), "_title": "acme", "parent": null},
            "origin": {"id": id("acc", 10), "_title": "Zürich AG"},
            "owner": {"name": "Ada"},
            "lines": [{"pos": 2, "product": {"_title": "Product 1"}, "total": "223.4445"}, {"pos": 1, "product": {"_title": "Product 3"}, "total": "112.3395"}],
            "products": rows[1]["products"],
        }),
        "{:#}",
        rows[1]
    );
    assert_eq!(rows[1]["products"].as_array().unwrap().len(), 2);
    assert_eq!(rows[2]["origin"], json!({"id": id("con", 20), "_title": "王伟"}));

    // More owners than are bound one by one.
    let mut more = Vec::new();
    for number in 0..400 {
        more.extend(database.record("deal", 10_000 + number, &[("name", "more".into())]));
        more.extend(database.record(
            "line",
            20_000 + number,
            &[("deal", Value::Link(RecordId(10_000 + number))), ("pos", Value::Int(number))],
        ));
    }
    database.write(more).await;
    let rows = database.json("deal", "select=name,lines(pos)&filter=name = 'more'&limit=500&sort=id").await;
    let positions: Vec<i64> = rows.as_array().unwrap().iter().map(|deal| deal["lines"][0]["pos"].as_i64().unwrap()).collect();
    assert_eq!(positions, (0..400).collect::<Vec<i64>>());

    // A deleted target is as good as none.
    let authorised = database.authorised("account", WriteKind::Update);
    let deleted_at = database.catalog.find_entity("account").unwrap().find_field("deleted_at").unwrap().ix;
    let update = compile::update(
        &database.catalog,
        database.store.dialect(),
        &authorised,
        RecordId(11),
        Some(1),
        &[(deleted_at, Value::DateTime(DateTime(1)))],
        &UpdateTexts::default(),
    );
    database.write(update.row.into_iter().chain(update.sides).collect()).await;
    let row = database.get("deal", 101, "select=account(id),industry").await;
    assert_eq!(row, json!({"account": null, "industry": null}));
    assert_eq!(database.json("account", "select=id&filter=name='acme'").await, json!([]));
    database.store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregates_are_exact() {
    let database = Database::filled().await;
    let by_stage = database
        .aggregate(
            "deal",
            json!({"group": "stage", "measures": {"n": "count()", "total": "sum(amount)", "mean": "avg(discount)", "last": "max(close_on)"},
        "filter": "stage != 'lost'", "having": "n > 5", "sort": "-n,stage"}),
        )
        .await;
    let rows = by_stage.as_array().unwrap();
    assert!(rows.len() >= 3, "{by_stage:#}");
    for row in rows {
        assert!(row["total"].as_str().unwrap().contains('.'), "{row}");
        assert_ne!(row["stage"], "lost");
    }
    let totals = database
        .aggregate(
            "line",
            json!({"measures": {"n": "count()", "total": "sum(total)", "mean": "avg(total)", "products": "count_distinct(product)"}}),
        )
        .await;
    // 1.2345 × (0 + 1 + … + 269)
    assert_eq!(totals, json!([{"n": 270, "total": "44830.8675", "mean": "166.04025", "products": 4}]));
    let overflow = database
        .aggregate("account", json!({"measures": {"total": "sum(revenue)", "least": "min(revenue)", "mean": "avg(revenue)"}}))
        .await;
    assert_eq!(overflow, json!([{"total": null, "least": "92233720368547758.02", "mean": null}]), "past 64 bits there is no total");
    let two = database.aggregate("account", json!({"measures": {"n": "count()"}, "group": ["parent.name"], "sort": "-n"})).await;
    assert_eq!(two[0], json!({"parent.name": null, "n": 3}));
    let days = database.aggregate("deal", json!({"group": [{"by": "closed_at", "bucket": "day", "zone": "Asia/Shanghai", "as": "day"}], "measures": {"n": "count()"}, "limit": 2})).await;
    // 02:00 UTC is 10:00 in Shanghai: fourteen hours are left of the first day.
    assert_eq!(days, json!([{"day": "2026-11-21", "n": 14}, {"day": "2026-11-22", "n": 24}]));
    let none = database
        .aggregate("line", json!({"filter": "qty < 0", "measures": {"n": "count()", "total": "sum(total)", "mean": "avg(total)"}}))
        .await;
    assert_eq!(none, json!([{"n": 0, "total": "0.0000", "mean": null}]));
    let having = database
        .aggregate("line", json!({"group": "product", "measures": {"mean": "avg(total)"}, "having": "mean >= 166.6575", "sort": "-mean"}))
        .await;
    assert_eq!(having.as_array().unwrap().len(), 2, "{having}");
    database.store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn indexed_filters_and_sorts_use_their_index() {
    let database = Database::filled().await;
    let is_sqlite = database.store.dialect() == Dialect::Sqlite;
    let after = |sort: &str, text: &str| {
        let request = database.list_request("deal", &format!("select=id&sort={sort}"));
        let values = vec![text.parse::<i64>().map_or(relata::base::Cell::Null, relata::base::Cell::Int)];
        relata::query::Cursor { values, id: 150 }.encode(&key(), request.request().digest).unwrap()
    };
    let cases = [
        ("select=id&sort=close_on".to_owned(), "ix_deal_close_on"),
        ("select=id&sort=-close_on".to_owned(), "ix_deal_close_on"),
        ("select=*,account(_title)&sort=-close_on".to_owned(), "ix_deal_close_on"),
        ("select=id&sort=-created_at".to_owned(), "ix_deal_created_at"),
        ("select=id&filter=stage = 'won'&sort=-score".to_owned(), "ix_deal_stage_score"),
        ("select=id&filter=stage = 'won'&sort=score".to_owned(), "ix_deal_stage_score"),
        ("select=id&filter=close_on = '2026-11-21'".to_owned(), "ix_deal_close_on"),
        (format!("select=id&sort=-close_on&cursor={}", after("-close_on", "20777")), "ix_deal_close_on"),
        (format!("select=id&sort=close_on&cursor={}", after("close_on", "20777")), "ix_deal_close_on"),
        // Records without a value in the order of their ids: the primary key may serve as well.
        (format!("select=id&sort=-close_on&cursor={}", after("-close_on", "null")), if is_sqlite { "ix_deal_close_on" } else { "Index" }),
        (format!("select=id&sort=-created_at&cursor={}", after("-created_at", "1795000003000000")), "ix_deal_created_at"),
    ];
    for (request, index) in cases {
        let plan = database.list_plan("deal", &request);
        let explained = database.explain(&plan.page).await;
        assert!(explained.contains(index), "{request}\n{explained}\n{}", plan.page.sql);
        let lines: Vec<&str> = explained.lines().collect();
        let sorts = lines
            .iter()
            .position(|line| line.contains("TEMP B-TREE FOR ORDER BY") || line.trim_start_matches([' ', '-', '>']).starts_with("Sort "));
        // Ids found in order may be put in order again once they are few; records must not.
        let is_bounded = plan.page.sql.contains("UNION ALL") || plan.page.sql.contains("AS \"p\"");
        assert!(sorts.is_none() || is_bounded, "{request}\n{explained}\n{}", plan.page.sql);
        if is_sqlite {
            assert!(!lines.contains(&"SCAN t"), "{request}\n{explained}\n{}", plan.page.sql);
        }
    }
    database.store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_loaded_again() {
    let database = Database::filled().await;
    let dialect = database.store.dialect();
    let entity = database.catalog.find_entity("deal").unwrap();
    let load = database.authorised("deal", WriteKind::Load);
    let (statement, plan) =
        compile::load(&database.catalog, dialect, &load, &[RecordId(177), RecordId(105), RecordId(9)], compile::Lock::Change);
    let rows = compile::fetch_rows(&mut Source::Store(&database.store), &statement, &plan).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id().0).collect::<Vec<_>>(), [105, 177], "by id, deleted ones too");
    let values = rows.row(0).unwrap().values(&database.catalog);
    let value = |name: &str| values[entity.find_field(name).unwrap().ix.0 as usize].clone();
    assert_eq!(value("tags"), Value::List(vec!["b".into(), "a, \"x\"".into()]));
    assert_eq!(value("origin"), id("con", 20).into());
    assert_eq!(value("call_at").to_owned(), Value::Time(relata::base::Time(30_600)));

    let change = |name: &str, value: Value| -> (FieldIx, Value) { (entity.find_field(name).unwrap().ix, value) };
    let changes = [
        change("tags", Value::List(vec!["z".into()])),
        change("name", "Neu".into()),
        change("version", Value::Int(2)),
        change("origin", id("acc", 12).into()),
    ];
    let update = compile::update(&database.catalog, dialect, &load, RecordId(105), Some(7), &changes, &UpdateTexts::default());
    let stale = update.row.unwrap();
    let touched = database.store.write(move |tx| Box::pin(async move { tx.execute(&stale).await })).await;
    assert_eq!(touched, Ok::<u64, relata::store::StoreError>(0), "another version is not touched");
    let update = compile::update(&database.catalog, dialect, &load, RecordId(105), Some(1), &changes, &UpdateTexts::default());
    database.write(update.row.into_iter().chain(update.sides).collect()).await;
    assert_eq!(
        database.get("deal", 105, "select=tags,name,version,origin").await,
        json!({"tags": ["z"], "name": "Neu", "version": 2, "origin": id("acc", 12)})
    );
    assert_eq!(ids(&database.json("deal", "select=id&filter=name contains 'NEU'").await), [id("deal", 105)], "the folded shadow follows");

    let account = database.authorised("account", WriteKind::Load);
    let unique = &database.catalog.find_entity("account").unwrap().uniques[0];
    for (name, found) in [("ACME", Some(11)), ("nobody", None)] {
        let statement = compile::by_unique(&database.catalog, dialect, &account, unique, &[name.into()]);
        assert_eq!(database.store.query(&statement).await.unwrap().one_int(), found, "{name}");
    }
    let lines = database.authorised("line", WriteKind::Load);
    let by = database.catalog.find_entity("line").unwrap().find_field("deal").unwrap().ix;
    let (statement, plan) =
        compile::load_by(&database.catalog, dialect, &lines, by, &[RecordId(100), RecordId(101)], 4, compile::Lock::None);
    let rows = compile::fetch_rows(&mut Source::Store(&database.store), &statement, &plan).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id().0).collect::<Vec<_>>(), [1000, 1001, 1090, 1091]);

    database.write(compile::delete(&database.catalog, dialect, &lines, RecordId(1000))).await;
    assert_eq!(database.json("line", "select=id&filter=id = 'lin_00000000000z8'").await, json!([]));
    database.store.close().await.unwrap();
}
