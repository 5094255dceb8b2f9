//! A script alone: given records, no database.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::case::{Act, Case, Lone};
use super::compare;
use super::report::Failure;
use crate::base::{Explain, Value};
use crate::schema::catalog::{Catalog, Entity, FieldType, Script};
use crate::schema::field_type;
use crate::script::{self, Context, Input, Kind, NoHost, Outcome, Pool, RecordData, ScriptError, ScriptSource};

pub(super) async fn run(catalog: &Arc<Catalog>, pool: &Pool, case: &Case) -> Result<(), Failure> {
    let faults = match attempt(catalog, pool, case).await {
        Ok((script, outcome)) => judge(catalog, script, case, outcome),
        Err(fault) => vec![fault],
    };
    if faults.is_empty() { Ok(()) } else { Err(case.failure(faults)) }
}

/// Runs the script; an error here is a fault of the case itself.
async fn attempt<'c>(catalog: &'c Arc<Catalog>, pool: &Pool, case: &Case) -> Result<(&'c Script, Result<Outcome, ScriptError>), String> {
    let Act::Script(given) = &case.act else { return Err("the case runs no script".to_owned()) };
    let Lone { script, rec, old, payload } = given.as_ref();
    let script = find_script(catalog, script.as_deref(), &case.file)?;
    let entity = script.entity.map(|ix| catalog.entity(ix));
    let source = ScriptSource {
        id: &script.id,
        file: &script.file,
        text: &script.source,
        kind: Kind::of(&script.trigger),
        entity: script.entity,
        limits: script.limits,
    };
    let compiled =
        script::compile(&source, catalog).map_err(|faults| faults.first().map_or_else(String::new, |fault| fault.message.clone()))?;
    let read = |json: &Json, what: &str| match (entity, json) {
        (_, Json::Null) => Ok(None),
        (None, _) => Err(format!("`{}` runs on a schedule: there is no `{what}`", script.id)),
        (Some(entity), json) => record(catalog, entity, json).map(Some).map_err(|fault| format!("given {what}: {fault}")),
    };
    let (record, old) = (read(rec, "rec")?, read(old, "old")?);
    let event = match (&record, &old) {
        (None, _) => "schedule",
        (Some(_), None) => "create",
        (Some(_), Some(_)) => "update",
    };
    let input = Input {
        catalog: Arc::clone(catalog),
        context: Context {
            now: case.now,
            time_zone: catalog.settings.time_zone.clone(),
            currency: catalog.settings.currency,
            user: String::new(),
            event: event.to_owned(),
            chain: Vec::new(),
            payload: payload.clone(),
            seed: 1,
        },
        record,
        old,
    };
    let running = pool.run(move || script::run(&compiled, input, Box::new(NoHost))).map_err(|error| error.to_string())?;
    let outcome = running.await.map_err(|_| "the script broke off".to_owned())?;
    Ok((script, outcome))
}

/// The script a case means: by full id, by its name in the package, or the one whose `tests:` file this is.
fn find_script<'c>(catalog: &'c Catalog, name: Option<&str>, file: &str) -> Result<&'c Script, String> {
    let package = file.split('/').nth(1).unwrap_or_default();
    let found = match name {
        Some(name) => catalog.scripts.iter().find(|script| script.id == name || script.id == format!("{package}.{name}")),
        None => {
            let mut of_package = catalog.scripts.iter().filter(|script| script.package == package);
            let stem = file.rsplit('/').next().and_then(|last| last.split('.').next()).unwrap_or_default();
            let named = catalog.scripts.iter().find(|script| script.id == format!("{package}.{stem}"));
            named.or_else(|| of_package.next().filter(|_| of_package.next().is_none()))
        }
    };
    found.ok_or_else(|| match name {
        Some(name) => format!("there is no script `{name}`"),
        None => "say which script: `script: package.name`".to_owned(),
    })
}

/// A record from API JSON; formulas and other fields nobody can set may be given too.
fn record(catalog: &Catalog, entity: &Entity, json: &Json) -> Result<RecordData, String> {
    let map = json.as_object().ok_or("is not a map")?;
    let mut data = RecordData { entity: entity.ix, id: None, values: vec![Value::Null; entity.fields.len()], children: Vec::new() };
    for (name, json) in map {
        let field = entity.find_field(name).ok_or_else(|| format!("`{}` has no field `{name}`", entity.slug))?;
        match (&field.ty, json) {
            (FieldType::Children { of, .. }, Json::Array(items)) => {
                let child = catalog.entity(*of);
                let items = items.iter().map(|item| record(catalog, child, item)).collect::<Result<Vec<_>, _>>()?;
                data.children.push((field.ix, items));
            }
            _ => {
                let value = value_of(catalog, field, json).map_err(|fault| format!("`{name}` {fault}"))?;
                data.values[field.ix.0 as usize] = value;
            }
        }
    }
    data.id = match map.get("id") {
        Some(Json::String(text)) => crate::record::parse_id(catalog, entity.ix, text),
        _ => None,
    };
    Ok(data)
}

/// A value; money may come with its base amount, which requests cannot set.
fn value_of(catalog: &Catalog, field: &crate::schema::catalog::Field, json: &Json) -> Result<Value, String> {
    let mut plain = json.clone();
    let base = match (&field.ty, plain.as_object_mut()) {
        (FieldType::Money { .. }, Some(map)) => map.remove("base"),
        _ => None,
    };
    let mut value = field_type::parse_json(catalog, field, &plain).map_err(|fault| fault.message)?;
    if let (Value::Money(money), Some(base)) = (&mut value, base) {
        let text = base.as_str().map_or_else(|| base.to_string(), str::to_owned);
        money.base = crate::base::Decimal::parse_any(&text).ok();
    }
    Ok(value)
}

fn judge(catalog: &Catalog, script: &Script, case: &Case, outcome: Result<Outcome, ScriptError>) -> Vec<String> {
    let mut faults = Vec::new();
    let expect = &case.expect;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            if expect.get("error").and_then(Json::as_str).is_none_or(|wanted| wanted != error.code() && !error.message.contains(wanted)) {
                faults.push(format!("{error} [{}]", error.code()));
            }
            return faults;
        }
    };
    if let Some(wanted) = expect.get("error") {
        faults.push(format!("error: expected {wanted}, but the script came to its end"));
    }
    let rejects: Vec<_> = outcome.rejects.iter().map(|issue| (issue.field.clone(), issue.code.clone(), issue.message.clone())).collect();
    let none = Json::Array(Vec::new());
    compare::rejects(expect.get("reject").unwrap_or(&none), &rejects, &mut faults);
    if let Some(wanted) = expect.get("warn") {
        let warnings: Vec<String> = outcome.warnings.iter().map(|issue| issue.message.clone()).collect();
        compare::warnings(wanted, &warnings, &mut faults);
    }
    if let Some(entity) = script.entity.map(|ix| catalog.entity(ix)) {
        let name = |ix: crate::base::FieldIx| entity.field(ix).name.clone();
        if let Some(wanted) = expect.get("changed") {
            let names: Vec<String> = outcome.changed.iter().map(|(ix, _)| name(*ix)).collect();
            compare::changed(wanted, &names, &mut faults);
        }
        if let Some(wanted) = expect.get("values") {
            let values: Map<String, Json> =
                outcome.changed.iter().map(|(ix, value)| (name(*ix), field_type::to_json(catalog, entity.field(*ix), value))).collect();
            compare::differences("values", wanted, &Json::Object(values), &mut faults);
        }
    }
    if let Some(wanted) = expect.get("answer") {
        compare::differences("answer", wanted, &outcome.answer, &mut faults);
    }
    faults
}
