//! Jobs: claimed, tried again, given up, kept in order; schedules that come round.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use relata::base::{DateTime, FixedClock, SeededRandom};
use relata::jobs::{Job, JobContext, JobError, JobHandler, NewJob, Outcome, Priority, Runner, RunnerOptions, SCHEDULE, enqueue};
use relata::schema::{self, Bindings, SourceFile};
use relata::store::{BoxFuture, Dialect, Store, StoreError};
use serde_json::{Value as Json, json};
use std::sync::Mutex;

use crate::store::support;

/// Notes what it did; fails as the payload says.
#[derive(Default)]
struct Notes {
    done: Mutex<Vec<String>>,
    tries: AtomicUsize,
}

impl JobHandler for Notes {
    fn kinds(&self) -> &[&'static str] {
        &["note", SCHEDULE]
    }

    fn run<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> BoxFuture<'a, Result<Outcome, JobError>> {
        Box::pin(async move {
            self.tries.fetch_add(1, Ordering::SeqCst);
            let text = |name: &str| job.payload.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
            match text("do").as_str() {
                "panic" => panic!("as asked"),
                "fatal" => return Err(JobError::Fatal("never".to_owned())),
                "retry" => return Err(JobError::Retry("not now".to_owned())),
                "once" if job.attempt == 1 => return Err(JobError::Retry("not now".to_owned())),
                _ => {}
            }
            let name = if job.kind == SCHEDULE { text("script") } else { text("name") };
            self.done.lock().unwrap().push(name);
            if text("do") == "finish" {
                let (context, job) = (context.clone(), job.clone());
                let store = context.store.clone();
                store.write(move |tx| Box::pin(async move { context.finish(tx, &job).await })).await?;
                return Ok(Outcome::Finished);
            }
            Ok(Outcome::Done)
        })
    }
}

struct Bench {
    store: Store,
    clock: Arc<FixedClock>,
    notes: Arc<Notes>,
    runner: Runner,
}

async fn bench(definitions: &str) -> Bench {
    let files = [
        SourceFile::new("core/package.yaml", "kind: package\nid: core\n"),
        SourceFile::new("core/user.yaml", "kind: entity\nid: core.user\nfeatures: {owner: false}\nfields: {name: {type: text}}\n"),
        SourceFile::new("core/more.yaml", definitions),
    ];
    let loaded = schema::load(&files, &Bindings::default()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let (store, clock) = support::open().await;
    let notes = Arc::new(Notes::default());
    let handlers: Vec<Arc<dyn JobHandler>> = vec![notes.clone()];
    let catalog = Arc::new(ArcSwap::from_pointee(loaded.catalog));
    let options = RunnerOptions { poll: Duration::from_millis(20), ..RunnerOptions::default() };
    let runner = Runner::new(store.clone(), catalog, handlers, clock.clone(), Arc::new(SeededRandom::new(1)), options);
    Bench { store, clock, notes, runner }
}

impl Bench {
    async fn put(&self, payload: Json, group: Option<&str>, key: Option<&str>) -> bool {
        let mut job = NewJob::new("note", payload, DateTime(0));
        job.group = group.map(str::to_owned);
        job.key = key.map(str::to_owned);
        self.store
            .write(move |tx| Box::pin(async move { enqueue(tx, &job).await }))
            .await
            .unwrap_or_else(|error: StoreError| panic!("{error}"))
    }

    fn done(&self) -> Vec<String> {
        self.notes.done.lock().unwrap().clone()
    }

    async fn states(&self) -> Vec<(String, i64)> {
        relata::store::jobs::counts(&self.store).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_done_once_and_are_gone() {
    let bench = bench("").await;
    assert!(bench.put(json!({ "name": "a" }), None, Some("k")).await);
    assert!(!bench.put(json!({ "name": "again" }), None, Some("k")).await);
    bench.put(json!({ "name": "b", "do": "finish" }), None, None).await;
    assert_eq!(bench.runner.run_until_idle().await.unwrap(), 2);
    assert_eq!(bench.done(), ["a", "b"]);
    assert!(bench.states().await.is_empty());
    // The key is free again.
    assert!(bench.put(json!({ "name": "c" }), None, Some("k")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_waits_longer_each_time_and_is_given_up() {
    let bench = bench("").await;
    bench.put(json!({ "name": "a", "do": "once" }), None, None).await;
    bench.put(json!({ "do": "retry" }), None, None).await;
    bench.put(json!({ "do": "panic" }), None, None).await;
    bench.put(json!({ "do": "fatal" }), None, None).await;
    bench.runner.run_until_idle().await.unwrap();
    assert_eq!(bench.notes.tries.load(Ordering::SeqCst), 4);
    assert_eq!(bench.states().await, [("dead".to_owned(), 1), ("ready".to_owned(), 3)]);
    for _ in 0..10 {
        bench.clock.advance_ms(8 * 3600 * 1000);
        bench.runner.run_until_idle().await.unwrap();
    }
    assert_eq!(bench.done(), ["a"]);
    // Twice for the first, eight times each for those that never succeed.
    assert_eq!(bench.notes.tries.load(Ordering::SeqCst), 2 + 8 + 8 + 1);
    assert_eq!(bench.states().await, [("dead".to_owned(), 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_which_its_process_dies_is_given_up_and_can_be_tried_again() {
    let bench = bench("").await;
    bench.put(json!({ "name": "a" }), None, Some("k")).await;
    for attempt in 1..=8 {
        let claimed = relata::store::jobs::claim(&bench.store, 1, Duration::from_secs(60)).await.unwrap();
        assert_eq!(claimed[0].attempt, attempt);
        bench.clock.advance_ms(61_000);
    }
    bench.runner.run_until_idle().await.unwrap();
    assert_eq!((bench.done(), bench.states().await), (vec![], vec![("dead".to_owned(), 1)]));
    let dead = relata::store::jobs::list(&bench.store, "dead", 1).await.unwrap().remove(0);
    assert_eq!(dead.last_error.as_deref(), Some("the process ended each of the 8 times that this was begun"));
    // Its key is free; with all its attempts it is done.
    assert!(bench.put(json!({ "name": "b" }), None, Some("k")).await);
    let id = dead.job.id;
    let replayed = bench.store.write::<_, StoreError>(move |tx| Box::pin(async move { relata::store::jobs::replay(tx, id).await }));
    assert!(replayed.await.unwrap());
    bench.runner.run_until_idle().await.unwrap();
    let mut done = bench.done();
    done.sort();
    assert_eq!((done, bench.states().await), (vec!["a".to_owned(), "b".to_owned()], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_keeps_its_order_and_holds_up_nobody_else() {
    let bench = bench("").await;
    bench.put(json!({ "name": "g1", "do": "once" }), Some("g"), None).await;
    bench.put(json!({ "name": "g2" }), Some("g"), None).await;
    bench.put(json!({ "name": "free" }), None, None).await;
    bench.runner.run_until_idle().await.unwrap();
    assert_eq!(bench.done(), ["free"]);
    bench.clock.advance_ms(60_000);
    bench.runner.run_until_idle().await.unwrap();
    assert_eq!(bench.done(), ["free", "g1", "g2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_comes_round_and_makes_up_once_for_what_it_missed() {
    let definitions = "kind: script\nid: morning\nsource: \"fn run(ctx) {}\"\ntrigger: {schedule: \"0 8 * * *\", tz: Asia/Shanghai}\n";
    let bench = bench(definitions).await;
    // It is 08:00 in Shanghai: the next round is tomorrow's.
    assert_eq!(bench.runner.run_until_idle().await.unwrap(), 0);
    bench.clock.advance_ms(24 * 3600 * 1000 - 1);
    assert_eq!(bench.runner.run_until_idle().await.unwrap(), 0);
    bench.clock.advance_ms(1);
    assert_eq!(bench.runner.run_until_idle().await.unwrap(), 1);
    assert_eq!(bench.runner.run_until_idle().await.unwrap(), 0);
    bench.clock.advance_ms(5 * 24 * 3600 * 1000);
    assert_eq!(bench.runner.run_until_idle().await.unwrap(), 1);
    assert_eq!(bench.done(), ["core.morning", "core.morning"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_times_are_left_out_or_each_made_up_for() {
    for (missed, wanted) in [("skip", 0), ("once", 1), ("all", 3)] {
        let definitions = format!(
            "kind: script\nid: hourly\nsource: \"fn run(ctx) {{}}\"\ntrigger: {{schedule: \"0 * * * *\", tz: UTC, missed: {missed}}}\n"
        );
        let bench = bench(&definitions).await;
        assert_eq!(bench.runner.run_until_idle().await.unwrap(), 0, "{missed}");
        // It is midnight: nobody runs at one, two and three, and it is half past three.
        bench.clock.advance_ms(210 * 60 * 1000);
        assert_eq!(bench.runner.run_until_idle().await.unwrap(), wanted, "{missed}");
        // What comes in time runs whatever was missed.
        bench.clock.advance_ms(30 * 60 * 1000);
        assert_eq!(bench.runner.run_until_idle().await.unwrap(), 1, "{missed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_due_higher_priorities_come_first() {
    let bench = bench("").await;
    for (name, priority) in [("late", Priority::Low), ("first", Priority::High), ("usual", Priority::Usual)] {
        let mut job = NewJob::new("note", json!({ "name": name }), DateTime(0));
        job.priority = priority;
        bench
            .store
            .write(move |tx| Box::pin(async move { enqueue(tx, &job).await }))
            .await
            .unwrap_or_else(|error: StoreError| panic!("{error}"));
    }
    bench.runner.run_until_idle().await.unwrap();
    assert_eq!(bench.done(), ["first", "usual", "late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_job_writes_nothing_more() {
    for loses in ["its lease runs out", "it is cancelled"] {
        let bench = bench("").await;
        bench.put(json!({ "name": "a" }), None, None).await;
        let lease = Duration::from_secs(60);
        let claim = relata::store::jobs::claim(&bench.store, 1, lease).await.unwrap().remove(0);
        if loses == "it is cancelled" {
            let id = claim.id;
            let gone =
                bench.store.write::<_, StoreError>(move |tx| Box::pin(async move { relata::store::jobs::discard(tx, id).await })).await;
            assert_eq!(gone, Ok(true));
        } else {
            bench.clock.advance_ms(61_000);
            assert_eq!(relata::store::jobs::claim(&bench.store, 1, lease).await.unwrap().len(), 1);
        }
        // A step of a longer job proves first that it is still its own; this one is not, so the whole step is undone.
        let held = bench
            .store
            .write::<_, StoreError>(move |tx| Box::pin(async move { relata::store::jobs::extend(tx, &claim, lease).await }))
            .await;
        assert_eq!(held, Ok(false), "{loses}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_worker_is_woken_and_stops_when_told() {
    let bench = bench("").await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let runner = bench.runner.clone();
    let worker = tokio::spawn(async move { runner.run(stopped).await });
    for number in 0..20 {
        bench.put(json!({ "name": number.to_string() }), None, None).await;
    }
    let all_done = async {
        while bench.done().len() < 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_done).await.expect("the worker does them");
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(20), worker).await.expect("the worker stops").unwrap();
    assert!(bench.states().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_left_behind_is_done_at_once_where_no_other_can_have_it() {
    let bench = bench("").await;
    if bench.store.dialect() == Dialect::Postgres {
        // Others may be at work: there the lease tells.
        return;
    }
    bench.put(json!({ "name": "left" }), None, None).await;
    assert_eq!(relata::store::jobs::claim(&bench.store, 1, Duration::from_secs(60)).await.unwrap().len(), 1);
    assert_eq!(bench.runner.run_until_idle().await.unwrap(), 0, "somebody has it");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let runner = bench.runner.clone();
    let worker = tokio::spawn(async move { runner.run(stopped).await });
    let done = async {
        while bench.done().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), done).await.expect("the new process does it");
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(20), worker).await.expect("the worker stops").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_tried_again_waits_for_who_is_at_work_in_its_group() {
    let bench = bench("").await;
    let lease = Duration::from_secs(60);
    let claim = || async { relata::store::jobs::claim(&bench.store, 9, lease).await.unwrap() };
    bench.put(json!({ "name": "first" }), Some("g"), None).await;
    let first = claim().await.remove(0);
    let dead = relata::store::jobs::Job { max_attempts: 1, ..first.clone() };
    let failed = bench.store.write::<_, StoreError>(move |tx| Box::pin(async move { relata::store::jobs::fail(tx, &dead, "no").await }));
    failed.await.unwrap();
    bench.put(json!({ "name": "second" }), Some("g"), None).await;
    assert_eq!(claim().await.len(), 1);
    let id = first.id;
    let again = bench.store.write::<_, StoreError>(move |tx| Box::pin(async move { relata::store::jobs::replay(tx, id).await }));
    assert_eq!(again.await, Ok(true));
    assert!(claim().await.is_empty(), "the second is at work");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_retry_and_cancel_jobs() {
    let app = crate::support::TestApp::empty().await;
    app.get("/api/v1/jobs?state=lost").await.expect_status(422);
    app.get("/api/v1/jobs/77").await.expect_status(404);
    app.get("/api/v1/jobs/many").await.expect_status(404);
    app.post("/api/v1/jobs/77/cancel", json!({})).await.expect_status(404);
    let store = &app.workspace.store;
    let later = DateTime(store.clock().now().0 + 86_400_000_000);
    let new = NewJob {
        due: later,
        ..NewJob::new("note", json!({ "handler": "crm.hello", "entity": "user", "id": 1, "old": { "name": "Grace" } }), later)
    };
    store.write::<_, StoreError>(move |tx| Box::pin(async move { enqueue(tx, &new).await })).await.unwrap();
    let told = app.get("/api/v1/jobs?state=ready").await.expect_status(200).json();
    let job = told["data"].as_array().unwrap().iter().find(|job| job["kind"] == "note").expect("it waits").clone();
    assert_eq!((&job["handler"], &job["state"], &job["attempt"]), (&json!("crm.hello"), &json!("ready"), &json!(0)));
    assert!(!told.to_string().contains("Grace"), "no value of a record: {told}");
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.expect_status(200).json()["due_at"], job["due_at"]);
    let page = app.get("/jobs").await.expect_status(200).text();
    assert!(page.contains("crm.hello") && !page.contains("Grace"), "{page}");
    app.post(&format!("{path}/cancel"), json!({})).await.expect_status(204);
    app.get(&path).await.expect_status(404);
    let audited = relata::store::audit::Filter { action: Some("job.cancel".to_owned()), ..Default::default() };
    assert_eq!(relata::store::audit::list(store, &audited, None, 10).await.unwrap().len(), 1);
}
