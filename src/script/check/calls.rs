//! Calls: is there such a function, may it be called now, do its literal arguments name things that are there?

use rhai::{Expr, FnCallExpr, Position};

use super::names;
use super::types::Ty;
use super::walk::Walk;
use crate::base::EntityIx;
use crate::schema::catalog::Entity;
use crate::script::api::{ApiFunction, api};
use crate::script::call::package_of;

/// What people of other languages reach for, and what there is instead.
const INSTEAD: &[(&str, &str)] = &[
    ("print", "use `log(…)`"),
    ("debug", "use `log(…)`"),
    ("sleep", "a script cannot wait: use `enqueue(script, payload, delay_seconds)`"),
    ("eval", "text cannot be run as script"),
    ("timestamp", "use `now()`"),
    ("query", "use `find(entity, filter, values)`"),
    ("select", "use `find(entity, filter, values)`"),
    ("insert_record", "use `create(entity, values)`"),
    ("save", "assign to `rec` in before_save, or use `update(record, values)`"),
    ("notify", "create a task for the person: `create(\"task\", #{…})`"),
    ("fetch", "scripts have no network"),
    ("http_get", "scripts have no network"),
    ("error", "use `reject(field, code, message)`"),
    ("fail", "use `reject(field, code, message)` or `throw`"),
    ("length", "use `len()`"),
    ("size", "use `len()`"),
    ("lower", "use `to_lower()`"),
    ("upper", "use `to_upper()`"),
    ("substring", "use `sub_string(start, length)`"),
    ("to_float", "numbers are exact decimals here: use `decimal(…)`"),
    ("parse_float", "numbers are exact decimals here: use `decimal(…)`"),
];

/// Checks a call and says what is known of its answer. `receiver` is what stands before the dot.
pub(super) fn check(walk: &mut Walk<'_>, call: &FnCallExpr, position: Position, receiver: Option<Ty>) -> Ty {
    let arguments: Vec<Ty> = call.args.iter().map(|argument| walk.expression(argument)).collect();
    // `x in list` is written `contains(list, x)` by the parser.
    if call.is_operator_call() || call.name == "contains" && receiver.is_none() {
        return operator(walk, call, &arguments);
    }
    let count = arguments.len() + usize::from(receiver.is_some());
    if walk.call_name_is_own(call) {
        own(walk, call, position);
        return Ty::Unknown;
    }
    let Some(function) = api().iter().find(|function| function.name == call.name) else {
        unknown(walk, call, position);
        return Ty::Unknown;
    };
    if !function.kinds.has(walk.source.kind) {
        let message = format!("a {} script cannot call `{}`", walk.source.kind.word(), function.name);
        walk.fault(position, "AUT114", message, Some(format!("it may be called in: {}", function.kinds.words())));
    } else if !function.arguments.contains(&count) {
        let message = format!("`{}` is called with {} here", function.name, plural(call.args.len()));
        walk.fault(position, "AUT113", message, Some(format!("ways to call it: {}", function.signature)));
        return Ty::Unknown;
    }
    literals(walk, function, call, receiver.as_ref(), &arguments)
}

fn plural(count: usize) -> String {
    match count {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

/// A function of the script itself.
fn own(walk: &mut Walk<'_>, call: &FnCallExpr, position: Position) {
    let mut counts = walk.own.iter().filter(|function| function.name == call.name).map(|function| function.params.len());
    if let Some(count) = counts.clone().next()
        && !counts.any(|count| count == call.args.len())
    {
        let message = format!("`{}` is called with {} here", call.name, plural(call.args.len()));
        walk.fault(position, "AUT113", message, Some(format!("it is written with {}", plural(count).replace("argument", "parameter"))));
    }
}

fn unknown(walk: &mut Walk<'_>, call: &FnCallExpr, position: Position) {
    let hint = INSTEAD.iter().find(|(name, _)| *name == call.name).map(|(_, hint)| (*hint).to_owned());
    let hint = hint.or_else(|| {
        let own = walk.own.iter().map(|function| function.name.as_str()).filter(|name| !name.starts_with("anon$"));
        names::near(&call.name, api().iter().map(|function| function.name).chain(own))
    });
    walk.fault(
        position,
        "AUT112",
        format!("there is no function `{}`", call.name),
        hint.or_else(|| Some("docs/scripting.md lists all functions".to_owned())),
    );
}

/// `==` and `!=` of a select with a text, `in` of a select in a list of texts.
fn operator(walk: &mut Walk<'_>, call: &FnCallExpr, arguments: &[Ty]) -> Ty {
    let (name, [left, right]) = (call.name.as_str(), &call.args[..]) else { return arguments.first().cloned().unwrap_or(Ty::Unknown) };
    match name {
        "==" | "!=" => {
            walk.option_text(&arguments[0], right);
            walk.option_text(&arguments[1], left);
            Ty::Bool
        }
        "contains" => {
            if let Expr::Array(items, _) = left {
                for item in items.iter() {
                    walk.option_text(&arguments[1], item);
                }
            }
            Ty::Bool
        }
        "<" | "<=" | ">" | ">=" => Ty::Bool,
        "+" | "-" => match (&arguments[0], &arguments[1]) {
            (Ty::Date, Ty::Date) => Ty::Number,
            (Ty::Date, _) => Ty::Date,
            (Ty::Money, Ty::Money) => Ty::Money,
            (Ty::Text, _) => Ty::Text,
            _ => Ty::Unknown,
        },
        _ => Ty::Unknown,
    }
}

/// The arguments that are written out: entities, fields, options, filters.
fn literals(walk: &mut Walk<'_>, function: &ApiFunction, call: &FnCallExpr, receiver: Option<&Ty>, arguments: &[Ty]) -> Ty {
    if receiver.is_some() {
        return Ty::Unknown;
    }
    let args = &call.args;
    match function.name {
        "find" | "first" | "count" | "get" | "aggregate" | "create" => {
            let Some(entity) = entity(walk, &args[0]) else { return Ty::Unknown };
            if let ("find" | "first" | "count", Some(filter)) = (function.name, args.get(1)) {
                super::filter::check(walk, entity, filter, args.get(2));
            }
            if let ("find" | "first", Some(options)) = (function.name, args.get(3)) {
                sort(walk, entity, options);
            }
            if function.name == "create" {
                walk.field_map(entity, &args[1]);
            }
            match function.name {
                "find" => Ty::Records(entity),
                "first" | "get" | "create" => Ty::Record(entity),
                "count" => Ty::Number,
                _ => Ty::Unknown,
            }
        }
        "update" => {
            let entity = match (&arguments[0], args.len()) {
                (Ty::Record(entity), 2) => Some(*entity),
                (_, 3) => entity(walk, &args[0]),
                _ => None,
            };
            let Some(entity) = entity else { return Ty::Unknown };
            if let Some(map) = args.last() {
                walk.field_map(entity, map);
            }
            Ty::Record(entity)
        }
        "delete" => {
            if args.len() == 2 {
                entity(walk, &args[0]);
            }
            Ty::Unknown
        }
        "reject" | "warn" => {
            if let (3, Expr::StringConstant(name, position), Some(entity)) = (args.len(), &args[0], walk.source.entity)
                && !name.is_empty()
            {
                walk.field(entity, name, *position);
            }
            Ty::Unknown
        }
        "changed" => {
            if let (Ty::Record(entity), Expr::StringConstant(name, position)) = (&arguments[0], &args[2]) {
                walk.field(*entity, name, *position);
            }
            Ty::Bool
        }
        "enqueue" => {
            if let Expr::StringConstant(id, position) = &args[0]
                && !walk.catalog.scripts.iter().any(|script| script.id == id.as_str())
            {
                let hint = names::near(id, walk.catalog.scripts.iter().map(|script| script.id.as_str()));
                walk.fault(*position, "AUT127", format!("there is no script `{id}`"), hint);
            }
            Ty::Unknown
        }
        "money" => Ty::Money,
        "date" | "today" | "start_of_month" | "end_of_month" | "start_of_week" | "with_year" => Ty::Date,
        "datetime" | "now" | "at" => Ty::DateTime,
        "time" => Ty::Time,
        "decimal" | "len" | "days_between" => Ty::Number,
        "format" | "fold" | "digits" | "join" | "hash" | "uuid" | "to_json" | "entity" => Ty::Text,
        "matches" => Ty::Bool,
        "add_days" | "add_months" | "add_years" | "max" | "min" | "abs" => arguments.first().cloned().unwrap_or(Ty::Unknown),
        _ => Ty::Unknown,
    }
}

/// An entity named by a literal.
fn entity(walk: &mut Walk<'_>, argument: &Expr) -> Option<EntityIx> {
    let Expr::StringConstant(name, position) = argument else { return None };
    if let Some(found) = walk.catalog.find_entity_in(package_of(walk.source.id), name) {
        return Some(found.ix);
    }
    let hint =
        names::near(name, walk.catalog.entities.iter().filter(|entity| !entity.is_junction).map(|entity: &Entity| entity.slug.as_str()));
    walk.fault(*position, "AUT122", format!("there is no entity `{name}`"), hint);
    None
}

/// `sort` of a map of options.
fn sort(walk: &mut Walk<'_>, entity: EntityIx, options: &Expr) {
    let Expr::Map(parts, _) = options else { return };
    for (name, value) in &parts.0 {
        if !["sort", "limit"].contains(&name.name.as_str()) {
            let hint = names::one_of(&name.name, &["sort", "limit"]);
            walk.fault(name.pos, "AUT128", format!("there is no option `{}`", name.name), hint);
            continue;
        }
        let keys: Vec<&Expr> = match value {
            Expr::Array(items, _) => items.iter().collect(),
            one => vec![one],
        };
        for key in keys {
            if let Expr::StringConstant(text, position) = key {
                walk.field(entity, text.trim_start_matches('-'), *position);
            }
        }
    }
}
