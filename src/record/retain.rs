//! Retention: what definitions say is kept for so long is erased or deleted when its time has come. Runs as a job.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::RecordError;
use super::options::{Source, WriteOptions};
use super::service::Records;
use crate::access::Actor;
use crate::base::{DateTime, EntityIx, RecordId, Value};
use crate::expr::{CompareOp, Node, Path, Root, Type, Typed};
use crate::query::Deleted;
use crate::schema::catalog::{Catalog, Entity, FieldType, Retention, RetentionAction};
use crate::store::audit::{self, Entry};

/// Records looked for at once.
const STRIDE: u32 = 200;
/// Strides of one rule in one run; the next run goes on.
const MOST_STRIDES: usize = 50;
const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retained {
    pub erased: u64,
    pub deleted: u64,
    /// Refused by links or rules of the definitions; tried again with the next run.
    pub refused: u64,
}

impl Records {
    /// Does what the retention rules of all entities say is due.
    ///
    /// # Errors
    /// The database.
    pub async fn retain(&self) -> Result<Retained, RecordError> {
        let catalog = self.catalog();
        let mut all = Retained::default();
        for entity in &catalog.entities {
            for rule in &entity.retention {
                let done = self.retain_by(&catalog, entity, rule).await?;
                if done == Retained::default() {
                    continue;
                }
                let mut entry = Entry::new("records.retain").of(&entity.id).fact("rule", rule.id.as_str());
                for (name, count) in [("erased", done.erased), ("deleted", done.deleted), ("refused", done.refused)] {
                    if count > 0 {
                        entry = entry.fact(name, count);
                    }
                }
                audit::note(self.store(), entry).await?;
                all.erased += done.erased;
                all.deleted += done.deleted;
                all.refused += done.refused;
            }
        }
        Ok(all)
    }

    async fn retain_by(&self, catalog: &Arc<Catalog>, entity: &Entity, rule: &Retention) -> Result<Retained, RecordError> {
        let mut done = Retained::default();
        let Some(due) = due(catalog, entity, rule, self.clock().now()) else { return Ok(done) };
        let mut refused: BTreeSet<RecordId> = BTreeSet::new();
        for _ in 0..MOST_STRIDES {
            // Those that were refused are found again: as many more are looked at.
            let limit = STRIDE + u32::try_from(refused.len()).unwrap_or(u32::MAX - STRIDE);
            let mut found = self.due_records(entity, rule, due.clone(), limit).await?;
            found.retain(|id| !refused.contains(id));
            if found.is_empty() {
                break;
            }
            for id in found {
                match self.act_on(catalog, entity.ix, rule.action, id).await {
                    Ok(()) if rule.action == RetentionAction::Erase => done.erased += 1,
                    Ok(()) => done.deleted += 1,
                    Err(error @ (RecordError::Store(_) | RecordError::Busy | RecordError::StaleCatalog)) => return Err(error),
                    Err(error) => {
                        tracing::info!(rule = %rule.id, entity = %entity.id, record.id = id.0, code = crate::base::Explain::code(&error), "retention was refused");
                        refused.insert(id);
                        done.refused += 1;
                    }
                }
            }
        }
        Ok(done)
    }

    async fn act_on(&self, catalog: &Arc<Catalog>, entity: EntityIx, action: RetentionAction, id: RecordId) -> Result<(), RecordError> {
        let actor = Actor::system();
        match action {
            RetentionAction::Erase => self.erase(&actor, entity, id).await.map(|_| ()),
            RetentionAction::Delete => self.delete(&actor, catalog, entity, id, WriteOptions::from(Source::System)).await.map(|_| ()),
        }
    }

    async fn due_records(&self, entity: &Entity, rule: &Retention, due: Typed, limit: u32) -> Result<Vec<RecordId>, RecordError> {
        let (ix, has_bin) = (entity.ix, entity.features.soft_delete);
        let deleted = if has_bin && rule.action == RetentionAction::Erase { Deleted::All } else { Deleted::Live };
        self.unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
            let due = due.clone();
            Box::pin(async move {
                let compiled = tx.scope.compiled.clone();
                tx.ids_of(&Actor::system(), &compiled, ix, Some(due), None, deleted, limit).await
            })
        })
        .await
    }
}

/// The rule's condition at this moment; `None` when it can hold for nothing.
fn due(catalog: &Catalog, entity: &Entity, rule: &Retention, now: DateTime) -> Option<Typed> {
    let days = i64::from(rule.days);
    let (ty, before) = match entity.field(rule.since).ty {
        FieldType::Date { .. } => {
            let today = now.date_in(&catalog.settings.time_zone);
            (Type::Date, Value::Date(crate::base::Date(today.0.checked_sub(i32::try_from(days).ok()?)?)))
        }
        FieldType::DateTime => (Type::DateTime, Value::DateTime(DateTime(now.0.checked_sub(days.checked_mul(DAY_US)?)?))),
        _ => return None,
    };
    let path = Node::Path(Path { root: Root::Record, hops: Vec::new(), field: rule.since, part: None });
    let left = Box::new(Typed::new(ty.clone(), path, 0..0));
    let old = Node::Compare { op: CompareOp::Lt, left, right: Box::new(Typed::literal(ty, before)) };
    Some(Typed::all_of(vec![Typed::new(Type::Bool, old, 0..0), rule.when.clone()]))
}
