//! From the parts of a path to entities, ids and unique keys. What is not there answers 404, always the same.

use crate::base::RecordId;
use crate::query::Params;
use crate::query::error::nearest;
use crate::record::parse_id;
use crate::schema::catalog::{Catalog, Entity};
use crate::web::Problem;

/// The entity of a path.
pub(super) fn entity<'a>(catalog: &'a Catalog, slug: &str) -> Result<&'a Entity, Problem> {
    let found = catalog.by_slug.get(slug).map(|ix| catalog.entity(*ix));
    found.ok_or_else(|| {
        let problem = Problem::new("REC001", format!("unknown entity `{}`", shorten(slug)));
        match nearest(slug, catalog.by_slug.keys().map(String::as_str)) {
            Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
            None => problem,
        }
    })
}

/// The record of a path. An id of another entity or no id at all is a record that does not exist.
pub(super) fn record_id(catalog: &Catalog, entity: &Entity, text: &str) -> Result<RecordId, Problem> {
    parse_id(catalog, entity.ix, text).ok_or_else(|| no_record(entity, text))
}

/// The one 404 for records: not there, deleted, or not to be seen.
pub(super) fn no_record(entity: &Entity, text: &str) -> Problem {
    Problem::new("REC002", format!("no {} with the id `{}`", entity.slug, shorten(text)))
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(80).chain(['…']).collect() }
}

/// The parameters of the URL, which may be no others than `known`.
pub(super) fn only_params(query: Option<&str>, known: &[&str]) -> Result<Params, Problem> {
    let params = params(query)?;
    for (position, (name, _)) in params.0.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            let message = format!("unknown parameter `{}`", shorten(name));
            let mut problem = Problem::new("QRY001", message.clone()).with_fault(name.as_str(), "QRY001", message, serde_json::json!({}));
            problem.hint = match nearest(name, known.iter().copied()) {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None if known.is_empty() => Some("this address takes no parameters".into()),
                None => Some(format!("known here: {}", known.join(", "))),
            };
            return Err(problem);
        }
        if params.0[..position].iter().any(|(other, _)| other == name) {
            let message = format!("parameter `{name}` is given twice");
            return Err(Problem::new("QRY002", message.clone()).with_fault(name.as_str(), "QRY002", message, serde_json::json!({})));
        }
    }
    Ok(params)
}

/// The parameters of the URL; a null character is refused before anything reads them.
pub(super) fn params(query: Option<&str>) -> Result<Params, Problem> {
    let params = query.map(Params::parse).unwrap_or_default();
    if params.0.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        return Err(Problem::new("WEB400", "the address contains a null character"));
    }
    Ok(params)
}

/// The parameters as they were written: what requests are remembered by. A null character is refused, as in [`params`].
pub(super) fn query_text(query: Option<&str>) -> Result<&str, Problem> {
    let text = query.unwrap_or("");
    // Only `%00` decodes to one; a raw one is no part of any address.
    if text.contains("%00") || text.contains('\0') {
        return Err(Problem::new("WEB400", "the address contains a null character"));
    }
    Ok(text)
}

/// A whole number within bounds.
pub(super) fn number(params: &Params, name: &str, default: i64, range: std::ops::RangeInclusive<i64>) -> Result<i64, Problem> {
    let Some(text) = params.get(name) else { return Ok(default) };
    let readable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    readable.then(|| text.parse::<i64>().ok()).flatten().filter(|number| range.contains(number)).ok_or_else(|| {
        let message = format!("`{name}` must be a whole number from {} to {}", range.start(), range.end());
        Problem::new("QRY003", message.clone()).with_fault(
            name,
            "QRY003",
            message,
            serde_json::json!({ "min": range.start(), "max": range.end() }),
        )
    })
}
