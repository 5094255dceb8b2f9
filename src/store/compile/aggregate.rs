//! Groups and measures.
//!
//! Sums are exact: PostgreSQL adds in `numeric`, on SQLite the high and the low half of each number are added apart. A sum
//! that does not fit 64 bits is null. An average has nine decimal places, half-even, and is divided here, not in SQL.

use std::sync::Arc;

use crate::access::Authorised;
use crate::base::{Cell, Decimal};
use crate::expr::{EvalContext, Node, Type, Typed};
use crate::query::{AggregateRequest, Compare, Deleted, Function, Group, GroupBy, Having, Measure, OutputRef};
use crate::schema::catalog::{Catalog, ColumnKind};
use crate::store::{Dialect, Rows, Sql, Statement};

use super::columns::{part_of, type_kind};
use super::expr::{self, ExprSql};
use super::json::{write_text, write_value};
use super::select::{bin, found, rule, where_all};
use super::shape::Codec;

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
    let with = ExprSql { catalog, dialect, rows: request.rows(), context };
    let entity = catalog.entity(asked.entity);
    let mut outputs = Outputs::default();
    for group in &asked.group {
        outputs.group(with, group);
    }
    for measure in &asked.measures {
        outputs.measure(with, measure);
    }
    let mut conditions = bin(entity, if entity.features.soft_delete { asked.deleted } else { Deleted::All });
    conditions.extend(rule(with, entity));
    conditions.extend(asked.filter.as_ref().map(|filter| expr::condition(with, "t", filter)));
    conditions.extend(found(dialect, entity, asked.search.as_deref()));

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
    order(&mut sql, with, asked, &outputs);
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
            (Function::Sum, Some(of)) => (codec(with.catalog, &of.ty), vec![(sum(with, of, true), ColumnKind::Int)]),
            (Function::Avg, Some(of)) => {
                let mut count = Sql::new("count(");
                count.append(value.unwrap_or_default()).push(")");
                (Codec::Average { scale: scale(&of.ty) }, vec![(sum(with, of, false), ColumnKind::Int), (count, ColumnKind::Int)])
            }
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

/// The sum in 64 bits, null when it does not fit. Of base amounts also null when one is missing: a total that leaves
/// records out would be a lie.
fn sum(with: ExprSql<'_>, of: &Typed, zero_for_none: bool) -> Sql {
    let value = expr::value(with, "t", of);
    let total = match with.dialect {
        Dialect::Postgres => {
            let total = wrap("sum(", value, ")");
            let mut sql = Sql::new("CASE WHEN ");
            sql.append(total.clone()).push(" BETWEEN -9223372036854775808 AND 9223372036854775807 THEN CAST(").append(total).push(" AS bigint) END");
            sql
        }
        Dialect::Sqlite => {
            let low = wrap("sum((", value.clone(), ") & 4294967295)");
            let mut high = wrap("(sum((", value, ") >> 32) + (");
            high.append(low.clone()).push(" >> 32))");
            let mut sql = Sql::new("CASE WHEN ");
            sql.append(high.clone()).push(" BETWEEN -2147483648 AND 2147483647 THEN (").append(high).push(" << 32) | (");
            sql.append(low).push(" & 4294967295) END");
            sql
        }
    };
    let mut sql = Sql::default();
    let is_base = matches!(&of.node, Node::Path(path) if path.part == Some("base"));
    let amount = is_base.then(|| expr::value(with, "t", &part_of(of, "amount")));
    let value = expr::value(with, "t", of);
    sql.push("CASE WHEN ");
    if let Some(amount) = amount {
        sql.append(wrap("count(", amount, ")")).push(" <> ").append(wrap("count(", value.clone(), ")")).push(" THEN NULL WHEN ");
    }
    sql.append(wrap("count(", value, ")")).push(if zero_for_none { " = 0 THEN 0 ELSE " } else { " = 0 THEN NULL ELSE " });
    sql.append(total).push(" END");
    sql
}

fn wrap(before: &'static str, inner: Sql, after: &'static str) -> Sql {
    let mut sql = Sql::new(before);
    sql.append(inner).push(after);
    sql
}

fn order(sql: &mut Sql, with: ExprSql<'_>, asked: &AggregateRequest, outputs: &Outputs) {
    let by_groups: Vec<(OutputRef, bool)> = (0..asked.group.len()).map(|group| (OutputRef::Group(group), false)).collect();
    // The groups follow the sort asked for, so that the order is the same on every run.
    let mut first = true;
    for (output, descending) in asked.sort.iter().chain(by_groups.iter().filter(|(group, _)| !asked.sort.iter().any(|(known, _)| known == group))) {
        let position = match output {
            OutputRef::Group(group) => *group,
            OutputRef::Measure(measure) => asked.group.len() + measure,
        };
        let Some(column) = outputs.named.get(position) else { continue };
        let direction = if *descending { " DESC NULLS LAST" } else { " ASC NULLS LAST" };
        let average = match output {
            OutputRef::Measure(measure) => asked.measures.get(*measure).filter(|measure| measure.function == Function::Avg),
            OutputRef::Group(_) => None,
        };
        for key in average.and_then(|measure| average_keys(with, measure)).unwrap_or_else(|| vec![ordinal_sql(column.at)]) {
            sql.push(if first { "\nORDER BY " } else { ", " }).append(key).push(direction);
            first = false;
        }
    }
}

fn ordinal_sql(at: usize) -> Sql {
    let mut sql = Sql::default();
    sql.number(ordinal(at));
    sql
}

/// Averages in order: the whole part of the quotient, then the fraction.
fn average_keys(with: ExprSql<'_>, measure: &Measure) -> Option<Vec<Sql>> {
    let of = measure.of.as_ref()?;
    let count = wrap("nullif(count(", expr::value(with, "t", of), "), 0)");
    let whole = |operator| {
        let mut sql = Sql::new("(");
        sql.append(sum(with, of, false)).push(")").push(operator).append(count.clone());
        sql
    };
    let mut fraction = wrap("CAST((", whole(" % "), ") AS double precision) / ");
    fraction.append(count.clone());
    Some(vec![whole(" / "), fraction])
}

fn having_sql(with: ExprSql<'_>, measure: &Measure, having: &Having) -> Sql {
    let Some(of) = measure.of.as_ref().filter(|_| !matches!(measure.function, Function::Count | Function::CountDistinct)) else {
        let value = measure.of.as_ref().map(|of| expr::value(with, "t", of));
        return compare(count(measure, value), having.compare, having.value, 0);
    };
    match measure.function {
        Function::Avg => {
            // sum / count ? value, without a division: sum × 10^d ? value × count.
            let steps = having.value.scale.max(scale(&of.ty));
            let left_factor = crate::base::decimal::pow10(steps - scale(&of.ty));
            let right_factor = having.value.rescale_exact(steps).map_or(i64::MAX, |value| value.units);
            let mut sql = Sql::new("(");
            sql.append(sum(with, of, false)).push(numeric(with.dialect)).push(" * ").number(left_factor);
            sql.push(operator(having.compare)).number(right_factor).push(" * ");
            sql.append(wrap("count(", expr::value(with, "t", of), ")")).push(numeric(with.dialect)).push(")");
            sql
        }
        Function::Sum => compare(wrap("(", sum(with, of, true), ")"), having.compare, having.value, scale(&of.ty)),
        Function::Min => compare(wrap("min(", expr::value(with, "t", of), ")"), having.compare, having.value, scale(&of.ty)),
        _ => compare(wrap("max(", expr::value(with, "t", of), ")"), having.compare, having.value, scale(&of.ty)),
    }
}

fn numeric(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "::numeric",
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
    let units = i128::from(value.units) * if scale > value.scale { i128::from(crate::base::decimal::pow10(scale - value.scale)) } else { 1 };
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
    let mut sql = left;
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
        Type::Null | Type::Int | Type::Duration => Codec::Int,
    }
}
