//! The real client: resolve the name, look at every address, connect to one of those very addresses, ask once.
//!
//! No redirects, no proxy from the environment, no connection kept, no compression (a small answer cannot grow). A name
//! that also has one private address is refused: which one a connection would take is not ours to bet on.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::address::is_public;
use super::{Allow, HttpAnswer, HttpClient, HttpMethod, HttpRequest, OutboundError, Sending};

/// Requests under way at the same time, in the whole process.
const AT_ONCE: usize = 64;
/// Ports of web servers; others are allowed by the operator.
const PORTS: [u16; 2] = [80, 443];
/// Longest head of an answer, bytes.
const LONGEST_HEAD: usize = 64 * 1024;
/// Headers that the client alone writes.
const OWN_HEADERS: [&str; 6] = ["host", "content-length", "connection", "transfer-encoding", "upgrade", "te"];

type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
pub(super) type Resolve = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// What the operator decides about outgoing requests.
#[derive(Debug, Clone, Default)]
pub struct EgressOptions {
    pub allow: Vec<Allow>,
    /// Further authorities (PEM) that servers' certificates may come from.
    pub authorities_pem: Option<Vec<u8>>,
}

/// Reaches global unicast addresses at ports 80 and 443, and what the operator allows besides.
pub struct Egress {
    allow: Vec<Allow>,
    tls: TlsConnector,
    resolve: Resolve,
    slots: Semaphore,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Egress(allow: {:?})", self.allow)
    }
}

impl Egress {
    /// # Errors
    /// A sentence when the further authorities cannot be read.
    pub fn new(options: EgressOptions) -> Result<Self, String> {
        let resolve: Resolve =
            Arc::new(|host| Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) }));
        Self::with_resolver(options, resolve)
    }

    pub(super) fn with_resolver(options: EgressOptions, resolve: Resolve) -> Result<Self, String> {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject;
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(pem) = &options.authorities_pem {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| error.to_string())?;
                roots.add(certificate).map_err(|error| error.to_string())?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { allow: options.allow, tls: TlsConnector::from(Arc::new(config)), resolve, slots: Semaphore::new(AT_ONCE) })
    }

    async fn ask(&self, request: &HttpRequest, place: &Place) -> Result<HttpAnswer, OutboundError> {
        let _slot = self.slots.acquire().await.map_err(|_| place.unreachable("the program stops"))?;
        let addresses = self.addresses(place, &PORTS).await?;
        let stream = connect(place, &addresses).await?;
        if !place.tls {
            return exchange(stream, request, place).await;
        }
        let stream = self.wrap(place, stream).await?;
        exchange(stream, request, place).await
    }

    async fn wrap(&self, place: &Place, stream: TcpStream) -> Result<TlsStream<TcpStream>, OutboundError> {
        let name = ServerName::try_from(place.bare_host()).map_err(|_| OutboundError::BadAddress("the host is no name"))?;
        self.tls.connect(name, stream).await.map_err(|error| place.unreachable(&error.to_string()))
    }

    /// A connection to a server of another protocol, under the same rules but for its usual ports.
    pub(super) async fn reach(&self, host: &str, port: u16, ports: &[u16]) -> Result<TcpStream, OutboundError> {
        let place = Place::at(host, port)?;
        let addresses = self.addresses(&place, ports).await?;
        connect(&place, &addresses).await
    }

    /// TLS on such a connection.
    pub(super) async fn protect(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, OutboundError> {
        self.wrap(&Place::at(host, 0)?, stream).await
    }

    /// Where the host is, all of it looked at.
    async fn addresses(&self, place: &Place, ports: &[u16]) -> Result<Vec<SocketAddr>, OutboundError> {
        let refused = || OutboundError::Refused { host: place.host.clone() };
        let named = self.allow.iter().any(|allow| allow.covers_host(&place.bare_host(), place.port));
        if !named && !ports.contains(&place.port) {
            return Err(refused());
        }
        let found = match place.literal {
            Some(ip) => vec![ip],
            None => (self.resolve)(place.host.clone()).await.map_err(|_| place.unreachable("the name is not known"))?,
        };
        if found.is_empty() {
            return Err(place.unreachable("the name has no address"));
        }
        let fits = |ip: IpAddr| named || is_public(ip) || self.allow.iter().any(|allow| allow.covers_address(ip));
        if !found.iter().all(|ip| fits(*ip)) {
            return Err(refused());
        }
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, place.port)).collect())
    }
}

impl HttpClient for Egress {
    fn send(&self, request: HttpRequest) -> Sending<'_> {
        Box::pin(async move {
            let place = Place::of(&request.url)?;
            let timeout = OutboundError::Timeout { host: place.host.clone() };
            tokio::time::timeout(request.time, self.ask(&request, &place)).await.unwrap_or(Err(timeout))
        })
    }
}

/// Whether a text is an address to send requests to. Where it leads is looked at when one is sent.
///
/// # Errors
/// `OUT001`.
pub fn check_address(url: &str) -> Result<(), OutboundError> {
    Place::of(url).map(|_| ())
}

/// What an address says.
struct Place {
    tls: bool,
    /// As the URL writes it, an IPv6 address in brackets.
    host: String,
    literal: Option<IpAddr>,
    port: u16,
    /// Value of `Host`.
    authority: String,
    /// Path and query.
    target: String,
}

impl Place {
    fn of(text: &str) -> Result<Self, OutboundError> {
        // WHATWG's reader knows all ways to write an IPv4 address (`0x7f.1`, `2130706433`, `127.1`) and full-width digits.
        let url = Url::parse(text).map_err(|_| OutboundError::BadAddress("it cannot be read"))?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(OutboundError::BadAddress("it is neither https nor http")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::BadAddress("it contains a user name or password"));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => None,
            None => return Err(OutboundError::BadAddress("it has no host")),
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Ok(Self { tls, host, literal, port, authority, target })
    }

    /// A server of another protocol.
    fn at(host: &str, port: u16) -> Result<Self, OutboundError> {
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        Ok(Self { port, ..Self::of(&format!("http://{bracketed}/"))? })
    }

    fn bare_host(&self) -> String {
        self.host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    fn unreachable(&self, reason: &str) -> OutboundError {
        OutboundError::Unreachable { host: self.host.clone(), reason: reason.to_owned() }
    }

    fn bad(&self, reason: impl ToString) -> OutboundError {
        OutboundError::BadAnswer { host: self.host.clone(), reason: reason.to_string() }
    }
}

async fn connect(place: &Place, addresses: &[SocketAddr]) -> Result<TcpStream, OutboundError> {
    let mut reason = String::from("no address answers");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => reason = error.kind().to_string(),
        }
    }
    Err(place.unreachable(&reason))
}

/// One request and its answer on an open connection.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: &HttpRequest,
    place: &Place,
) -> Result<HttpAnswer, OutboundError> {
    let message = message(request, place)?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|error| place.bad(error))?;
    let asking = async {
        let answer = sender.send_request(message).await.map_err(|error| place.bad(error))?;
        read(answer, request.longest_answer, place).await
    };
    tokio::pin!(asking, connection);
    // The connection is driven here and ends with this future: nothing is left behind when the time is over.
    tokio::select! {
        biased;
        answer = &mut asking => answer,
        ended = &mut connection => match ended {
            Ok(()) => asking.await,
            Err(error) => Err(place.bad(error)),
        },
    }
}

fn message(request: &HttpRequest, place: &Place) -> Result<Request<Full<Bytes>>, OutboundError> {
    let method = match request.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    };
    let mut message = Request::builder()
        .method(method)
        .uri(place.target.as_str())
        .header("host", place.authority.as_str())
        .header("user-agent", concat!("relata/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close")
        .body(Full::new(Bytes::from(request.body.clone())))
        .map_err(|_| OutboundError::BadAddress("it cannot be sent"))?;
    for (name, value) in &request.headers {
        if OWN_HEADERS.contains(&name.as_str()) {
            continue;
        }
        let name = HeaderName::try_from(name.as_str()).map_err(|_| OutboundError::BadAddress("a header has no proper name"))?;
        let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| OutboundError::BadAddress("a header has no proper value"))?;
        value.set_sensitive(true);
        message.headers_mut().append(name, value);
    }
    Ok(message)
}

async fn read(answer: Response<Incoming>, longest: usize, place: &Place) -> Result<HttpAnswer, OutboundError> {
    let too_long = || OutboundError::TooLong { host: place.host.clone(), longest };
    let (head, mut body) = answer.into_parts();
    if hyper::body::Body::size_hint(&body).lower() > longest as u64 {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| place.bad(error))?;
        if let Some(piece) = frame.data_ref() {
            if bytes.len() + piece.len() > longest {
                return Err(too_long());
            }
            bytes.extend_from_slice(piece);
        }
    }
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Ok(HttpAnswer { status: head.status.as_u16(), headers, body: bytes })
}
