//! Ordinary requests against a hand-written handler for the same table, in the same run on the same machine.
//!
//! `cargo bench --bench ordinary -- [--records N] [--seconds S] [--rounds R] [--only NAME]` prints a table: requests a second
//! of the handler and of Relata, their ratio, and the medians and 99th percentiles. Rounds are interleaved; the median round counts.
//! `--import N` adds an import of N rows, `--growth N` compares lists with those among N records, `--scan` reads points beside a
//! scan, `--program` measures start and memory of the program, `--access` what rules on rows cost (and nothing else), `--automations` what
//! automations and scripts add to a save (likewise), `--postgres URL` puts Relata's side on PostgreSQL; `--only none` leaves the
//! table out. Ends with 1 when something that is wanted was missed.

#![allow(clippy::disallowed_methods, reason = "a load generator measures real time")]

mod access;
mod automations;
mod client;
mod extras;
mod handwritten;
mod ours;
mod rows;

use std::time::Duration;

use client::{Load, Sample};

/// The program's allocator, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One kind of request, as both sides are asked for it.
struct Case {
    name: &'static str,
    connections: usize,
    /// Smallest ratio to reach; 0 where none is set.
    wanted: f64,
    ours: Load,
    theirs: Load,
}

struct Options {
    records: u64,
    seconds: f64,
    rounds: usize,
    only: Option<String>,
    import: u64,
    growth: u64,
    scan: bool,
    program: bool,
    access: bool,
    automations: bool,
    postgres: Option<String>,
}

/// The fields both sides give.
const FIELDS: &str = "id,version,name,code,stage,amount,close_on,account,created_at,updated_at";

fn options() -> Options {
    let mut options = Options {
        records: 10_000,
        seconds: 2.0,
        rounds: 5,
        only: None,
        import: 0,
        growth: 0,
        scan: false,
        program: false,
        access: false,
        automations: false,
        postgres: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("the option has a value");
        match argument.as_str() {
            "--records" => options.records = value().parse().expect("a number of records"),
            "--seconds" => options.seconds = value().parse().expect("seconds"),
            "--rounds" => options.rounds = value().parse().expect("a number of rounds"),
            "--only" => options.only = Some(value()),
            "--import" => options.import = value().parse().expect("a number of rows"),
            "--growth" => options.growth = value().parse().expect("a number of records"),
            "--postgres" => options.postgres = Some(value()),
            "--scan" => options.scan = true,
            "--program" => options.program = true,
            "--access" => options.access = true,
            "--automations" => options.automations = true,
            // cargo passes --bench.
            _ => {}
        }
    }
    options
}

fn main() {
    let options = options();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut missed = if options.access {
        let duration = Duration::from_secs_f64(options.seconds);
        runtime.block_on(access::cost(options.records, options.rounds, duration, options.postgres.as_deref()))
    } else if options.automations {
        runtime.block_on(automations::cost(options.records, options.rounds, options.postgres.as_deref()))
    } else {
        runtime.block_on(run(&options))
    };
    drop(runtime);
    if options.program {
        missed.extend(extras::program(options.rounds));
    }
    if missed.is_empty() {
        println!("\nall that is wanted was reached");
    } else {
        println!("\nmissed: {}", missed.join(", "));
        std::process::exit(1);
    }
}

/// At most so many times its median may the 99th percentile of a write be.
const WRITE_P99_TO_MEDIAN: f64 = 5.0;

/// Gives the names of what was missed.
async fn run(options: &Options) -> Vec<String> {
    let rows = rows::rows(options.records);
    let ours = ours::start(&rows, options.postgres.as_deref()).await;
    let theirs = handwritten::start(&rows).await;
    println!("{} records, {} s a round, {} rounds, interleaved, median round\n", options.records, options.seconds, options.rounds);
    println!("| request | connections | handler/s | Relata/s | ratio | wanted | handler p50/p99 ms | Relata p50/p99 ms |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut missed: Vec<String> = Vec::new();
    for case in cases(&ours.target, &theirs.target) {
        if options.only.as_ref().is_some_and(|only| !case.name.contains(only.as_str())) {
            continue;
        }
        let duration = Duration::from_secs_f64(options.seconds);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            left.push(client::run(&case.theirs, case.connections, duration).await);
            right.push(client::run(&case.ours, case.connections, duration).await);
        }
        let (theirs, ours) = (median(left), median(right));
        let ratio = ours.per_second / theirs.per_second.max(0.001);
        println!(
            "| {} | {} | {:.0} | {:.0} | {ratio:.2} | {} | {:.2}/{:.2} | {:.2}/{:.2} |",
            case.name,
            case.connections,
            theirs.per_second,
            ours.per_second,
            if case.wanted > 0.0 { format!("{:.1}", case.wanted) } else { "-".into() },
            theirs.p50_ms,
            theirs.p99_ms,
            ours.p50_ms,
            ours.p99_ms
        );
        if ratio < case.wanted {
            missed.push(format!("{} at {} connections", case.name, case.connections));
        }
        if matches!(case.name, "create" | "update")
            && case.connections == 16
            && options.postgres.is_none()
            && ours.p99_ms > WRITE_P99_TO_MEDIAN * ours.p50_ms
        {
            missed.push(format!("99th percentile of {}", case.name));
        }
    }
    if options.import > 0 {
        missed.extend(extras::imports(options.import, options.rounds).await);
    }
    println!("resident memory of this process (both servers): {} MB", resident_mb("self"));
    if options.growth > 0 {
        let duration = Duration::from_secs_f64(options.seconds);
        missed.extend(extras::growth(&ours.target, options.records, options.growth, options.rounds, duration).await);
    }
    if options.scan {
        missed.extend(extras::scan_beside(&ours.target, options.rounds).await);
    }
    missed
}

fn median(mut samples: Vec<Sample>) -> Sample {
    samples.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    samples.swap_remove(samples.len() / 2)
}

/// Of a process.
fn resident_mb(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("0");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn cases(ours: &client::Target, theirs: &client::Target) -> Vec<Case> {
    let ids = |target: &client::Target| target.ids.clone();
    let both = |name, connections, wanted, path: &dyn Fn(u64) -> String, paths: u64| Case {
        name,
        connections,
        wanted,
        ours: Load::get(ours, (0..paths).map(path).map(|path| format!("/api/v1/records/{path}")).collect()),
        theirs: Load::get(theirs, (0..paths).map(path).map(|path| format!("/{path}")).collect()),
    };
    let point = Case {
        name: "point read",
        connections: 16,
        wanted: 0.4,
        ours: Load::get(ours, ids(ours).iter().map(|id| format!("/api/v1/records/deal/{id}?select={FIELDS}")).collect()),
        theirs: Load::get(theirs, ids(theirs).iter().map(|id| format!("/deal/{id}")).collect()),
    };
    let mut cases = vec![point];
    cases.push(both("list of 50", 16, 0.4, &|_| format!("deal?select={FIELDS}&limit=50"), 1));
    cases.push(both(
        "filtered, sorted list",
        16,
        0.4,
        &|n| {
            let day = 1 + n % 28;
            format!("deal?select={FIELDS}&limit=50&sort=close_on&filter=stage%20%3D%20'won'%20and%20close_on%20%3E%3D%20'2026-03-{day:02}'")
        },
        28,
    ));
    cases.push(both(
        "list with a link expanded",
        16,
        0.4,
        &|_| format!("deal?select={}&limit=50", FIELDS.replace("account", "account(id,name)")),
        1,
    ));
    cases.push(both("search for a rare word", 16, 0.4, &|n| format!("deal?select={FIELDS}&limit=50&q=rare{}", n * 7 % 97), 97));
    cases.push(both("list of 50 with its total", 16, 0.0, &|_| format!("deal?select={FIELDS}&limit=50&count=exact"), 1));
    for (name, connections) in [("create", 1), ("create", 16)] {
        cases.push(Case {
            name,
            connections,
            wanted: if connections == 16 { 0.5 } else { 0.0 },
            ours: Load::create(ours, "/api/v1/records/deal"),
            theirs: Load::create(theirs, "/deal"),
        });
    }
    cases.push(Case {
        name: "update",
        connections: 16,
        wanted: 0.5,
        ours: Load::update(ours, "/api/v1/records/deal/"),
        theirs: Load::update(theirs, "/deal/"),
    });
    cases.push(Case {
        name: "mixed, 90 reads to 10 writes",
        connections: 16,
        wanted: 0.4,
        ours: Load::mixed(ours, "/api/v1/records/deal"),
        theirs: Load::mixed(theirs, "/deal"),
    });
    cases
}
