//! A pool over time, held against a model of its own: after each day the records that are held, and by whom, are those the model
//! says, every claim went as the model says, and nobody holds more than they may.
//!
//! The short form runs in the suite; `RELATA_LONG` makes it 200 people, 100,000 leads and a year.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use relata::access::Actor;
use relata::base::{Random, RecordId, SeededRandom, Value};
use relata::query::{Params, parse_list};
use relata::record::{Input, RecordError, Source, WriteOptions};
use serde_json::json;

use crate::access::world::person;
use crate::support::TestApp;

const DAY_MS: i64 = 24 * 3_600_000;
const RECLAIM_DAYS: i64 = 14;
const COOL_DAYS: i64 = 30;
const PER_DAY: usize = 3;

const FILES: [(&str, &str); 2] = [
    ("relata.yaml", "name: Shop\ncurrency: CNY\nlocale: en\ntime_zone: UTC\n"),
    (
        "definitions/shop/package.yaml",
        r#"
kind: package
id: shop
version: 1.0.0
---
kind: entity
id: shop.lead
title: "{name}"
features: {history: false}
fields:
  name: {type: text, required: true}
  touches: {type: integer, default: 0}
pools:
  - id: public
    roles: [rep]
    show: [name]
    caps:
      - {when: "time_zone = 'Asia/Tokyo'", most: 40}
      - {most: 25}
    claims_per_day: 3
    protect: 2d
    reclaim: 14d
    warn: 2d
    activity: [{fields: [touches]}]
    cool_down: 30d
---
kind: role
id: rep
permissions: {lead: {rows: "owner = me()", update: true}}
"#,
    ),
];

/// What somebody tries on one day.
#[derive(Clone)]
struct Wish {
    claims: Vec<usize>,
    touches: Vec<usize>,
    returns: Option<usize>,
}

struct Model {
    /// By lead: who holds it, and the day of their last activity.
    held: BTreeMap<usize, (usize, i64)>,
    /// By lead and person: the day they lost it.
    lost: HashMap<(usize, usize), i64>,
    /// By person: what they lost.
    lost_by: Vec<Vec<usize>>,
    caps: Vec<usize>,
}

impl Model {
    fn count(&self, rep: usize) -> usize {
        self.held.values().filter(|(holder, _)| *holder == rep).count()
    }

    /// What goes back in the morning of a day.
    fn morning(&mut self, day: i64) {
        let due: Vec<(usize, usize)> =
            self.held.iter().filter(|(_, (_, active))| active + RECLAIM_DAYS <= day).map(|(lead, (rep, _))| (*lead, *rep)).collect();
        for (lead, rep) in due {
            self.lose(lead, rep, day);
        }
    }

    fn lose(&mut self, lead: usize, rep: usize, day: i64) {
        self.held.remove(&lead);
        self.lost.insert((lead, rep), day);
        self.lost_by[rep].push(lead);
    }

    /// Why a claim is refused, if it is.
    fn claim(&mut self, rep: usize, lead: usize, day: i64, claimed: &mut usize, count: &mut usize) -> Option<&'static str> {
        if self.held.contains_key(&lead) {
            return Some("pool_gone");
        }
        if self.lost.get(&(lead, rep)).is_some_and(|lost| lost + COOL_DAYS > day) {
            return Some("pool_cool_down");
        }
        if *count >= self.caps[rep] {
            return Some("pool_cap");
        }
        if *claimed >= PER_DAY {
            return Some("pool_day");
        }
        *claimed += 1;
        *count += 1;
        self.held.insert(lead, (rep, day));
        None
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the environment chooses between the short and the long form")]
async fn a_pool_keeps_its_rules_over_time() {
    let is_long = std::env::var("RELATA_LONG").is_ok();
    let (people, leads, days) = if is_long { (200, 100_000, 365) } else { (6, 200, 70) };
    let app = TestApp::with_files(&FILES).await;
    let records = app.workspace.records.clone();
    let catalog = records.catalog();
    let entity = catalog.find_entity("lead").expect("the entity");
    let (ix, owner, touches) = (entity.ix, entity.by_name["owner"], entity.by_name["touches"]);
    let mut actors: Vec<Actor> = Vec::new();
    let mut caps = Vec::new();
    for number in 0..people {
        let is_senior = number % 3 == 0;
        let more = if is_senior { json!({ "time_zone": "Asia/Tokyo" }) } else { json!({}) };
        let who = person(&app, &format!("rep{number}"), &["rep"], more).await;
        let (_, id) = RecordId::parse(&who.id).expect("an id");
        actors.push(records.actor_of(id).await.expect("read").expect("active"));
        caps.push(if is_senior { 40 } else { 25 });
    }
    let mut ids = Vec::with_capacity(leads);
    for number in 0..leads {
        let input = Input::from_json(&catalog, entity, &json!({ "name": format!("Lead {number}") })).expect("an input");
        let made = records.create(&Actor::system(), &catalog, ix, input, WriteOptions::from(Source::System)).await.expect("made");
        ids.push(made.id);
    }
    let ids = Arc::new(ids);
    let position: HashMap<RecordId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let by_user: HashMap<RecordId, usize> = actors.iter().enumerate().map(|(at, actor)| (actor.user.expect("a person"), at)).collect();
    let mut model = Model { held: BTreeMap::new(), lost: HashMap::new(), lost_by: vec![Vec::new(); people], caps };
    let dice = SeededRandom::new(11);
    let below = |limit: usize| usize::try_from(dice.next_u64() % (limit.max(1) as u64)).unwrap_or(0);
    let (mut claims, mut reclaimed, mut outcomes) = (0_u64, 0_u64, BTreeMap::<&str, u64>::new());
    for day in 0..days {
        model.morning(day);
        reclaimed += records.look_after_pools().await.expect("looked after").reclaimed;
        let mut own: Vec<Vec<usize>> = vec![Vec::new(); people];
        model.held.iter().for_each(|(lead, (rep, _))| own[*rep].push(*lead));
        let returned: Vec<Option<usize>> =
            own.iter().map(|own| (!own.is_empty() && below(10) == 0).then(|| own[below(own.len())])).collect();
        let free: BTreeSet<usize> = returned.iter().flatten().copied().collect();
        // Nobody wants what somebody else wants or gives back on the same day: who is faster is not for the model to say.
        let mut tasks = tokio::task::JoinSet::new();
        for (rep, actor) in actors.iter().enumerate() {
            let own = &own[rep];
            let share = (rep + usize::try_from(day).unwrap_or(0)) % people;
            let mut wanted: Vec<usize> = (0..PER_DAY + 1).map(|_| below(leads / people) * people + share).collect();
            // Now and then what they had: that is for others first.
            let had = &model.lost_by[rep];
            let again = (0..20).filter(|_| !had.is_empty()).map(|_| had[below(had.len())]).find(|lead| lead % people == share);
            wanted.extend(again);
            wanted.retain(|lead| !free.contains(lead));
            wanted.sort_by_key(|lead| ids[*lead]);
            wanted.dedup();
            let mut touched: Vec<usize> = if own.is_empty() { Vec::new() } else { (0..PER_DAY).map(|_| own[below(own.len())]).collect() };
            touched.sort_unstable();
            touched.dedup();
            let wish = Wish { claims: wanted, touches: touched, returns: returned[rep] };
            let (mut claimed, mut count) = (0, own.len());
            let mut expected = Vec::new();
            for lead in &wish.touches {
                model.held.insert(*lead, (rep, day));
            }
            if let Some(lead) = wish.returns {
                model.lose(lead, rep, day);
                count -= 1;
            }
            for lead in &wish.claims {
                expected.push(model.claim(rep, *lead, day, &mut claimed, &mut count));
            }
            for outcome in &expected {
                *outcomes.entry(outcome.unwrap_or("claimed")).or_default() += 1;
            }
            claims += expected.len() as u64;
            let (records, catalog, actor, ids) = (records.clone(), catalog.clone(), actor.clone(), ids.clone());
            tasks.spawn(async move {
                for lead in &wish.touches {
                    let mut input = Input::default();
                    input.set(touches, Value::Int(day + 1_000));
                    let done = records.update(&actor, &catalog, ix, ids[*lead], input, WriteOptions::from(Source::Api)).await;
                    done.unwrap_or_else(|error| panic!("day {day}: {rep} works on {lead}: {error}"));
                }
                if let Some(lead) = wish.returns {
                    let done = records.give_back(&actor, &catalog, ix, ids[lead], "Enough", Source::Api).await;
                    done.unwrap_or_else(|error| panic!("day {day}: {rep} returns {lead}: {error}"));
                }
                let wanted = wish.claims.iter().map(|lead| ids[*lead]).collect();
                let told = records.claim(&actor, &catalog, ix, "public", wanted, Source::Api).await.expect("claims are answered");
                let codes: Vec<Option<String>> = told.iter().map(|(_, result)| result.as_ref().err().map(code)).collect();
                let expected: Vec<Option<String>> = expected.iter().map(|code| code.map(str::to_owned)).collect();
                assert_eq!(codes, expected, "day {day}: {rep} wants {:?}", wish.claims);
            });
            while tasks.len() >= 32 {
                tasks.join_next().await.expect("a task").expect("it ends");
            }
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("it ends");
        }
        // What the database holds, read past the pool: owners of records.
        let mut found: BTreeMap<usize, usize> = BTreeMap::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut params =
                vec![("select", "id,owner".to_owned()), ("filter", "owner is not null".to_owned()), ("limit", "500".to_owned())];
            params.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let params = Params(params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
            let request = parse_list(&catalog, records.cursor_key(), ix, &params).expect("a request");
            let page = records.list(&Actor::system(), &catalog, request).await.expect("a page");
            for row in page.iter() {
                let Some(Value::Link(user)) = row.value(owner) else { panic!("no owner") };
                found.insert(position[&row.id()], by_user[&user]);
            }
            cursor = page.next_cursor.clone();
            if cursor.is_none() {
                break;
            }
        }
        let modelled: BTreeMap<usize, usize> = model.held.iter().map(|(lead, (rep, _))| (*lead, *rep)).collect();
        assert_eq!(found, modelled, "day {day}");
        let mut each = vec![0_usize; people];
        found.values().for_each(|rep| each[*rep] += 1);
        for (rep, held) in each.iter().enumerate() {
            assert!(*held <= model.caps[rep], "day {day}: {rep} holds {held} of {}", model.caps[rep]);
            assert_eq!(*held, model.count(rep));
        }
        if day % 30 == 0 {
            for (rep, actor) in actors.iter().enumerate() {
                let counted = records.pools(actor).await.expect("pools")[0].held;
                assert_eq!(usize::try_from(counted).expect("a count"), each[rep], "day {day}: the counter of {rep}");
            }
        }
        app.clock.advance_ms(DAY_MS);
    }
    println!("{people} people, {leads} leads, {days} days: {claims} claims ({outcomes:?}), {reclaimed} went back");
    for outcome in ["claimed", "pool_gone", "pool_cool_down"] {
        assert!(outcomes.contains_key(outcome), "{outcomes:?}");
    }
    assert!(reclaimed > 0);
}

fn code(error: &RecordError) -> String {
    error.faults().first().map_or_else(|| error.to_string(), |fault| fault.code.clone())
}
