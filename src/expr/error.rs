//! What can be wrong with an expression.

use crate::base::Explain;

use super::tree::Span;

/// A fault with its place in the source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    pub kind: ExprErrorKind,
    /// Bytes of the source text.
    pub span: Span,
}

/// The fault itself. Names and limits are data; the text is made by `Display` and [`Explain`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprErrorKind {
    #[error("{found} is not expected here")]
    Unexpected { found: String, wanted: &'static str },
    #[error("the text that begins here is not closed")]
    UnclosedText,
    #[error("`{0}` is not a number")]
    BadNumber(String),
    #[error("the expression is too {what}: {limit} is the limit")]
    Limit { what: &'static str, limit: usize },
    #[error("`{entity}` has no field `{field}`")]
    UnknownField { entity: String, field: String, near: Option<String>, record_has: bool },
    #[error("`{field}` has no part `{part}`")]
    UnknownPart { field: String, part: String, parts: Vec<&'static str>, near: Option<String> },
    #[error("there is no function `{name}`")]
    UnknownFunction { name: String, near: Option<String> },
    #[error("`{name}` takes {wanted}, {given} given")]
    Arguments { name: String, wanted: String, given: usize },
    #[error("{wanted} is expected here, this is {found}")]
    Mismatch { wanted: String, found: String, hint: Option<String> },
    #[error("{left} and {right} cannot be {verb}")]
    Incompatible { left: String, right: String, verb: &'static str, hint: Option<String> },
    #[error("`{field}` has no option `{key}`")]
    UnknownOption { field: String, key: String, near: Option<String>, options: Vec<String> },
    #[error("`{0}` holds many records")]
    ToMany(String),
    #[error("`{0}` does not hold many records")]
    NotToMany(String),
    #[error("`{0}` is not a link")]
    NotALink(String),
    #[error("`{0}` can point to several kinds of record")]
    AmbiguousLink(String),
    #[error("a comparison with null is never true")]
    CompareNull,
    #[error("this text cannot be searched without regard to case")]
    NotFoldable,
    #[error("a constant is expected here")]
    NotConstant,
    #[error("there is no `old` record here")]
    NoOld,
    #[error("`{field}` is used by its parts")]
    Unusable { field: String, parts: Vec<&'static str> },
    #[error("`{text}` is no {what}")]
    BadLiteral { text: String, what: &'static str },
    #[error("`{id}` is the id of another kind of record")]
    WrongId { id: String, wanted: String },
    #[error("this form of a filter is not known: {0}")]
    BadJson(String),
}

impl ExprError {
    pub fn new(kind: ExprErrorKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// The name that was probably meant.
    pub fn near(&self) -> Option<&str> {
        match &self.kind {
            ExprErrorKind::UnknownField { near, .. }
            | ExprErrorKind::UnknownPart { near, .. }
            | ExprErrorKind::UnknownFunction { near, .. }
            | ExprErrorKind::UnknownOption { near, .. } => near.as_deref(),
            _ => None,
        }
    }
}

impl std::fmt::Display for ExprError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for ExprError {}

impl Explain for ExprError {
    fn code(&self) -> &'static str {
        match &self.kind {
            ExprErrorKind::Unexpected { .. } => "EXP001",
            ExprErrorKind::UnclosedText => "EXP002",
            ExprErrorKind::BadNumber(_) => "EXP003",
            ExprErrorKind::Limit { .. } => "EXP004",
            ExprErrorKind::UnknownField { .. } => "EXP101",
            ExprErrorKind::UnknownPart { .. } => "EXP102",
            ExprErrorKind::UnknownFunction { .. } => "EXP103",
            ExprErrorKind::Arguments { .. } => "EXP104",
            ExprErrorKind::Mismatch { .. } => "EXP105",
            ExprErrorKind::Incompatible { .. } => "EXP106",
            ExprErrorKind::UnknownOption { .. } => "EXP107",
            ExprErrorKind::ToMany(_) => "EXP108",
            ExprErrorKind::NotToMany(_) => "EXP109",
            ExprErrorKind::NotALink(_) => "EXP110",
            ExprErrorKind::AmbiguousLink(_) => "EXP111",
            ExprErrorKind::CompareNull => "EXP112",
            ExprErrorKind::NotFoldable => "EXP113",
            ExprErrorKind::NotConstant => "EXP114",
            ExprErrorKind::NoOld => "EXP115",
            ExprErrorKind::Unusable { .. } => "EXP116",
            ExprErrorKind::BadLiteral { .. } => "EXP117",
            ExprErrorKind::WrongId { .. } => "EXP118",
            ExprErrorKind::BadJson(_) => "EXP119",
        }
    }

    fn hint(&self) -> Option<String> {
        if let Some(near) = self.near() {
            return Some(format!("did you mean `{near}`?"));
        }
        match &self.kind {
            ExprErrorKind::Unexpected { wanted, .. } => Some(format!("expected {wanted}")),
            ExprErrorKind::UnclosedText => Some("close it with the same quote; write a quote inside a text twice".to_owned()),
            ExprErrorKind::BadNumber(_) => Some("a number has at most nine decimal places and fits 64 bits".to_owned()),
            ExprErrorKind::Limit { .. } => Some("split it, or move a part of it into a formula field".to_owned()),
            ExprErrorKind::UnknownField { record_has: true, field, .. } => {
                Some(format!("write `record.{field}` for the field of the outer record"))
            }
            ExprErrorKind::UnknownPart { parts, .. } | ExprErrorKind::Unusable { parts, .. } => Some(format!("parts: {}", parts.join(", "))),
            ExprErrorKind::UnknownOption { options, .. } => {
                Some(format!("options: {}", options.iter().take(12).cloned().collect::<Vec<_>>().join(", ")))
            }
            ExprErrorKind::Mismatch { hint, .. } | ExprErrorKind::Incompatible { hint, .. } => hint.clone(),
            ExprErrorKind::ToMany(name) => Some(format!("say which: `exists({name} where …)`, `none(…)`, `all(…)`, `count({name})`")),
            ExprErrorKind::NotToMany(_) => Some("`exists`, `count` and the like need a children or links field".to_owned()),
            ExprErrorKind::CompareNull => Some("write `is null` or `is not null`".to_owned()),
            ExprErrorKind::NotFoldable => {
                Some("`contains`, `starts_with`, `ends_with` and `like` need a text field on the left and a constant or a text field on the right".to_owned())
            }
            ExprErrorKind::NoOld => Some("`old` and `changed()` exist in rules, conditions of scripts and field conditions".to_owned()),
            ExprErrorKind::WrongId { wanted, .. } => Some(format!("give the id of a `{wanted}`")),
            _ => None,
        }
    }

    fn details(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "start": self.span.start, "end": self.span.end, "near": self.near() }))
    }
}
