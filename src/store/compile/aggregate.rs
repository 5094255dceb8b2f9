//! Groups and measures.
//!
//! Sums are exact, in 128 bits on SQLite (`rl_sum`) and in `numeric` on PostgreSQL; one that does not fit 64 bits is null. An
//! average has nine decimal places, half-even.

use std::sync::Arc;

use crate::access::Authorised;
use crate::base::{Cell, Decimal};
use crate::expr::{EvalContext, Node, Type, Typed};
use crate::query::{AggregateRequest, Compare, Deleted, Function, Group, GroupBy, Having, Measure, OutputRef};
use crate::schema::catalog::{Catalog, ColumnKind};
use crate::store::{Dialect, Rows, Sql, Statement};

use super::columns::{part_of, type_kind};
use super::expr::{self, ExprSql};
use super::found::found;
use super::json::write_value;
use super::select::{bin, rule_of_list, where_all};
use super::shape::Codec;
use crate::base::json::write_text;

/// The statement of an aggregate.
#[derive(Debug)]
pub struct AggregatePlan {
    pub statement: Statement,
    pub columns: Arc<[AggregateColumn]>,
    /// Rows asked for; one more is fetched to tell that there are more.
    pub limit: u32,
}

/// One group or measure of the answer.
#[derive(Debug, Clone)]
pub struct AggregateColumn {
    pub name: String,
    /// `"name":` as it stands in JSON.
    pub key: String,
    pub at: usize,
    pub codec: Codec,
}

impl AggregatePlan {
    /// Appends the rows as a JSON array of objects.
    pub fn write_json(&self, rows: &Rows, out: &mut String) {
        out.push('[');
        for (position, row) in rows.iter().enumerate() {
            out.push_str(if position > 0 { ",{" } else { "{" });
            for (position, column) in self.columns.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                out.push_str(&column.key);
                write_value(&column.codec, row.get(column.at..).unwrap_or_default(), out);
            }
            out.push('}');
        }
        out.push(']');
    }
}

/// Compiles an aggregate.
pub fn aggregate(catalog: &Catalog, dialect: Dialect, request: &Authorised<AggregateRequest>, context: &EvalContext<'_>) -> AggregatePlan {
    let asked = request.request();
    let with = ExprSql { catalog, dialect, entity: asked.entity, rows: request.rows(), context };
    let entity = catalog.entity(asked.entity);
    let mut outputs = Outputs::default();
    for group in &asked.group {
        outputs.group(with, group);
    }
    for measure in &asked.measures {
        outputs.measure(with, measure);
    }
    let mut conditions = bin(entity, if entity.features.soft_delete { asked.deleted } else { Deleted::All });
    conditions.extend(rule_of_list(with, entity));
    conditions.extend(asked.filter.as_ref().map(|filter| expr::condition(with, "t", filter)));
    conditions.extend(found(with, entity, asked.search.as_deref()));

    let mut sql = Sql::new("SELECT ");
    sql.join(", ", outputs.columns.iter().map(|(column, _)| column.clone()));
    sql.push("\nFROM ").ident(&entity.table).push(" AS \"t\"");
    where_all(&mut sql, "\nWHERE ", conditions);
    for position in 0..asked.group.len() {
        sql.push(if position == 0 { "\nGROUP BY " } else { ", " }).number(ordinal(position));
    }
    let having = asked.having.iter().filter_map(|having| {
        let measure = asked.measures.get(having.measure)?;
        Some(having_sql(with, measure, having))
    });
    where_all(&mut sql, "\nHAVING ", having);
    order(&mut sql, asked, &outputs);
    sql.push("\nLIMIT ").number(i64::from(asked.limit) + 1);
    let kinds: Vec<ColumnKind> = outputs.columns.iter().map(|(_, kind)| *kind).collect();
    AggregatePlan { statement: sql.statement(dialect, &kinds), columns: outputs.named.into(), limit: asked.limit }
}

#[derive(Default)]
struct Outputs {
    columns: Vec<(Sql, ColumnKind)>,
    named: Vec<AggregateColumn>,
}

impl Outputs {
    fn group(&mut self, with: ExprSql<'_>, group: &Group) {
        let typed = match &group.by {
            GroupBy::Value(typed) => typed,
            GroupBy::Period { first_day, .. } => first_day,
        };
        let sql = match &group.by {
            GroupBy::Period { first_day, zone: Some(zone), .. } => {
                let context = EvalContext { zone: zone.clone(), ..with.context.clone() };
                expr::value(ExprSql { context: &context, ..with }, "t", first_day)
            }
            _ => expr::value(with, "t", typed),
        };
        self.name(&group.name, codec(with.catalog, &typed.ty));
        self.columns.push((sql, type_kind(&typed.ty)));
    }

    fn measure(&mut self, with: ExprSql<'_>, measure: &Measure) {
        let value = measure.of.as_ref().map(|of| expr::value(with, "t", of));
        let (codec, columns) = match (measure.function, &measure.of) {
            (Function::Count | Function::CountDistinct, _) | (_, None) => (Codec::Int, vec![(count(measure, value), ColumnKind::Int)]),
            (Function::Min | Function::Max, Some(of)) => {
                let mut sql = Sql::new(if measure.function == Function::Min { "min(" } else { "max(" });
                sql.append(value.unwrap_or_default()).push(")");
                (codec(with.catalog, &of.ty), vec![(sql, type_kind(&of.ty))])
            }
            (Function::Sum, Some(of)) => (codec(with.catalog, &of.ty), vec![(total(with, of, Function::Sum), ColumnKind::Int)]),
            (Function::Avg, Some(of)) => (Codec::Average { scale: scale(&of.ty) }, vec![(total(with, of, Function::Avg), ColumnKind::Int)]),
        };
        self.name(&measure.name, codec);
        self.columns.extend(columns);
    }

    fn name(&mut self, name: &str, codec: Codec) {
        let mut key = String::with_capacity(name.len() + 3);
        write_text(name, &mut key);
        key.push(':');
        self.named.push(AggregateColumn { name: name.to_owned(), key, at: self.columns.len(), codec });
    }
}

fn ordinal(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(0) + 1
}

fn count(measure: &Measure, value: Option<Sql>) -> Sql {
    let Some(value) = value else { return Sql::new("count(*)") };
    let mut sql = Sql::new(if measure.function == Function::CountDistinct { "count(DISTINCT " } else { "count(" });
    sql.append(value).push(")");
    sql
}

fn scale(ty: &Type) -> u8 {
    ty.number_scale().unwrap_or(0)
}

/// The sum (zero of no values) or the average (nine digits, null of no values), null when it does not fit 64 bits. Of base
/// amounts also null when one is missing: a total that leaves records out would be a lie.
fn total(with: ExprSql<'_>, of: &Typed, function: Function) -> Sql {
    let value = || expr::value(with, "t", of);
    let up = i64::from(Decimal::MAX_SCALE.saturating_sub(scale(&of.ty)));
    let mut sql = Sql::default();
    match (with.dialect, function) {
        (Dialect::Sqlite, Function::Avg) => sql.push("rl_mean(").append(value()).push(", ").number(up).push(")"),
        (Dialect::Sqlite, _) => sql.push("rl_sum(").append(value()).push(")"),
        (Dialect::Postgres, Function::Avg) => {
            sql.push("rl_mean(sum(").append(value()).push("), count(").append(value()).push("), ").number(up).push(")")
        }
        (Dialect::Postgres, _) => sql.push("rl_int(coalesce(sum(").append(value()).push("), 0))"),
    };
    let is_base = matches!(&of.node, Node::Path(path) if path.part == Some("base"));
    if !is_base {
        return sql;
    }
    let amount = expr::value(with, "t", &part_of(of, "amount"));
    let mut checked = Sql::new("CASE WHEN ");
    checked.append(wrap("count(", amount, ")")).push(" = ").append(wrap("count(", value(), ")")).push(" THEN ").append(sql).push(" END");
    checked
}

fn wrap(before: &'static str, inner: Sql, after: &'static str) -> Sql {
    let mut sql = Sql::new(before);
    sql.append(inner).push(after);
    sql
}

fn order(sql: &mut Sql, asked: &AggregateRequest, outputs: &Outputs) {
    let by_groups: Vec<(OutputRef, bool)> = (0..asked.group.len()).map(|group| (OutputRef::Group(group), false)).collect();
    // The groups follow the sort asked for, so that the order is the same on every run.
    let mut first = true;
    for (output, descending) in
        asked.sort.iter().chain(by_groups.iter().filter(|(group, _)| !asked.sort.iter().any(|(known, _)| known == group)))
    {
        let position = match output {
            OutputRef::Group(group) => *group,
            OutputRef::Measure(measure) => asked.group.len() + measure,
        };
        let Some(column) = outputs.named.get(position) else { continue };
        let direction = if *descending { " DESC NULLS LAST" } else { " ASC NULLS LAST" };
        sql.push(if first { "\nORDER BY " } else { ", " }).number(ordinal(column.at)).push(direction);
        first = false;
    }
}

fn having_sql(with: ExprSql<'_>, measure: &Measure, having: &Having) -> Sql {
    let Some(of) = measure.of.as_ref().filter(|_| !matches!(measure.function, Function::Count | Function::CountDistinct)) else {
        let value = measure.of.as_ref().map(|of| expr::value(with, "t", of));
        return compare(count(measure, value), having.compare, having.value, 0);
    };
    let scale = scale(&of.ty);
    match measure.function {
        Function::Avg => compare(total(with, of, Function::Avg), having.compare, having.value, Decimal::MAX_SCALE),
        Function::Sum => compare(total(with, of, Function::Sum), having.compare, having.value, scale),
        Function::Min => compare(wrap("min(", expr::value(with, "t", of), ")"), having.compare, having.value, scale),
        _ => compare(wrap("max(", expr::value(with, "t", of), ")"), having.compare, having.value, scale),
    }
}

fn operator(compare: Compare) -> &'static str {
    match compare {
        Compare::Eq => " = ",
        Compare::Ne => " <> ",
        Compare::Lt => " < ",
        Compare::Le => " <= ",
        Compare::Gt => " > ",
        Compare::Ge => " >= ",
    }
}

/// `left ? value`, where `left` counts units of `scale`: the value is moved to a whole number of units, exactly.
fn compare(left: Sql, compare: Compare, value: Decimal, scale: u8) -> Sql {
    let units =
        i128::from(value.units) * if scale > value.scale { i128::from(crate::base::decimal::pow10(scale - value.scale)) } else { 1 };
    let divisor = if value.scale > scale { i128::from(crate::base::decimal::pow10(value.scale - scale)) } else { 1 };
    let (floor, is_whole) = (units.div_euclid(divisor), units.rem_euclid(divisor) == 0);
    let bound = match (compare, is_whole) {
        (Compare::Eq, false) => return Sql::new("FALSE"),
        (Compare::Ne, false) => return Sql::new("TRUE"),
        // Between two units, `>=` begins at the next one and `<` ends before it.
        (Compare::Ge | Compare::Lt, false) => floor + 1,
        _ => floor,
    };
    let bound = i64::try_from(bound).unwrap_or(if bound < 0 { i64::MIN } else { i64::MAX });
    let mut sql = wrap("(", left, ")");
    sql.push(operator(compare)).bind(ColumnKind::Int, Cell::Int(bound));
    sql
}

/// How a value of this type is read.
fn codec(catalog: &Catalog, ty: &Type) -> Codec {
    match ty {
        Type::Bool => Codec::Bool,
        Type::Decimal(scale) | Type::Money(scale) => Codec::Decimal { scale: *scale },
        Type::Text => Codec::Text,
        Type::Date => Codec::Date,
        Type::DateTime => Codec::DateTime,
        Type::Time => Codec::Time,
        Type::Link(targets) => match targets.first() {
            Some(target) => Codec::Id { prefix: catalog.entity(*target).prefix.as_str().into() },
            None => Codec::Int,
        },
        Type::Set | Type::Json => Codec::Json,
        // Nothing encrypted is grouped or measured.
        Type::Sealed(..) | Type::Secret => Codec::Sealed { field: "".into(), is_secret: true },
        Type::Null | Type::Int | Type::Duration => Codec::Int,
    }
}
