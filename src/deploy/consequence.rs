//! What a step of a plan means for the data that is there, in words of a program and of a person.

use serde_json::{Value as Json, json};

use super::effects::RoleEffect;
use super::opened::Opened;
use super::plan::grouped;

/// What becomes of tables, records and values; how many there are is counted when the plan is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing but the definitions changes.
    Meta,
    NewTable {
        table: String,
        fields: usize,
        indexes: usize,
        views: usize,
    },
    RecordsBack(i64),
    RecordsHidden {
        count: i64,
        table: String,
    },
    ValuesBack(i64),
    ValuesHidden(i64),
    /// Records without a value that is required from now on.
    Lacking(i64),
    /// Stored values are worked out for this many records.
    Computed(i64),
    /// Columns of a field; none for what is not stored.
    Columns(Vec<String>),
    Unique,
    Index(i64),
    IndexDropped,
    /// The former name; for entities it answers no more, and the table and the ids stay.
    EntityRenamed(String),
    FieldRenamed {
        from: String,
        still_answered: bool,
    },
    /// Records that hold an option which is no longer offered.
    KeepIt(i64),
    /// What a role means for those who have it.
    Role(RoleEffect),
    /// Gates may be passed over and moves made by more people.
    Opened(Opened),
    /// A computed value is shown to everybody who reads its field.
    Exposed,
}

impl Consequence {
    /// The sentence of the command line.
    pub fn text(&self) -> String {
        match self {
            Self::Meta => "meta".into(),
            Self::NewTable { table, fields, indexes, views } => {
                format!("table {table} with {fields} fields, {indexes} indexes, {views} views")
            }
            Self::RecordsBack(count) => format!("{} come back", records(*count)),
            Self::RecordsHidden { count, table } => format!("{} hidden, kept in {table}", records(*count)),
            Self::ValuesBack(count) => format!("{} come back", values(*count)),
            Self::ValuesHidden(count) => format!("{} hidden, kept in the table", values(*count)),
            Self::Lacking(count) => format!("{} lack it until they are saved again", records(*count)),
            Self::Computed(count) => format!("computed for {}", records(*count)),
            Self::Columns(names) => match &names[..] {
                [] => "no column".into(),
                [one] => format!("column {one}"),
                several => format!("{} columns", several.len()),
            },
            Self::Unique => "unique index".into(),
            Self::Index(count) => format!("index over {}", records(*count)),
            Self::IndexDropped => "index dropped".into(),
            Self::EntityRenamed(from) => format!("was {from}; table and ids stay"),
            Self::FieldRenamed { from, still_answered: true } => format!("was {from}, still answered"),
            Self::FieldRenamed { from, still_answered: false } => format!("was {from}; all values stay"),
            Self::KeepIt(count) => format!("{} keep it", records(*count)),
            Self::Role(effect) => effect.text(),
            Self::Opened(opened) => opened.text(),
            Self::Exposed => "shown to everybody who reads the field, whatever it is computed from".into(),
        }
    }

    /// A stable word with its numbers and names, for pages in other languages.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Meta => json!({"kind": "meta"}),
            Self::NewTable { fields, indexes, views, .. } => {
                json!({"kind": "new_table", "fields": fields, "indexes": indexes, "views": views})
            }
            Self::RecordsBack(count) => json!({"kind": "records_back", "count": count}),
            Self::RecordsHidden { count, .. } => json!({"kind": "records_hidden", "count": count}),
            Self::ValuesBack(count) => json!({"kind": "values_back", "count": count}),
            Self::ValuesHidden(count) => json!({"kind": "values_hidden", "count": count}),
            Self::Lacking(count) => json!({"kind": "lacking", "count": count}),
            Self::Computed(count) => json!({"kind": "computed", "count": count}),
            Self::Columns(names) => json!({"kind": "columns", "count": names.len(), "name": names.first()}),
            Self::Unique => json!({"kind": "unique"}),
            Self::Index(count) => json!({"kind": "index", "count": count}),
            Self::IndexDropped => json!({"kind": "index_dropped"}),
            Self::EntityRenamed(from) => json!({"kind": "entity_renamed", "name": from}),
            Self::FieldRenamed { from, still_answered } => {
                json!({"kind": if *still_answered { "field_answered" } else { "field_renamed" }, "name": from})
            }
            Self::KeepIt(count) => json!({"kind": "keep_it", "count": count}),
            Self::Role(_) => json!({"kind": "role"}),
            Self::Opened(opened) => opened.to_json(),
            Self::Exposed => json!({"kind": "exposed"}),
        }
    }
}

/// Why a step cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// Records share the values of a unique: sets of records with the same values, and the records in them.
    Duplicates { entity: String, fields: Vec<String>, groups: i64, records: i64 },
    /// Records stand in stages of a pipeline that are gone.
    Stranded { entity: String, pipeline: String, stages: Vec<String>, records: i64 },
}

impl Blocked {
    pub fn text(&self) -> String {
        match self {
            Self::Duplicates { entity, fields, groups, records: count } => {
                let (count, fields) = (records(*count), fields.join(", "));
                format!("{entity}: {groups} groups with {count} share a value of {fields}: merge or change them first")
            }
            Self::Stranded { entity, pipeline, stages, records: count } => {
                let (verb, stages) = (if *count == 1 { "stands" } else { "stand" }, stages.join("`, `"));
                format!(
                    "{entity}: {} {verb} in `{stages}` of the pipeline `{pipeline}`, which is gone: move them first, or keep the stage \
                     with `retired: true`",
                    records(*count)
                )
            }
        }
    }

    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Duplicates { entity, fields, groups, records } => {
                json!({"kind": "duplicates", "entity": entity, "fields": fields, "groups": groups, "records": records})
            }
            Self::Stranded { entity, pipeline, stages, records } => {
                json!({"kind": "stranded", "entity": entity, "pipeline": pipeline, "stages": stages, "records": records})
            }
        }
    }
}

/// `1 record`, `18,402 records`.
fn records(count: i64) -> String {
    format!("{} {}", grouped(count), if count == 1 { "record" } else { "records" })
}

fn values(count: i64) -> String {
    format!("{} {}", grouped(count), if count == 1 { "value" } else { "values" })
}
