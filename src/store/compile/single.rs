//! Single records.

use std::sync::Arc;

use crate::access::Authorised;
use crate::base::{Cell, DateTime, RecordId};
use crate::expr::EvalContext;
use crate::query::{GetRequest, Select};
use crate::schema::catalog::{Catalog, ColumnKind};
use crate::store::{Dialect, Sql, Statement};

use super::columns::{Columns, column_sql, id_column};
use super::constant::is_constant_select;
use super::expr::ExprSql;
use super::select::{bin, made, rule};
use super::shape::RowPlan;

/// The statement of a single record, to be run with any id.
#[derive(Debug)]
pub struct GetPlan {
    statement: Statement,
    /// Position of the id among the bound values.
    id_bind: usize,
    pub rows: Arc<RowPlan>,
    /// What was asked for.
    pub select: Arc<Select>,
    pub is_constant: bool,
}

impl GetPlan {
    /// The statement for one record.
    pub fn statement(&self, id: RecordId) -> Statement {
        self.with_id(self.statement.clone(), id)
    }

    pub(super) fn statement_at(&self, id: RecordId, now: DateTime) -> Statement {
        self.with_id(self.statement.at(now).into_owned(), id)
    }

    fn with_id(&self, mut statement: Statement, id: RecordId) -> Statement {
        if let Some((_, cell)) = statement.binds.get_mut(self.id_bind) {
            *cell = Cell::Int(id.0);
        }
        statement
    }
}

/// Compiles a request for one record.
pub fn get(catalog: &Catalog, dialect: Dialect, request: &Authorised<GetRequest>, context: &EvalContext<'_>) -> GetPlan {
    let asked = request.request();
    let with = ExprSql { catalog, dialect, entity: asked.entity, rows: request.rows(), context };
    let entity = catalog.entity(asked.entity);
    let mut parts = Vec::new();
    let mut columns = Columns::new(with, &mut parts, None);
    let shape = columns.shape("t", &asked.select, None);
    let mut sql = Sql::new("SELECT ");
    sql.append(columns.list()).push("\nFROM ").ident(&entity.table).push(" AS \"t\"").append(columns.joins.clone());
    sql.push("\nWHERE ").append(column_sql("t", id_column(entity))).push(" = ");
    let id_bind = sql.bound();
    sql.bind(ColumnKind::Int, Cell::Int(asked.id.0));
    let rule = rule(with, entity);
    let has_rule = rule.is_some();
    for condition in bin(entity, asked.deleted).into_iter().chain(rule) {
        sql.push(" AND ").append(condition);
    }
    let kinds = columns.kinds();
    let rows = Arc::new(RowPlan { shape, parts: made(parts) });
    let is_constant = !request.rows().is_personal() && is_constant_select(catalog, &asked.select);
    let statement = if has_rule { sql.statement_planned_once(dialect, &kinds) } else { sql.statement(dialect, &kinds) };
    GetPlan { statement, id_bind, rows, select: Arc::new(asked.select.clone()), is_constant }
}
