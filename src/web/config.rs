//! What the operator decides about the server's outside: its address, proxies and limits.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::meters::Meters;
use super::streams::Streams;
use super::tls::Tls;

pub use crate::outbound::Network;

/// Settings of the web server; made by `app` from the configuration.
#[derive(Debug, Clone)]
pub struct WebConfig {
    pub public_url: PublicUrl,
    /// Networks whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are believed.
    pub trusted_proxies: Vec<Network>,
    /// Largest JSON body, bytes.
    pub body_limit_bytes: usize,
    /// Largest uploaded file, bytes; a field may ask for less.
    pub upload_limit_bytes: usize,
    pub max_connections: usize,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long a request's head may take to arrive, and a body to make progress.
    pub header_timeout: Duration,
    /// Least rate at which a body has to come in the long run, bytes a second.
    pub least_body_rate: u32,
    /// API requests at work at the same time, and as many pages; further ones wait shortly or are refused.
    pub max_running: usize,
    /// The same for requests that take long or much memory.
    pub max_heavy: usize,
    /// A certificate of our own; `None` serves plain HTTP.
    pub tls: Option<Tls>,
    /// Who may read `/metrics` from elsewhere; without one, only this machine.
    pub metrics_token: Option<String>,
    /// What the accept loop and the router count.
    pub meters: Arc<Meters>,
    /// Event streams that are open.
    pub streams: Arc<Streams>,
    /// How long running requests may go on after the stop signal.
    pub shutdown_deadline: Duration,
    /// Where uploaded files lie.
    pub files_dir: std::path::PathBuf,
    /// Written on sign-in pages and `/healthz`.
    pub version: &'static str,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            public_url: PublicUrl::parse("http://localhost:8080").unwrap_or_else(PublicUrl::loopback),
            trusted_proxies: Vec::new(),
            body_limit_bytes: 2 * 1024 * 1024,
            upload_limit_bytes: 32 * 1024 * 1024,
            max_connections: 16_384,
            keep_alive: Duration::from_secs(60),
            header_timeout: Duration::from_secs(10),
            least_body_rate: 500,
            max_running: 1024,
            max_heavy: 16,
            tls: None,
            metrics_token: None,
            meters: Arc::default(),
            streams: Arc::default(),
            shutdown_deadline: Duration::from_secs(10),
            files_dir: std::path::PathBuf::from("relata-data/files"),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// The address people type: scheme, host and port, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    pub https: bool,
    /// Host in lower case, without the port.
    pub host: String,
    /// As a browser's `Origin` says it: `https://crm.example.com`, the port only when it is not the scheme's.
    pub origin: String,
}

impl PublicUrl {
    fn loopback() -> Self {
        Self { https: false, host: "localhost".into(), origin: "http://localhost:8080".into() }
    }

    /// Reads `http://host[:port][/]` or `https://…`; a path, query or user is refused.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let (https, authority) = match lower.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ', '\\']) {
            return None;
        }
        let (host, port) = split_port(authority)?;
        let default = if https { 443 } else { 80 };
        let scheme = if https { "https" } else { "http" };
        let origin = match port {
            Some(port) if port != default => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Some(Self { https, host: host.to_owned(), origin })
    }

    /// A link to a path of this site: `path` starts with `/`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// This machine only: `localhost`, 127.0.0.0/8 or ::1.
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }
}

/// Splits `host:port`, with brackets around an IPv6 address.
pub(crate) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    if authority.starts_with('[') {
        let end = authority.find(']')?;
        let (host, rest) = authority.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None if rest.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((host, port)) if !host.is_empty() => Some((host, Some(port.parse().ok()?))),
        Some(_) => None,
        None => Some((authority, None)),
    }
}

/// Whether a host name can only mean this machine.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
