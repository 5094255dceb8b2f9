//! What the table of requests does not show: imports, growth, a scan beside point reads, start and memory of the program.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{self, Load, Sample, Target};
use crate::rows::{self, Folder};
use crate::{FIELDS, handwritten, median, ours};

/// Import of `records` rows, ours and by hand in turn.
pub async fn imports(records: u64, rounds: usize) -> Option<String> {
    let csv = rows::csv(&rows::rows(records));
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let text = csv.clone();
        let by_hand = tokio::task::spawn_blocking(move || handwritten::time_import(&text)).await.expect("the import ends");
        theirs.push(records as f64 / by_hand.as_secs_f64());
        ours.push(records as f64 / ours::time_import(&csv).await.as_secs_f64());
    }
    let (theirs, ours) = (middle(theirs), middle(ours));
    println!("| import of {records} rows | - | {theirs:.0} | {ours:.0} | {:.2} | 0.5 | - | - |", ours / theirs);
    (ours < 0.5 * theirs).then(|| "import".to_owned())
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// What lists cost among many records compared with few, one request at a time, in turn.
pub async fn growth(large: &Target, records: u64, small_records: u64, rounds: usize, duration: Duration) -> Vec<String> {
    let small = ours::start(&rows::rows(small_records), None).await;
    let mut missed = Vec::new();
    let filter = "stage%20%3D%20'won'%20and%20close_on%20%3E%3D%20'2026-03-10'";
    println!("\n| request | cost at {records} to cost at {small_records} | at most |");
    println!("|---|---|---|");
    for (name, path) in [
        ("list of 50", format!("deal?select={FIELDS}&limit=50")),
        ("filtered, sorted list", format!("deal?select={FIELDS}&limit=50&sort=close_on&filter={filter}")),
        ("list of 50 with its total", format!("deal?select={FIELDS}&limit=50&count=exact")),
        // Every record matches, so that both count to the limit.
        (
            "filtered list with its total",
            format!("deal?select={FIELDS}&limit=50&sort=close_on&count=exact&filter=close_on%20%3E%3D%20'2026-01-01'"),
        ),
    ] {
        let load = |target: &Target| Load::get(target, vec![format!("/api/v1/records/{path}")]);
        let (mut many, mut few) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            few.push(client::run(&load(&small.target), 1, duration).await);
            many.push(client::run(&load(large), 1, duration).await);
        }
        let ratio = median(few).per_second / median(many).per_second;
        println!("| {name} | {ratio:.2} | 1.3 |");
        if ratio > 1.3 {
            missed.push(format!("growth of {name}"));
        }
    }
    missed
}

/// Point reads alone and while scans run one after the other.
pub async fn scan_beside(target: &Target, rounds: usize) -> Option<String> {
    let point = Load::get(target, target.ids.iter().map(|id| format!("/api/v1/records/deal/{id}?select={FIELDS}")).collect());
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(client::run(&point, 16, Duration::from_secs(2)).await);
        let scans = tokio::spawn(scan(target.clone(), Duration::from_secs(5)));
        tokio::time::sleep(Duration::from_millis(300)).await;
        beside.push(client::run(&point, 16, Duration::from_secs(4)).await);
        scans.await.expect("the scans end");
    }
    let p99 = |samples: Vec<Sample>| middle(samples.iter().map(|sample| sample.p99_ms).collect());
    let (alone, beside) = (p99(alone), p99(beside));
    println!("\npoint-read p99 beside a scan of 5 s: {beside:.2} ms, alone {alone:.2} ms, ratio {:.2} (at most 3)", beside / alone);
    (beside > 3.0 * alone).then(|| "point reads beside a scan".to_owned())
}

async fn scan(target: Target, duration: Duration) {
    // No index helps: every record is read.
    let load = Load::get(&target, vec!["/api/v1/records/deal?select=id&limit=1&filter=name%20contains%20'zz9q'".into()]);
    client::run(&load, 1, duration).await;
}

/// Start of the program with the crm package, and its memory at rest and after load.
pub fn program(rounds: usize) -> Vec<String> {
    let folder = Folder::new("program");
    let site = folder.0.join("site");
    let run = |arguments: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_relata"))
            .args(arguments)
            .current_dir(&site)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        // What `user add` asks for; the others do not read it.
        let _ = child.stdin.take().expect("an input").write_all(b"seven quiet rivers of stone\n");
        let done = child.wait_with_output().expect("the program ends");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    std::fs::create_dir_all(&site).expect("a folder");
    run(&["init", ".", "--template", "crm", "--yes"]);
    // The first start applies the package and is not counted.
    drop(Server::start(&site));
    let starts: Vec<f64> = (0..rounds.max(3)).map(|_| Server::start(&site).ready_after.as_secs_f64() * 1000.0).collect();
    let (start, mut missed) = (middle(starts), Vec::new());
    let mut held = |name: &str, figure: f64, most: f64| {
        if figure > most {
            missed.push(name.to_owned());
        }
    };
    println!("\nfrom exec to /readyz with the crm package: {start:.0} ms (at most 100)");
    held("start", start, 100.0);
    run(&["user", "add", "bench@example.com", "--name", "Bench", "--admin"]);
    let printed = run(&["token", "create", "--user", "bench@example.com", "--name", "bench"]);
    let token = printed.split_whitespace().find(|word| word.starts_with("rl_")).expect("a token").to_owned();
    let server = Server::start(&site);
    std::thread::sleep(Duration::from_secs(2));
    let rest = server.resident_mb();
    println!("resident memory at rest: {rest} MB (at most 40)");
    held("memory at rest", rest as f64, 40.0);
    let target = Target { address: server.address, token, ids: Default::default(), accounts: Default::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        client::run(&Load::accounts(&target), 16, Duration::from_secs(8)).await;
        let lists = Load::get(&target, (1..=200).map(|limit| format!("/api/v1/records/account?limit={limit}")).collect());
        client::run(&lists, 64, Duration::from_secs(8)).await;
        client::run(&Load::accounts(&target), 16, Duration::from_secs(4)).await;
    });
    let loaded = server.resident_mb();
    println!("resident memory after load: {loaded} MB (at most 150)");
    held("memory after load", loaded as f64, 150.0);
    missed
}

/// The program, serving; ended when this goes.
struct Server {
    child: Child,
    address: SocketAddr,
    ready_after: Duration,
}

impl Server {
    fn start(site: &Path) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let begin = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_relata"))
            .args(["serve", "--listen", &address.to_string()])
            .current_dir(site)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        while !is_ready(address) {
            assert!(begin.elapsed() < Duration::from_secs(20), "the server becomes ready");
            std::thread::sleep(Duration::from_millis(1));
        }
        Self { child, address, ready_after: begin.elapsed() }
    }

    fn resident_mb(&self) -> u64 {
        crate::resident_mb(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
