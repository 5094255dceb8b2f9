//! [`Ast`] to [`Typed`]: resolves names and checks types. All faults are collected, not only the first.

mod call;
mod coerce;
mod names;
mod operator;

use crate::base::{Decimal, EntityIx, Value};

use super::ast::{Ast, AstKind};
use super::error::{ExprError, ExprErrorKind};
use super::scope::Scope;
use super::tree::{AggregateKind, Node, Over, Path, Root, Rows, Span, Type, Typed};

/// What the place of an expression needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Any,
    /// A true or false: filters, rules, `required_if`.
    Condition,
    /// A value of this type. Numbers are brought to its scale (half-even); a date-time gives its date.
    Value(Type),
}

/// Checks a parsed expression about a record of `entity`.
///
/// # Errors
/// `EXP101` to `EXP118`, every one that was found.
pub fn check(ast: &Ast, scope: &dyn Scope, entity: EntityIx, expected: &Expected) -> Result<Typed, Vec<ExprError>> {
    let mut checker = Checker { scope, entity, rows: Vec::new(), errors: Vec::new() };
    let typed = checker.expression(ast).and_then(|checked| checker.expect(checked, expected));
    finish(checker.errors, typed)
}

/// Parses and checks an expression of a definition.
///
/// # Errors
/// One of `EXP001` to `EXP004`, or all of `EXP101` to `EXP118` that were found.
pub fn compile(text: &str, scope: &dyn Scope, entity: EntityIx, expected: &Expected) -> Result<Typed, Vec<ExprError>> {
    let ast = super::parse(text).map_err(|error| vec![error])?;
    check(&ast, scope, entity, expected)
}

/// Parses and checks the aggregate of a rollup: `sum(total)`, `count()`, `max(due where done = false)`. Names are those
/// of the rows of the to-many field `of` of `entity`; the result is a [`Node::Aggregate`] about a record of `entity`.
///
/// # Errors
/// As [`compile`].
pub fn compile_rollup(text: &str, scope: &dyn Scope, entity: EntityIx, of: &str, expected: &Expected) -> Result<Typed, Vec<ExprError>> {
    let ast = super::parse(text).map_err(|error| vec![error])?;
    let mut checker = Checker { scope, entity, rows: Vec::new(), errors: Vec::new() };
    let typed = checker.rollup(&ast, of).and_then(|checked| checker.expect(checked, expected));
    finish(checker.errors, typed)
}

fn finish(errors: Vec<ExprError>, typed: Option<Typed>) -> Result<Typed, Vec<ExprError>> {
    match typed {
        Some(typed) if errors.is_empty() => Ok(typed),
        _ => Err(errors),
    }
}

/// A checked part with what its surroundings may ask about it.
struct Checked {
    typed: Typed,
    /// The select's name and keys when this is a select field.
    options: Option<(String, Vec<String>)>,
    /// A text field with a folded shadow column.
    is_foldable: bool,
}

impl From<Typed> for Checked {
    fn from(typed: Typed) -> Self {
        Self { typed, options: None, is_foldable: false }
    }
}

struct Checker<'a> {
    scope: &'a dyn Scope,
    entity: EntityIx,
    /// Rows of the enclosing quantifiers, outermost first.
    rows: Vec<Rows>,
    errors: Vec<ExprError>,
}

impl Checker<'_> {
    fn fault<T>(&mut self, kind: ExprErrorKind, span: &Span) -> Option<T> {
        self.errors.push(ExprError::new(kind, span.clone()));
        None
    }

    /// `None` when a fault was recorded.
    fn expression(&mut self, ast: &Ast) -> Option<Checked> {
        let span = ast.span.clone();
        let typed = match &ast.kind {
            AstKind::Null => Typed::new(Type::Null, Node::Literal(Value::Null), span),
            AstKind::Bool(flag) => Typed::new(Type::Bool, Node::Literal(Value::Bool(*flag)), span),
            AstKind::Text(text) => Typed::new(Type::Text, Node::Literal(Value::Text(text.clone())), span),
            AstKind::Number(digits) => self.number(digits, &span)?,
            AstKind::Path(names) => return self.path(names, &span),
            AstKind::And(items) => Typed::new(Type::Bool, Node::And(self.conditions(items)?), span),
            AstKind::Or(items) => Typed::new(Type::Bool, Node::Or(self.conditions(items)?), span),
            AstKind::Not(inner) => Typed::new(Type::Bool, Node::Not(Box::new(self.condition(inner)?)), span),
            AstKind::Negate(inner) => match &inner.kind {
                AstKind::Number(digits) => self.number(&format!("-{digits}"), &span)?,
                _ => self.negate(inner, span)?,
            },
            AstKind::Compare { op, left, right } => {
                let (left, right) = (self.expression(left), self.expression(right));
                self.compare(*op, left?, right?, span)?
            }
            AstKind::Arithmetic { op, left, right } => {
                let (left, right) = (self.expression(left), self.expression(right));
                self.arithmetic(*op, left?.typed, right?.typed, span)?
            }
            AstKind::In { item, list, negated } => negate_if(*negated, self.membership(item, list, span)?),
            AstKind::Between { item, low, high, negated } => negate_if(*negated, self.between(item, low, high, span)?),
            AstKind::IsNull { item, negated } => {
                let item = self.expression(item)?.typed;
                negate_if(*negated, Typed::new(Type::Bool, Node::IsNull(Box::new(item)), span))
            }
            AstKind::Match { kind, item, pattern, negated } => negate_if(*negated, self.text_match(*kind, item, pattern, span)?),
            AstKind::Has { kind, item, keys } => self.has(*kind, item, keys, span)?,
            AstKind::Call { name, args, filter } => self.call(name, args, filter.as_deref(), span)?,
            AstKind::Case { arms, otherwise } => self.case(arms, otherwise.as_deref(), span)?,
        };
        Some(typed.into())
    }

    fn conditions(&mut self, items: &[Ast]) -> Option<Vec<Typed>> {
        let checked: Vec<Option<Typed>> = items.iter().map(|item| self.condition(item)).collect();
        checked.into_iter().collect()
    }

    fn condition(&mut self, ast: &Ast) -> Option<Typed> {
        let typed = self.expression(ast)?.typed;
        if typed.ty == Type::Bool {
            return Some(typed);
        }
        let hint = (typed.ty == Type::Text).then(|| "join texts with `concat(a, b)`; compare a field with `=`".to_owned());
        self.fault(ExprErrorKind::Mismatch { wanted: "a condition".to_owned(), found: typed.ty.name().to_owned(), hint }, &ast.span)
    }

    /// Digits without a point are an integer; with one they are a decimal of as many places as are written.
    fn number(&mut self, digits: &str, span: &Span) -> Option<Typed> {
        if let Ok(whole) = digits.parse::<i64>() {
            return Some(Typed::new(Type::Int, Node::Literal(Value::Int(whole)), span.clone()));
        }
        match Decimal::parse_any(digits) {
            Ok(number) => Some(Typed::new(Type::Decimal(number.scale), Node::Literal(Value::Decimal(number)), span.clone())),
            Err(_) => self.fault(ExprErrorKind::BadNumber(digits.to_owned()), span),
        }
    }

    fn rollup(&mut self, ast: &Ast, of: &str) -> Option<Checked> {
        let AstKind::Call { name, args, filter } = &ast.kind else {
            let wanted = "one of `count`, `sum`, `min`, `max`, `avg`".to_owned();
            return self.fault(ExprErrorKind::Mismatch { wanted, found: "something else".to_owned(), hint: None }, &ast.span);
        };
        let Some(kind) = call::aggregate_kind(&name.text) else {
            let near = super::check::names::nearest(&name.text, ["count", "sum", "min", "max", "avg"].map(String::from));
            return self.fault(ExprErrorKind::UnknownFunction { name: name.text.clone(), near }, &name.span);
        };
        let info = match self.scope.field(self.entity, of) {
            Some(info) => info,
            None => return self.fault(ExprErrorKind::NotToMany(of.to_owned()), &ast.span),
        };
        let super::scope::FieldKind::Many(rows) = info.kind else {
            return self.fault(ExprErrorKind::NotToMany(of.to_owned()), &ast.span);
        };
        let over = Over { root: Root::Record, hops: Vec::new(), field: info.ix, rows };
        let wanted = usize::from(kind != AggregateKind::Count);
        if args.len() != wanted {
            let kind = ExprErrorKind::Arguments { name: name.text.clone(), wanted: arguments(wanted), given: args.len() };
            return self.fault(kind, &ast.span);
        }
        let typed = self.aggregate(kind, over, args.first(), filter.as_deref(), &name.text, ast.span.clone())?;
        Some(typed.into())
    }
}

/// "1 argument", "2 arguments".
fn arguments(count: usize) -> String {
    format!("{count} argument{}", if count == 1 { "" } else { "s" })
}

fn negate_if(negated: bool, typed: Typed) -> Typed {
    if !negated {
        return typed;
    }
    let span = typed.span.clone();
    Typed::new(Type::Bool, Node::Not(Box::new(typed)), span)
}

/// The path of a node, if it is one.
fn as_path(typed: &Typed) -> Option<&Path> {
    match &typed.node {
        Node::Path(path) => Some(path),
        _ => None,
    }
}
