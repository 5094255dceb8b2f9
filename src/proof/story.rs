//! A story through the whole engine: records beforehand, what somebody does, what came of it.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Map, Value as Json};

use super::case::{Act, Case, When};
use super::compare;
use super::report::Failure;
use crate::access::{Actor, ActorKind};
use crate::automation::{Automation, ScriptJobs, run_button};
use crate::base::{EntityIx, Explain, FixedClock, IdMint, RecordId, SeededRandom};
use crate::deploy::{self, DeployError};
use crate::jobs::{JobHandler, NewJob, Runner, RunnerOptions, SCHEDULE};
use crate::query::{Deleted, GetRequest, default_select};
use crate::record::{FieldFault, Input, RecordError, Records, Source, WriteOptions};
use crate::schema::SourceFile;
use crate::schema::catalog::Catalog;
use crate::store::{Durability, OpenOptions, Store, StoreError, Target};

/// The definitions all stories of a run play on.
pub(super) struct Stage {
    files: Vec<SourceFile>,
}

/// The world of one story.
struct World {
    store: Store,
    catalog: Arc<Catalog>,
    records: Records,
    automation: Arc<Automation>,
    runner: Runner,
    clock: Arc<FixedClock>,
    actor: Actor,
    /// Records by key.
    known: HashMap<String, (EntityIx, RecordId)>,
}

/// What the act came to.
#[derive(Default)]
struct Ended {
    subject: Option<(EntityIx, RecordId)>,
    changed: Vec<String>,
    warnings: Vec<String>,
    answer: Json,
    error: Option<RecordError>,
}

impl Stage {
    pub fn new(files: &[SourceFile]) -> Result<Self, DeployError> {
        Ok(Self { files: files.to_vec() })
    }

    pub async fn run(&self, case: &Case) -> Result<(), Failure> {
        match self.play(case).await {
            Ok(faults) if faults.is_empty() => Ok(()),
            Ok(faults) => Err(case.failure(faults)),
            Err(fault) => Err(case.failure(vec![fault])),
        }
    }

    /// The expectations that were not met; an error is a fault of the case itself.
    async fn play(&self, case: &Case) -> Result<Vec<String>, String> {
        let mut world = self.build(case).await?;
        let Act::When(when) = &case.act else { return Err("the case has no `when`".to_owned()) };
        for (entity, key, values) in &case.records {
            world.prepare(entity, key, values).await?;
        }
        world.settle().await?;
        let before = world.last_change().await?;
        let ended = world.act(when).await?;
        world.settle().await?;
        let faults = world.judge(case, &ended, before).await;
        let _ = world.store.close().await;
        faults
    }

    async fn build(&self, case: &Case) -> Result<World, String> {
        let clock = Arc::new(FixedClock::at(case.now));
        let random = Arc::new(SeededRandom::new(1));
        let options = OpenOptions {
            clock: clock.clone(),
            random: random.clone(),
            durability: Durability::Relaxed,
            ..OpenOptions::new(Target::Temporary)
        };
        let store = Store::open(options).await.map_err(|error| error.to_string())?;
        let plan = deploy::plan(&store, &self.files).await.map_err(|error| error.to_string())?;
        let outcome = deploy::apply(&store, plan, &["all".to_owned()], 0).await.map_err(|error| error.to_string())?;
        let mut loaded = outcome.loaded;
        loaded.catalog.version = outcome.version;
        let catalog = Arc::new(ArcSwap::from_pointee(Catalog { blind: store.blind(), ..loaded.catalog }));
        let automation = Arc::new(Automation::new(random.clone()));
        let ids: Arc<IdMint> = store.mint().clone();
        let records = Records::new(store.clone(), catalog.clone(), automation.clone(), clock.clone(), random.clone(), ids);
        let handlers: Vec<Arc<dyn JobHandler>> = vec![Arc::new(ScriptJobs::new(automation.clone(), records.clone()))];
        let runner = Runner::new(store.clone(), catalog.clone(), handlers, clock.clone(), random, RunnerOptions::default());
        let catalog = catalog.load_full();
        let mut world = World { store, catalog, records, automation, runner, clock, actor: Actor::system(), known: HashMap::new() };
        world.sign_in().await?;
        Ok(world)
    }
}

impl World {
    /// The user `$me`, on whose behalf everything is done.
    async fn sign_in(&mut self) -> Result<(), String> {
        if self.catalog.find_entity("core.user").is_some() {
            self.prepare("user", "me", &serde_json::json!({"name": "Test", "email": "test@example.com", "active": true})).await?;
            if let Some((_, id)) = self.known.get("me") {
                self.actor = Actor::person(ActorKind::Person, *id, self.catalog.settings.locale, self.catalog.settings.time_zone.clone());
            }
        }
        Ok(())
    }

    fn id_text(&self, key: &str) -> Option<String> {
        let (entity, id) = self.known.get(key)?;
        Some(id.display(&self.catalog.entity(*entity).prefix))
    }

    fn filled(&self, json: &Json) -> Json {
        compare::with_ids(json, &|key| self.id_text(key))
    }

    fn entity(&self, name: &str) -> Result<EntityIx, String> {
        self.catalog.find_entity(name).map(|entity| entity.ix).ok_or_else(|| format!("there is no entity `{name}`"))
    }

    fn record(&self, name: &str) -> Result<(EntityIx, RecordId), String> {
        let key = name.strip_prefix('$').unwrap_or(name);
        self.known.get(key).copied().ok_or_else(|| format!("no record of the case is called `{name}`"))
    }

    fn input(&self, entity: EntityIx, values: &Json) -> Result<Input, RecordError> {
        Input::from_json(&self.catalog, self.catalog.entity(entity), &self.filled(values)).map_err(RecordError::Invalid)
    }

    async fn prepare(&mut self, entity: &str, key: &str, values: &Json) -> Result<(), String> {
        let ix = self.entity(entity)?;
        let told = |error: &RecordError| format!("`{key}` of `records` cannot be made: {}", told(error));
        let input = self.input(ix, values).map_err(|error| told(&error))?;
        // People are made by administrators; the case's own person is none.
        let makes_people = self.catalog.entity(ix).id == "core.user";
        let maker = if makes_people { Actor::system() } else { self.actor.clone() };
        let options = client();
        let saved = self.records.create(&maker, &self.catalog, ix, input, options).await.map_err(|error| told(&error))?;
        self.known.insert(key.to_owned(), (ix, saved.id));
        // One second a record, so that "the newest" has a meaning.
        self.clock.advance_ms(1_000);
        Ok(())
    }

    /// Runs all jobs that are due; one that fails is a fault of the case.
    async fn settle(&self) -> Result<(), String> {
        self.runner.run_until_idle().await.map_err(|error| error.to_string())?;
        for state in ["ready", "dead"] {
            let left = crate::store::jobs::list(&self.store, state, 10).await.map_err(|error| error.to_string())?;
            if let Some(job) = left.iter().find(|job| job.last_error.is_some()) {
                return Err(format!("a job failed: {}", job.last_error.clone().unwrap_or_default()));
            }
        }
        Ok(())
    }

    async fn last_change(&self) -> Result<i64, String> {
        crate::store::outbox::last_seq(&self.store).await.map_err(|error| error.to_string())
    }

    async fn act(&mut self, when: &When) -> Result<Ended, String> {
        let mut ended = Ended::default();
        let options = client();
        let result = match when {
            When::Create { entity, values } => {
                let ix = self.entity(entity)?;
                match self.input(ix, values) {
                    Ok(input) => self.records.create(&self.actor, &self.catalog, ix, input, options).await.map(|saved| (ix, saved)),
                    Err(error) => Err(error),
                }
            }
            When::Update { record, values } => {
                let (ix, id) = self.record(record)?;
                ended.subject = Some((ix, id));
                match self.input(ix, values) {
                    Ok(input) => self.records.update(&self.actor, &self.catalog, ix, id, input, options).await.map(|saved| (ix, saved)),
                    Err(error) => Err(error),
                }
            }
            When::Delete { record } => {
                let (ix, id) = self.record(record)?;
                ended.subject = Some((ix, id));
                self.records.delete(&self.actor, &self.catalog, ix, id, options).await.map(|saved| (ix, saved))
            }
            When::Button { button, record, payload } => {
                let (ix, id) = self.record(record)?;
                ended.subject = Some((ix, id));
                let payload = self.filled(payload);
                match run_button(&self.automation, &self.records, &self.actor, ix, id, button, payload).await {
                    Ok(answer) => {
                        ended.answer = answer.answer;
                        ended.warnings = answer.warnings;
                    }
                    Err(error) => ended.error = Some(error),
                }
                return Ok(ended);
            }
            When::Schedule { script, after_s } => {
                self.schedule(script, *after_s).await?;
                return Ok(ended);
            }
        };
        match result {
            Ok((ix, saved)) => {
                ended.subject = Some((ix, saved.id));
                ended.changed = saved
                    .changed
                    .iter()
                    .map(|field| self.catalog.entity(ix).field(*field))
                    .filter(|field| !field.is_system || field.name == "owner")
                    .map(|field| field.name.clone())
                    .collect();
                ended.warnings = saved.warnings;
            }
            Err(error) => ended.error = Some(error),
        }
        Ok(ended)
    }

    /// Queues a schedule's script as if its time had come.
    async fn schedule(&self, name: &str, after_s: i64) -> Result<(), String> {
        let script = self.catalog.scripts.iter().find(|script| script.id == name).ok_or_else(|| format!("there is no script `{name}`"))?;
        self.clock.advance_ms(after_s * 1_000);
        let payload = serde_json::json!({"script": script.id, "uid": script.uid, "due": 0});
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let job = NewJob::new(SCHEDULE, payload, tx.now());
                    crate::jobs::enqueue(tx, &job).await?;
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .map_err(|error| error.to_string())
    }

    async fn read(&self, entity: EntityIx, id: RecordId) -> Result<Option<Json>, String> {
        let request = GetRequest { entity, id, select: default_select(self.catalog.entity(entity)), deleted: Deleted::Live };
        match self.records.get(&Actor::system(), &self.catalog, request).await {
            Ok(Some(row)) => {
                let mut text = String::new();
                row.write_json(&mut text);
                serde_json::from_str(&text).map(Some).map_err(|error| error.to_string())
            }
            Ok(None) => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    async fn judge(&self, case: &Case, ended: &Ended, before: i64) -> Result<Vec<String>, String> {
        let mut faults = Vec::new();
        let expect = &case.expect;
        self.judge_error(expect, ended, &mut faults);
        if let Some(wanted) = expect.get("warn") {
            compare::warnings(wanted, &ended.warnings, &mut faults);
        }
        if let Some(wanted) = expect.get("changed") {
            compare::changed(wanted, &ended.changed, &mut faults);
        }
        if let Some(wanted) = expect.get("answer") {
            compare::differences("answer", &self.filled(wanted), &ended.answer, &mut faults);
        }
        if let (Some(wanted), Some((entity, id))) = (expect.get("values"), ended.subject) {
            match self.read(entity, id).await? {
                Some(actual) => compare::differences("values", &self.filled(wanted), &actual, &mut faults),
                None => faults.push("values: the record is not there".to_owned()),
            }
        }
        for other in expect.get("records").and_then(Json::as_array).into_iter().flatten() {
            let name = other.get("record").and_then(Json::as_str).unwrap_or_default();
            let (entity, id) = self.record(name)?;
            let wanted = other.get("values").cloned().unwrap_or_else(|| Json::Object(Map::new()));
            match self.read(entity, id).await? {
                Some(actual) => compare::differences(name, &self.filled(&wanted), &actual, &mut faults),
                None => faults.push(format!("{name}: the record is not there")),
            }
        }
        for name in expect.get("deleted").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            let (entity, id) = self.record(name)?;
            if self.read(entity, id).await?.is_some() {
                faults.push(format!("deleted: {name} is still there"));
            }
        }
        if let Some(wanted) = expect.get("created") {
            self.judge_created(wanted, ended, before, &mut faults).await?;
        }
        Ok(faults)
    }

    fn judge_error(&self, expect: &Map<String, Json>, ended: &Ended, faults: &mut Vec<String>) {
        match (&ended.error, expect.get("reject"), expect.get("error")) {
            (Some(error), Some(wanted), _) => {
                let rejects: Vec<_> =
                    error.faults().iter().map(|fault| (field_of(fault), fault.code.clone(), fault.message.clone())).collect();
                if rejects.is_empty() {
                    faults.push(told(error));
                }
                compare::rejects(wanted, &rejects, faults);
            }
            (Some(error), None, Some(wanted)) => {
                let part = wanted.as_str().unwrap_or_default();
                if error.code() != part && !told(error).contains(part) {
                    faults.push(format!("error: expected {wanted}, got {}", told(error)));
                }
            }
            (Some(error), None, None) => faults.push(told(error)),
            (None, Some(wanted), _) if wanted.as_array().is_none_or(|list| !list.is_empty()) => {
                faults.push(format!("reject: expected {wanted}, but it was done"))
            }
            (None, _, Some(wanted)) => faults.push(format!("error: expected {wanted}, but it was done")),
            (None, _, None) => {}
        }
    }

    /// Records made meanwhile, without the one a create makes itself.
    async fn judge_created(&self, wanted: &Json, ended: &Ended, before: i64, faults: &mut Vec<String>) -> Result<(), String> {
        let page = self.records.changes(&Actor::system(), Some(before), 500).await.map_err(|error| told(&error))?;
        let mut made = Vec::new();
        for event in page.events.iter().filter(|event| event.kind == "create" && Some((event.entity, event.id)) != ended.subject) {
            let json = self.read(event.entity, event.id).await?.unwrap_or(Json::Null);
            made.push((self.catalog.entity(event.entity).slug.clone(), json, false));
        }
        let list = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
        for one in list {
            let Some((entity, values)) = one.as_object().and_then(|map| map.iter().next()) else { continue };
            let values = self.filled(values);
            let slug = entity.rsplit('.').next().unwrap_or(entity);
            match made.iter_mut().find(|(made, json, is_taken)| !is_taken && made == slug && compare::fits(&values, json)) {
                Some(found) => found.2 = true,
                None => {
                    let closest = made
                        .iter()
                        .find(|(made, ..)| made == slug)
                        .map_or_else(|| "none was made".to_owned(), |(_, json, _)| format!("made was {json}"));
                    faults.push(format!("created: expected {entity} {values}; {closest}"));
                }
            }
        }
        for (entity, json, is_taken) in &made {
            if !is_taken && made.len() > list.len() {
                faults.push(format!("created: {entity} was not expected: {json}"));
            }
        }
        Ok(())
    }
}

/// The field a fault stands at, by its name.
fn field_of(fault: &FieldFault) -> String {
    fault.path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned()
}

fn told(error: &RecordError) -> String {
    match error {
        RecordError::Hook { script, file, line: Some(line), message } => format!("script `{script}` failed at {file}:{line}: {message}"),
        RecordError::Invalid(faults) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        other => format!("{other} [{}]", other.code()),
    }
}

/// How the person of a case saves: a client that says yes to what is only asked.
fn client() -> WriteOptions {
    WriteOptions { allow_duplicates: true, ..WriteOptions::from(Source::Api) }
}
