//! One test case as it is written.

use serde_json::{Map, Value as Json};

use super::report::Failure;
use crate::base::DateTime;

/// A case: what is given, what is done, what is expected.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub file: String,
    pub line: u32,
    pub name: String,
    pub now: DateTime,
    /// Records made beforehand: entity, key, values.
    pub records: Vec<(String, String, Json)>,
    pub act: Act,
    pub expect: Map<String, Json>,
}

#[derive(Debug, Clone)]
pub(super) enum Act {
    /// A script alone, on `rec` and `old`.
    Script {
        script: Option<String>,
        rec: Json,
        old: Json,
        payload: Json,
    },
    When(When),
}

/// What somebody does.
#[derive(Debug, Clone)]
pub(super) enum When {
    Create { entity: String, values: Json },
    Update { record: String, values: Json },
    Delete { record: String },
    Button { button: String, record: String, payload: Json },
    Schedule { script: String, after_s: i64 },
}

/// Monday.
const NOW: &str = "2026-01-05T08:00:00Z";
const KEYS: &[&str] = &["name", "now", "records", "script", "given", "when", "expect", "description"];
const EXPECT: &[&str] = &["ok", "reject", "warn", "changed", "values", "created", "records", "error", "answer", "deleted"];

impl Case {
    pub fn parse(json: &Json, file: &str, line: u32) -> Result<Self, Failure> {
        let name = json.get("name").and_then(Json::as_str).unwrap_or("a case without a name").to_owned();
        let fail = |fault: String| Failure { file: file.to_owned(), line, case: name.clone(), faults: vec![fault] };
        let map = json.as_object().ok_or_else(|| fail("a case is a map with `name`, `when` or `given`, and `expect`".to_owned()))?;
        known(map, KEYS).map_err(&fail)?;
        let expect = map.get("expect").and_then(Json::as_object).cloned().ok_or_else(|| fail("the case has no `expect`".to_owned()))?;
        known(&expect, EXPECT).map_err(&fail)?;
        let now = map.get("now").and_then(Json::as_str).unwrap_or(NOW);
        let now = DateTime::parse(now).ok_or_else(|| fail(format!("`now: {now}` is no instant: write 2026-01-05T08:00:00Z")))?;
        let records = map.get("records").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let records = records.iter().map(record).collect::<Result<Vec<_>, _>>().map_err(&fail)?;
        let act = match map.get("when") {
            Some(when) => Act::When(when_of(when).map_err(&fail)?),
            None => {
                let given = map.get("given").cloned().unwrap_or_default();
                let part = |name: &str| given.get(name).cloned().unwrap_or(Json::Null);
                let script = map.get("script").and_then(Json::as_str).map(str::to_owned);
                Act::Script { script, rec: part("rec"), old: part("old"), payload: part("payload") }
            }
        };
        Ok(Self { file: file.to_owned(), line, name, now, records, act, expect })
    }

    pub fn failure(&self, faults: Vec<String>) -> Failure {
        Failure { file: self.file.clone(), line: self.line, case: self.name.clone(), faults }
    }
}

fn known(map: &Map<String, Json>, names: &[&str]) -> Result<(), String> {
    match map.keys().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => Err(format!("unknown key `{unknown}`: known are {}", names.join(", "))),
        None => Ok(()),
    }
}

/// `{contact: anna, values: {…}}`
fn record(json: &Json) -> Result<(String, String, Json), String> {
    let map = json.as_object().ok_or("each of `records` is a map such as `{contact: anna, values: {…}}`")?;
    let values = map.get("values").cloned().unwrap_or_else(|| Json::Object(Map::new()));
    match map.iter().find(|(name, _)| *name != "values") {
        Some((entity, Json::String(key))) => Ok((entity.clone(), key.clone(), values)),
        _ => Err("each of `records` names its entity and a key: `{contact: anna, values: {…}}`".to_owned()),
    }
}

fn when_of(json: &Json) -> Result<When, String> {
    let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
    let values = || json.get("values").cloned().unwrap_or_else(|| Json::Object(Map::new()));
    if let Some(entity) = text("create") {
        return Ok(When::Create { entity, values: values() });
    }
    if let Some(record) = text("update") {
        return Ok(When::Update { record, values: values() });
    }
    if let Some(record) = text("delete") {
        return Ok(When::Delete { record });
    }
    if let Some(button) = text("button") {
        let record = text("of").ok_or("`button` needs `of: $record`")?;
        return Ok(When::Button { button, record, payload: json.get("payload").cloned().unwrap_or_default() });
    }
    if let Some(script) = text("schedule") {
        let after_s = match text("after") {
            Some(after) => duration(&after).ok_or_else(|| format!("`after: {after}` is no duration: write 21d, 6h or 90m"))?,
            None => 0,
        };
        return Ok(When::Schedule { script, after_s });
    }
    Err("`when` is one of create, update, delete, button, schedule".to_owned())
}

/// `21d`, `6h`, `90m`, `10s` in seconds.
fn duration(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(seconds)
}
