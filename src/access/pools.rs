//! The catalog as a pool shows it: one entity, and of it the fields the pool names. What somebody looks for in a pool is
//! understood with it, so that nothing else can be asked about.

use std::sync::Arc;

use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::Catalog;

/// `whole` with nothing in it but these fields (and the ids) of one entity. Positions stay.
pub fn pool_catalog(whole: &Arc<Catalog>, entity: EntityIx, show: &[FieldIx]) -> Arc<Catalog> {
    let mut seen = Catalog::clone(whole);
    seen.whole = Some(whole.clone());
    seen.described.clear();
    seen.roles.clear();
    seen.apps.clear();
    seen.by_slug.retain(|_, known| *known == entity);
    seen.by_prefix.retain(|_, known| *known == entity);
    for known in &mut seen.entities {
        let is_here = known.ix == entity;
        for field in &mut known.fields {
            field.is_hidden = !(is_here && (show.contains(&field.ix) || (field.is_system && field.name == "id")));
        }
        let fields = &known.fields;
        known.by_name.retain(|_, field| fields.get(field.0 as usize).is_some_and(|field| !field.is_hidden));
        known.uniques.clear();
        known.views.clear();
        known.layouts.clear();
    }
    Arc::new(seen)
}
