//! The condition "after this row" for any order.

use crate::base::Cell;
use crate::store::Sql;

use super::order::SortSql;

/// Rows that come after the row with these sort values, nulls last. The last key is the id, never null.
/// `values` has one cell for each key.
pub(super) fn after(keys: &[SortSql], values: &[Cell]) -> Sql {
    let (Some((key, rest)), Some((value, values))) = (keys.split_first(), values.split_first()) else {
        return Sql::new("FALSE");
    };
    if rest.is_empty() {
        return beyond(key, value).unwrap_or_else(|| Sql::new("FALSE"));
    }
    let mut sql = Sql::new("(");
    if let Some(beyond) = beyond(key, value) {
        sql.append(beyond).push(" OR ");
    }
    sql.append(same(key, value)).push(" AND ").append(after(rest, values)).push(")");
    sql
}

/// The same for rows whose first key is known to have a value: written as a range on it, which an index serves.
pub(super) fn after_in_range(keys: &[SortSql], values: &[Cell]) -> Sql {
    let (Some((first, rest)), Some((value, others))) = (keys.split_first(), values.split_first()) else {
        return Sql::new("FALSE");
    };
    let mut sql = Sql::default();
    if let ([id], [id_value]) = (rest, others)
        && id.descending == first.descending
    {
        sql.push("(").append(first.sql.clone()).push(", ").append(id.sql.clone()).push(")");
        sql.push(if first.descending { " < (" } else { " > (" });
        sql.bind(first.kind, value.clone()).push(", ").bind(id.kind, id_value.clone()).push(")");
        return sql;
    }
    sql.append(first.sql.clone()).push(if first.descending { " <= " } else { " >= " }).bind(first.kind, value.clone());
    sql.push(" AND (").append(first.sql.clone()).push(if first.descending { " < " } else { " > " }).bind(first.kind, value.clone());
    sql.push(" OR ").append(after(rest, others)).push(")");
    sql
}

/// The key's value is past `value`; `None` where nothing can be (nulls are last).
fn beyond(key: &SortSql, value: &Cell) -> Option<Sql> {
    if value.is_null() {
        return None;
    }
    let mut sql = Sql::default();
    if key.nullable {
        sql.push("(");
    }
    sql.append(key.sql.clone()).push(if key.descending { " < " } else { " > " }).bind(key.kind, value.clone());
    if key.nullable {
        sql.push(" OR ").append(key.sql.clone()).push(" IS NULL)");
    }
    Some(sql)
}

fn same(key: &SortSql, value: &Cell) -> Sql {
    let mut sql = key.sql.clone();
    if value.is_null() {
        sql.push(" IS NULL");
    } else {
        sql.push(" = ").bind(key.kind, value.clone());
    }
    sql
}
