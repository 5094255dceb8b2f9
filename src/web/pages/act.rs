//! Deleting, restoring, and the buttons of definitions.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::form_model::whole_message;
use super::page::{Page, SAID_COOKIE, encode};
use super::post::Post;
use super::record::record_page;
use crate::automation::run_button;
use crate::record::{RecordError, Source, WriteOptions, parse_id};
use crate::render::Arg;
use crate::render::context::{ConfirmPage, Crumb, Notice};
use crate::schema::catalog::Entity;
use crate::web::Problem;

/// `GET /records/{entity}/{id}/delete`: asks first.
pub(super) async fn delete_page(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    confirm(&page, entity, &id_text, StatusCode::OK, None).await
}

async fn confirm(page: &Page, entity: &Entity, id_text: &str, status: StatusCode, error: Option<String>) -> Result<Response, Problem> {
    parse_id(&page.catalog, entity.ix, id_text).ok_or_else(Problem::not_found)?;
    let titles = page.titles(std::iter::once(id_text)).await?;
    let title = titles.get(id_text).ok_or_else(Problem::not_found)?;
    let href = format!("/records/{}/{id_text}", entity.slug);
    let head = page.head(entity);
    let heading = page.say("delete-title", &[("title", Arg::Text(title))]);
    let context = ConfirmPage {
        shell: page.shell(
            &page.say("action-delete", &[]),
            &entity.slug,
            vec![page.entity_crumb(entity), Crumb { label: title.clone(), href: Some(href.clone()) }],
        ),
        title: heading,
        text: page.say(if entity.features.soft_delete { "delete-to-bin" } else { "delete-for-good" }, &[]),
        action: format!("{href}/delete"),
        confirm_label: page.say("delete-confirm", &[("entity", Arg::Text(&head.label))]),
        cancel_href: href,
        version: String::new(),
        must_confirm: page.must_confirm(entity),
        error,
    };
    page.html(status, "page/confirm", &context)
}

/// `POST /records/{entity}/{id}/delete`
pub(super) async fn delete(mut page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let unproved = page.confirm_given(&post).await?;
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    if unproved.is_some() {
        return confirm(&page, entity, &id_text, StatusCode::UNPROCESSABLE_ENTITY, unproved).await;
    }
    let version = match post.get("_version").parse().ok() {
        None if entity.requires_if_match => Some(current_version(&page, entity, &id_text).await?),
        version => version,
    };
    let options = WriteOptions::from(Source::Form).if_match(version);
    match page.state.records.delete(&page.actor, &page.catalog, entity.ix, id, options).await {
        Ok(_) if entity.features.soft_delete => {
            Ok(page.go(&format!("/records/{slug}?done=deleted&undo={}", encode(&format!("/records/{slug}/{id_text}")))))
        }
        Ok(_) => Ok(page.go(&format!("/records/{slug}?done=removed"))),
        Err(error) => match whole_message(&page, &error) {
            Some(message) => confirm(&page, entity, &id_text, StatusCode::CONFLICT, Some(message)).await,
            None => Err(error.into()),
        },
    }
}

/// `GET /records/{entity}/{id}/erase`: asks first.
pub(super) async fn erase_page(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let entity = page.entity(&slug)?;
    confirm_erase(&page, entity, &id_text, StatusCode::OK, None).await
}

async fn confirm_erase(
    page: &Page,
    entity: &Entity,
    id_text: &str,
    status: StatusCode,
    error: Option<String>,
) -> Result<Response, Problem> {
    let titles = page.titles(std::iter::once(id_text)).await?;
    let title = titles.get(id_text).ok_or_else(Problem::not_found)?;
    let href = format!("/records/{}/{id_text}", entity.slug);
    let context = ConfirmPage {
        shell: page.shell(
            &page.say("action-erase", &[]),
            &entity.slug,
            vec![page.entity_crumb(entity), Crumb { label: title.clone(), href: Some(href.clone()) }],
        ),
        title: page.say("erase-title", &[("title", Arg::Text(title))]),
        text: page.say("erase-text", &[]),
        action: format!("{href}/erase"),
        confirm_label: page.say("erase-confirm", &[]),
        cancel_href: href,
        version: String::new(),
        must_confirm: !page.requester.is_fresh,
        error,
    };
    page.html(status, "page/confirm", &context)
}

/// `POST /records/{entity}/{id}/erase`
pub(super) async fn erase(mut page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let unproved = page.confirm(&post).await?;
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    if unproved.is_some() {
        return confirm_erase(&page, entity, &id_text, StatusCode::UNPROCESSABLE_ENTITY, unproved).await;
    }
    match page.state.records.erase(&page.actor, entity.ix, id).await {
        Ok(_) => Ok(page.go(&format!("/records/{slug}/{id_text}?done=erased"))),
        Err(error) => match whole_message(&page, &error) {
            Some(message) => confirm_erase(&page, entity, &id_text, StatusCode::CONFLICT, Some(message)).await,
            None => Err(error.into()),
        },
    }
}

async fn current_version(page: &Page, entity: &Entity, id_text: &str) -> Result<i64, Problem> {
    let id = parse_id(&page.catalog, entity.ix, id_text).ok_or_else(Problem::not_found)?;
    let params = crate::query::Params(vec![("select".to_owned(), "id,version".to_owned())]);
    let request = crate::query::parse_get(&page.catalog, entity.ix, id, &params)?;
    let row = page.state.records.get(&page.actor, &page.catalog, request).await?;
    Ok(row.ok_or_else(Problem::not_found)?.version())
}

/// `POST /records/{entity}/{id}/restore`
pub(super) async fn restore(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    match page.state.records.restore(&page.actor, &page.catalog, entity.ix, id, WriteOptions::from(Source::Form)).await {
        Ok(_) | Err(RecordError::State { .. }) => Ok(page.go(&format!("/records/{slug}/{id_text}?done=restored"))),
        Err(error) => Err(error.into()),
    }
}

/// `POST /records/{entity}/{id}/actions/{name}`: presses a button.
pub(super) async fn press(page: Page, Path((slug, id_text, name)): Path<(String, String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    if !entity.buttons.iter().any(|button| button.id == name) {
        return Err(Problem::not_found());
    }
    let state = &page.state;
    match run_button(&state.automation, &state.records, &page.actor, entity.ix, id, &name, serde_json::Value::Null).await {
        Ok(done) => {
            let message = done.answer.as_str().or_else(|| done.answer.get("message").and_then(serde_json::Value::as_str)).unwrap_or("");
            let opened = done
                .answer
                .get("open")
                .and_then(serde_json::Value::as_str)
                .and_then(|id| crate::render::show::record_href(&page.catalog, id));
            let mut response = page.go(&format!("{}?done=button", opened.unwrap_or_else(|| format!("/records/{slug}/{id_text}"))));
            let message: String = message.chars().take(300).collect();
            let cookie = format!("{SAID_COOKIE}={}; Path=/records; HttpOnly; SameSite=Lax; Max-Age=10", encode(&message));
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Err(error) => {
            let faults: Vec<String> = error.faults().iter().map(|fault| page.fault_text(fault)).collect();
            let text = if faults.is_empty() { whole_message(&page, &error) } else { Some(faults.join(" ")) };
            let Some(text) = text else { return Err(error.into()) };
            let notice = Notice { kind: "error".to_owned(), text, detail: None, action: None };
            record_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(notice)).await
        }
    }
}
