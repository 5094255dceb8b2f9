//! `url`: an http or https address.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{format_fault, one_line, text_of, wrong_value};
use crate::base::Value;

const MAX: usize = 2048;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "a web address").map(from_text)
}

/// An address without a scheme (`example.com/a`) gets `https://`.
pub fn from_text(text: &str) -> Value {
    let text = text.trim();
    let bare = !text.contains(':') && text.split('/').next().is_some_and(|host| host.contains('.') && is_host(host));
    if bare { Value::Text(format!("https://{text}")) } else { one_line(text) }
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    let text = value.as_text().ok_or_else(|| wrong_value("a web address"))?;
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = rest.is_some_and(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
        let host = authority.split_once(':').map_or(authority, |(host, _)| host);
        let port_ok = authority.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
        is_host(host) && port_ok
    });
    // `<`, `>` and quotes have no place in an address and would only serve to break out of an attribute.
    let clean = text.len() <= MAX && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"`\\".contains(c));
    if fits && clean { Ok(()) } else { Err(format_fault("a web address (http or https)", text)) }
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && host.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'))
}
