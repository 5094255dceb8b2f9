//! Checked expressions as SQL, for both dialects: the twin of the in-memory evaluator.
//!
//! A condition is compiled for its place. Where a null counts as false anyway (`WHERE`, `AND`, `OR`), comparisons stay
//! plain so that indexes serve; elsewhere they are made two-valued by `IS TRUE`. What reads no record is computed in
//! memory and bound.

mod call;
mod compare;
mod money;
mod path;
mod rows;
mod sets;

use std::cell::Cell as Counter;

use crate::access::RowRules;
use crate::base::{Cell, EntityIx, FieldIx, Value};
use crate::expr::eval::constant;
use crate::expr::{ArithmeticOp, EvalContext, Node, Path, Root, Rows, Type, Typed, Zone};
use crate::schema::catalog::{Catalog, ColumnKind, Field};
use crate::store::{Dialect, Sql};

/// What an expression is compiled with.
#[derive(Clone, Copy)]
pub struct ExprSql<'a> {
    pub catalog: &'a Catalog,
    pub dialect: Dialect,
    /// The entity of the record the expression is about.
    pub entity: EntityIx,
    /// Every record that a hop or a to-many field reaches must be live and meet the rule of its entity.
    pub rows: &'a RowRules,
    /// Gives `now()`, `today()`, `me()`, `old` and the zone, as bound values.
    pub context: &'a EvalContext<'a>,
}

impl<'a> ExprSql<'a> {
    /// The same without rules: for the rules themselves, and for values that are shown whatever they are made of.
    pub fn open(self) -> ExprSql<'a> {
        Self { rows: RowRules::none(), ..self }
    }

    /// What `then` makes with the zone in which the field's values are: the workspace's where they are kept, whoever reads them and
    /// though rules make them be computed anew.
    pub(super) fn in_zone_of<R>(self, field: &Field, then: impl FnOnce(ExprSql<'_>) -> R) -> R {
        if field.columns.is_empty() {
            return then(self);
        }
        let zone = Zone::named(&self.catalog.settings.time_zone_name).unwrap_or_else(Zone::utc);
        let context = EvalContext { zone, ..self.context.clone() };
        then(ExprSql { context: &context, ..self })
    }

    /// The same for expressions about records of another entity.
    pub fn about(self, entity: EntityIx) -> Self {
        Self { entity, ..self }
    }
}

/// A condition about the record whose table stands under `alias`. Null where it does not hold is possible: the place must
/// take it as false, as `WHERE` and `AND` do.
pub fn condition(with: ExprSql<'_>, alias: &str, condition: &Typed) -> Sql {
    let aliases = Counter::new(0);
    Compiler::new(with, alias, &aliases).condition(condition, true)
}

/// The access rule of a list's own records. What was shared is looked up once for all of them, as a set of ids, and so are the
/// records that have a row with somebody in it: whatever else the rule says, an index answers each of its parts.
pub fn rule_of_list(with: ExprSql<'_>, alias: &str, rule: &Typed) -> Sql {
    let aliases = Counter::new(0);
    let compiler = Compiler::new(with, alias, &aliases);
    let parts = match &rule.node {
        Node::Or(parts) => &parts[..],
        _ => std::slice::from_ref(rule),
    };
    let mut sql = Sql::default();
    sql.join(" OR ", parts.iter().map(|part| compiler.in_set(part).unwrap_or_else(|| compiler.condition(part, true))));
    wrapped(sql)
}

/// Where a part of a rule says no more than that the id of a list's own record is in some set: that.
pub fn in_set(with: ExprSql<'_>, alias: &str, part: &Typed) -> Option<Sql> {
    let aliases = Counter::new(0);
    Compiler::new(with, alias, &aliases).in_set(part)
}

/// Where a part of a rule says no more than that a list's own record was shared: the shares of each it was shared with, under `x`.
pub fn shares_of_each(with: ExprSql<'_>, alias: &str, part: &Typed) -> Option<Vec<Sql>> {
    let aliases = Counter::new(0);
    Compiler::new(with, alias, &aliases).shares_of_each(part)
}

/// The value of an expression as one column of the kind of its type. For money it is the amount.
pub fn value(with: ExprSql<'_>, alias: &str, typed: &Typed) -> Sql {
    let aliases = Counter::new(0);
    Compiler::new(with, alias, &aliases).value(typed)
}

/// A field of the record itself, or a part of it, as far as it may be read.
pub fn field(with: ExprSql<'_>, alias: &str, field: FieldIx, part: Option<&'static str>) -> Sql {
    let aliases = Counter::new(0);
    Compiler::new(with, alias, &aliases).path(&Path { root: Root::Record, hops: Vec::new(), field, part })
}

/// The folded text of a field of the record itself, as far as it may be read.
pub fn folded(with: ExprSql<'_>, alias: &str, field: FieldIx) -> Sql {
    let aliases = Counter::new(0);
    Compiler::new(with, alias, &aliases).folded(&Path { root: Root::Record, hops: Vec::new(), field, part: None })
}

/// Amount, currency and base amount of an expression of type money.
pub fn money(with: ExprSql<'_>, alias: &str, typed: &Typed) -> [Sql; 3] {
    let aliases = Counter::new(0);
    let compiler = Compiler::new(with, alias, &aliases);
    [money::Part::Amount, money::Part::Currency, money::Part::Base].map(|part| compiler.money(typed, part))
}

/// A record in the statement: its entity and the alias its table stands under.
#[derive(Clone)]
struct Frame {
    entity: EntityIx,
    alias: String,
    /// In rows of a `links` field: the link to the linked record and the alias that record stands under.
    far: Option<(crate::base::FieldIx, String)>,
}

struct Compiler<'a> {
    with: ExprSql<'a>,
    /// The record, then the rows of the enclosing quantifiers, outermost first.
    frames: Vec<Frame>,
    /// Aliases are numbered, after the alias of the record: an access rule compiled at one of them makes its own.
    aliases: &'a Counter<u32>,
}

impl<'a> Compiler<'a> {
    fn new(with: ExprSql<'a>, alias: &str, aliases: &'a Counter<u32>) -> Self {
        let frame = Frame { entity: with.entity, alias: alias.to_owned(), far: None };
        Self { with, frames: vec![frame], aliases }
    }

    /// For an expression about another record of the same statement: a virtual formula at the end of a path.
    fn at(&self, frame: Frame) -> Self {
        Self { with: self.with.about(frame.entity), frames: vec![frame], aliases: self.aliases }
    }

    fn alias(&self) -> String {
        self.aliases.set(self.aliases.get() + 1);
        format!("{}_{}", self.frames[0].alias, self.aliases.get())
    }

    fn is_sqlite(&self) -> bool {
        self.with.dialect == Dialect::Sqlite
    }

    /// Reads no record of the statement: `old` is in memory.
    fn is_constant(typed: &Typed) -> bool {
        match &typed.node {
            Node::Path(Path { root: Root::Old, .. }) => true,
            Node::Path(_) | Node::Has { .. } | Node::Quantifier { .. } | Node::Aggregate { .. } | Node::Changed(_) => false,
            _ => typed.children().into_iter().all(Self::is_constant),
        }
    }

    /// A condition known before the statement runs. The words, not bound values: the planner sees through them.
    fn known(&self, holds: bool) -> Sql {
        Sql::new(match (self.is_sqlite(), holds) {
            (true, true) => "1",
            (true, false) => "0",
            (false, true) => "TRUE",
            (false, false) => "FALSE",
        })
    }

    /// A boolean. With `loose`, null may stand for false.
    fn condition(&self, typed: &Typed, loose: bool) -> Sql {
        if Self::is_constant(typed) {
            return self.known(constant(typed, self.with.context) == Value::Bool(true));
        }
        match &typed.node {
            Node::And(items) => self.joined(" AND ", items, loose),
            Node::Or(items) => self.joined(" OR ", items, loose),
            Node::Not(inner) => {
                let mut sql = Sql::new("NOT ");
                sql.append(self.condition(inner, false));
                wrapped(sql)
            }
            Node::Compare { op, left, right } => self.compare(*op, left, right, loose),
            Node::In { item, list } => self.membership(item, list, loose),
            Node::IsNull(inner) => self.is_null(inner),
            Node::Match { kind, item, pattern } => self.text_match(*kind, item, pattern, loose),
            Node::Has { kind, set, keys } => self.has(*kind, set, keys),
            Node::Quantifier { kind, over, filter } => self.quantifier(*kind, over, filter.as_deref()),
            Node::Changed(path) => self.changed(typed, path),
            Node::Shared { item, may_edit, with } => self.shared(item, *may_edit, with),
            // A boolean field, `case` or `coalesce`.
            _ => strict(self.value(typed), loose),
        }
    }

    fn joined(&self, separator: &'static str, items: &[Typed], loose: bool) -> Sql {
        let mut sql = Sql::default();
        sql.join(separator, items.iter().map(|item| self.condition(item, loose)));
        wrapped(sql)
    }

    /// A value of the kind of its type; of money the amount.
    fn value(&self, typed: &Typed) -> Sql {
        if let Type::Money(_) = typed.ty {
            return self.money(typed, money::Part::Amount);
        }
        if Self::is_constant(typed) {
            return self.literal(&constant(typed, self.with.context), &typed.ty);
        }
        match &typed.node {
            // Of an encrypted field the blind index is compared.
            Node::Path(path) if matches!(typed.ty, Type::Sealed(..)) => self.folded(path),
            Node::Path(path) => self.path(path),
            Node::Arithmetic { op, left, right } => self.arithmetic(*op, typed, left, right),
            Node::Negate(inner) => call("rl_neg(", [self.value(inner)]),
            Node::Rescale(inner) => rescaled(self.value(inner), scale_of(&inner.ty), scale_of(&typed.ty)),
            Node::Case { arms, otherwise } => self.case(arms, otherwise, |part| self.value(part)),
            Node::Coalesce(items) => {
                // SQLite's `COALESCE` takes at least two arguments.
                call("COALESCE(", items.iter().map(|item| self.value(item)).chain([Sql::new("NULL")]))
            }
            Node::Call { function, args } => self.function(*function, typed, args),
            Node::Aggregate { kind, over, filter, value } => self.aggregate(*kind, typed, over, filter.as_deref(), value.as_deref()),
            _ => self.condition(typed, false),
        }
    }

    fn case(&self, arms: &[(Typed, Typed)], otherwise: &Typed, value: impl Fn(&Typed) -> Sql) -> Sql {
        let mut sql = Sql::new("CASE");
        for (condition, then) in arms {
            sql.push(" WHEN ").append(self.condition(condition, true));
            sql.push(" THEN ").append(value(then));
        }
        sql.push(" ELSE ").append(value(otherwise)).push(" END");
        sql
    }

    fn literal(&self, value: &Value, ty: &Type) -> Sql {
        let mut sql = Sql::default();
        sql.bind(kind_of(ty), self.cell(value, ty));
        sql
    }

    /// The cell of a value as a column of the type holds it: of an encrypted one its blind index.
    fn cell(&self, value: &Value, ty: &Type) -> Cell {
        let (Type::Sealed(entity, field), Value::Text(text)) = (ty, value) else { return cell(value, ty) };
        let field = self.with.catalog.entity(*entity).field(*field);
        // Without its key nothing is found.
        Cell::Text(self.with.catalog.blind.as_ref().map(|blind| blind.of(&field.uid, text)).unwrap_or_default())
    }

    fn arithmetic(&self, op: ArithmeticOp, typed: &Typed, left: &Typed, right: &Typed) -> Sql {
        if let (Type::Money(_), Type::Money(_)) = (&left.ty, &right.ty) {
            return self.money_ratio(left, right);
        }
        let pair = [self.value(left), self.value(right)];
        let add = op == ArithmeticOp::Add;
        match (&left.ty, &right.ty) {
            (Type::Date, Type::Date) => return call("rl_date_diff(", pair),
            (Type::Date, _) => return call(if add { "rl_date_add(" } else { "rl_date_sub(" }, pair),
            (Type::DateTime, Type::DateTime) => {
                let [later, earlier] = pair;
                return call("rl_seconds_between(", [earlier, later]);
            }
            (Type::DateTime, _) => return call(if add { "rl_moment_add(" } else { "rl_moment_sub(" }, pair),
            _ => {}
        }
        let (a, b, c) = (scale_of(&left.ty), scale_of(&right.ty), scale_of(&typed.ty));
        match op {
            ArithmeticOp::Add => call("rl_add(", pair),
            ArithmeticOp::Sub => call("rl_sub(", pair),
            ArithmeticOp::Mod => call("rl_mod(", pair),
            ArithmeticOp::Mul => call("rl_mul(", pair.into_iter().chain([digits(a + b - c)])),
            ArithmeticOp::Div => call("rl_div(", pair.into_iter().chain([digits(c + b - a)])),
        }
    }
}

/// In parentheses.
fn wrapped(inner: Sql) -> Sql {
    let mut sql = Sql::new("(");
    sql.append(inner).push(")");
    sql
}

/// A boolean that is never null, unless null may stand for false.
fn strict(inner: Sql, loose: bool) -> Sql {
    if loose {
        return inner;
    }
    let mut sql = Sql::new("((");
    sql.append(inner).push(") IS TRUE)");
    sql
}

/// `name(` and the arguments.
fn call(name: &'static str, args: impl IntoIterator<Item = Sql>) -> Sql {
    let mut sql = Sql::new(name);
    sql.join(", ", args).push(")");
    sql
}

fn digits(count: u8) -> Sql {
    let mut sql = Sql::default();
    sql.number(i64::from(count));
    sql
}

fn rescaled(inner: Sql, from: u8, to: u8) -> Sql {
    match to.cmp(&from) {
        std::cmp::Ordering::Equal => inner,
        std::cmp::Ordering::Greater => call("rl_up(", [inner, digits(to - from)]),
        std::cmp::Ordering::Less => call("rl_down(", [inner, digits(from - to)]),
    }
}

/// Decimal places of a number or money; 0 for all else.
fn scale_of(ty: &Type) -> u8 {
    match ty {
        Type::Decimal(scale) | Type::Money(scale) => *scale,
        _ => 0,
    }
}

/// The kind of column a value of the type is.
fn kind_of(ty: &Type) -> ColumnKind {
    match ty {
        Type::Bool => ColumnKind::Bool,
        Type::Text | Type::Set | Type::Sealed(..) | Type::Secret => ColumnKind::Text,
        Type::Date => ColumnKind::Date,
        Type::DateTime => ColumnKind::DateTime,
        Type::Json => ColumnKind::Json,
        Type::Null | Type::Int | Type::Decimal(_) | Type::Time | Type::Duration | Type::Money(_) | Type::Link(_) => ColumnKind::Int,
    }
}

/// The cell of a value, numbers with the scale of the type.
fn cell(value: &Value, ty: &Type) -> Cell {
    let units = |units, scale| crate::expr::number::rescale(units, scale, scale_of(ty)).into();
    match value {
        Value::Bool(flag) => Cell::Bool(*flag),
        Value::Int(number) => units(*number, 0),
        Value::Decimal(number) => units(number.units, number.scale),
        Value::Money(money) => units(money.amount.units, money.amount.scale),
        Value::Text(text) => Cell::Text(text.clone()),
        Value::Date(date) => Cell::Int(i64::from(date.0)),
        Value::DateTime(at) => Cell::Int(at.0),
        Value::Time(time) => Cell::Int(i64::from(time.0)),
        Value::Link(id) => Cell::Int(id.0),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Json(_) => Cell::Null,
    }
}

/// The entity of the rows and, for a `links` field, the linked one.
fn row_entities(rows: &Rows) -> (EntityIx, Option<EntityIx>) {
    match rows {
        Rows::Children { of, .. } => (*of, None),
        Rows::Links { through, to, .. } => (*through, Some(*to)),
    }
}
