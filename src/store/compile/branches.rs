//! Lists of somebody who sees what some people own, what was shared with them and the like: the first records of each of these
//! are found by an index, however many there are, and put together in order.

use crate::base::Cell;
use crate::expr::{Node, Path, Root, Typed};
use crate::query::{Deleted, ListRequest};
use crate::schema::catalog::{ColumnKind, Entity};
use crate::store::{Dialect, Sql};

use super::columns::{column_sql, id_column};
use super::expr::{self, ExprSql};
use super::order::{SortSql, Sorting, order_by};
use super::select::{Take, ids, is_in_order, outer_order, sort_list, where_all};

/// Owners a rule may name so that each is looked up by itself.
const MOST_BRANCHES: usize = 64;

/// What a rule lets somebody read, in parts that an index answers each.
#[derive(Clone, Default)]
pub(super) struct Branches {
    /// What some people own: no record is in two of them.
    owned: Option<Owned>,
    /// Sets of ids, which may have records that others have too.
    sets: Vec<Sql>,
    /// Shares, each with somebody else, under `x`; likewise.
    shares: Vec<Sql>,
}

impl Branches {
    /// How often [`ids_from`] names its lowest id.
    pub(super) fn lowest_ids(&self) -> usize {
        usize::from(self.owned.is_some()) + self.sets.len() + self.shares.len()
    }
}

/// A link of records and the owners it may name.
#[derive(Clone)]
struct Owned {
    link: Sql,
    by: Vec<i64>,
}

impl Owned {
    /// A condition for each owner.
    fn each(&self) -> impl Iterator<Item = Sql> {
        self.by.iter().map(|id| {
            let mut sql = self.link.clone();
            sql.push(" = ").bind(ColumnKind::Int, Cell::Int(*id));
            sql
        })
    }

    /// One condition for all.
    fn together(&self) -> Sql {
        let mut sql = self.link.clone();
        sql.push(" IN ").bind_list(ColumnKind::Int, self.by.iter().map(|id| Cell::Int(*id)));
        sql
    }
}

/// Where the access rule says no more than `owner in (…)`, what was shared and other sets of ids (records with a row of somebody),
/// and the list is in the order of ids: the condition of each owner, of each it was shared with, and of each set. An index of the
/// link then gives the first records of each in order, whether there are few of them or nearly all.
pub(super) fn branches(with: ExprSql<'_>, entity: &Entity, asked: &ListRequest) -> Option<Branches> {
    if is_in_order(asked) { branches_of_rule(with, entity, asked) } else { None }
}

/// The same for a list in any order.
pub(super) fn branches_of_rule(with: ExprSql<'_>, entity: &Entity, asked: &ListRequest) -> Option<Branches> {
    if asked.deleted != Deleted::Live || asked.search.is_some() {
        return None;
    }
    let rule = with.rows.of(entity.ix)?;
    let parts = match &rule.node {
        Node::Or(parts) => &parts[..],
        _ => std::slice::from_ref(rule),
    };
    let mut found = Branches::default();
    for part in parts {
        if let Some(shares) = expr::shares_of_each(with.open().about(entity.ix), "t", part) {
            found.shares.extend(shares);
            continue;
        }
        match expr::in_set(with.open().about(entity.ix), "t", part) {
            Some(set) => found.sets.push(set),
            None if found.owned.is_none() => found.owned = Some(owners(with, entity, part)?),
            None => return None,
        }
    }
    let has_any = !(found.owned.is_none() && found.sets.is_empty() && found.shares.is_empty());
    has_any.then_some(found)
}

/// `owner in (…)`
fn owners(with: ExprSql<'_>, entity: &Entity, part: &Typed) -> Option<Owned> {
    let Node::In { item, list } = &part.node else { return None };
    let Node::Path(Path { root: Root::Record, hops, field, part: None }) = &item.node else { return None };
    let is_indexed = entity.indexes.iter().any(|index| index.fields.first() == Some(field));
    if !hops.is_empty() || !is_indexed || list.len() > MOST_BRANCHES || entity.field(*field).columns.len() != 1 {
        return None;
    }
    let column = entity.field(*field).columns.first()?;
    let mut cells: Vec<i64> =
        list.iter().filter_map(|element| crate::expr::eval::constant(element, with.context).as_link()).map(|id| id.0).collect();
    cells.sort_unstable();
    cells.dedup();
    if cells.is_empty() {
        return None;
    }
    Some(Owned { link: column_sql("t", &column.name), by: cells })
}

/// The ids of all branches from one on, some of them more than once, in no order.
pub(super) fn ids_from(entity: &Entity, branches: &Branches, beside: &[Sql], lowest: i64) -> Sql {
    let from = |mut id: Sql| {
        id.push(" >= ").bind(ColumnKind::Int, Cell::Int(lowest));
        id
    };
    let of_table = |branch: Sql| {
        let mut sql = Sql::new("SELECT ");
        sql.append(column_sql("t", id_column(entity))).push(" AS \"id\" FROM ").ident(&entity.table).push(" AS \"t\"");
        let conditions = [branch].into_iter().chain(beside.iter().cloned()).chain([from(column_sql("t", id_column(entity)))]);
        where_all(&mut sql, " WHERE ", conditions);
        sql
    };
    let shared = |branch: Sql| {
        let mut sql = Sql::new("SELECT ");
        sql.append(column_sql("x", "record")).push(" AS \"id\" FROM \"sys_share\" AS \"x\"");
        where_all(&mut sql, " WHERE ", [branch, from(column_sql("x", "record"))]);
        sql
    };
    let owned = branches.owned.as_ref().map(Owned::together);
    let mut sql = Sql::default();
    let of_tables = owned.into_iter().chain(branches.sets.iter().cloned()).map(of_table);
    sql.join("\n  UNION ALL ", of_tables.chain(branches.shares.iter().cloned().map(shared)));
    sql
}

/// All ids of all branches, each once.
pub(super) fn ids_of_branches(entity: &Entity, branches: &Branches, beside: &[Sql]) -> Sql {
    let id = Sorting { keys: vec![SortSql::id(column_sql("t", id_column(entity)), false)], joins: Sql::default() };
    let mut sql = Sql::default();
    sql.join("\n  UNION ", parts(entity, &id, branches.clone(), beside));
    sql
}

/// What gives the ids of each branch.
fn parts(entity: &Entity, sort: &Sorting, branches: Branches, beside: &[Sql]) -> Vec<Sql> {
    let of_table = |branch: Sql| {
        let mut sql = select_ids(entity, sort);
        where_all(&mut sql, " WHERE ", std::iter::once(branch).chain(beside.iter().cloned()));
        sql
    };
    let Branches { owned, sets, shares } = branches;
    let shares = shares.into_iter().map(|branch| select_shared(entity, branch, beside));
    owned.iter().flat_map(Owned::each).chain(sets).map(of_table).chain(shares).collect()
}

/// The first ids of all branches together.
pub(super) fn of_branches(dialect: Dialect, entity: &Entity, sort: &Sorting, branches: Branches, beside: &[Sql], take: &Take) -> Sql {
    match dialect {
        Dialect::Sqlite => merged(entity, sort, branches, beside, take),
        Dialect::Postgres => put_together(entity, sort, branches, beside, take),
    }
}

/// SQLite takes the next id of that branch which has the highest one, so that no more of each is read than is needed. (It does so
/// for a compound statement with an order of its own whose parts come in this order; `UNION` leaves out what came before.)
fn merged(entity: &Entity, sort: &Sorting, branches: Branches, beside: &[Sql], take: &Take) -> Sql {
    let apart = branches.owned.as_ref().map_or(0, |owned| owned.by.len());
    let mut parts = parts(entity, sort, branches, beside);
    let others = parts.split_off(apart);
    let mut sql = Sql::default();
    sql.join("\n  UNION ALL ", parts);
    if apart > 0 && !others.is_empty() {
        sql.push("\n  UNION ");
    }
    sql.join("\n  UNION ", others);
    sql.push("\n  ORDER BY ").append(outer_order(None, &sort.keys, false)).push(" ");
    take.write(&mut sql);
    sql
}

fn select_ids(entity: &Entity, sort: &Sorting) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.append(sort_list(sort)).push(" FROM ").ident(&entity.table).push(" AS \"t\"").append(sort.joins.clone());
    sql
}

/// The first ids of each branch, and of these the first.
fn put_together(entity: &Entity, sort: &Sorting, branches: Branches, beside: &[Sql], take: &Take) -> Sql {
    let inner = Take { rows: take.rows + take.skip, skip: 0 };
    let mut sql = Sql::new("SELECT \"id\" FROM (");
    let of_table = |branch: Sql| ids(entity, sort, std::iter::once(branch).chain(beside.iter().cloned()).collect(), &inner);
    let apart = branches.owned.iter().flat_map(Owned::each).map(|branch| ("\n  UNION ALL SELECT * FROM (", of_table(branch)));
    // Without `ALL` the answer holds each id once, whatever stands before.
    let sets = branches.sets.into_iter().map(|branch| ("\n  UNION SELECT * FROM (", of_table(branch)));
    let shares = branches.shares.into_iter().map(|branch| ("\n  UNION SELECT * FROM (", shared_ids(entity, sort, branch, beside, &inner)));
    for (position, (joined, branch)) in apart.chain(sets).chain(shares).enumerate() {
        sql.push(if position == 0 { "SELECT * FROM (" } else { joined });
        sql.append(branch).push(") AS \"b\"");
    }
    sql.push(") AS \"u\"\n  ORDER BY ").append(outer_order(None, &sort.keys, false)).push(" ");
    take.write(&mut sql);
    sql
}

/// The first ids of what was shared with one.
fn shared_ids(entity: &Entity, sort: &Sorting, shares: Sql, beside: &[Sql], take: &Take) -> Sql {
    let newest_first = sort.keys.last().is_some_and(|key| key.descending);
    let mut sql = select_shared(entity, shares, beside);
    sql.push("\n  ORDER BY ").append(order_by(&[SortSql::id(column_sql("x", "record"), newest_first)])).push(" ");
    take.write(&mut sql);
    sql
}

/// The ids of what was shared with one: the shares are read in the order of their records, and each record is looked at for itself,
/// so that it ends where enough are found. (`CROSS JOIN` keeps SQLite to this order.)
fn select_shared(entity: &Entity, shares: Sql, beside: &[Sql]) -> Sql {
    let mut linked = column_sql("t", id_column(entity));
    linked.push(" = ").append(column_sql("x", "record"));
    let mut sql = Sql::new("SELECT ");
    sql.append(column_sql("x", "record")).push(" AS \"id\"");
    sql.push("\n  FROM \"sys_share\" AS \"x\" CROSS JOIN ").ident(&entity.table).push(" AS \"t\"");
    where_all(&mut sql, "\n  WHERE ", [linked, shares].into_iter().chain(beside.iter().cloned()));
    sql
}
