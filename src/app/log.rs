//! The log: one line an event on standard error, as text or JSON, with the id of the request it belongs to.
//!
//! Control characters never reach the terminal or start a line of their own: what another program sent may be in a value.

use std::fmt::{self, Debug, Write as _};
use std::io::IsTerminal;

use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::base::{Clock, SystemClock};
use crate::cli::{Log, LogFormat};
use crate::web;

/// Starts the log on standard error.
pub fn start(log: &Log) {
    let ansi = log.format == LogFormat::Text && std::io::stderr().is_terminal();
    // A second start in one process (tests) keeps the first.
    let _ = tracing::subscriber::set_global_default(subscriber(log, ansi, std::io::stderr));
}

/// Everything a log needs, writing to `writer`.
pub fn subscriber<W>(log: &Log, ansi: bool, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).event_format(Lines { format: log.format, ansi }).finish()
}

/// How an event becomes a line.
struct Lines {
    format: LogFormat,
    ansi: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let at = SystemClock.now();
        let request = web::current_request();
        let level = *event.metadata().level();
        match self.format {
            LogFormat::Json => {
                let mut line = Map::new();
                line.insert("at".into(), at.to_string().into());
                line.insert("level".into(), level.as_str().to_lowercase().into());
                line.insert("room".into(), event.metadata().target().into());
                line.insert("message".into(), fields.message.into());
                if let Some(id) = request {
                    line.insert("request_id".into(), Json::from(&*id));
                }
                line.extend(fields.values);
                writeln!(writer, "{}", Json::Object(line))
            }
            LogFormat::Text => {
                let mut line = String::with_capacity(160);
                let _ = write!(line, "{at} ");
                match (self.ansi, colour(level)) {
                    (true, colour) => {
                        let _ = write!(line, "\u{1b}[{colour}m{:>5}\u{1b}[0m ", level.as_str());
                    }
                    (false, _) => {
                        let _ = write!(line, "{:>5} ", level.as_str());
                    }
                }
                push_plain(&mut line, &fields.message);
                for (name, value) in &fields.values {
                    let _ = write!(line, " {name}=");
                    match value {
                        Json::String(text) => push_plain(&mut line, text),
                        other => push_plain(&mut line, &other.to_string()),
                    }
                }
                if let Some(id) = request {
                    let _ = write!(line, " request_id={id}");
                }
                writeln!(writer, "{line}")
            }
        }
    }
}

fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

/// Control characters, and those that turn the direction of writing, are written as `\u{…}`.
fn push_plain(line: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(line, "\\u{{{:x}}}", u32::from(c));
        } else {
            line.push(c);
        }
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    values: Map<String, Json>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Json) {
        match (field.name(), value) {
            ("message", Json::String(text)) => self.message = text,
            (name, value) => {
                self.values.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, value.to_string().into());
    }
}
