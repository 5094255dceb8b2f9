//! Every field type: what goes in comes out, what does not fit is refused with its place.

use relata::record::{Saved, WriteOptions};
use serde_json::{Value as Json, json};

use super::workspace::{Workspace, faults, json_of};

const DEFINITIONS: &str = r##"
kind: entity
id: shop.target
title: "{name}"
fields:
  name: {type: text, required: true}
---
kind: entity
id: shop.thing
title: "{text}"
fields:
  text: {type: text, max: 10, min: 2, pattern: "[a-z ]+"}
  long_text: {type: long_text}
  rich_text: {type: rich_text}
  email: {type: email}
  phone: {type: phone}
  url: {type: url}
  integer: {type: integer, min: -5, max: 9223372036854775807}
  decimal: {type: decimal, scale: 3, max: 1000}
  percent: {type: percent, scale: 2}
  money: {type: money, currency: record, scale: 2}
  euro: {type: money, currency: EUR}
  boolean: {type: boolean}
  date: {type: date, min: 2000-01-01}
  datetime: {type: datetime}
  time: {type: time}
  duration: {type: duration}
  select: {type: select, options: [{key: a}, {key: b}, {key: old, retired: true}]}
  multi_select: {type: multi_select, options: [x, y, z], max: 2}
  tags: {type: tags}
  link: {type: link, to: shop.target}
  links: {type: links, to: shop.target}
  any_link: {type: any_link, to: [shop.target, core.user]}
  user: {type: user}
  address: {type: address}
  person_name: {type: person_name}
  geo: {type: geo}
  rating: {type: rating}
  color: {type: color}
  json: {type: json, schema: {type: object, required: [a]}}
  auto_number: {type: auto_number, format: "T-{yyyy}-{seq:4}"}
"##;

/// A field, what is written to it and what is read from it.
type Case = (&'static str, Json, Json);

fn cases(target: &str, user: &str) -> Vec<Case> {
    vec![
        ("text", json!("  hello "), json!("hello")),
        ("long_text", json!("a\nb"), json!("a\nb")),
        ("rich_text", json!("<p>x</p><script>alert(1)</script>"), json!("<p>x</p>")),
        ("email", json!("ada@example.com"), json!("ada@example.com")),
        ("phone", json!("+86 10 1234 5678"), json!("+86 10 1234 5678")),
        ("url", json!("https://example.com/a?b=c"), json!("https://example.com/a?b=c")),
        ("integer", json!(9_223_372_036_854_775_807_i64), json!(9_223_372_036_854_775_807_i64)),
        ("integer", json!(-5), json!(-5)),
        ("decimal", json!("12.5"), json!("12.500")),
        ("percent", json!("7.25"), json!("7.25")),
        ("money", json!({ "amount": "12.5", "currency": "CNY" }), json!({ "amount": "12.50", "currency": "CNY", "base": "12.50" })),
        ("euro", json!("3.99"), json!({ "amount": "3.99", "currency": "EUR", "base": null })),
        ("boolean", json!(false), json!(false)),
        ("date", json!("2026-02-28"), json!("2026-02-28")),
        ("datetime", json!("2026-01-01T08:00:00.5+08:00"), json!("2026-01-01T00:00:00.5Z")),
        ("time", json!("08:30"), json!("08:30:00")),
        ("duration", json!(90), json!(90)),
        ("select", json!("b"), json!("b")),
        ("multi_select", json!(["y", "x", "y"]), json!(["y", "x"])),
        ("tags", json!(["Red", "blue", "RED"]), json!(["Red", "blue"])),
        ("link", json!(target), json!(target)),
        ("links", json!([target]), json!([target])),
        ("any_link", json!(target), json!(target)),
        ("any_link", json!(user), json!(user)),
        ("user", json!(user), json!(user)),
        (
            "address",
            json!({ "city": "上海", "country": "CN" }),
            json!({ "street": null, "street2": null, "city": "上海", "region": null, "postal_code": null, "country": "CN" }),
        ),
        (
            "person_name",
            json!({ "given": "Ada", "family": "Lovelace" }),
            json!({ "given": "Ada", "family": "Lovelace", "middle": null, "prefix": null, "suffix": null }),
        ),
        ("geo", json!({ "lat": "31.230416", "lon": "121.473701" }), json!({ "lat": "31.230416", "lon": "121.473701" })),
        ("rating", json!(4), json!(4)),
        ("color", json!("#A1B2C3"), json!("#a1b2c3")),
        ("json", json!({ "a": [1, null, "x"] }), json!({ "a": [1, null, "x"] })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_comes_back_as_it_went_in() {
    let space = Workspace::new(DEFINITIONS).await;
    let target = space.create("target", json!({ "name": "One" })).await.unwrap().id;
    let target = space.show("target", target);
    let user = space.show("user", space.actor.user.unwrap());
    for (field, written, read) in cases(&target, &user) {
        let saved = space.create("thing", json!({ field: written })).await.unwrap_or_else(|error| panic!("{field}: {error}"));
        let shown = space.get("thing", saved.id).await;
        assert_eq!(shown[field], read, "{field} created");
        // The same by an update of an empty record.
        let empty = space.create("thing", json!({})).await.unwrap();
        space.update("thing", empty.id, json!({ field: written })).await.unwrap_or_else(|error| panic!("{field}: {error}"));
        assert_eq!(space.get("thing", empty.id).await[field], read, "{field} updated");
        // Writing what is there changes nothing.
        let again = space.update("thing", empty.id, json!({ field: written })).await.unwrap();
        assert!(again.changed.is_empty() && again.version == 2, "{field} written again: {again:?}");
        // Null clears.
        let cleared = space.update("thing", empty.id, json!({ field: null })).await.unwrap();
        assert_eq!(cleared.version, 3, "{field} cleared");
        let shown = space.get("thing", empty.id).await;
        assert!(shown[field].is_null() || shown[field] == json!([]), "{field} cleared: {}", shown[field]);
    }
}

/// The same fields in an entity whose saves ask the database for nothing before they write.
fn alone() -> String {
    let thing = DEFINITIONS.replace("shop.thing", "shop.alone");
    let kept = thing.lines().filter(|line| !line.starts_with("  links:") && !line.starts_with("  auto_number:"));
    let doubled = "  doubled: {type: formula, returns: integer, expr: \"integer * 2\", stored: true}";
    kept.chain([doubled]).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_save_gives_back_is_what_is_read_afterwards() {
    let space = Workspace::new(&alone()).await;
    let entity = space.entity("alone").ix;
    let target = space.create("target", json!({ "name": "One" })).await.unwrap().id;
    let (target, user) = (space.show("target", target), space.show("user", space.actor.user.unwrap()));
    let asked = || WriteOptions { shows_record: true, ..WriteOptions::default() };
    let look = async |saved: Saved, what: &str| {
        let given = space.records.get_saved(&space.actor, &space.catalog, entity, &saved, "deleted=all").await.unwrap().unwrap();
        assert_eq!(json_of(&given), space.get_selected("alone", saved.id, "deleted=all").await, "{what}");
        assert_eq!(given.version(), saved.version, "{what}");
    };
    for (field, written, _) in cases(&target, &user).into_iter().filter(|(field, ..)| *field != "links") {
        let saved = space.create_with("alone", json!({ field: written }), asked()).await.unwrap_or_else(|error| panic!("{field}: {error}"));
        let id = saved.id;
        look(saved, &format!("{field} created")).await;
        let cleared = space.update_with("alone", id, json!({ field: null }), asked()).await.unwrap();
        look(cleared, &format!("{field} cleared")).await;
        let again = space.update_with("alone", id, json!({ field: written, "long_text": "beside" }), asked()).await.unwrap();
        look(again, &format!("{field} updated")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_knows_the_whole_record_gives_it_back_without_reading() {
    let space = Workspace::new(&alone()).await;
    let entity = space.entity("alone");
    let asked = || WriteOptions { shows_record: true, ..WriteOptions::default() };
    let saved = space.create_with("alone", json!({ "integer": 4 }), asked()).await.unwrap();
    let changed = space.update_with("alone", saved.id, json!({ "integer": 5 }), asked()).await.unwrap();
    let later = space.update("alone", saved.id, json!({ "integer": 6 })).await.unwrap();
    let shown = async |saved: &Saved, query: &str| {
        json_of(&space.records.get_saved(&space.actor, &space.catalog, entity.ix, saved, query).await.unwrap().unwrap())
    };
    // What others wrote afterwards is not seen.
    assert_eq!(shown(&saved, "").await["doubled"], 8);
    assert_eq!(shown(&changed, "").await["doubled"], 10);
    assert_eq!(shown(&changed, "select=integer,version").await, json!({ "integer": 5, "version": 2 }));
    // What the save does not know is read, and what nobody asked for is not kept.
    assert_eq!(shown(&changed, "select=integer,user(name)").await["integer"], 6);
    assert_eq!(shown(&later, "").await["integer"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_at_its_place() {
    let space = Workspace::new(DEFINITIONS).await;
    let cases: Vec<(Json, &str, &str)> = vec![
        (json!({ "text": "x" }), "/text", "too_short"),
        (json!({ "text": "hello world again" }), "/text", "too_long"),
        (json!({ "text": "HELLO" }), "/text", "pattern"),
        (json!({ "text": 5 }), "/text", "wrong_type"),
        (json!({ "integer": -6 }), "/integer", "too_small"),
        (json!({ "decimal": "1.2345" }), "/decimal", "too_precise"),
        (json!({ "decimal": "1000.001" }), "/decimal", "too_large"),
        (json!({ "euro": { "amount": "1", "currency": "CNY" } }), "/euro/currency", "wrong_currency"),
        (json!({ "date": "1999-12-31" }), "/date", "too_small"),
        (json!({ "select": "c" }), "/select", "not_an_option"),
        (json!({ "multi_select": ["x", "y", "z"] }), "/multi_select", "too_many"),
        (json!({ "links": ["target_0000000000001"] }), "/links/0", "not_found"),
        (json!({ "link": "target_0000000000001" }), "/link", "not_found"),
        (json!({ "nmae": 1 }), "/nmae", "unknown_field"),
        (json!({ "version": 3 }), "/version", "read_only"),
        (json!({ "auto_number": "T-1" }), "/auto_number", "read_only"),
    ];
    for (values, path, code) in cases {
        let error = space.create("thing", values.clone()).await.expect_err(&format!("{values} is refused"));
        let found = faults(&error);
        assert!(found.iter().any(|(at, _)| at == path), "{values}: {found:?}, wanted {path} {code}");
        assert_eq!(found.len(), 1, "{values}: {found:?}");
        if ["unknown_field", "read_only", "not_found"].contains(&code) {
            assert_eq!(found[0].1, code, "{values}");
        }
    }
    // All at once.
    let error = space.create("thing", json!({ "text": "x", "integer": -6, "decmal": 1 })).await.unwrap_err();
    assert_eq!(faults(&error).len(), 3, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_value_are_merged() {
    let space = Workspace::new(DEFINITIONS).await;
    let saved = space
        .create("thing", json!({ "address": { "city": "上海", "street": "南京路 1" }, "money": { "amount": "10", "currency": "USD" } }))
        .await
        .unwrap();
    space.update("thing", saved.id, json!({ "address": { "city": "北京" }, "money": { "amount": "11" } })).await.unwrap();
    let shown = space.get("thing", saved.id).await;
    assert_eq!(shown["address"]["city"], "北京");
    assert_eq!(shown["address"]["street"], "南京路 1");
    assert_eq!(shown["money"]["currency"], "USD");
    assert_eq!(shown["money"]["amount"], "11.00");
    space.update("thing", saved.id, json!({ "address": { "city": null } })).await.unwrap();
    let shown = space.get("thing", saved.id).await;
    assert_eq!((&shown["address"]["city"], &shown["address"]["street"]), (&Json::Null, &json!("南京路 1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_counted_without_gaps() {
    let space = Workspace::new(DEFINITIONS).await;
    for wanted in ["T-2026-0001", "T-2026-0002"] {
        let saved = space.create("thing", json!({})).await.unwrap();
        assert_eq!(space.get("thing", saved.id).await["auto_number"], wanted);
        space.create("thing", json!({ "link": "target_0000000000001" })).await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_posts_texts() {
    let space = Workspace::new(DEFINITIONS).await;
    let target = space.create("target", json!({ "name": "One" })).await.unwrap().id;
    let pairs: Vec<(String, String)> = [
        ("text", "hello"),
        ("integer", " 12 "),
        ("boolean", "false"),
        ("boolean", "true"),
        ("money.amount", "5"),
        ("money.currency", "USD"),
        ("address.city", "上海"),
        ("multi_select", "x"),
        ("multi_select", "y"),
        ("links", &space.show("target", target)),
        ("datetime", "2026-01-01T08:00"),
        ("email", ""),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();
    let zone = space.actor.time_zone.clone();
    let input = relata::record::Input::from_text(&space.catalog, space.entity("thing"), &pairs, &zone).unwrap();
    let saved = space
        .records
        .create(&space.actor, &space.catalog, space.entity("thing").ix, input, relata::record::WriteOptions::default())
        .await
        .unwrap();
    let shown = space.get("thing", saved.id).await;
    assert_eq!(shown["text"], "hello");
    assert_eq!(shown["integer"], 12);
    assert_eq!(shown["boolean"], true);
    assert_eq!(shown["money"]["amount"], "5.00");
    assert_eq!(shown["address"]["city"], "上海");
    assert_eq!(shown["multi_select"], json!(["x", "y"]));
    assert_eq!(shown["links"], json!([space.show("target", target)]));
    assert_eq!(shown["datetime"], "2026-01-01T00:00:00Z");
}

/// A link that takes only some records of the other entity, one of them by a value computed over rows.
const FILTERED: &str = r#"
kind: entity
id: shop.team
title: "{name}"
features: {owner: false}
fields:
  name: {type: text}
  open: {type: boolean}
  people: {type: children, of: shop.member, by: team}
  heads: {type: rollup, of: people, agg: count(), returns: integer, stored: false}
  lead: {type: link, to: shop.member, on_delete: set_null, filter: "team.open = true"}
---
kind: entity
id: shop.member
title: "{name}"
features: {owner: false}
fields:
  name: {type: text}
  team: {type: link, to: shop.team, filter: "open = true and heads < 2"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_link_takes_only_what_its_filter_takes() {
    let space = Workspace::new(FILTERED).await;
    let open = space.create("team", json!({ "name": "Open", "open": true })).await.unwrap().id;
    let shut = space.create("team", json!({ "name": "Shut", "open": false })).await.unwrap().id;
    let (open_link, shut_link) = (space.show("team", open), space.show("team", shut));
    let refused = space.create("member", json!({ "name": "A", "team": shut_link })).await.unwrap_err();
    assert_eq!(faults(&refused), [("/team".to_owned(), "not_taken".to_owned())]);
    let fault = refused.faults().remove(0);
    assert_eq!(fault.message, format!("`team` takes only records with `open = true and heads < 2`, which `{shut_link}` has not"));
    let first = space.create("member", json!({ "name": "A", "team": open_link })).await.unwrap().id;
    space.create("member", json!({ "name": "B", "team": open_link })).await.unwrap();
    let full = space.create("member", json!({ "name": "C", "team": open_link })).await.unwrap_err();
    assert_eq!(faults(&full)[0].1, "not_taken");
    let moved = space.update("member", first, json!({ "team": shut_link })).await.unwrap_err();
    assert_eq!(faults(&moved)[0].1, "not_taken");
    // What was linked before stays, and the record can be changed otherwise.
    space.update("team", open, json!({ "open": false })).await.unwrap();
    space.update("member", first, json!({ "name": "AA", "team": open_link })).await.unwrap();
    // A filter over a link of the other record; rows that come with their owner know it before it is written.
    let lead = space.update("team", open, json!({ "lead": space.show("member", first) })).await.unwrap_err();
    assert_eq!(faults(&lead)[0].1, "not_taken");
    space.create("team", json!({ "name": "New", "open": true, "people": [{ "name": "D" }] })).await.unwrap();
    let nested = space.create("team", json!({ "name": "New", "open": false, "people": [{ "name": "D" }] })).await.unwrap_err();
    assert_eq!(faults(&nested), [("/people/0/team".to_owned(), "not_taken".to_owned())]);
}
