//! What a rule on rows costs: lists and point reads of somebody who sees a part of many records are answered by indexes, on
//! both databases, without being told to.

use std::net::IpAddr;

use relata::access::{Actor, ActorKind, authorise_get, authorise_list};
use relata::base::{Locale, RecordId};
use relata::expr::{EvalContext, Zone};
use relata::query::{self, Params};
use relata::schema::catalog::ColumnKind;
use relata::store::sql::int;
use relata::store::{Dialect, Sql, Statement, StoreError, compile};
use serde_json::json;

use super::world::{Person, World};

const MANY: i64 = 20_000;

/// Deals of everybody: one of a hundred is the rep's own, one of a hundred their mate's.
async fn fill(world: &World) {
    let deal = world.deal(&world.stranger, json!({"name": "Somebody's"})).await;
    let id = |text: &str| RecordId::parse(text).expect("an id").1.0;
    let (deal, rep, mate, other) = (id(&deal), id(&world.rep.id), id(&world.mate.id), id(&world.stranger.id));
    let store = &world.app.workspace.store;
    let written: Result<(), StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                let copies = Sql::template(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
                     INSERT INTO e_deal (id, version, created_at, updated_at, name, stage, owner) \
                     SELECT d.id + n.i, d.version, d.created_at, d.updated_at, d.name, d.stage, \
                     CASE n.i % 100 WHEN 0 THEN CAST(? AS bigint) WHEN 1 THEN CAST(? AS bigint) ELSE CAST(? AS bigint) END \
                     FROM e_deal AS d, n WHERE d.id = ?",
                    [int(MANY), int(rep), int(mate), int(other), int(deal)],
                );
                tx.run(copies).await?;
                tx.run(Sql::new("ANALYZE e_deal")).await.map(drop)
            })
        })
        .await;
    written.expect("filled");
}

/// Somebody as a request knows them.
async fn actor(world: &World, person: &Person) -> Actor {
    let from: IpAddr = "127.0.0.1".parse().expect("an address");
    let identity = world.app.workspace.auth.identify_token(&person.token, from).await.expect("asked").expect("known");
    let mut actor = Actor::person(ActorKind::Person, identity.user, Locale::En, jiff::tz::TimeZone::UTC);
    actor.roles.clone_from(&identity.roles);
    actor.rights = identity.rights.clone();
    actor
}

/// How the database runs the statement.
async fn explain(world: &World, statement: &Statement) -> String {
    let store = &world.app.workspace.store;
    let is_sqlite = store.dialect() == Dialect::Sqlite;
    let columns: &[ColumnKind] =
        if is_sqlite { &[ColumnKind::Int, ColumnKind::Int, ColumnKind::Int, ColumnKind::Text] } else { &[ColumnKind::Text] };
    let prefix = if is_sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " };
    let explain = Statement { sql: format!("{prefix}{}", statement.sql).into(), binds: statement.binds.clone(), columns: columns.into() };
    let rows = store.write::<_, StoreError>(move |tx| Box::pin(async move { tx.query(&explain).await })).await.expect("explained");
    rows.iter().filter_map(|row| row.last()?.as_text()).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_on_owner_and_team_are_answered_by_indexes() {
    let world = World::new().await;
    fill(&world).await;
    let catalog = world.app.workspace.records.catalog();
    let dialect = world.app.workspace.store.dialect();
    let deal = catalog.find_entity("deal").expect("deals").ix;
    let actor = actor(&world, &world.rep).await;
    let seen = actor.sees(&catalog);
    let context =
        EvalContext { now: world.app.workspace.store.clock().now(), zone: Zone::named("UTC").expect("a zone"), me: actor.user, old: None };
    let key = world.app.workspace.records.cursor_key();
    let parse = |text: &str| Params(text.split('&').filter_map(|pair| pair.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect());
    for asked in [
        "",
        "limit=50",
        "sort=-created_at",
        "filter=stage = 'new'",
        "count=exact",
        "filter=name = 'nothing'",
        "q=some",
        "q=some&sort=-created_at",
    ] {
        let request = query::parse_list(&seen, key, deal, &parse(asked)).expect("a list");
        let authorised = authorise_list(&catalog, &actor, request).expect("may be asked");
        let plan = compile::list(&catalog, dialect, &authorised, &context);
        let told = explain(&world, &plan.page).await;
        assert!(uses_indexes(&told), "list `{asked}`:\n{told}\n{}", plan.page.sql);
    }
    let own = world.ids(&world.rep, "deal?limit=1").await.remove(0);
    let id = RecordId::parse(&own).expect("an id").1;
    let request = query::parse_get(&seen, deal, id, &Params(Vec::new())).expect("a record");
    let authorised = authorise_get(&catalog, &actor, request).expect("may be asked");
    let plan = compile::get(&catalog, dialect, &authorised, &context);
    let told = explain(&world, &plan.statement(id)).await;
    assert!(uses_indexes(&told), "record:\n{told}");
    // What is seen is what the rule says.
    let page = super::world::get(&world.app, &world.rep, "/api/v1/records/deal?count=exact&limit=1").await.expect_status(200).json();
    assert_eq!(page["total"]["value"], 2 * MANY / 100);
}

/// No look at every deal, neither in the table nor along a whole index: each is found by a value.
fn uses_indexes(plan: &str) -> bool {
    let lines: Vec<&str> = plan.lines().map(|line| line.trim_start_matches([' ', '-', '>'])).collect();
    let is_whole = |(at, line): (usize, &&str)| {
        // SQLite names the deals `t`, PostgreSQL tells the condition below the node.
        let is_deal = line.contains(" on e_deal ") && line.contains("Scan");
        line.starts_with("SCAN t") || (is_deal && !lines.get(at + 1).is_some_and(|below| below.contains("Cond:")))
    };
    let is_found = plan.contains("Index Cond") || plan.contains("SEARCH t USING");
    is_found && !lines.iter().enumerate().any(is_whole)
}

/// Rows of a page by one of its statements, without what tells that there are more.
async fn page_of(world: &World, plan: &compile::At<compile::ListPlan>, page: &Statement) -> Vec<i64> {
    let mut source = compile::Source::Store(&world.app.workspace.store);
    let set = compile::fetch_rows(&mut source, page, plan.rows()).await.expect("a page");
    set.iter().take(plan.limit() as usize).map(|row| row.id().0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_the_same_whichever_way_it_is_found() {
    let world = World::new().await;
    fill(&world).await;
    let records = &world.app.workspace.records;
    let catalog = records.catalog();
    let store = &world.app.workspace.store;
    let deal = catalog.find_entity("deal").expect("deals").ix;
    let key = records.cursor_key();
    let mut ways = 0;
    // One sees 2 % of the deals, the other nearly all.
    for person in [&world.rep, &world.stranger] {
        let actor = actor(&world, person).await;
        let context = EvalContext { now: store.clock().now(), zone: Zone::utc(), me: actor.user, old: None };
        let plans = compile::Plans::new();
        for asked in ["limit=7", "limit=30&count=exact", "limit=30&sort=created_at", "limit=9&sort=name,-stage", "limit=9&sort=-amount"] {
            let mut query = asked.to_owned();
            for _ in 0..3 {
                let (_, plan) = plans.list(&catalog, store.dialect(), key, &actor, deal, &query, &context).expect("a plan");
                let page = compile::fetch_list_at(&mut compile::Source::Store(store), &plan, key).await.expect("a page");
                let ids: Vec<i64> = page.rows.iter().map(|row| row.id().0).collect();
                assert_eq!(ids.len(), plan.limit() as usize, "{query}");
                for way in plan.ways() {
                    ways += 1;
                    assert_eq!(page_of(&world, &plan, &way).await, ids, "{query}\n{}", way.sql);
                }
                query = format!("{asked}&cursor={}", page.next.expect("more"));
            }
        }
    }
    assert_eq!(ways, if store.dialect() == Dialect::Sqlite { 2 * 5 * 3 * 2 } else { 2 * 5 * 3 });
}
