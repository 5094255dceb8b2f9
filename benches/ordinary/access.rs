//! What a rule on rows costs, at 16 connections and one request at a time: the same requests by somebody who sees everything and by people who see
//! 0.1, 10 and 90 % of the records, by owner, by team and by shares.

use std::time::Duration;

use relata::access::Actor;
use relata::app::Workspace;
use relata::auth::{NewToken, NewUser};
use relata::base::{EntityIx, RecordId};
use relata::record::{Input, WriteOptions};
use relata::store::sql::{int, text};
use relata::store::{Dialect, Sql, StoreError};

use crate::client::{self, Load, Target};
use crate::{FIELDS, median, ours, rows};

/// At most so many times the cost without a rule, at [`MANY`] connections as all ratios.
const MOST: f64 = 1.5;

/// The fields of the role beside a deal whose owner counts.
pub const ROLE: &str = "---
kind: role
id: rep
permissions:
  account: read
  deal: {rows: \"owner = me() or owner.team in my_teams()\", share: true}
";

const MANY: usize = 16;

/// Records shared with each person, and with each team.
const SHARED: i64 = 1_000;

/// Who sees how much: of 2,000 records in a row those up to `own` are theirs, up to `team` their mates'.
struct Part {
    name: &'static str,
    own: i64,
    team: i64,
    mates: i64,
}

const PARTS: [Part; 3] = [
    Part { name: "0.1 %", own: 1, team: 2, mates: 1 },
    Part { name: "10 %", own: 102, team: 202, mates: 20 },
    Part { name: "90 %", own: 1_001, team: 2_000, mates: 50 },
];

/// Gives the names of what was missed.
pub async fn cost(records: u64, rounds: usize, duration: Duration, postgres: Option<&str>) -> Vec<String> {
    let server = ours::start_with_roles(&rows::rows(records), postgres).await;
    let people = people(&server.workspace).await;
    deal_out(&server.workspace, &people).await;
    let all = &server.target;
    let mut missed = Vec::new();
    println!("\n| request | sees | cost to cost of somebody who sees all | at most | one at a time | its p50/p99 ms |");
    println!("|---|---|---|---|---|---|");
    let filter = "stage%20%3D%20'won'%20and%20close_on%20%3E%3D%20'2026-03-10'";
    for (part, person) in PARTS.iter().zip(&people) {
        let mut target = Target { token: person.token.clone(), ..all.clone() };
        target.ids = std::sync::Arc::new(client::ids(&target, "/api/v1/records/deal?select=id&limit=200", 25).await);
        let cases = [
            ("point read", MOST, target.ids.iter().map(|id| format!("deal/{id}?select={FIELDS}")).collect::<Vec<_>>()),
            ("list of 50", MOST, vec![format!("deal?select={FIELDS}&limit=50")]),
            ("list of 50 with its total", 0.0, vec![format!("deal?select={FIELDS}&limit=50&count=exact")]),
            ("filtered, sorted list", 0.0, vec![format!("deal?select={FIELDS}&limit=50&sort=close_on&filter={filter}")]),
            ("search for a rare word", 0.0, (0..97).map(|n| format!("deal?select={FIELDS}&limit=50&q=rare{n}")).collect()),
        ];
        for (name, most, paths) in cases {
            let load = |who: &Target| Load::get(who, paths.iter().map(|path| format!("/api/v1/records/{path}")).collect());
            let (mut ratios, mut alone) = (Vec::new(), None);
            for connections in [MANY, 1] {
                let (mut with, mut without) = (Vec::new(), Vec::new());
                for _ in 0..rounds {
                    without.push(client::run(&load(all), connections, duration).await);
                    with.push(client::run(&load(&target), connections, duration).await);
                }
                let (with, without) = (median(with), median(without));
                ratios.push(without.per_second / with.per_second.max(0.001));
                alone = Some(with);
            }
            let (ratio, alone) = (ratios[0], alone.expect("it was measured"));
            let at_most = if most > 0.0 { format!("{most:.1}") } else { "-".to_owned() };
            println!("| {name} | {} | {ratio:.2} | {at_most} | {:.2} | {:.2}/{:.2} |", part.name, ratios[1], alone.p50_ms, alone.p99_ms);
            if most > 0.0 && ratio > most {
                missed.push(format!("{name} of {} by rules", part.name));
            }
        }
    }
    missed
}

struct Person {
    id: i64,
    mates: Vec<i64>,
    team: i64,
    token: String,
}

/// Somebody for each part, with a team and mates in it.
async fn people(workspace: &Workspace) -> Vec<Person> {
    let catalog = workspace.records.catalog();
    let entity = |slug: &str| catalog.find_entity(slug).expect("an entity");
    let (user, team) = (entity("user"), entity("team"));
    let shown = |id: RecordId| id.display(&team.prefix);
    let mut people = Vec::new();
    for part in &PARTS {
        let group = create(workspace, team.ix, serde_json::json!({ "name": part.name })).await;
        let mut ids = Vec::new();
        for number in 0..=part.mates {
            let email = format!("{}-{number}@example.com", part.name.replace([' ', '%', '.'], ""));
            let new = NewUser { name: email.clone(), email, password: String::new(), locale: None, admin: false };
            let id = workspace.auth.create_user(new).await.expect("a user");
            let values = serde_json::json!({ "roles": ["rep"], "team": shown(group) });
            let input = Input::from_json(&catalog, user, &values).expect("an input");
            workspace.records.update(&Actor::system(), &catalog, user.ix, id, input, WriteOptions::default()).await.expect("a user");
            ids.push(id.0);
        }
        let email = format!("{}-0@example.com", part.name.replace([' ', '%', '.'], ""));
        let token = workspace.auth.create_token(NewToken { email, name: "bench".into(), days: None }).await.expect("a token").secret;
        people.push(Person { id: ids.remove(0), mates: ids, team: group.0, token });
    }
    people
}

async fn create(workspace: &Workspace, entity: EntityIx, values: serde_json::Value) -> RecordId {
    let catalog = workspace.records.catalog();
    let input = Input::from_json(&catalog, catalog.entity(entity), &values).expect("an input");
    workspace.records.create(&Actor::system(), &catalog, entity, input, WriteOptions::default()).await.expect("a record").id
}

/// Gives every deal its owner, and shares some with each person and team.
async fn deal_out(workspace: &Workspace, people: &[Person]) {
    let uid = workspace.records.catalog().find_entity("deal").expect("deals").uid.clone();
    let mut sql: Vec<Sql> = Vec::new();
    let own = "UPDATE e_deal SET owner = ? WHERE CAST(substr(code, 3) AS bigint) % 2000 BETWEEN ? AND ? - 1";
    let of_mate = "UPDATE e_deal SET owner = ? WHERE CAST(substr(code, 3) AS bigint) % 2000 BETWEEN ? AND ? - 1 \
                   AND CAST(substr(code, 3) AS bigint) / 2000 % ? = ?";
    let mut from = 0;
    for (part, person) in PARTS.iter().zip(people) {
        sql.push(Sql::template(own, [int(person.id), int(from), int(part.own)]));
        for (number, mate) in (0..).zip(&person.mates) {
            let values = [int(*mate), int(part.own), int(part.team), int(part.mates), int(number)];
            sql.push(Sql::template(of_mate, values));
        }
        from = part.team;
    }
    for (number, person) in (0..).zip(people) {
        for (offset, holder) in [(0, format!("user:{}", person.id)), (1, format!("team:{}", person.team))] {
            let base = (2 * number + offset) * SHARED;
            let shared = "INSERT INTO sys_share (id, entity, record, holder, may_edit, ends_at, created_at, created_by) \
                          SELECT ? + CAST(substr(code, 3) AS bigint), ?, id, ?, 0, NULL, 0, 0 FROM e_deal \
                          WHERE CAST(substr(code, 3) AS bigint) % 10 = ? AND CAST(substr(code, 3) AS bigint) < ?";
            let values =
                [int(base * 1_000_000), text(uid.as_str()), text(holder.as_str()), int((2 * number + offset) % 10), int(10 * SHARED)];
            sql.push(Sql::template(shared, values));
        }
    }
    let written: Result<(), StoreError> = workspace
        .store
        .write(move |tx| {
            Box::pin(async move {
                for statement in sql {
                    tx.run(statement).await?;
                }
                match tx.dialect() {
                    Dialect::Postgres => tx.run(Sql::new("ANALYZE")).await.map(drop),
                    Dialect::Sqlite => Ok(()),
                }
            })
        })
        .await;
    written.expect("every deal has its owner");
}
