//! Records, errors and circumstances in the words of the other room.

use serde_json::Value as Json;

use super::bridge::{Automation, Stopped};
use crate::base::Explain;
use crate::query::QueryError;
use crate::record::{FieldFault, Record, RecordError, RecordTx};
use crate::schema::catalog::{Catalog, Entity};
use crate::script::{Compiled, Context, HostError, Issue, RecordData};

pub(super) fn data_of(record: Record) -> RecordData {
    RecordData { entity: record.entity, id: Some(record.id), values: record.values, children: Vec::new() }
}

/// What a script is told of a refusal.
pub(super) fn host_error(error: &RecordError) -> HostError {
    let message = match error.hint() {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    };
    HostError {
        is_transient: matches!(error, RecordError::Busy | RecordError::TooLong | RecordError::Store(_)),
        ..HostError::new(error.code(), message)
    }
}

pub(super) fn query_error(faults: &[QueryError]) -> HostError {
    match faults.first() {
        Some(first) => {
            let hint = first.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            HostError::new(first.code(), format!("{first}{hint}"))
        }
        None => HostError::new("AUT245", "the question cannot be understood"),
    }
}

/// A stopped script as the refusal of what it belongs to.
pub(super) fn refusal(script: &Compiled, stopped: &Stopped) -> RecordError {
    match stopped {
        Stopped::Script(error) => RecordError::Hook {
            script: error.script.clone(),
            file: error.file.clone(),
            line: (error.line > 0).then_some(error.line),
            message: error.message.clone(),
        },
        Stopped::Busy => {
            tracing::warn!(script = %script.id, "no thread is free for the script");
            RecordError::Busy
        }
    }
}

/// A script's rejects as faults; a field it names that is not there leaves the fault at the record.
pub(super) fn faults(entity: &Entity, issues: &[Issue]) -> Vec<FieldFault> {
    issues
        .iter()
        .map(|issue| match entity.find_field(&issue.field) {
            Some(field) => FieldFault::at(&field.name, issue.code.clone(), issue.message.clone()),
            None => FieldFault::whole(issue.code.clone(), issue.message.clone()),
        })
        .collect()
}

impl Automation {
    /// `ctx` of a run inside `tx`.
    pub(super) fn context(&self, tx: &RecordTx<'_>, event: &str, payload: Json) -> Context {
        let catalog = tx.catalog();
        let settings = &catalog.settings;
        Context {
            now: tx.now(),
            time_zone: settings.time_zone.clone(),
            currency: settings.currency,
            user: tx.actor().user.map_or_else(String::new, |user| user.display(user_prefix(catalog))),
            event: event.to_owned(),
            chain: tx.chain().iter().map(|cause| cause.handler.clone()).collect(),
            payload,
            seed: self.random.next_u64(),
        }
    }
}

fn user_prefix(catalog: &Catalog) -> &str {
    catalog.find_entity("core.user").map_or("user", |entity| entity.prefix.as_str())
}
