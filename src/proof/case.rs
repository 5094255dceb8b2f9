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
    Script(Box<Lone>),
    /// What people do, one after the other; what is expected is about the last of it.
    Story(Vec<Deed>),
}

/// What a script alone is given.
#[derive(Debug, Clone)]
pub(super) struct Lone {
    pub script: Option<String>,
    pub rec: Json,
    pub old: Json,
    pub payload: Json,
}

/// Something somebody does.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    /// The key of a person of the case; its own person when left out.
    pub by: Option<String>,
    /// How much later than what was before.
    pub after_s: i64,
    /// Whoever saves is asked about duplicates, as in a form; otherwise they have said yes.
    pub asks: bool,
    pub what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// `key` names the record for what follows.
    Create {
        entity: String,
        values: Json,
        key: Option<String>,
    },
    /// `reason`: why it passes over a gate.
    Update {
        record: String,
        values: Json,
        reason: Option<String>,
    },
    Delete {
        record: String,
    },
    Button {
        button: String,
        record: String,
        payload: Json,
    },
    Schedule {
        script: String,
    },
    Read {
        record: String,
    },
    List {
        entity: String,
        filter: Option<String>,
    },
    Ask {
        approval: String,
        record: String,
        comment: String,
    },
    Decide {
        approves: bool,
        approval: String,
        record: String,
        comment: String,
    },
    Withdraw {
        approval: String,
        record: String,
    },
    /// Files a claim on the record.
    Register {
        registration: String,
        record: String,
        comment: String,
    },
    /// Decides about the newest claim on the record.
    Arbitrate {
        grants: bool,
        registration: String,
        record: String,
        comment: String,
    },
    /// Somebody makes a link for whom they ask.
    Invite {
        survey: String,
        record: String,
        key: Option<String>,
    },
    /// Whoever was asked last about the record answers.
    Answer {
        survey: String,
        record: String,
        values: Json,
        key: Option<String>,
    },
    /// Time passes, and with it what is due.
    Wait,
}

/// Monday.
const NOW: &str = "2026-01-05T08:00:00Z";
const KEYS: &[&str] = &["name", "now", "records", "script", "given", "when", "expect", "description"];
const EXPECT: &[&str] =
    &["ok", "reject", "warn", "changed", "values", "created", "records", "error", "answer", "deleted", "found", "notified", "mailed"];
const DEEDS: &[&str] = &[
    "create", "update", "delete", "button", "schedule", "read", "list", "ask", "approve", "reject", "withdraw", "register", "grant",
    "refuse", "invite", "answer", "wait",
];
const DEED_KEYS: &[&str] = &["as", "after", "values", "of", "payload", "filter", "comment", "override", "key", "asks"];

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
            Some(Json::Array(deeds)) if !deeds.is_empty() => Act::Story(deeds.iter().map(deed).collect::<Result<_, _>>().map_err(&fail)?),
            Some(when) => Act::Story(vec![deed(when).map_err(&fail)?]),
            None => {
                let given = map.get("given").cloned().unwrap_or_default();
                let part = |name: &str| given.get(name).cloned().unwrap_or(Json::Null);
                let script = map.get("script").and_then(Json::as_str).map(str::to_owned);
                Act::Script(Box::new(Lone { script, rec: part("rec"), old: part("old"), payload: part("payload") }))
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

fn deed(json: &Json) -> Result<Deed, String> {
    let map = json.as_object().ok_or("`when` is a map such as `{update: $anna, values: {…}}`, or a list of them")?;
    if let Some(unknown) = map.keys().find(|key| !DEEDS.contains(&key.as_str()) && !DEED_KEYS.contains(&key.as_str())) {
        return Err(format!("unknown key `{unknown}` in `when`: it is one of {}, with {}", DEEDS.join(", "), DEED_KEYS.join(", ")));
    }
    let mut named = DEEDS.iter().filter(|name| map.contains_key(**name));
    let (Some(name), None) = (named.next(), named.next()) else {
        return Err(format!("`when` is one of {}", DEEDS.join(", ")));
    };
    let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
    let what = text(name).ok_or_else(|| format!("`{name}` wants a name"))?;
    let of = || text("of").ok_or_else(|| format!("`{name}` needs `of: $record`"));
    let values = || json.get("values").cloned().unwrap_or_else(|| Json::Object(Map::new()));
    let comment = text("comment").unwrap_or_default();
    let mut after_s = match text("after") {
        Some(after) => duration(&after).ok_or_else(|| format!("`after: {after}` is no duration: write 21d, 6h or 90m"))?,
        None => 0,
    };
    let what = match *name {
        "create" => What::Create { entity: what, values: values(), key: text("key") },
        "update" => What::Update { record: what, values: values(), reason: text("override") },
        "delete" => What::Delete { record: what },
        "button" => What::Button { button: what, record: of()?, payload: json.get("payload").cloned().unwrap_or_default() },
        "schedule" => What::Schedule { script: what },
        "read" => What::Read { record: what },
        "list" => What::List { entity: what, filter: text("filter") },
        "ask" => What::Ask { approval: what, record: of()?, comment },
        "approve" | "reject" => What::Decide { approves: *name == "approve", approval: what, record: of()?, comment },
        "withdraw" => What::Withdraw { approval: what, record: of()? },
        "register" => What::Register { registration: what, record: of()?, comment },
        "grant" | "refuse" => What::Arbitrate { grants: *name == "grant", registration: what, record: of()?, comment },
        "invite" => What::Invite { survey: what, record: of()?, key: text("key") },
        "answer" if map.contains_key("as") => return Err("`answer` is given by whoever was asked: leave `as` out".to_owned()),
        "answer" => What::Answer { survey: what, record: of()?, values: values(), key: text("key") },
        _ => {
            after_s += duration(&what).ok_or_else(|| format!("`wait: {what}` is no duration: write 21d, 6h or 90m"))?;
            What::Wait
        }
    };
    Ok(Deed { by: text("as"), after_s, asks: map.get("asks") == Some(&Json::Bool(true)), what })
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
