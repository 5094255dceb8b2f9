//! The log of all servers of this test binary, at debug level and in both formats, compared line by line with what tests sent
//! and were told in confidence. A test whose site ends while a value is in the log fails.
//!
//! With `RELATA_TEST_LOG=FILE` the lines go to that file too, and the values to `FILE.values`: for `tests/run long logs`, which
//! compares all with all.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use axum::http::{HeaderMap, Uri};
use relata::app::log;
use relata::cli::{Log, LogFormat};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use super::carried;
use super::needles::Needles;

const ERRORS_KEPT: usize = 5;
/// As much of the newest log is looked through again for what becomes known late.
const TAIL: usize = 256 * 1024;
/// Longer values and bodies are no value of one field.
const LONGEST: usize = 2_000;
const LONGEST_BODY: usize = 256 * 1024;

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(variable("RELATA_TEST_LOG").as_deref().map(Path::new)));

#[expect(clippy::disallowed_methods, reason = "the environment says whether the long proof runs")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the values stand that a log must not hold.
pub fn values_of(log: &Path) -> PathBuf {
    PathBuf::from(format!("{}.values", log.display()))
}

/// A log and the values that must not be in it.
#[derive(Default)]
pub struct Scanner(Mutex<State>);

#[derive(Default)]
struct State {
    lines: u64,
    needles: Needles,
    found: Vec<String>,
    tail: String,
    /// The newest lines that tell of a fault of the server.
    errors: VecDeque<String>,
    /// The log and the values.
    files: Option<(File, File)>,
}

impl Scanner {
    /// One that writes everything down, too.
    pub fn new(path: Option<&Path>) -> Self {
        let open = |path: &Path| File::options().create(true).append(true).open(path).expect("the log can be written");
        let files = path.map(|path| (open(path), open(&values_of(path))));
        Self(Mutex::new(State { files, ..State::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No line may hold this from now on.
    pub fn used(&self, value: &str) {
        self.state().used(value);
    }

    /// No line may hold this, nor may it have been in one of the last ones.
    pub fn told(&self, value: &str) {
        let mut state = self.state();
        if state.used(value) && state.tail.contains(value) {
            state.found.push(format!("`{value}`, before it was told"));
        }
    }

    pub fn found(&self) -> Vec<String> {
        self.state().found.clone()
    }
}

impl State {
    fn used(&mut self, value: &str) -> bool {
        let is_new = value.len() <= LONGEST && !value.contains(['\n', '\r']) && self.needles.add(value);
        if let (true, Some((_, values))) = (is_new, &mut self.files) {
            values.write_all(format!("{value}\n").as_bytes()).expect("written");
        }
        is_new
    }
}

/// One line on its way.
impl Write for &Scanner {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut state = self.state();
        state.lines += 1;
        let text = String::from_utf8_lossy(line);
        let found = state.needles.find(line);
        state.found.extend(found.into_iter().map(|(_, value)| format!("`{value}` in {text}")));
        state.tail.push_str(&text);
        if state.tail.len() > 2 * TAIL {
            let from = (TAIL..).find(|at| state.tail.is_char_boundary(*at)).unwrap_or(0);
            state.tail.drain(..from);
        }
        if text.contains(" ERROR ") {
            state.errors.push_back(text.into_owned());
            if state.errors.len() > ERRORS_KEPT {
                state.errors.pop_front();
            }
        }
        if let Some((log, _)) = &mut state.files {
            log.write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything at debug level, as text and as JSON, for a scanner.
pub fn subscriber(scanner: &'static Scanner) -> impl Subscriber + Send + Sync {
    let one = |format| log::subscriber(&Log { level: "debug".into(), format }, false, move || scanner);
    Both(one(LogFormat::Text), one(LogFormat::Json))
}

/// Events go to both, everything else is asked of the first.
struct Both<A, B>(A, B);

impl<A: Subscriber, B: Subscriber> Subscriber for Both<A, B> {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.1.register_callsite(metadata);
        self.0.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        self.0.max_level_hint()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.0.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.0.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.0.record_follows_from(span, follows);
    }

    fn event(&self, event: &Event<'_>) {
        self.0.event(event);
        self.1.event(event);
    }

    fn enter(&self, span: &Id) {
        self.0.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.0.exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.0.clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.0.try_close(id)
    }
}

/// Begins to listen; once for the whole binary.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(subscriber(&SCANNER)).expect("nobody else listens"));
}

/// Lines so far.
pub fn lines() -> u64 {
    SCANNER.state().lines
}

/// Fails when a value that a test used is in the log of this binary so far.
pub fn expect_clean() {
    let found = SCANNER.found();
    assert!(found.is_empty(), "values in the log: {found:#?}");
}

/// The newest lines that tell of a fault of the server, from whichever test: the cause of a 500 is there alone.
pub fn errors() -> String {
    SCANNER.state().errors.iter().map(String::as_str).collect()
}

/// What a request is about to carry.
pub fn sent(uri: &Uri, headers: &HeaderMap, body: &[u8]) {
    let body = if body.len() <= LONGEST_BODY { body } else { &[] };
    carried::of_request(uri, headers, body, &mut |value| SCANNER.used(value));
}

/// What an answer told in confidence.
pub fn answered(headers: &HeaderMap, body: &[u8]) {
    carried::of_answer(headers, body, &mut |value| SCANNER.told(value));
}

/// A password, key, token or code that a test uses without a request, or reads in a page.
pub fn used_secret(secret: &str) {
    SCANNER.told(secret);
}

/// The keys of a site.
pub fn used_keys(folder: &Path) {
    let Ok(files) = std::fs::read_dir(folder) else { return };
    for file in files.filter_map(Result::ok).filter(|file| file.path().extension().is_some_and(|ending| ending == "key")) {
        if let Ok(text) = std::fs::read_to_string(file.path()) {
            text.split_whitespace().for_each(|word| SCANNER.told(word));
        }
    }
}
