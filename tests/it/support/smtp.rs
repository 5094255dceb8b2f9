//! A mail server inside a test, as RFC 5321 has it: greeting, EHLO, STARTTLS, AUTH, one transaction after the other, dots undone.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What came in.
#[derive(Debug, Clone, Default)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    /// The message with its lines ended by `\n`.
    pub message: String,
    /// It came over TLS, by somebody who signed in.
    pub is_protected: bool,
    pub user: Option<String>,
    /// Lines that began with a doubled dot.
    pub stuffed: usize,
}

impl Received {
    /// A header, its lines joined, encoded words read.
    pub fn header(&self, name: &str) -> String {
        let head = self.message.split("\n\n").next().unwrap_or_default().replace("\n ", " ").replace("\n\t", " ");
        let found = head.lines().filter_map(|line| line.split_once(':')).find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| words(value.trim())).unwrap_or_default()
    }

    /// The header as it is written.
    pub fn raw_header(&self, name: &str) -> String {
        let head = self.message.split("\n\n").next().unwrap_or_default().replace("\n ", " ");
        let found = head.lines().filter_map(|line| line.split_once(':')).find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    }

    /// The parts by their type, decoded.
    pub fn parts(&self) -> BTreeMap<String, String> {
        let (head, body) = self.message.split_once("\n\n").unwrap_or((&self.message, ""));
        let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
        match unfolded.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()) {
            None => BTreeMap::from([part(head, body)]),
            Some(boundary) => {
                let line = format!("--{boundary}");
                let pieces = body.split(&line).skip(1).filter(|piece| !piece.starts_with("--"));
                pieces.filter_map(|piece| piece.trim_start_matches('\n').split_once("\n\n")).map(|(head, body)| part(head, body)).collect()
            }
        }
    }
}

fn part(head: &str, body: &str) -> (String, String) {
    let value = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_ascii_lowercase()).unwrap_or_default()
    };
    let kind = value("content-type").split(';').next().unwrap_or_default().to_owned();
    let body = body.strip_suffix('\n').unwrap_or(body);
    let text = match value("content-transfer-encoding").as_str() {
        "base64" => String::from_utf8(STANDARD.decode(body.replace('\n', "")).expect("base64")).expect("UTF-8"),
        "quoted-printable" => quoted(body, false),
        _ => body.to_owned(),
    };
    (kind, text.replace("\r\n", "\n"))
}

fn quoted(text: &str, in_header: bool) -> String {
    let text = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'=' => {
                let pair = [rest.next().expect("a digit"), rest.next().expect("a digit")];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).expect("ASCII"), 16).expect("hex"));
            }
            b'_' if in_header => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// Encoded words of a header (RFC 2047): white space between two of them is none.
fn words(value: &str) -> String {
    let mut out = String::new();
    let mut was_encoded = false;
    for word in value.split(' ') {
        let encoded = word.strip_prefix("=?").and_then(|rest| rest.strip_suffix("?="));
        let decoded = encoded.and_then(|rest| {
            let mut parts = rest.splitn(3, '?');
            let (charset, kind, text) = (parts.next()?, parts.next()?, parts.next()?);
            assert!(charset.eq_ignore_ascii_case("utf-8"), "{word}");
            assert!(word.len() <= 75, "an encoded word is at most 75 characters long: {word}");
            Some(if kind.eq_ignore_ascii_case("b") {
                String::from_utf8(STANDARD.decode(text).expect("base64")).expect("each word is whole UTF-8")
            } else {
                quoted(text, true)
            })
        });
        let is_joined = was_encoded && decoded.is_some();
        if !(out.is_empty() || is_joined) {
            out.push(' ');
        }
        was_encoded = decoded.is_some();
        out.push_str(decoded.as_deref().unwrap_or(word));
    }
    out
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Received>>,
    /// What is answered to a recipient instead of yes, and to whatever else, by the first word of a command.
    answers: Mutex<BTreeMap<String, String>>,
    /// It takes a message and goes away before it says so.
    is_rude: AtomicBool,
}

/// The server. It ends with the test.
pub struct MailServer {
    pub port: u16,
    shared: Arc<Shared>,
}

pub const USER: &str = "crm";
pub const PASSWORD: &str = "open sesame, this is long";

impl MailServer {
    /// `has_tls`: it offers STARTTLS, and takes a password only then.
    pub async fn listen(has_tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let state = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move {
                    let tls = has_tls.then(acceptor);
                    let (reader, mut writer) = stream.into_split();
                    let mut reader = BufReader::new(reader);
                    let greeted = writer.write_all(b"220 mail.example.com ESMTP\r\n").await.is_ok();
                    if greeted
                        && talk(&mut reader, &mut writer, &state, tls.is_some(), false).await
                        && let Some(tls) = tls
                    {
                        let stream = reader.into_inner().reunite(writer).expect("the same stream");
                        let Ok(stream) = tls.accept(stream).await else { return };
                        let (reader, mut writer) = tokio::io::split(stream);
                        talk(&mut BufReader::new(reader), &mut writer, &state, false, true).await;
                    }
                });
            }
        });
        Self { port, shared }
    }

    /// Answers a command (`RCPT`, `DATA`, `.` for the end of a message) so from now on; empty: as usual.
    pub fn answer(&self, command: &str, answer: &str) {
        let mut answers = self.shared.answers.lock().expect("a lock");
        match answer {
            "" => answers.remove(command),
            answer => answers.insert(command.to_owned(), answer.to_owned()),
        };
    }

    pub fn be_rude(&self, is_rude: bool) {
        self.shared.is_rude.store(is_rude, Ordering::SeqCst);
    }

    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.shared.seen.lock().expect("a lock"))
    }
}

fn acceptor() -> TlsAcceptor {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server/");
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(format!("{folder}localhost.pem")).expect("a file").map(|one| one.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_file(format!("{folder}localhost.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).expect("a certificate with its key")))
}

/// Speaks with one client; `true`: it wants TLS now.
async fn talk(
    reader: &mut (impl AsyncBufReadExt + AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    state: &Shared,
    offers_tls: bool,
    is_protected: bool,
) -> bool {
    let mut mail = Received { is_protected, ..Received::default() };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await.unwrap_or(0) == 0 {
            return false;
        }
        assert!(line.ends_with("\r\n"), "each line ends with both: {line:?}");
        let line = line.trim_end().to_owned();
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let fixed = state.answers.lock().expect("a lock").get(&word).cloned();
        let answer = match (fixed, word.as_str()) {
            (Some(fixed), _) => fixed,
            (None, "EHLO") => {
                let more = if offers_tls { "250-STARTTLS\r\n" } else { "250-AUTH PLAIN LOGIN\r\n" };
                format!("250-mail.example.com\r\n{more}250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
            }
            (None, "STARTTLS") if offers_tls => {
                let _ = writer.write_all(b"220 2.0.0 begin\r\n").await;
                return true;
            }
            (None, "AUTH") => {
                let given = STANDARD.decode(line.rsplit(' ').next().unwrap_or_default()).unwrap_or_default();
                let wanted = format!("\0{USER}\0{PASSWORD}");
                if given == wanted.as_bytes() {
                    mail.user = Some(USER.to_owned());
                    "235 2.7.0 welcome".to_owned()
                } else {
                    "535 5.7.8 who are you?".to_owned()
                }
            }
            (None, "MAIL") => {
                mail.from = inner(&line);
                "250 2.1.0 go on".to_owned()
            }
            (None, "RCPT") => {
                mail.to.push(inner(&line));
                "250 2.1.5 go on".to_owned()
            }
            (None, "DATA") => {
                let _ = writer.write_all(b"354 end with a dot\r\n").await;
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).await.unwrap_or(0) == 0 {
                        return false;
                    }
                    assert!(line.len() <= 1_000, "a line has at most 998 characters");
                    let line = line.strip_suffix("\r\n").expect("each line ends with both");
                    if line == "." {
                        break;
                    }
                    let line = match line.strip_prefix('.') {
                        Some(rest) => {
                            assert!(rest.starts_with('.'), "a dot at the beginning is doubled: {line:?}");
                            mail.stuffed += 1;
                            rest
                        }
                        None => line,
                    };
                    mail.message.push_str(line);
                    mail.message.push('\n');
                }
                match state.answers.lock().expect("a lock").get(".").cloned() {
                    Some(fixed) => fixed,
                    None => {
                        state.seen.lock().expect("a lock").push(mail.clone());
                        if state.is_rude.load(Ordering::SeqCst) {
                            return false;
                        }
                        "250 2.0.0 taken".to_owned()
                    }
                }
            }
            (None, "QUIT") => {
                let _ = writer.write_all(b"221 2.0.0 bye\r\n").await;
                return false;
            }
            _ => "502 5.5.1 what?".to_owned(),
        };
        if writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return false;
        }
    }
}

fn inner(line: &str) -> String {
    line.split('<').nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default().to_owned()
}
