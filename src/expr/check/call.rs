//! Calls: functions of values, quantifiers, aggregates, `if`, `case`, `coalesce`.

use crate::base::Value;

use super::super::ast::{Ast, AstKind, Name};
use super::super::error::ExprErrorKind;
use super::super::function::{self, Arg, Signature};
use super::super::tree::{AggregateKind, Function, Mine, Node, Over, QuantifierKind, Root, Span, Type, Typed};
use super::coerce::{amount_of, date_of, literal_text, rescale};
use super::{Checked, Checker, arguments, as_path};

impl Checker<'_> {
    pub(super) fn call(&mut self, name: &Name, args: &[Ast], filter: Option<&Ast>, span: Span) -> Option<Typed> {
        if let Some(kind) = quantifier_kind(&name.text) {
            return self.quantifier(kind, name, args, filter, span);
        }
        if let Some(kind) = aggregate_kind(&name.text)
            && (args.len() < 2 || filter.is_some() || !matches!(kind, AggregateKind::Min | AggregateKind::Max) || self.is_many(&args[0]))
        {
            return self.aggregate_call(kind, name, args, filter, span);
        }
        if let Some(filter) = filter {
            let wanted = "`where` only in `exists`, `none`, `all`, `count` and the like";
            return self.fault(ExprErrorKind::Unexpected { found: "`where`".to_owned(), wanted }, &filter.span);
        }
        match name.text.as_str() {
            "me" | "now" | "today" | "my_teams" | "my_reports" => self.context_value(name, args, span),
            "if" => {
                self.counted(name, args, 3..=3, &span)?;
                let condition = self.condition(&args[0]);
                let (then, otherwise) = (self.expression(&args[1]), self.expression(&args[2]));
                let (ty, mut values) = self.unify(vec![then?, otherwise?])?;
                let otherwise = Box::new(values.pop()?);
                Some(Typed::new(ty, Node::Case { arms: vec![(condition?, values.pop()?)], otherwise }, span))
            }
            "coalesce" => {
                self.counted(name, args, 1..=64, &span)?;
                let checked: Vec<Option<Checked>> = args.iter().map(|arg| self.expression(arg)).collect();
                let (ty, values) = self.unify(checked.into_iter().collect::<Option<Vec<_>>>()?)?;
                Some(Typed::new(ty, Node::Coalesce(values), span))
            }
            "changed" => self.changed(name, args, span),
            other => match function::find(other) {
                Some(signature) => self.function(signature, name, args, span),
                None => {
                    let known = function::SIGNATURES.iter().map(|signature| signature.name).chain(function::SPECIAL);
                    let near = super::names::nearest(other, known.map(str::to_owned));
                    self.fault(ExprErrorKind::UnknownFunction { name: name.text.clone(), near }, &name.span)
                }
            },
        }
    }

    pub(super) fn case(&mut self, arms: &[(Ast, Ast)], otherwise: Option<&Ast>, span: Span) -> Option<Typed> {
        let conditions: Vec<Option<Typed>> = arms.iter().map(|(condition, _)| self.condition(condition)).collect();
        let mut values: Vec<Option<Checked>> = arms.iter().map(|(_, value)| self.expression(value)).collect();
        let end = Ast::new(AstKind::Null, span.end..span.end);
        values.push(self.expression(otherwise.unwrap_or(&end)));
        let (ty, mut values) = self.unify(values.into_iter().collect::<Option<Vec<_>>>()?)?;
        let otherwise = Box::new(values.pop()?);
        let conditions: Vec<Typed> = conditions.into_iter().collect::<Option<_>>()?;
        Some(Typed::new(ty, Node::Case { arms: conditions.into_iter().zip(values).collect(), otherwise }, span))
    }

    fn counted(&mut self, name: &Name, args: &[Ast], allowed: std::ops::RangeInclusive<usize>, span: &Span) -> Option<()> {
        if allowed.contains(&args.len()) {
            return Some(());
        }
        let wanted = if allowed.start() == allowed.end() {
            arguments(*allowed.start())
        } else {
            format!("at least {}", arguments(*allowed.start()))
        };
        self.fault(ExprErrorKind::Arguments { name: name.text.clone(), wanted, given: args.len() }, span)
    }

    fn context_value(&mut self, name: &Name, args: &[Ast], span: Span) -> Option<Typed> {
        self.counted(name, args, 0..=0, &span)?;
        match name.text.as_str() {
            "now" => Some(Typed::new(Type::DateTime, Node::Now, span)),
            "today" => Some(Typed::new(Type::Date, Node::Today, span)),
            "my_teams" | "my_reports" => self.own_list(name, span),
            _ => match self.scope.user_entity() {
                Some(user) => Some(Typed::new(Type::Link(vec![user]), Node::Me, span)),
                None => self.fault(ExprErrorKind::UnknownFunction { name: name.text.clone(), near: None }, &name.span),
            },
        }
    }

    /// `my_teams()` and `my_reports()`: only where the scope knows whose they are.
    fn own_list(&mut self, name: &Name, span: Span) -> Option<Typed> {
        let (entity, mine) = match name.text.as_str() {
            "my_teams" => (self.scope.team_entity(), Mine::Teams),
            _ => (self.scope.user_entity(), Mine::Reports),
        };
        match entity.filter(|_| self.scope.has_mine()) {
            Some(entity) => Some(Typed::new(Type::Link(vec![entity]), Node::Mine(mine), span)),
            None => {
                let hint = Some("compare with `me()`, or say it in the role".to_owned());
                let wanted = "a function of this place".to_owned();
                let found = format!("`{}()`, which only rules of roles know", name.text);
                self.fault(ExprErrorKind::Mismatch { wanted, found, hint }, &name.span)
            }
        }
    }

    fn changed(&mut self, name: &Name, args: &[Ast], span: Span) -> Option<Typed> {
        self.counted(name, args, 1..=1, &span)?;
        if !self.scope.has_old() {
            return self.fault(ExprErrorKind::NoOld, &name.span);
        }
        let typed = self.expression(&args[0])?.typed;
        match as_path(&typed) {
            Some(path) if path.root == Root::Record => Some(Typed::new(Type::Bool, Node::Changed(path.clone()), span)),
            _ => {
                let found = "something else".to_owned();
                self.fault(ExprErrorKind::Mismatch { wanted: "a field of the record".to_owned(), found, hint: None }, &typed.span)
            }
        }
    }

    fn function(&mut self, signature: &Signature, name: &Name, args: &[Ast], span: Span) -> Option<Typed> {
        let most = if signature.is_variadic { 64 } else { signature.args.len() };
        self.counted(name, args, signature.required..=most, &span)?;
        let mut checked = Vec::with_capacity(args.len());
        for (position, arg) in args.iter().enumerate() {
            let wanted = signature.args[position.min(signature.args.len() - 1)];
            checked.push(self.argument(arg, wanted));
        }
        let mut values = checked.into_iter().collect::<Option<Vec<Typed>>>()?;
        let function = signature.function;
        if values.is_empty() {
            values.push(Typed::new(Type::Date, Node::Today, span.clone()));
        }
        if function == Function::Date {
            return values.pop();
        }
        if matches!(function, Function::Least | Function::Greatest) {
            let scale = values.iter().filter_map(|value| value.ty.number_scale()).max().unwrap_or(0);
            let is_decimal = values.iter().any(|value| matches!(value.ty, Type::Decimal(_)));
            let target = if is_decimal { Type::Decimal(scale) } else { Type::Int };
            values = values.into_iter().map(|value| rescale(value, &target)).collect();
        }
        let digits = match values.get(1).map(|value| &value.node) {
            Some(Node::Literal(Value::Int(digits))) if function == Function::Round => u8::try_from(*digits).unwrap_or(0),
            _ => 0,
        };
        let types: Vec<Type> = values.iter().map(|value| value.ty.clone()).collect();
        let ty = function::result(function, &types, digits);
        Some(Typed::new(ty, Node::Call { function, args: values }, span))
    }

    fn argument(&mut self, arg: &Ast, wanted: Arg) -> Option<Typed> {
        let mut typed = self.expression(arg)?.typed;
        if literal_text(&typed).is_some() {
            let target = match wanted {
                Arg::Date => Some(Type::Date),
                Arg::DateTime => Some(Type::DateTime),
                Arg::Time => Some(Type::Time),
                _ => None,
            };
            if let Some(target) = target {
                typed = self.literal(typed, &target, None)?;
            }
        }
        let fits = match (wanted, &typed.ty) {
            (Arg::Date, Type::DateTime) => return Some(date_of(typed)),
            (Arg::Number, Type::Money(_)) => return Some(amount_of(typed)),
            (Arg::Digits, Type::Int) => matches!(typed.node, Node::Literal(Value::Int(0..=9))),
            (Arg::Text | Arg::Printable, Type::Text)
            | (Arg::Number, Type::Int | Type::Decimal(_))
            | (Arg::Int, Type::Int)
            | (Arg::Date, Type::Date)
            | (Arg::DateTime | Arg::Clock, Type::DateTime)
            | (Arg::Clock | Arg::Time, Type::Time)
            | (Arg::Duration, Type::Duration)
            | (Arg::Printable, Type::Int | Type::Decimal(_) | Type::Date) => true,
            _ => false,
        };
        if fits {
            return Some(typed);
        }
        let hint = match (wanted, &typed.ty) {
            (Arg::Text, Type::Int | Type::Decimal(_) | Type::Date) => Some("`text(…)` writes it as text".to_owned()),
            (Arg::Printable, Type::Money(_)) => Some("take `.amount` of it".to_owned()),
            (Arg::Int, Type::Decimal(_)) => Some("`round(…)` makes it whole".to_owned()),
            _ => None,
        };
        self.fault(ExprErrorKind::Mismatch { wanted: wanted.name().to_owned(), found: typed.ty.name().to_owned(), hint }, &typed.span)
    }

    /// Whether the argument is the name of a to-many field; says nothing of its faults.
    fn is_many(&mut self, arg: &Ast) -> bool {
        let AstKind::Path(names) = &arg.kind else { return false };
        let before = self.errors.len();
        let found = self.over(names, &arg.span).is_some();
        self.errors.truncate(before);
        found
    }

    fn quantifier(&mut self, kind: QuantifierKind, name: &Name, args: &[Ast], filter: Option<&Ast>, span: Span) -> Option<Typed> {
        self.counted(name, args, 1..=1, &span)?;
        let (over, rest) = self.many(&args[0])?;
        if !rest.is_empty() {
            return self.fault(ExprErrorKind::NotToMany(text_of(&args[0])), &args[0].span);
        }
        if kind == QuantifierKind::All && filter.is_none() {
            let kind = ExprErrorKind::Unexpected { found: "the end of `all(…)`".to_owned(), wanted: "`where` and a condition" };
            return self.fault(kind, &span);
        }
        let filter = self.filter(&over, filter)?;
        Some(Typed::new(Type::Bool, Node::Quantifier { kind, over, filter }, span))
    }

    /// `sum(lines.total)`, `sum(lines, qty * price)`, `count(lines where …)`.
    fn aggregate_call(&mut self, kind: AggregateKind, name: &Name, args: &[Ast], filter: Option<&Ast>, span: Span) -> Option<Typed> {
        let most = if kind == AggregateKind::Count { 1 } else { 2 };
        self.counted(name, args, 1..=most, &span)?;
        let (over, rest) = self.many(&args[0])?;
        let value = match (args.get(1), rest) {
            (Some(value), []) => Some(value.clone()),
            (None, []) => None,
            (None, rest) => Some(Ast::new(AstKind::Path(rest.to_vec()), rest[0].span.start..args[0].span.end)),
            (Some(_), _) => return self.fault(ExprErrorKind::NotToMany(text_of(&args[0])), &args[0].span),
        };
        if kind == AggregateKind::Count && value.is_some() {
            return self.fault(ExprErrorKind::NotToMany(text_of(&args[0])), &args[0].span);
        }
        self.aggregate(kind, over, value.as_ref(), filter, &name.text, span)
    }

    pub(super) fn aggregate(
        &mut self,
        kind: AggregateKind,
        over: Over,
        value: Option<&Ast>,
        filter: Option<&Ast>,
        name: &str,
        span: Span,
    ) -> Option<Typed> {
        let filter = self.filter(&over, filter);
        let value = match value {
            Some(value) => {
                self.rows.push(over.rows.clone());
                let checked = self.expression(value);
                self.rows.pop();
                Some(checked?.typed)
            }
            None if kind == AggregateKind::Count => None,
            None => {
                let wanted = format!("a field of the rows, as in `{name}(lines.total)`");
                return self.fault(ExprErrorKind::Arguments { name: name.to_owned(), wanted, given: 1 }, &span);
            }
        };
        let ty = match (kind, value.as_ref().map(|value| &value.ty)) {
            (AggregateKind::Count, _) => Type::Int,
            (AggregateKind::Sum, Some(ty @ (Type::Int | Type::Decimal(_) | Type::Money(_) | Type::Duration))) => ty.clone(),
            (
                AggregateKind::Min | AggregateKind::Max,
                Some(ty @ (Type::Int | Type::Decimal(_) | Type::Text | Type::Date | Type::DateTime | Type::Time | Type::Duration)),
            ) => ty.clone(),
            (AggregateKind::Avg, Some(ty @ (Type::Int | Type::Decimal(_)))) => Type::Decimal(mean_scale(ty.number_scale().unwrap_or(0))),
            (_, found) => {
                let hint = matches!(found, Some(Type::Money(_))).then(|| "take `.amount` or `.base` of it".to_owned());
                let found = found.map_or("nothing", Type::name).to_owned();
                return self.fault(ExprErrorKind::Mismatch { wanted: format!("a value `{name}` can take"), found, hint }, &span);
            }
        };
        Some(Typed::new(ty, Node::Aggregate { kind, over, filter: filter?, value: value.map(Box::new) }, span))
    }

    fn many<'n>(&mut self, arg: &'n Ast) -> Option<(Over, &'n [Name])> {
        match &arg.kind {
            AstKind::Path(names) => self.over(names, &arg.span),
            _ => self.fault(ExprErrorKind::NotToMany("this".to_owned()), &arg.span),
        }
    }

    /// The condition after `where`, about the rows. The outer `None` says that a fault was recorded.
    #[expect(clippy::option_option, reason = "no filter and a faulty filter are different things")]
    fn filter(&mut self, over: &Over, filter: Option<&Ast>) -> Option<Option<Box<Typed>>> {
        let Some(filter) = filter else { return Some(None) };
        self.rows.push(over.rows.clone());
        let checked = self.condition(filter);
        self.rows.pop();
        Some(Some(Box::new(checked?)))
    }
}

/// A mean keeps four more decimal places than its values, at most nine.
pub fn mean_scale(scale: u8) -> u8 {
    (scale + 4).min(9)
}

fn quantifier_kind(name: &str) -> Option<QuantifierKind> {
    Some(match name {
        "exists" => QuantifierKind::Exists,
        "none" => QuantifierKind::None,
        "all" => QuantifierKind::All,
        _ => return None,
    })
}

pub(super) fn aggregate_kind(name: &str) -> Option<AggregateKind> {
    Some(match name {
        "count" => AggregateKind::Count,
        "sum" => AggregateKind::Sum,
        "min" => AggregateKind::Min,
        "max" => AggregateKind::Max,
        "avg" => AggregateKind::Avg,
        _ => return None,
    })
}

fn text_of(ast: &Ast) -> String {
    super::super::print(ast)
}
