//! Everything that is kept about one record: what a person who asks for their data is given.
//!
//! The record, also when it lies in the recycle bin; its history; every record that points to it, with its own history;
//! and what the audit says of it.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::TransferError;
use crate::access::Actor;
use crate::base::{RecordId, json as strict};
use crate::record::{HistoryEntry, RecordError, Records};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType};
use crate::store::approvals as store;
use crate::store::audit::{self, Entry, Filter};

/// Records and saves read at once.
const STRIDE: u32 = 100;

/// The whole, as one JSON document. Taking it is audited.
///
/// # Errors
/// `TRF005` when there is no such record; the database.
pub async fn subject(records: &Records, catalog: &Arc<Catalog>, actor: &Actor, id: &str) -> Result<Json, TransferError> {
    let unknown = || TransferError::Data { place: format!("record `{id}`"), message: "there is no such record".into() };
    let (prefix, record) = RecordId::parse(id).ok_or_else(unknown)?;
    let entity = catalog.by_prefix.get(prefix).map(|ix| catalog.entity(*ix)).ok_or_else(unknown)?;
    let Some(row) = records.get_url(actor, catalog, entity.ix, record, deleted(entity)).await? else { return Err(unknown()) };
    let mut text = String::new();
    row.write_json(&mut text);
    audit::note(records.store(), Entry::new("subject.export").on(&entity.id, record.0)).await.map_err(RecordError::from)?;
    let mut linked = Vec::new();
    for (other, field) in pointing(catalog, entity) {
        let found = records_with(records, catalog, actor, other, field, id).await?;
        if !found.is_empty() {
            linked.push(json!({"entity": other.id, "field": field.name, "classes": classes(other), "records": found}));
        }
    }
    let filter = Filter { record: Some(record.0), ..Filter::default() };
    let entries = audit::list(records.store(), &filter, None, audit::LONGEST_EXPORT).await.map_err(RecordError::from)?;
    Ok(json!({
        "taken_at": records.clock().now().to_string(),
        "entity": entity.id,
        "id": id,
        "classes": classes(entity),
        "record": read(&text),
        "history": history(records, catalog, actor, entity, record).await?,
        "stages": stages(records, catalog, actor, entity, record).await?,
        "approvals": approvals(records, catalog, entity, record).await?,
        "linked": linked,
        "audit": audit::to_json(&entries),
    }))
}

/// Which fields say something of a person, and how sensitive that is.
fn classes(entity: &Entity) -> Map<String, Json> {
    entity.fields.iter().filter_map(|field| Some((field.name.clone(), field.class?.name().into()))).collect()
}

/// Fields of other entities (and of its own) whose values can be this record.
fn pointing<'a>(catalog: &'a Catalog, entity: &'a Entity) -> impl Iterator<Item = (&'a Entity, &'a Field)> {
    // Who made or changed a record is told by its history; it does not make the record theirs.
    let points = |field: &Field| match &field.ty {
        _ if field.is_system => false,
        FieldType::Link { to, .. } | FieldType::User { to, .. } => *to == entity.ix,
        FieldType::AnyLink { to, .. } => to.contains(&entity.ix),
        _ => false,
    };
    catalog.entities.iter().flat_map(move |other| other.fields.iter().filter(move |field| points(field)).map(move |field| (other, field)))
}

/// All records of `entity` whose `field` is the record `id`, each with its history.
async fn records_with(
    records: &Records,
    catalog: &Arc<Catalog>,
    actor: &Actor,
    entity: &Entity,
    field: &Field,
    id: &str,
) -> Result<Vec<Json>, TransferError> {
    let filter = format!("{} = '{id}'", field.name);
    let bin = deleted(entity).strip_prefix("deleted=").unwrap_or("live");
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let query = query(&filter, bin, cursor.as_deref());
        let page = records.list_url(actor, catalog, entity.ix, &query).await?;
        for row in page.iter() {
            let mut text = String::new();
            row.write_json(&mut text);
            let past = history(records, catalog, actor, entity, row.id()).await?;
            let stages = stages(records, catalog, actor, entity, row.id()).await?;
            let approvals = approvals(records, catalog, entity, row.id()).await?;
            found.push(json!({"record": read(&text), "history": past, "stages": stages, "approvals": approvals}));
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(found),
        }
    }
}

fn query(filter: &str, deleted: &str, cursor: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("filter", filter).append_pair("limit", &STRIDE.to_string()).append_pair("deleted", deleted);
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    query.finish()
}

async fn history(
    records: &Records,
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    record: RecordId,
) -> Result<Vec<Json>, TransferError> {
    let mut entries = Vec::new();
    if !entity.features.history {
        return Ok(entries);
    }
    let mut cursor: Option<String> = None;
    loop {
        let page = records.history(actor, entity.ix, record, cursor.as_deref(), STRIDE).await?;
        entries.extend(page.entries.iter().map(|entry| entry_json(catalog, entry)));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(entries),
        }
    }
}

/// The stages it went through; none where the entity has no pipeline.
async fn stages(
    records: &Records,
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    record: RecordId,
) -> Result<Vec<Json>, TransferError> {
    if entity.pipelines.is_empty() {
        return Ok(Vec::new());
    }
    let people = catalog.find_entity("core.user");
    let stays = records.stages(actor, entity.ix, record).await?;
    let told = stays.iter().map(|stay| {
        json!({
            "pipeline": stay.pipeline,
            "from": stay.from,
            "to": stay.to,
            "at": stay.at.to_string(),
            "by": stay.by.map(|user| people.map_or_else(|| user.0.to_string(), |entity| user.display(&entity.prefix))),
            "reason": stay.reason,
        })
    });
    Ok(told.collect())
}

/// What was asked to be approved of it, with what people wrote; none where nothing can be.
async fn approvals(records: &Records, catalog: &Catalog, entity: &Entity, record: RecordId) -> Result<Vec<Json>, TransferError> {
    if entity.approvals.is_empty() {
        return Ok(Vec::new());
    }
    let person = |id: i64| {
        let shown = catalog.find_entity("core.user").map(|people| RecordId(id).display(&people.prefix));
        Some(id).filter(|id| *id != 0).and(shown)
    };
    let requests = store::of_record(records.store(), record).await.map_err(RecordError::from)?;
    let ids: Vec<i64> = requests.iter().map(|request| request.id).collect();
    let parts = if ids.is_empty() { Vec::new() } else { store::parts(records.store(), &ids).await.map_err(RecordError::from)? };
    let told = requests.iter().map(|request| {
        let mut values = Map::new();
        for (uid, value) in read(&request.seen).as_object().into_iter().flatten() {
            let name = entity.fields.iter().find(|field| field.uid == *uid).map_or(uid.as_str(), |field| field.name.as_str());
            values.insert(name.to_owned(), value.clone());
        }
        let own = parts.iter().filter(|part| part.request == request.id);
        let own: Vec<Json> = own
            .map(|part| {
                json!({
                    "step": part.step, "person": person(part.person.0), "state": part.state, "decided_by": person(part.decided_by),
                    "comment": part.comment, "at": part.decided_at.map(|at| at.to_string()),
                })
            })
            .collect();
        json!({
            "approval": request.approval, "state": request.state, "asked_by": person(request.asked_by),
            "at": request.asked_at.to_string(), "comment": request.comment, "values": values, "people": own,
        })
    });
    Ok(told.collect())
}

fn entry_json(catalog: &Catalog, entry: &HistoryEntry) -> Json {
    let people = catalog.find_entity("core.user");
    let changes: Map<String, Json> =
        entry.changes.iter().map(|change| (change.field.clone(), json!({"old": change.old, "new": change.new}))).collect();
    json!({
        "version": entry.version,
        "kind": entry.kind,
        "at": entry.at.to_string(),
        "by": entry.by.map(|user| people.map_or_else(|| user.0.to_string(), |entity| user.display(&entity.prefix))),
        "source": entry.source,
        "changes": changes,
    })
}

/// Records in the recycle bin count, where there is one.
fn deleted(entity: &Entity) -> &'static str {
    if entity.features.soft_delete { "deleted=all" } else { "deleted=live" }
}

fn read(text: &str) -> Json {
    strict::parse(text.as_bytes()).unwrap_or_default()
}
