//! E-mail over SMTP: one message, one connection, one recipient. The server is reached under the rules of all outgoing
//! requests; a message that is sent again is the same to the byte, with the same `Message-ID`.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Egress, EgressOptions, OutboundError};
use crate::base::DateTime;

/// Ports of mail servers; others are allowed by the operator.
const PORTS: [u16; 3] = [25, 465, 587];
/// How long one message may take.
const TIME: Duration = Duration::from_secs(60);
/// Longest answer of a server that is kept.
const LONGEST_ANSWER: usize = 200;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS is asked for at the beginning, and nothing is sent without it.
    StartTls,
    /// Nothing.
    Plain,
}

/// What the operator decides about e-mail.
#[derive(Clone)]
pub struct MailOptions {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// User name and password at the server.
    pub credentials: Option<(String, String)>,
    /// `Relata <crm@example.com>`.
    pub from: String,
    pub reply_to: Option<String>,
    /// Messages of a minute, of all processes.
    pub per_minute: u32,
}

/// Neither user name nor password is shown.
impl std::fmt::Debug for MailOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MailOptions({}:{}, {:?})", self.host, self.port, self.security)
    }
}

/// A message to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// `Message-ID` without brackets: made once for all attempts.
    pub id: String,
    pub written_at: DateTime,
    /// Empty where only the address is known.
    pub name: String,
    pub address: String,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

/// Who is written to, and what, is nobody's business in a log.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.id)
    }
}

/// Why a message did not go out. The texts hold no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailFault {
    /// It may go better later: the server is not there, is busy, or does not take what this workspace says of itself.
    #[error("{text}")]
    Later { code: Option<u16>, text: String },
    /// The server will never take anything for this address.
    #[error("{text}")]
    Address { code: Option<u16>, text: String },
    /// The server will never take this message.
    #[error("{text}")]
    Content { code: Option<u16>, text: String },
}

impl MailFault {
    /// What the server answered.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Later { code, .. } | Self::Address { code, .. } | Self::Content { code, .. } => *code,
        }
    }
}

/// Whether somebody can be written to at this address.
pub fn is_address(text: &str) -> bool {
    text.len() <= 254 && text.parse::<Address>().is_ok()
}

/// Sends messages through one server.
pub struct Mailer {
    options: MailOptions,
    egress: Egress,
    tls: TlsParameters,
    hello: ClientId,
    from: Mailbox,
    reply_to: Option<Mailbox>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.options.fmt(f)
    }
}

impl Mailer {
    /// # Errors
    /// A sentence about an address that is none, or authorities that cannot be read.
    pub fn new(options: MailOptions, egress: EgressOptions) -> Result<Self, String> {
        let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|_| format!("`{text}` is no address to write from"));
        let from = mailbox(&options.from)?;
        let reply_to = options.reply_to.as_deref().map(mailbox).transpose()?;
        let mut tls = TlsParameters::builder(options.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
        if let Some(pem) = &egress.authorities_pem {
            tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(|error| error.to_string())?);
        }
        let tls = tls.build_rustls().map_err(|error| error.to_string())?;
        let hello = ClientId::Domain(from.email.domain().to_owned());
        Ok(Self { egress: Egress::new(egress)?, tls, hello, from, reply_to, options })
    }

    pub fn per_minute(&self) -> u32 {
        self.options.per_minute
    }

    /// What stands behind the `@` of a `Message-ID`.
    pub fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// The message as it goes over the line, before dots are doubled.
    ///
    /// # Errors
    /// [`MailFault::Address`] for an address that is none, [`MailFault::Content`] for what cannot be written down.
    pub fn write(&self, letter: &Letter) -> Result<Vec<u8>, MailFault> {
        self.message(letter).map(|message| message.formatted())
    }

    fn message(&self, letter: &Letter) -> Result<Message, MailFault> {
        let no_address = || MailFault::Address { code: None, text: "this is no address of an e-mail".to_owned() };
        let address: Address =
            Some(letter.address.as_str()).filter(|text| is_address(text)).and_then(|text| text.parse().ok()).ok_or_else(no_address)?;
        let name = Some(one_line(&letter.name)).filter(|name| !name.is_empty());
        let written_at = UNIX_EPOCH + Duration::from_micros(u64::try_from(letter.written_at.0).unwrap_or(0));
        let mut builder = Message::builder()
            .message_id(Some(format!("<{}>", letter.id)))
            .date(written_at)
            .from(self.from.clone())
            .to(Mailbox::new(name, address))
            .subject(one_line(&letter.subject))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let part = |kind: ContentType, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
        let plain = part(ContentType::TEXT_PLAIN, &letter.text);
        let made = match &letter.html {
            None => builder.singlepart(plain),
            Some(html) => {
                // The same in each attempt.
                let boundary = format!("=_{}", letter.id.split('@').next().unwrap_or("relata"));
                let both = MultiPart::alternative().boundary(boundary).singlepart(plain);
                builder.multipart(both.singlepart(part(ContentType::TEXT_HTML, html)))
            }
        };
        made.map_err(|error| MailFault::Content { code: None, text: error.to_string() })
    }

    /// Sends a message. Where this says yes the server has taken it.
    ///
    /// # Errors
    /// See [`MailFault`].
    pub async fn send(&self, letter: &Letter) -> Result<(), MailFault> {
        let message = self.message(letter)?;
        let slow = MailFault::Later { code: None, text: format!("`{}` takes too long to answer", self.options.host) };
        tokio::time::timeout(TIME, self.deliver(&message, letter)).await.unwrap_or(Err(slow))
    }

    async fn deliver(&self, message: &Message, letter: &Letter) -> Result<(), MailFault> {
        let said = Said { address: &letter.address };
        let mut connection = self.connect(&said).await?;
        let mut parameters = Vec::new();
        let envelope = message.envelope();
        if !letter.address.is_ascii() || !self.from.email.to_string().is_ascii() {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let text = "the mail server takes no addresses with letters beyond ASCII".to_owned();
                return Err(MailFault::Content { code: None, text });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let sent = async {
            // What a server says of the sender, it says of this workspace: the message can wait until that is mended.
            connection.command(Mail::new(envelope.from().cloned(), parameters)).await.map_err(|error| said.later(&error))?;
            for address in envelope.to() {
                connection.command(Rcpt::new(address.clone(), Vec::new())).await.map_err(|error| said.of_address(&error))?;
            }
            connection.command(Data).await.map_err(|error| said.of_content(&error))?;
            connection.message(&message.formatted()).await.map_err(|error| said.of_content(&error))
        };
        let sent = sent.await;
        // It is taken, or it is not: what is said in parting changes nothing.
        let _ = connection.quit().await;
        sent.map(|_| ())
    }

    async fn connect(&self, said: &Said<'_>) -> Result<AsyncSmtpConnection, MailFault> {
        let later = |error: OutboundError| MailFault::Later { code: None, text: error.to_string() };
        let MailOptions { host, port, security, credentials, .. } = &self.options;
        let stream = self.egress.reach(host, *port, &PORTS).await.map_err(later)?;
        let stream: Box<dyn AsyncTokioStream> = match security {
            Security::Tls => Box::new(Protected(self.egress.protect(host, stream).await.map_err(later)?)),
            Security::StartTls | Security::Plain => Box::new(stream),
        };
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await.map_err(|error| said.later(&error))?;
        if *security == Security::StartTls {
            connection.starttls(self.tls.clone(), &self.hello).await.map_err(|error| said.later(&error))?;
        }
        if let Some((user, password)) = credentials {
            let credentials = Credentials::new(user.clone(), password.clone());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(|error| said.later(&error))?;
        }
        Ok(connection)
    }
}

/// What a server said about a message to an address, which is left out of it.
struct Said<'a> {
    address: &'a str,
}

impl Said<'_> {
    fn text(&self, error: &SmtpError) -> (Option<u16>, String) {
        let mut text = error.to_string().replace(self.address, "(address)");
        if let Some((local, _)) = self.address.split_once('@').filter(|(local, _)| local.len() > 2) {
            text = text.replace(local, "(address)");
        }
        (error.status().map(u16::from), one_line(&text).chars().take(LONGEST_ANSWER).collect())
    }

    fn later(&self, error: &SmtpError) -> MailFault {
        let (code, text) = self.text(error);
        MailFault::Later { code, text }
    }

    fn of_address(&self, error: &SmtpError) -> MailFault {
        let (code, text) = self.text(error);
        match code {
            // No such mailbox, moved, not a mailbox, none here: it will never be another.
            Some(550 | 551 | 553 | 556) => MailFault::Address { code, text },
            Some(500..=599) => MailFault::Content { code, text },
            _ => MailFault::Later { code, text },
        }
    }

    fn of_content(&self, error: &SmtpError) -> MailFault {
        let (code, text) = self.text(error);
        if error.is_permanent() { MailFault::Content { code, text } } else { MailFault::Later { code, text } }
    }
}

/// Without what would begin another line of a message's head.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}'))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A connection with TLS from the first byte.
#[derive(Debug)]
struct Protected(TlsStream<TcpStream>);

impl AsyncTokioStream for Protected {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Protected {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Protected {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        let options = MailOptions {
            host: "127.0.0.1".into(),
            port: 25,
            security: Security::Plain,
            credentials: None,
            from: "林檎 <crm@example.com>".into(),
            reply_to: Some("help@example.com".into()),
            per_minute: 60,
        };
        Mailer::new(options, EgressOptions::default()).expect("a mailer")
    }

    fn letter() -> Letter {
        Letter {
            id: "mail_1@example.com".into(),
            written_at: DateTime::parse("2026-11-21T08:00:00Z").expect("a moment"),
            name: "李雷".into(),
            address: "lilei@example.org".into(),
            subject: "报价 — 第三版".into(),
            text: "您好\n.\n再见".into(),
            html: Some("<p>您好</p>".into()),
        }
    }

    #[test]
    fn nothing_of_a_message_begins_another_header() {
        let mut odd = letter();
        odd.subject = "Hello\r\nBcc: everybody@example.org".into();
        odd.name = "Ada\nBcc: everybody@example.org".into();
        let text = String::from_utf8(mailer().write(&odd).expect("a message")).expect("ASCII");
        let head = text.split("\r\n\r\n").next().expect("a head");
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        for address in
            ["", "a", "a@b\r\nBcc: c@d", "a@b>\r\nRCPT TO:<c@d", "a b@example.org", "<a@example.org>", "a@example.org, b@example.org"]
        {
            odd.address = address.into();
            assert!(matches!(mailer().write(&odd), Err(MailFault::Address { .. })), "{address}");
        }
    }

    #[test]
    fn a_message_is_the_same_each_time_and_plain_ascii() {
        let (one, other) = (mailer().write(&letter()).expect("a message"), mailer().write(&letter()).expect("a message"));
        assert_eq!(one, other);
        assert!(one.is_ascii());
        let text = String::from_utf8(one).expect("ASCII");
        for part in [
            "Message-ID: <mail_1@example.com>",
            "Date: Sat, 21 Nov 2026 08:00:00 +0000",
            "Reply-To: help@example.com",
            "Auto-Submitted: auto-generated",
            "multipart/alternative",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[tokio::test]
    async fn a_server_of_the_own_network_is_reached_only_where_the_operator_allows_it() {
        let fault = mailer().send(&letter()).await.expect_err("refused");
        assert!(fault.to_string().contains("may not be reached"), "{fault}");
    }
}
