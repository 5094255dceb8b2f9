//! How many records a rule lets somebody do something with that another does not: what a plan means for people.

use crate::access::RowRules;
use crate::base::EntityIx;
use crate::expr::{EvalContext, Typed};
use crate::query::Deleted;
use crate::schema::catalog::{Catalog, ColumnKind};
use crate::store::{Dialect, Sql, Statement};

use super::expr::{self, ExprSql};
use super::select::{bin, where_all};

/// What some roles say about the records of an entity, under the definitions they belong to.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    pub catalog: &'a Catalog,
    pub entity: EntityIx,
    /// `None`: all of them.
    pub rule: Option<&'a Typed>,
}

/// Counts, up to `most` and one more, the live records for which the rule `after` holds and `before` does not. The table is
/// there, and has the columns that both rules read.
pub fn gained(dialect: Dialect, before: Said<'_>, after: Said<'_>, context: &EvalContext<'_>, most: i64) -> Statement {
    let definition = before.catalog.entity(before.entity);
    let condition = |said: Said<'_>| {
        let with = ExprSql { catalog: said.catalog, dialect, entity: said.entity, rows: RowRules::none(), context };
        said.rule.map(|rule| expr::condition(with, "t", rule))
    };
    let mut conditions = bin(definition, Deleted::Live);
    conditions.extend(condition(after));
    let mut not = Sql::new("NOT ((");
    match condition(before) {
        Some(before) => not.append(before).push(") IS TRUE)"),
        None => not.push("1 = 1) IS TRUE)"),
    };
    conditions.push(not);
    let mut sql = Sql::new("SELECT count(*)\nFROM (SELECT 1 FROM ");
    sql.ident(&definition.table).push(" AS \"t\"");
    where_all(&mut sql, " WHERE ", conditions);
    sql.push(" LIMIT ").number(most + 1).push(") AS \"c\"");
    sql.statement(dialect, &[ColumnKind::Int])
}
