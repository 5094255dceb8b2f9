//! Jobs: claimed, tried again, given up, kept in order; schedules that come round.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use relata::base::{DateTime, FixedClock, SeededRandom};
use relata::jobs::{Job, JobContext, JobError, JobHandler, NewJob, Outcome, Runner, RunnerOptions, SCHEDULE, enqueue};
use relata::schema::{self, Bindings, SourceFile};
use relata::store::{BoxFuture, Store, StoreError};
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
