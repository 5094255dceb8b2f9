//! What outgoing requests may reach, and what they take.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::egress::Resolve;
use super::{Allow, Egress, EgressOptions, HttpClient, HttpRequest, Network, OutboundError, is_public};

/// Ways to write an address that is not a server on the internet; each is refused before anything is sent.
const REFUSED: [&str; 66] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.255.255.254",
    "127.0.0.1.",
    "0.0.0.0",
    "0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "167772161",
    "0x0a.0.0.1",
    "012.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "169.254.169.254",
    "169.254.0.1",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "0xc0a80001",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "１２７.０.０.１",
    "127。0。0。1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::7f00:1]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2001::1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[3fff::1]",
    "[100::1]",
];

#[tokio::test]
async fn no_way_to_write_an_inner_address_reaches_it() {
    let egress = Egress::new(EgressOptions::default()).expect("a client");
    for host in REFUSED {
        for scheme in ["http", "https"] {
            let error = egress.send(HttpRequest::get(format!("{scheme}://{host}/latest"))).await.expect_err(host);
            assert!(matches!(error, OutboundError::Refused { .. } | OutboundError::BadAddress(_)), "{host}: {error}");
        }
    }
}

#[test]
fn servers_on_the_internet_are_public() {
    for ip in [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "2606:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ] {
        assert!(is_public(ip.parse::<IpAddr>().expect(ip)), "{ip}");
    }
}

/// Names and the addresses they have.
fn names(known: &'static [(&'static str, &'static str)]) -> Resolve {
    Arc::new(move |host| {
        let found = known.iter().filter(|(name, _)| *name == host).map(|(_, ip)| ip.parse().expect("an address")).collect();
        Box::pin(std::future::ready(Ok(found)))
    })
}

#[tokio::test]
async fn a_name_with_one_inner_address_is_refused() {
    let resolve =
        names(&[("both.example", "93.184.216.34"), ("both.example", "10.0.0.7"), ("six.example", "::1"), ("none.example.", "::1")]);
    let egress = Egress::with_resolver(EgressOptions::default(), resolve).expect("a client");
    for url in ["https://both.example/", "http://six.example/", "https://both.example:8443/", "https://SIX.example/"] {
        let error = egress.send(HttpRequest::get(url)).await.expect_err(url);
        assert!(matches!(error, OutboundError::Refused { .. }), "{url}: {error}");
    }
    let error = egress.send(HttpRequest::get("https://unknown.example/")).await.expect_err("unknown");
    assert!(matches!(error, OutboundError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn odd_addresses_are_refused() {
    let egress = Egress::new(EgressOptions::default()).expect("a client");
    for url in
        ["", "example.com", "ftp://example.com/", "file:///etc/passwd", "https://user@example.com/", "https://u:p@example.com/", "https://"]
    {
        let error = egress.send(HttpRequest::get(url)).await.expect_err(url);
        assert!(matches!(error, OutboundError::BadAddress(_)), "{url}: {error}");
    }
}

#[test]
fn exceptions_are_networks_or_hosts_with_a_port() {
    for text in ["", "*", "idp.intern", "idp.intern:0", "idp.intern:x", "http://idp:80", "10.0.0.0/33"] {
        assert_eq!(Allow::parse(text), None, "{text}");
    }
    assert_eq!(Allow::parse("10.0.0.0/8"), Network::parse("10.0.0.0/8").map(Allow::Network));
    assert_eq!(Allow::parse("IdP.intern:8443"), Some(Allow::Host { host: "idp.intern".into(), port: 8443 }));
    assert!(matches!(Allow::parse("[::1]:80"), Some(Allow::Host { .. })));
}

/// A server that answers every connection with `answer` after reading a head; counts connections.
async fn server(answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer).await;
                if answer.is_empty() {
                    let _ = stream.read(&mut head).await;
                }
            });
        }
    });
    (port, count)
}

fn allowing(port: u16) -> Egress {
    let allow = vec![Allow::parse(&format!("inner.example:{port}")).expect("an exception")];
    let resolve = names(&[("inner.example", "127.0.0.1")]);
    Egress::with_resolver(EgressOptions { allow, authorities_pem: None }, resolve).expect("a client")
}

#[tokio::test]
async fn an_allowed_host_is_reached_at_its_port_alone() {
    let (port, count) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\n\r\nhi").await;
    let egress = allowing(port);
    let answer = egress.send(HttpRequest::get(format!("http://inner.example:{port}/a?b=c"))).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice(), answer.header("x-a")), (200, b"hi".as_slice(), Some("b")));
    let error = egress.send(HttpRequest::get(format!("http://127.0.0.1:{port}/"))).await.expect_err("by address");
    assert!(matches!(error, OutboundError::Refused { .. }));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (port, count) = server(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n").await;
    let answer = allowing(port).send(HttpRequest::get(format!("http://inner.example:{port}/"))).await.expect("an answer");
    assert_eq!((answer.status, count.load(Ordering::SeqCst)), (302, 1));
}

#[tokio::test]
async fn a_long_or_slow_answer_is_given_up() {
    let (port, _) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\nhi").await;
    let mut request = HttpRequest::get(format!("http://inner.example:{port}/"));
    request.longest_answer = 100;
    let error = allowing(port).send(request).await.expect_err("too long");
    assert!(matches!(error, OutboundError::TooLong { longest: 100, .. }), "{error}");
    let (port, _) = server(b"").await;
    let mut request = HttpRequest::get(format!("http://inner.example:{port}/"));
    request.time = Duration::from_millis(50);
    let error = allowing(port).send(request).await.expect_err("silent");
    assert!(matches!(error, OutboundError::Timeout { .. }), "{error}");
    let (port, _) = server(b"SSH-2.0-OpenSSH\r\n").await;
    let error = allowing(port).send(HttpRequest::get(format!("http://inner.example:{port}/"))).await.expect_err("not HTTP");
    assert!(matches!(error, OutboundError::BadAnswer { .. }), "{error}");
}

#[test]
fn neither_query_nor_body_is_shown() {
    let request =
        HttpRequest::post_form("https://idp.example/token?secret=1", &[("client_secret", "hush")]).header("authorization", "hush");
    let shown = format!("{request:?}");
    assert!(!shown.contains("secret") && !shown.contains("hush"), "{shown}");
}
