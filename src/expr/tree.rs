//! The checked expression tree: every name is resolved, every node has its type.

use std::ops::Range;

use crate::base::{EntityIx, FieldIx, Value};

/// Byte range in the source text.
pub type Span = Range<usize>;

/// The static type of an expression. A value of any type may be absent (null).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// The literal `null`; fits everywhere.
    Null,
    Bool,
    /// Checked 64-bit integer.
    Int,
    /// Units of `10^-scale` in 64 bits; decimal and percent fields.
    Decimal(u8),
    /// Also select keys and currency codes.
    Text,
    Date,
    DateTime,
    Time,
    /// Whole seconds.
    Duration,
    /// Amount, currency and base amount, both amounts with this scale.
    Money(u8),
    /// A reference to a record of one of these entities.
    Link(Vec<EntityIx>),
    /// Keys of a multi_select or tags field.
    Set,
    Json,
    /// The text of an encrypted field: it can be equal to another, without regard to case, and nothing else.
    Sealed(EntityIx, FieldIx),
    /// A secret: there or not, nothing else can be asked.
    Secret,
}

impl Type {
    /// Integer or decimal: the scale of the number.
    pub fn number_scale(&self) -> Option<u8> {
        match self {
            Type::Int => Some(0),
            Type::Decimal(scale) => Some(*scale),
            _ => None,
        }
    }

    /// The word used in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Bool => "boolean",
            Type::Int => "integer",
            Type::Decimal(_) => "decimal",
            Type::Text => "text",
            Type::Date => "date",
            Type::DateTime => "datetime",
            Type::Time => "time",
            Type::Duration => "duration",
            Type::Money(_) => "money",
            Type::Link(_) => "link",
            Type::Set => "set of options",
            Type::Json => "json",
            Type::Sealed(..) => "encrypted text",
            Type::Secret => "secret",
        }
    }
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    pub ty: Type,
    pub node: Node,
    pub span: Span,
}

impl Typed {
    pub fn new(ty: Type, node: Node, span: Span) -> Self {
        Self { ty, node, span }
    }

    /// A constant, for trees made by the program.
    pub fn literal(ty: Type, value: Value) -> Self {
        Self { ty, node: Node::Literal(value), span: 0..0 }
    }

    /// The condition that always holds.
    pub fn always() -> Self {
        Self::literal(Type::Bool, Value::Bool(true))
    }

    /// The direct parts, in order.
    pub fn children(&self) -> Vec<&Typed> {
        match &self.node {
            Node::Literal(_) | Node::Path(_) | Node::Me | Node::Mine(_) | Node::Now | Node::Today | Node::Changed(_) => Vec::new(),
            Node::And(items) | Node::Or(items) | Node::Coalesce(items) => items.iter().collect(),
            Node::Not(inner) | Node::IsNull(inner) | Node::Negate(inner) | Node::Rescale(inner) | Node::Shared { item: inner, .. } => {
                vec![inner]
            }
            Node::Compare { left, right, .. } | Node::Arithmetic { left, right, .. } => vec![left, right],
            Node::In { item, list } => std::iter::once(&**item).chain(list).collect(),
            Node::Match { item, pattern, .. } => vec![item, pattern],
            Node::Has { keys, .. } => keys.iter().collect(),
            Node::Case { arms, otherwise } => arms.iter().flat_map(|(when, then)| [when, then]).chain([&**otherwise]).collect(),
            Node::Call { args, .. } => args.iter().collect(),
            Node::Quantifier { filter, .. } => filter.iter().map(|filter| &**filter).collect(),
            Node::Aggregate { filter, value, .. } => filter.iter().chain(value).map(|part| &**part).collect(),
        }
    }

    /// Reads nothing of any record: its value can be computed once and bound.
    pub fn is_constant(&self) -> bool {
        let reads =
            matches!(self.node, Node::Path(_) | Node::Changed(_) | Node::Has { .. } | Node::Quantifier { .. } | Node::Aggregate { .. });
        !reads && self.children().into_iter().all(Typed::is_constant)
    }

    /// All of `parts`; one part stands for itself, none holds always. Access predicates are joined with it.
    pub fn all_of(mut parts: Vec<Typed>) -> Self {
        match parts.len() {
            0 => Self::always(),
            1 => parts.remove(0),
            _ => Self { ty: Type::Bool, node: Node::And(parts), span: 0..0 },
        }
    }
}

/// What a checked expression does. Conditions are two-valued: they are true or false, never null.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Literal(Value),
    Path(Path),
    And(Vec<Typed>),
    Or(Vec<Typed>),
    Not(Box<Typed>),
    /// A comparison with null is false; [`CompareOp::Ne`] means "is distinct from".
    Compare {
        op: CompareOp,
        left: Box<Typed>,
        right: Box<Typed>,
    },
    /// `item` equals one of `list`. `not in` is `Not(In)`, `between` is a conjunction of two comparisons.
    In {
        item: Box<Typed>,
        list: Vec<Typed>,
    },
    /// Also "is empty" for sets.
    IsNull(Box<Typed>),
    /// Compares folded texts. `item` is a path; `pattern` is a constant, or a path (not for `Like`).
    Match {
        kind: MatchKind,
        item: Box<Typed>,
        pattern: Box<Typed>,
    },
    /// Membership of constant keys in a set field.
    Has {
        kind: HasKind,
        set: Path,
        keys: Vec<Typed>,
    },
    Arithmetic {
        op: ArithmeticOp,
        left: Box<Typed>,
        right: Box<Typed>,
    },
    Negate(Box<Typed>),
    /// The same number (or money) with the scale of this node's type, rounded half-even.
    Rescale(Box<Typed>),
    /// The first arm whose condition is true, else `otherwise` (null when not written).
    Case {
        arms: Vec<(Typed, Typed)>,
        otherwise: Box<Typed>,
    },
    Coalesce(Vec<Typed>),
    Call {
        function: Function,
        args: Vec<Typed>,
    },
    /// `exists(… where …)`, `none(…)`, `all(…)`.
    Quantifier {
        kind: QuantifierKind,
        over: Over,
        filter: Option<Box<Typed>>,
    },
    /// `count(…)`, `sum(…)` and the like over the rows of a to-many field.
    Aggregate {
        kind: AggregateKind,
        over: Over,
        filter: Option<Box<Typed>>,
        value: Option<Box<Typed>>,
    },
    /// The user on whose behalf this runs; null for the system.
    Me,
    /// The teams or the people of the asker, in the list of an [`Node::In`]. Only access rules say it, and `access` puts the
    /// ids in its place before anything evaluates it; where it still stands, it is nothing.
    Mine(Mine),
    /// The record whose id `item` is was shared, and the share has not ended. Only access rules say it, and `access` puts in
    /// whom it was shared `with`; evaluated in memory it does not hold.
    Shared {
        item: Box<Typed>,
        /// Shared for editing; else also for reading alone.
        may_edit: bool,
        /// Who it may be shared with: a person, their teams and those above, their roles, as the table of shares names them.
        with: Vec<String>,
    },
    Now,
    /// The day of `now()` in the time zone of the context.
    Today,
    /// The field's value differs from the one of `old`; true when there is no `old`.
    Changed(Path),
}

/// What belongs to the one on whose behalf something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mine {
    /// `my_teams()`: the teams they are in or lead, and all teams below those.
    Teams,
    /// `my_reports()`: they themselves and everyone who reports to them, directly or over others.
    Reports,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchKind {
    Contains,
    StartsWith,
    EndsWith,
    /// `%` stands for any text, `_` for one character, `\` takes the next one literally.
    Like,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HasKind {
    Any,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ArithmeticOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QuantifierKind {
    Exists,
    None,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregateKind {
    Count,
    /// Zero over no rows; null for money over no rows, since no currency is known.
    Sum,
    Min,
    Max,
    Avg,
}

/// Functions of values; the table of names and signatures is in `expr::function`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    Upper,
    Lower,
    Trim,
    Length,
    Substring,
    Left,
    Right,
    Replace,
    PadLeft,
    PadRight,
    Concat,
    Text,
    Abs,
    Round,
    Floor,
    Ceil,
    Least,
    Greatest,
    Date,
    Year,
    Quarter,
    Month,
    Day,
    Weekday,
    Hour,
    Minute,
    DaysBetween,
    HoursBetween,
    AddMonths,
    AddYears,
    StartOfWeek,
    StartOfMonth,
    StartOfQuarter,
    StartOfYear,
    EndOfWeek,
    EndOfMonth,
    EndOfQuarter,
    EndOfYear,
    Days,
    Hours,
    Minutes,
    Seconds,
    InSeconds,
    /// The amount of a money as a decimal.
    Amount,
}

/// A value of a record reached over links. Every hop is to-one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    pub root: Root,
    pub hops: Vec<Hop>,
    /// A field of the entity the last hop leads to (of the root's entity without hops).
    pub field: FieldIx,
    /// Part of a composite value: `base`, `currency`, `amount`, `city`, …
    pub part: Option<&'static str>,
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    /// The record the expression is about.
    Record,
    /// The record as it was before the change.
    Old,
    /// A row of an enclosing quantifier or aggregate, counted from the outside: 0 is the outermost.
    Row(u8),
}

/// One step over a link field to the record it points to. A missing or deleted record makes the whole path null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hop {
    pub field: FieldIx,
    pub to: EntityIx,
}

/// The rows a quantifier or aggregate runs over: the live records of a to-many field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Over {
    pub root: Root,
    /// To-one hops to the record that owns the to-many field.
    pub hops: Vec<Hop>,
    /// The `children`, `links` field (of the entity the last hop leads to).
    pub field: FieldIx,
    pub rows: Rows,
}

/// What the rows of an [`Over`] are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rows {
    /// Records of `of` whose link `by` points to the owner. The row is the child.
    Children { of: EntityIx, by: FieldIx },
    /// Records of the junction `through`; `near` points to the owner, `far` to a record of `to` which must be live too.
    /// The row is the junction's record: a far field is reached over a hop through `far`.
    Links { through: EntityIx, near: FieldIx, far: FieldIx, to: EntityIx },
}

impl Rows {
    /// The entity of the rows.
    pub fn entity(&self) -> EntityIx {
        match self {
            Rows::Children { of, .. } => *of,
            Rows::Links { through, .. } => *through,
        }
    }
}
