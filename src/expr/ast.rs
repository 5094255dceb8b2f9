//! The expression as written: names are not resolved, nothing has a type.

use super::tree::{ArithmeticOp, CompareOp, MatchKind, Span};

/// A parsed expression. Two are equal when they say the same, wherever they stand.
#[derive(Debug, Clone)]
pub struct Ast {
    pub kind: AstKind,
    pub span: Span,
}

impl PartialEq for Ast {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Ast {
    pub fn new(kind: AstKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// The direct parts, in the order they are written.
    pub fn children(&self) -> Vec<&Ast> {
        match &self.kind {
            AstKind::Null | AstKind::Bool(_) | AstKind::Number(_) | AstKind::Text(_) | AstKind::Path(_) => Vec::new(),
            AstKind::And(items) | AstKind::Or(items) => items.iter().collect(),
            AstKind::Not(inner) | AstKind::Negate(inner) => vec![inner],
            AstKind::Compare { left, right, .. } | AstKind::Arithmetic { left, right, .. } => vec![left, right],
            AstKind::In { item, list, .. } => std::iter::once(&**item).chain(list).collect(),
            AstKind::Between { item, low, high, .. } => vec![item, low, high],
            AstKind::IsNull { item, .. } => vec![item],
            AstKind::Match { item, pattern, .. } => vec![item, pattern],
            AstKind::Has { item, keys, .. } => std::iter::once(&**item).chain(keys).collect(),
            AstKind::Call { args, filter, .. } => args.iter().chain(filter.as_deref()).collect(),
            AstKind::Case { arms, otherwise } => {
                arms.iter().flat_map(|(condition, value)| [condition, value]).chain(otherwise.as_deref()).collect()
            }
        }
    }
}

/// One segment of a name.
#[derive(Debug, Clone)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum AstKind {
    Null,
    Bool(bool),
    /// Digits as written, never negative.
    Number(String),
    Text(String),
    /// `account.owner.name`, `old.stage`.
    Path(Vec<Name>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Not(Box<Ast>),
    Negate(Box<Ast>),
    Compare {
        op: CompareOp,
        left: Box<Ast>,
        right: Box<Ast>,
    },
    Arithmetic {
        op: ArithmeticOp,
        left: Box<Ast>,
        right: Box<Ast>,
    },
    In {
        item: Box<Ast>,
        list: Vec<Ast>,
        negated: bool,
    },
    Between {
        item: Box<Ast>,
        low: Box<Ast>,
        high: Box<Ast>,
        negated: bool,
    },
    IsNull {
        item: Box<Ast>,
        negated: bool,
    },
    Match {
        kind: MatchKind,
        item: Box<Ast>,
        pattern: Box<Ast>,
        negated: bool,
    },
    /// `tags has 'a'`, `has_any ('a', 'b')`, `has_all (…)`.
    Has {
        kind: HasWord,
        item: Box<Ast>,
        keys: Vec<Ast>,
    },
    /// `name(args)`; `filter` is what follows `where` inside the parentheses.
    Call {
        name: Name,
        args: Vec<Ast>,
        filter: Option<Box<Ast>>,
    },
    Case {
        arms: Vec<(Ast, Ast)>,
        otherwise: Option<Box<Ast>>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HasWord {
    Has,
    HasAny,
    HasAll,
}
