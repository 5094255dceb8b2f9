//! Encrypted values: opened when records are read, closed before anything of them is written. Everything between the two,
//! rules, formulas and scripts, works with the plain text; rows, history, queue and answers that are kept hold the other.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::error::RecordError;
use super::hooks::Record;
use super::plan::Compiled;
use super::unit::RecordTx;
use crate::base::sealed::HIDDEN;
use crate::base::{FieldIx, Sealed, Value};
use crate::schema::catalog::{Entity, Field};
use crate::store::compile::{RowSet, Source};
use crate::store::vault::{self, DataKey};
use crate::store::{Store, StoreError};

/// Who the opened values are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody who is shown them: of a secret only that it is there.
    Person,
    /// Rules, formulas and scripts.
    Engine,
}

/// Opens what of the rows is encrypted, with one statement. Where nothing is, there is none.
pub(super) async fn open_rows(source: &mut Source<'_>, set: &mut RowSet, reader: Reader) -> Result<(), RecordError> {
    let mut cells = set.sealed_cells();
    if cells.is_empty() {
        return Ok(());
    }
    let is_hidden = |is_secret: bool| is_secret && reader == Reader::Person;
    let sealed: Vec<Option<Sealed>> = cells.iter().map(|cell| Sealed::parse(cell.cell.as_text()?)).collect();
    let wanted = cells.iter().zip(&sealed).filter(|(cell, _)| !is_hidden(cell.is_secret)).filter_map(|(_, sealed)| sealed.as_ref());
    let keys = keys(source, wanted).await?;
    for (cell, sealed) in cells.iter_mut().zip(&sealed) {
        let text = sealed.as_ref().and_then(|sealed| match is_hidden(cell.is_secret) {
            true => Some(HIDDEN.to_owned()),
            false => keys.get(&sealed.holder)?.open(&cell.field, sealed),
        });
        cell.open(text.as_deref());
    }
    Ok(())
}

async fn keys(source: &mut Source<'_>, sealed: impl Iterator<Item = &Sealed>) -> Result<HashMap<i64, DataKey>, RecordError> {
    let mut holders: Vec<i64> = sealed.map(|sealed| sealed.holder).collect();
    holders.sort_unstable();
    holders.dedup();
    Ok(vault::keys_of(source, &holders).await?)
}

/// Opens values as history and queue hold them: by field, each a JSON text. What can no longer be read is null.
pub(super) async fn open_json(source: &mut Source<'_>, values: Vec<(&Field, &mut Json)>, reader: Reader) -> Result<(), RecordError> {
    let mut found: Vec<(&Field, &mut Json, Sealed)> = Vec::new();
    for (field, json) in values {
        if let Some(sealed) = json.as_str().and_then(Sealed::parse) {
            found.push((field, json, sealed));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let keys = keys(source, found.iter().map(|(_, _, sealed)| sealed)).await?;
    for (field, json, sealed) in found {
        let text = keys.get(&sealed.holder).and_then(|key| key.open(&field.uid, &sealed));
        *json = match text {
            Some(_) if field.is_secret() && reader == Reader::Person => HIDDEN.into(),
            text => text.into(),
        };
    }
    Ok(())
}

/// Values that a request sent back as it was shown them change nothing.
pub(super) fn is_kept(field: &Field, value: &Value) -> bool {
    field.is_secret() && value.as_text() == Some(HIDDEN)
}

impl RecordTx<'_> {
    /// The record as it is stored: its encrypted values closed.
    pub(super) async fn closed<'r>(&mut self, compiled: &Compiled, record: &'r Record) -> Result<Cow<'r, Record>, RecordError> {
        let plan = compiled.plan(record.entity);
        let filled: Vec<FieldIx> = plan.sealed.iter().copied().filter(|ix| !record.get(*ix).is_null()).collect();
        if filled.is_empty() {
            return Ok(Cow::Borrowed(record));
        }
        let entity = compiled.entity(record.entity);
        let key = match self.scope.data_keys.get(&record.id) {
            Some(key) => key.clone(),
            None => {
                let key = vault::key_for(self.store, record.id.0).await?;
                self.scope.data_keys.insert(record.id, key.clone());
                key
            }
        };
        let vault = self.store.vault().ok_or(StoreError::NoKey)?;
        let random = self.store.random().clone();
        let mut stored = record.clone();
        for ix in filled {
            let text = record.get(ix).as_text().unwrap_or_default();
            let closed = key.close(random.as_ref(), vault.blind(), &entity.field(ix).uid, record.id.0, text);
            stored.values[ix.0 as usize] = Value::Text(closed.ok_or(StoreError::NoKey)?);
        }
        Ok(Cow::Owned(stored))
    }

    /// Opens the values of a delivery as it lay in the queue.
    ///
    /// # Errors
    /// The database.
    pub async fn open_values(&mut self, entity: &Entity, values: &mut Map<String, Json>) -> Result<(), RecordError> {
        let fields = values.iter_mut().filter_map(|(name, json)| Some((entity.find_field(name).filter(|field| field.encrypted)?, json)));
        let fields = fields.collect();
        open_json(&mut Source::Tx(self.store), fields, Reader::Engine).await
    }
}

/// Opens changes of a record's history for who is shown them.
pub(super) async fn open_changes(
    store: &Store,
    entity: &Entity,
    changes: Vec<&mut super::history::FieldChange>,
) -> Result<(), RecordError> {
    let mut values = Vec::new();
    for change in changes {
        if let Some(field) = entity.find_field(&change.field).filter(|field| field.encrypted) {
            values.push((field, &mut change.old));
            values.push((field, &mut change.new));
        }
    }
    open_json(&mut Source::Store(store), values, Reader::Person).await
}
