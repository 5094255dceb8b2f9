//! Values that new definitions ask for on records that are there: stored formulas and rollups, folded texts, search tokens.

use super::{AppError, Workspace};
use crate::base::{EntityIx, FieldIx};

/// Computes the fields for all records of their entities, in chunks, before apply answers.
///
/// # Errors
/// The database; what was computed before stays, and applying again goes on.
pub async fn recompute(workspace: &Workspace, fields: &[(EntityIx, FieldIx)]) -> Result<(), AppError> {
    let mut entities: Vec<EntityIx> = fields.iter().map(|(entity, _)| *entity).collect();
    entities.sort_unstable();
    entities.dedup();
    for entity in entities {
        let wanted: Vec<FieldIx> = fields.iter().filter(|(of, _)| *of == entity).map(|(_, field)| *field).collect();
        let count = workspace.records.recompute(entity, &wanted).await?;
        tracing::info!(entity = %workspace.catalog.load().entity(entity).id, records = count, "values computed for new definitions");
    }
    Ok(())
}
