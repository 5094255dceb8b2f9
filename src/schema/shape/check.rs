//! Checks a node against its shape. The kind and each field's type are looked at first, so that a fault speaks of
//! one shape and not of all that might have been meant.

use super::{KeySpec, KeyType, fields, kinds};
use crate::base::Date;
use crate::schema::catalog::Missed;
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::{Key, Node, NodeKind};

/// Checks one document; `kind` is found in it, or given by the file's name.
pub fn check_document(document: &Node, implied: Option<&str>, faults: &mut Vec<Diagnostic>) -> Option<&'static super::Kind> {
    if !document.is_map() {
        let fault = Diagnostic::error(
            "DEF101",
            &document.place,
            format!("a document is a mapping that begins with `kind:`, this is {}", document.describe()),
        )
        .hint("begin the file with `kind: entity`");
        faults.push(fault);
        return None;
    }
    let (name, place) = match (document.get("kind"), implied) {
        (Some(node), _) => match node.as_text() {
            Some(name) => (name, &node.place),
            None => {
                faults.push(wrong("a kind", node));
                return None;
            }
        },
        (None, Some(name)) => (name, &document.place),
        (None, None) => {
            let place = document.entries().first().map_or(&document.place, |(key, _)| &key.place);
            let fault =
                Diagnostic::error("DEF101", place, "a document must say its `kind`").hint(format!("kinds: {}", kind_names().join(", ")));
            faults.push(fault);
            return None;
        }
    };
    let Some(kind) = kinds::find(name) else {
        if kinds::LATER.contains(&name) {
            faults.push(not_yet(place, name));
            return None;
        }
        let fault = Diagnostic::error("DEF102", place, format!("unknown kind `{name}`"))
            .near(nearest(name, kind_names()))
            .hint(format!("kinds: {}", kind_names().join(", ")));
        faults.push(fault);
        return None;
    };
    check_object(document, kind.keys, &format!("a document of kind `{name}`"), implied.is_some(), faults);
    Some(kind)
}

fn kind_names() -> Vec<&'static str> {
    kinds::KINDS.iter().map(|kind| kind.name).collect()
}

fn not_yet(place: &crate::schema::Place, what: &str) -> Diagnostic {
    Diagnostic::error("DEF110", place, format!("`{what}` is not supported in this version"))
        .hint("take it out: it would have no effect, and nothing is ignored silently")
}

fn wrong(expected: &str, found: &Node) -> Diagnostic {
    let fault = Diagnostic::error("DEF106", &found.place, format!("expected {expected}, found {}", found.describe()));
    match &found.kind {
        NodeKind::Text(text) if expected.contains("true or false") && matches!(text.as_str(), "yes" | "no" | "on" | "off") => {
            fault.hint(format!("`{text}` is a text in YAML 1.2: write `true` or `false`"))
        }
        NodeKind::Text(text) if expected.contains("number") && text.starts_with('0') => {
            fault.hint("a number with a leading zero is read as a text: write it without the zero")
        }
        NodeKind::Number(digits) if expected.contains("text") => fault.hint(format!("put it in quotes: \"{digits}\"")),
        NodeKind::Bool(flag) if expected.contains("text") => fault.hint(format!("put it in quotes: \"{flag}\"")),
        _ => fault,
    }
}

fn check_object(node: &Node, keys: &[KeySpec], what: &str, implied_kind: bool, faults: &mut Vec<Diagnostic>) {
    let NodeKind::Map(entries) = &node.kind else {
        faults.push(wrong("a mapping", node));
        return;
    };
    for (key, value) in entries {
        match keys.iter().find(|spec| spec.name == key.text) {
            Some(spec) if matches!(spec.ty, KeyType::Later) => faults.push(not_yet(&key.place, &key.text)),
            Some(spec) => check_value(value, &spec.ty, faults),
            None => faults.push(unknown_key(key, keys, what)),
        }
    }
    for spec in keys.iter().filter(|spec| spec.required && !(implied_kind && spec.name == "kind")) {
        let given = entries.iter().find(|(key, _)| key.text == spec.name);
        if given.is_none_or(|(_, value)| value.kind == NodeKind::Null && !matches!(spec.ty, KeyType::Any)) {
            let place = given.map_or_else(|| anchor(node), |(key, _)| key.place.clone());
            faults.push(Diagnostic::error("DEF105", &place, format!("{what} needs `{}`", spec.name)).hint(spec.doc.to_owned()));
        }
    }
}

/// Where the absence of a key is shown: at the first key of the mapping.
fn anchor(node: &Node) -> crate::schema::Place {
    node.entries().first().map_or_else(|| node.place.clone(), |(key, _)| key.place.clone())
}

fn unknown_key(key: &Key, keys: &[KeySpec], what: &str) -> Diagnostic {
    let known: Vec<&str> = keys.iter().filter(|spec| !matches!(spec.ty, KeyType::Later)).map(|spec| spec.name).collect();
    Diagnostic::error("DEF103", &key.place, format!("unknown key `{}` in {what}", key.text))
        .near(nearest(&key.text, known.iter().copied()))
        .hint(format!("keys: {}", known.join(", ")))
}

fn check_value(node: &Node, ty: &KeyType, faults: &mut Vec<Diagnostic>) {
    if node.kind == NodeKind::Null {
        return;
    }
    match ty {
        KeyType::Any | KeyType::Later => {}
        KeyType::Steps => match &node.kind {
            NodeKind::List(items) => items.iter().for_each(|item| check_object(item, kinds::STEP, "a step", false, faults)),
            _ => faults.push(wrong("a list of steps", node)),
        },
        KeyType::Text => expect(node.as_text().is_some(), "a text", node, faults),
        KeyType::Expr => expect(node.as_text().is_some() || node.as_bool().is_some(), "an expression (a text)", node, faults),
        KeyType::Bool => expect(node.as_bool().is_some(), "true or false", node, faults),
        KeyType::Int(min, max) => check_int(node, *min, *max, faults),
        KeyType::Number => check_number(node, faults),
        KeyType::Date => {
            let fits = node.as_text().is_some_and(|text| Date::parse(text).is_some());
            expect(fits, "a date `YYYY-MM-DD`", node, faults);
        }
        KeyType::Name => check_name(node, "a name", false, faults),
        KeyType::Entity => check_name(node, "an entity's id", true, faults),
        KeyType::Picklist => check_name(node, "a picklist's id", true, faults),
        KeyType::Calendar => check_name(node, "a calendar's id", true, faults),
        KeyType::Field => expect(node.as_text().is_some(), "the name of a field", node, faults),
        KeyType::SortField => expect(node.as_text().is_some(), "the name of a field, `-` in front for descending", node, faults),
        KeyType::Label => check_label(node, faults),
        KeyType::OneOf(values) => check_one_of(node, values, faults),
        KeyType::Many(inner) => node.one_or_many().into_iter().for_each(|item| check_value(item, inner, faults)),
        KeyType::List(inner) => match &node.kind {
            NodeKind::List(items) => items.iter().for_each(|item| not_null(item, inner, faults)),
            _ => faults.push(wrong("a list", node)),
        },
        KeyType::Object(keys) => check_object(node, keys, "this mapping", false, faults),
        KeyType::MapOf(inner) => match &node.kind {
            NodeKind::Map(entries) => entries.iter().for_each(|(_, value)| not_null(value, inner, faults)),
            _ => faults.push(wrong("a mapping", node)),
        },
        KeyType::FieldOr(keys) => {
            if node.is_map() {
                check_object(node, keys, "this mapping", false, faults);
            } else if node.scalar_text().is_none() {
                faults.push(wrong("a name or a mapping", node));
            }
        }
        KeyType::Options => check_options(node, faults),
        KeyType::Fields => check_fields(node, faults),
        KeyType::Trigger => check_trigger(node, faults),
    }
}

fn not_null(node: &Node, ty: &KeyType, faults: &mut Vec<Diagnostic>) {
    if node.kind == NodeKind::Null && !matches!(ty, KeyType::Any) {
        faults.push(wrong("a value", node));
    } else {
        check_value(node, ty, faults);
    }
}

fn expect(holds: bool, expected: &str, node: &Node, faults: &mut Vec<Diagnostic>) {
    if !holds {
        faults.push(wrong(expected, node));
    }
}

fn check_int(node: &Node, min: i64, max: i64, faults: &mut Vec<Diagnostic>) {
    match node.as_int() {
        Some(number) if number < min => faults.push(bounds(node, number, &format!("at least {min}"))),
        Some(number) if number > max => faults.push(bounds(node, number, &format!("at most {max}"))),
        Some(_) => {}
        None => faults.push(wrong("a whole number", node)),
    }
}

fn bounds(node: &Node, number: i64, limit: &str) -> Diagnostic {
    Diagnostic::error("DEF109", &node.place, format!("{number} is out of range: it must be {limit}"))
}

fn check_number(node: &Node, faults: &mut Vec<Diagnostic>) {
    let fits = match &node.kind {
        NodeKind::Number(text) | NodeKind::Text(text) => crate::base::Decimal::parse_any(text).is_ok(),
        _ => false,
    };
    expect(fits, "a number of at most nine decimal places", node, faults);
}

/// Whether a text is a name: a lower-case letter, then lower-case letters, digits and single `_`, at most 40.
pub fn identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && text.len() <= 40
        && !text.contains("__")
        && !text.ends_with('_')
}

fn check_name(node: &Node, what: &str, dotted: bool, faults: &mut Vec<Diagnostic>) {
    let Some(text) = node.as_text() else {
        faults.push(wrong(what, node));
        return;
    };
    let fits = match text.split_once('.') {
        Some((package, name)) if dotted => identifier(package) && identifier(name),
        _ => identifier(text),
    };
    if !fits {
        faults.push(malformed(&node.place, what, text, dotted));
    }
}

fn malformed(place: &crate::schema::Place, what: &str, text: &str, dotted: bool) -> Diagnostic {
    let form = if dotted { "`name` or `package.name`, each of" } else { "" };
    let fault = Diagnostic::error("DEF108", place, format!("`{text}` cannot be {what}"));
    let form = format!("{form} lower-case letters, digits and single `_`, a letter first, at most 40 characters");
    let suggested = suggestion(text);
    let fault = if identifier(&suggested) && suggested != text && !dotted { fault.near(Some(suggested)) } else { fault };
    fault.hint(form.trim().to_owned())
}

/// A name that could be meant: `CloseOn` and `close on` give `close_on`.
fn suggestion(text: &str) -> String {
    let mut out = String::new();
    let mut previous_lower = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && previous_lower {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
            previous_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        } else {
            if !out.ends_with('_') && !out.is_empty() {
                out.push('_');
            }
            previous_lower = false;
        }
    }
    out.trim_end_matches('_').to_owned()
}

fn check_label(node: &Node, faults: &mut Vec<Diagnostic>) {
    match &node.kind {
        NodeKind::Map(entries) => {
            for (key, value) in entries {
                if !language_tag(&key.text) {
                    let fault = Diagnostic::error("DEF112", &key.place, format!("`{}` is not a language tag", key.text))
                        .near(nearest(&key.text, ["en", "zh-CN", "zh-TW"]))
                        .hint("languages are written `en`, `zh-CN`, `zh-TW`");
                    faults.push(fault);
                }
                expect(value.as_text().is_some(), "a text", value, faults);
            }
        }
        NodeKind::Text(_) => {}
        _ => faults.push(wrong("a text, or a text for each language", node)),
    }
}

/// `en`, `zh-CN`, `pt-BR`, `zh-Hant`.
fn language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or("");
    (2..=3).contains(&language.len())
        && language.chars().all(|c| c.is_ascii_lowercase())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()))
}

fn check_one_of(node: &Node, values: &[&str], faults: &mut Vec<Diagnostic>) {
    let Some(text) = node.scalar_text() else {
        faults.push(wrong(&format!("one of {}", values.join(", ")), node));
        return;
    };
    if values.contains(&text.as_str()) {
        return;
    }
    let fault = Diagnostic::error("DEF107", &node.place, format!("`{text}` is not one of the allowed values"))
        .near(nearest(&text, values.iter().copied()))
        .hint(format!("allowed: {}", values.join(", ")));
    faults.push(fault);
}

fn check_options(node: &Node, faults: &mut Vec<Diagnostic>) {
    match &node.kind {
        NodeKind::Map(_) => check_object(node, kinds::OPTIONS_REF, "options", false, faults),
        NodeKind::List(items) => items.iter().for_each(|item| check_value(item, &KeyType::FieldOr(kinds::OPTION), faults)),
        _ => faults.push(wrong("a list of options or `{ref: picklist}`", node)),
    }
}

fn check_fields(node: &Node, faults: &mut Vec<Diagnostic>) {
    let NodeKind::Map(entries) = &node.kind else {
        let fault = wrong("a mapping of names to fields", node);
        faults.push(match node.kind {
            NodeKind::List(_) => fault.hint("write `name: {type: text}` without the dash"),
            _ => fault,
        });
        return;
    };
    for (key, value) in entries {
        if !identifier(&key.text) {
            faults.push(malformed(&key.place, "the name of a field", &key.text, false));
        }
        check_field(key, value, faults);
    }
}

fn check_field(key: &Key, node: &Node, faults: &mut Vec<Diagnostic>) {
    let NodeKind::Map(entries) = &node.kind else {
        let mut fault = wrong("a field, such as `{type: text}`", node);
        if let Some(name) = node.as_text().filter(|name| fields::find(name).is_some()) {
            fault = fault.hint(format!("write `{}: {{type: {name}}}`", key.text));
        }
        if node.kind == NodeKind::Null {
            fault = Diagnostic::error("DEF106", &key.place, format!("the field `{}` is empty", key.text))
                .hint(format!("write `{}: {{type: text}}`", key.text));
        }
        faults.push(fault);
        return;
    };
    let type_names: Vec<&str> = fields::TYPES.iter().map(|spec| spec.name).collect();
    let Some(ty) = node.get("type") else {
        let place = entries.first().map_or(&key.place, |_| &key.place);
        faults.push(
            Diagnostic::error("DEF105", place, format!("the field `{}` needs `type`", key.text))
                .hint(format!("types: {}", type_names.join(", "))),
        );
        return;
    };
    let Some(name) = ty.as_text() else {
        faults.push(wrong("a field type", ty));
        return;
    };
    let Some(spec) = fields::find(name) else {
        let fault = Diagnostic::error("DEF104", &ty.place, format!("unknown field type `{name}`"))
            .near(meant_type(name, &type_names))
            .hint(format!("types: {}", type_names.join(", ")));
        faults.push(fault);
        return;
    };
    for (key, value) in entries {
        let known = spec.keys.iter().chain(fields::COMMON).find(|spec| spec.name == key.text);
        match known {
            Some(known) if matches!(known.ty, KeyType::Later) => faults.push(not_yet(&key.place, &key.text)),
            Some(known) => check_value(value, &known.ty, faults),
            None => faults.push(unknown_field_key(key, spec)),
        }
    }
    for needed in spec.keys.iter().filter(|needed| needed.required) {
        if node.get(needed.name).is_none_or(|value| value.kind == NodeKind::Null) {
            let fault = Diagnostic::error("DEF105", &key.place, format!("the {name} field `{}` needs `{}`", key.text, needed.name))
                .hint(needed.doc.to_owned());
            faults.push(fault);
        }
    }
}

/// The type that was probably meant, also by a name other products give it, also misspelt.
fn meant_type(name: &str, types: &[&str]) -> Option<String> {
    let others = [
        "string",
        "varchar",
        "textarea",
        "html",
        "number",
        "float",
        "numeric",
        "currency",
        "checkbox",
        "timestamp",
        "picklist",
        "dropdown",
        "reference",
        "relation",
        "autonumber",
        "attachment",
        "website",
    ];
    let exact = synonym(name).map(str::to_owned).or_else(|| nearest(name, types.iter().copied()));
    exact.or_else(|| synonym(&nearest(name, others)?).map(str::to_owned))
}

/// Types by the names other products give them.
fn synonym(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" | "varchar" | "char" => "text",
        "textarea" | "longtext" | "multiline" => "long_text",
        "html" | "richtext" => "rich_text",
        "int" | "bigint" | "number" => "integer",
        "float" | "double" | "numeric" => "decimal",
        "currency" | "amount" => "money",
        "bool" | "checkbox" => "boolean",
        "timestamp" | "date_time" => "datetime",
        "enum" | "picklist" | "choice" | "dropdown" => "select",
        "reference" | "relation" | "belongs_to" | "many_to_one" => "link",
        "many_to_many" => "links",
        "has_many" | "one_to_many" => "children",
        "sequence" | "autonumber" => "auto_number",
        "stars" => "rating",
        "attachment" | "upload" => "file",
        "website" | "uri" => "url",
        "person" | "owner" => "user",
        _ => return None,
    })
}

fn unknown_field_key(key: &Key, spec: &fields::TypeSpec) -> Diagnostic {
    let others: Vec<&str> =
        fields::TYPES.iter().filter(|other| other.keys.iter().any(|known| known.name == key.text)).map(|other| other.name).collect();
    if !others.is_empty() {
        return Diagnostic::error("DEF114", &key.place, format!("a field of type `{}` has no `{}`", spec.name, key.text)).hint(format!(
            "`{}` belongs to {}",
            key.text,
            others.join(", ")
        ));
    }
    let known: Vec<&str> =
        spec.keys.iter().chain(fields::COMMON).filter(|known| !matches!(known.ty, KeyType::Later)).map(|known| known.name).collect();
    Diagnostic::error("DEF103", &key.place, format!("unknown key `{}` in a field of type `{}`", key.text, spec.name))
        .near(nearest(&key.text, known.iter().copied()))
        .hint(format!("keys: {}", known.join(", ")))
}

/// Events a script can name as its trigger.
pub const TRIGGERS: &[&str] = &["before_save", "before_delete", "after_write", "after_commit", "button", "automation"];

fn check_trigger(node: &Node, faults: &mut Vec<Diagnostic>) {
    if node.is_map() {
        const SCHEDULE: &[KeySpec] = &[
            super::must("schedule", KeyType::Text, "Five cron fields, `0 8 * * 1-5`."),
            super::key("tz", KeyType::Text, "IANA time zone; the workspace's when left out."),
            super::with("missed", KeyType::OneOf(&Missed::WORDS), "once", "What becomes of times at which nothing ran."),
        ];
        check_object(node, SCHEDULE, "a trigger", false, faults);
    } else {
        check_one_of(node, TRIGGERS, faults);
    }
}
