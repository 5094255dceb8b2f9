//! Reading the audit: pages, exports, and the walk along the chain.

use serde_json::{Value as Json, json};

use super::Line;
use super::chain::{Anchor, Break, Follower};
use crate::base::Cell;
use crate::base::DateTime;
use crate::base::text::from_hex;
use crate::schema::catalog::ColumnKind;
use crate::store::read::{self, AT, INT, TEXT};
use crate::store::sql::{at, int, text};
use crate::store::{Sql, Store, StoreError};

/// Most entries of one export.
pub const LONGEST_EXPORT: u32 = 100_000;
/// Entries read at once while walking along the chain.
const STRIDE: u32 = 2_000;

const COLUMNS: [ColumnKind; 12] = [INT, AT, INT, TEXT, TEXT, TEXT, INT, TEXT, TEXT, TEXT, TEXT, TEXT];

/// Which entries are wanted; all of what is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub action: Option<String>,
    pub actor: Option<i64>,
    pub record: Option<i64>,
    /// From this moment on.
    pub since: Option<DateTime>,
    /// Before this moment.
    pub until: Option<DateTime>,
}

fn select() -> Sql {
    Sql::new("SELECT seq, at, actor, actor_kind, action, entity, record, field, origin, request, detail, mac FROM sys_audit WHERE ")
}

/// Entries, newest first: at most `limit` of those before entry `before`.
pub async fn list(store: &Store, filter: &Filter, before: Option<i64>, limit: u32) -> Result<Vec<Line>, StoreError> {
    let mut sql = select();
    sql.append(Sql::template("seq < ?", [int(before.unwrap_or(i64::MAX))]));
    if let Some(action) = &filter.action {
        sql.append(Sql::template(" AND action = ?", [text(action.as_str())]));
    }
    if let Some(actor) = filter.actor {
        sql.append(Sql::template(" AND actor = ?", [int(actor)]));
    }
    if let Some(record) = filter.record {
        sql.append(Sql::template(" AND record = ?", [int(record)]));
    }
    if let Some(since) = filter.since {
        sql.append(Sql::template(" AND at >= ?", [at(since)]));
    }
    if let Some(until) = filter.until {
        sql.append(Sql::template(" AND at < ?", [at(until)]));
    }
    sql.push(" ORDER BY seq DESC LIMIT ").number(i64::from(limit));
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(line).collect())
}

/// The last entry, to be put down elsewhere.
pub async fn head(store: &Store) -> Result<Option<Anchor>, StoreError> {
    let rows = store.rows(Sql::new("SELECT seq, mac FROM sys_audit ORDER BY seq DESC LIMIT 1"), &[INT, TEXT]).await?;
    Ok(rows.first().and_then(|row| {
        let signature = from_hex(&read::text(row, 1))?.try_into().ok()?;
        Some(Anchor { seq: read::int(row, 0), signature })
    }))
}

/// Walks along the whole chain and compares it with the anchors. Gives the end, or where it breaks.
///
/// # Errors
/// The database, or [`StoreError::NoKey`].
pub async fn verify(store: &Store, anchors: Vec<Anchor>) -> Result<Result<Option<Anchor>, Break>, StoreError> {
    let key = store.audit_key().ok_or(StoreError::NoKey)?;
    let mut follower = Follower::new(&key, anchors);
    let mut last = i64::MIN;
    loop {
        let mut sql = select();
        sql.append(Sql::template("seq > ?", [int(last)]));
        sql.push(" ORDER BY seq LIMIT ").number(i64::from(STRIDE));
        let rows = store.rows(sql, &COLUMNS).await?;
        for line in rows.iter().map(line) {
            if let Err(fault) = follower.follow(&line) {
                return Ok(Err(fault));
            }
            last = line.seq;
        }
        if rows.iter().count() < STRIDE as usize {
            return Ok(follower.end());
        }
    }
}

fn line(row: &[Cell]) -> Line {
    Line {
        seq: read::int(row, 0),
        at: read::at(row, 1),
        actor: read::int(row, 2),
        actor_kind: read::text(row, 3),
        action: read::text(row, 4),
        entity: read::opt_text(row, 5),
        record: read::opt_int(row, 6),
        field: read::opt_text(row, 7),
        origin: read::text(row, 8),
        request: read::text(row, 9),
        detail: read::text(row, 10),
        mac: read::text(row, 11),
    }
}

/// Entries as CSV with a header. A text that a spreadsheet would run as a formula begins with an apostrophe.
pub fn to_csv(lines: &[Line]) -> String {
    let mut out = String::from("seq,at,actor,actor_kind,action,entity,record,field,origin,request,detail,mac\r\n");
    for line in lines {
        let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
        let cells = [
            line.seq.to_string(),
            line.at.to_string(),
            line.actor.to_string(),
            quoted(&line.actor_kind),
            quoted(&line.action),
            quoted(line.entity.as_deref().unwrap_or("")),
            number(line.record),
            quoted(line.field.as_deref().unwrap_or("")),
            quoted(&line.origin),
            quoted(&line.request),
            quoted(&line.detail),
            line.mac.clone(),
        ];
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// Entries as a JSON array.
pub fn to_json(lines: &[Line]) -> Json {
    lines
        .iter()
        .map(|line| {
            json!({
                "seq": line.seq, "at": line.at.to_string(), "actor": line.actor, "actor_kind": line.actor_kind, "action": line.action,
                "entity": line.entity, "record": line.record, "field": line.field, "origin": line.origin, "request": line.request,
                "detail": crate::base::json::parse(line.detail.as_bytes()).unwrap_or_else(|_| line.detail.clone().into()), "mac": line.mac,
            })
        })
        .collect()
}
