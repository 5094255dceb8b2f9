//! Does what came fit what was expected?

use serde_json::{Map, Value as Json};

use crate::base::Decimal;
use crate::store::mails::Content;

/// Where `actual` does not fit `expected`: a map needs only the entries that are expected, numbers compare by value.
pub(super) fn differences(at: &str, expected: &Json, actual: &Json, faults: &mut Vec<String>) {
    match (expected, actual) {
        (Json::Object(wanted), Json::Object(map)) => {
            for (name, value) in wanted {
                differences(&format!("{at}.{name}"), value, map.get(name).unwrap_or(&Json::Null), faults);
            }
        }
        (Json::Array(wanted), Json::Array(items)) if wanted.len() == items.len() => {
            for (position, (wanted, item)) in wanted.iter().zip(items).enumerate() {
                differences(&format!("{at}[{position}]"), wanted, item, faults);
            }
        }
        _ if same(expected, actual) => {}
        _ => faults.push(format!("{at}: expected {expected}, got {actual}")),
    }
}

/// Whether `actual` fits at all.
pub(super) fn fits(expected: &Json, actual: &Json) -> bool {
    let mut faults = Vec::new();
    differences("", expected, actual, &mut faults);
    faults.is_empty()
}

/// `12`, `12.0` and `"12.00"` are the same number.
fn same(expected: &Json, actual: &Json) -> bool {
    if expected == actual {
        return true;
    }
    let number = |json: &Json| match json {
        Json::Number(number) => Decimal::parse_any(&number.to_string()).ok(),
        Json::String(text) => Decimal::parse_any(text).ok(),
        _ => None,
    };
    matches!((number(expected), number(actual)), (Some(a), Some(b)) if a == b)
}

/// Compares rejects: each expected one (`{field, code, message}`, `message` as a part) must be there, and no other.
pub(super) fn rejects(expected: &Json, actual: &[(String, String, String)], faults: &mut Vec<String>) {
    let wanted = expected.as_array().map(Vec::as_slice).unwrap_or_default();
    let shown: Vec<String> = actual.iter().map(|(field, code, message)| format!("{{field: {field}, code: {code}}} {message}")).collect();
    let is = |json: &Json, name: &str, value: &str| json.get(name).is_none_or(|wanted| wanted.as_str() == Some(value));
    for reject in wanted {
        let part = reject.get("message").and_then(Json::as_str).unwrap_or("");
        if !actual.iter().any(|(field, code, message)| is(reject, "field", field) && is(reject, "code", code) && message.contains(part)) {
            faults.push(format!("reject: expected {reject}, got {}", list(&shown)));
        }
    }
    if wanted.len() != actual.len() {
        faults.push(format!("reject: expected {}, got {}: {}", wanted.len(), actual.len(), list(&shown)));
    }
}

/// Compares warnings: each expected text must be a part of one, and there must be as many.
pub(super) fn warnings(expected: &Json, actual: &[String], faults: &mut Vec<String>) {
    let wanted = expected.as_array().map(Vec::as_slice).unwrap_or_default();
    for text in wanted.iter().filter_map(Json::as_str) {
        if !actual.iter().any(|warning| warning.contains(text)) {
            faults.push(format!("warn: expected `{text}`, got {}", list(actual)));
        }
    }
    if wanted.len() != actual.len() {
        faults.push(format!("warn: expected {}, got {}: {}", wanted.len(), actual.len(), list(actual)));
    }
}

/// Compares e-mails: each expected one (`{to, subject, text}`, of the texts a part) must be there, and no other.
pub(super) fn mails(expected: &Json, mut actual: Vec<Content>, faults: &mut Vec<String>) {
    for one in expected.as_array().map(Vec::as_slice).unwrap_or_default() {
        let part = |name: &str| one.get(name).and_then(Json::as_str);
        let found = actual.iter().position(|mail| {
            part("to").is_none_or(|to| to == mail.address)
                && part("subject").is_none_or(|part| mail.subject.contains(part))
                && part("text").is_none_or(|part| mail.text.contains(part))
        });
        match found {
            Some(at) => drop(actual.swap_remove(at)),
            None => faults.push(format!("mailed: expected {one}, got {}", list(&shown(&actual)))),
        }
    }
    if !actual.is_empty() {
        faults.push(format!("mailed: not expected: {}", list(&shown(&actual))));
    }
}

fn shown(mails: &[Content]) -> Vec<String> {
    mails.iter().map(|mail| format!("{{to: {}, subject: {}}} {}", mail.address, mail.subject, mail.text)).collect()
}

/// Compares the names of changed fields, in any order.
pub(super) fn changed(expected: &Json, actual: &[String], faults: &mut Vec<String>) {
    let mut wanted: Vec<&str> = expected.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Json::as_str).collect();
    let mut got: Vec<&str> = actual.iter().map(String::as_str).collect();
    wanted.sort_unstable();
    got.sort_unstable();
    if wanted != got {
        faults.push(format!("changed: expected [{}], got [{}]", wanted.join(", "), got.join(", ")));
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join("; ") }
}

/// `$anna` and the like replaced by ids, in all texts of a value.
pub(super) fn with_ids(json: &Json, id_of: &dyn Fn(&str) -> Option<String>) -> Json {
    match json {
        Json::String(text) => match text.strip_prefix('$').and_then(id_of) {
            Some(id) => Json::String(id),
            None => json.clone(),
        },
        Json::Array(items) => Json::Array(items.iter().map(|item| with_ids(item, id_of)).collect()),
        Json::Object(map) => Json::Object(map.iter().map(|(name, value)| (name.clone(), with_ids(value, id_of))).collect::<Map<_, _>>()),
        other => other.clone(),
    }
}
