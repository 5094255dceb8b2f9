//! The host functions: what a script calls to read, write, refuse and tell.

use std::borrow::Cow;
use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, Map};
use sha2::{Digest, Sha256};

use super::call::{self, Call, Failure, failure};
use super::host::{Aggregate, Find};
use super::input::Issue;
use super::limits::STRING_BYTES;
use super::types::Record;
use super::types::record::Standing;
use super::{text, value};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity};

/// Records of one `find`, when the script does not say.
const DEFAULT_LIMIT: u32 = 100;
/// Records of one `find`, at most.
const MAX_LIMIT: u32 = 1_000;

pub(super) fn register(engine: &mut Engine) {
    register_reading(engine);
    register_writing(engine);
    register_telling(engine);
    register_text(engine);
}

fn register_reading(engine: &mut Engine) {
    engine
        .register_fn("find", |entity: &str| find(entity, "", &Map::new(), &Map::new()))
        .register_fn("find", |entity: &str, filter: &str| find(entity, filter, &Map::new(), &Map::new()))
        .register_fn("find", |entity: &str, filter: &str, values: Map| find(entity, filter, &values, &Map::new()))
        .register_fn("find", |entity: &str, filter: &str, values: Map, options: Map| find(entity, filter, &values, &options))
        .register_fn("first", |entity: &str, filter: &str| first(entity, filter, &Map::new(), Map::new()))
        .register_fn("first", |entity: &str, filter: &str, values: Map| first(entity, filter, &values, Map::new()))
        .register_fn("first", |entity: &str, filter: &str, values: Map, options: Map| first(entity, filter, &values, options))
        .register_fn("count", |entity: &str| count(entity, "", &Map::new()))
        .register_fn("count", |entity: &str, filter: &str| count(entity, filter, &Map::new()))
        .register_fn("count", |entity: &str, filter: &str, values: Map| count(entity, filter, &values))
        .register_fn("get", |entity: &str, id: &str| get(entity, id))
        .register_fn("get", |_: &str, (): ()| Dynamic::UNIT)
        .register_fn("aggregate", |entity: &str, question: Map| aggregate(entity, &question));
}

fn register_writing(engine: &mut Engine) {
    engine
        .register_fn("create", |entity: &str, values: Map| create(entity, &values))
        .register_fn("update", |entity: &str, id: &str, values: Map| {
            let (entity, id) = call::with(|call| named_record(call, entity, id))?;
            update(entity, id, &values)
        })
        .register_fn("update", |record: Record, values: Map| update(record.entity().ix, stored(&record)?, &values))
        .register_fn("delete", |entity: &str, id: &str| {
            let (entity, id) = call::with(|call| named_record(call, entity, id))?;
            delete(entity, id)
        })
        .register_fn("delete", |record: Record| delete(record.entity().ix, stored(&record)?))
        .register_fn("enqueue", |script: &str, payload: Dynamic| enqueue(script, &payload, 0))
        .register_fn("enqueue", |script: &str, payload: Dynamic, delay_s: i64| enqueue(script, &payload, delay_s));
}

fn register_telling(engine: &mut Engine) {
    engine
        .register_fn("reject", |message: &str| issue(true, "", "rejected", message))
        .register_fn("reject", |field: &str, code: &str, message: &str| issue(true, field, code, message))
        .register_fn("warn", |message: &str| issue(false, "", "warning", message))
        .register_fn("warn", |field: &str, code: &str, message: &str| issue(false, field, code, message))
        .register_fn("log", |message: Dynamic| call::with(|call| call.log(&message.to_string())))
        .register_fn("uuid", || {
            call::with(|call| {
                let (high, low) = (call.random_u64(), call.random_u64());
                let (high, low) = (high & !0xf000 | 0x4000, low & !(0b11 << 62) | 1 << 63);
                Ok(format!(
                    "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                    high >> 32,
                    high >> 16 & 0xffff,
                    high & 0xffff,
                    low >> 48,
                    low & 0xffff_ffff_ffff
                ))
            })
        });
    // Overrides of rhai's own, which would block the thread or write to the standard output.
    engine
        .register_fn("sleep", |_: i64| -> Result<(), Failure> {
            Err(failure("a script cannot sleep: use `enqueue` to do something later"))
        })
        .register_fn("sleep", |_: rust_decimal::Decimal| -> Result<(), Failure> { Err(failure("a script cannot sleep")) });
}

fn register_text(engine: &mut Engine) {
    engine
        .register_fn("fold", |text: &str| crate::base::text::fold(text))
        .register_fn("digits", |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>())
        .register_fn("join", |items: Array, separator: &str| join(&items, separator))
        .register_fn("matches", matches)
        .register_fn("hash", |text: &str| {
            Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
                use std::fmt::Write;
                // Writing to a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        })
        .register_fn("to_json", |value: Dynamic| value::to_json(&value).map(|json| json.to_string()))
        .register_fn("parse_json", |text: &str| {
            crate::base::json::parse(text.as_bytes())
                .map(|json| value::from_json(&json))
                .map_err(|error| failure(format!("the text is no JSON: {error}")))
        });
}

fn entity<'a>(call: &'a Call, name: &str) -> Result<&'a Entity, Failure> {
    call.catalog.find_entity_in(&call.package, name).ok_or_else(|| failure(format!("there is no entity `{name}`")))
}

fn named_record(call: &Call, name: &str, id: &str) -> Result<(EntityIx, RecordId), Failure> {
    let entity = entity(call, name)?;
    Ok((entity.ix, parse_id(entity, id)?))
}

fn parse_id(entity: &Entity, text: &str) -> Result<RecordId, Failure> {
    match RecordId::parse(text) {
        Some((prefix, id)) if prefix == entity.prefix => Ok(id),
        _ => Err(failure(format!("`{text}` is no id of a {}", entity.slug))),
    }
}

fn stored(record: &Record) -> Result<RecordId, Failure> {
    record.id().ok_or_else(|| failure(format!("this {} is not written yet", record.entity().slug)))
}

/// The filter with its `:names` replaced.
fn bind(filter: &str, values: &Map) -> Result<String, Failure> {
    let mut wrong = None;
    let bound = text::bind_filter(filter, |name| {
        let literal = value::literal(values.get(name)?);
        match literal {
            Ok(text) => Some(Cow::Owned(text)),
            Err(error) => {
                wrong.replace(error);
                None
            }
        }
    });
    match (bound, wrong) {
        (_, Some(error)) => Err(error),
        (Ok(filter), None) => Ok(filter),
        (Err(error), None) => Err(failure(error.message)),
    }
}

fn wrap(catalog: &Arc<Catalog>, found: Vec<super::RecordData>) -> Dynamic {
    Dynamic::from_array(found.into_iter().map(|data| Dynamic::from(Record::new(catalog, data, Standing::Stored))).collect())
}

fn texts(value: Option<&Dynamic>, what: &str) -> Result<Vec<String>, Failure> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if value.is_string() {
        return Ok(vec![value.to_string()]);
    }
    let items = value.read_lock::<Array>().ok_or_else(|| failure(format!("`{what}` must be a text or a list of texts")))?;
    Ok(items.iter().map(Dynamic::to_string).collect())
}

fn limit(options: &Map) -> Result<u32, Failure> {
    match options.get("limit") {
        None => Ok(DEFAULT_LIMIT),
        Some(value) => match value.as_int().ok().and_then(|limit| u32::try_from(limit).ok()) {
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            _ => Err(failure(format!("`limit` must be a number from 1 to {MAX_LIMIT}"))),
        },
    }
}

fn known_options(options: &Map, known: &[&str]) -> Result<(), Failure> {
    match options.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(failure(format!("unknown option `{name}`: known are {}", known.join(", ")))),
        None => Ok(()),
    }
}

fn find(name: &str, filter: &str, values: &Map, options: &Map) -> Result<Dynamic, Failure> {
    known_options(options, &["sort", "limit"])?;
    let request =
        Find { entity: EntityIx(0), filter: bind(filter, values)?, sort: texts(options.get("sort"), "sort")?, limit: limit(options)? };
    call::with(|call| {
        let entity = entity(call, name)?.ix;
        // One more than allowed shows that the limit was reached.
        let limit = request.limit.min(call.rows_left().saturating_add(1));
        let found = call.ask(false, |host| host.find(Find { entity, limit, ..request }))?;
        call.count_rows(found.len())?;
        Ok(wrap(&call.catalog, found))
    })
}

fn first(name: &str, filter: &str, values: &Map, mut options: Map) -> Result<Dynamic, Failure> {
    options.insert("limit".into(), Dynamic::from(1_i64));
    let mut found = find(name, filter, values, &options)?.into_array().unwrap_or_default();
    Ok(found.pop().unwrap_or(Dynamic::UNIT))
}

fn count(name: &str, filter: &str, values: &Map) -> Result<i64, Failure> {
    let filter = bind(filter, values)?;
    call::with(|call| {
        let entity = entity(call, name)?.ix;
        let question = Aggregate { entity, filter, group: Vec::new(), measures: vec![("n".to_owned(), "count()".to_owned())], limit: 1 };
        let groups = call.ask(false, |host| host.aggregate(question))?;
        Ok(groups.first().and_then(|group| group.first()).and_then(|(_, value)| value.as_int()).unwrap_or(0))
    })
}

fn get(name: &str, id: &str) -> Result<Dynamic, Failure> {
    call::with(|call| {
        let (entity, id) = named_record(call, name, id)?;
        let found = call.ask(false, |host| host.get(entity, id))?;
        call.count_rows(1)?;
        Ok(found.map_or(Dynamic::UNIT, |data| Dynamic::from(Record::new(&call.catalog, data, Standing::Stored))))
    })
}

fn aggregate(name: &str, question: &Map) -> Result<Dynamic, Failure> {
    known_options(question, &["filter", "values", "group", "measures", "limit"])?;
    let values = question.get("values").and_then(|values| values.clone().try_cast::<Map>()).unwrap_or_default();
    let filter = question.get("filter").map(Dynamic::to_string).unwrap_or_default();
    let measures = question.get("measures").and_then(|measures| measures.clone().try_cast::<Map>());
    let measures = measures.unwrap_or_else(|| Map::from([("count".into(), "count()".into())]));
    let request = Aggregate {
        entity: EntityIx(0),
        filter: bind(&filter, &values)?,
        group: texts(question.get("group"), "group")?,
        measures: measures.iter().map(|(name, measure)| (name.to_string(), measure.to_string())).collect(),
        limit: limit(question)?,
    };
    call::with(|call| {
        let entity = entity(call, name)?.ix;
        let groups = call.ask(false, |host| host.aggregate(Aggregate { entity, ..request }))?;
        call.count_rows(groups.len())?;
        let rows = groups
            .iter()
            .map(|group| Dynamic::from_map(group.iter().map(|(name, value)| (name.as_str().into(), value::plain(value))).collect::<Map>()));
        Ok(Dynamic::from_array(rows.collect()))
    })
}

/// The values of a map literal for an entity's fields.
fn field_values(catalog: &Catalog, entity: &Entity, values: &Map) -> Result<Vec<(FieldIx, Value)>, Failure> {
    let mut fitting = Vec::with_capacity(values.len());
    for (name, new) in values {
        let field = entity.find_field(name).ok_or_else(|| failure(format!("`{}` has no field `{name}`", entity.slug)))?;
        fitting.push((field.ix, value::from_dynamic(catalog, field, new, &Value::Null)?));
    }
    Ok(fitting)
}

fn may_write(call: &Call) -> Result<(), Failure> {
    if call.kind.may_write() {
        return Ok(());
    }
    Err(failure(format!("a {} script cannot write other records: use after_write or after_commit", call.kind.word())))
}

/// The workspace's currency is needed while converting, so values are converted outside the borrow of the call.
fn catalog_for_writing() -> Result<Arc<Catalog>, Failure> {
    call::with(|call| may_write(call).map(|()| Arc::clone(&call.catalog)))
}

fn create(name: &str, values: &Map) -> Result<Dynamic, Failure> {
    let catalog = catalog_for_writing()?;
    let ix = call::with(|call| Ok(entity(call, name)?.ix))?;
    let values = field_values(&catalog, catalog.entity(ix), values)?;
    call::with(|call| {
        let data = call.ask(true, |host| host.create(ix, values))?;
        Ok(Dynamic::from(Record::new(&catalog, data, Standing::Stored)))
    })
}

fn update(entity: EntityIx, id: RecordId, values: &Map) -> Result<Dynamic, Failure> {
    let catalog = catalog_for_writing()?;
    let values = field_values(&catalog, catalog.entity(entity), values)?;
    call::with(|call| {
        let data = call.ask(true, |host| host.update(entity, id, values))?;
        Ok(Dynamic::from(Record::new(&catalog, data, Standing::Stored)))
    })
}

fn delete(entity: EntityIx, id: RecordId) -> Result<(), Failure> {
    call::with(|call| {
        may_write(call)?;
        call.ask(true, |host| host.delete(entity, id))
    })
}

fn enqueue(script: &str, payload: &Dynamic, delay_s: i64) -> Result<(), Failure> {
    let payload = value::to_json(payload)?;
    if !(0..=366 * 86_400).contains(&delay_s) {
        return Err(failure("the delay must be between 0 seconds and a year"));
    }
    call::with(|call| {
        may_write(call)?;
        call.ask(true, |host| host.enqueue(script, payload, delay_s))
    })
}

fn issue(is_reject: bool, field: &str, code: &str, message: &str) -> Result<(), Failure> {
    call::with(|call| {
        if is_reject && !call.kind.may_reject() {
            return Err(failure(format!("a {} script cannot reject: what it follows has happened", call.kind.word())));
        }
        let short: String = message.chars().take(1_000).collect();
        call.issue(is_reject, Issue { field: field.to_owned(), code: code.to_owned(), message: short })
    })
}

fn join(items: &Array, separator: &str) -> Result<String, Failure> {
    let mut joined = String::new();
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&item.to_string());
        if joined.len() > STRING_BYTES {
            return Err(failure("the joined text is too long"));
        }
    }
    Ok(joined)
}

/// Linear-time matching; the pattern's size is bounded.
fn matches(text: &str, pattern: &str) -> Result<bool, Failure> {
    let regex = regex::RegexBuilder::new(pattern).size_limit(64 * 1024).dfa_size_limit(256 * 1024).build();
    regex.map(|regex| regex.is_match(text)).map_err(|_| {
        let short: String = pattern.chars().take(60).collect();
        failure(format!("`{short}` is no pattern, or too large a one"))
    })
}
