//! From the JSON body of `POST …/aggregate` to a checked request.
//!
//! ```json
//! {"filter": "stage != 'lost'",
//!  "group": ["stage", {"by": "close_on", "bucket": "month", "zone": "Asia/Shanghai", "as": "month"}],
//!  "measures": {"deals": "count()", "total": "sum(amount.base)"},
//!  "having": "total >= 1000 and deals > 2", "sort": "-total,stage", "limit": 20}
//! ```
//! Groups are texts or objects; measures an object of name and text, or an array of texts and of `{fn, of, as}`.

use serde_json::{Map, Value as Json};

use crate::base::{Decimal, EntityIx};
use crate::expr::{Expected, Function as ExprFunction, Node, Path, Type, Typed, Zone};
use crate::schema::catalog::{Catalog, FieldType, MoneyCurrency};

use super::aggregate::{AggregateRequest, Bucket, Compare, Function, Group, GroupBy, Having, Measure, OutputRef};
use super::error::{Kind, Place, QueryError};
use super::parse::{Raw, check_expression, check_raw_filter, deleted_of, number, search_of, shortened, unknown_name};
use super::request::Deleted;
use super::{MAX_GROUP_ROWS, MAX_GROUPS, MAX_MEASURES};

const NAMES: [&str; 8] = ["filter", "group", "measures", "having", "sort", "limit", "q", "deleted"];
const FUNCTIONS: [(&str, Function); 6] = [
    ("count", Function::Count),
    ("count_distinct", Function::CountDistinct),
    ("sum", Function::Sum),
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
];

/// Reads `filter`, `group`, `measures`, `having`, `sort`, `limit`, `q` and `deleted`.
///
/// # Errors
/// All faults at once, placed by JSON pointer.
pub fn parse_aggregate_json(catalog: &Catalog, entity: EntityIx, body: &Json) -> Result<AggregateRequest, Vec<QueryError>> {
    let Some(body) = body.as_object() else {
        return Err(vec![QueryError::new(Kind::BadShape { expected: "an object" }, Place::new(""))]);
    };
    let mut parser = Parser { catalog, entity, faults: Vec::new() };
    for name in body.keys().filter(|name| !NAMES.contains(&name.as_str())) {
        parser.faults.push(unknown_name(name, Place::new(format!("/{name}")), &NAMES));
    }
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let filter = given("filter").and_then(|value| check_raw_filter(catalog, entity, &Raw::of(value), "/filter", &mut parser.faults));
    let group = given("group").map(|value| parser.groups(value)).unwrap_or_default();
    let measures = given("measures").map(|value| parser.measures(value)).unwrap_or_default();
    if parser.faults.is_empty() && group.is_empty() && measures.is_empty() {
        parser.faults.push(QueryError::new(Kind::NothingAsked, Place::new("")));
    }
    parser.check_names(&group, &measures);
    let having = given("having").map(|value| parser.having(value, &measures)).unwrap_or_default();
    let sort = given("sort").map(|value| parser.sort(value, &group, &measures)).unwrap_or_default();
    let limit = given("limit").and_then(|value| parser.limit(value)).unwrap_or(MAX_GROUP_ROWS.min(1_000));
    let search = given("q").and_then(|value| parser.text(value, "/q")).and_then(|text| search_of(text, "/q", &mut parser.faults));
    let deleted = given("deleted").and_then(|value| parser.text(value, "/deleted"));
    let deleted = deleted.map_or(Deleted::Live, |text| deleted_of(catalog, entity, text, "/deleted", &mut parser.faults));
    if !parser.faults.is_empty() {
        return Err(parser.faults);
    }
    Ok(AggregateRequest { entity, filter, group, measures, having, sort, limit, search, deleted })
}

struct Parser<'a> {
    catalog: &'a Catalog,
    entity: EntityIx,
    faults: Vec<QueryError>,
}

impl Parser<'_> {
    fn groups(&mut self, value: &Json) -> Vec<Group> {
        let single = [value.clone()];
        let items = value.as_array().map_or(&single[..], Vec::as_slice);
        if items.len() > MAX_GROUPS {
            self.fault(Kind::TooMany { what: "groups", limit: MAX_GROUPS }, "/group");
            return Vec::new();
        }
        let found = items.iter().enumerate().filter_map(|(position, item)| {
            let at = if value.is_array() { format!("/group/{position}") } else { "/group".to_owned() };
            match item {
                Json::String(text) => self.group(text, &at, None, None, None),
                Json::Object(parts) => self.group_object(parts, &at),
                _ => {
                    self.fault(Kind::BadShape { expected: "a text or an object" }, at);
                    None
                }
            }
        });
        found.collect()
    }

    fn group_object(&mut self, parts: &Map<String, Json>, at: &str) -> Option<Group> {
        let known = ["by", "bucket", "zone", "as"];
        for name in parts.keys().filter(|name| !known.contains(&name.as_str())) {
            self.faults.push(unknown_name(name, Place::new(format!("{at}/{name}")), &known));
        }
        let by = self.part(parts, "by", at)?;
        let Some(by) = by else {
            self.fault(Kind::BadShape { expected: "an object with `by`" }, at);
            return None;
        };
        let bucket = self.part(parts, "bucket", at)?;
        let zone = self.part(parts, "zone", at)?;
        let name = self.part(parts, "as", at)?;
        self.group(by, &format!("{at}/by"), bucket, zone, name)
    }

    /// A text of an object; `None` after a fault.
    fn part<'v>(&mut self, parts: &'v Map<String, Json>, name: &str, at: &str) -> Option<Option<&'v str>> {
        match parts.get(name) {
            None | Some(Json::Null) => Some(None),
            Some(Json::String(text)) => Some(Some(text)),
            Some(_) => {
                self.fault(Kind::BadShape { expected: "a text" }, format!("{at}/{name}"));
                None
            }
        }
    }

    fn group(&mut self, by: &str, at: &str, bucket: Option<&str>, zone: Option<&str>, name: Option<&str>) -> Option<Group> {
        let of = self.expression(by, at, 0)?;
        let beside = |name: &str| at.strip_suffix("/by").map_or_else(|| at.to_owned(), |object| format!("{object}/{name}"));
        let by_value = match bucket {
            None => {
                if !is_groupable(&of.ty) {
                    self.fault(Kind::CannotMeasure { function: "group", found: of.ty.name().to_owned() }, at);
                    return None;
                }
                GroupBy::Value(of)
            }
            Some(word) => {
                let Some(bucket) = bucket_of(word) else {
                    let expected = "`day`, `week`, `month`, `quarter` or `year`".to_owned();
                    self.fault(Kind::BadValue { value: shortened(word), expected }, beside("bucket"));
                    return None;
                };
                let zone = match zone.map(|name| (name, Zone::named(name))) {
                    None => None,
                    Some((_, Some(zone))) => Some(zone),
                    Some((name, None)) => {
                        self.fault(Kind::UnknownZone { name: shortened(name) }, beside("zone"));
                        return None;
                    }
                };
                let Some(first_day) = first_day(of.clone(), bucket) else {
                    self.fault(Kind::NotAPeriod { found: of.ty.name().to_owned() }, at);
                    return None;
                };
                GroupBy::Period { first_day, bucket, zone }
            }
        };
        let name = name.map_or_else(|| by.trim().to_owned(), str::to_owned);
        Some(Group { name, by: by_value })
    }

    fn measures(&mut self, value: &Json) -> Vec<Measure> {
        let count = value.as_array().map(Vec::len).or_else(|| value.as_object().map(Map::len)).unwrap_or(1);
        if count > MAX_MEASURES {
            self.fault(Kind::TooMany { what: "measures", limit: MAX_MEASURES }, "/measures");
            return Vec::new();
        }
        match value {
            Json::String(text) => self.measure(text, "/measures", None).into_iter().collect(),
            Json::Array(items) => {
                let found = items.iter().enumerate().filter_map(|(position, item)| {
                    let at = format!("/measures/{position}");
                    match item {
                        Json::String(text) => self.measure(text, &at, None),
                        Json::Object(parts) => self.measure_object(parts, &at),
                        _ => {
                            self.fault(Kind::BadShape { expected: "a text or an object" }, at);
                            None
                        }
                    }
                });
                found.collect()
            }
            Json::Object(named) => {
                let found = named.iter().filter_map(|(name, item)| {
                    let at = format!("/measures/{name}");
                    match item {
                        Json::String(text) => self.measure(text, &at, Some(name)),
                        _ => {
                            self.fault(Kind::BadShape { expected: "a text such as `sum(amount)`" }, at);
                            None
                        }
                    }
                });
                found.collect()
            }
            _ => {
                self.fault(Kind::BadShape { expected: "an object or an array" }, "/measures");
                Vec::new()
            }
        }
    }

    /// `sum(amount.base)`.
    fn measure(&mut self, text: &str, at: &str, name: Option<&str>) -> Option<Measure> {
        let trimmed = text.trim();
        let split = trimmed.find('(').filter(|_| trimmed.ends_with(')'));
        let Some(open) = split else {
            self.fault(Kind::Syntax { found: shortened(trimmed), expected: "a measure such as `sum(amount)`" }, at);
            return None;
        };
        let offset = text.len() - text.trim_start().len() + open + 1;
        let inner = &trimmed[open + 1..trimmed.len() - 1];
        let name = name.map_or_else(|| trimmed.to_owned(), str::to_owned);
        self.make_measure(trimmed[..open].trim(), Some(inner), offset, at, at, name)
    }

    fn measure_object(&mut self, parts: &Map<String, Json>, at: &str) -> Option<Measure> {
        let known = ["fn", "of", "as"];
        for name in parts.keys().filter(|name| !known.contains(&name.as_str())) {
            self.faults.push(unknown_name(name, Place::new(format!("{at}/{name}")), &known));
        }
        let function = self.part(parts, "fn", at)?;
        let of = self.part(parts, "of", at)?;
        let name = self.part(parts, "as", at)?;
        let Some(function) = function else {
            self.fault(Kind::BadShape { expected: "an object with `fn`" }, at);
            return None;
        };
        let name = name.map_or_else(|| format!("{function}({})", of.unwrap_or_default()), str::to_owned);
        self.make_measure(function, of, 0, &format!("{at}/fn"), &format!("{at}/of"), name)
    }

    fn make_measure(
        &mut self,
        function: &str,
        of: Option<&str>,
        offset: usize,
        function_at: &str,
        of_at: &str,
        name: String,
    ) -> Option<Measure> {
        let Some((word, kind)) = FUNCTIONS.iter().find(|(word, _)| *word == function).copied() else {
            let fault = QueryError::new(Kind::UnknownFunction { name: shortened(function) }, Place::new(function_at));
            self.faults.push(fault.near(function, FUNCTIONS.iter().map(|(word, _)| *word)));
            return None;
        };
        let of = match of.map(str::trim).filter(|text| !text.is_empty()) {
            None if kind == Function::Count => None,
            None => {
                self.fault(Kind::CannotMeasure { function: word, found: "nothing".to_owned() }, of_at);
                return None;
            }
            Some(text) => Some(amount_of(self.catalog, self.entity, self.expression(text, of_at, offset)?)),
        };
        let fits = of.as_ref().is_none_or(|of| can_measure(kind, of));
        if !fits {
            let found = of.map(|of| of.ty.name().to_owned()).unwrap_or_default();
            self.fault(Kind::CannotMeasure { function: word, found }, of_at);
            return None;
        }
        Some(Measure { name, function: kind, of })
    }

    fn check_names(&mut self, group: &[Group], measures: &[Measure]) {
        let names: Vec<&str> =
            group.iter().map(|group| group.name.as_str()).chain(measures.iter().map(|measure| measure.name.as_str())).collect();
        for (position, name) in names.iter().enumerate() {
            if names[..position].contains(name) {
                let at = if position < group.len() { "/group" } else { "/measures" };
                self.fault(Kind::RepeatedOutput { name: (*name).to_owned() }, at);
            }
        }
    }

    /// `total >= 1000 and deals > 2`, or an array of such comparisons.
    fn having(&mut self, value: &Json, measures: &[Measure]) -> Vec<Having> {
        let mut found = Vec::new();
        for (at, text) in self.listed(value, "/having") {
            let mut offset = 0;
            for part in text.split(" and ") {
                let place = Place::byte(&at, offset + part.len() - part.trim_start().len());
                match having(part.trim(), measures, place) {
                    Ok(having) => found.push(having),
                    Err(fault) => self.faults.push(fault),
                }
                offset += part.len() + " and ".len();
            }
        }
        found
    }

    fn sort(&mut self, value: &Json, group: &[Group], measures: &[Measure]) -> Vec<(OutputRef, bool)> {
        let mut found = Vec::new();
        for (at, text) in self.listed(value, "/sort") {
            // A measure without a name of its own has commas in no place, so that a comma always ends a key.
            for part in text.split(',') {
                let (name, descending) = part.trim().strip_prefix('-').map_or((part.trim(), false), |name| (name, true));
                match output(name, group, measures) {
                    Some(output) => found.push((output, descending)),
                    None => self.unknown_output(name, &at, group, measures),
                }
            }
        }
        found
    }

    fn unknown_output(&mut self, name: &str, at: &str, group: &[Group], measures: &[Measure]) {
        let known = group.iter().map(|group| group.name.as_str()).chain(measures.iter().map(|measure| measure.name.as_str()));
        self.faults.push(QueryError::new(Kind::UnknownOutput { name: shortened(name) }, Place::new(at)).near(name, known));
    }

    fn limit(&mut self, value: &Json) -> Option<u32> {
        match Raw::of(value) {
            Raw::Text(text) => number(&text, 1..=MAX_GROUP_ROWS, "/limit", &mut self.faults),
            Raw::Tree(_) => {
                self.fault(Kind::BadShape { expected: "a number" }, "/limit");
                None
            }
        }
    }

    fn text<'v>(&mut self, value: &'v Json, at: &str) -> Option<&'v str> {
        if value.as_str().is_none() {
            self.fault(Kind::BadShape { expected: "a text" }, at);
        }
        value.as_str()
    }

    /// A text, or the texts of an array, each with its place.
    fn listed<'v>(&mut self, value: &'v Json, at: &str) -> Vec<(String, &'v str)> {
        match value {
            Json::String(text) => vec![(at.to_owned(), text)],
            Json::Array(items) => {
                let each = items.iter().enumerate().filter_map(|(position, item)| {
                    let at = format!("{at}/{position}");
                    self.text(item, &at).map(|text| (at, text))
                });
                each.collect()
            }
            _ => {
                self.fault(Kind::BadShape { expected: "a text or an array of texts" }, at);
                Vec::new()
            }
        }
    }

    fn expression(&mut self, text: &str, at: &str, offset: usize) -> Option<Typed> {
        check_expression(self.catalog, self.entity, text, &Expected::Any, at, offset)
            .map_err(|mut found| self.faults.append(&mut found))
            .ok()
    }

    fn fault(&mut self, kind: Kind, at: impl Into<String>) {
        self.faults.push(QueryError::new(kind, Place::new(at)));
    }
}

fn bucket_of(word: &str) -> Option<Bucket> {
    Some(match word {
        "day" => Bucket::Day,
        "week" => Bucket::Week,
        "month" => Bucket::Month,
        "quarter" => Bucket::Quarter,
        "year" => Bucket::Year,
        _ => return None,
    })
}

/// The first day of the period a date or date-time falls in.
fn first_day(of: Typed, bucket: Bucket) -> Option<Typed> {
    let date = match of.ty {
        Type::Date => of,
        Type::DateTime => call(ExprFunction::Date, of),
        _ => return None,
    };
    Some(match bucket {
        Bucket::Day => date,
        Bucket::Week => call(ExprFunction::StartOfWeek, date),
        Bucket::Month => call(ExprFunction::StartOfMonth, date),
        Bucket::Quarter => call(ExprFunction::StartOfQuarter, date),
        Bucket::Year => call(ExprFunction::StartOfYear, date),
    })
}

fn call(function: ExprFunction, of: Typed) -> Typed {
    let span = of.span.clone();
    Typed::new(Type::Date, Node::Call { function, args: vec![of] }, span)
}

fn is_groupable(ty: &Type) -> bool {
    !matches!(ty, Type::Null | Type::Money(_) | Type::Set | Type::Json | Type::Sealed(..) | Type::Secret)
        && !matches!(ty, Type::Link(targets) if targets.len() != 1)
}

/// Money is measured by its amount where the currency is fixed, else by its amount in the workspace's currency.
fn amount_of(catalog: &Catalog, entity: EntityIx, of: Typed) -> Typed {
    let (Type::Money(scale), Node::Path(path)) = (&of.ty, &of.node) else { return of };
    let owner = path.hops.last().map_or(entity, |hop| hop.to);
    let field = catalog.entity(owner).field(path.field);
    let is_fixed = matches!(field.ty, FieldType::Money { currency: MoneyCurrency::Fixed(_), .. });
    let path = Path { part: Some(if is_fixed { "amount" } else { "base" }), ..path.clone() };
    Typed::new(Type::Decimal(*scale), Node::Path(path), of.span.clone())
}

fn can_measure(function: Function, of: &Typed) -> bool {
    match function {
        Function::Count => !matches!(of.ty, Type::Null | Type::Money(_) | Type::Set | Type::Json | Type::Sealed(..) | Type::Secret),
        Function::CountDistinct => is_groupable(&of.ty),
        Function::Sum | Function::Avg => {
            matches!(of.ty, Type::Int | Type::Decimal(_) | Type::Duration)
        }
        Function::Min | Function::Max => {
            matches!(of.ty, Type::Int | Type::Decimal(_) | Type::Duration | Type::Text | Type::Date | Type::DateTime | Type::Time)
        }
    }
}

fn output(name: &str, group: &[Group], measures: &[Measure]) -> Option<OutputRef> {
    let in_groups = group.iter().position(|group| group.name == name).map(OutputRef::Group);
    in_groups.or_else(|| measures.iter().position(|measure| measure.name == name).map(OutputRef::Measure))
}

fn having(text: &str, measures: &[Measure], place: Place) -> Result<Having, QueryError> {
    const OPERATORS: [(&str, Compare); 8] = [
        (">=", Compare::Ge),
        ("<=", Compare::Le),
        ("!=", Compare::Ne),
        ("<>", Compare::Ne),
        ("==", Compare::Eq),
        (">", Compare::Gt),
        ("<", Compare::Lt),
        ("=", Compare::Eq),
    ];
    let found = OPERATORS.iter().filter_map(|(word, compare)| text.find(word).map(|at| (at, *word, *compare)));
    let Some((at, word, compare)) = found.min_by_key(|(at, word, _)| (*at, std::cmp::Reverse(word.len()))) else {
        return Err(QueryError::new(Kind::Syntax { found: shortened(text), expected: "a comparison such as `total >= 100`" }, place));
    };
    let name = text[..at].trim();
    let Some(measure) = measures.iter().position(|measure| measure.name == name) else {
        let known = measures.iter().map(|measure| measure.name.as_str());
        return Err(QueryError::new(Kind::UnknownOutput { name: shortened(name) }, place).near(name, known));
    };
    let number = text[at + word.len()..].trim();
    let value = Decimal::parse_any(number)
        .map_err(|_| QueryError::new(Kind::BadValue { value: shortened(number), expected: "a number".to_owned() }, place.clone()))?;
    let is_number = measures[measure].is_number();
    if !is_number {
        return Err(QueryError::new(Kind::CannotMeasure { function: "having", found: "a measure that is no number".to_owned() }, place));
    }
    Ok(Having { measure, compare, value })
}
