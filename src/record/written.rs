//! The record as a save wrote it: whoever saved it gets it back without another look into the database.

use std::sync::Arc;

use super::error::RecordError;
use super::options::Saved;
use super::row::Row;
use super::service::{Records, is_open};
use crate::access::Actor;
use crate::base::{EntityIx, Value};
use crate::schema::catalog::Catalog;
use crate::store::compile::RowSet;

/// A whole record as it was written, with the definitions its values stand in the order of.
#[derive(Debug, Clone)]
pub struct Written {
    pub(super) catalog: Arc<Catalog>,
    pub(super) entity: EntityIx,
    pub(super) values: Vec<Value>,
}

impl Records {
    /// The record a save left, for the parameters of a URL as in [`Records::get_url`]; read from the database unless the save
    /// brought all of it.
    ///
    /// # Errors
    /// As [`Records::get_url`].
    pub async fn get_saved(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        saved: &Saved,
        query: &str,
    ) -> Result<Option<Row>, RecordError> {
        let whole = catalog.whole();
        let same = |written: &&Arc<Written>| Arc::ptr_eq(&written.catalog, &whole) && written.entity == entity && is_open(actor, &whole);
        if let Some(written) = saved.written.as_ref().filter(same) {
            let plan = self.get_plan(actor, catalog, entity, saved.id, query)?;
            if let Some(set) = RowSet::of_values(&whole, plan.rows(), &written.values) {
                return Ok(Some(self.shown(actor, catalog, entity, plan.select(), set).await?));
            }
        }
        self.get_url(actor, catalog, entity, saved.id, query).await
    }
}
