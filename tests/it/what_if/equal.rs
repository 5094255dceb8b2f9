//! What-if says what really comes: of two equal workspaces one has the automations while things happen, the other is asked
//! afterwards. `tests/run long whatif` does it with 200 automations and 10,000 events.

use std::collections::BTreeMap;
use std::sync::Arc;

use relata::access::Actor;
use relata::base::{DateTime, RecordId};
use relata::outbound::mail::{MailOptions, Security};
use relata::outbound::{Allow, HttpAnswer, Recorder};
use relata::proof::what_if::{Answer, Question, what_if};
use relata::record::past::Happened;
use relata::record::{EventKind, Input, Records, Source, WriteOptions};
use relata::schema::field_type;
use relata::store::{jobs, schedules};
use serde_json::{Value, json};

use super::generated::{Deed, Event, automations, definitions, events};
use crate::support::TestApp;
use crate::support::smtp::{MailServer, PASSWORD, USER};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// Records that are there before.
const THERE: usize = 20;
const FILE: &str = "definitions/shop/automations.yaml";

struct Site {
    app: TestApp,
    server: MailServer,
    recorder: Arc<Recorder>,
    people: Vec<Actor>,
    accounts: Vec<RecordId>,
    deals: Vec<RecordId>,
    begin: DateTime,
    end: DateTime,
}

impl Site {
    /// One in which things will happen for so many days.
    async fn new(days: u32, with_clocks: bool) -> Self {
        let server = MailServer::listen(false).await;
        let answer = |_: &_| Ok(HttpAnswer { status: 200, headers: Vec::new(), body: Vec::new() });
        let recorder = Arc::new(Recorder::new(answer));
        let mail = MailOptions {
            host: "127.0.0.1".to_owned(),
            port: server.port,
            security: Security::Plain,
            credentials: Some((USER.to_owned(), PASSWORD.to_owned())),
            from: "crm@example.com".to_owned(),
            reply_to: None,
            per_minute: 1_000_000,
        };
        let files = definitions(with_clocks);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let http = recorder.clone();
        let app = TestApp::with_options(&files, |options| {
            options.egress.allow = vec![Allow::parse(&format!("127.0.0.1:{}", server.port)).expect("an exception")];
            options.mail = Some(mail);
            options.http = Some(http);
        })
        .await;
        let mut people = Vec::new();
        for (number, role) in ["rep", "rep", "writer", "narrow"].into_iter().enumerate() {
            let person = json!({ "name": format!("P{number}"), "email": format!("p{number}@example.com"), "roles": [role] });
            let id = app.create_id("user", person).await;
            let (_, id) = RecordId::parse(&id).expect("an id");
            people.push(app.workspace.records.actor_of(id).await.expect("read").expect("active"));
        }
        app.post("/api/v1/webhooks", json!({ "name": "billing", "url": "https://example.com/hook", "events": [] }))
            .await
            .expect_status(201);
        let begin = app.workspace.clock.now();
        let mut site = Self { app, server, recorder, people, accounts: Vec::new(), deals: Vec::new(), begin, end: begin };
        for number in 1..=THERE {
            // The time of the first ones is over before, that of the last ones afterwards.
            if number == THERE / 2 {
                site.idle().await;
                site.app.clock.advance_ms(DAY_MS);
            }
            let account = json!({ "name": format!("A{number}"), "email": format!("a{number}@example.com"), "size": 0 });
            site.act(0, &Deed::Account(account)).await;
            site.act(number % 3, &Deed::Deal(number - 1, json!({ "name": format!("D{number}") }))).await;
        }
        // What the clock brings belongs to the time before or to the time after, and not to the moment between them.
        for _ in 0..2 {
            site.idle().await;
            site.app.clock.advance_ms(HOUR_MS);
        }
        assert_eq!(site.idle().await, usize::from(with_clocks), "one look, and nothing is found");
        site.begin = site.app.workspace.clock.now();
        site.end = DateTime(site.begin.0 + i64::from(days) * DAY_MS * 1_000);
        site
    }

    fn records(&self) -> &Records {
        &self.app.workspace.records
    }

    async fn idle(&self) -> usize {
        self.app.workspace.runner.run_until_idle().await.expect("jobs run")
    }

    /// What a server does while time passes: each thing when it is due.
    async fn pass_until(&self, moment: DateTime) {
        let store = &self.app.workspace.store;
        loop {
            let planned = schedules::list(store).await.expect("read").into_iter().map(|schedule| schedule.next_at);
            let ready = jobs::next_due(store).await.expect("read");
            let Some(due) = planned.chain(ready).min().filter(|due| *due <= moment) else { break };
            let is_late = due <= self.app.workspace.clock.now();
            if !is_late {
                self.app.clock.set(due);
            }
            if self.idle().await == 0 && is_late {
                break;
            }
        }
        self.app.clock.set(moment);
    }

    /// Somebody does something; what is refused is refused.
    async fn act(&mut self, by: usize, deed: &Deed) {
        let catalog = self.records().catalog();
        let (deal, account) = (catalog.find_entity("deal").expect("deals"), catalog.find_entity("account").expect("accounts"));
        let actor = self.people[by].clone();
        let options = WriteOptions::from(Source::Api);
        let input = |entity, values: &Value| Input::from_json(&catalog, entity, values).expect("an input");
        match deed {
            Deed::Account(values) => {
                let made = self.records().create(&actor, &catalog, account.ix, input(account, values), options).await.expect("made");
                self.accounts.push(made.id);
            }
            Deed::ChangeAccount(at, values) => {
                let _ = self.records().update(&actor, &catalog, account.ix, self.accounts[*at], input(account, values), options).await;
            }
            Deed::Deal(at, values) => {
                let mut values = values.clone();
                let number = i64::try_from(self.deals.len()).expect("small");
                let after = |hours: i64| DateTime(self.app.workspace.clock.now().0 + hours * 3_600_000_000).to_string();
                values["account"] = self.accounts[*at].display(&account.prefix).into();
                values["close_on"] = after(24 * (1 + number % 4))[..10].into();
                values["due_at"] = after(if self.deals.len() < THERE { 24 + number } else { 1 + number % 10 }).into();
                let made = self.records().create(&actor, &catalog, deal.ix, input(deal, &values), options).await.expect("made");
                self.deals.push(made.id);
            }
            Deed::Change(at, values) => {
                let _ = self.records().update(&actor, &catalog, deal.ix, self.deals[*at], input(deal, values), options).await;
            }
            Deed::Delete(at) => {
                let _ = self.records().delete(&actor, &catalog, deal.ix, self.deals[*at], options).await;
            }
        }
    }

    async fn play(&mut self, events: &[Event]) {
        let mut now = self.begin;
        for (after_ms, by, deed) in events {
            now = DateTime(now.0 + after_ms * 1_000);
            self.pass_until(now).await;
            self.act(*by, deed).await;
            self.pass_until(now).await;
        }
        assert!(now < self.end, "the events fit into the days");
        self.pass_until(self.end).await;
    }

    async fn apply(&self, automations: &str) {
        let mut files = relata::deploy::read(&self.app.workspace.folders).expect("the files are readable");
        files.push(relata::schema::SourceFile::new(FILE, automations));
        self.app.workspace.apply(&files, None, &[], 0).await.expect("applies");
        // Schedules begin to count.
        self.idle().await;
    }
}

/// What was changed, counted, without ids: a record goes by its name, one that was made by its first values.
type Changes = BTreeMap<String, u64>;

/// What automations changed in a workspace.
async fn changed(records: &Records) -> Changes {
    let catalog = records.catalog();
    let mut all: Vec<Happened> = Vec::new();
    let mut after = 0;
    while let (events, Some(last)) = records.happened(after, 500).await.expect("read") {
        all.extend(events);
        after = last;
    }
    let shown = |event: &Happened, names: &BTreeMap<String, String>| {
        let entity = catalog.entity(event.entity);
        let mut changes: Vec<String> = Vec::new();
        for change in event.told.iter().flat_map(|told| &told.changes) {
            let field = entity.field(change.field);
            let text = |value| {
                let text = field_type::to_json(&catalog, field, value).to_string();
                let name = names.get(text.trim_matches('"'));
                name.cloned().unwrap_or(text)
            };
            changes.push(format!("{}: {} -> {}", field.name, text(&change.old), text(&change.new)));
        }
        changes.sort_unstable();
        changes.join(", ")
    };
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut found = Changes::new();
    for event in &all {
        let entity = catalog.entity(event.entity);
        let id = event.id.display(&entity.prefix);
        if event.kind == EventKind::Create {
            let name = shown(event, &names);
            names.insert(id.clone(), format!("<{} {name}>", entity.slug));
        }
        if event.chain.iter().any(|(handler, ..)| handler.starts_with("shop.a")) {
            let name = names.get(&id).cloned().unwrap_or(id);
            let line = format!("{} {name} {}", event.kind.as_str(), shown(event, &names));
            *found.entry(line).or_default() += 1;
        }
    }
    found
}

/// The same of an answer: of what was there before it, names are those of the live workspace.
fn told(answer: &Answer, names: &BTreeMap<String, String>) -> Changes {
    let mut names = names.clone();
    let mut found = Changes::new();
    // The fields of one change stand together.
    let mut at = 0;
    while at < answer.effects.len() {
        let first = &answer.effects[at];
        let mut end = at + 1;
        while answer.effects.get(end).is_some_and(|next| (&next.record, next.version) == (&first.record, first.version)) {
            end += 1;
        }
        let text = |value: &Value, names: &BTreeMap<String, String>| {
            let text = value.to_string();
            names.get(text.trim_matches('"')).cloned().unwrap_or(text)
        };
        let mut changes: Vec<String> = answer.effects[at..end]
            .iter()
            .filter_map(|one| Some(format!("{}: {} -> {}", one.field.as_ref()?, text(&one.before, &names), text(&one.after, &names))))
            .collect();
        changes.sort_unstable();
        let changes = changes.join(", ");
        if first.kind == "create" {
            names.insert(first.record.clone(), format!("<{} {changes}>", first.entity));
        }
        let name = names.get(&first.record).cloned().unwrap_or_else(|| first.record.clone());
        *found.entry(format!("{} {name} {changes}", first.kind)).or_default() += 1;
        at = end;
    }
    found
}

/// What the records of a workspace are called.
async fn names(records: &Records) -> BTreeMap<String, String> {
    let catalog = records.catalog();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut after = 0;
    while let (events, Some(last)) = records.happened(after, 500).await.expect("read") {
        after = last;
        for event in events.iter().filter(|event| event.kind == EventKind::Create) {
            let entity = catalog.entity(event.entity);
            let mut changes: Vec<String> = Vec::new();
            for change in event.told.iter().flat_map(|told| &told.changes) {
                let field = entity.field(change.field);
                let text = |value| {
                    let text = field_type::to_json(&catalog, field, value).to_string();
                    names.get(text.trim_matches('"')).cloned().unwrap_or(text)
                };
                changes.push(format!("{}: {} -> {}", field.name, text(&change.old), text(&change.new)));
            }
            changes.sort_unstable();
            names.insert(event.id.display(&entity.prefix), format!("<{} {}>", entity.slug, changes.join(", ")));
        }
    }
    names
}

fn number(name: &str, short: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the environment chooses between the short and the long form")]
    let given = std::env::var(name);
    given.ok().and_then(|text| text.parse().ok()).unwrap_or(short)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_if_says_what_really_comes() {
    let (how_many, happen) = (number("RELATA_WHATIF_AUTOMATIONS", 36), number("RELATA_WHATIF_EVENTS", 120));
    let seed = number("RELATA_WHATIF_SEED", 1);
    let is_long = happen > 1_000;
    let days = if is_long { 2 } else { 1 };
    let automations = automations(how_many, seed, is_long);
    let mut really = Site::new(days, is_long).await;
    let events = events(usize::try_from(happen).expect("small"), really.people.len(), THERE, seed);
    really.apply(&automations).await;
    really.play(&events).await;
    let mut asked = Site::new(days, is_long).await;
    assert_eq!(asked.begin, really.begin);
    asked.play(&events).await;
    let _ = (asked.server.take(), asked.recorder.seen());

    let question = Question {
        definition: Some(("automations.yaml".to_owned(), automations)),
        lines: usize::MAX,
        most_events: 1_000_000,
        ..Question::of(days)
    };
    let answer = what_if(asked.records(), &asked.app.workspace.automation, &question).await.expect("an answer");
    assert!(answer.why_shorter.is_none() && answer.from == asked.begin, "{:?}", answer.why_shorter);

    // Who is what.
    let names = names(asked.records()).await;
    let (told, came) = (told(&answer, &names), changed(really.records()).await);
    let lacking: Vec<_> = came.iter().filter(|(line, count)| told.get(*line) != Some(count)).collect();
    let more: Vec<_> = told.iter().filter(|(line, count)| came.get(*line) != Some(count)).collect();
    let few =
        |lines: &[(&String, &u64)]| lines.iter().take(8).map(|(line, count)| format!("{count} × {line}")).collect::<Vec<_>>().join("\n");
    assert!(
        lacking.is_empty() && more.is_empty(),
        "{} changes came that were not told:\n{}\n{} were told that did not come:\n{}\npassed over: {:#?}",
        lacking.len(),
        few(&lacking),
        more.len(),
        few(&more),
        answer.passed_over
    );
    assert!(came.len() as u64 > happen / 4, "{} changes", came.len());

    // What left, at the servers that got it.
    let letters = really.server.take().len() as u64;
    assert_eq!(answer.mails_in_all(), letters, "e-mails");
    let messages = really.recorder.seen().len() as u64;
    assert_eq!(answer.messages_in_all(), messages, "messages");
    let bell = relata::store::notifications::counts(&really.app.workspace.store).await.expect("read");
    let bell: u64 = bell.iter().filter(|(source, _)| source.starts_with("shop.a")).map(|(_, count)| count).sum();
    assert_eq!(answer.notifications_in_all(), bell, "notifications");
    assert!(letters > 0 && messages > 0 && bell > 0, "{letters} e-mails, {messages} messages, {bell} notifications");

    println!(
        "{how_many} automations, {} events: {} runs, {} fields changed, {letters} e-mails, {messages} messages, {bell} notifications; asked in {} ms",
        answer.events, answer.fired, answer.effects_in_all, answer.took_ms
    );

    // How the runs ended.
    let mut ended: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (name, state, count) in relata::store::runs::counts(&really.app.workspace.store).await.expect("read") {
        *ended.entry((name, state)).or_default() += u64::try_from(count).expect("positive");
    }
    let tried = answer.automations.iter().flat_map(|one| one.states.iter().map(|(state, count)| ((one.id.clone(), state.clone()), *count)));
    let tried: BTreeMap<_, _> = tried.collect();
    let other: Vec<_> = tried.keys().chain(ended.keys()).filter(|run| tried.get(*run) != ended.get(*run)).collect();
    let other: BTreeMap<_, _> = other.into_iter().map(|run| (run, (tried.get(run), ended.get(run)))).collect();
    assert!(other.is_empty(), "runs that ended otherwise, asked and really: {other:?}");

    // Nothing left the workspace that was asked, and nothing was written there.
    assert!(asked.server.take().is_empty() && asked.recorder.seen().is_empty());
    assert!(changed(asked.records()).await.is_empty());
    assert!(relata::store::runs::counts(&asked.app.workspace.store).await.expect("read").is_empty());
}
