//! Answers a script's questions from inside the unit of work.

use serde_json::{Map, Value as Json};

use super::bridge::{Answer, Question};
use super::jobs::script_job;
use super::translate::{data_of, host_error, query_error};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::query::{CursorKey, Paging, full_select, parse_aggregate_json, parse_list_json};
use crate::record::{Draft, Input, RecordError, RecordTx, Saved, Source, WriteOptions};
use crate::script::{Aggregate, Find, HostError, RecordData};

/// Rows one statement reads at most; more are read in several.
const PAGE: u32 = 500;

pub(super) async fn answer(tx: &mut RecordTx<'_>, draft: Option<&Draft>, question: Question) -> Result<Answer, HostError> {
    match question {
        Question::Find(request) => find(tx, request).await.map(Answer::Records),
        Question::Get(entity, id) => {
            let found = tx.get(entity, id).await.map_err(|error| host_error(&error))?;
            Ok(Answer::Records(found.into_iter().map(data_of).collect()))
        }
        Question::Aggregate(request) => aggregate(tx, &request).await.map(Answer::Groups),
        Question::Children(entity, id, field) => {
            let found = match draft {
                Some(draft) if draft.entity == entity && draft.id == id => tx.draft_children(draft, field).await,
                _ => tx.children(entity, id, field).await,
            };
            Ok(Answer::Records(found.map_err(|error| host_error(&error))?.into_iter().map(data_of).collect()))
        }
        Question::Create(entity, values) => {
            begin(tx).await?;
            let written = tx.create(entity, input_of(values), &WriteOptions::from(Source::Script)).await;
            let saved = end(tx, written).await?;
            read_back(tx, entity, saved.id).await
        }
        Question::Update(entity, id, values) => {
            begin(tx).await?;
            let written = tx.update(entity, id, input_of(values), &WriteOptions::from(Source::Script)).await;
            end(tx, written).await?;
            read_back(tx, entity, id).await
        }
        Question::Delete(entity, id) => {
            begin(tx).await?;
            let written = tx.delete(entity, id, &WriteOptions::from(Source::Script)).await;
            end(tx, written).await?;
            Ok(Answer::Nothing)
        }
        Question::Enqueue { handler, payload, delay_s } => enqueue(tx, &handler, payload, delay_s).await,
    }
}

fn input_of(values: Vec<(FieldIx, Value)>) -> Input {
    let mut input = Input::new();
    for (field, value) in values {
        input.set(field, value);
    }
    input
}

/// Each write is a part that is undone on its own when it fails: the script may catch the error and go on.
async fn begin(tx: &mut RecordTx<'_>) -> Result<(), HostError> {
    tx.begin_part().await.map_err(|error| host_error(&error))
}

async fn end(tx: &mut RecordTx<'_>, written: Result<Saved, RecordError>) -> Result<Saved, HostError> {
    match written {
        Ok(saved) => {
            tx.keep_part().await.map_err(|error| host_error(&error))?;
            Ok(saved)
        }
        Err(error) => {
            tx.rollback_part().await.map_err(|error| host_error(&error))?;
            Err(host_error(&error))
        }
    }
}

async fn read_back(tx: &mut RecordTx<'_>, entity: EntityIx, id: RecordId) -> Result<Answer, HostError> {
    let found = tx.get(entity, id).await.map_err(|error| host_error(&error))?;
    Ok(Answer::Records(found.into_iter().map(data_of).collect()))
}

async fn find(tx: &mut RecordTx<'_>, request: Find) -> Result<Vec<RecordData>, HostError> {
    // A script finds what the one it acts for may know of.
    let catalog = tx.actor().sees(tx.catalog());
    let entity = catalog.entity(request.entity);
    let mut body = Map::new();
    if !request.filter.is_empty() {
        body.insert("filter".to_owned(), Json::String(request.filter));
    }
    if !request.sort.is_empty() {
        body.insert("sort".to_owned(), request.sort.into());
    }
    // No cursor is read or given, so the key that signs them does not matter.
    let key = CursorKey::from_secret(b"scripts page by offset");
    let mut list = parse_list_json(&catalog, &key, entity.ix, &Json::Object(body)).map_err(|faults| query_error(&faults))?;
    list.select = full_select(entity);
    let mut found = Vec::new();
    while found.len() < request.limit as usize {
        let skipped = u32::try_from(found.len()).unwrap_or(u32::MAX);
        list.limit = PAGE.min(request.limit - skipped);
        list.paging = Paging::Offset(skipped);
        let page = tx.find(list.clone()).await.map_err(|error| host_error(&error))?;
        let before = found.len();
        found.extend(page.iter().map(|row| RecordData {
            entity: entity.ix,
            id: Some(row.id()),
            values: entity.fields.iter().map(|field| row.value(field.ix).unwrap_or_default()).collect(),
            children: Vec::new(),
        }));
        if found.len() - before < list.limit as usize {
            break;
        }
    }
    Ok(found)
}

async fn aggregate(tx: &mut RecordTx<'_>, request: &Aggregate) -> Result<Vec<Vec<(String, Value)>>, HostError> {
    let catalog = tx.actor().sees(tx.catalog());
    let measures: Map<String, Json> =
        request.measures.iter().map(|(name, measure)| (name.clone(), Json::String(measure.clone()))).collect();
    let mut body = Map::from_iter([("measures".to_owned(), Json::Object(measures)), ("limit".to_owned(), request.limit.into())]);
    if !request.filter.is_empty() {
        body.insert("filter".to_owned(), request.filter.as_str().into());
    }
    if !request.group.is_empty() {
        body.insert("group".to_owned(), request.group.clone().into());
    }
    let question = parse_aggregate_json(&catalog, request.entity, &Json::Object(body)).map_err(|faults| query_error(&faults))?;
    tx.aggregate(question).await.map_err(|error| host_error(&error))
}

async fn enqueue(tx: &mut RecordTx<'_>, handler: &str, payload: Json, delay_s: i64) -> Result<Answer, HostError> {
    let catalog = tx.catalog().clone();
    if !catalog.scripts.iter().any(|script| script.id == handler) {
        return Err(HostError::new("AUT244", format!("there is no script `{handler}`")));
    }
    let job = script_job(&catalog, handler, payload, delay_s, tx.now(), tx.actor(), tx.chain());
    crate::jobs::enqueue(tx.store(), &job).await.map_err(|error| host_error(&error.into()))?;
    Ok(Answer::Nothing)
}
