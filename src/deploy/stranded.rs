//! Records that stand in stages a plan takes away.

use std::collections::HashMap;

use super::DeployError;
use super::consequence::Blocked;
use crate::expr::{self, EvalContext, Expected, Type, Typed, Zone};
use crate::schema::catalog::{Catalog, Entity, Pipeline};
use crate::schema::{CatalogScope, Op, OpKind, Part};
use crate::store::Store;
use crate::store::compile::gained::{Said, gained};

/// Records of a stage that are counted.
const MOST: i64 = 1_000_000;

/// By uid of the op, why it cannot be done: records would be left in a stage that is none any more.
pub(super) async fn stranded(store: &Store, old: &Catalog, new: &Catalog, ops: &[Op]) -> Result<HashMap<String, Blocked>, DeployError> {
    let mut found = HashMap::new();
    for op in ops.iter().filter(|op| op.kind == OpKind::ChangePart { part: Part::Pipeline }) {
        let Some(((entity, was), (_, is))) = pipeline(old, op).zip(pipeline(new, op)) else { continue };
        let (mut stages, mut records) = (Vec::new(), 0);
        for stage in was.stages.iter().filter(|stage| is.stage(&stage.key).is_none()) {
            let count = count(store, old, entity, was, &stage.key).await?;
            if count > 0 {
                records += count;
                stages.push(stage.key.clone());
            }
        }
        if records > 0 {
            let blocked = Blocked::Stranded { entity: entity.id.clone(), pipeline: was.id.clone(), stages, records };
            found.insert(op.uid.clone(), blocked);
        }
    }
    Ok(found)
}

/// The pipeline an op is about.
pub(super) fn pipeline<'c>(catalog: &'c Catalog, op: &Op) -> Option<(&'c Entity, &'c Pipeline)> {
    let owner = op.uid.split('/').next()?;
    let entity = catalog.entities.iter().find(|entity| entity.uid == owner)?;
    Some((entity, entity.pipelines.iter().find(|pipeline| pipeline.id == op.name)?))
}

/// Live records that follow a pipeline and stand in a stage of it.
async fn count(store: &Store, catalog: &Catalog, entity: &Entity, pipeline: &Pipeline, stage: &str) -> Result<i64, DeployError> {
    let is_there = format!("{} = '{}'", entity.field(pipeline.field).name, stage.replace('\'', "''"));
    let Ok(mut rule) = expr::compile(&is_there, &CatalogScope::new(catalog), entity.ix, &Expected::Condition) else { return Ok(0) };
    if let Some(when) = &pipeline.when {
        rule = Typed::all_of(vec![when.clone(), rule]);
    }
    let never = Typed::literal(Type::Bool, crate::base::Value::Bool(false));
    let statement = {
        let zone = Zone::named(&catalog.settings.time_zone_name).unwrap_or_else(Zone::utc);
        let context = EvalContext { now: store.clock().now(), zone, me: None, old: None };
        let said = |rule| Said { catalog, entity: entity.ix, rule: Some(rule) };
        gained(store.dialect(), said(&never), said(&rule), &context, MOST)
    };
    Ok(store.query(&statement).await?.one_int().unwrap_or(0))
}
