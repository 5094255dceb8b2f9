//! From a URL's parameters or a JSON body to a checked list request.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::base::{EntityIx, Explain, RecordId};
use crate::expr::{self, Expected, ExprError, Typed};
use crate::schema::CatalogScope;
use crate::schema::catalog::Catalog;

use super::cursor::{Cursor, CursorFault, CursorKey};
use super::error::{Kind, Place, QueryError};
use super::params::Params;
use super::parse_select::parse_select;
use super::parse_sort::parse_sort;
use super::request::{Count, Deleted, GetRequest, ListRequest, Paging, SortKey};
use super::select::{Select, default_select};
use super::{DEFAULT_LIMIT, MAX_FILTER_BYTES, MAX_LIMIT, MAX_OFFSET, MAX_ROWS};

const LIST_NAMES: [&str; 9] = ["filter", "select", "sort", "cursor", "page", "limit", "count", "q", "deleted"];

/// Reads `filter`, `select`, `sort`, `cursor`, `page`, `limit`, `count`, `q` and `deleted` of a URL.
///
/// # Errors
/// All faults of all parameters at once.
pub fn parse_list(catalog: &Catalog, key: &CursorKey, entity: EntityIx, params: &Params) -> Result<ListRequest, Vec<QueryError>> {
    let mut faults = Vec::new();
    let mut input = Input::default();
    for (name, value) in take_params(params, &LIST_NAMES, &mut faults) {
        let part = (name.to_owned(), Raw::Text(value.to_owned()));
        match name {
            "filter" => input.filter = Some(part),
            "select" => input.select.push((name.to_owned(), value.to_owned())),
            "sort" => input.sort.push((name.to_owned(), value.to_owned())),
            _ => input.rest.push(part),
        }
    }
    input.check(catalog, key, entity, faults)
}

/// Reads the same names from the JSON body of `POST …/query`; `select` and `sort` may be texts or arrays of texts, and
/// `filter` may be the JSON form of an expression.
///
/// # Errors
/// All faults at once, placed by JSON pointer.
pub fn parse_list_json(catalog: &Catalog, key: &CursorKey, entity: EntityIx, body: &Json) -> Result<ListRequest, Vec<QueryError>> {
    let mut faults = Vec::new();
    let Some(body) = body.as_object() else {
        return Err(vec![QueryError::new(Kind::BadShape { expected: "an object" }, Place::new(""))]);
    };
    let mut input = Input::default();
    for (name, value) in body {
        let at = format!("/{name}");
        match (name.as_str(), value) {
            (_, Json::Null) if LIST_NAMES.contains(&name.as_str()) => {}
            ("filter", value) => input.filter = Some((at, Raw::of(value))),
            ("select", value) => texts(value, &at, &mut input.select, &mut faults),
            ("sort", value) => texts(value, &at, &mut input.sort, &mut faults),
            (known, value) if LIST_NAMES.contains(&known) => input.rest.push((at, Raw::of(value))),
            (unknown, _) => faults.push(unknown_name(unknown, Place::new(at.clone()), &LIST_NAMES)),
        }
    }
    input.check(catalog, key, entity, faults)
}

/// Reads `select` and `deleted` of the URL of one record.
///
/// # Errors
/// All faults of all parameters at once.
pub fn parse_get(catalog: &Catalog, entity: EntityIx, id: RecordId, params: &Params) -> Result<GetRequest, Vec<QueryError>> {
    let mut faults = Vec::new();
    let mut select = None;
    let mut deleted = Deleted::Live;
    for (name, value) in take_params(params, &["select", "deleted"], &mut faults) {
        match name {
            "select" => select = Some(parse_select(catalog, entity, value, name, &mut faults)),
            _ => deleted = deleted_of(catalog, entity, value, name, &mut faults),
        }
    }
    if let Some(select) = &select {
        check_rows(select, 1, "select", &mut faults);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let select = select.unwrap_or_else(|| default_select(catalog.entity(entity)));
    Ok(GetRequest { entity, id, select, deleted })
}

/// A value of a request before it is understood, with a number or a word already as text.
pub(super) enum Raw {
    Text(String),
    Tree(Json),
}

/// Where a parameter stands and its text.
type Named<'t> = (&'t str, &'t str);

impl Raw {
    pub(super) fn of(value: &Json) -> Self {
        match value {
            Json::String(text) => Raw::Text(text.clone()),
            Json::Number(number) => Raw::Text(number.to_string()),
            other => Raw::Tree(other.clone()),
        }
    }
}

/// The request's parts, each with its place.
#[derive(Default)]
struct Input {
    filter: Option<(String, Raw)>,
    select: Vec<(String, String)>,
    sort: Vec<(String, String)>,
    rest: Vec<(String, Raw)>,
}

impl Input {
    fn check(
        self,
        catalog: &Catalog,
        key: &CursorKey,
        entity: EntityIx,
        mut faults: Vec<QueryError>,
    ) -> Result<ListRequest, Vec<QueryError>> {
        let faults = &mut faults;
        let mut digest = Sha256::new();
        digest.update(catalog.version.to_le_bytes());
        digest.update(&catalog.entity(entity).uid);
        let select = self.selection(catalog, entity, faults);
        let filter = self.filter.as_ref().and_then(|(at, raw)| {
            update(&mut digest, b'f', &raw.canonical());
            check_raw_filter(catalog, entity, raw, at, faults)
        });
        let mut sort: Vec<SortKey> = Vec::new();
        for (at, text) in &self.sort {
            update(&mut digest, b's', text);
            sort.extend(parse_sort(catalog, entity, text, at, 0, faults));
        }
        if sort.len() > super::MAX_SORT_KEYS && self.sort.len() > 1 {
            faults.push(QueryError::new(Kind::TooMany { what: "sort keys", limit: super::MAX_SORT_KEYS }, Place::new("/sort")));
        }
        let mut request = ListRequest {
            entity,
            select,
            filter,
            sort,
            paging: Paging::First,
            limit: DEFAULT_LIMIT,
            count: Count::None,
            search: None,
            deleted: Deleted::Live,
            digest: [0; 8],
        };
        let mut pages: (Option<Named<'_>>, Option<Named<'_>>) = (None, None);
        for (at, raw) in &self.rest {
            let Raw::Text(text) = raw else {
                faults.push(QueryError::new(Kind::BadShape { expected: "a text or a number" }, Place::new(at)));
                continue;
            };
            match at.trim_start_matches('/') {
                "limit" => request.limit = number(text, 1..=MAX_LIMIT, at, faults).unwrap_or(DEFAULT_LIMIT),
                "count" => request.count = count_of(text, at, faults),
                "deleted" => {
                    request.deleted = deleted_of(catalog, entity, text, at, faults);
                    update(&mut digest, b'd', text);
                }
                "q" => {
                    update(&mut digest, b'q', text);
                    request.search = search_of(text, at, faults);
                }
                "page" => pages.0 = Some((at, text)),
                _ => pages.1 = Some((at, text)),
            }
        }
        check_rows(&request.select, request.limit, self.select.first().map_or("select", |(at, _)| at), faults);
        request.digest.copy_from_slice(&digest.finalize()[..8]);
        request.paging = paging(key, &request, pages.0, pages.1, faults);
        if faults.is_empty() { Ok(request) } else { Err(std::mem::take(faults)) }
    }

    fn selection(&self, catalog: &Catalog, entity: EntityIx, faults: &mut Vec<QueryError>) -> Select {
        if self.select.is_empty() {
            return default_select(catalog.entity(entity));
        }
        let mut select = Select { entity, items: Vec::new() };
        for (at, text) in &self.select {
            select.items.extend(parse_select(catalog, entity, text, at, faults).items);
        }
        select
    }
}

/// An answer must fit into memory, whatever the data.
fn check_rows(select: &Select, limit: u32, at: &str, faults: &mut Vec<QueryError>) {
    let rows = select.most_rows(u64::from(limit));
    if rows > MAX_ROWS {
        faults.push(QueryError::new(Kind::TooManyRows { rows, limit: MAX_ROWS }, Place::new(at)));
    }
}

impl Raw {
    fn canonical(&self) -> String {
        match self {
            Raw::Text(text) => text.clone(),
            Raw::Tree(json) => json.to_string(),
        }
    }
}

fn update(digest: &mut Sha256, tag: u8, text: &str) {
    digest.update([tag]);
    digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
    digest.update(text);
}

/// Known parameters, each once; the others are faults. An empty value counts as not given: forms send every control.
fn take_params<'a>(params: &'a Params, known: &[&'static str], faults: &mut Vec<QueryError>) -> Vec<(&'static str, &'a str)> {
    let mut taken: Vec<(&'static str, &str)> = Vec::new();
    for (name, value) in &params.0 {
        let Some(known_name) = known.iter().find(|known| **known == name.as_str()) else {
            faults.push(unknown_name(name, Place::new(name), known));
            continue;
        };
        if taken.iter().any(|(taken, _)| taken == known_name) {
            faults.push(QueryError::new(Kind::RepeatedParameter { name: name.clone() }, Place::new(name)));
            continue;
        }
        taken.push((known_name, value));
    }
    taken.retain(|(_, value)| !value.is_empty());
    taken
}

pub(super) fn unknown_name(name: &str, place: Place, known: &[&str]) -> QueryError {
    QueryError::new(Kind::UnknownParameter { name: name.to_owned() }, place).near(name, known.iter().copied())
}

/// One text or an array of texts.
fn texts(value: &Json, at: &str, out: &mut Vec<(String, String)>, faults: &mut Vec<QueryError>) {
    match value {
        Json::String(text) => out.push((at.to_owned(), text.clone())),
        Json::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                match item {
                    Json::String(text) => out.push((format!("{at}/{position}"), text.clone())),
                    _ => faults.push(QueryError::new(Kind::BadShape { expected: "a text" }, Place::new(format!("{at}/{position}")))),
                }
            }
        }
        _ => faults.push(QueryError::new(Kind::BadShape { expected: "a text or an array of texts" }, Place::new(at))),
    }
}

pub(super) fn check_raw_filter(catalog: &Catalog, entity: EntityIx, raw: &Raw, at: &str, faults: &mut Vec<QueryError>) -> Option<Typed> {
    match raw {
        Raw::Text(text) => check_filter(catalog, entity, text, at, 0, faults),
        Raw::Tree(json @ Json::Object(_)) => {
            let scope = CatalogScope::new(catalog);
            let checked =
                expr::from_json(json).map_err(|fault| vec![fault]).and_then(|ast| expr::check(&ast, &scope, entity, &Expected::Condition));
            // Spans of the JSON form count in a text nobody wrote.
            checked.map_err(|found| faults.extend(found.iter().map(|fault| expression(fault, Place::new(at))))).ok()
        }
        Raw::Tree(_) => {
            faults.push(QueryError::new(Kind::BadShape { expected: "an expression as text or object" }, Place::new(at)));
            None
        }
    }
}

/// A filter written as text; blank means none. `offset` is where it begins within the text named `at`.
pub(super) fn check_filter(
    catalog: &Catalog,
    entity: EntityIx,
    text: &str,
    at: &str,
    offset: usize,
    faults: &mut Vec<QueryError>,
) -> Option<Typed> {
    if text.trim().is_empty() {
        return None;
    }
    check_expression(catalog, entity, text, &Expected::Condition, at, offset).map_err(|mut found| faults.append(&mut found)).ok()
}

/// An expression within the limits of a request.
pub(super) fn check_expression(
    catalog: &Catalog,
    entity: EntityIx,
    text: &str,
    expected: &Expected,
    at: &str,
    offset: usize,
) -> Result<Typed, Vec<QueryError>> {
    if text.len() > MAX_FILTER_BYTES {
        return Err(vec![QueryError::new(Kind::TooLong { bytes: text.len(), limit: MAX_FILTER_BYTES }, Place::new(at))]);
    }
    let scope = CatalogScope::new(catalog);
    let checked = expr::parse_filter(text).map_err(|fault| vec![fault]).and_then(|ast| expr::check(&ast, &scope, entity, expected));
    checked.map_err(|faults| faults.iter().map(|fault| expression(fault, Place::byte(at, offset + fault.span.start))).collect())
}

fn expression(fault: &ExprError, place: Place) -> QueryError {
    let kind = Kind::Expression { code: fault.code(), message: fault.to_string(), hint: fault.hint() };
    QueryError { kind, place, near: fault.near().map(str::to_owned) }
}

pub(super) fn number(text: &str, range: std::ops::RangeInclusive<u32>, at: &str, faults: &mut Vec<QueryError>) -> Option<u32> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    if number.is_none() {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        faults.push(QueryError::new(Kind::BadValue { value: shortened(text), expected }, Place::new(at)));
    }
    number
}

/// A value as it is repeated in a message.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn count_of(text: &str, at: &str, faults: &mut Vec<QueryError>) -> Count {
    match text {
        "none" => Count::None,
        "estimated" => Count::Estimated,
        "exact" => Count::Exact,
        _ => {
            let kind = Kind::BadValue { value: shortened(text), expected: "`none`, `estimated` or `exact`".to_owned() };
            faults.push(QueryError::new(kind, Place::new(at)).near(text, ["none", "estimated", "exact"]));
            Count::None
        }
    }
}

pub(super) fn deleted_of(catalog: &Catalog, entity: EntityIx, text: &str, at: &str, faults: &mut Vec<QueryError>) -> Deleted {
    let deleted = match text {
        "live" => return Deleted::Live,
        "deleted" => Deleted::Deleted,
        "all" => Deleted::All,
        _ => {
            let kind = Kind::BadValue { value: shortened(text), expected: "`live`, `deleted` or `all`".to_owned() };
            faults.push(QueryError::new(kind, Place::new(at)).near(text, ["live", "deleted", "all"]));
            return Deleted::Live;
        }
    };
    let entity = catalog.entity(entity);
    if !entity.features.soft_delete && deleted == Deleted::Deleted {
        faults.push(QueryError::new(Kind::NoRecycleBin { entity: entity.slug.clone() }, Place::new(at)));
    }
    deleted
}

pub(super) fn search_of(text: &str, at: &str, faults: &mut Vec<QueryError>) -> Option<String> {
    if text.trim().is_empty() {
        return None;
    }
    if text.len() > 256 {
        faults.push(QueryError::new(Kind::TooLong { bytes: text.len(), limit: 256 }, Place::new(at)));
        return None;
    }
    if crate::base::text::query_tokens(text).is_empty() {
        faults.push(QueryError::new(Kind::NothingToSearch, Place::new(at)));
        return None;
    }
    Some(text.to_owned())
}

fn paging(
    key: &CursorKey,
    request: &ListRequest,
    page: Option<(&str, &str)>,
    cursor: Option<(&str, &str)>,
    faults: &mut Vec<QueryError>,
) -> Paging {
    match (page, cursor) {
        (Some((at, _)), Some(_)) => {
            faults.push(QueryError::new(Kind::Conflict { first: "page", second: "cursor" }, Place::new(at)));
            Paging::First
        }
        (None, None) => Paging::First,
        (Some((at, text)), None) => {
            let Some(page) = number(text, 1..=1_000_000, at, faults) else { return Paging::First };
            let skipped = u64::from(page - 1) * u64::from(request.limit);
            match u32::try_from(skipped).ok().filter(|skipped| *skipped < MAX_OFFSET) {
                Some(0) => Paging::First,
                Some(skipped) => Paging::Offset(skipped),
                None => {
                    faults.push(QueryError::new(Kind::PageTooFar { limit: MAX_OFFSET }, Place::new(at)));
                    Paging::First
                }
            }
        }
        (None, Some((at, text))) => match Cursor::decode(text, key, request.digest) {
            Ok(cursor) if cursor.values.len() == request.sort.len() => Paging::After(cursor),
            Ok(_) | Err(CursorFault::Foreign) => {
                // A cursor of a request that has faults of its own would be called foreign for their sake.
                if faults.is_empty() {
                    faults.push(QueryError::new(Kind::ForeignCursor, Place::new(at)));
                }
                Paging::First
            }
            Err(CursorFault::Bad) => {
                faults.push(QueryError::new(Kind::BadCursor, Place::new(at)));
                Paging::First
            }
        },
    }
}
