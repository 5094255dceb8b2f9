//! An import that came in over the web, from the API or from a page.

use std::sync::Arc;

use super::{Problem, State};
use crate::access::{Actor, authorise_import};
use crate::schema::catalog::{Catalog, Entity};
use crate::store::audit::{self, Entry};
use crate::transfer::{self, Existing, Import, Mapping, Report, Table, TableOptions};

/// What somebody wants with a file.
pub(super) struct Order {
    /// Names of the fields of a unique by which records are found; empty: all rows become new records.
    pub matched: Vec<String>,
    /// Records that are found stay as they are.
    pub keeps: bool,
    pub dry_run: bool,
    /// Why rows pass over the gates of a pipeline.
    pub reason: Option<String>,
    /// Rows are kept also where a rule warns of a duplicate.
    pub allow_duplicates: bool,
}

/// Before the file is read: whether records of the entity may be imported at all.
pub(super) fn expect_allowed(catalog: &Arc<Catalog>, actor: &Actor, entity: &Entity) -> Result<(), Problem> {
    Ok(authorise_import(&catalog.whole(), actor, entity.ix, &[])?)
}

/// Reads the file and writes its rows; gives the report and the file's header.
///
/// # Errors
/// `ACL005` where records of the entity may not be imported, `TRF…` for a file that cannot be read, the database.
pub(super) async fn run(
    state: &State,
    actor: &Actor,
    catalog: &Arc<Catalog>,
    entity: &Entity,
    bytes: Vec<u8>,
    order: Order,
) -> Result<(Report, Vec<String>), Problem> {
    let failed = |error: &transfer::TransferError| Problem::explain(error);
    // A large file takes a while.
    let table = tokio::task::spawn_blocking(move || Table::read(&bytes, &TableOptions::default()));
    let table = table.await.map_err(|fault| Problem::internal(&fault))?.map_err(|error| failed(&error))?;
    let header = table.header.clone();
    // The catalog as the asker sees it: a column with the name of a hidden field fills nothing.
    let mut mapping = Mapping::guess(catalog, entity, &order.matched, &header).map_err(|error| failed(&error))?;
    if order.keeps {
        mapping.root.existing = Existing::Keep;
    }
    let Order { dry_run, reason, allow_duplicates, .. } = order;
    let import = Import { table, mapping, zone: actor.time_zone.clone(), dry_run, without_hooks: false, reason, allow_duplicates };
    let report = transfer::import(&state.records, actor, import, &|_| ()).await?;
    if !dry_run {
        let entry = Entry::new("records.import").of(&entity.id);
        let counts = [("created", report.created), ("updated", report.updated), ("failed", report.failed.len() as u64)];
        let entry = counts.into_iter().fold(entry, |entry, (name, count)| entry.fact(name, count));
        audit::note(state.records.store(), entry).await.map_err(|fault| Problem::internal(&fault))?;
    }
    Ok((report, header))
}
