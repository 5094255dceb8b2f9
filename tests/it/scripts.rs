//! Scripts that mean harm: each ends with its file and line, soon after its limit, and leaves the memory as it was.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use relata::base::clock::Stopwatch;
use relata::base::{Currency, DateTime, Locale};
use relata::schema::catalog::{Catalog, ScriptLimits, Settings};
use relata::script::{self, Context, Input, Kind, NoHost, Pool, ScriptSource};

/// How one hostile script ended.
struct End {
    name: String,
    what: String,
    late: Duration,
}

fn hostile_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/script/hostile")
}

fn hostile_scripts() -> Vec<(String, String)> {
    let mut scripts: Vec<(String, String)> = std::fs::read_dir(hostile_dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap()))
        .collect();
    scripts.sort();
    scripts
}

pub fn empty_catalog() -> Catalog {
    Catalog {
        version: 1,
        digest: String::new(),
        settings: Settings {
            name: "Test".to_owned(),
            currency: Currency::parse("CNY").unwrap(),
            locale: Locale::En,
            time_zone_name: "UTC".to_owned(),
            time_zone: jiff::tz::TimeZone::UTC,
            fiscal_year_start: 1,
            rates: Vec::new(),
        },
        packages: Vec::new(),
        entities: Vec::new(),
        by_slug: HashMap::new(),
        by_prefix: HashMap::new(),
        picklists: BTreeMap::new(),
        calendars: Default::default(),
        scripts: Vec::new(),
        automations: std::default::Default::default(),
        templates: Vec::new(),
        surveys: Vec::new(),
        roles: Vec::new(),
        apps: Vec::new(),
        described: BTreeMap::new(),
        blind: None,
        whole: None,
    }
}

fn input(catalog: &Arc<Catalog>) -> Input {
    Input {
        catalog: Arc::clone(catalog),
        record: None,
        old: None,
        context: Context {
            now: DateTime::parse("2026-11-21T08:00:00Z").unwrap(),
            time_zone: jiff::tz::TimeZone::UTC,
            currency: Currency::parse("CNY").unwrap(),
            user: String::new(),
            event: "create".to_owned(),
            chain: Vec::new(),
            payload: serde_json::Value::Null,
            seed: 7,
        },
    }
}

/// Checks and runs one script on the pool; says how it ended or that it did not end as it must.
fn end_of(pool: &Pool, catalog: &Arc<Catalog>, kind: Kind, name: &str, text: &str) -> Result<End, String> {
    let expected: Vec<&str> =
        text.lines().next().and_then(|line| line.strip_prefix("// ends by: ")).ok_or("no `// ends by:` line")?.split('|').collect();
    let source = ScriptSource { id: "test.hostile", file: name, text, kind, entity: None, limits: ScriptLimits::default() };
    let compiling = Stopwatch::start();
    let compiled = match script::compile(&source, catalog) {
        Ok(compiled) => compiled,
        Err(faults) => {
            let first = &faults[0];
            if !expected.contains(&"syntax") {
                return Err(format!("was refused at {}:{} {}", first.line, first.column, first.message));
            }
            if first.line == 0 || first.file != name {
                return Err(format!("was refused without a place: {}", first.message));
            }
            return Ok(End {
                name: name.to_owned(),
                what: format!("{}:{} {} {}", first.line, first.column, first.code, first.message),
                late: compiling.elapsed(),
            });
        }
    };
    let limit = Duration::from_millis(compiled.limits.wall_ms);
    let input = input(catalog);
    let answer = pool.run(move || {
        let running = Stopwatch::start();
        (script::run(&compiled, input, Box::new(NoHost)), running.elapsed())
    });
    let (result, took) = answer.map_err(|error| error.to_string())?.blocking_recv().map_err(|_| "broke off the thread".to_owned())?;
    match result {
        Ok(_) => Err("came to its end".to_owned()),
        Err(error) => {
            let cause = match &error.cause {
                script::Cause::Limit(limit) => limit,
                script::Cause::Runtime => "error",
                script::Cause::Host(_) => "host",
                script::Cause::Panic => "panic",
            };
            let what = format!("{cause} {error}");
            if !expected.contains(&cause) {
                return Err(format!("ended by {what}"));
            }
            if error.file != name || error.line == 0 {
                return Err(format!("ended without a place: {what}"));
            }
            Ok(End { name: name.to_owned(), what, late: took.saturating_sub(limit) })
        }
    }
}

#[test]
fn hostile_scripts_end_with_their_place_soon_after_their_limit() {
    let pool = Pool::new(2);
    let catalog = Arc::new(empty_catalog());
    let mut wrong = Vec::new();
    for (name, text) in hostile_scripts() {
        match end_of(&pool, &catalog, Kind::BeforeSave, &name, &text) {
            // The bound of 100 ms is held by `tests/run long scripts`, where nothing else runs beside.
            Ok(end) if end.late > Duration::from_millis(1_500) => {
                wrong.push(format!("{}: {} ms late: {}", end.name, end.late.as_millis(), end.what))
            }
            Ok(end) => println!("{}: {} ms late: {}", end.name, end.late.as_millis(), end.what),
            Err(fault) => wrong.push(format!("{name}: {fault}")),
        }
    }
    assert!(wrong.is_empty(), "{} hostile scripts:\n{}", wrong.len(), wrong.join("\n"));
}

/// Resident memory of this process in KB.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// `tests/run long scripts`: every hostile script at every kind of moment, with the strict bounds.
pub fn long() {
    let pool = Pool::new(2);
    let catalog = Arc::new(empty_catalog());
    // A first round brings the engine and the threads to life.
    for (name, text) in hostile_scripts() {
        let _ = end_of(&pool, &catalog, Kind::BeforeSave, &name, &text);
    }
    let reads = Reads::start();
    let alone = reads.p99_of(Duration::from_secs(5));
    let before = resident_kb();
    reads.begin();
    let (mut wrong, mut runs, mut latest, mut peak) = (Vec::new(), 0_u32, Duration::ZERO, before);
    for kind in [Kind::BeforeSave, Kind::BeforeDelete, Kind::AfterWrite, Kind::Button] {
        for (name, text) in hostile_scripts() {
            if name == "write_from_before_save.rhai" && kind.may_write() {
                continue;
            }
            runs += 1;
            match end_of(&pool, &catalog, kind, &name, &text) {
                Ok(end) => {
                    latest = latest.max(end.late);
                    if end.late > Duration::from_millis(100) {
                        wrong.push(format!("{} at {}: {} ms late: {}", end.name, kind.word(), end.late.as_millis(), end.what));
                    }
                }
                Err(fault) => wrong.push(format!("{name} at {}: {fault}", kind.word())),
            }
            let here = resident_kb();
            if here > peak + 2_000 {
                println!("{name} at {}: resident memory rises from {peak} to {here} KB", kind.word());
            }
            peak = peak.max(here);
        }
    }
    let beside = reads.end();
    let after = resident_kb();
    println!("point reads: p99 {} us alone, {} us beside the scripts", alone.as_micros(), beside.as_micros());
    assert!(beside <= alone * 3, "point reads became slower: p99 {alone:?} alone, {beside:?} beside the scripts");
    println!(
        "{runs} runs of {} scripts; latest end {} ms past its limit; memory {before} KB before, {peak} KB at the highest, {after} KB after",
        hostile_scripts().len(),
        latest.as_millis()
    );
    assert!(wrong.is_empty(), "{} hostile runs:\n{}", wrong.len(), wrong.join("\n"));
    assert!(after.saturating_sub(before) <= 20 * 1024, "memory did not come back: {before} KB before, {after} KB after");
}

#[test]
fn long_run_of_hostile_scripts() {
    if std::env::args().any(|argument| argument == "--ignored")
        || std::env::vars().any(|(name, value)| name == "RELATA_LONG" && value == "scripts")
    {
        long();
    }
}

/// A client that reads one record after the other while scripts run.
struct Reads {
    shared: Arc<(std::sync::atomic::AtomicBool, std::sync::Mutex<Vec<Duration>>)>,
}

impl Reads {
    /// Opens a workspace with `crm` and one account, and reads that account for ever from a thread of its own.
    fn start() -> Self {
        let shared = Arc::new((std::sync::atomic::AtomicBool::new(true), std::sync::Mutex::new(Vec::new())));
        let mine = Arc::clone(&shared);
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async move {
                let (records, catalog, entity, id) = workspace().await;
                ready.send(()).unwrap();
                loop {
                    let watch = Stopwatch::start();
                    let request = relata::query::GetRequest {
                        entity,
                        id,
                        select: relata::query::default_select(catalog.entity(entity)),
                        deleted: relata::query::Deleted::Live,
                    };
                    let found = records.get(&relata::access::Actor::system(), &catalog, request).await.unwrap();
                    assert!(found.is_some());
                    mine.1.lock().unwrap().push(watch.elapsed());
                    // A client that waits for nothing would measure only itself.
                    tokio::time::sleep(Duration::from_micros(500)).await;
                }
            });
        });
        is_ready.recv().unwrap();
        Self { shared }
    }

    fn begin(&self) {
        self.shared.1.lock().unwrap().clear();
    }

    fn end(&self) -> Duration {
        let mut times = std::mem::take(&mut *self.shared.1.lock().unwrap());
        times.sort_unstable();
        times[times.len() * 99 / 100]
    }

    fn p99_of(&self, span: Duration) -> Duration {
        self.begin();
        let (_sender, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(span);
        self.end()
    }
}

async fn workspace() -> (relata::record::Records, Arc<Catalog>, relata::base::EntityIx, relata::base::RecordId) {
    use relata::deploy::{self, Folders};
    use relata::record::{Input, NoHooks, Records, WriteOptions};
    use relata::store::{OpenOptions, Store, Target};

    let files = deploy::read(&Folders::new(env!("CARGO_MANIFEST_DIR"), None)).unwrap();
    let files: Vec<_> = files.into_iter().filter(|file| file.path.contains("/core/") || file.path.contains("/crm/")).collect();
    let store = Store::open(OpenOptions::new(Target::Temporary)).await.unwrap();
    let plan = deploy::plan(&store, &files).await.unwrap();
    let outcome = deploy::apply(&store, plan, &[], 0).await.unwrap();
    let mut loaded = outcome.loaded;
    loaded.catalog.version = outcome.version;
    let catalog = Arc::new(arc_swap::ArcSwap::from_pointee(loaded.catalog));
    let records = Records::new(
        store.clone(),
        catalog.clone(),
        Arc::new(NoHooks),
        store.clock().clone(),
        store.random().clone(),
        store.mint().clone(),
    );
    let catalog = catalog.load_full();
    let account = catalog.find_entity("crm.account").unwrap();
    let input = Input::from_json(&catalog, account, &serde_json::json!({"name": "Acme"})).unwrap();
    let saved = records.create(&relata::access::Actor::system(), &catalog, account.ix, input, WriteOptions::default()).await.unwrap();
    (records, catalog.clone(), account.ix, saved.id)
}
