//! The log of all servers of this test binary, at debug level, compared line by line with values that tests used.
//!
//! With `RELATA_TEST_LOG=FILE` the lines go to that file too, and the values that requests carried to `FILE.values`: for
//! `tests/run long logs`, which compares all with all.

use std::collections::{HashSet, VecDeque};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, Once, PoisonError};

use relata::app::log;
use relata::cli::{Log, LogFormat};
use serde_json::Value;

/// Values shorter than this occur by chance.
const SHORTEST: usize = 12;

const ERRORS_KEPT: usize = 5;

static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

struct Scanner {
    lines: AtomicU64,
    watched: Mutex<Vec<String>>,
    found: Mutex<Vec<String>>,
    /// The newest lines that tell of a fault of the server.
    errors: Mutex<VecDeque<String>>,
    file: Option<Mutex<std::fs::File>>,
    values: Option<Mutex<(std::fs::File, HashSet<String>)>>,
}

impl Scanner {
    #[expect(clippy::disallowed_methods, reason = "the environment says whether the long proof runs")]
    fn new() -> Self {
        let path = std::env::var("RELATA_TEST_LOG").ok().filter(|path| !path.is_empty());
        let open = |path: String| std::fs::OpenOptions::new().create(true).append(true).open(path).expect("the log can be written");
        Self {
            lines: AtomicU64::new(0),
            watched: Mutex::default(),
            found: Mutex::default(),
            errors: Mutex::default(),
            file: path.clone().map(|path| Mutex::new(open(path))),
            values: path.map(|path| Mutex::new((open(format!("{path}.values")), HashSet::new()))),
        }
    }
}

/// One line on its way.
struct Watched;

impl Write for Watched {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        SCANNER.lines.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(line);
        for value in lock(&SCANNER.watched).iter().filter(|value| text.contains(value.as_str())) {
            lock(&SCANNER.found).push(format!("`{value}` in {text}"));
        }
        if text.contains("ERROR") {
            let mut errors = lock(&SCANNER.errors);
            errors.push_back(text.into_owned());
            if errors.len() > ERRORS_KEPT {
                errors.pop_front();
            }
        }
        if let Some(file) = &SCANNER.file {
            lock(file).write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to listen; once for the whole binary.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = Log { level: "debug".into(), format: LogFormat::Text };
        let subscriber = log::subscriber(&wanted, false, || Watched);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
    });
}

/// No line may hold this from now on.
pub fn watch(value: &str) {
    assert!(value.len() >= SHORTEST, "too short to be told from chance: {value}");
    let mut watched = lock(&SCANNER.watched);
    if !watched.iter().any(|known| known == value) {
        watched.push(value.to_owned());
    }
}

/// Lines so far, and those among them that hold a watched value.
pub fn seen() -> (u64, Vec<String>) {
    (SCANNER.lines.load(Ordering::Relaxed), lock(&SCANNER.found).clone())
}

/// The newest lines that tell of a fault of the server, from whichever test: the cause of a 500 is there alone.
pub fn errors() -> String {
    lock(&SCANNER.errors).iter().map(String::as_str).collect()
}

/// Remembers what a request carried, for the long proof.
pub fn used(body: &Value) {
    let Some(values) = &SCANNER.values else { return };
    match body {
        Value::String(text) => used_text(text, values),
        Value::Array(items) => items.iter().for_each(used),
        Value::Object(members) => members.values().for_each(used),
        _ => {}
    }
}

/// [`used`] for a token or password.
pub fn used_secret(secret: &str) {
    if let Some(values) = &SCANNER.values {
        used_text(secret, values);
    }
}

fn used_text(text: &str, values: &Mutex<(std::fs::File, HashSet<String>)>) {
    // Ids are no secret, and definitions are told by name.
    let is_id = text.split_once('_').is_some_and(|(_, id)| id.len() == 13 && id.chars().all(|c| c.is_ascii_alphanumeric()));
    if text.chars().count() < SHORTEST || text.contains('\n') || text.len() > 2000 || is_id {
        return;
    }
    let mut values = lock(values);
    if values.1.insert(text.to_owned()) {
        let line = format!("{text}\n");
        values.0.write_all(line.as_bytes()).expect("written");
    }
}
