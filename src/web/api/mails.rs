//! E-mail, for administrators: what was sent and what became of it, sending once more, looking at templates, addresses that
//! take nothing.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::head::Head;
use super::identity::{bad, read_object};
use super::paging::Paging;
use crate::base::{Locale, RecordId};
use crate::jobs::mails as sending;
use crate::record::RecordError;
use crate::schema::catalog::{Catalog, Template};
use crate::store::StoreError;
use crate::store::mails::{self, Content, Mail, NewMail, STATES};
use crate::web::{Problem, mailing};

const MOST: i64 = 200;
/// Addresses told at most.
const MOST_STOPS: u32 = 200;

/// `GET /mails`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    head.requester.administrator()?;
    let params = head.params(&["state", "before", "limit"])?;
    let state = params.get("state");
    if state.is_some_and(|state| !STATES.contains(&state)) {
        return Err(bad_parameter("state", &format!("must be one of {}", STATES.join(", "))));
    }
    let paging = Paging::read(&params, "an e-mail", MOST)?;
    let store = head.state.records.store();
    let mut found = mails::list(store, state, paging.before.unwrap_or(i64::MAX), paging.wanted()).await.map_err(failed)?;
    let next = paging.cut(&mut found, |one| one.id);
    let data: Vec<Value> = found.iter().map(|mail| to_json(&head.catalog, mail)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next": next })))
}

/// `GET /mails/{id}`: with who it is to and what it says, as long as that is kept.
pub(super) async fn get(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let id = head.part("id").parse().map_err(|_| Problem::not_found())?;
    let store = head.state.records.store();
    let mail = mails::get(store, id).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
    // What lets somebody in is for them alone.
    let content = if mail.is_secret { None } else { mails::contents(store, &[id]).await.map_err(failed)?.pop() };
    let mut told = to_json(&head.catalog, &mail);
    told["content"] = content.map_or(Value::Null, |(_, content)| content_json(&content));
    Ok(unkept(answer::json(StatusCode::OK, &told)))
}

/// `POST /mails/{id}/send`: once more, with the same `Message-ID`.
pub(super) async fn send_again(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let id = head.part("id").parse().map_err(|_| Problem::not_found())?;
    match sending::send_again(head.state.records.store(), id).await.map_err(failed)? {
        Some(_) => Ok(answer::empty(StatusCode::ACCEPTED)),
        None => Err(Problem::not_found()),
    }
}

/// `GET /mails/templates`
pub(super) async fn templates(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let catalog = head.catalog.whole();
    let data: Vec<Value> = catalog.templates.iter().map(|template| template_json(&catalog, template)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /mails/preview`: what a template says about a record; nothing is sent.
pub(super) async fn preview(head: Head, body: Body) -> Result<Response, Problem> {
    head.administrator()?;
    let asked = read_object(&head, body, &["template", "record", "language"]).await?;
    let locale = language(&head, &asked)?;
    let template = template(&head, &asked)?.ok_or_else(|| bad("/template", "must be the id of a template"))?;
    let record = record(&head, &asked, &template)?;
    let content = written(&head, &template, record, locale).await?;
    Ok(unkept(answer::json(StatusCode::OK, &content_json(&content))))
}

/// `POST /mails/test`: to an address, from a template about a record or saying nothing.
pub(super) async fn test(head: Head, body: Body) -> Result<Response, Problem> {
    head.administrator()?;
    let asked = read_object(&head, body, &["to", "template", "record", "language"]).await?;
    let to = text(&asked, "to")?.ok_or_else(|| bad("/to", "must be an address"))?.trim().to_owned();
    let locale = language(&head, &asked)?;
    let template = template(&head, &asked)?;
    let content = match &template {
        Some(template) => written(&head, template, record(&head, &asked, template)?, locale).await?,
        None => mailing::test(head.state.messages(), &head.catalog, locale),
    };
    let mailer = mailing::mailer(&head.state)?;
    let new = NewMail {
        domain: mailer.domain().to_owned(),
        source: sending::TEST.to_owned(),
        template: template.map(|template| template.id),
        content: Content { address: to, ..content },
        ..NewMail::default()
    };
    let id = sending::send(head.state.records.store(), new).await.map_err(failed)?;
    let id = id.ok_or_else(|| bad("/to", "is no address of an e-mail"))?;
    Ok(answer::json(StatusCode::ACCEPTED, &json!({ "id": id.to_string() })))
}

/// `GET /mails/stops`
pub(super) async fn stops(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let store = head.state.records.store();
    let found = mails::stops(store, MOST_STOPS).await.map_err(failed)?;
    let ids: Vec<i64> = found.iter().map(|stop| stop.mail).collect();
    let contents = mails::contents(store, &ids).await.map_err(failed)?;
    let data: Vec<Value> = found
        .iter()
        .map(|stop| {
            let address = contents.iter().find(|(id, _)| *id == stop.mail).map(|(_, content)| content.address.as_str());
            json!({
                "address": address, "mail": stop.mail.to_string(), "status": stop.status, "error": stop.error,
                "made_at": stop.made_at.to_string(),
            })
        })
        .collect();
    Ok(unkept(answer::json(StatusCode::OK, &json!({ "data": data }))))
}

/// `POST /mails/stops/release`
pub(super) async fn release(head: Head, body: Body) -> Result<Response, Problem> {
    head.administrator()?;
    let asked = read_object(&head, body, &["address"]).await?;
    let address = text(&asked, "address")?.ok_or_else(|| bad("/address", "must be an address"))?;
    let released = sending::release(head.state.records.store(), address).await.map_err(failed)?;
    Ok(answer::json(StatusCode::OK, &json!({ "released": released })))
}

fn text<'a>(asked: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(&format!("/{name}"), "must be a text")),
    }
}

fn language(head: &Head, asked: &Map<String, Value>) -> Result<Locale, Problem> {
    match text(asked, "language")? {
        None => Ok(head.catalog.settings.locale),
        Some(tag) => Locale::of_tag(tag).ok_or_else(|| bad("/language", "must be one of en, zh-CN, zh-TW")),
    }
}

fn template(head: &Head, asked: &Map<String, Value>) -> Result<Option<Template>, Problem> {
    let Some(id) = text(asked, "template")? else { return Ok(None) };
    let found = head.catalog.whole().templates.iter().find(|template| template.id == id).cloned();
    found.map(Some).ok_or_else(|| bad("/template", "there is no such template"))
}

fn record(head: &Head, asked: &Map<String, Value>, template: &Template) -> Result<RecordId, Problem> {
    let id = text(asked, "record")?.ok_or_else(|| bad("/record", "must be the id of a record"))?;
    let found = crate::record::parse_id(&head.catalog.whole(), template.entity, id);
    found.ok_or_else(|| bad("/record", "is no id of a record that the template is about"))
}

async fn written(head: &Head, template: &Template, record: RecordId, locale: Locale) -> Result<Content, Problem> {
    let catalog = head.catalog.whole();
    Ok(mailing::written(&head.state, &head.actor, &catalog, template, record, locale).await?)
}

fn to_json(catalog: &Catalog, mail: &Mail) -> Value {
    let about = mail.about.as_ref().and_then(|(uid, record)| {
        let entity = catalog.entities.iter().find(|entity| entity.uid == *uid)?;
        Some((entity.slug.clone(), RecordId(*record).display(&entity.prefix)))
    });
    json!({
        "id": mail.id.to_string(), "message": mail.message, "source": mail.source, "template": mail.template,
        "entity": about.as_ref().map(|(entity, _)| entity), "record": about.as_ref().map(|(_, id)| id),
        "state": mail.state, "attempts": mail.attempts, "status": mail.status, "error": mail.error,
        "run": mail.step.as_ref().map(|(run, _)| run.to_string()), "made_at": mail.made_at.to_string(),
        "sent_at": mail.sent_at.map(|at| at.to_string()),
    })
}

fn content_json(content: &Content) -> Value {
    json!({ "name": content.name, "to": content.address, "subject": content.subject, "text": content.text, "html": content.html })
}

fn template_json(catalog: &Catalog, template: &Template) -> Value {
    let languages: Vec<&String> = template.subject.0.keys().collect();
    json!({
        "id": template.id, "label": template.label.0, "entity": catalog.entity(template.entity).slug, "languages": languages,
        "html": !template.html.is_empty(),
    })
}

fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

fn bad_parameter(name: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the parameters cannot be understood").with_fault(name, "bad_parameter", message, json!({}))
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
