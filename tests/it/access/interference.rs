//! What a person may not read has no part in any answer to a read: two databases that differ in nothing else give the same
//! bytes, whatever is asked.
//!
//! Schema, roles, data and questions are made at random from a seed. `tests/run long access` asks 20,000 questions.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::{Person, person};
use crate::support::{Answer, TestApp};

/// A stream of numbers from a seed (xorshift64*), so that every run asks the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).expect("31 bits") % end
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// A field of one of the two entities that is never, sometimes or always read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Open,
    /// Read where the second role grants the record.
    Partly,
    Hidden,
}

struct Plan {
    files: Vec<(String, String)>,
    /// Names and sights of `item`'s number fields.
    numbers: Vec<(String, Sight)>,
    texts: Vec<(String, Sight)>,
}

/// `box` holds `item`s; `item` has links, tags and computed values. Rules are on `shade`, which everybody reads.
fn plan(dice: &mut Dice) -> Plan {
    let mut sight = || match dice.below(3) {
        0 => Sight::Open,
        1 => Sight::Partly,
        _ => Sight::Hidden,
    };
    let numbers: Vec<(String, Sight)> = (0..4).map(|at| (format!("n{at}"), sight())).collect();
    let texts: Vec<(String, Sight)> = (0..3).map(|at| (format!("t{at}"), sight())).collect();
    let mut fields = String::new();
    for (name, _) in &numbers {
        fields.push_str(&format!("  {name}: {{type: integer}}\n"));
    }
    for (name, _) in &texts {
        fields.push_str(&format!("  {name}: {{type: text, search: true}}\n"));
    }
    let stored = if dice.one_in(2) { "true" } else { "false" };
    let entities = format!(
        "kind: entity\nid: box\nlabel: Box\ntitle: \"{{name}}\"\nfeatures: {{owner: false}}\nfields:\n  name: {{type: text, required: true, search: true}}\n  shade: {{type: integer, required: true, index: true}}\n  secret: {{type: integer}}\n  whole: {{type: rollup, of: items, agg: \"sum(n0)\", returns: integer, stored: {stored}}}\n  most: {{type: rollup, of: items, agg: \"max(n1)\", returns: integer, stored: {stored}}}\n  many: {{type: rollup, of: items, agg: \"count()\", returns: integer, stored: true}}\n---\nkind: entity\nid: item\ntitle: \"{{t0}} {{t1}}\"\nfeatures: {{owner: false}}\nfields:\n  shade: {{type: integer, required: true}}\n  tick: {{type: integer}}\n  box: {{type: link, to: box, on_delete: cascade, inverse: items}}\n  tags: {{type: tags}}\n  friends: {{type: links, to: box}}\n{fields}  twice: {{type: formula, expr: \"coalesce(n0, 0) * 2 + coalesce(n2, 1)\", returns: integer}}\n  far: {{type: formula, expr: \"box.secret + n1\", returns: integer, stored: false}}\n  via: {{type: lookup, via: box, field: secret}}\n  name_of: {{type: lookup, via: box, field: name}}\n"
    );
    let listed = |wanted: fn(Sight) -> bool| {
        numbers.iter().chain(&texts).filter(|(_, sight)| wanted(*sight)).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let hidden = listed(|sight| sight != Sight::Open);
    let never = listed(|sight| sight == Sight::Hidden);
    let (most, least) = (3 + dice.below(4), dice.below(4));
    let tags = if dice.one_in(2) { ", tags" } else { "" };
    let roles = format!(
        "kind: role\nid: one\npermissions:\n  box: {{rows: \"shade < {most}\", fields: {{hide: [secret]}}}}\n  item: {{rows: \"shade < {most}\", fields: {{hide: [{hidden}{tags}]}}}}\n---\nkind: role\nid: two\npermissions:\n  item: {{read: \"shade >= {least} and shade < 8\", fields: {{hide: [{never}]}}}}\n"
    );
    let files = vec![
        ("definitions/p/package.yaml".to_owned(), "kind: package\nid: p\n".to_owned()),
        ("definitions/p/entities.yaml".to_owned(), entities),
        ("definitions/p/roles.yaml".to_owned(), roles.replace(", ]", "]").replace("[, ", "[")),
    ];
    Plan { files, numbers, texts }
}

/// One of the two databases: what may be read is the same in both, everything else is its own.
struct Side {
    app: TestApp,
    asker: Person,
}

/// Rows are made in the same order with the same ids in both; `other` values replace what may not be read.
async fn side(plan: &Plan, seed: u64, is_second: bool) -> Side {
    let files: Vec<(&str, &str)> = plan.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let app = TestApp::with_files(&files).await;
    let asker = person(&app, "asker", &["one", "two"], json!({})).await;
    let (most, least) = bounds(plan);
    let mut dice = Dice(seed);
    let mut own = Dice(if is_second { seed ^ 0xABCD } else { seed ^ 0x1234 });
    let words = ["red", "green", "blue", "red green", "abc"];
    let mut shares = Vec::new();
    let mut boxes = Vec::new();
    for at in 0..5 {
        let shade = dice.below(9);
        let shared = dice.one_in(4);
        let seen = shade < most || shared;
        let name = format!("box {at}{}", if seen { String::new() } else { format!(" {}", own.below(100)) });
        let id = app.create_id("box", json!({"name": name, "shade": shade, "secret": own.below(50)})).await;
        shares.extend(shared.then(|| format!("box/{id}")));
        boxes.push((id, seen));
    }
    let mut made = Vec::new();
    for _ in 0..14 {
        let shade = dice.below(9);
        // Both roles grant what was shared.
        let shared = dice.one_in(4);
        let (one, two) = (shade < most || shared, shade >= least && shade < 8 || shared);
        let mut values = serde_json::Map::new();
        values.insert("shade".into(), shade.into());
        let is_seen = one || two;
        let (open, from) = (dice.below(boxes.len()), own.below(boxes.len()));
        values.insert("box".into(), boxes[if is_seen { open } else { from }].0.clone().into());
        let reads = |sight: Sight| is_seen && (sight == Sight::Open || (sight == Sight::Partly && two));
        for (name, sight) in &plan.numbers {
            let (both, mine) = (dice.below(20), own.below(1000));
            let is_null = dice.one_in(5);
            let value = if reads(*sight) { (!is_null).then_some(both) } else { (!own.one_in(4)).then_some(mine) };
            values.insert(name.clone(), value.into());
        }
        for (name, sight) in &plan.texts {
            let (both, mine) = (dice.below(words.len()), own.below(words.len()));
            values.insert(name.clone(), words[if reads(*sight) { both } else { mine }].into());
        }
        let (both, mine) = (dice.below(words.len()), own.below(words.len()));
        let hides_tags = plan.files[2].1.contains(", tags]") || plan.files[2].1.contains("[tags]");
        let reads_tags = is_seen && (!hides_tags || two);
        values.insert("tags".into(), json!([words[if reads_tags { both } else { mine }]]));
        // Links to boxes that may not be read differ too.
        let friends: Vec<&str> = boxes
            .iter()
            .filter(|(_, seen)| if *seen && is_seen { dice.one_in(3) } else { own.one_in(3) })
            .map(|(id, _)| id.as_str())
            .collect();
        let friends: Vec<String> = friends.into_iter().map(str::to_owned).collect();
        let id = app.create_id("item", Value::Object(values)).await;
        shares.extend(shared.then(|| format!("item/{id}")));
        made.push((id, friends));
    }
    // Afterwards, so that rows between that only one side has take no id from an item.
    for (id, friends) in made {
        app.patch(&format!("/api/v1/records/item/{id}"), json!({"tick": 1, "friends": friends})).await.expect_status(200);
    }
    let until = json!("2026-11-22T08:00:00Z");
    for (at, path) in shares.iter().enumerate() {
        let with = match at % 3 {
            0 => json!({"person": asker.id}),
            1 => json!({"person": asker.id, "until": until}),
            _ => json!({"role": "two", "until": until}),
        };
        app.post(&format!("/api/v1/records/{path}/shares"), with).await.expect_status(201);
    }
    // What others have been given, and what has ended, changes nothing.
    let (with_others, over) = (json!({"role": "read_only"}), json!({"person": asker.id, "until": "2026-11-21T08:00:01Z"}));
    for (id, _) in boxes.iter().filter(|(id, _)| !shares.contains(&format!("box/{id}"))) {
        let others = if own.one_in(2) { &with_others } else { &over };
        app.post(&format!("/api/v1/records/box/{id}/shares"), others.clone()).await.expect_status(201);
    }
    app.clock.advance_ms(2_000);
    Side { app, asker }
}

fn bounds(plan: &Plan) -> (usize, usize) {
    let number = |before: &str| {
        let rest = plan.files[2].1.split(before).nth(1).expect("a bound");
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("a number")
    };
    (number("shade < "), number("shade >= "))
}

/// One question, in any position a name can stand in.
fn question(dice: &mut Dice, plan: &Plan, ids: &[String]) -> (Method, String, Option<Value>) {
    let numbers: Vec<&str> = plan
        .numbers
        .iter()
        .map(|(name, _)| name.as_str())
        .chain(["shade", "twice", "far", "via", "box.whole", "box.most", "box.secret"])
        .collect();
    let texts: Vec<&str> = plan.texts.iter().map(|(name, _)| name.as_str()).chain(["name_of", "box.name"]).collect();
    let condition = |dice: &mut Dice| match dice.below(9) {
        0 => format!("{} > {}", dice.of(&numbers), dice.below(30)),
        1 => format!("{} is null", dice.of(&numbers)),
        2 => format!("{} = 'red'", dice.of(&texts)),
        3 => format!("{} contains 're'", dice.of(&texts)),
        4 => "tags has 'red'".to_owned(),
        5 => format!("exists(friends where secret > {})", dice.below(30)),
        6 => format!("exists(friends where shade > {})", dice.below(9)),
        7 => format!("count(box.items where {} > 5) > 1", dice.of(&["n0", "n1", "n2", "shade"])),
        _ => format!("not ({} < {})", dice.of(&numbers), dice.of(&numbers)),
    };
    let path = |entity: &str, query: &[(&str, String)]| {
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("/api/v1/records/{entity}?{}", query.join("&"))
    };
    match dice.below(14) {
        0 => (Method::GET, path("item", &[("filter", condition(dice)), ("sort", (*dice.of(&numbers)).to_owned())]), None),
        1 => (
            Method::GET,
            path("item", &[("filter", format!("{} and {}", condition(dice), condition(dice))), ("count", "exact".into())]),
            None,
        ),
        2 => (Method::GET, path("item", &[("sort", format!("-{},{}", dice.of(&numbers), dice.of(&texts))), ("limit", "3".into())]), None),
        3 => (
            Method::GET,
            path("item", &[("select", format!("id,_title,{},box(id,_title,whole,most),friends(id,name,secret)", dice.of(&texts)))]),
            None,
        ),
        4 => (
            Method::GET,
            path(
                "box",
                &[(
                    "select",
                    format!("id,name,whole,most,many,items(id,_title,{};sort={})", dice.of(&numbers[..5]), dice.of(&numbers[..5])),
                )],
            ),
            None,
        ),
        5 => (
            Method::GET,
            path(
                "box",
                &[
                    ("filter", format!("{} > {}", dice.of(&["whole", "most", "many", "secret"]), dice.below(60))),
                    ("sort", "-whole".into()),
                    ("select", "id,name,whole,most,many,items(id)".into()),
                ],
            ),
            None,
        ),
        6 => (Method::GET, path("item", &[("q", (*dice.of(&["red", "gre", "abc", "blue red"])).to_owned())]), None),
        7 => {
            let of = *dice.of(&numbers);
            let function = *dice.of(&["sum", "min", "max", "avg", "count", "count_distinct"]);
            let group = if dice.one_in(2) { *dice.of(&numbers) } else { *dice.of(&texts) };
            let body = json!({"group": [group], "measures": {"m": format!("{function}({of})"), "n": "count()"}, "filter": condition(dice)});
            (Method::POST, "/api/v1/records/item/aggregate".to_owned(), Some(body))
        }
        8 => (Method::GET, format!("/api/v1/records/item/{}", dice.of(ids)), None),
        9 => (Method::GET, format!("/api/v1/records/item/{}/history", dice.of(ids)), None),
        10 => (Method::GET, (*dice.of(&["/api/v1/schema/item", "/api/v1/schema", "/api/v1/openapi.json"])).to_owned(), None),
        11 => (Method::GET, format!("/records/item/{}", dice.of(ids)), None),
        12 => (Method::GET, format!("/records/item?filter={}", encoded(&condition(dice))), None),
        _ => (Method::GET, format!("/search?q={}", dice.of(&["red", "box", "abc"])), None),
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What an asker gets, without what says which request or process it was.
fn told(answer: &Answer) -> String {
    let text = answer.text();
    let body = match serde_json::from_str::<Value>(&text) {
        Ok(mut body) => {
            if let Some(body) = body.as_object_mut() {
                body.remove("request_id");
                // Positions in a list are signed for each database by itself.
                if let Some(cursor) = body.get_mut("next_cursor") {
                    *cursor = cursor.is_string().into();
                }
            }
            body.to_string()
        }
        Err(_) => text,
    };
    format!("{} {body}", answer.status)
}

async fn ask(side: &Side, (method, path, body): &(Method, String, Option<Value>)) -> Answer {
    let request = side.app.request(method.clone(), path).token(&side.asker.token);
    match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

async fn compare(seed: u64, questions: usize) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let plan = plan(&mut dice);
    let data = dice.0;
    let (left, right) = (side(&plan, data, false).await, side(&plan, data, true).await);
    let ids = |app: Value| -> Vec<String> {
        app["data"].as_array().expect("rows").iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    };
    let all = ids(left.app.get("/api/v1/records/item?select=id&limit=100").await.json());
    assert_eq!(all, ids(right.app.get("/api/v1/records/item?select=id&limit=100").await.json()), "ids are seeded");
    let mut answered = 0;
    for number in 0..questions {
        let question = question(&mut dice, &plan, &all);
        let (one, two) = (ask(&left, &question).await, ask(&right, &question).await);
        assert!(!one.status.is_server_error(), "seed {seed}, question {number}: {question:?}: {}", one.text());
        answered += usize::from(one.status.is_success());
        assert_eq!(told(&one), told(&two), "seed {seed}, question {number}: {question:?}\n{}", plan.files[2].1);
    }
    assert!(answered * 4 > questions, "only {answered} of {questions} questions were answered at all");
}

#[tokio::test]
async fn what_may_not_be_read_changes_no_answer() {
    for seed in 1..=4 {
        compare(seed, 60).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the environment chooses the length of the run")]
fn is_long() -> bool {
    std::env::var("RELATA_LONG").is_ok_and(|value| !value.is_empty())
}

/// `tests/run long access`.
#[tokio::test]
async fn long_what_may_not_be_read_changes_no_answer() {
    if !is_long() {
        return;
    }
    for seed in 100..200 {
        compare(seed, 200).await;
    }
}
