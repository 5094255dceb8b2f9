//! Webhooks, for administrators: the endpoints there are, what was sent to each, another secret, sending once more.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::entry::unkept;
use super::page::{Page, address};
use super::post::Post;
use crate::access::AccessError;
use crate::jobs::endpoints::{self, Asked, EVENTS, Made};
use crate::jobs::webhooks::message_id;
use crate::record::RecordError;
use crate::render::Arg;
use crate::render::context::{Crumb, DeliveryRow, Stamp, WebhookPage, WebhookRow, WebhooksPage};
use crate::store::StoreError;
use crate::store::webhooks::{self, Webhook};
use crate::web::Problem;

const SHOWN: u32 = 50;

/// `GET /webhooks`
pub(super) async fn list(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    list_page(&page, StatusCode::OK, &Asked::default(), None).await
}

async fn list_page(page: &Page, status: StatusCode, asked: &Asked, error: Option<String>) -> Result<Response, Problem> {
    let found = webhooks::list(page.state.records.store()).await.map_err(failed)?;
    let context = WebhooksPage {
        shell: page.shell(&page.say("webhooks-title", &[]), ":webhooks", Vec::new()),
        rows: found.iter().map(|endpoint| row(page, endpoint)).collect(),
        name: asked.name.clone(),
        url: asked.url.clone(),
        events: asked.events.join("\n"),
        examples: examples(page),
        must_confirm: !page.requester.is_fresh,
        error,
    };
    Ok(unkept(page.html(status, "page/webhooks", &context)?))
}

fn examples(page: &Page) -> String {
    let first = page.catalog.apps.iter().flat_map(|app| &app.entities).map(|ix| page.catalog.entity(*ix).slug.clone()).next();
    let slug = first.unwrap_or_else(|| "task".to_owned());
    format!("{slug}.created, {slug}.*, *.{}, *", EVENTS[2])
}

fn row(page: &Page, endpoint: &Webhook) -> WebhookRow {
    WebhookRow {
        href: format!("/webhooks/{}", endpoint.id),
        name: endpoint.name.clone(),
        url: endpoint.url.clone(),
        events: endpoints::words(&page.catalog.whole(), &endpoint.events).join(", "),
        state: say_state(page, endpoint),
        is_active: endpoint.is_active,
        is_failing: endpoint.failing_since.is_some() || matches!(endpoint.stopped_why.as_deref(), Some("gone" | "failing")),
    }
}

fn say_state(page: &Page, endpoint: &Webhook) -> String {
    let key = match (endpoint.is_active, endpoint.stopped_why.as_deref()) {
        (true, _) if endpoint.failures > 0 => "webhook-state-failing",
        (true, _) => "webhook-state-active",
        (false, Some("gone")) => "webhook-state-gone",
        (false, Some("failing")) => "webhook-state-given-up",
        (false, _) => "webhook-state-stopped",
    };
    page.say(key, &[("count", Arg::Count(endpoint.failures))])
}

/// What a form asks for.
fn asked(post: &Post, is_active: bool) -> Asked {
    let words = post.get("events").split([',', '\n', ' ']).map(str::trim).filter(|word| !word.is_empty());
    Asked { name: post.get("name").to_owned(), url: post.get("url").to_owned(), events: words.map(str::to_owned).collect(), is_active }
}

/// `POST /webhooks`
pub(super) async fn make(mut page: Page, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let asked = asked(&post, true);
    if let Some(error) = page.confirm(&post).await? {
        return list_page(&page, StatusCode::UNPROCESSABLE_ENTITY, &asked, Some(error)).await;
    }
    let edit = match endpoints::check(&page.catalog.whole(), &asked) {
        Ok(edit) => edit,
        Err(fault) => return list_page(&page, StatusCode::UNPROCESSABLE_ENTITY, &asked, Some(say_fault(&page, &fault))).await,
    };
    let by = page.requester.identity()?.user.0;
    match endpoints::make(page.state.records.store(), edit, by).await.map_err(failed)? {
        Made::Done((id, secret)) => endpoint_page(&page, StatusCode::CREATED, id, Some(secret), None).await,
        Made::Taken => list_page(&page, StatusCode::UNPROCESSABLE_ENTITY, &asked, Some(page.say("webhook-taken", &[]))).await,
        Made::Gone | Made::TooMany => list_page(&page, StatusCode::CONFLICT, &asked, Some(page.say("webhook-too-many", &[]))).await,
    }
}

/// `GET /webhooks/{id}`
pub(super) async fn endpoint(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    endpoint_page(&page, StatusCode::OK, id, None, None).await
}

async fn endpoint_page(
    page: &Page,
    status: StatusCode,
    id: i64,
    secret: Option<String>,
    error: Option<String>,
) -> Result<Response, Problem> {
    let store = page.state.records.store();
    let endpoint = webhooks::get(store, id).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
    let before = page.params.get("before").and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let mut found = webhooks::deliveries(store, id, None, before, SHOWN + 1).await.map_err(failed)?;
    let has_more = found.len() > SHOWN as usize;
    found.truncate(SHOWN as usize);
    let older = found.last().map(|one| ("before".to_owned(), one.id.to_string())).into_iter().collect::<Vec<_>>();
    let crumb = Crumb { label: page.say("webhooks-title", &[]), href: Some("/webhooks".to_owned()) };
    let stamp = |at| Stamp::new(at, &page.ui, page.messages());
    let context = WebhookPage {
        shell: page.shell(&endpoint.name, ":webhooks", vec![crumb]),
        id: id.to_string(),
        row: row(page, &endpoint),
        events: endpoints::words(&page.catalog.whole(), &endpoint.events).join("\n"),
        examples: examples(page),
        secret,
        former_until: endpoint.former_until.filter(|until| *until > page.state.clock.now()).map(stamp),
        deliveries: found
            .iter()
            .map(|one| DeliveryRow {
                id: one.id.to_string(),
                message: message_id(one.id),
                kind: one.kind.clone(),
                body: one.body.clone(),
                state: one.state.clone(),
                state_text: page.say(&format!("delivery-state-{}", one.state), &[]),
                attempts: one.attempts,
                answer: one.status.map(|status| status.to_string()).unwrap_or_default(),
                error: one.error.clone().unwrap_or_default(),
                at: stamp(one.sent_at.unwrap_or(one.made_at)),
            })
            .collect(),
        older_href: has_more.then(|| address(&format!("/webhooks/{id}"), &older)),
        must_confirm: !page.requester.is_fresh,
        error,
    };
    Ok(unkept(page.html(status, "page/webhook", &context)?))
}

/// `POST /webhooks/{id}/{act}`
pub(super) async fn act(mut page: Page, Path((id, act)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    let store = page.state.records.store().clone();
    let found = webhooks::get(&store, id).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
    let here = format!("/webhooks/{id}");
    if act == "test" {
        endpoints::test(&store, id).await.map_err(failed)?;
        return Ok(page.go(&format!("{here}?done=webhook-sent")));
    }
    if !matches!(act.as_str(), "change" | "stop" | "start" | "rotate" | "delete") {
        return Err(Problem::not_found());
    }
    if let Some(error) = page.confirm(&post).await? {
        return endpoint_page(&page, StatusCode::UNPROCESSABLE_ENTITY, id, None, Some(error)).await;
    }
    match act.as_str() {
        "rotate" => match endpoints::rotate(&store, &found).await.map_err(failed)? {
            Made::Done(secret) => endpoint_page(&page, StatusCode::OK, id, Some(secret), None).await,
            _ => Err(Problem::not_found()),
        },
        "delete" => {
            endpoints::delete(&store, &found).await.map_err(failed)?;
            Ok(page.go("/webhooks?done=webhook-deleted"))
        }
        _ => {
            let now = endpoints::words(&page.catalog.whole(), &found.events);
            let wanted = match act.as_str() {
                "change" => asked(&post, found.is_active),
                act => Asked { name: found.name.clone(), url: found.url.clone(), events: now, is_active: act == "start" },
            };
            let edit = match endpoints::check(&page.catalog.whole(), &wanted) {
                Ok(edit) => edit,
                Err(fault) => {
                    return endpoint_page(&page, StatusCode::UNPROCESSABLE_ENTITY, id, None, Some(say_fault(&page, &fault))).await;
                }
            };
            match endpoints::change(&store, id, edit).await.map_err(failed)? {
                Made::Done(()) => Ok(page.go(&format!("{here}?done=webhook-changed"))),
                Made::Taken => endpoint_page(&page, StatusCode::UNPROCESSABLE_ENTITY, id, None, Some(page.say("webhook-taken", &[]))).await,
                _ => Err(Problem::not_found()),
            }
        }
    }
}

/// `POST /webhooks/{id}/deliveries/{delivery}`: once more, with the same id.
pub(super) async fn send_again(page: Page, Path((id, delivery)): Path<(String, String)>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    if page.actor.only_looks {
        return Err(AccessError::OnlyLooks.into());
    }
    let number = |text: &str| text.parse::<i64>().map_err(|_| Problem::not_found());
    let (id, delivery) = (number(&id)?, number(&delivery)?);
    match endpoints::send_again(page.state.records.store(), id, delivery).await.map_err(failed)? {
        Some(_) => Ok(page.go(&format!("/webhooks/{id}?done=webhook-sent"))),
        None => Err(Problem::not_found()),
    }
}

fn say_fault(page: &Page, fault: &endpoints::Fault) -> String {
    format!("{}: {}", page.say(&format!("webhook-{}", fault.field), &[]), fault.message)
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
