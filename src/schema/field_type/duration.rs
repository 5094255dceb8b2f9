//! `duration`: whole seconds.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{format_fault, in_range, integer_of, plain_number, wrong_value};
use crate::base::Value;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    match json {
        Json::String(text) => from_text(text),
        other => integer_of(other).map(Value::Int),
    }
}

/// `90` (seconds), `1:30:00` (hours, minutes, seconds), `1:30` (hours and minutes), `2d 4h 30m 10s`.
pub fn from_text(text: &str) -> Result<Value, FieldFault> {
    let text = text.trim();
    seconds(text).map(Value::Int).ok_or_else(|| format_fault("a duration such as `1h 30m` or `90` seconds", text))
}

fn seconds(text: &str) -> Option<i64> {
    if let Ok(number) = plain_number(text).parse::<i64>() {
        return Some(number);
    }
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    if text.contains(':') {
        let parts: Vec<i64> = text.split(':').map(|part| part.parse().ok().filter(|number: &i64| *number >= 0)).collect::<Option<_>>()?;
        let (hours, minutes, rest) = match parts.as_slice() {
            [hours, minutes] => (*hours, *minutes, 0),
            [hours, minutes, rest] => (*hours, *minutes, *rest),
            _ => return None,
        };
        if minutes > 59 || rest > 59 {
            return None;
        }
        return hours.checked_mul(3600)?.checked_add(minutes * 60 + rest)?.checked_mul(sign);
    }
    let mut total: i64 = 0;
    let mut digits = String::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            'w' => 604_800,
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = digits.parse::<i64>().ok()?.checked_mul(unit)?.checked_add(total)?;
        digits.clear();
    }
    (digits.is_empty() && !text.is_empty()).then_some(total * sign)
}

pub fn check(value: &Value, min: Option<i64>, max: Option<i64>) -> Result<(), FieldFault> {
    let number = value.as_int().ok_or_else(|| wrong_value("a duration in seconds"))?;
    in_range(number, min, max)
}

/// `1d 2h 30m`, `45s`.
pub fn to_text(seconds: i64) -> String {
    let magnitude = seconds.unsigned_abs();
    let parts = [(magnitude / 86_400, "d"), (magnitude / 3600 % 24, "h"), (magnitude / 60 % 60, "m"), (magnitude % 60, "s")];
    let shown: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    match (shown.is_empty(), seconds < 0) {
        (true, _) => "0s".to_owned(),
        (false, true) => format!("-{}", shown.join(" ")),
        (false, false) => shown.join(" "),
    }
}
