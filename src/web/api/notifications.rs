//! What a person was told: their own lines, read or not.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::head::Head;
use super::paging::{MOST, Paging, bad_parameter};
use crate::access::AccessError;
use crate::record::RecordError;
use crate::render::Ui;
use crate::store::{StoreError, notifications};
use crate::web::Problem;
use crate::web::notified::{Reader, Told};

/// `GET /notifications`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    let person = head.requester.identity()?.user.0;
    let params = head.params(&["unread", "before", "limit"])?;
    let unread = match params.get("unread") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(bad_parameter("unread", "must be true or false")),
    };
    let paging = Paging::read(&params, "a notification", MOST)?;
    let store = head.state.records.store();
    let mut lines = notifications::list(store, person, unread, paging.before.unwrap_or(i64::MAX), paging.wanted()).await.map_err(failed)?;
    let next = paging.cut(&mut lines, |line| line.id);
    let ui = Ui { locale: head.requester.locale, zone: head.actor.time_zone.clone(), now: head.state.clock.now() };
    let reader = Reader {
        state: &head.state,
        requester: &head.requester,
        actor: &head.actor,
        catalog: &head.catalog,
        ui: &ui,
        messages: head.state.messages(),
    };
    let data: Vec<Value> = reader.told(lines).await?.iter().map(to_json).collect();
    let count = notifications::unread(store, person).await.map_err(failed)?;
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next": next, "unread": count })))
}

fn to_json(told: &Told) -> Value {
    json!({
        "id": told.line.id.to_string(), "text": told.text, "record": told.record.as_ref().map(|(_, id, _)| id),
        "title": told.record.as_ref().map(|(_, _, title)| title), "source": told.line.source, "at": told.line.at.to_string(),
        "read_at": told.line.read_at.map(|at| at.to_string()),
    })
}

/// `POST /notifications/read`: all of them.
pub(super) async fn read_all(head: Head) -> Result<Response, Problem> {
    mark(&head, None, true).await
}

/// `POST /notifications/{id}/read`
pub(super) async fn read(head: Head) -> Result<Response, Problem> {
    let id = head.part("id").parse().map_err(|_| Problem::not_found())?;
    mark(&head, Some(id), true).await
}

/// `POST /notifications/{id}/unread`
pub(super) async fn unread(head: Head) -> Result<Response, Problem> {
    let id = head.part("id").parse().map_err(|_| Problem::not_found())?;
    mark(&head, Some(id), false).await
}

async fn mark(head: &Head, id: Option<i64>, is_read: bool) -> Result<Response, Problem> {
    let person = head.signed_in()?.user.0;
    if head.actor.only_looks {
        return Err(AccessError::OnlyLooks.into());
    }
    let marked = head.state.records.store().write(move |tx| Box::pin(async move { notifications::mark(tx, person, id, is_read).await }));
    match marked.await.map_err(failed)? {
        true => Ok(answer::empty(StatusCode::NO_CONTENT)),
        false => Err(Problem::not_found()),
    }
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
