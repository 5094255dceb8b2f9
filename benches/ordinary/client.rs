//! A load generator: keep-alive connections over plain TCP, one request at a time on each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server to be asked.
#[derive(Clone)]
pub struct Target {
    pub address: std::net::SocketAddr,
    pub token: String,
    /// Public ids of some thousand deals.
    pub ids: Arc<Vec<String>>,
    /// Public ids of the accounts.
    pub accounts: Arc<Vec<String>>,
}

/// Requests to send, made on the spot from a number.
#[derive(Clone)]
pub struct Load {
    target: Target,
    make: Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>,
}

/// What a round measured.
#[derive(Clone, Copy)]
pub struct Sample {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

fn request(target: &Target, method: &str, path: &str, body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n", target.token);
    if !body.is_empty() {
        text.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

impl Load {
    pub fn get(target: &Target, paths: Vec<String>) -> Self {
        let requests: Vec<Vec<u8>> = paths.iter().map(|path| request(target, "GET", path, "")).collect();
        Self {
            target: target.clone(),
            make: Arc::new(move |number| requests[(number.wrapping_mul(2_654_435_761) % requests.len() as u64) as usize].clone()),
        }
    }

    pub fn create(target: &Target, path: &'static str) -> Self {
        let of = target.clone();
        Self { target: target.clone(), make: Arc::new(move |number| request(&of, "POST", path, &body(&of, number))) }
    }

    /// Creates of the crm package's accounts, with names that none of its duplicate rules takes for one another.
    pub fn accounts(target: &Target) -> Self {
        let of = target.clone();
        Self { target: target.clone(), make: Arc::new(move |number| request(&of, "POST", "/api/v1/records/account", &account(number))) }
    }

    pub fn update(target: &Target, path: &'static str) -> Self {
        let of = target.clone();
        Self {
            target: target.clone(),
            make: Arc::new(move |number| {
                let id = &of.ids[(number.wrapping_mul(2_654_435_761) % of.ids.len() as u64) as usize];
                request(&of, "PATCH", &format!("{path}{id}"), &format!("{{\"amount\":\"{}.{:02}\"}}", number % 1_000_000, number % 97))
            }),
        }
    }

    pub fn mixed(target: &Target, path: &'static str) -> Self {
        let of = target.clone();
        Self {
            target: target.clone(),
            make: Arc::new(move |number| {
                let id = &of.ids[(number.wrapping_mul(2_654_435_761) % of.ids.len() as u64) as usize];
                match number % 20 {
                    0 => request(&of, "POST", path, &body(&of, number)),
                    1 => request(
                        &of,
                        "PATCH",
                        &format!("{path}/{id}"),
                        &format!("{{\"amount\":\"{}.{:02}\"}}", number % 1_000_000, number % 97),
                    ),
                    2..=5 => request(&of, "GET", &format!("{path}?select=id,name,stage,amount,close_on&limit=50"), ""),
                    _ => request(&of, "GET", &format!("{path}/{id}"), ""),
                }
            }),
        }
    }
}

fn account(number: u64) -> String {
    // The finaliser of SplitMix64: numbers that follow each other have no digits in common.
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    format!("{{\"name\":\"{:016x}\"}}", mixed ^ (mixed >> 31))
}

fn body(target: &Target, number: u64) -> String {
    let account = &target.accounts[(number % target.accounts.len() as u64) as usize];
    format!(
        "{{\"name\":\"made river {number}\",\"code\":\"N-{number}\",\"stage\":\"new\",\"amount\":\"{}.50\",\"close_on\":\"2026-05-{:02}\",\"account\":\"{account}\"}}",
        number % 100_000,
        1 + number % 28
    )
}

/// Sends for `duration` over `connections`; panics on an answer that is no 2xx.
pub async fn run(load: &Load, connections: usize, duration: Duration) -> Sample {
    // A moment to warm up what the round will use.
    let warm = Instant::now() + Duration::from_millis(150);
    drain(load, connections, warm).await;
    let begin = Instant::now();
    let times = drain(load, connections, begin + duration).await;
    sample(times, begin.elapsed())
}

fn sample(mut times: Vec<u64>, elapsed: Duration) -> Sample {
    times.sort_unstable();
    let at = |share: f64| {
        times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied().unwrap_or(0) as f64 / 1000.0
    };
    Sample { per_second: times.len() as f64 / elapsed.as_secs_f64(), p50_ms: at(0.5), p99_ms: at(0.99) }
}

/// Sends so many, one each `gap`, over one connection: what is done behind an answer has ended before the next request.
pub async fn run_paced(load: &Load, count: usize, gap: Duration) -> Sample {
    let mut stream = connect(load).await;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut times = Vec::with_capacity(count);
    let begin = Instant::now();
    for _ in 0..count {
        times.push(send(load, &mut stream, &mut buffer).await);
        tokio::time::sleep(gap).await;
    }
    sample(times, begin.elapsed())
}

/// Latencies in microseconds.
async fn drain(load: &Load, connections: usize, until: Instant) -> Vec<u64> {
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let load = load.clone();
        tasks.push(tokio::spawn(async move {
            let mut stream = connect(&load).await;
            let mut buffer = Vec::with_capacity(64 * 1024);
            let mut times = Vec::new();
            while Instant::now() < until {
                times.push(send(&load, &mut stream, &mut buffer).await);
            }
            times
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("a connection ends well"));
    }
    all
}

async fn connect(load: &Load) -> TcpStream {
    let stream = TcpStream::connect(load.target.address).await.expect("the server accepts");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// Sends the next request and waits for its answer; microseconds.
async fn send(load: &Load, stream: &mut TcpStream, buffer: &mut Vec<u8>) -> u64 {
    let request = (load.make)(NUMBER.fetch_add(1, Ordering::Relaxed));
    let begin = Instant::now();
    stream.write_all(&request).await.expect("the request is sent");
    read_answer(stream, buffer, &request).await;
    begin.elapsed().as_micros() as u64
}

/// Reads one answer with a content-length.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>, request: &[u8]) {
    buffer.clear();
    let mut chunk = [0_u8; 32 * 1024];
    loop {
        let count = stream.read(&mut chunk).await.expect("the answer is read");
        assert!(count > 0, "the server closed the connection");
        buffer.extend_from_slice(&chunk[..count]);
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).expect("the head is text");
        let length: usize = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(0);
        while buffer.len() < end + 4 + length {
            let count = stream.read(&mut chunk).await.expect("the body is read");
            assert!(count > 0, "the server closed the connection");
            buffer.extend_from_slice(&chunk[..count]);
        }
        assert!(buffer.starts_with(b"HTTP/1.1 2"), "not 2xx: {}\n{}", String::from_utf8_lossy(request), String::from_utf8_lossy(buffer));
        return;
    }
}

/// The ids of up to `pages` pages of a list, following its cursors.
pub async fn ids(target: &Target, path: &str, pages: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut stream = TcpStream::connect(target.address).await.expect("the server accepts");
    let mut buffer = Vec::new();
    let mut next = String::new();
    for _ in 0..pages {
        let full = if next.is_empty() { path.to_owned() } else { format!("{path}&cursor={next}") };
        let request = request(target, "GET", &full, "");
        stream.write_all(&request).await.expect("the request is sent");
        read_answer(&mut stream, &mut buffer, &request).await;
        let begin = buffer.windows(4).position(|four| four == b"\r\n\r\n").expect("a body") + 4;
        let page: serde_json::Value = serde_json::from_slice(&buffer[begin..]).expect("JSON");
        found.extend(page["data"].as_array().expect("records").iter().filter_map(|record| record["id"].as_str().map(str::to_owned)));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = cursor.to_owned(),
            None => break,
        }
    }
    found
}
