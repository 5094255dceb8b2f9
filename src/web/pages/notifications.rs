//! What a person was told: the page behind the bell.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::RENDERER;
use super::page::{Page, address};
use crate::access::AccessError;
use crate::record::RecordError;
use crate::render::context::{NotificationRow, NotificationsPage, Stamp};
use crate::store::{StoreError, notifications};
use crate::web::Problem;
use crate::web::notified::{Reader, Told};

const SHOWN: u32 = 50;

/// `GET /notifications`
pub(super) async fn list(page: Page) -> Result<Response, Problem> {
    let person = page.requester.identity()?.user.0;
    let unread = page.params.get("show") == Some("unread");
    let before = page.params.get("before").and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let mut lines = notifications::list(page.state.records.store(), person, unread, before, SHOWN + 1).await.map_err(failed)?;
    let has_more = lines.len() > SHOWN as usize;
    lines.truncate(SHOWN as usize);
    let mut older: Vec<(String, String)> = Vec::new();
    older.extend(unread.then(|| ("show".to_owned(), "unread".to_owned())));
    older.extend(lines.last().map(|line| ("before".to_owned(), line.id.to_string())));
    let reader = Reader {
        state: &page.state,
        requester: &page.requester,
        actor: &page.actor,
        catalog: &page.catalog,
        ui: &page.ui,
        messages: RENDERER.messages(),
    };
    let rows = reader.told(lines).await?.into_iter().map(|told| row(&page, told)).collect();
    let context = NotificationsPage {
        shell: page.shell(&page.say("notifications-title", &[]), ":notifications", Vec::new()),
        rows,
        only_unread: unread,
        older_href: has_more.then(|| address("/notifications", &older)),
    };
    page.html(StatusCode::OK, "page/notifications", &context)
}

fn row(page: &Page, told: Told) -> NotificationRow {
    NotificationRow {
        id: told.line.id.to_string(),
        text: told.text,
        title: told.record.as_ref().map(|(_, _, title)| title.clone()).unwrap_or_default(),
        href: told.record.map(|(slug, id, _)| format!("/records/{slug}/{id}")),
        at: Stamp::new(told.line.at, &page.ui, page.messages()),
        is_read: told.line.read_at.is_some(),
    }
}

/// `POST /notifications/read`: all of them.
pub(super) async fn read_all(page: Page) -> Result<Response, Problem> {
    mark(&page, None, true).await?;
    Ok(page.go("/notifications"))
}

/// `POST /notifications/{id}/read`, `…/unread`
pub(super) async fn act(page: Page, Path((id, act)): Path<(String, String)>) -> Result<Response, Problem> {
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    let is_read = match act.as_str() {
        "read" => true,
        "unread" => false,
        _ => return Err(Problem::not_found()),
    };
    mark(&page, Some(id), is_read).await?;
    Ok(page.go("/notifications"))
}

async fn mark(page: &Page, id: Option<i64>, is_read: bool) -> Result<(), Problem> {
    let person = page.requester.identity()?.user.0;
    if page.actor.only_looks {
        return Err(AccessError::OnlyLooks.into());
    }
    let marked = page.state.records.store().write(move |tx| Box::pin(async move { notifications::mark(tx, person, id, is_read).await }));
    if marked.await.map_err(failed)? { Ok(()) } else { Err(Problem::not_found()) }
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
