//! The template environment: strict, escaping, bounded; one for each language.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use rust_embed::RustEmbed;
use serde::Serialize;

use super::messages::{Arg, Messages};
use super::{assets, format};
use crate::base::{Explain, Locale};
use std::sync::Arc;

#[derive(RustEmbed)]
#[folder = "src/render/templates"]
struct Templates;

/// Instructions one rendering may take; a page of 200 rows takes about 200,000.
const FUEL: u64 = 20_000_000;

/// Why a text could not be rendered: always a fault of ours, found by the test that renders every template.
#[derive(Debug, thiserror::Error)]
#[error("template `{template}` could not be rendered: {source:#}")]
pub struct RenderError {
    pub template: String,
    #[source]
    pub source: Box<Error>,
}

impl Explain for RenderError {
    fn code(&self) -> &'static str {
        "WEB500"
    }
}

/// Renders templates. Made once; cheap to share behind an `Arc`.
pub struct Renderer {
    environments: Vec<Environment<'static>>,
    messages: Arc<Messages>,
}

impl Default for Renderer {
    fn default() -> Self {
        Self::new()
    }
}

impl Renderer {
    pub fn new() -> Self {
        Self::with_assets("/assets/dev")
    }

    /// `base` is the folder below which pages find style sheets and scripts, without a slash at the end.
    pub fn with_assets(base: &str) -> Self {
        let messages = Arc::new(Messages::new());
        let environments = Locale::ALL.into_iter().map(|locale| environment(locale, base, &messages)).collect();
        Self { environments, messages }
    }

    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// One message, for texts that are made outside templates.
    pub fn text(&self, locale: Locale, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.messages.text(locale, key, args)
    }

    /// Renders `page/list` and the like. `context` holds texts and plain numbers only: a `serde_json` number would
    /// arrive as a map.
    ///
    /// # Errors
    /// A template that does not parse, or a name in it that the context does not have.
    pub fn render(&self, template: &str, context: &impl Serialize, locale: Locale) -> Result<String, RenderError> {
        let fail = |source| RenderError { template: template.to_owned(), source: Box::new(source) };
        let at = Locale::ALL.iter().position(|known| *known == locale).unwrap_or(0);
        let environment = &self.environments[at];
        let found = environment.get_template(&format!("{template}.html")).map_err(fail)?;
        found.render(Value::from(Serde(context))).map_err(fail)
    }
}

/// Names of all embedded templates, without `.html`.
pub fn template_names() -> Vec<String> {
    let mut names: Vec<String> = Templates::iter().filter_map(|path| path.strip_suffix(".html").map(str::to_owned)).collect();
    names.sort();
    names
}

fn environment(locale: Locale, base: &str, messages: &Arc<Messages>) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_fuel(Some(FUEL));
    // The message of a fault is logged: it must not hold what the page was about.
    env.set_debug(false);
    env.set_formatter(write_value);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    env.set_loader(|name| {
        let Some(file) = Templates::get(name) else { return Ok(None) };
        String::from_utf8(file.data.into_owned()).map(Some).map_err(|_| Error::new(ErrorKind::InvalidOperation, "a template is not UTF-8"))
    });
    let words = messages.clone();
    env.add_function("t", move |key: &str, args: Kwargs| -> Result<String, Error> { translate(&words, locale, key, &args) });
    env.add_filter("number", |value: Value| format::group_digits(&value.to_string()));
    env.add_filter("file_size", |bytes: u64| format::file_size(bytes));
    env.add_filter("clean_html", |html: &str| Value::from_safe_string(clean_html(html)));
    env.add_filter("striptags", |html: &str| Value::from_safe_string(ammonia::Builder::empty().clean(html).to_string()));
    let folder = base.to_owned();
    env.add_function("asset", move |file: &str| format!("{folder}/{file}"));
    env.add_function("icon_name", |name: &str| if assets::has_icon(name) { name.to_owned() } else { assets::FALLBACK_ICON.to_owned() });
    env.add_global("lang", locale.tag());
    env
}

fn translate(messages: &Messages, locale: Locale, key: &str, args: &Kwargs) -> Result<String, Error> {
    let mut texts: Vec<(&str, Value)> = Vec::new();
    for name in args.args() {
        texts.push((name, args.get::<Value>(name)?));
    }
    args.assert_all_used()?;
    let owned: Vec<(&str, Option<i64>, String)> = texts
        .iter()
        .map(|(name, value)| (*name, (value.kind() == ValueKind::Number).then(|| value.as_i64()).flatten(), value.to_string()))
        .collect();
    let given: Vec<(&str, Arg<'_>)> = owned.iter().map(|(name, count, text)| (*name, count.map_or(Arg::Text(text), Arg::Count))).collect();
    if !messages.has(locale, key) && !messages.has(Locale::En, key) {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("there is no message `{key}`")));
    }
    Ok(messages.text(locale, key, &given))
}

/// Absent values are written as nothing, truth as JSON writes it.
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => Ok(()),
        ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" }).map_err(Error::from),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// A person's HTML with only harmless elements and attributes left.
fn clean_html(html: &str) -> String {
    ammonia::Builder::default().add_generic_attributes(["dir", "lang"]).rm_tags(["img", "style", "map", "area"]).clean(html).to_string()
}
