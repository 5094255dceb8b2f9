//! `select`: one key of a list of options.

use serde_json::{Value as Json, json};

use super::FieldFault;
use super::common::{one_line, text_of, wrong_value};
use crate::base::{Locale, Value, text};
use crate::schema::catalog::{Options, SelectOption};
use crate::schema::diagnostic::nearest;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "an option's key").map(one_line)
}

/// The key, else the option with this label in any language.
pub fn from_text(written: &str, options: &Options) -> Value {
    let written = written.trim();
    if find(options, written).is_some() {
        return one_line(written);
    }
    let folded = text::fold(written);
    let meant = options
        .list
        .options
        .iter()
        .find(|option| text::fold(&option.key) == folded || option.label.0.values().any(|label| text::fold(label) == folded));
    meant.map_or_else(|| one_line(written), |option| Value::Text(option.key.clone()))
}

pub fn find<'a>(options: &'a Options, key: &str) -> Option<&'a SelectOption> {
    options.list.options.iter().find(|option| option.key == key)
}

/// The key must be known. A retired option passes: a record that holds it can still be saved
/// ([`super::retired_option`] tells, for values that are new).
pub fn check(value: &Value, options: &Options) -> Result<(), FieldFault> {
    let key = value.as_text().ok_or_else(|| wrong_value("an option's key"))?;
    if find(options, key).is_some() {
        return Ok(());
    }
    let offered: Vec<&str> = options.list.options.iter().filter(|option| !option.retired).map(|option| option.key.as_str()).collect();
    let near = nearest(key, offered.iter().copied());
    let shown: String = key.chars().take(60).collect();
    Err(FieldFault::new("not_an_option", format!("`{shown}` is not one of the options"))
        .params(json!({"value": shown, "options": offered.iter().take(50).collect::<Vec<_>>(), "near": near})))
}

/// The option's label in the person's language, the key where it has none.
pub fn label(options: &Options, key: &str, locale: Locale) -> String {
    find(options, key).map(|option| option.label.get(locale)).filter(|label| !label.is_empty()).unwrap_or(key).to_owned()
}
