//! Values of a record as somebody may read them, for a text that is written with them: what is kept from them is absent.

use std::sync::Arc;

use super::error::RecordError;
use super::hooks::Record;
use super::service::Records;
use super::world::{Setting, World};
use crate::access::{Actor, Granted, Mask};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::needs::needs_of;
use crate::expr::{Needs, Typed, needs};
use crate::schema::catalog::{Catalog, FieldType};
use crate::store::compile::Lock;

impl Records {
    /// The values of expressions about a record, in their order. `None`: it is not there, or may not be read.
    ///
    /// # Errors
    /// The database; what cannot be noted in the audit is not shown.
    pub async fn values_told(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        wanted: &[Typed],
    ) -> Result<Option<Vec<Value>>, RecordError> {
        let compiled = self.compiled(&catalog.whole());
        let granted = actor.standing(&compiled.catalog)?.part().cloned();
        let definition = compiled.entity(entity);
        let now = self.clock().now();
        let mut reader = self.reader(&compiled, actor, granted.as_deref().map(|granted| (granted, now)));
        let found = reader.load(entity, &[id], Lock::None).await?.pop();
        let Some(record) = found.filter(|record| !record.is_deleted(definition)) else { return Ok(None) };
        let mut world = World::default();
        let roots = std::slice::from_ref(&record);
        reader.gather(&mut world, roots, &needs_of(wanted), false).await?;
        reader.gather(&mut world, roots, &compiled.plan(entity).computed_needs, false).await?;
        let setting = Setting::new(&compiled, now, actor);
        let mut values = Vec::with_capacity(wanted.len());
        for typed in wanted {
            let needs = needs(typed);
            let is_kept_back = granted.as_deref().is_some_and(|granted| hides(granted, &compiled.catalog, entity, &needs));
            values.push(if is_kept_back { Value::Null } else { setting.eval(&world, typed, &record, None) });
            self.witness_fields(actor, &compiled, entity, id, needs.fields.iter().copied()).await?;
            for path in &needs.paths {
                let linked: Option<&Record> = super::load::walk(&world, &record, &path.hops);
                if let (Some(linked), Some(hop)) = (linked, path.hops.last()) {
                    self.witness_fields(actor, &compiled, hop.to, linked.id, std::iter::once(path.field)).await?;
                }
            }
        }
        Ok(Some(values))
    }
}

/// Whether something that is needed may never be read, or not always and is computed here: a stored value that may not be read
/// was not loaded.
fn hides(granted: &Granted, catalog: &Catalog, entity: EntityIx, needs: &Needs) -> bool {
    let is_hidden = |entity: EntityIx, field: FieldIx| {
        let is_virtual = matches!(
            catalog.entity(entity).field(field).ty,
            FieldType::Formula { stored: false, .. } | FieldType::Rollup { stored: false, .. } | FieldType::Lookup { .. }
        );
        granted.rules().mask(entity, field).is_some_and(|mask| is_virtual || Mask::is_never(mask))
    };
    needs.fields.iter().any(|field| is_hidden(entity, *field))
        || needs.paths.iter().any(|path| is_hidden(path.hops.last().map_or(entity, |hop| hop.to), path.field))
}
