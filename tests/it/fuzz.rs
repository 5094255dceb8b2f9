//! No request makes the server fail: valid requests, and mutations of them, are sent signed in; none may panic or be
//! answered 5xx, and enough must succeed to show that the mutations reach deep.
//!
//! `RELATA_FUZZ_REQUESTS` chooses how many (the long form sends 100,000), `RELATA_FUZZ_SEED` where to begin.

use axum::body::Body;
use axum::http::{Method, Request, Uri};
use relata::base::{Random, SeededRandom};
use serde_json::{Map, Value, json};

use crate::support::{CRM, KITCHEN, TestApp};

/// What a target becomes, and which are the same.
const ALSO: &str = r#"
kind: package
id: also
depends: [core, shop, sink]
---
kind: extension
of: sink.target
duplicates: [{id: same, match: [{field: name, by: fuzzy}]}]
conversions:
  - {id: grow, targets: [{id: account, entity: shop.account, optional: true, fill: true, values: {name: =name, employees: 5}}], set: {name: =name}}
"#;

/// One request before it is sent.
#[derive(Clone, Debug)]
struct Shot {
    method: Method,
    /// Parts of the path, not yet encoded.
    path: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Content,
}

#[derive(Clone, Debug)]
enum Content {
    None,
    Json(Value),
    Raw(Vec<u8>),
}

/// What there is to ask about.
#[derive(Default)]
struct World {
    accounts: Vec<String>,
    deals: Vec<String>,
    things: Vec<String>,
    targets: Vec<String>,
    cursors: Vec<String>,
    files: Vec<String>,
    numbers: u64,
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, limit: usize) -> usize {
        usize::try_from(self.0.next_u64() % (limit.max(1) as u64)).unwrap_or(0)
    }

    fn chance(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn word(&self, items: &[&'static str]) -> &'static str {
        items[self.below(items.len())]
    }

    fn id<'a>(&self, ids: &'a [String]) -> &'a str {
        &ids[self.below(ids.len())]
    }

    fn pick<'a, T>(&self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

#[expect(clippy::disallowed_methods, reason = "the environment chooses between the short and the long form")]
fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_makes_the_server_fail() {
    let total = number_of("RELATA_FUZZ_REQUESTS", 2_000);
    let dice = Dice(SeededRandom::new(number_of("RELATA_FUZZ_SEED", 7)));
    let mut files: Vec<(&str, &str)> = CRM.iter().chain(KITCHEN.iter()).copied().collect();
    files.push(("definitions/also/package.yaml", ALSO));
    files.push(POOL);
    files.push(SURVEY);
    let app = TestApp::with_files(&files).await;
    let mut world = begin(&app).await;
    let (mut sent, mut good, mut mutated) = (0_u64, 0_u64, 0_u64);
    while sent < total {
        let valid = valid(&dice, &mut world);
        let is_mutated = dice.chance(58);
        let shot = if is_mutated { mutate(&dice, valid) } else { valid };
        let Some(request) = build(&app, &shot) else { continue };
        let answer = app.send(request).await;
        sent += 1;
        mutated += u64::from(is_mutated);
        good += u64::from(answer.status.is_success());
        let errors = || crate::support::log::errors();
        assert!(!answer.status.is_server_error(), "request {sent}: {} for {shot:#?}\n{}\n{}", answer.status, answer.text(), errors());
        if answer.status.is_client_error() && shot.method != Method::HEAD {
            let document: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
            assert!(document["code"].is_string(), "request {sent}: no problem document for {shot:#?}\n{}", answer.text());
        }
        learn(&shot, &answer, &mut world);
        if sent % 500 == 0 {
            app.clock.advance_ms(1);
        }
    }
    let panics = app.get("/healthz").await.json()["panics"].clone();
    assert_eq!(panics, 0);
    assert!(mutated * 2 >= sent, "{mutated} of {sent} were mutations");
    assert!(good * 10 >= sent * 3, "only {good} of {sent} were answered 2xx");
    println!("{sent} requests, {mutated} mutations, {good} answered 2xx, no failure");
}

async fn begin(app: &TestApp) -> World {
    let mut world = World::default();
    for number in 0..8 {
        world.accounts.push(app.create_id("account", json!({ "name": format!("Account {number}"), "code": format!("S{number}") })).await);
        world.targets.push(app.create_id("target", json!({ "name": format!("Target {number}") })).await);
        world.things.push(app.create_id("thing", json!({ "name": format!("东西 {number}") })).await);
    }
    for number in 0..16 {
        let account = &world.accounts[number % 8];
        world.deals.push(app.create_id("deal", json!({ "name": format!("Deal {number}"), "account": account, "amount": number })).await);
    }
    let page = app.get("/api/v1/records/deal?limit=2").await.json();
    world.cursors.extend(page["next_cursor"].as_str().map(str::to_owned));
    let file =
        app.request(Method::POST, "/api/v1/files?name=a.txt").header("content-type", "application/octet-stream").text("text").send().await;
    world.files.extend(file.json()["id"].as_str().map(str::to_owned));
    world
}

const FILTERS: [&str; 10] = [
    "stage = 'open'",
    "amount >= 3 and stage in ('open', 'won')",
    "account.name starts_with 'Acc'",
    "exists(lines where total > 1)",
    "close_on is null or close_on between today() and today() + 30",
    "name contains 'eal' and not (stage = 'lost')",
    "amount.base + 1 > 2 * 3",
    "created_at > now()",
    "discount is not null",
    "count(lines) = 0",
];
/// Deals that nobody owns lie in a pool.
const POOL: (&str, &str) = (
    "definitions/shop/pool.yaml",
    "kind: extension\nof: shop.deal\npools:\n  - {id: public, roles: [user], show: [name, stage], caps: [{roles: [user], most: 3}], protect: 1d, reclaim: 9d, hand_out: {by: load}}\n",
);
/// Deals are asked about.
const SURVEY: (&str, &str) = (
    "definitions/shop/survey.yaml",
    "kind: entity\nid: shop.opinion\nfeatures: {owner: false}\nfields:\n  deal: {type: link, to: shop.deal}\n  score: {type: integer}\n  why: {type: long_text}\n---\nkind: survey\nid: liked\nfor: shop.deal\nanswers: shop.opinion\nedit: true\nrun_as: [user]\nquestions:\n  - {field: score, kind: nps, required: true}\n  - {field: why, when: \"score < 7\"}\n",
);
const POOLED: [&str; 4] = ["name contains 'eal'", "stage = 'open'", "not (stage = 'lost')", "name is not null"];
const SELECTS: [&str; 6] = [
    "id",
    "id,name,_title",
    "name,account(name,_title)",
    "id,lines(product,total;sort=-total;limit=3)",
    "amount,net,stage",
    "account(deals(name))",
];
const SORTS: [&str; 5] = ["name", "-amount", "stage,-created_at", "account.name", "-close_on"];

fn api(parts: &[&str]) -> Vec<String> {
    ["api", "v1"].iter().chain(parts).map(|part| (*part).to_owned()).collect()
}

fn shot(method: Method, parts: &[&str], body: Content) -> Shot {
    let mut headers = Vec::new();
    if !matches!(body, Content::None) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    Shot { method, path: api(parts), query: Vec::new(), headers, body }
}

/// A request that should succeed.
fn valid(dice: &Dice, world: &mut World) -> Shot {
    world.numbers += 1;
    let number = world.numbers;
    match dice.below(18) {
        0 | 1 => {
            let mut shot = shot(Method::GET, &["records", "deal"], Content::None);
            let mut add = |name: &str, value: &str, percent: usize| {
                if dice.chance(percent) {
                    shot.query.push((name.to_owned(), value.to_owned()));
                }
            };
            add("filter", dice.word(&FILTERS), 60);
            add("select", dice.word(&SELECTS), 50);
            add("sort", dice.word(&SORTS), 40);
            add("limit", dice.word(&["1", "10", "500"]), 40);
            add("count", dice.word(&["none", "exact", "estimated"]), 30);
            add("q", dice.word(&["deal", "东西", "acc"]), 15);
            add("page", dice.word(&["1", "2", "9"]), 15);
            shot
        }
        2 => {
            let mut shot = shot(Method::GET, &["records", "deal"], Content::None);
            shot.query = vec![("limit".into(), "2".into()), ("cursor".into(), dice.id(&world.cursors).to_owned())];
            shot
        }
        3 | 4 => {
            let (entity, ids) = *dice.pick(&[("deal", &world.deals), ("account", &world.accounts), ("thing", &world.things)]);
            let mut shot = shot(Method::GET, &["records", entity, dice.id(ids)], Content::None);
            if dice.chance(30) {
                shot.headers.push(("if-none-match".into(), "\"v1\"".into()));
            }
            shot
        }
        5 => {
            let body = json!({ "filter": dice.word(&FILTERS), "sort": [dice.word(&SORTS)], "select": dice.word(&SELECTS), "limit": 5, "count": "exact" });
            shot(Method::POST, &["records", "deal", "query"], Content::Json(body))
        }
        6 => {
            let body = json!({ "name": format!("New {number}"), "code": format!("F{number}"), "industry": "software", "employees": dice.below(1000) });
            let mut shot = shot(Method::POST, &["records", "account"], Content::Json(body));
            if dice.chance(30) {
                shot.headers.push(("idempotency-key".into(), format!("k{}", dice.below(50_000) as u64 + number * 50_000)));
            }
            if dice.chance(30) {
                shot.headers.push(("prefer".into(), dice.word(&["return=minimal", "dry-run", "return=representation"]).into()));
            }
            shot
        }
        7 => {
            let lines = json!([{ "product": "A", "total": dice.below(100) }, { "product": "B", "quantity": 2 }]);
            let body = json!({
                "name": format!("交易 {number}"), "account": dice.id(&world.accounts), "amount": { "amount": "10.50", "currency": "CNY" },
                "discount": "5.5", "close_on": "2026-12-31", "stage": "won", "lines": lines,
            });
            shot(Method::POST, &["records", "deal"], Content::Json(body))
        }
        8 => shot(Method::POST, &["records", "thing"], Content::Json(thing(dice, world, number))),
        9 | 10 => {
            let body = json!({ "name": format!("Changed {number}"), "amount": dice.below(9999), "discount": Value::Null });
            let mut shot = shot(Method::PATCH, &["records", "deal", dice.id(&world.deals)], Content::Json(body));
            shot.headers = vec![("content-type".into(), "application/merge-patch+json".into())];
            shot
        }
        11 => {
            let body = thing(dice, world, number);
            shot(Method::PATCH, &["records", "thing", dice.id(&world.things)], Content::Json(body))
        }
        12 => {
            let body = json!({ "group": ["stage", { "by": "created_at", "bucket": "month", "as": "m" }], "measures": { "n": "count()", "s": "sum(amount.base)" }, "sort": "-n", "limit": 10 });
            shot(Method::POST, &["records", "deal", "aggregate"], Content::Json(body))
        }
        13 => {
            let code = format!("U{}", dice.below(40));
            shot(Method::PUT, &["records", "account", "by", "code", &code], Content::Json(json!({ "name": format!("Upsert {number}") })))
        }
        14 => {
            let body = json!({ "atomic": dice.chance(50), "operations": [
                { "op": "create", "entity": "account", "values": { "name": format!("Batch {number}") }, "as": "a" },
                { "op": "create", "entity": "deal", "values": { "name": "D", "account": { "$ref": "a" } } },
                { "op": "update", "entity": "deal", "id": dice.id(&world.deals), "values": { "name": "E" } },
            ] });
            shot(Method::POST, &["batch"], Content::Json(body))
        }
        15 => {
            let each = json!([{ "id": dice.id(&world.deals), "set": { "stage": "open" } }, { "id": dice.id(&world.deals), "version": 1, "set": { "name": "M" } }]);
            shot(Method::PATCH, &["records", "deal"], Content::Json(each))
        }
        16 => match dice.below(8) {
            6 => {
                let mut shot = shot(Method::POST, &["received", "shop.order"], Content::Json(json!({ "order": { "id": "A-1" } })));
                shot.headers.extend([
                    ("webhook-id".into(), "m1".into()),
                    ("webhook-timestamp".into(), "1795248000".into()),
                    ("webhook-signature".into(), "v1,AAAA".into()),
                ]);
                shot
            }
            0 => {
                let mut shot = shot(Method::GET, &["pools", "deal", "public"], Content::None);
                shot.query = vec![("filter".into(), dice.word(&POOLED).into()), ("sort".into(), dice.word(&["name", "-stage"]).into())];
                shot
            }
            1 => shot(Method::POST, &["pools", "deal", "public", "claim"], Content::Json(json!({ "records": [dice.id(&world.deals)] }))),
            2 => shot(Method::POST, &["pools", "deal", "public", "hand-out"], Content::Json(json!({ "most": 2 }))),
            3 => shot(Method::GET, &["records", "deal", dice.id(&world.deals), "holding"], Content::None),
            4 => {
                let body = json!({ "survey": "shop.liked" });
                shot(Method::POST, &["records", "deal", dice.id(&world.deals), "surveys"], Content::Json(body))
            }
            5 => {
                let mut shot = shot(Method::GET, &["surveys", "shop.liked"], Content::None);
                shot.query = vec![("days".into(), dice.word(&["1", "30", "365"]).into())];
                shot
            }
            _ => {
                let body = json!({ "reason": format!("Reason {number}") });
                shot(Method::POST, &["records", "deal", dice.id(&world.deals), "return"], Content::Json(body))
            }
        },
        _ => match dice.below(14) {
            13 => {
                let definition = "kind: automation\nfor: deal\nid: tried\ntrigger: {event: updated}\nsteps: [{do: wait, time: 1h}]\n";
                let body = json!({ "definition": definition, "days": 1, "events": 30, "limit": 5, "with_others": dice.chance(50) });
                shot(Method::POST, &["what-if"], Content::Json(body))
            }
            8 => shot(Method::GET, &["records", "target", dice.id(&world.targets), "convert"], Content::None),
            9 => {
                let said = match dice.below(3) {
                    0 => json!({ "use": dice.id(&world.accounts) }),
                    1 => json!({ "values": { "name": format!("Grown {number}"), "employees": 7 } }),
                    _ => Value::Null,
                };
                let body = json!({ "conversion": "grow", "targets": { "account": said } });
                let mut shot = shot(Method::POST, &["records", "target", dice.id(&world.targets), "convert"], Content::Json(body));
                if dice.chance(60) {
                    shot.headers.push(("prefer".into(), "dry-run".into()));
                }
                shot
            }
            10 => {
                let body = json!({ "records": [dice.id(&world.targets), dice.id(&world.targets)], "apart": dice.chance(50) });
                shot(Method::POST, &["records", "target", "duplicates", "apart"], Content::Json(body))
            }
            11 => {
                let mut shot = shot(Method::GET, &["records", "target", "duplicates"], Content::None);
                shot.query = vec![("limit".into(), "5".into()), ("offset".into(), dice.word(&["0", "1", "9"]).into())];
                shot
            }
            0 => shot(Method::GET, &["records", "deal", dice.id(&world.deals), "history"], Content::None),
            1 => {
                let mut shot = shot(Method::GET, &["changes"], Content::None);
                shot.query = vec![("since".into(), dice.below(1000).to_string()), ("limit".into(), "20".into())];
                shot
            }
            2 => shot(Method::GET, &["schema", dice.word(&["deal", "thing", "user"])], Content::None),
            3 => shot(Method::GET, &["files", dice.id(&world.files)], Content::None),
            4 => {
                let mut shot = shot(Method::POST, &["files"], Content::Raw(b"a,b\n1,2".to_vec()));
                shot.query = vec![("name".into(), "rows.csv".into())];
                shot.headers = vec![("content-type".into(), "application/octet-stream".into())];
                shot
            }
            5 => {
                let text = "kind: entity\nid: shop.account\nfields: {a: {type: text}}\n";
                shot(
                    Method::POST,
                    &["definitions", dice.word(&["check", "plan"])],
                    Content::Json(json!({ "files": [{ "path": "definitions/a/b.yaml", "text": text }] })),
                )
            }
            6 if world.deals.len() > 12 => {
                shot(Method::DELETE, &["records", "deal", &world.deals.swap_remove(dice.below(world.deals.len()))], Content::None)
            }
            7 => shot(Method::GET, &["definitions", "versions"], Content::None),
            _ => shot(Method::GET, &["schema"], Content::None),
        },
    }
}

fn thing(dice: &Dice, world: &World, number: u64) -> Value {
    let all = json!({
        "name": format!("Thing {number}"), "story": "很长\n的故事", "page": "<p>x</p><script>y</script>", "mail": "a@example.com", "phone": "+86 10 1234 5678",
        "site": "https://example.com/a?b=c", "count": dice.below(100), "ratio": "1.25", "share": 5, "price": { "amount": "9.9", "currency": "EUR" },
        "done": true, "day": "2024-02-29", "moment": "2026-11-21T08:00:00+08:00", "hour": "23:59:59", "length": 3600, "color": "#336699", "stars": 5,
        "kind": "a", "kinds": ["x", "z"], "labels": ["new", "热"], "target": dice.id(&world.targets), "any": dice.id(&world.targets),
        "place": { "city": "上海", "country": "CN" }, "person": { "given": "伟", "family": "李" }, "spot": { "lat": "31.2", "lon": "121.5" },
        "data": { "a": [1, 2.5, null, { "b": "c" }] }, "papers": [dice.id(&world.files)],
    });
    let kept: Map<String, Value> = all
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name == "name" || dice.chance(40))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Value::Object(kept)
}

const NASTY: [&str; 34] = [
    "",
    " ",
    "\0",
    "'",
    "\"",
    "';--",
    "((((((((((",
    "{{7*7}}",
    "%",
    "%00",
    "%ff",
    "\u{202e}",
    "\u{feff}",
    "😀",
    "ﬁ",
    "İ",
    "ß",
    "\u{0}\u{1}\u{2}",
    "null",
    "true",
    "-1",
    "0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "1e308",
    "NaN",
    "0x10",
    "../../etc/passwd",
    "deal_0000000000001",
    "deal_7zzzzzzzzzzzz",
    "id,id",
    "a.b.c.d.e.f",
    "2026-02-30",
];

fn nasty(dice: &Dice) -> String {
    match dice.below(6) {
        0 => "x".repeat(dice.below(20_000)),
        1 => dice.word(&NASTY).repeat(dice.below(60)),
        2 => format!("{}{}", dice.word(&FILTERS), dice.word(&NASTY)),
        3 => format!("{} and ", dice.word(&FILTERS)).repeat(dice.below(40)),
        _ => dice.word(&NASTY).to_owned(),
    }
}

fn nasty_value(dice: &Dice) -> Value {
    match dice.below(14) {
        0 => Value::Null,
        1 => json!(dice.chance(50)),
        2 => json!(i64::MAX),
        3 => json!(i64::MIN),
        4 => serde_json::from_str("1e999").unwrap_or(Value::Null),
        5 => serde_json::from_str("0.00000000000000000000000001").unwrap_or(Value::Null),
        6 => json!([]),
        7 => json!({}),
        8 => json!([[[[[null]]]]]),
        9 => json!({ "$ref": 0 }),
        10 => json!(vec![1; dice.below(2000)]),
        11 => json!({ "id": "deal_0000000000001", "set": {} }),
        _ => json!(nasty(dice)),
    }
}

fn mutate(dice: &Dice, mut shot: Shot) -> Shot {
    for _ in 0..=dice.below(3) {
        match dice.below(10) {
            0 => {
                let at = dice.below(shot.path.len());
                shot.path[at] = nasty(dice);
            }
            1 => {
                const NAMES: [&str; 12] =
                    ["filter", "select", "sort", "cursor", "page", "limit", "count", "q", "deleted", "since", "name", "zzz"];
                shot.query.push((dice.word(&NAMES).to_owned(), nasty(dice)));
            }
            2 if !shot.query.is_empty() => {
                let at = dice.below(shot.query.len());
                shot.query[at].1 = edit(dice, &shot.query[at].1);
            }
            3 => {
                const NAMES: [&str; 8] = [
                    "if-match",
                    "if-none-match",
                    "prefer",
                    "idempotency-key",
                    "accept-language",
                    "content-type",
                    "content-encoding",
                    "accept-encoding",
                ];
                shot.headers.push((dice.word(&NAMES).to_owned(), nasty(dice)));
            }
            4 if dice.chance(30) => {
                shot.method = dice
                    .pick(&[Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS])
                    .clone();
            }
            5 if dice.chance(30) => {
                shot.body = Content::Raw(match &shot.body {
                    Content::Json(value) => scramble(dice, value.to_string().into_bytes()),
                    Content::Raw(bytes) => scramble(dice, bytes.clone()),
                    Content::None => nasty(dice).into_bytes(),
                });
            }
            _ => match &mut shot.body {
                Content::Json(value) => mutate_value(dice, value),
                _ if !shot.query.is_empty() => {
                    let at = dice.below(shot.query.len());
                    shot.query[at].1 = edit(dice, &shot.query[at].1);
                }
                _ => shot.query.push(("select".to_owned(), edit(dice, dice.word(&SELECTS)))),
            },
        }
    }
    shot
}

/// Changes one place of a JSON tree.
fn mutate_value(dice: &Dice, value: &mut Value) {
    match value {
        Value::Object(map) if !map.is_empty() && !dice.chance(15) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = dice.pick(&keys).clone();
            match dice.below(5) {
                0 => {
                    map.remove(&key);
                }
                1 => {
                    let value = map.remove(&key).unwrap_or_default();
                    map.insert(edit(dice, &key), value);
                }
                2 => {
                    map.insert(nasty(dice), nasty_value(dice));
                }
                _ => {
                    if let Some(inner) = map.get_mut(&key) {
                        mutate_value(dice, inner);
                    }
                }
            }
        }
        Value::Array(items) if !items.is_empty() && !dice.chance(15) => {
            let at = dice.below(items.len());
            match dice.below(4) {
                0 => {
                    items.remove(at);
                }
                1 => {
                    let copy = items[at].clone();
                    items.push(copy);
                }
                _ => mutate_value(dice, &mut items[at]),
            }
        }
        Value::String(text) if dice.chance(50) => *text = edit(dice, text),
        other => *other = nasty_value(dice),
    }
}

/// The text with one place changed.
fn edit(dice: &Dice, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = dice.below(chars.len() + 1);
    match dice.below(5) {
        0 if at < chars.len() => {
            chars.remove(at);
        }
        1 => chars.insert(at, *dice.pick(&['\'', '(', ')', '.', ',', '%', '\0', '"', '=', '<', '½', '中', '\u{10ffff}'])),
        2 => chars.truncate(at),
        3 => chars.splice(at..at, nasty(dice).chars()).for_each(drop),
        _ if at < chars.len() => chars[at] = char::from_u32(u32::try_from(dice.below(0x250)).unwrap_or(65)).unwrap_or('A'),
        _ => {}
    }
    chars.into_iter().collect()
}

fn scramble(dice: &Dice, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = u8::try_from(dice.below(256)).unwrap_or(0);
        }
    }
    bytes
}

/// The request, or `None` when it cannot be written as HTTP at all.
fn build(app: &TestApp, shot: &Shot) -> Option<Request<Body>> {
    let path: Vec<String> = shot.path.iter().map(|part| encode(part)).collect();
    let mut text = format!("/{}", path.join("/"));
    for (position, (name, value)) in shot.query.iter().enumerate() {
        text.push(if position == 0 { '?' } else { '&' });
        text.push_str(&format!("{}={}", encode(name), encode(value)));
    }
    // Addresses longer than this never leave the HTTP layer.
    if text.len() > 60_000 {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    let mut builder = Request::builder()
        .method(shot.method.clone())
        .uri(uri)
        .header("host", "localhost:8080")
        .header("authorization", format!("Bearer {}", app.token));
    for (name, value) in &shot.headers {
        builder = builder.header(name, axum::http::HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    let body = match &shot.body {
        Content::None => Body::empty(),
        Content::Json(value) => Body::from(value.to_string()),
        Content::Raw(bytes) => Body::from(bytes.clone()),
    };
    builder.body(body).ok()
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b',') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// Keeps ids of what was created, so that later requests find it.
fn learn(shot: &Shot, answer: &crate::support::Answer, world: &mut World) {
    if answer.status.as_u16() != 201 || shot.path.len() != 4 {
        return;
    }
    let Ok(value) = serde_json::from_slice::<Value>(&answer.bytes) else { return };
    let Some(id) = value["id"].as_str().map(str::to_owned) else { return };
    let list = match shot.path[3].as_str() {
        "account" => &mut world.accounts,
        "deal" => &mut world.deals,
        "thing" => &mut world.things,
        _ => return,
    };
    if list.len() < 500 {
        list.push(id);
    }
}
