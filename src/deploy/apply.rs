//! Doing what a plan says: tables, bindings and the new version in one transaction.

use super::plan::is_stored_computed;
use super::{DeployError, Plan, Step};
use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::Entity;
use crate::schema::{Loaded, Op, OpKind, Part};
use crate::store::catalog::{NewVersion, save_version};
use crate::store::{Sql, Store, StoreError};

/// What apply did.
#[derive(Debug)]
pub struct Outcome {
    /// The new version, or the old one when nothing changed.
    pub version: i64,
    /// The definitions now in force.
    pub loaded: Loaded,
    /// Number of changes made.
    pub changes: usize,
    /// Fields whose stored value, folded text or search tokens must be computed for the records that are there.
    pub recompute: Vec<(EntityIx, FieldIx)>,
}

/// Applies exactly this plan. `accept` holds the confirmations given (`hides:fld_m2`, or `all`), `by` the user's id or 0.
/// Everything happens in one transaction in which no other write runs: a client sees the old definitions or the new ones.
///
/// # Errors
/// Blocked steps, missing confirmations, a stale plan, the database. Nothing is changed then.
pub async fn apply(store: &Store, plan: Plan, accept: &[String], by: i64) -> Result<Outcome, DeployError> {
    let blocked = plan.blocked();
    if !blocked.is_empty() {
        return Err(DeployError::Blocked(blocked));
    }
    let missing: Vec<String> = plan.confirmations.iter().filter(|needed| !accept.contains(&needed.name)).map(|c| c.name.clone()).collect();
    if !missing.is_empty() {
        return Err(DeployError::Unconfirmed(missing));
    }
    let Plan { base, steps, links, views, mut loaded, .. } = plan;
    if steps.is_empty() {
        loaded.catalog.version = base;
        return Ok(Outcome { version: base, loaded, changes: 0, recompute: Vec::new() });
    }
    let changes = steps.len();
    let recompute = steps.iter().flat_map(|step| recompute(&step.op, &loaded)).collect();
    let new = NewVersion {
        base,
        digest: loaded.digest.clone(),
        bundle_json: loaded.bundle.to_string(),
        plan_json: serde_json::Value::from(steps.iter().map(|step| super::render::subject(&step.op)).collect::<Vec<_>>()).to_string(),
        bindings: loaded.bindings.by_uid.values().cloned().collect(),
        by,
    };
    let statements = in_order(steps, links, views);
    let written = store
        .apply(move |tx| {
            Box::pin(async move {
                tx.expect_catalog(new.base).await?;
                for sql in statements {
                    tx.run(sql).await?;
                }
                save_version(tx, &new).await
            })
        })
        .await;
    let version = match written {
        Ok(version) => version,
        Err(StoreError::StaleCatalog { expected, actual }) => return Err(DeployError::StalePlan { planned: expected, actual }),
        Err(error) => return Err(error.into()),
    };
    loaded.catalog.version = version;
    Ok(Outcome { version, loaded, changes, recompute })
}

/// Indexes that go, tables and columns, references between them, new indexes, views.
fn in_order(steps: Vec<Step>, links: Vec<Sql>, views: Vec<Sql>) -> Vec<Sql> {
    let (mut first, mut tables, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
    for step in steps {
        let phase = match step.op.kind {
            OpKind::DropIndex { .. } | OpKind::DropUnique { .. } => &mut first,
            OpKind::CreateIndex { .. } | OpKind::CreateUnique { .. } => &mut indexes,
            _ => &mut tables,
        };
        phase.extend(step.statements);
    }
    first.into_iter().chain(tables).chain(links).chain(indexes).chain(views).collect()
}

fn recompute(op: &Op, loaded: &Loaded) -> Vec<(EntityIx, FieldIx)> {
    match &op.kind {
        OpKind::CreatePart { part: Part::Clock } | OpKind::ChangePart { part: Part::Clock } => {
            clocks(loaded, |entity| entity.id == op.entity)
        }
        // Hours and days are the ground of what clocks have counted.
        OpKind::ChangePart { part: Part::Calendar | Part::Settings } => clocks(loaded, |_| true),
        _ => recompute_field(op, loaded).into_iter().collect(),
    }
}

/// A field of a clock of each of these entities that has one.
fn clocks(loaded: &Loaded, concerns: impl Fn(&Entity) -> bool) -> Vec<(EntityIx, FieldIx)> {
    let entities = loaded.catalog.entities.iter().filter(|entity| concerns(entity));
    entities.filter_map(|entity| Some((entity.ix, entity.clocks.first()?.fields.state))).collect()
}

fn recompute_field(op: &Op, loaded: &Loaded) -> Option<(EntityIx, FieldIx)> {
    match &op.kind {
        OpKind::CreateField { entity, field } | OpKind::RestoreField { entity, field } => {
            is_stored_computed(loaded.catalog.entity(*entity).field(*field)).then_some((*entity, *field))
        }
        OpKind::ChangeField { entity, field, recompute, add_fold, .. } => {
            let searched = op.changes.iter().any(|change| change.property == "search");
            (*recompute || add_fold.is_some() || searched).then_some((*entity, *field))
        }
        // Records that are there get the keys by which the rule finds them.
        OpKind::CreatePart { part: Part::Duplicate } | OpKind::ChangePart { part: Part::Duplicate } => {
            let entity = loaded.catalog.entities.iter().find(|entity| entity.id == op.entity)?;
            let rule = entity.duplicates.iter().find(|rule| rule.id == op.name)?;
            Some((entity.ix, rule.matches.first()?.field))
        }
        _ => None,
    }
}
