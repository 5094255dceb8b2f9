//! Runs plans: the page, then its expansions, then the total.

use std::borrow::Cow;
use std::sync::Arc;

use crate::base::{Cell, DateTime};
use crate::query::{Cursor, CursorKey};
use crate::schema::catalog::ColumnKind;
use crate::store::{Dialect, Rows, Sql, Statement, Store, StoreError, Tx};

use super::aggregate::AggregatePlan;
use super::other::Other;
use super::plans::At;
use super::rows::{PartRows, RowSet};
use super::select::ListPlan;
use super::shape::{PartPlan, RowPlan};

/// Owners bound one by one; above, the list is bound as one JSON text.
const MOST_BOUND: usize = 256;

/// Where statements run: outside a transaction or in one.
#[derive(Debug)]
pub enum Source<'a> {
    Store(&'a Store),
    Tx(&'a mut Tx),
}

/// A page of records.
#[derive(Debug)]
pub struct Page {
    pub rows: RowSet,
    /// Text of the cursor for the next page; `None` on the last one.
    pub next: Option<String>,
    pub has_more: bool,
    pub total: Option<Total>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    Exact(u64),
    MoreThan(u64),
}

impl Source<'_> {
    pub async fn query(&mut self, statement: &Statement) -> Result<Rows, StoreError> {
        match self {
            Source::Store(store) => store.query(statement).await,
            Source::Tx(tx) => tx.query(statement).await,
        }
    }

    /// The keys of encrypted values.
    pub(in crate::store) fn vault(&self) -> Option<Arc<crate::store::vault::Vault>> {
        match self {
            Source::Store(store) => store.vault(),
            Source::Tx(tx) => tx.vault(),
        }
    }

    pub(in crate::store) fn dialect(&self) -> Dialect {
        match self {
            Source::Store(store) => store.dialect(),
            Source::Tx(tx) => tx.dialect(),
        }
    }
}

/// Runs a list plan.
pub async fn fetch_list(source: &mut Source<'_>, plan: &ListPlan, key: &CursorKey) -> Result<Page, StoreError> {
    page(source, plan, None, key).await
}

/// Runs a list plan that is kept.
pub async fn fetch_list_at(source: &mut Source<'_>, plan: &At<ListPlan>, key: &CursorKey) -> Result<Page, StoreError> {
    let (plan, now) = plan.parts();
    page(source, plan, Some(now), key).await
}

fn at(statement: &Statement, now: Option<DateTime>) -> Cow<'_, Statement> {
    now.map_or(Cow::Borrowed(statement), |now| statement.at(now))
}

async fn page(source: &mut Source<'_>, plan: &ListPlan, now: Option<DateTime>, key: &CursorKey) -> Result<Page, StoreError> {
    let (mut rows, sort_cells) = match &plan.other {
        Some(other) if is_better(source, other, now).await? => (source.query(&at(&other.page, now)).await?, &other.sort_cells),
        _ => (rows_of(source, plan, now).await?, &plan.sort_cells),
    };
    if plan.by_id {
        rows.sort_by_int(plan.rows.shape.id, true);
    }
    let limit = plan.limit as usize;
    let has_more = rows.len() > limit;
    rows.cells.truncate(limit * rows.width);
    let next = if has_more { cursor_of(plan, sort_cells, &rows).and_then(|cursor| cursor.encode(key, plan.digest)) } else { None };
    let rows = expand(source, &plan.rows, rows).await?;
    let total = match &plan.count {
        Some(statement) => source.query(&at(statement, now)).await?.one_int().map(total_of),
        None => None,
    };
    Ok(Page { rows, next, has_more, total })
}

/// The rows of the page, from the window of the plan where that holds them.
async fn rows_of(source: &mut Source<'_>, plan: &ListPlan, now: Option<DateTime>) -> Result<Rows, StoreError> {
    let Some((window, moment)) = plan.window.as_ref().zip(now) else { return source.query(&at(&plan.page, now)).await };
    if let Some((statement, lowest)) = window.next(moment)
        && let Some(rows) = window.take(source.query(&statement).await?, lowest)
    {
        return Ok(rows);
    }
    let rows = source.query(&at(&plan.page, now)).await?;
    window.learn(&rows);
    Ok(rows)
}

async fn is_better(source: &mut Source<'_>, other: &Other, now: Option<DateTime>) -> Result<bool, StoreError> {
    match other.chosen() {
        Some(is_better) => Ok(is_better),
        None => Ok(other.choose(source.query(&at(&other.probe, now)).await?.one_int().unwrap_or(0))),
    }
}

/// Runs one statement of a row plan and its expansions.
pub async fn fetch_rows(source: &mut Source<'_>, statement: &Statement, plan: &Arc<RowPlan>) -> Result<RowSet, StoreError> {
    let rows = source.query(statement).await?;
    expand(source, plan, rows).await
}

/// Runs an aggregate; the flag tells that there are more rows than asked for.
pub async fn fetch_aggregate(source: &mut Source<'_>, plan: &AggregatePlan) -> Result<(Rows, bool), StoreError> {
    let mut rows = source.query(&plan.statement).await?;
    let limit = plan.limit as usize;
    let has_more = rows.len() > limit;
    rows.cells.truncate(limit * rows.width);
    Ok((rows, has_more))
}

fn total_of(counted: i64) -> Total {
    let cap = u64::from(crate::query::COUNT_CAP);
    match u64::try_from(counted).unwrap_or(0) {
        counted if counted > cap => Total::MoreThan(cap),
        counted => Total::Exact(counted),
    }
}

fn cursor_of(plan: &ListPlan, sort_cells: &[usize], rows: &Rows) -> Option<Cursor> {
    let last = rows.iter().last()?;
    let id = last.get(plan.rows.shape.id)?.as_int()?;
    let values = sort_cells.iter().map(|at| last.get(*at).cloned().unwrap_or_default()).collect();
    Some(Cursor { values, id })
}

/// Fetches the to-many expansions: one statement each, whatever the number of rows.
async fn expand(source: &mut Source<'_>, plan: &Arc<RowPlan>, rows: Rows) -> Result<RowSet, StoreError> {
    let mut set = RowSet { plan: plan.clone(), rows, parts: Vec::with_capacity(plan.parts.len()) };
    for part in &plan.parts {
        let parents = part.parent.map_or(&set.rows, |parent| &set.parts[parent].rows);
        let mut owners: Vec<i64> = parents.iter().filter_map(|row| row.get(part.parent_cell)?.as_int()).collect();
        owners.sort_unstable();
        owners.dedup();
        let found = if owners.is_empty() { PartRows::default() } else { part_rows(source, part, owners).await? };
        set.parts.push(found);
    }
    Ok(set)
}

async fn part_rows(source: &mut Source<'_>, part: &PartPlan, owners: Vec<i64>) -> Result<PartRows, StoreError> {
    let mut sql: Sql = part.before.clone();
    if owners.len() <= MOST_BOUND {
        sql.bind_list(ColumnKind::Int, owners.into_iter().map(Cell::Int));
    } else {
        // A database takes only so many bound values: a long list goes as one.
        sql.bind_long_list(source.dialect(), &owners);
    }
    sql.append(part.after.clone());
    let statement = sql.statement(source.dialect(), &part.columns);
    let rows = source.query(&statement).await?;
    let mut by_owner: std::collections::HashMap<i64, std::ops::Range<usize>> = std::collections::HashMap::new();
    for (position, row) in rows.iter().enumerate() {
        let owner = row.get(part.owner_cell).and_then(Cell::as_int).unwrap_or(0);
        by_owner.entry(owner).or_insert(position..position).end = position + 1;
    }
    Ok(PartRows { rows, by_owner })
}
