//! E-mail, for administrators: what was sent and what became of it, looking at templates, tests, addresses that take nothing.

use std::collections::HashMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::entry::unkept;
use super::page::{Page, address};
use super::post::Post;
use crate::access::AccessError;
use crate::base::{Locale, RecordId};
use crate::jobs::mails as sending;
use crate::record::{RecordError, parse_id};
use crate::render::context::{Choice, Crumb, MailPage, MailRow, MailStopRow, MailTemplatePage, MailTemplateRow, MailsPage, Stamp};
use crate::schema::catalog::Template;
use crate::store::StoreError;
use crate::store::mails::{self, Content, Mail, NewMail, STATES};
use crate::web::{Problem, mailing};

const SHOWN: u32 = 50;
const MOST_STOPS: u32 = 100;

/// `GET /mails`
pub(super) async fn list(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    list_page(&page, StatusCode::OK, None, None).await
}

async fn list_page(page: &Page, status: StatusCode, to: Option<&str>, error: Option<String>) -> Result<Response, Problem> {
    let store = page.state.records.store();
    let state = page.params.get("state").filter(|state| STATES.contains(state));
    let before = page.params.get("before").and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let mut found = mails::list(store, state, before, SHOWN + 1).await.map_err(failed)?;
    let has_more = found.len() > SHOWN as usize;
    found.truncate(SHOWN as usize);
    let stops = mails::stops(store, MOST_STOPS).await.map_err(failed)?;
    let ids: Vec<i64> = found.iter().filter(|mail| !mail.is_secret).map(|mail| mail.id).chain(stops.iter().map(|stop| stop.mail)).collect();
    let contents: HashMap<i64, Content> = mails::contents(store, &ids).await.map_err(failed)?.into_iter().collect();
    let mut older: Vec<(String, String)> = state.map(|state| ("state".to_owned(), state.to_owned())).into_iter().collect();
    older.extend(found.last().map(|last| ("before".to_owned(), last.id.to_string())));
    let choice = |value: Option<&str>| Choice {
        value: value.unwrap_or("").to_owned(),
        label: page.say(&value.map_or("jobs-all".to_owned(), |value| format!("mail-state-{value}")), &[]),
        selected: state == value,
        ..Choice::default()
    };
    let catalog = page.catalog.whole();
    let templates = catalog.templates.iter().map(|template| MailTemplateRow {
        id: template.id.clone(),
        href: format!("/mails/templates/{}", template.id),
        label: template.label.get(page.ui.locale).to_owned(),
        entity: catalog.entity(template.entity).label.get(page.ui.locale).to_owned(),
        languages: template.subject.0.keys().cloned().collect::<Vec<_>>().join(", "),
    });
    let context = MailsPage {
        shell: page.shell(&page.say("mails-title", &[]), ":mails", Vec::new()),
        has_server: page.state.automation.post().mailer.is_some(),
        states: std::iter::once(None).chain(STATES.map(Some)).map(choice).collect(),
        rows: found.iter().map(|mail| row(page, mail, contents.get(&mail.id))).collect(),
        older_href: has_more.then(|| address("/mails", &older)),
        templates: templates.collect(),
        stops: stops
            .iter()
            .map(|stop| MailStopRow {
                address: contents.get(&stop.mail).map(|content| content.address.clone()).unwrap_or_default(),
                href: format!("/mails/{}", stop.mail),
                error: stop.error.clone().unwrap_or_default(),
                at: Stamp::new(stop.made_at, &page.ui, page.messages()),
            })
            .collect(),
        to: to.map_or_else(|| own_address(page), str::to_owned),
        error,
    };
    Ok(unkept(page.html(status, "page/mails", &context)?))
}

fn own_address(page: &Page) -> String {
    page.requester.identity().map(|identity| identity.email.clone()).unwrap_or_default()
}

fn row(page: &Page, mail: &Mail, content: Option<&Content>) -> MailRow {
    let to = content
        .map(|content| if content.name.is_empty() { content.address.clone() } else { format!("{} <{}>", content.name, content.address) });
    MailRow {
        id: mail.id.to_string(),
        href: format!("/mails/{}", mail.id),
        to: to.unwrap_or_default(),
        subject: content.map(|content| content.subject.clone()).unwrap_or_default(),
        source: mail.source.clone(),
        state: mail.state.clone(),
        state_text: page.say(&format!("mail-state-{}", mail.state), &[]),
        attempts: mail.attempts,
        error: mail.error.clone().unwrap_or_default(),
        at: Stamp::new(mail.sent_at.unwrap_or(mail.made_at), &page.ui, page.messages()),
    }
}

/// `GET /mails/{id}`
pub(super) async fn mail(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    let store = page.state.records.store();
    let mail = mails::get(store, id).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
    // What lets somebody in is for them alone.
    let content =
        if mail.is_secret { None } else { mails::contents(store, &[id]).await.map_err(failed)?.pop().map(|(_, content)| content) };
    let shown = row(&page, &mail, content.as_ref());
    let catalog = page.catalog.whole();
    let about = mail.about.as_ref().and_then(|(uid, record)| {
        let entity = catalog.entities.iter().find(|entity| entity.uid == *uid)?;
        Some((entity.slug.clone(), RecordId(*record).display(&entity.prefix)))
    });
    let record = match about {
        None => None,
        Some((slug, id)) => {
            let title = page.titles(std::iter::once(id.as_str())).await?.get(&id).cloned().unwrap_or_else(|| id.clone());
            Some((format!("/records/{slug}/{id}"), title))
        }
    };
    let crumb = Crumb { label: page.say("mails-title", &[]), href: Some("/mails".to_owned()) };
    let title = if shown.subject.is_empty() { page.say("mail-forgotten", &[]) } else { shown.subject.clone() };
    let context = MailPage {
        shell: page.shell(&title, ":mails", vec![crumb]),
        row: shown,
        message: mail.message.clone(),
        run_href: mail.step.as_ref().map(|(run, _)| format!("/automations/runs/{run}")),
        record,
        can_send: content.is_some() && mail.state != "waiting",
        has_content: content.is_some(),
        html: content.as_ref().and_then(|content| content.html.clone()),
        text: content.map(|content| content.text).unwrap_or_default(),
    };
    Ok(unkept(page.html(StatusCode::OK, "page/mail", &context)?))
}

/// `POST /mails/{id}/send`: once more, with the same `Message-ID`.
pub(super) async fn send_again(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    acting(&page)?;
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    match sending::send_again(page.state.records.store(), id).await.map_err(failed)? {
        Some(_) => Ok(page.go(&format!("/mails/{id}?done=mail-sent"))),
        None => Err(Problem::not_found()),
    }
}

/// `POST /mails/test`
pub(super) async fn test(page: Page, post: Post) -> Result<Response, Problem> {
    acting(&page)?;
    let to = post.get("to").trim().to_owned();
    let content = mailing::test(page.messages(), &page.catalog, page.ui.locale);
    match queue(&page, None, Content { address: to.clone(), ..content }).await? {
        true => Ok(page.go("/mails?done=mail-sent")),
        false => list_page(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(&to), Some(page.say("mail-no-address", &[]))).await,
    }
}

/// `POST /mails/release`: an address that took nothing is written to again.
pub(super) async fn release(page: Page, post: Post) -> Result<Response, Problem> {
    acting(&page)?;
    match sending::release(page.state.records.store(), post.get("address")).await.map_err(failed)? {
        true => Ok(page.go("/mails?done=mail-released")),
        false => list_page(&page, StatusCode::UNPROCESSABLE_ENTITY, None, Some(page.say("mail-not-held", &[]))).await,
    }
}

/// `GET /mails/templates/{template}`
pub(super) async fn template(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let template = find(&page, &id)?;
    let record = page.params.get("record").unwrap_or("").trim().to_owned();
    let language = page.params.get("language").unwrap_or("").to_owned();
    template_page(&page, StatusCode::OK, &template, &record, &language, None).await
}

/// `POST /mails/templates/{template}/test`
pub(super) async fn test_template(page: Page, Path(id): Path<String>, post: Post) -> Result<Response, Problem> {
    acting(&page)?;
    let template = find(&page, &id)?;
    let (record, language, to) = (post.get("record").trim().to_owned(), post.get("language").to_owned(), post.get("to").trim().to_owned());
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let Ok(content) = look(&page, &template, &record, &language).await? else {
        return template_page(&page, status, &template, &record, &language, None).await;
    };
    match queue(&page, Some(template.id.clone()), Content { address: to, ..content }).await? {
        true => Ok(page.go("/mails?done=mail-sent")),
        false => template_page(&page, status, &template, &record, &language, Some(page.say("mail-no-address", &[]))).await,
    }
}

async fn template_page(
    page: &Page,
    status: StatusCode,
    template: &Template,
    record: &str,
    language: &str,
    error: Option<String>,
) -> Result<Response, Problem> {
    let looked = if record.is_empty() { Err(String::new()) } else { look(page, template, record, language).await? };
    let (content, fault) = match looked {
        Ok(content) => (Some(content), None),
        Err(fault) => (None, Some(fault).filter(|fault| !fault.is_empty())),
    };
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { status };
    let chosen = chosen(page, language);
    let catalog = page.catalog.whole();
    let entity = catalog.entity(template.entity);
    let crumb = Crumb { label: page.say("mails-title", &[]), href: Some("/mails".to_owned()) };
    let has_content = content.is_some();
    let content = content.unwrap_or_default();
    let context = MailTemplatePage {
        shell: page.shell(template.label.get(page.ui.locale), ":mails", vec![crumb]),
        id: template.id.clone(),
        entity: entity.label_plural.get(page.ui.locale).to_owned(),
        entity_href: format!("/records/{}", entity.slug),
        record: record.to_owned(),
        languages: Locale::ALL
            .into_iter()
            .map(|locale| Choice {
                value: locale.tag().to_owned(),
                label: page.say(&format!("mail-in-{}", locale.tag()), &[]),
                selected: locale == chosen,
                ..Choice::default()
            })
            .collect(),
        has_content,
        subject: content.subject,
        text: content.text,
        html: content.html,
        has_server: page.state.automation.post().mailer.is_some(),
        to: own_address(page),
        error: error.or(fault),
    };
    Ok(unkept(page.html(status, "page/mail-template", &context)?))
}

fn chosen(page: &Page, language: &str) -> Locale {
    Locale::of_tag(language).unwrap_or(page.ui.locale)
}

/// What a template says about a record; an error is what the administrator is told.
async fn look(page: &Page, template: &Template, record: &str, language: &str) -> Result<Result<Content, String>, Problem> {
    let catalog = page.catalog.whole();
    let missing = || page.say("mail-no-record", &[]);
    let Some(id) = parse_id(&catalog, template.entity, record) else { return Ok(Err(missing())) };
    match mailing::written(&page.state, &page.actor, &catalog, template, id, chosen(page, language)).await {
        Ok(content) => Ok(Ok(content)),
        Err(RecordError::NotFound { .. }) => Ok(Err(missing())),
        Err(RecordError::State { message }) => Ok(Err(message)),
        Err(other) => Err(other.into()),
    }
}

/// Has a test sent; `false`: nobody can be written to there.
async fn queue(page: &Page, template: Option<String>, content: Content) -> Result<bool, Problem> {
    let mailer = mailing::mailer(&page.state)?;
    let new = NewMail { domain: mailer.domain().to_owned(), source: sending::TEST.to_owned(), template, content, ..NewMail::default() };
    Ok(sending::send(page.state.records.store(), new).await.map_err(failed)?.is_some())
}

fn find(page: &Page, id: &str) -> Result<Template, Problem> {
    page.catalog.whole().templates.iter().find(|template| template.id == id).cloned().ok_or_else(Problem::not_found)
}

/// An administrator who acts; who looks through somebody's eyes does not.
fn acting(page: &Page) -> Result<(), Problem> {
    page.requester.administrator()?;
    if page.actor.only_looks {
        return Err(AccessError::OnlyLooks.into());
    }
    Ok(())
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
