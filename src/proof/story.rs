//! A story through the whole engine: records beforehand, what somebody does, what came of it.

mod judge;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::Value as Json;
use tokio::sync::Mutex;

use super::case::{Act, Case, Deed, What};
use super::compare;
use super::hours::Hours;
use super::report::Failure;
use crate::access::{Actor, ActorKind};
use crate::automation::{Automation, Post, ScriptJobs, run_button};
use crate::base::{DateTime, EntityIx, Explain, FieldIx, FixedClock, IdMint, RecordId, SeededRandom};
use crate::deploy;
use crate::jobs::{JobHandler, NewJob, Runner, RunnerOptions, SCHEDULE};
use crate::query::{Deleted, GetRequest, default_select, parse_list_json};
use crate::record::{Ask, Asked, Decision, FileClaim, Input, RecordError, Records, Saved, Source, WriteOptions, survey_token};
use crate::schema::SourceFile;
use crate::schema::catalog::{Catalog, Survey};
use crate::store::{Durability, OpenOptions, Store, StoreError, Target, approvals, mails, registrations};

/// The definitions all stories of a run play on. They are applied once for each moment at which stories begin; a story gets a copy.
pub(super) struct Stage {
    files: Vec<SourceFile>,
    grounds: Mutex<HashMap<DateTime, Arc<Ground>>>,
}

/// An empty workspace in which the definitions were applied just now.
struct Ground {
    store: Store,
    catalog: Arc<Catalog>,
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

/// What was there before the last act.
#[derive(Clone, Copy)]
struct SoFar {
    change: i64,
    mail: i64,
}

/// What the act came to.
#[derive(Default)]
struct Ended {
    subject: Option<(EntityIx, RecordId)>,
    changed: Vec<String>,
    warnings: Vec<String>,
    answer: Json,
    /// What the reader saw.
    seen: Option<Json>,
    found: Vec<RecordId>,
    error: Option<RecordError>,
}

impl Stage {
    pub fn new(files: &[SourceFile]) -> Self {
        Self { files: files.to_vec(), grounds: Mutex::new(HashMap::new()) }
    }

    pub async fn close(&self) {
        for (_, ground) in self.grounds.lock().await.drain() {
            let _ = ground.store.close().await;
        }
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
        let Act::Story(deeds) = &case.act else { return Err("the case has no `when`".to_owned()) };
        for (entity, key, values) in &case.records {
            world.prepare(entity, key, values).await?;
        }
        world.settle().await?;
        let mut before = world.so_far().await?;
        let mut ended = Ended::default();
        for (at, deed) in deeds.iter().enumerate() {
            world.settle().await?;
            if let Some(error) = &ended.error {
                return Err(format!("step {at} of `when` was refused: {}", told(error)));
            }
            before = world.so_far().await?;
            // Where time passes, it is about the record before.
            let subject = ended.subject;
            ended = world.act(deed).await?;
            ended.subject = ended.subject.or(subject.filter(|_| matches!(deed.what, What::Wait)));
        }
        world.settle().await?;
        let faults = world.judge(case, &ended, before).await;
        let _ = world.store.close().await;
        faults
    }

    async fn ground(&self, now: DateTime) -> Result<Arc<Ground>, String> {
        let mut grounds = self.grounds.lock().await;
        if let Some(ground) = grounds.get(&now) {
            return Ok(Arc::clone(ground));
        }
        // A second before the story, so that ids differ.
        let clock = FixedClock::at(now);
        clock.advance_ms(-1_000);
        let store = Store::open(options(Target::Temporary, &Arc::new(clock))).await.map_err(|error| error.to_string())?;
        let plan = deploy::plan(&store, &self.files).await.map_err(|error| error.to_string())?;
        let outcome = deploy::apply(&store, plan, &["all".to_owned()], 0).await.map_err(|error| error.to_string())?;
        let catalog = Catalog { blind: store.blind(), version: outcome.version, ..outcome.loaded.catalog };
        let ground = Arc::new(Ground { store, catalog: Arc::new(catalog) });
        grounds.insert(now, Arc::clone(&ground));
        Ok(ground)
    }

    async fn build(&self, case: &Case) -> Result<World, String> {
        let ground = self.ground(case.now).await?;
        let clock = Arc::new(FixedClock::at(case.now));
        let of = ground.store.data_folder().ok_or("the workspace of the cases is gone")?.to_owned();
        let options = options(Target::TemporaryCopy { of }, &clock);
        let random = options.random.clone();
        let store = Store::open(options).await.map_err(|error| error.to_string())?;
        let catalog = Arc::new(ArcSwap::new(Arc::clone(&ground.catalog)));
        let automation = Arc::new(Automation::new(random.clone()).with_post(Post::kept("test.example")));
        let ids: Arc<IdMint> = store.mint().clone();
        let records = Records::new(store.clone(), catalog.clone(), automation.clone(), clock.clone(), random.clone(), ids);
        let handlers: Vec<Arc<dyn JobHandler>> =
            vec![Arc::new(ScriptJobs::new(automation.clone(), records.clone())), Arc::new(Hours { records: records.clone() })];
        let runner = Runner::new(store.clone(), catalog.clone(), handlers, clock.clone(), random, RunnerOptions::default());
        let catalog = catalog.load_full();
        let mut world = World { store, catalog, records, automation, runner, clock, actor: Actor::system(), known: HashMap::new() };
        world.sign_in().await?;
        Ok(world)
    }
}

/// Time stands still and randomness repeats itself.
fn options(target: Target, clock: &Arc<FixedClock>) -> OpenOptions {
    OpenOptions {
        clock: clock.clone(),
        random: Arc::new(SeededRandom::new(1)),
        durability: Durability::Relaxed,
        ..OpenOptions::new(target)
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

    fn input(&self, actor: &Actor, entity: EntityIx, values: &Json) -> Result<Input, RecordError> {
        let catalog = actor.sees(&self.catalog);
        Input::from_json(&catalog, catalog.entity(entity), &self.filled(values)).map_err(RecordError::Invalid)
    }

    async fn prepare(&mut self, entity: &str, key: &str, values: &Json) -> Result<(), String> {
        let ix = self.entity(entity)?;
        let told = |error: &RecordError| format!("`{key}` of `records` cannot be made: {}", told(error));
        let input = self.input(&Actor::system(), ix, values).map_err(|error| told(&error))?;
        // People are made by administrators; the case's own person is none.
        let makes_people = matches!(self.catalog.entity(ix).id.as_str(), "core.user" | "core.team");
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

    async fn so_far(&self) -> Result<SoFar, String> {
        let change = crate::store::outbox::last_seq(&self.store).await.map_err(|error| error.to_string())?;
        let newest = mails::list(&self.store, None, i64::MAX, 1).await.map_err(|error| error.to_string())?;
        Ok(SoFar { change, mail: newest.first().map_or(0, |mail| mail.id) })
    }

    /// The person of the case, or another one with their roles.
    async fn actor(&self, by: Option<&str>) -> Result<Actor, String> {
        let Some(by) = by else { return Ok(self.actor.clone()) };
        let (_, id) = self.record(by)?;
        let found = self.records.actor_of(id).await.map_err(|error| told(&error))?;
        let actor = found.ok_or_else(|| format!("`as: {by}` is nobody who may sign in"))?;
        Ok(Actor { kind: ActorKind::Person, ..actor })
    }

    async fn act(&mut self, deed: &Deed) -> Result<Ended, String> {
        if deed.after_s > 0 {
            self.clock.advance_ms(deed.after_s * 1_000);
            self.records.look_after_claims().await.map_err(|error| told(&error))?;
            if !matches!(deed.what, What::Schedule { .. }) {
                self.settle().await?;
            }
        }
        let actor = self.actor(deed.by.as_deref()).await?;
        let mut ended = Ended::default();
        if let Err(error) = self.attempt(&actor, deed, &mut ended).await? {
            ended.error = Some(error);
        }
        Ok(ended)
    }

    /// An error outside is a fault of the case, one inside what the act came to.
    async fn attempt(&mut self, actor: &Actor, deed: &Deed, ended: &mut Ended) -> Result<Result<(), RecordError>, String> {
        let what = &deed.what;
        let mut options = WriteOptions { allow_duplicates: !deed.asks, ..client() };
        let saved = match what {
            What::Create { entity, values, key } => {
                let ix = self.entity(entity)?;
                let made = match self.input(actor, ix, values) {
                    Ok(input) => self.records.create(actor, &self.catalog, ix, input, options).await,
                    Err(error) => Err(error),
                };
                made.inspect(|saved| {
                    ended.subject = Some((ix, saved.id));
                    if let Some(key) = key {
                        self.known.insert(key.clone(), (ix, saved.id));
                    }
                })
            }
            What::Update { record, values, reason } => {
                let (ix, id) = self.subject(record, ended)?;
                options.override_reason.clone_from(reason);
                match self.input(actor, ix, values) {
                    Ok(input) => self.records.update(actor, &self.catalog, ix, id, input, options).await,
                    Err(error) => Err(error),
                }
            }
            What::Delete { record } => {
                let (ix, id) = self.subject(record, ended)?;
                self.records.delete(actor, &self.catalog, ix, id, options).await
            }
            What::Button { button, record, payload } => {
                let (ix, id) = self.subject(record, ended)?;
                let payload = self.filled(payload);
                let answer = run_button(&self.automation, &self.records, actor, ix, id, button, payload).await;
                return Ok(answer.map(|answer| {
                    ended.answer = answer.answer;
                    ended.warnings = answer.warnings;
                }));
            }
            What::Schedule { script } => return self.schedule(script).await.map(Ok),
            What::Read { record } => {
                let (ix, id) = self.subject(record, ended)?;
                return Ok(self.seen(actor, ix, id).await.map(|seen| ended.seen = Some(seen)));
            }
            What::List { entity, filter } => {
                let ix = self.entity(entity)?;
                return Ok(self.listed(actor, ix, filter.as_deref()).await.map(|found| ended.found = found));
            }
            What::Ask { .. } | What::Decide { .. } | What::Withdraw { .. } => return self.approve(actor, what, ended).await,
            What::Register { registration, record, comment } => {
                let (ix, id) = self.subject(record, ended)?;
                let new = FileClaim { registration: registration.clone(), comment: comment.clone() };
                return Ok(self.records.file_claim(actor, &self.catalog, ix, id, new, Source::Api).await.map(|_| ()));
            }
            What::Arbitrate { grants, registration, record, comment } => {
                let (_, id) = self.subject(record, ended)?;
                let claim = self.newest_claim(registration, record, id).await?;
                return Ok(self.records.decide_claim(actor, claim, *grants, comment, Source::Api).await);
            }
            What::Invite { survey, record, key } => {
                let (ix, id) = self.subject(record, ended)?;
                let known = self.survey(survey, record, ix)?;
                let invited = self.records.invite_about(actor, &known.id, id, Source::Api).await;
                if let (Some(key), Ok(invited)) = (key, &invited) {
                    self.known.insert(key.clone(), (known.answers, invited.answer));
                }
                return Ok(invited.map(|_| ()));
            }
            What::Answer { survey, record, values, key } => {
                let answered = self.answer(survey, record, values, ended).await?;
                if let (Some(key), Some(subject)) = (key, ended.subject) {
                    self.known.insert(key.clone(), subject);
                }
                answered
            }
            What::Wait => return Ok(Ok(())),
        };
        Ok(saved.map(|saved| {
            if let Some((ix, _)) = ended.subject {
                let entity = self.catalog.entity(ix);
                let fields = saved.changed.iter().map(|field| entity.field(*field));
                ended.changed = fields.filter(|field| !field.is_system || field.name == "owner").map(|field| field.name.clone()).collect();
            }
            ended.warnings = saved.warnings;
        }))
    }

    fn subject(&self, record: &str, ended: &mut Ended) -> Result<(EntityIx, RecordId), String> {
        let found = self.record(record)?;
        ended.subject = Some(found);
        Ok(found)
    }

    /// Asks for an approval, decides it, or takes it back.
    async fn approve(&self, actor: &Actor, what: &What, ended: &mut Ended) -> Result<Result<(), RecordError>, String> {
        let source = Source::Api;
        if let What::Ask { approval, record, comment } = what {
            let (ix, id) = self.subject(record, ended)?;
            let ask = Ask { approval: approval.clone(), comment: comment.clone(), run: None };
            return Ok(self.records.ask_approval(actor, &self.catalog, ix, id, ask, source).await.map(|_| ()));
        }
        let (What::Decide { approval, record, .. } | What::Withdraw { approval, record }) = what else { return Ok(Ok(())) };
        let (_, id) = self.subject(record, ended)?;
        let requests = approvals::of_record(&self.store, id).await.map_err(|error| error.to_string())?;
        let found = requests.iter().find(|request| request.approval == *approval);
        let request = found.ok_or_else(|| format!("nobody has asked for `{approval}` of {record}"))?.id;
        Ok(match what {
            What::Decide { approves, comment, .. } => {
                let decision = Decision { approves: *approves, comment: comment.clone(), on_behalf: None };
                self.records.decide_approval(actor, request, decision, source).await
            }
            _ => self.records.withdraw_approval(actor, request, source).await,
        })
    }

    /// The newest claim on a record.
    async fn newest_claim(&self, registration: &str, record: &str, id: RecordId) -> Result<i64, String> {
        let claims = registrations::of_record(&self.store, id).await.map_err(|error| error.to_string())?;
        let found = claims.iter().find(|claim| claim.registration == *registration);
        found.map(|claim| claim.id).ok_or_else(|| format!("nobody has registered `{registration}` of {record}"))
    }

    fn survey(&self, name: &str, record: &str, entity: EntityIx) -> Result<&Survey, String> {
        let is_meant = |known: &&Survey| known.entity == entity && (known.key == name || known.id == name);
        self.catalog.surveys.iter().find(is_meant).ok_or_else(|| format!("there is no survey `{name}` about {record}"))
    }

    /// Answers the newest invitation to a survey about a record, as whoever has its link.
    async fn answer(&self, survey: &str, record: &str, values: &Json, ended: &mut Ended) -> Result<Result<Saved, RecordError>, String> {
        let (entity, about) = self.record(record)?;
        let id = about.display(&self.catalog.entity(entity).prefix);
        let known = self.survey(survey, record, entity)?;
        let answers = self.catalog.entity(known.answers);
        let names = [known.about, known.fields.survey].map(|field| answers.field(field).name.as_str());
        let filter = format!("{} = '{id}' and {} = '{}'", names[0], names[1], known.key);
        let invitations = self.listed(&Actor::system(), known.answers, Some(&filter)).await.map_err(|error| told(&error))?;
        let invitation = invitations.into_iter().max().ok_or_else(|| format!("nobody was asked for `{survey}` about {record}"))?;
        ended.subject = Some((known.answers, invitation));
        let closed = || RecordError::NotFound { entity: answers.slug.clone(), id: invitation.display(&answers.prefix) };
        let token = survey_token(&self.catalog, invitation).ok_or("the workspace has no key for links")?;
        let opened = self.records.asked(&token).await.map_err(|error| told(&error))?;
        let Some(opened) = opened.filter(Asked::is_open) else { return Ok(Err(closed())) };
        let input = match Input::from_json(&opened.catalog, answers, &self.filled(values)) {
            Ok(input) => input,
            Err(faults) => return Ok(Err(RecordError::Invalid(faults))),
        };
        let is_question = |field: &FieldIx| known.questions.iter().any(|question| question.field == *field);
        if let Some((field, _)) = input.values.iter().find(|(field, _)| !is_question(field)) {
            return Err(format!("`{survey}` does not ask for `{}`", answers.field(*field).name));
        }
        let questions = self.records.questions_asked(&opened, &input);
        Ok(self.records.answer_survey(&opened, &input, &questions).await)
    }

    /// A record as somebody sees it.
    async fn seen(&self, actor: &Actor, entity: EntityIx, id: RecordId) -> Result<Json, RecordError> {
        let seen = actor.sees(&self.catalog);
        let definition = seen.entity(entity);
        let request = GetRequest { entity, id, select: default_select(definition), deleted: Deleted::Live };
        match self.records.get(actor, &self.catalog, request).await? {
            Some(row) => {
                let mut text = String::new();
                row.write_json(&mut text);
                Ok(serde_json::from_str(&text).unwrap_or_default())
            }
            None => Err(RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) }),
        }
    }

    /// The first hundred records that somebody finds.
    async fn listed(&self, actor: &Actor, entity: EntityIx, filter: Option<&str>) -> Result<Vec<RecordId>, RecordError> {
        let body = match filter {
            Some(filter) => serde_json::json!({"filter": filter, "limit": 100}),
            None => serde_json::json!({"limit": 100}),
        };
        let request = parse_list_json(&actor.sees(&self.catalog), self.records.cursor_key(), entity, &body).map_err(RecordError::Query)?;
        let page = self.records.list(actor, &self.catalog, request).await?;
        Ok(page.iter().map(|row| row.id()).collect())
    }

    /// Queues a schedule's script as if its time had come.
    async fn schedule(&self, name: &str) -> Result<(), String> {
        let script = self.catalog.scripts.iter().find(|script| script.id == name).ok_or_else(|| format!("there is no script `{name}`"))?;
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
