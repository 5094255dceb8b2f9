//! Which conditions hold for records: what rights are decided by, one statement for all of them.

use crate::access::RowRules;
use crate::base::{Cell, EntityIx, RecordId};
use crate::expr::{EvalContext, Typed};
use crate::schema::catalog::{Catalog, ColumnKind};
use crate::store::{Dialect, Sql, Statement};

use super::columns::{column_sql, id_column};
use super::expr::{self, ExprSql};

/// Gives for each record that is there (in the recycle bin or not) its id and, as 0 or 1, each condition about it. The
/// conditions are the rules of roles: they are evaluated with all rights.
pub fn truths(
    catalog: &Catalog,
    dialect: Dialect,
    entity: EntityIx,
    ids: &[RecordId],
    conditions: &[&Typed],
    context: &EvalContext<'_>,
) -> Statement {
    let with = ExprSql { catalog, dialect, entity, rows: RowRules::none(), context };
    let definition = catalog.entity(entity);
    let mut sql = Sql::new("SELECT ");
    sql.append(column_sql("t", id_column(definition)));
    let mut kinds = vec![ColumnKind::Int];
    for condition in conditions {
        sql.push(", CASE WHEN ").append(expr::condition(with, "t", condition)).push(" THEN 1 ELSE 0 END");
        kinds.push(ColumnKind::Int);
    }
    sql.push("\nFROM ").ident(&definition.table).push(" AS \"t\"\nWHERE ").append(column_sql("t", id_column(definition)));
    sql.push(" IN ").bind_list(ColumnKind::Int, ids.iter().map(|id| Cell::Int(id.0)));
    sql.statement(dialect, &kinds)
}
