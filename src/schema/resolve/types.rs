//! The type of a written field with its options.

use super::Work;
use super::options::options;
use crate::base::{Currency, Date, Decimal, FieldIx};
use crate::expr::Typed;
use crate::schema::catalog::{FieldType, JsonSchema, MoneyCurrency, OnDelete, Pattern, Reset, ScalarType};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::field_type::{self, auto_number, json, text};
use crate::schema::node::Node;

/// What the type refers to inside of entities (a children's link, a junction's ends) is found by [`super::ends`], when all
/// fields are there.
pub(super) fn field_type(work: &mut Work, node: &Node, package: &str, uid: &str) -> Option<FieldType> {
    let number = |key: &str| node.int(key).and_then(|number| u32::try_from(number).ok());
    let on_delete = |default| match node.text("on_delete") {
        Some("restrict") => OnDelete::Restrict,
        Some("set_null") => OnDelete::SetNull,
        Some("cascade") => OnDelete::Cascade,
        _ => default,
    };
    Some(match node.text("type")? {
        "text" => {
            let (min, max) = (number("min"), number("max").unwrap_or(text::DEFAULT_MAX));
            ordered(work, node, min.map(i64::from), Some(i64::from(max)));
            FieldType::Text { min, max, pattern: pattern(work, node) }
        }
        "long_text" => FieldType::LongText { max: number("max").unwrap_or(field_type::long_text::DEFAULT_MAX) },
        "rich_text" => FieldType::RichText { max: number("max").unwrap_or(field_type::long_text::DEFAULT_MAX) },
        "email" => FieldType::Email,
        "phone" => FieldType::Phone,
        "url" => FieldType::Url,
        "integer" => {
            ordered(work, node, node.int("min"), node.int("max"));
            FieldType::Integer { min: node.int("min"), max: node.int("max") }
        }
        "decimal" => {
            let scale = scale(node, field_type::decimal::DEFAULT_SCALE);
            let (min, max) = limits(work, node, scale);
            FieldType::Decimal { scale, min, max }
        }
        "percent" => {
            let scale = scale(node, field_type::percent::DEFAULT_SCALE);
            let (min, max) = limits(work, node, scale);
            FieldType::Percent { scale, min, max }
        }
        "money" => money(work, node)?,
        "boolean" => FieldType::Boolean,
        "date" => {
            let (min, max) = (node.text("min").and_then(Date::parse), node.text("max").and_then(Date::parse));
            ordered(work, node, min, max);
            FieldType::Date { min, max }
        }
        "datetime" => FieldType::DateTime,
        "time" => FieldType::Time,
        "duration" => {
            ordered(work, node, node.int("min"), node.int("max"));
            FieldType::Duration { min: node.int("min"), max: node.int("max") }
        }
        "select" => FieldType::Select(options(work, node, package, uid)?),
        "multi_select" => FieldType::MultiSelect { options: options(work, node, package, uid)?, max: number("max") },
        "tags" => FieldType::Tags { max: number("max") },
        "link" => FieldType::Link {
            to: work.find_entity(node.get("to")?, package)?,
            on_delete: kept(work, node, on_delete(OnDelete::Restrict)),
            inverse: node.text("inverse").map(str::to_owned),
            filter: None,
        },
        "links" => {
            let to = work.find_entity(node.get("to")?, package)?;
            let through = work.find_entity(node.get("through")?, package)?;
            FieldType::Links { to, through, near: FieldIx(0), far: FieldIx(0) }
        }
        "children" => FieldType::Children { of: work.find_entity(node.get("of")?, package)?, by: FieldIx(0) },
        "any_link" => {
            let mut to = Vec::new();
            for target in node.get("to")?.items() {
                let found = work.find_entity(target, package)?;
                if to.contains(&found) {
                    let fault = Diagnostic::error("DEF201", &target.place, format!("`{}` is named twice", target.as_text().unwrap_or("")));
                    work.fault(fault);
                } else {
                    to.push(found);
                }
            }
            if to.is_empty() {
                let fault = Diagnostic::error("DEF113", &node.get("to")?.place, "a link to any of no entities")
                    .hint("name at least one entity: `to: [crm.account]`");
                work.fault(fault);
                return None;
            }
            FieldType::AnyLink { to, on_delete: kept(work, node, on_delete(OnDelete::Restrict)) }
        }
        "user" => FieldType::User { to: *work.by_id.get("core.user")?, on_delete: kept(work, node, on_delete(OnDelete::SetNull)) },
        "address" => FieldType::Address,
        "person_name" => FieldType::PersonName,
        "geo" => FieldType::Geo,
        "rating" => {
            FieldType::Rating { max: node.int("max").and_then(|max| u8::try_from(max).ok()).unwrap_or(field_type::rating::DEFAULT_MAX) }
        }
        "color" => FieldType::Color,
        "json" => FieldType::Json { schema: json_schema(work, node) },
        "auto_number" => auto_number(work, node)?,
        "formula" => {
            FieldType::Formula { returns: returns(work, node)?, expr: Typed::always(), stored: node.flag("stored").unwrap_or(true) }
        }
        "rollup" => FieldType::Rollup {
            of: FieldIx(0),
            aggregate: Typed::always(),
            returns: returns(work, node).unwrap_or(ScalarType::Integer),
            stored: node.flag("stored").unwrap_or(true),
        },
        "lookup" => FieldType::Lookup { via: FieldIx(0), field: FieldIx(0), returns: ScalarType::Text },
        "file" => FieldType::File {
            max_count: number("max_count").unwrap_or(field_type::file::DEFAULT_MAX_COUNT),
            max_size_bytes: node
                .int("max_size")
                .and_then(|mb| u64::try_from(mb).ok())
                .map_or(field_type::file::DEFAULT_MAX_SIZE, |mb| mb << 20),
            accept: node
                .get("accept")
                .map(Node::one_or_many)
                .unwrap_or_default()
                .into_iter()
                .filter_map(Node::as_text)
                .map(str::to_owned)
                .collect(),
        },
        "image" => FieldType::Image {
            max_count: number("max_count").unwrap_or(field_type::image::DEFAULT_MAX_COUNT),
            max_size_bytes: node
                .int("max_size")
                .and_then(|mb| u64::try_from(mb).ok())
                .map_or(field_type::image::DEFAULT_MAX_SIZE, |mb| mb << 20),
        },
        _ => return None,
    })
}

/// A required link cannot be emptied.
fn kept(work: &mut Work, node: &Node, on_delete: OnDelete) -> OnDelete {
    if on_delete == OnDelete::SetNull
        && node.flag("required") == Some(true)
        && let Some(written) = node.get("on_delete")
    {
        let fault = Diagnostic::error("DEF304", &written.place, "a required link cannot be set to null when the linked record is deleted")
            .hint("use `restrict` or `cascade`, or take `required` out");
        work.fault(fault);
    }
    // The default of a user field gives way to `required`.
    if on_delete == OnDelete::SetNull && node.flag("required") == Some(true) { OnDelete::Restrict } else { on_delete }
}

fn scale(node: &Node, default: u8) -> u8 {
    node.int("scale").and_then(|scale| u8::try_from(scale).ok()).filter(|scale| *scale <= 9).unwrap_or(default)
}

fn ordered<T: PartialOrd + std::fmt::Display>(work: &mut Work, node: &Node, min: Option<T>, max: Option<T>) {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let place = node.get("min").map_or(&node.place, |node| &node.place).clone();
        work.fault(
            Diagnostic::error("DEF305", &place, format!("`min` {min} is greater than `max` {max}"))
                .hint("no value could be saved: exchange the two"),
        );
    }
}

fn limits(work: &mut Work, node: &Node, scale: u8) -> (Option<Decimal>, Option<Decimal>) {
    let mut read = |key: &str| {
        let written = node.get(key)?;
        let text = written.scalar_text()?;
        match Decimal::parse(&text, scale) {
            Ok(number) => Some(number),
            Err(error) => {
                let fault = Diagnostic::error("DEF109", &written.place, format!("`{key}: {text}` {error}"))
                    .hint(format!("the field keeps {scale} decimal places"));
                work.fault(fault);
                None
            }
        }
    };
    let (min, max) = (read("min"), read("max"));
    ordered(work, node, min, max);
    (min, max)
}

fn money(work: &mut Work, node: &Node) -> Option<FieldType> {
    let (currency, digits) = match node.get("currency") {
        None => (MoneyCurrency::Record, work.catalog.settings.currency.digits()),
        Some(written) if written.as_text() == Some("record") => (MoneyCurrency::Record, work.catalog.settings.currency.digits()),
        Some(written) => {
            let code: Currency = super::settings::currency(work, written)?;
            (MoneyCurrency::Fixed(code), code.digits())
        }
    };
    let scale = scale(node, digits).min(field_type::money::MAX_SCALE);
    let (min, max) = limits(work, node, scale);
    Some(FieldType::Money { scale, currency, min, max })
}

fn pattern(work: &mut Work, node: &Node) -> Option<Pattern> {
    let written = node.get("pattern")?;
    match text::compile_pattern(written.as_text()?) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let fault = Diagnostic::error("DEF306", &written.place, format!("this is no regular expression: {error}"))
                .hint("look-around and back references are not supported; in YAML put a pattern in single quotes");
            work.fault(fault);
            None
        }
    }
}

fn json_schema(work: &mut Work, node: &Node) -> Option<JsonSchema> {
    let written = node.get("schema")?;
    match json::compile_schema(&written.to_json()) {
        Ok(schema) => Some(schema),
        Err(error) => {
            work.fault(
                Diagnostic::error("DEF307", &written.place, format!("this is no JSON Schema: {error}"))
                    .hint("draft 2020-12; `$ref` reaches only inside the schema"),
            );
            None
        }
    }
}

fn auto_number(work: &mut Work, node: &Node) -> Option<FieldType> {
    let format = node.text("format").unwrap_or("{seq}").to_owned();
    if let (Err((at, error)), Some(written)) = (auto_number::parse_format(&format), node.get("format")) {
        let place = work.inside(written, at..at + 1);
        work.fault(Diagnostic::error("DEF308", &place, error).hint("placeholders: {yyyy}, {yy}, {mm}, {dd}, {seq} and {seq:5}"));
        return None;
    }
    let reset = match node.text("reset") {
        Some("yearly") => Reset::Yearly,
        Some("monthly") => Reset::Monthly,
        Some("daily") => Reset::Daily,
        _ => Reset::Never,
    };
    Some(FieldType::AutoNumber { format, reset })
}

/// The result type of a formula or rollup.
fn returns(work: &mut Work, node: &Node) -> Option<ScalarType> {
    let given = node.int("scale").and_then(|scale| u8::try_from(scale).ok());
    Some(match node.text("returns")? {
        "text" => ScalarType::Text,
        "integer" => ScalarType::Integer,
        "decimal" => ScalarType::Decimal { scale: given.unwrap_or(2) },
        "percent" => ScalarType::Percent { scale: given.unwrap_or(2) },
        "money" => ScalarType::Money { scale: given.unwrap_or(work.catalog.settings.currency.digits()).min(6) },
        "boolean" => ScalarType::Boolean,
        "date" => ScalarType::Date,
        "datetime" => ScalarType::DateTime,
        "time" => ScalarType::Time,
        "duration" => ScalarType::Duration,
        _ => return None,
    })
}
