//! A second way to a page under an access rule, and which of the two is taken (SQLite).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::access::Authorised;
use crate::base::Cell;
use crate::expr::EvalContext;
use crate::query::{ListRequest, Paging};
use crate::schema::catalog::{Catalog, ColumnKind};
use crate::store::{Dialect, Sql, Statement};

use super::branches::{branches_of_rule, ids_of_branches};
use super::columns::{column_sql, id_column};
use super::expr::ExprSql;
use super::select::{Way, bin, conditions, is_in_order, page, rule, where_all};
use super::shape::RowPlan;

/// Another way to a page under an access rule, better for some askers and worse for others. Which it is for this one, a look
/// tells now and then.
#[derive(Debug, Clone)]
pub struct Other {
    pub page: Statement,
    /// As in [`ListPlan`].
    pub sort_cells: Vec<usize>,
    /// Gives one number, for [`Better`].
    pub probe: Statement,
    better: Better,
    state: Arc<Choice>,
}

/// When the other way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Better {
    /// Records are read in order, and those that the rule keeps from the asker left out: where they see so many of those that come
    /// first that the page is full with them.
    SeesMany { fills: i64 },
    /// All records that the asker sees are looked up: where these are few.
    SeesFew,
}

impl Better {
    fn is_met(self, seen: i64) -> bool {
        match self {
            Better::SeesMany { fills } => seen >= fills,
            Better::SeesFew => seen <= Other::FEW,
        }
    }
}

#[derive(Debug, Default)]
struct Choice {
    asked: AtomicU32,
    is_better: AtomicBool,
}

impl Other {
    /// So many times the records of a page are looked at in order, to see whether they fill it.
    const AHEAD: i64 = 3;
    /// At most so many records are looked up for one page.
    const FEW: i64 = 5_000;
    /// One page in so many begins with a look.
    const EACH: u32 = 256;

    fn new(better: Better, (page, _, sort_cells): (Statement, RowPlan, Vec<usize>), probe: Sql) -> Self {
        let probe = probe.statement(Dialect::Sqlite, &[ColumnKind::Int]);
        Self { page, sort_cells, probe, better, state: Arc::default() }
    }

    /// What was chosen; `None` when it is time for a look.
    pub(super) fn chosen(&self) -> Option<bool> {
        let is_due = self.state.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(Self::EACH);
        (!is_due).then(|| self.state.is_better.load(Ordering::Relaxed))
    }

    /// Chooses by what the probe gave.
    pub(super) fn choose(&self, seen: i64) -> bool {
        let is_better = self.better.is_met(seen);
        self.state.is_better.store(is_better, Ordering::Relaxed);
        is_better
    }
}

/// Another way to the page than [`list`] takes, where there is one (SQLite).
pub(super) fn other<T: AsRef<ListRequest>>(catalog: &Catalog, request: &Authorised<T>, context: &EvalContext<'_>) -> Option<Other> {
    let asked = request.request().as_ref();
    let with = ExprSql { catalog, dialect: Dialect::Sqlite, entity: asked.entity, rows: request.rows(), context };
    let entity = catalog.entity(asked.entity);
    let branches = branches_of_rule(with, entity, asked)?;
    let mut conditions = conditions(with, entity, asked);
    if !is_in_order(asked) {
        let mut probe = Sql::new("SELECT count(*) FROM (");
        let seen = ids_of_branches(entity, &branches, &bin(entity, asked.deleted));
        probe.append(seen).push(" LIMIT ").number(Other::FEW + 1).push(")");
        return Some(Other::new(Better::SeesFew, page(with, entity, asked, conditions, Way::Few(branches)), probe));
    }
    if asked.filter.is_some() {
        return None;
    }
    let fills = i64::from(asked.limit) + 1 + if let Paging::Offset(skip) = asked.paging { i64::from(skip) } else { 0 };
    let id = |alias: &str| column_sql(alias, id_column(entity));
    let mut probe = Sql::new("SELECT count(*) FROM ");
    probe.ident(&entity.table).push(" AS \"t\" WHERE ").append(id("t")).push(" IN (SELECT ").append(id("l"));
    probe.push(" FROM ").ident(&entity.table).push(" AS \"l\"");
    if let Paging::After(cursor) = &asked.paging {
        probe.push(" WHERE ").append(id("l")).push(" < ").bind(ColumnKind::Int, Cell::Int(cursor.id));
    }
    probe.push(" ORDER BY ").append(id("l")).push(" DESC LIMIT ").number(Other::AHEAD * fills).push(")");
    conditions.extend(rule(with, entity));
    where_all(&mut probe, " AND ", conditions.iter().cloned());
    Some(Other::new(Better::SeesMany { fills }, page(with, entity, asked, conditions, Way::InOrder), probe))
}

#[cfg(test)]
mod tests {
    use super::{Better, Other};

    #[test]
    fn records_are_read_in_order_only_where_they_fill_the_page() {
        let better = Better::SeesMany { fills: 51 };
        assert_eq!([0, 44, 50, 51, 153].map(|seen| better.is_met(seen)), [false, false, false, true, true]);
        assert_eq!([0, Other::FEW, Other::FEW + 1].map(|seen| Better::SeesFew.is_met(seen)), [true, true, false]);
    }
}
