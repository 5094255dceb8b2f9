//! Nested records of a save: children, and the junction records of links, through the same pipeline.

use std::collections::HashSet;
use std::sync::Arc;

use super::convert::link_id;
use super::error::{FieldFault, RecordError, pointer};
use super::hooks::Record;
use super::input::{Input, Nested, NestedItem, Others};
use super::options::WriteOptions;
use super::plan::Compiled;
use super::prepare::{NestedKind, NestedWrite, Prepared, Target};
use super::unit::RecordTx;
use crate::access::Action;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::FieldType;
use crate::store::compile::Lock;

/// Rows one record may have below one field in one request.
const MAX_BELOW: u32 = 5_000;

/// Where nested rows live and how they hang on the record.
#[derive(Clone, Copy)]
struct Below {
    /// The children or links field.
    field: FieldIx,
    /// Entity of the rows.
    rows: EntityIx,
    /// Their link to the record.
    near: FieldIx,
    /// For links: their link to the other side, and its entity.
    far: Option<(FieldIx, EntityIx)>,
}

impl RecordTx<'_> {
    /// Prepares what a request wants below the record; faults are placed by the request's own order.
    pub(super) async fn prepare_nested(
        &mut self,
        compiled: &Arc<Compiled>,
        prepared: &mut Prepared,
        input: &Input,
        children: Vec<(FieldIx, Nested)>,
        options: &WriteOptions,
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let entity = compiled.entity(prepared.record.entity);
        let listed = input.values.iter().filter_map(|(ix, _)| match &entity.field(*ix).ty {
            FieldType::Links { .. } => Some((*ix, links_of(prepared.record.get(*ix)))),
            _ => None,
        });
        let wanted: Vec<(FieldIx, Nested)> = listed.chain(children).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        self.scope.pending.push(prepared.record.clone());
        let mut result = Ok(());
        for (field, nested) in wanted {
            let below = match &entity.field(field).ty {
                FieldType::Children { of, by } => Below { field, rows: *of, near: *by, far: None },
                FieldType::Links { to, through, near, far } => Below { field, rows: *through, near: *near, far: Some((*far, *to)) },
                _ => continue,
            };
            result = self.prepare_below(compiled, prepared, below, nested, options, faults).await;
            if result.is_err() {
                break;
            }
        }
        self.scope.pending.pop();
        result
    }

    async fn prepare_below(
        &mut self,
        compiled: &Arc<Compiled>,
        prepared: &mut Prepared,
        below: Below,
        nested: Nested,
        options: &WriteOptions,
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let owner = prepared.record.id;
        let name = compiled.entity(prepared.record.entity).field(below.field).name.clone();
        let mut there: Vec<Record> = match prepared.old {
            Some(_) => {
                let all = self.load_by(below.rows, below.near, &[owner], MAX_BELOW, Lock::Change).await?;
                self.only_readable_below(below, all).await?
            }
            None => Vec::new(),
        };
        let options = WriteOptions {
            source: options.source,
            without_hooks: options.without_hooks,
            allow_duplicates: options.allow_duplicates,
            ..WriteOptions::default()
        };
        let mut writes = Vec::new();
        let live = self.live_targets(compiled, below, &nested, &there).await?;
        for (position, item) in nested.items.into_iter().enumerate() {
            let path = format!("{}/{position}", pointer(&name));
            let known_by = |record: &Record, id: RecordId| match below.far {
                Some((far, _)) => link_id(record.get(far)) == Some(id),
                None => record.id == id,
            };
            let given_near = (below.near, Value::Link(owner));
            let step = match item {
                NestedItem::Create(input) => {
                    let id = self.mint();
                    Some(self.prepare(below.rows, Target::Create(id), input, vec![given_near], &options).await)
                }
                NestedItem::Update { id, input } => match there.iter().position(|record| known_by(record, id)) {
                    Some(at) => {
                        let old = there.swap_remove(at);
                        if input.is_empty() {
                            None
                        } else {
                            if !compiled.entity(below.rows).is_made {
                                self.expect_may(Action::Update, &old, Some(&input)).await?;
                            }
                            Some(self.prepare(below.rows, Target::Update(old), input, vec![given_near], &options).await)
                        }
                    }
                    None => match below.far {
                        Some((far, to)) => {
                            if !live.contains(&id) {
                                faults.push(missing(compiled, to, id).below(&path));
                                continue;
                            }
                            let junction = self.mint();
                            let given = vec![given_near, (far, Value::Link(id))];
                            Some(self.prepare(below.rows, Target::Create(junction), input, given, &options).await)
                        }
                        None => {
                            faults.push(not_below(compiled, below.rows, id).below(&path));
                            None
                        }
                    },
                },
                NestedItem::Remove(id) => {
                    match there.iter().position(|record| known_by(record, id)) {
                        Some(at) => {
                            let what = NestedKind::Remove(below.rows, there.swap_remove(at).id);
                            writes.push(NestedWrite { path, what });
                        }
                        None => {
                            let entity = below.far.map_or(below.rows, |(_, to)| to);
                            faults.push(not_below(compiled, entity, id).below(&path));
                        }
                    }
                    continue;
                }
            };
            match step {
                None => {}
                Some(Ok(saved)) => writes.push(NestedWrite { path, what: NestedKind::Save(Box::new(saved)) }),
                Some(Err(RecordError::Invalid(found))) => faults.extend(found.into_iter().map(|fault| fault.below(&path))),
                Some(Err(other)) => return Err(other),
            }
        }
        if nested.others == Others::Remove {
            let path = pointer(&name);
            let removed = there.iter().map(|record| NestedWrite { path: path.clone(), what: NestedKind::Remove(below.rows, record.id) });
            // What goes, goes first: the rows that come may take its place in a unique.
            let mut all: Vec<NestedWrite> = removed.collect();
            all.append(&mut writes);
            writes = all;
        }
        let is_links_change = below.far.is_some()
            && writes.iter().any(|write| match &write.what {
                NestedKind::Remove(..) => true,
                NestedKind::Save(saved) => saved.old.is_none(),
            });
        if is_links_change && !prepared.changed.contains(&below.field) {
            prepared.changed.push(below.field);
        }
        prepared.nested.append(&mut writes);
        Ok(())
    }

    /// Rows that are there, without those the asker may not read, or that lead to records the asker may not read: what a
    /// request does not see it does not touch.
    async fn only_readable_below(&mut self, below: Below, rows: Vec<Record>) -> Result<Vec<Record>, RecordError> {
        let rows = self.only_readable(rows).await?;
        let Some((far, to)) = below.far else { return Ok(rows) };
        let ids: Vec<RecordId> = rows.iter().filter_map(|row| link_id(row.get(far))).collect();
        let readable = self.readable(to, &ids).await?;
        Ok(rows.into_iter().filter(|row| link_id(row.get(far)).is_none_or(|id| readable.contains(&id))).collect())
    }

    /// Of the records to be linked anew, those that are live: one statement for all.
    async fn live_targets(
        &mut self,
        compiled: &Compiled,
        below: Below,
        nested: &Nested,
        there: &[Record],
    ) -> Result<HashSet<RecordId>, RecordError> {
        let Some((far, to)) = below.far else {
            return Ok(HashSet::new());
        };
        let known: HashSet<RecordId> = there.iter().filter_map(|record| link_id(record.get(far))).collect();
        let mut ids: Vec<RecordId> = nested
            .items
            .iter()
            .filter_map(|item| match item {
                NestedItem::Update { id, .. } if !known.contains(id) => Some(*id),
                _ => None,
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let found = self.load(to, &ids, Lock::None).await?;
        let found = self.only_readable(found).await?;
        let target = compiled.entity(to);
        Ok(found.into_iter().filter(|record| !record.is_deleted(target)).map(|record| record.id).collect())
    }
}

/// The fault of a link to a record that is not there.
fn missing(compiled: &Compiled, entity: EntityIx, id: RecordId) -> FieldFault {
    let target = compiled.entity(entity);
    let shown = id.display(&target.prefix);
    FieldFault::whole("not_found", format!("there is no {} `{shown}`", target.slug)).with("entity", target.slug.as_str()).with("id", shown)
}

/// A plain list of links: what is not in it goes.
fn links_of(value: &Value) -> Nested {
    let items = match value {
        Value::List(items) => items.iter().filter_map(link_id).map(|id| NestedItem::Update { id, input: Input::default() }).collect(),
        _ => Vec::new(),
    };
    Nested { items, others: Others::Remove }
}

fn not_below(compiled: &Compiled, entity: EntityIx, id: RecordId) -> FieldFault {
    let target = compiled.entity(entity);
    let shown = id.display(&target.prefix);
    FieldFault::at("id", "not_found", format!("`{shown}` does not belong to this record"))
        .with("entity", target.slug.as_str())
        .with("id", shown)
}
