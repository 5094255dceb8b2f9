//! What can be wrong with a request.

use std::fmt;

use crate::base::Explain;

/// Where in a request something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// A parameter (`filter`) or a JSON pointer (`/measures/0/of`).
    pub at: String,
    /// Byte position within that text, when it is a text.
    pub offset: Option<usize>,
}

impl Place {
    pub fn new(at: impl Into<String>) -> Self {
        Self { at: at.into(), offset: None }
    }

    pub fn byte(at: impl Into<String>, offset: usize) -> Self {
        Self { at: at.into(), offset: Some(offset) }
    }
}

/// One fault of a request. `code()` is stable and documented in `docs/errors.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    pub kind: Kind,
    pub place: Place,
    /// The nearest known name.
    pub near: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    UnknownParameter {
        name: String,
    },
    RepeatedParameter {
        name: String,
    },
    /// A value that is none of the words or numbers allowed here.
    BadValue {
        value: String,
        expected: String,
    },
    TooLong {
        bytes: usize,
        limit: usize,
    },
    UnknownField {
        entity: String,
        name: String,
    },
    /// The text ends or goes on where something else is expected.
    Syntax {
        found: String,
        expected: &'static str,
    },
    /// Parentheses after a field that leads nowhere.
    NotARelation {
        name: String,
    },
    /// A children field without parentheses.
    NeedsSelection {
        name: String,
    },
    TooDeep {
        limit: usize,
    },
    TooManyExpansions {
        limit: usize,
    },
    TooMany {
        what: &'static str,
        limit: usize,
    },
    RepeatedField {
        name: String,
    },
    /// The limits of a page and of its expansions multiply to more rows than one answer holds.
    TooManyRows {
        rows: u64,
        limit: u64,
    },
    CannotSort {
        name: String,
        why: &'static str,
    },
    UnknownLanguage {
        tag: String,
    },
    /// A cursor that is not one of ours, or was changed.
    BadCursor,
    /// A cursor of another filter, sort or catalog version.
    ForeignCursor,
    PageTooFar {
        limit: u32,
    },
    Conflict {
        first: &'static str,
        second: &'static str,
    },
    NoRecycleBin {
        entity: String,
    },
    NothingToSearch,
    /// A fault inside an expression, with its own code.
    Expression {
        code: &'static str,
        message: String,
        hint: Option<String>,
    },
    NotBoolean,
    UnknownFunction {
        name: String,
    },
    /// `sum` of a text and the like.
    CannotMeasure {
        function: &'static str,
        found: String,
    },
    NotAPeriod {
        found: String,
    },
    UnknownZone {
        name: String,
    },
    UnknownOutput {
        name: String,
    },
    RepeatedOutput {
        name: String,
    },
    NothingAsked,
    BadShape {
        expected: &'static str,
    },
    UnknownEntity {
        name: String,
    },
    BadId {
        text: String,
        expected: String,
    },
}

impl QueryError {
    pub fn new(kind: Kind, place: Place) -> Self {
        Self { kind, place, near: None }
    }

    /// With the nearest of `known` as "did you mean".
    pub fn near<'a>(mut self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.near = nearest(wrong, known).map(str::to_owned);
        self
    }
}

/// The known name most like `wrong`, if one is like it at all: a slip of a letter or two, or the same beginning.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &str| {
        let slips = strsim::osa_distance(wrong, name);
        let allowed = if wrong.chars().count() <= 4 { 1 } else { 2 };
        let by_slips = if slips <= allowed { 1.0 - 0.05 * f64::from(u32::try_from(slips).unwrap_or(1)) } else { 0.0 };
        strsim::jaro_winkler(wrong, name).max(by_slips)
    };
    let best = known.into_iter().map(|name| (likeness(name), name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.78).map(|(_, name)| name)
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::UnknownParameter { name } => write!(f, "unknown parameter `{name}`"),
            Kind::RepeatedParameter { name } => write!(f, "parameter `{name}` is given twice"),
            Kind::BadValue { value, expected } => write!(f, "`{value}` is not {expected}"),
            Kind::TooLong { bytes, limit } => write!(f, "the text has {bytes} bytes, {limit} are allowed"),
            Kind::UnknownField { entity, name } => write!(f, "`{entity}` has no field `{name}`"),
            Kind::Syntax { found, expected } if found.is_empty() => write!(f, "the text ends where {expected} is expected"),
            Kind::Syntax { found, expected } => write!(f, "found `{found}` where {expected} is expected"),
            Kind::NotARelation { name } => write!(f, "`{name}` leads to no other record"),
            Kind::NeedsSelection { name } => write!(f, "`{name}` needs a selection of its fields"),
            Kind::TooDeep { limit } => write!(f, "expansions nest deeper than {limit} levels"),
            Kind::TooManyExpansions { limit } => write!(f, "more than {limit} expansions"),
            Kind::TooMany { what, limit } => write!(f, "more than {limit} {what}"),
            Kind::TooManyRows { rows, limit } => write!(f, "the limits allow {rows} rows in one answer, {limit} are the most"),
            Kind::RepeatedField { name } => write!(f, "`{name}` is asked for twice"),
            Kind::CannotSort { name, why } => write!(f, "cannot sort by `{name}`: {why}"),
            Kind::UnknownLanguage { tag } => write!(f, "cannot sort by the language `{tag}`"),
            Kind::BadCursor => f.write_str("the cursor is not one this workspace gave"),
            Kind::ForeignCursor => f.write_str("the cursor belongs to another filter, sort or version of the definitions"),
            Kind::PageTooFar { limit } => write!(f, "`page` reaches only the first {limit} records"),
            Kind::Conflict { first, second } => write!(f, "`{first}` and `{second}` cannot be used together"),
            Kind::NoRecycleBin { entity } => write!(f, "`{entity}` keeps no deleted records"),
            Kind::NothingToSearch => f.write_str("the search text has no letter or digit"),
            Kind::Expression { message, .. } => f.write_str(message),
            Kind::NotBoolean => f.write_str("the filter is not a condition"),
            Kind::UnknownFunction { name } => write!(f, "unknown function `{name}`"),
            Kind::CannotMeasure { function, found } => write!(f, "`{function}` cannot be taken of {found}"),
            Kind::NotAPeriod { found } => write!(f, "periods are made of dates and date-times, this is {found}"),
            Kind::UnknownZone { name } => write!(f, "unknown time zone `{name}`"),
            Kind::UnknownOutput { name } => write!(f, "no group or measure is called `{name}`"),
            Kind::RepeatedOutput { name } => write!(f, "two groups or measures are called `{name}`"),
            Kind::NothingAsked => f.write_str("neither groups nor measures are asked for"),
            Kind::BadShape { expected } => write!(f, "{expected} is expected here"),
            Kind::UnknownEntity { name } => write!(f, "there is no entity `{name}`"),
            Kind::BadId { text, expected } => write!(f, "`{text}` is no id of {expected}"),
        }
    }
}

impl std::error::Error for QueryError {}

impl Explain for QueryError {
    fn code(&self) -> &'static str {
        match &self.kind {
            Kind::UnknownParameter { .. } => "QRY001",
            Kind::RepeatedParameter { .. } => "QRY002",
            Kind::BadValue { .. } => "QRY003",
            Kind::TooLong { .. } => "QRY004",
            Kind::BadShape { .. } => "QRY005",
            Kind::Conflict { .. } => "QRY006",
            Kind::UnknownEntity { .. } => "QRY007",
            Kind::BadId { .. } => "QRY008",
            Kind::UnknownField { .. } => "QRY010",
            Kind::Syntax { .. } => "QRY011",
            Kind::NotARelation { .. } => "QRY012",
            Kind::NeedsSelection { .. } => "QRY013",
            Kind::TooDeep { .. } => "QRY014",
            Kind::TooManyExpansions { .. } => "QRY015",
            Kind::TooMany { .. } => "QRY016",
            Kind::RepeatedField { .. } => "QRY017",
            Kind::TooManyRows { .. } => "QRY018",
            Kind::CannotSort { .. } => "QRY020",
            Kind::UnknownLanguage { .. } => "QRY021",
            Kind::BadCursor => "QRY030",
            Kind::ForeignCursor => "QRY031",
            Kind::PageTooFar { .. } => "QRY032",
            Kind::NoRecycleBin { .. } => "QRY040",
            Kind::NothingToSearch => "QRY041",
            Kind::Expression { code, .. } => code,
            Kind::NotBoolean => "QRY050",
            Kind::UnknownFunction { .. } => "QRY060",
            Kind::CannotMeasure { .. } => "QRY061",
            Kind::NotAPeriod { .. } => "QRY062",
            Kind::UnknownZone { .. } => "QRY063",
            Kind::UnknownOutput { .. } => "QRY064",
            Kind::RepeatedOutput { .. } => "QRY065",
            Kind::NothingAsked => "QRY066",
        }
    }

    fn hint(&self) -> Option<String> {
        if let Some(near) = &self.near {
            return Some(format!("did you mean `{near}`?"));
        }
        let hint = match &self.kind {
            Kind::UnknownParameter { .. } => "known are filter, select, sort, cursor, page, limit, count, q, deleted",
            Kind::NeedsSelection { .. } => "write the fields in parentheses after it, for example `lines(id,_title)`",
            Kind::TooManyRows { .. } => "lower `limit`, or the `;limit=` of the expansions",
            Kind::NotARelation { .. } => "leave the parentheses out",
            Kind::BadCursor | Kind::ForeignCursor => "start again without `cursor`",
            Kind::PageTooFar { .. } => "go on with `cursor`, which reaches any depth",
            Kind::UnknownLanguage { .. } => "leave the language out, or write `:fold` to sort without regard to case",
            Kind::NotBoolean => "compare it with something, for example `stage = 'won'`",
            Kind::UnknownFunction { .. } => "known are count, count_distinct, sum, avg, min, max",
            Kind::UnknownZone { .. } => "give an IANA name such as `Asia/Shanghai`",
            Kind::Expression { hint, .. } => return hint.clone(),
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn details(&self) -> Option<serde_json::Value> {
        let mut details = serde_json::Map::new();
        details.insert("at".into(), self.place.at.clone().into());
        if let Some(offset) = self.place.offset {
            details.insert("offset".into(), offset.into());
        }
        if let Some(near) = &self.near {
            details.insert("near".into(), near.clone().into());
        }
        Some(details.into())
    }
}
