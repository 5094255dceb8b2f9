//! Configuration: arguments win over the environment, the environment over the file, the file over defaults.

mod mail;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

use super::AppError;
use crate::auth::{Provider, SessionLimits};
use crate::cli::{Definitions, Globals, Log, LogFormat, ServeArgs};
use crate::deploy::Folders;
use crate::outbound::mail::MailOptions;
use crate::outbound::{Allow, EgressOptions};
use crate::schema::diagnostic::nearest;
use crate::store::Target;
use crate::web::{Network, PublicUrl, Tls, WebConfig};

/// File read when `--config` names none.
const DEFAULT_FILE: &str = "relata-server.yaml";

/// Keys of the configuration file with their meaning, in the order `doctor` prints them.
const KEYS: [(&str, &str); 44] = [
    ("listen", "address to listen on"),
    ("public_url", "address people use"),
    ("data", "folder of the embedded database, files and keys"),
    ("keys", "folder of the workspace's keys"),
    ("audit_anchors", "file to which the end of the audit's chain is written each hour"),
    ("database_url", "PostgreSQL instead of the embedded database"),
    ("definitions", "folder of definitions"),
    ("behind_proxy", "networks of proxies whose forwarding headers are believed"),
    ("log", "log level"),
    ("log_format", "text or json"),
    ("max_body_mb", "largest request body, in megabytes"),
    ("max_upload_mb", "largest uploaded file, in megabytes"),
    ("max_connections", "connections open at the same time"),
    ("shutdown_seconds", "how long running requests may take to end"),
    ("postgres_connections", "PostgreSQL connections of this process"),
    ("statement_seconds", "how long a reading statement may take"),
    ("job_workers", "jobs done at the same time in this process"),
    ("events_kept_days", "days the feed of changes goes back"),
    ("max_running_requests", "API requests at work at the same time, and as many pages"),
    ("max_heavy_requests", "uploads, definitions, imports and exports at work at the same time"),
    ("tls_certificate", "PEM file of the certificate with its chain; without it plain HTTP is served"),
    ("tls_key", "PEM file of the certificate's private key"),
    ("metrics_token_file", "file with the token that may read /metrics from elsewhere"),
    ("session_idle_minutes", "a session ends after this time without a request"),
    ("session_hours", "a session ends after this time in any case"),
    ("egress_allow", "hosts and networks that outgoing requests may reach besides the internet"),
    ("egress_authorities", "PEM file of further authorities for outgoing requests"),
    ("mail_host", "server that e-mail leaves through; without one none is sent"),
    ("mail_port", "its port"),
    ("mail_security", "starttls, tls (from the first byte) or none"),
    ("mail_user", "name of this workspace at the mail server"),
    ("mail_password_file", "file with its password"),
    ("mail_from", "who e-mail is from, Sales <crm@example.com>"),
    ("mail_reply_to", "where answers go"),
    ("mail_per_minute", "e-mails of one minute, of all processes"),
    ("oidc_issuer", "identity provider of single sign-on, as it writes itself"),
    ("oidc_name", "what the button for single sign-on says"),
    ("oidc_client_id", "name of this workspace at the identity provider"),
    ("oidc_client_secret_file", "file with the secret shared with the identity provider"),
    ("oidc_hosts", "hosts the identity provider may name besides its own"),
    ("oidc_roles_claim", "claim of the identity provider that lists groups"),
    ("oidc_roles", "a group's name and the role it gives, written group=role"),
    ("oidc_create", "make people for verified addresses that nobody has: yes or no"),
    ("oidc_plain_http", "let the identity provider of a test speak plain HTTP on this machine: yes or no"),
];

/// Everything an operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file read, if any.
    pub file: Option<PathBuf>,
    pub listen: String,
    pub data: PathBuf,
    /// Folder of keys.
    pub keys: PathBuf,
    /// Where the end of the audit's chain is put down.
    pub audit_anchors: Option<PathBuf>,
    pub target: Target,
    pub folders: Folders,
    pub log: Log,
    pub web: WebConfig,
    pub postgres_connections: u32,
    /// How long a reading statement may take.
    pub longest_read: Duration,
    pub job_workers: usize,
    pub events_kept: Duration,
    pub egress: EgressOptions,
    /// `None`: no e-mail is sent.
    pub mail: Option<MailOptions>,
    pub provider: Option<Provider>,
    pub sessions: SessionLimits,
    /// Where each value comes from: key, value as shown (secrets hidden), source.
    pub shown: Vec<(String, String, &'static str)>,
}

impl Config {
    /// Puts the configuration together for a command.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a value that makes no sense.
    pub fn load(globals: &Globals, serve: Option<&ServeArgs>, definitions: &Definitions) -> Result<Self, AppError> {
        let workspace = PathBuf::from(".");
        let (file, values) = read_file(globals.config.as_deref())?;
        let mut source = Source { values, shown: Vec::new() };
        let serve_text = |pick: fn(&ServeArgs) -> Option<String>| serve.and_then(pick);

        let listen = source.text("listen", serve_text(|s| s.listen.clone()), "127.0.0.1:8080")?;
        let port = listen.rsplit_once(':').map_or("8080", |(_, port)| port).to_owned();
        let certificate =
            source.text("tls_certificate", serve_text(|s| s.tls_certificate.as_ref().map(|p| p.display().to_string())), "")?;
        let key = source.text("tls_key", serve_text(|s| s.tls_key.as_ref().map(|p| p.display().to_string())), "")?;
        let scheme = if certificate.is_empty() { "http" } else { "https" };
        let public_url = source.text("public_url", serve_text(|s| s.public_url.clone()), &format!("{scheme}://localhost:{port}"))?;
        let data = PathBuf::from(source.text("data", globals.data.as_ref().map(|p| p.display().to_string()), "./relata-data")?);
        let keys = PathBuf::from(source.text("keys", None, &data.join("keys").display().to_string())?);
        let audit_anchors = Some(source.text("audit_anchors", None, "")?).filter(|path| !path.is_empty()).map(PathBuf::from);
        let database_url = source.text("database_url", globals.database_url.clone(), "")?;
        let definitions = source.text("definitions", definitions.definitions.as_ref().map(|p| p.display().to_string()), "./definitions")?;
        let proxies = serve.filter(|s| !s.behind_proxy.is_empty()).map(|s| s.behind_proxy.join(","));
        let proxies = source.text("behind_proxy", proxies, "")?;
        let level = source.text("log", globals.log.clone(), "info")?;
        let format = source.text("log_format", globals.log_format.map(|f| format!("{f:?}").to_lowercase()), "text")?;
        let max_body = source.number("max_body_mb", 4, 1, 1024)?;
        let max_upload = source.number("max_upload_mb", 50, 1, 10_240)?;
        let max_connections = source.number("max_connections", 16_384, 1, 1_000_000)?;
        let max_running = source.number("max_running_requests", 1024, 2, 100_000)?;
        let max_heavy = source.number("max_heavy_requests", 16, 1, 10_000)?;
        let metrics_token = secret_file("metrics_token_file", &source.text("metrics_token_file", None, "")?, 16)?;
        let shutdown = source.number("shutdown_seconds", 10, 0, 3600)?;
        let postgres_connections = source.number("postgres_connections", 16, 1, 1000)?;
        let longest_read = Duration::from_secs(source.number("statement_seconds", 30, 1, 3600)? as u64);
        let job_workers = source.number("job_workers", 4, 1, 256)?;
        let events_kept_days = source.number("events_kept_days", 30, 1, 36_500)?;

        let idle = source.number("session_idle_minutes", 12 * 60, 1, 60 * 24 * 365)? as u64;
        let longest = source.number("session_hours", 7 * 24, 1, 24 * 365)? as u64;
        let sessions = SessionLimits { idle: Duration::from_secs(idle * 60), longest: Duration::from_secs(longest * 3600) };

        let egress = egress(&source.text("egress_allow", None, "")?, &source.text("egress_authorities", None, "")?)?;

        let mail = mail::read(&mut source)?;

        let provider = provider(&mut source)?;

        let log_format = match format.as_str() {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            other => return Err(bad("log_format", format!("`{other}` is no log format"), "write text or json")),
        };
        let public = PublicUrl::parse(&public_url)
            .ok_or_else(|| bad("public_url", format!("`{public_url}` is no address of a site"), "write it like https://crm.example.com"))?;
        let trusted = networks(&proxies)?;
        let tls = match serve {
            Some(_) => tls(&certificate, &key)?,
            None => None,
        };
        refuse_plain_http(&listen, !trusted.is_empty() || !certificate.is_empty())?;
        let target = if database_url.is_empty() {
            Target::Sqlite { path: data.clone() }
        } else if database_url.starts_with("postgres://") || database_url.starts_with("postgresql://") {
            Target::Postgres { url: database_url, schema: None }
        } else {
            return Err(bad(
                "database_url",
                "it does not begin with postgres://",
                "write postgres://user:password@host/database, or leave it out for SQLite",
            ));
        };
        let web = WebConfig {
            public_url: public,
            trusted_proxies: trusted,
            body_limit_bytes: max_body * 1024 * 1024,
            upload_limit_bytes: max_upload * 1024 * 1024,
            max_connections,
            max_running,
            max_heavy,
            tls,
            metrics_token,
            shutdown_deadline: Duration::from_secs(shutdown as u64),
            files_dir: data.join("files"),
            ..WebConfig::default()
        };
        Ok(Self {
            file,
            listen,
            target,
            folders: Folders::new(workspace, Some(PathBuf::from(definitions))),
            data,
            keys,
            audit_anchors,
            log: Log { level, format: log_format },
            web,
            longest_read,
            postgres_connections: u32::try_from(postgres_connections).unwrap_or(16),
            job_workers,
            events_kept: Duration::from_secs(events_kept_days as u64 * 86_400),
            egress,
            mail,
            provider,
            sessions,
            shown: source.shown,
        })
    }

    /// Uploaded files of a PostgreSQL workspace lie in the data folder too.
    pub fn files(&self) -> PathBuf {
        self.data.join("files")
    }
}

/// Plain HTTP beyond this machine would show passwords to everyone on the way.
fn refuse_plain_http(listen: &str, is_covered: bool) -> Result<(), AppError> {
    let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let local = bare.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if local || is_covered {
        return Ok(());
    }
    Err(bad(
        "listen",
        format!("`{listen}` would serve plain HTTP beyond this machine"),
        "give a certificate (--tls-certificate, --tls-key), or listen on 127.0.0.1 behind a proxy that speaks HTTPS, or name the proxy's network with --behind-proxy",
    ))
}

/// The identity provider of single sign-on, if one is named.
fn provider(source: &mut Source) -> Result<Option<Provider>, AppError> {
    let issuer = source.text("oidc_issuer", None, "")?;
    let name = source.text("oidc_name", None, "")?;
    let client_id = source.text("oidc_client_id", None, "")?;
    let client_secret = secret_file("oidc_client_secret_file", &source.text("oidc_client_secret_file", None, "")?, 16)?.unwrap_or_default();
    let hosts = source.text("oidc_hosts", None, "")?;
    let roles_claim = source.text("oidc_roles_claim", None, "groups")?;
    let roles = source.text("oidc_roles", None, "")?;
    let creates_people = yes_or_no("oidc_create", &source.text("oidc_create", None, "no")?)?;
    let plain = yes_or_no("oidc_plain_http", &source.text("oidc_plain_http", None, "no")?)?;
    if issuer.is_empty() {
        return Ok(None);
    }
    let host = issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://").filter(|host| plain && is_local(host)));
    if host.is_none_or(str::is_empty) || issuer.contains(['?', '#', '@', ' ']) {
        return Err(bad(
            "oidc_issuer",
            format!("`{issuer}` is no issuer"),
            "write it as the provider does, for example https://login.example.com",
        ));
    }
    if client_id.is_empty() {
        return Err(bad("oidc_client_id", "it is missing", "the provider gives it when this workspace is registered there"));
    }
    let mut mapped = std::collections::BTreeMap::new();
    for pair in parts(&roles) {
        let (group, role) = pair
            .rsplit_once('=')
            .filter(|(group, role)| !group.trim().is_empty() && !role.trim().is_empty())
            .ok_or_else(|| bad("oidc_roles", format!("`{pair}` is no pair"), "write crm-admins=admin, crm-users=user"))?;
        mapped.insert(group.trim().to_owned(), role.trim().to_owned());
    }
    let name = if name.is_empty() { host.unwrap_or_default().split(['/', ':']).next().unwrap_or_default().to_owned() } else { name };
    let hosts = parts(&hosts).map(str::to_owned).collect();
    Ok(Some(Provider { name, issuer, client_id, client_secret, hosts, roles_claim, roles: mapped, creates_people }))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn is_local(authority: &str) -> bool {
    let host = authority.split('/').next().unwrap_or("");
    host.starts_with("127.0.0.1:") || host.starts_with("localhost:") || host.starts_with("[::1]:")
}

fn yes_or_no(key: &str, text: &str) -> Result<bool, AppError> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" | "" => Ok(false),
        other => Err(bad(key, format!("`{other}` is neither yes nor no"), "write yes or no")),
    }
}

fn networks(text: &str) -> Result<Vec<Network>, AppError> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            Network::parse(part)
                .ok_or_else(|| bad("behind_proxy", format!("`{part}` is no network"), "write addresses or blocks, for example 10.0.0.0/8"))
        })
        .collect()
}

/// The certificate, when both files are named.
fn tls(certificate: &str, key: &str) -> Result<Option<Tls>, AppError> {
    match (certificate, key) {
        ("", "") => Ok(None),
        ("", _) => Err(bad("tls_certificate", "a key is given without a certificate", "name both files")),
        (_, "") => Err(bad("tls_key", "a certificate is given without its key", "name both files")),
        (certificate, key) => Tls::open(Path::new(certificate), Path::new(key))
            .map(Some)
            .map_err(|reason| bad("tls_certificate", reason, "both files are PEM; the certificate comes first, then its chain")),
    }
}

/// A secret of one line, from a file that others cannot read.
fn secret_file(key: &str, path: &str, least: usize) -> Result<Option<String>, AppError> {
    use std::os::unix::fs::PermissionsExt;
    if path.is_empty() {
        return Ok(None);
    }
    let unreadable = |error: std::io::Error| AppError::File { path: path.to_owned(), reason: error.to_string() };
    if std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o007 != 0 {
        return Err(bad(key, format!("{path} can be read by everyone"), &format!("chmod 600 {path}")));
    }
    let secret = std::fs::read_to_string(path).map_err(unreadable)?.trim().to_owned();
    if secret.len() < least {
        return Err(bad(key, format!("{path} holds fewer than {least} characters"), "write a long random word into it"));
    }
    Ok(Some(secret))
}

/// What outgoing requests may reach.
fn egress(allow: &str, authorities: &str) -> Result<EgressOptions, AppError> {
    let allow = allow
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            Allow::parse(part).ok_or_else(|| {
                bad(
                    "egress_allow",
                    format!("`{part}` is neither a host with a port nor a network"),
                    "write `idp.intern:8443` or `10.1.0.0/16`",
                )
            })
        })
        .collect::<Result<Vec<Allow>, AppError>>()?;
    let authorities_pem = match authorities {
        "" => None,
        path => Some(std::fs::read(path).map_err(|error| AppError::File { path: path.to_owned(), reason: error.to_string() })?),
    };
    Ok(EgressOptions { allow, authorities_pem })
}

fn read_file(named: Option<&Path>) -> Result<(Option<PathBuf>, serde_json::Map<String, Json>), AppError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None if Path::new(DEFAULT_FILE).is_file() => PathBuf::from(DEFAULT_FILE),
        None => return Ok((None, serde_json::Map::new())),
    };
    let text =
        std::fs::read_to_string(&path).map_err(|error| AppError::File { path: path.display().to_string(), reason: error.to_string() })?;
    let name = path.display().to_string();
    let source = crate::schema::SourceFile::new(name, text);
    let documents =
        crate::schema::read_documents(&source).map_err(|faults| AppError::Deploy(crate::deploy::DeployError::Faults(faults)))?;
    let Some((Json::Object(map), place)) = documents.into_iter().next() else {
        return Ok((Some(path), serde_json::Map::new()));
    };
    for key in map.keys() {
        if !KEYS.iter().any(|(known, _)| known == key) {
            let hint = nearest(key, KEYS.iter().map(|(known, _)| *known)).map_or_else(
                || format!("known keys: {}", KEYS.map(|(known, _)| known).join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(AppError::Config {
                place: format!("{}:{}", place.file, place.line),
                message: format!("unknown key `{key}`"),
                hint,
            });
        }
    }
    Ok((Some(path), map))
}

struct Source {
    values: serde_json::Map<String, Json>,
    shown: Vec<(String, String, &'static str)>,
}

impl Source {
    /// The value from arguments or environment (clap does not tell which), else the file, else the default.
    fn text(&mut self, key: &str, given: Option<String>, default: &str) -> Result<String, AppError> {
        let (value, source) = match (given, self.values.get(key)) {
            (Some(value), _) => (value, "argument or environment"),
            (None, Some(Json::String(value))) => (value.clone(), "file"),
            (None, Some(Json::Array(items))) => (items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","), "file"),
            (None, Some(Json::Number(number))) => (number.to_string(), "file"),
            (None, Some(_)) => return Err(bad(key, "must be a text", "write it in quotes")),
            (None, None) => (default.to_owned(), "default"),
        };
        let shown = if key == "database_url" && !value.is_empty() { hide_password(&value) } else { value.clone() };
        self.shown.push((key.to_owned(), shown, source));
        Ok(value)
    }

    fn number(&mut self, key: &str, default: usize, least: usize, most: usize) -> Result<usize, AppError> {
        let text = self.text(key, None, &default.to_string())?;
        text.parse()
            .ok()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| bad(key, format!("`{text}` is not a whole number from {least} to {most}"), &format!("the default is {default}")))
    }
}

/// `postgres://user:***@host/db`.
fn hide_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".into() };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or("");
            let secret = if user.contains(':') { ":***" } else { "" };
            format!("{scheme}://{name}{secret}@{host}")
        }
        None => url.to_owned(),
    }
}

fn bad(key: &str, message: impl Into<String>, hint: &str) -> AppError {
    AppError::Config { place: format!("configuration `{key}`"), message: message.into(), hint: hint.into() }
}
