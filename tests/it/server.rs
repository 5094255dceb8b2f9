//! The accept loop on a real socket: what stalls is closed, what runs may end.

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
    let config = WebConfig {
        header_timeout: Duration::from_millis(300),
        keep_alive: Duration::from_millis(900),
        shutdown_deadline: Duration::from_secs(2),
        max_connections,
        ..WebConfig::default()
    };
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
