//! Scripts on record events, inside the unit of work.

use crate::record::{BoxFuture, Cause, Draft, HookPoint, Record, RecordError, RecordEvent, RecordHooks, RecordTx};
use crate::schema::catalog::{Catalog, Script};
use crate::script::{Compiled, Input, RecordData, ScriptFault};

use super::begin::BEGIN;
use super::bridge::Automation;
use super::condition::{at_point, is_watched};
use super::starts::{is_awaited, started};
use super::translate::{data_of, faults, refusal};
use crate::base::EntityIx;

impl RecordHooks for Automation {
    fn matches(&self, catalog: &Catalog, entity: EntityIx, point: HookPoint) -> bool {
        let is_waited_for = point == HookPoint::AfterCommit && catalog.automations.starts.contains_key(&entity);
        is_waited_for || at_point(catalog, entity, point).next().is_some()
    }

    fn before_save<'a>(&'a self, tx: &'a mut RecordTx<'_>, draft: &'a mut Draft) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(self.run_before_save(tx, draft))
    }

    fn before_delete<'a>(&'a self, tx: &'a mut RecordTx<'_>, record: &'a Record) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(self.run_before_delete(tx, record))
    }

    fn after_write<'a>(&'a self, tx: &'a mut RecordTx<'_>, event: &'a RecordEvent) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(self.run_after_write(tx, event))
    }

    fn deliveries(&self, catalog: &Catalog, event: &RecordEvent) -> Vec<String> {
        let scripts = at_point(catalog, event.entity, HookPoint::AfterCommit).filter(|(_, script)| is_watched(script, &event.changed));
        let mut handlers: Vec<String> = scripts.map(|(_, script)| script.id.clone()).collect();
        // One job for all automations, however many there are.
        if !started(catalog, event.entity, event.kind, &event.changed, event.old.as_ref(), &event.record).is_empty()
            || is_awaited(catalog, event.entity, event.kind, &event.changed)
        {
            handlers.push(BEGIN.to_owned());
        }
        handlers
    }
}

impl Automation {
    async fn run_before_save(&self, tx: &mut RecordTx<'_>, draft: &mut Draft) -> Result<(), RecordError> {
        let catalog = tx.catalog().clone();
        let compiled = self.cache.scripts(&catalog);
        let entity = catalog.entity(draft.entity);
        for (at, script) in at_point(&catalog, draft.entity, HookPoint::BeforeSave) {
            let mut changed = draft.changed();
            changed.extend(draft.children.iter().map(|(field, _)| *field));
            if !is_watched(script, &changed) {
                continue;
            }
            let record = Record { entity: draft.entity, id: draft.id, version: 0, values: draft.values.clone() };
            if !applies(tx, script, &record, draft.old.as_ref()).await? {
                continue;
            }
            let ready = sound(&compiled[at])?;
            let event = if draft.old.is_some() { "update" } else { "create" };
            let input = Input {
                catalog: catalog.clone(),
                record: Some(data_of(record)),
                old: draft.old.clone().map(data_of),
                context: self.context(tx, event, serde_json::Value::Null),
            };
            let outcome = self.run_script(tx, ready, input, Some(draft)).await.map_err(|stopped| refusal(ready, &stopped))?;
            for (field, value) in outcome.changed {
                draft.set(field, value);
            }
            draft.faults.extend(faults(entity, &outcome.rejects));
            draft.warnings.extend(outcome.warnings.into_iter().map(|warning| warning.message));
        }
        Ok(())
    }

    async fn run_before_delete(&self, tx: &mut RecordTx<'_>, record: &Record) -> Result<(), RecordError> {
        let catalog = tx.catalog().clone();
        let compiled = self.cache.scripts(&catalog);
        let mut refused = Vec::new();
        for (at, script) in at_point(&catalog, record.entity, HookPoint::BeforeDelete) {
            if !applies(tx, script, record, Some(record)).await? {
                continue;
            }
            let ready = sound(&compiled[at])?;
            let input = self.event_input(tx, "delete", data_of(record.clone()), Some(data_of(record.clone())));
            let outcome = self.run_script(tx, ready, input, None).await.map_err(|stopped| refusal(ready, &stopped))?;
            refused.extend(faults(catalog.entity(record.entity), &outcome.rejects));
        }
        if refused.is_empty() { Ok(()) } else { Err(RecordError::Invalid(refused)) }
    }

    async fn run_after_write(&self, tx: &mut RecordTx<'_>, event: &RecordEvent) -> Result<(), RecordError> {
        let catalog = tx.catalog().clone();
        let compiled = self.cache.scripts(&catalog);
        for (at, script) in at_point(&catalog, event.entity, HookPoint::AfterWrite) {
            if !is_watched(script, &event.changed) || !applies(tx, script, &event.record, event.old.as_ref()).await? {
                continue;
            }
            let ready = sound(&compiled[at])?;
            if !tx.enter(Cause { handler: script.id.clone(), entity: event.entity, id: event.id }) {
                tracing::info!(script = %script.id, record.id = event.id.0, "skipped: the script already ran for this record in this chain");
                continue;
            }
            let input = self.event_input(tx, event.kind.as_str(), data_of(event.record.clone()), event.old.clone().map(data_of));
            let result = self.run_script(tx, ready, input, None).await;
            tx.leave();
            let outcome = result.map_err(|stopped| refusal(ready, &stopped))?;
            if !outcome.rejects.is_empty() {
                return Err(RecordError::Invalid(faults(catalog.entity(event.entity), &outcome.rejects)));
            }
        }
        Ok(())
    }

    /// The input of a script on a record event.
    pub(super) fn event_input(&self, tx: &RecordTx<'_>, event: &str, record: RecordData, old: Option<RecordData>) -> Input {
        Input { catalog: tx.catalog().clone(), record: Some(record), old, context: self.context(tx, event, serde_json::Value::Null) }
    }
}

/// Whether the script's `when` holds.
pub(super) async fn applies(tx: &mut RecordTx<'_>, script: &Script, record: &Record, old: Option<&Record>) -> Result<bool, RecordError> {
    match &script.when {
        Some(when) => tx.holds(when, record, old).await,
        None => Ok(true),
    }
}

/// The compiled script, or the refusal that its fault is.
pub(super) fn sound(compiled: &Result<Compiled, ScriptFault>) -> Result<&Compiled, RecordError> {
    compiled.as_ref().map_err(|fault| RecordError::Hook {
        script: fault.script.clone(),
        file: fault.file.clone(),
        line: Some(fault.line),
        message: format!("{} [{}]", fault.message, fault.code),
    })
}
