//! `email`: one address, its domain in lower case.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{format_fault, one_line, text_of, wrong_value};
use crate::base::Value;

/// RFC 5321 4.5.3.1.3, less the angle brackets.
const MAX: usize = 254;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "an e-mail address").map(from_text)
}

pub fn from_text(text: &str) -> Value {
    let text = text.trim().trim_start_matches("mailto:");
    match text.rsplit_once('@') {
        Some((local, domain)) => Value::Text(format!("{local}@{}", domain.to_lowercase())),
        None => one_line(text),
    }
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    let text = value.as_text().ok_or_else(|| wrong_value("an e-mail address"))?;
    if is_address(text) { Ok(()) } else { Err(format_fault("an e-mail address", text)) }
}

/// `local@domain.tld` without quotes, comments or spaces: what people and mail servers use.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    let domain_ok = domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
    text.len() <= MAX && local_ok && domain_ok
}
