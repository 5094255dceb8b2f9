//! One of two workspaces: what may be read is the same in both, everything else is its own.

use axum::http::Method;
use relata::base::RecordId;
use serde_json::{Map, Value, json};

use super::plan::{Dice, Kind, Plan, Sight};
use crate::access::world::{Person, person};
use crate::identity::{post_form, signed_in};
use crate::support::TestApp;

const WORDS: [&str; 5] = ["red", "green", "blue", "red green", "abc"];

pub struct Side {
    pub app: TestApp,
    pub asker: Person,
    /// An administrator's session that looks through the asker's eyes.
    pub viewer: String,
    /// What can be asked about, the same in both.
    pub known: Known,
}

/// Ids, seen or not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    pub boxes: Vec<String>,
    pub items: Vec<String>,
    pub leaves: Vec<String>,
    pub consents: Vec<String>,
    pub people: Vec<String>,
    pub files: Vec<String>,
    /// The newest position of the feed of changes.
    pub newest: i64,
}

/// Rows are made in the same order with the same ids in both.
pub async fn side(plan: &Plan, seed: u64, is_second: bool) -> Side {
    let files: Vec<(&str, &str)> = plan.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let app = TestApp::seeded(&files, seed).await;
    let mut making = Making { dice: Dice(seed), own: Dice(if is_second { seed ^ 0xABCD } else { seed ^ 0x1234 }), plan, app: &app };
    let phone = |own: &mut Dice| json!({"phone": format!("+49301{:06}", own.below(1_000_000))});
    let asker = person(&app, "asker", &["one", "two"], phone(&mut making.own)).await;
    let other = person(&app, "other", &["read_only"], phone(&mut making.own)).await;
    let mut known = making.records(&asker, &other).await;
    app.clock.advance_ms(2_000);
    app.post("/api/v1/records/item/duplicates/look", json!({})).await.expect_status(202);
    app.workspace.runner.run_until_idle().await.expect("jobs run");
    let viewer = signed_in(&app, "boss@example.com", true).await;
    post_form(&app, &viewer, &format!("/people/{}/view", asker.id), "").await.expect_status(303);
    let page = app.get("/api/v1/changes?limit=1000").await.expect_status(200).json();
    known.newest = page["next"].as_i64().expect("a position");
    // The use of a token is noted behind the answer.
    app.request(Method::GET, "/api/v1/tokens").token(&asker.token).send().await.expect_status(200);
    let own = RecordId::parse(&asker.id).expect("an id").1;
    for _ in 0..10_000 {
        let tokens = app.workspace.auth.list_tokens(None).await.expect("the tokens");
        if tokens.iter().any(|token| token.user == own && token.used_at.is_some()) {
            break;
        }
        tokio::task::yield_now().await;
    }
    Side { asker, viewer, known, app }
}

struct Making<'a> {
    /// The same in both.
    dice: Dice,
    /// Not the same.
    own: Dice,
    plan: &'a Plan,
    app: &'a TestApp,
}

impl Making<'_> {
    /// An item, also where it looks like another.
    async fn item(&self, values: &Value) -> String {
        let making = self.app.request(Method::POST, "/api/v1/records/item").header("prefer", "allow-duplicates").json(values);
        making.send().await.expect_status(201).json()["id"].as_str().expect("an id").to_owned()
    }

    async fn records(&mut self, asker: &Person, other: &Person) -> Known {
        let mut known = Known { people: vec![asker.id.clone(), other.id.clone()], ..Known::default() };
        let (mut boxes, mut shares, mut unshared) = (Vec::new(), Vec::new(), Vec::new());
        for at in 0..5 {
            let shade = self.dice.below(9);
            let shared = self.dice.one_in(4);
            let seen = shade < self.plan.most || shared;
            let name = format!("box {at}{}", if seen { String::new() } else { format!(" {}", self.own.below(100)) });
            let id = self.app.create_id("box", json!({"name": name, "shade": shade, "secret": self.own.below(50)})).await;
            if shared {
                shares.push(format!("box/{id}"))
            } else {
                unshared.push(format!("box/{id}"))
            }
            boxes.push((id, seen));
        }
        let mut made = Vec::new();
        let mut asked = Vec::new();
        for at in 0..14 {
            let shade = self.dice.below(9);
            // Both roles grant what was shared.
            let shared = self.dice.one_in(4);
            let (one, two) = (shade < self.plan.most || shared, shade >= self.plan.least && shade < 8 || shared);
            let is_seen = one || two;
            let values = self.values(at, shade, is_seen, two, &boxes, &known).await;
            known.files.extend(values["papers"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            let friends = self.friends(&boxes, is_seen);
            let leaves = self.dice.below(3);
            let id = self.item(&values).await;
            known.items.push(id.clone());
            if shared {
                shares.push(format!("item/{id}"));
            } else if shade >= self.plan.sharing {
                unshared.push(format!("item/{id}"));
            }
            let hidden = self.unread_numbers(is_seen, two);
            asked.push((id.clone(), is_seen));
            made.push((id, friends, leaves, is_seen, hidden));
        }
        known.boxes = boxes.into_iter().map(|(id, _)| id).collect();
        // Afterwards, so that rows between that only one side has take no id from an item.
        for (at, (id, friends, leaves, is_seen, hidden)) in made.into_iter().enumerate() {
            self.app.clock.advance_ms(10);
            let mut change = json!({"tick": 1, "friends": friends});
            for name in hidden {
                change[name] = self.own.below(1_000).into();
            }
            self.app.patch(&format!("/api/v1/records/item/{id}"), change).await.expect_status(200);
            // With a reason that was needed in one of them, maybe.
            if self.dice.one_in(3) {
                let step = json!({"to": "offer", "reason": format!("words {at}")});
                self.app.post(&format!("/api/v1/records/item/{id}/moves"), step).await.expect_status(200);
            }
            for leaf in 0..leaves {
                let label = if is_seen { format!("leaf {at} {leaf}") } else { format!("leaf {}", self.own.below(1_000)) };
                known.leaves.push(self.app.create_id("leaf", json!({"item": id, "label": label, "n": self.own.below(9)})).await);
            }
        }
        self.marks(&asked).await;
        self.consents(&mut known).await;
        self.ghosts(&known).await;
        self.shares(&shares, &unshared, asker).await;
        known
    }

    /// Numbers of an item that are its own in each of the two; not those that boxes keep totals of, which change with them.
    fn unread_numbers(&self, is_seen: bool, two: bool) -> Vec<String> {
        let is_read = |sight: Sight| is_seen && (sight == Sight::Open || (sight == Sight::Partly && two));
        let in_totals = |name: &str| self.plan.keeps_totals && matches!(name, "n0" | "n1");
        let numbers = self.plan.fields.iter().filter(|field| field.kind == Kind::Number && !is_read(field.sight));
        numbers.filter(|field| !in_totals(&field.name)).map(|field| field.name.clone()).collect()
    }

    /// Links to boxes, as many in both: to whichever where nobody sees it.
    fn friends(&mut self, boxes: &[(String, bool)], is_seen: bool) -> Vec<String> {
        let wanted: Vec<usize> = (0..boxes.len()).filter(|_| self.dice.one_in(3)).collect();
        let (seen, unseen): (Vec<usize>, Vec<usize>) = wanted.into_iter().partition(|at| is_seen && boxes[*at].1);
        let others: Vec<usize> = (0..boxes.len()).filter(|at| !is_seen || !boxes[*at].1).collect();
        let from = self.own.below(boxes.len());
        let any = (0..unseen.len()).map(|at| others[(from + at) % others.len()]);
        seen.into_iter().chain(any).map(|at| boxes[at].0.clone()).collect()
    }

    async fn values(&mut self, at: usize, shade: usize, is_seen: bool, two: bool, boxes: &[(String, bool)], known: &Known) -> Value {
        let mut values = Map::new();
        values.insert("shade".into(), shade.into());
        values.insert("code".into(), format!("code {at}").into());
        let (open, from) = (self.dice.below(boxes.len()), self.own.below(boxes.len()));
        values.insert("box".into(), boxes[if is_seen { open } else { from }].0.clone().into());
        for field in &self.plan.fields {
            let reads = is_seen && (field.sight == Sight::Open || (field.sight == Sight::Partly && two));
            let (both, mine) = (self.dice.below(1_000), self.own.below(1_000));
            let (no_one, none) = (self.dice.one_in(5), self.own.one_in(4));
            let (number, is_null) = if reads { (both, no_one) } else { (mine, none) };
            let value = match field.kind {
                // Texts, tags, files and what is encrypted are there in any case: each takes as many ids and random numbers.
                Kind::Text => WORDS[number % WORDS.len()].into(),
                Kind::Tags => json!([WORDS[number % WORDS.len()]]),
                Kind::Sealed => format!("pin {}", number % 5).into(),
                Kind::File => json!([self.file(if reads { both } else { mine }).await]),
                _ if is_null => Value::Null,
                Kind::Number => (number % if reads { 20 } else { 1_000 }).into(),
                Kind::Money => json!({"amount": format!("{}.50", number % 40), "currency": "EUR"}),
                Kind::Date => format!("2026-{:02}-1{}", 1 + number % 12, number % 9).into(),
                Kind::Choice => ["red", "green", "blue"][number % 3].into(),
                Kind::AnyLink => boxes[number % boxes.len()].0.clone().into(),
                Kind::Person => known.people[number % known.people.len()].clone().into(),
            };
            values.insert(field.name.clone(), value);
        }
        Value::Object(values)
    }

    async fn file(&self, number: usize) -> String {
        let path = format!("/api/v1/files?name=paper%20{number}.txt");
        let upload =
            self.app.request(Method::POST, &path).header("content-type", "application/octet-stream").text(format!("words {number}"));
        upload.send().await.expect_status(201).json()["id"].as_str().expect("an id").to_owned()
    }

    /// Answers to a survey about items: asked for as often in both, given to whichever where nobody sees it.
    async fn marks(&mut self, items: &[(String, bool)]) {
        for (id, is_seen) in items {
            let path = format!("/api/v1/records/item/{id}/surveys");
            let told = self.app.post(&path, json!({"survey": "p.liked"})).await.expect_status(201).json();
            let link = told["link"].as_str().and_then(|link| link.strip_prefix("http://localhost:8080")).expect("a link").to_owned();
            let (both, mine) = (self.dice.below(8), self.own.below(8));
            let stars = if *is_seen { both } else { mine % 6 };
            if both > 5 {
                continue;
            }
            let form = format!("_shown=stars,good&stars={}&good={}", stars.max(1), self.own.one_in(2));
            let sending = self.app.request(Method::POST, &link).anonymous().header("origin", "http://localhost:8080");
            sending.header("content-type", "application/x-www-form-urlencoded").text(form).send().await.expect_status(303);
        }
    }

    async fn consents(&mut self, known: &mut Known) {
        for purpose in ["contact", "marketing", "contact", "sharing"] {
            let source = if purpose == "contact" { "paper" } else { *self.own.of(&["paper", "phone", "email"]) };
            let consent = json!({"purpose": purpose, "source": source, "wording": format!("words {}", self.own.below(100))});
            known.consents.push(self.app.create_id("consent", consent).await);
        }
    }

    /// Items that nobody sees and that one side has in its recycle bin; one that is seen is there in both.
    async fn ghosts(&mut self, known: &Known) {
        let mut ghosts = Vec::new();
        for at in 0..2 {
            let values = json!({"shade": 8, "code": format!("ghost {at}"), "n0": self.own.below(50), "t0": "ghost"});
            ghosts.push(self.item(&values).await);
        }
        let gone = self.own.below(2);
        for (at, id) in ghosts.iter().enumerate() {
            let path = format!("/api/v1/records/item/{id}");
            if at == gone {
                self.app.delete(&path).await.expect_status(204);
            } else {
                self.app.patch(&path, json!({"n1": self.own.below(50)})).await.expect_status(200);
            }
        }
        let gone = self.dice.below(known.items.len());
        self.app.delete(&format!("/api/v1/records/item/{}", known.items[gone])).await.expect_status(204);
    }

    async fn shares(&mut self, shares: &[String], unshared: &[String], asker: &Person) {
        let until = json!("2026-11-22T08:00:00Z");
        let app = self.app;
        let share = async |path: &str, with: Value| app.post(&format!("/api/v1/records/{path}/shares"), with).await;
        for (at, path) in shares.iter().enumerate() {
            let with = match at % 3 {
                0 => json!({"person": asker.id}),
                1 => json!({"person": asker.id, "until": until}),
                _ => json!({"role": "two", "until": until}),
            };
            let answer = share(path, with).await;
            // What lies in the recycle bin is shared with nobody.
            assert!(matches!(answer.status.as_u16(), 201 | 404 | 409 | 422), "{}", answer.text());
        }
        // What others have been given, and what has ended, changes nothing where the asker may not share.
        let (with_others, over) = (json!({"role": "read_only"}), json!({"person": asker.id, "until": "2026-11-21T08:00:01Z"}));
        let with: Vec<&Value> = unshared.iter().map(|_| if self.own.one_in(2) { &with_others } else { &over }).collect();
        for (path, with) in unshared.iter().zip(with) {
            share(path, with.clone()).await;
        }
    }
}
