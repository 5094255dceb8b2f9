//! The accept loop on a real socket: what stalls is closed, what runs may end, too much is refused at once.

use std::time::Duration;

use relata::web::{self, WebConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::support::TestApp;

/// A server with short limits; sending on the channel stops it.
async fn start(
    app: &TestApp,
    max_connections: usize,
) -> (std::net::SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<std::io::Result<()>>) {
    start_with(app, WebConfig { max_connections, ..short_limits() }).await
}

fn short_limits() -> WebConfig {
    WebConfig {
        header_timeout: Duration::from_millis(300),
        keep_alive: Duration::from_millis(900),
        shutdown_deadline: Duration::from_secs(2),
        ..WebConfig::default()
    }
}

async fn start_with(
    app: &TestApp,
    config: WebConfig,
) -> (std::net::SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let router = app.router.clone();
    let task = tokio::spawn(async move { web::serve(listener, router, &config, async move { drop(stopped.await) }).await });
    (address, stop, task)
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("written");
}

/// Reads until the other side closes, at most five seconds.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "the connection was not closed");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 8192];
    let count = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut bytes)).await.expect("an answer").expect("read");
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

#[tokio::test]
async fn a_request_with_two_lengths_is_refused() {
    let app = TestApp::empty().await;
    let (address, stop, task) = start(&app, 16).await;
    let (length, encoding) = ("Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n");
    for (before, headers) in
        [("", [length, encoding]), ("", [encoding, length]), ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", [length, encoding])]
    {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let [one, other] = headers;
        send(&mut stream, &format!("{before}POST /api/v1/batch HTTP/1.1\r\nHost: localhost\r\n{one}{other}\r\n0\r\n\r\n")).await;
        let answer = read_to_end(&mut stream).await;
        assert_eq!(answer.contains("HTTP/1.1 200"), !before.is_empty(), "{answer}");
        assert!(answer.contains("HTTP/1.1 400"), "{answer}");
        assert!(!answer.contains("HTTP/1.1 401"), "{answer}");
    }
    let mut stream = TcpStream::connect(address).await.expect("connected");
    for headers in [length, encoding] {
        let body = if headers == length { "{}  " } else { "2\r\n{}\r\n0\r\n\r\n" };
        send(&mut stream, &format!("POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}")).await;
        let answer = read_some(&mut stream).await;
        assert!(!answer.contains("HTTP/1.1 400"), "{answer}");
    }
    let _ = stop.send(());
    drop(stream);
    task.await.expect("ends").expect("cleanly");
}

#[tokio::test]
async fn a_head_that_never_ends_is_closed() {
    let app = TestApp::empty().await;
    let (address, stop, task) = start(&app, 16).await;
    for text in ["", "GET /heal", "GET /healthz HTTP/1.1\r\nHost: local"] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        send(&mut stream, text).await;
        let answer = read_to_end(&mut stream).await;
        assert!(!answer.contains("200"), "{answer}");
    }
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

#[tokio::test]
async fn a_body_that_never_ends_is_answered_408() {
    let app = TestApp::empty().await;
    let (address, stop, task) = start(&app, 16).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = format!(
        "POST /api/v1/records/user HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"name\"",
        app.token
    );
    send(&mut stream, &head).await;
    let answer = read_some(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request_and_closed_when_idle() {
    let app = TestApp::empty().await;
    let (address, stop, task) = start(&app, 16).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    for _ in 0..2 {
        send(&mut stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
        // Longer than a head may take: an idle connection has the keep-alive time.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert_eq!(read_to_end(&mut stream).await, "");
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_a_free_one() {
    let app = TestApp::empty().await;
    let (address, stop, task) = start(&app, 1).await;
    let mut first = TcpStream::connect(address).await.expect("connected");
    send(&mut first, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(read_some(&mut first).await.starts_with("HTTP/1.1 200"));
    let mut second = TcpStream::connect(address).await.expect("connected");
    send(&mut second, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let early = tokio::time::timeout(Duration::from_millis(150), second.read_u8()).await;
    assert!(early.is_err(), "the second waits");
    drop(first);
    assert!(read_some(&mut second).await.contains("200"));
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

#[tokio::test]
async fn stopping_lets_idle_connections_go_and_takes_no_new_ones() {
    let app = TestApp::empty().await;
    let (address, stop, task) = start(&app, 16).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    send(&mut stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
    let _ = stop.send(());
    tokio::time::timeout(Duration::from_secs(2), task).await.expect("stopped in time").expect("joined").expect("served");
    assert_eq!(read_to_end(&mut stream).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_body_that_only_trickles_is_given_up() {
    let app = TestApp::empty().await;
    // Each piece comes in time, the whole does not: 20 bytes a second where 500 are asked for.
    let (address, stop, task) = start_with(&app, short_limits()).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = format!(
        "POST /api/v1/records/user HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
        app.token
    );
    send(&mut stream, &head).await;
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            if writer.write_all(b" ").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut bytes = vec![0; 8192];
    let answer = tokio::select! {
        read = tokio::time::timeout(Duration::from_secs(5), reader.read(&mut bytes)) => read.expect("an answer").expect("read"),
        () = trickle => unreachable!("the trickle never ends"),
    };
    let answer = String::from_utf8_lossy(&bytes[..answer]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

/// An answer that is larger than what the system takes into its buffers.
const LARGE: usize = 24 * 1024 * 1024;

/// Asks for a large file and takes so many bytes at a time, with a pause; gives how many came before the end.
async fn take(address: std::net::SocketAddr, app: &TestApp, file: &str, piece: usize, pause: Duration) -> usize {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 * 1024).expect("a small buffer");
    let mut stream = socket.connect(address).await.expect("connected");
    let head =
        format!("GET /api/v1/files/{file} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n", app.token);
    send(&mut stream, &head).await;
    let mut bytes = vec![0; piece];
    let mut taken = 0;
    loop {
        match tokio::time::timeout(Duration::from_secs(20), stream.read(&mut bytes)).await.expect("something happens") {
            Ok(0) | Err(_) => return taken,
            Ok(count) => taken += count,
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_taken_too_slowly_is_given_up() {
    let app = TestApp::empty().await;
    let upload = app.request(axum::http::Method::POST, "/api/v1/files?name=large.bin").header("content-type", "application/octet-stream");
    let file = upload.bytes(vec![7; LARGE]).send().await.expect_status(201).json()["id"].as_str().expect("an id").to_owned();
    let config = WebConfig { least_body_rate: 4_000_000, ..short_limits() };
    let (address, stop, task) = start_with(&app, config).await;
    // Half a megabyte a second, always something: the rate is what is too little.
    let slow = take(address, &app, &file, 8 * 1024, Duration::from_millis(16)).await;
    assert!(slow < LARGE, "{slow} bytes came");
    let fast = take(address, &app, &file, 256 * 1024, Duration::ZERO).await;
    assert!(fast > LARGE, "{fast} bytes came");
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_ends_open_streams_at_once() {
    let config = WebConfig { shutdown_deadline: Duration::from_secs(60), ..WebConfig::default() };
    let app = TestApp::with_config(&[], config.clone()).await;
    let (address, stop, task) = start_with(&app, config.clone()).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = "GET /api/v1/changes HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";
    send(&mut stream, &format!("{head}Authorization: Bearer {}\r\n\r\n", app.token)).await;
    let mut heard = String::new();
    while !heard.contains("retry:") {
        heard.push_str(&read_some(&mut stream).await);
    }
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    assert_eq!(config.streams.count(), 1);
    let _ = stop.send(());
    read_to_end(&mut stream).await;
    tokio::time::timeout(Duration::from_secs(5), task).await.expect("stopped at once").expect("joined").expect("served");
}

#[tokio::test]
async fn an_idle_or_half_sent_connection_gives_way_when_all_are_taken() {
    let app = TestApp::empty().await;
    let config =
        WebConfig { max_connections: 1, keep_alive: Duration::from_secs(60), header_timeout: Duration::from_secs(60), ..short_limits() };
    let (address, stop, task) = start_with(&app, config).await;
    // None of these would end on its own within the minute.
    for text in ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut first = TcpStream::connect(address).await.expect("connected");
        send(&mut first, text).await;
        if text.ends_with("\r\n\r\n") {
            assert!(read_some(&mut first).await.starts_with("HTTP/1.1 200"));
        }
        let mut next = TcpStream::connect(address).await.expect("connected");
        send(&mut next, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(read_some(&mut next).await.starts_with("HTTP/1.1 200"));
        assert_eq!(read_to_end(&mut first).await, "");
    }
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

/// 300 half-sent heads, 300 half-sent bodies of strangers and 300 idle connections: the short form of `tests/run long slow_clients`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_do_not_hold_up_others() {
    let app = TestApp::empty().await;
    let config =
        WebConfig { max_connections: 700, keep_alive: Duration::from_secs(60), header_timeout: Duration::from_secs(60), ..short_limits() };
    let (address, stop, task) = start_with(&app, config).await;
    let mut slow = Vec::new();
    for number in 0..900 {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let text = match number % 3 {
            0 => {
                "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60\r\n\r\nemail="
            }
            1 => "GET /api/v1/records/user HTTP/1.1\r\nHost: local",
            _ => "",
        };
        // More come than there is room for: the oldest have been closed by then.
        let _ = stream.write_all(text.as_bytes()).await;
        slow.push(stream);
    }
    let head = format!("GET /api/v1/records/user HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", app.token);
    let mut stream = TcpStream::connect(address).await.expect("connected");
    for _ in 0..50 {
        send(&mut stream, &head).await;
        assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
    let mut stream = TcpStream::connect(address).await.expect("connected");
    send(&mut stream, "GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
    let _ = stop.send(());
    drop(slow);
    task.await.expect("joined").expect("served");
}

/// The head of a request by the administrator, and the beginning of its body.
fn unfinished_post(app: &TestApp) -> String {
    format!(
        "POST /api/v1/records/user HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        app.token
    )
}

#[tokio::test]
async fn one_actor_alone_cannot_take_all_places() {
    let app = TestApp::with_config(&[], WebConfig { max_running: 4, ..WebConfig::default() }).await;
    let (address, stop, task) = start_with(&app, WebConfig { header_timeout: Duration::from_secs(60), ..short_limits() }).await;
    // Half of the four places wait for bodies that do not come.
    let mut running = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        send(&mut stream, &unfinished_post(&app)).await;
        running.push(stream);
    }
    let refused = loop {
        let answer = app.get("/api/v1/records/user").await;
        if answer.status != 200 {
            break answer;
        }
        // One that was cut off meanwhile, because nothing more came, is replaced.
        let mut stream = TcpStream::connect(address).await.expect("connected");
        send(&mut stream, &unfinished_post(&app)).await;
        running.push(stream);
    };
    assert_eq!(refused.header("retry-after"), "1");
    refused.expect_problem(429, "WEB429");
    // The pages have places of their own, and so have visitors.
    app.request(axum::http::Method::GET, "/sign-in").anonymous().send().await.expect_status(200);
    app.request(axum::http::Method::GET, "/api/v1/records/user").anonymous().send().await.expect_problem(401, "ATH001");
    drop(running);
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

#[tokio::test]
async fn a_full_queue_is_answered_at_once() {
    let app = TestApp::with_config(&[], WebConfig { max_heavy: 1, ..WebConfig::default() }).await;
    let (address, stop, task) = start_with(&app, WebConfig { header_timeout: Duration::from_secs(60), ..short_limits() }).await;
    let head = unfinished_post(&app).replace("/records/user", "/definitions/check");
    let mut clients = Vec::new();
    for _ in 0..9 {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        send(&mut stream, &head).await;
        clients.push(stream);
    }
    // One runs, eight wait; the next is refused.
    loop {
        let text = metrics(address, "").await;
        if text.contains("relata_http_requests_waiting{class=\"heavy\"} 8") {
            break;
        }
        tokio::task::yield_now().await;
    }
    let refused = app.post("/api/v1/definitions/check", serde_json::json!({})).await;
    assert_eq!(refused.header("retry-after"), "1");
    refused.expect_problem(503, "WEB503");
    app.get("/api/v1/records/user").await.expect_status(200);
    assert!(metrics(address, "").await.contains("relata_http_requests_shed_total{class=\"heavy\",reason=\"queue_full\"} 1"));
    drop(clients);
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
}

/// What `/metrics` answers to a request with these further headers.
async fn metrics(address: std::net::SocketAddr, headers: &str) -> String {
    let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
    let mut stream = TcpStream::connect(address).await.expect("connected");
    send(&mut stream, &format!("GET /metrics HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n")).await;
    read_to_end(&mut stream).await
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_the_token() {
    let app = TestApp::empty().await;
    let (address, stop, task) = start(&app, 16).await;
    for headers in ["X-Forwarded-For: 127.0.0.1\r\n", "Forwarded: for=::1\r\n", "Via: 1.1 proxy\r\n", "Host: crm.example.com\r\n"] {
        assert!(metrics(address, headers).await.starts_with("HTTP/1.1 404"), "{headers}");
    }
    // Without a connection of this machine there is nothing either.
    app.get("/metrics").await.expect_problem(404, "WEB404");
    app.get("/api/v1/records/user").await.expect_status(200);
    let text = metrics(address, "").await;
    for line in [
        "relata_http_requests_total{class=\"api\",status=\"2xx\"} 1",
        "relata_http_request_duration_seconds_count{class=\"api\"} 1",
        "relata_http_request_duration_seconds_bucket{class=\"api\",le=\"+Inf\"} 1",
        "relata_panics_total 0",
        "relata_catalog_version 1",
        "# TYPE relata_http_request_duration_seconds histogram",
        "process_resident_memory_bytes ",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("admin@") && !text.contains("/api/"), "{text}");
    let _ = stop.send(());
    task.await.expect("joined").expect("served");

    let app = TestApp::with_config(&[], WebConfig { metrics_token: Some("a-long-random-word".into()), ..WebConfig::default() }).await;
    let ask = |token: &str| app.request(axum::http::Method::GET, "/metrics").token(token);
    ask("another-word-here").send().await.expect_problem(404, "WEB404");
    ask("a-long-random-word").send().await.expect_status(200);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect_it() {
    let app = TestApp::crm().await;
    for path in
        ["/healthz", "/api/v1/records/deal", "/api/v1/nothing", "/sign-in", "/records/deal", "/assets/none/none", "/nothing", "/metrics"]
    {
        let answer = app.get(path).await;
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert!(!answer.header("x-request-id").is_empty() && !answer.header("cache-control").is_empty(), "{path}");
        for word in ["unsafe", "*", "http:"] {
            assert!(!answer.header("content-security-policy").contains(word), "{path}");
        }
    }
}

/// A certificate and its key, as files that only their owner can read.
fn certificate(folder: &std::path::Path, pem: &str, key: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let (certificate, private) = (folder.join("site.pem"), folder.join("site.key"));
    std::fs::write(&certificate, pem).expect("written");
    std::fs::write(&private, key).expect("written");
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o600)).expect("set");
    (certificate, private)
}

const LOCALHOST: (&str, &str) = (include_str!("server/localhost.pem"), include_str!("server/localhost.key"));
const RENEWED: (&str, &str) = (include_str!("server/renewed.pem"), include_str!("server/renewed.key"));

#[tokio::test]
async fn https_is_served_and_a_renewed_certificate_is_taken_up() {
    use relata::outbound::{Allow, Egress, EgressOptions, HttpClient, HttpRequest};
    let app = TestApp::empty().await;
    let folder = std::env::temp_dir().join(format!("relata-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("made");
    let (pem, key) = certificate(&folder, LOCALHOST.0, LOCALHOST.1);
    let tls = web::Tls::open(&pem, &key).expect("a certificate");
    let (address, stop, task) = start_with(&app, WebConfig { tls: Some(tls.clone()), ..short_limits() }).await;
    let url = format!("https://localhost:{}/healthz", address.port());
    let client = |authority: &str| {
        let allow = vec![Allow::parse(&format!("localhost:{}", address.port())).expect("an exception")];
        Egress::new(EgressOptions { allow, authorities_pem: Some(authority.as_bytes().to_vec()) }).expect("a client")
    };
    let answer = client(LOCALHOST.0).send(HttpRequest::get(&url)).await.expect("an answer");
    assert_eq!(answer.status, 200);
    // Somebody else's certificate is not believed, and plain HTTP is not spoken.
    client(RENEWED.0).send(HttpRequest::get(&url)).await.expect_err("another certificate");
    client(LOCALHOST.0).send(HttpRequest::get(url.replace("https", "http"))).await.expect_err("no TLS");
    // A handshake that stalls ends after the header time.
    let mut silent = TcpStream::connect(address).await.expect("connected");
    assert_eq!(read_to_end(&mut silent).await, "");

    assert!(!tls.reload().expect("read"), "nothing has changed");
    std::fs::write(&key, "no key").expect("written");
    tls.reload().expect_err("a broken file");
    assert_eq!(client(LOCALHOST.0).send(HttpRequest::get(&url)).await.expect("the former is used on").status, 200);
    certificate(&folder, RENEWED.0, RENEWED.1);
    assert!(tls.reload().expect("read"), "it has changed");
    assert_eq!(client(RENEWED.0).send(HttpRequest::get(&url)).await.expect("an answer").status, 200);
    let _ = stop.send(());
    task.await.expect("joined").expect("served");
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn a_key_that_everyone_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("relata-tls-open-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("made");
    let (pem, key) = certificate(&folder, LOCALHOST.0, RENEWED.1);
    assert!(web::Tls::open(&pem, &key).expect_err("keys of others").contains("do not fit"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("set");
    assert!(web::Tls::open(&pem, &key).expect_err("readable").contains("chmod 600"));
    let _ = std::fs::remove_dir_all(folder);
}
