//! Filters as JSON: `{"and": [{"gte": ["amount.base", 100000]}, …]}`. It says what the text says: the first operand is a
//! path when it is a string, later strings are texts; everything else is written as an object (`{"path": "a.b"}`,
//! `{"text": "x"}`, `{"call": ["today"]}`).

use serde_json::{Map, Value as Json, json};

use super::ast::{Ast, AstKind, HasWord, Name};
use super::error::{ExprError, ExprErrorKind};
use super::limits::Limits;
use super::print::match_word;
use super::tree::{ArithmeticOp, CompareOp};

/// Reads the JSON form within [`Limits::FILTER`]. Places of faults are byte 0: the JSON text is not known here.
///
/// # Errors
/// `EXP119`, or `EXP004` for a filter beyond the limits.
pub fn from_json(json: &Json) -> Result<Ast, ExprError> {
    let ast = read(json, Place::First, 0)?;
    super::limits::check(&ast, &Limits::FILTER)?;
    // The text form decides what is well-formed: reserved names, numbers, calls.
    super::parse::parse_within(&super::print(&ast), &Limits { bytes: usize::MAX, ..Limits::FILTER })
}

/// Writes the JSON form.
pub fn to_json(ast: &Ast) -> Json {
    write(ast, Place::First)
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// A string is a path.
    First,
    /// A string is a text.
    Later,
}

fn bad(what: impl Into<String>) -> ExprError {
    ExprError::new(ExprErrorKind::BadJson(what.into()), 0..0)
}

fn ast(kind: AstKind) -> Ast {
    Ast::new(kind, 0..0)
}

fn read(json: &Json, place: Place, depth: usize) -> Result<Ast, ExprError> {
    if depth > Limits::FILTER.depth {
        return Err(ExprError::new(ExprErrorKind::Limit { what: "deep", limit: Limits::FILTER.depth }, 0..0));
    }
    Ok(match json {
        Json::Null => ast(AstKind::Null),
        Json::Bool(flag) => ast(AstKind::Bool(*flag)),
        Json::Number(number) => read_number(&number.to_string()),
        Json::String(text) if place == Place::First => read_path(text)?,
        Json::String(text) => ast(AstKind::Text(text.clone())),
        Json::Array(_) => return Err(bad("a list stands where one value is expected")),
        Json::Object(entries) => {
            let mut entries = entries.iter();
            match (entries.next(), entries.next()) {
                (Some((word, operand)), None) => read_operation(word, operand, depth + 1)?,
                _ => return Err(bad("an object has exactly one key, the operator")),
            }
        }
    })
}

fn read_number(digits: &str) -> Ast {
    match digits.strip_prefix('-') {
        Some(positive) => ast(AstKind::Negate(Box::new(ast(AstKind::Number(positive.to_owned()))))),
        None => ast(AstKind::Number(digits.to_owned())),
    }
}

fn read_path(text: &str) -> Result<Ast, ExprError> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !text.split('.').all(is_name) {
        return Err(bad(format!("`{text}` is no field name")));
    }
    Ok(ast(AstKind::Path(text.split('.').map(|name| Name { text: name.to_owned(), span: 0..0 }).collect())))
}

fn read_operation(word: &str, operand: &Json, depth: usize) -> Result<Ast, ExprError> {
    let operands: &[Json] = match operand {
        Json::Array(items) => items,
        single => std::slice::from_ref(single),
    };
    let at = |position: usize| -> Result<Box<Ast>, ExprError> {
        let place = if position == 0 { Place::First } else { Place::Later };
        let json = operands.get(position).ok_or_else(|| bad(format!("`{word}` lacks an operand")))?;
        Ok(Box::new(read(json, place, depth)?))
    };
    let exactly = |count: usize| {
        if operands.len() == count { Ok(()) } else { Err(bad(format!("`{word}` takes {count} operands"))) }
    };
    let all = |items: &[Json], place: Place| items.iter().map(|item| read(item, place, depth)).collect::<Result<Vec<_>, _>>();
    let joined = |kind: fn(Vec<Ast>) -> AstKind, empty: bool| -> Result<Ast, ExprError> {
        let mut items = all(operands, Place::First)?;
        Ok(match items.len() {
            0 => ast(AstKind::Bool(empty)),
            1 => items.remove(0),
            _ => ast(kind(items)),
        })
    };
    let kind = match word {
        "and" => return joined(AstKind::And, true),
        "or" => return joined(AstKind::Or, false),
        "not" => AstKind::Not(at(0)?),
        "neg" => AstKind::Negate(at(0)?),
        "path" => return operand.as_str().map_or_else(|| Err(bad("`path` takes a name")), read_path),
        "text" => AstKind::Text(operand.as_str().ok_or_else(|| bad("`text` takes a string"))?.to_owned()),
        "is_null" => AstKind::IsNull { item: at(0)?, negated: false },
        "is_not_null" => AstKind::IsNull { item: at(0)?, negated: true },
        "in" | "not_in" => {
            exactly(2)?;
            let Json::Array(list) = &operands[1] else { return Err(bad(format!("`{word}` takes a name and a list"))) };
            if list.is_empty() {
                // Nothing is in an empty list.
                return Ok(ast(AstKind::Bool(word == "not_in")));
            }
            AstKind::In { item: at(0)?, list: all(list, Place::Later)?, negated: word == "not_in" }
        }
        "between" | "not_between" => {
            exactly(3)?;
            AstKind::Between { item: at(0)?, low: at(1)?, high: at(2)?, negated: word == "not_between" }
        }
        "has" | "has_any" | "has_all" => {
            let keys = match operands.get(1) {
                Some(Json::Array(list)) => all(list, Place::Later)?,
                _ => vec![*at(1)?],
            };
            if keys.is_empty() {
                return Err(bad(format!("`{word}` takes at least one key")));
            }
            let kind = match word {
                "has" => HasWord::Has,
                "has_any" => HasWord::HasAny,
                _ => HasWord::HasAll,
            };
            AstKind::Has { kind, item: at(0)?, keys }
        }
        "call" => {
            let name = operands.first().and_then(Json::as_str).ok_or_else(|| bad("`call` takes a function's name and its arguments"))?;
            return call(name, all(&operands[1..], Place::First)?, None);
        }
        "exists" | "none" | "all" | "count" | "sum" | "min" | "max" | "avg" => return read_rows(word, operand, depth),
        "case" => {
            let pairs = operands.iter().filter_map(Json::as_array).filter(|pair| pair.len() == 2);
            let arms = pairs
                .map(|pair| Ok((read(&pair[0], Place::First, depth)?, read(&pair[1], Place::Later, depth)?)))
                .collect::<Result<Vec<_>, ExprError>>()?;
            let otherwise = operands.last().filter(|last| !last.is_array());
            let otherwise = otherwise.map(|json| read(json, Place::Later, depth).map(Box::new)).transpose()?;
            if arms.is_empty() || arms.len() + usize::from(otherwise.is_some()) != operands.len() {
                return Err(bad("`case` takes pairs of condition and value, then perhaps a value"));
            }
            AstKind::Case { arms, otherwise }
        }
        _ => {
            exactly(2)?;
            let (left, right) = (at(0)?, at(1)?);
            if let Some(op) = compare_word(word) {
                AstKind::Compare { op, left, right }
            } else if let Some(op) = arithmetic_word(word) {
                AstKind::Arithmetic { op, left, right }
            } else if let Some(kind) = super::parse::match_kind(word.strip_prefix("not_").unwrap_or(word)) {
                AstKind::Match { kind, item: left, pattern: right, negated: word.starts_with("not_") }
            } else {
                return Err(bad(format!("there is no operator `{word}`")));
            }
        }
    };
    Ok(ast(kind))
}

/// `{"exists": {"over": "tasks", "where": {…}}}`, `{"sum": {"over": "lines.total"}}`, or only the name of the field.
fn read_rows(word: &str, operand: &Json, depth: usize) -> Result<Ast, ExprError> {
    let Json::Object(entries) = operand else {
        let path = operand.as_str().ok_or_else(|| bad(format!("`{word}` takes a name or an object with `over` and `where`")))?;
        return call(word, vec![read_path(path)?], None);
    };
    if let Some(unknown) = entries.keys().find(|key| !matches!(key.as_str(), "over" | "where" | "value")) {
        return Err(bad(format!("`{word}` has no `{unknown}`")));
    }
    let over = entries.get("over").and_then(Json::as_str).ok_or_else(|| bad(format!("`{word}` needs `over`")))?;
    let mut args = vec![read_path(over)?];
    if let Some(value) = entries.get("value") {
        args.push(read(value, Place::First, depth)?);
    }
    let filter = entries.get("where").map(|filter| read(filter, Place::First, depth)).transpose()?;
    call(word, args, filter)
}

fn call(name: &str, args: Vec<Ast>, filter: Option<Ast>) -> Result<Ast, ExprError> {
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit()) || name.is_empty() {
        return Err(bad(format!("`{name}` is no function")));
    }
    let name = Name { text: name.to_owned(), span: 0..0 };
    Ok(ast(AstKind::Call { name, args, filter: filter.map(Box::new) }))
}

fn compare_word(word: &str) -> Option<CompareOp> {
    Some(match word {
        "eq" => CompareOp::Eq,
        "ne" => CompareOp::Ne,
        "lt" => CompareOp::Lt,
        "lte" => CompareOp::Le,
        "gt" => CompareOp::Gt,
        "gte" => CompareOp::Ge,
        _ => return None,
    })
}

fn arithmetic_word(word: &str) -> Option<ArithmeticOp> {
    Some(match word {
        "add" => ArithmeticOp::Add,
        "sub" => ArithmeticOp::Sub,
        "mul" => ArithmeticOp::Mul,
        "div" => ArithmeticOp::Div,
        "mod" => ArithmeticOp::Mod,
        _ => return None,
    })
}

fn write(ast: &Ast, place: Place) -> Json {
    let first = |ast: &Ast| write(ast, Place::First);
    let later = |ast: &Ast| write(ast, Place::Later);
    let list = |items: &[Ast], place: Place| Json::Array(items.iter().map(|item| write(item, place)).collect());
    match &ast.kind {
        AstKind::Null => Json::Null,
        AstKind::Bool(flag) => json!(flag),
        AstKind::Number(digits) => number(digits),
        AstKind::Text(text) if place == Place::Later => json!(text),
        AstKind::Text(text) => json!({ "text": text }),
        AstKind::Path(names) => {
            let path = names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
            if place == Place::First { json!(path) } else { json!({ "path": path }) }
        }
        AstKind::And(items) => json!({ "and": list(items, Place::First) }),
        AstKind::Or(items) => json!({ "or": list(items, Place::First) }),
        AstKind::Not(inner) => json!({ "not": first(inner) }),
        AstKind::Negate(inner) => match &inner.kind {
            AstKind::Number(digits) => number(&format!("-{digits}")),
            _ => json!({ "neg": first(inner) }),
        },
        AstKind::Compare { op, left, right } => {
            let word = match op {
                CompareOp::Eq => "eq",
                CompareOp::Ne => "ne",
                CompareOp::Lt => "lt",
                CompareOp::Le => "lte",
                CompareOp::Gt => "gt",
                CompareOp::Ge => "gte",
            };
            json!({ word: [first(left), later(right)] })
        }
        AstKind::Arithmetic { op, left, right } => {
            let word = match op {
                ArithmeticOp::Add => "add",
                ArithmeticOp::Sub => "sub",
                ArithmeticOp::Mul => "mul",
                ArithmeticOp::Div => "div",
                ArithmeticOp::Mod => "mod",
            };
            json!({ word: [first(left), later(right)] })
        }
        AstKind::In { item, list: keys, negated } => {
            json!({ if *negated { "not_in" } else { "in" }: [first(item), list(keys, Place::Later)] })
        }
        AstKind::Between { item, low, high, negated } => {
            json!({ if *negated { "not_between" } else { "between" }: [first(item), later(low), later(high)] })
        }
        AstKind::IsNull { item, negated } => json!({ if *negated { "is_not_null" } else { "is_null" }: first(item) }),
        AstKind::Match { kind, item, pattern, negated } => {
            let word = if *negated { format!("not_{}", match_word(*kind)) } else { match_word(*kind).to_owned() };
            json!({ word: [first(item), later(pattern)] })
        }
        AstKind::Has { kind, item, keys } => {
            let word = match kind {
                HasWord::Has => "has",
                HasWord::HasAny => "has_any",
                HasWord::HasAll => "has_all",
            };
            json!({ word: [first(item), list(keys, Place::Later)] })
        }
        AstKind::Call { name, args, filter } => write_call(&name.text, args, filter.as_deref()),
        AstKind::Case { arms, otherwise } => {
            let mut items: Vec<Json> = arms.iter().map(|(condition, value)| json!([first(condition), later(value)])).collect();
            items.extend(otherwise.as_deref().map(later));
            json!({ "case": items })
        }
    }
}

fn number(digits: &str) -> Json {
    digits.parse::<serde_json::Number>().map_or(Json::Null, Json::Number)
}

fn write_call(name: &str, args: &[Ast], filter: Option<&Ast>) -> Json {
    let over = match args.first().map(|arg| &arg.kind) {
        Some(AstKind::Path(names)) => Some(names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")),
        _ => None,
    };
    let rows = matches!(name, "exists" | "none" | "all" | "count" | "sum" | "avg")
        || (matches!(name, "min" | "max") && (args.len() < 2 || filter.is_some()));
    if let (true, Some(over)) = (rows, over) {
        let mut entries = Map::from_iter([("over".to_owned(), json!(over))]);
        if let Some(value) = args.get(1) {
            entries.insert("value".to_owned(), write(value, Place::First));
        }
        if let Some(filter) = filter {
            entries.insert("where".to_owned(), write(filter, Place::First));
        }
        return json!({ name: entries });
    }
    let mut items = vec![json!(name)];
    items.extend(args.iter().map(|arg| write(arg, Place::First)));
    json!({ "call": items })
}
