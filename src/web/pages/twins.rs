//! Records that are there twice: the groups that the last look found, to be merged or told apart.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::page::Page;
use super::post::Post;
use crate::record::{RecordError, parse_id};
use crate::render::Arg;
use crate::render::context::{Stamp, TwinGroup, TwinRow, TwinsPage};
use crate::web::Problem;

/// Groups of one page.
const LIMIT: usize = 20;

/// `GET /records/{entity}/duplicates`
pub(super) async fn twins(page: Page, Path(slug): Path<String>) -> Result<Response, Problem> {
    show(&page, &slug, StatusCode::OK, None).await
}

async fn show(page: &Page, slug: &str, status: StatusCode, error: Option<String>) -> Result<Response, Problem> {
    let entity = page.entity(slug)?;
    if entity.duplicates.is_empty() || !entity.may.read {
        return Err(Problem::not_found());
    }
    let offset = page.params.get("offset").and_then(|text| text.parse().ok()).unwrap_or(0).min(10_000);
    let found = page.state.records.twins(&page.actor, &page.catalog, entity.ix, offset, LIMIT).await?;
    let head = page.head(entity);
    let base = format!("/records/{slug}");
    let may_merge = entity.is_mergeable() && entity.may.update && entity.may.delete;
    let groups = found.groups.iter().map(|group| {
        let first = group.records.first().map(|one| one.id.display(&entity.prefix)).unwrap_or_default();
        let rules = group.rules.iter().filter_map(|id| entity.duplicates.iter().find(|rule| rule.id == *id));
        TwinGroup {
            why: rules.map(|rule| rule.label.get(page.ui.locale).to_owned()).collect::<Vec<_>>().join(", "),
            likeness: page.say("duplicate-likeness", &[("percent", Arg::Count(i64::from(group.likeness)))]),
            ids: group.records.iter().map(|one| one.id.display(&entity.prefix)).collect::<Vec<_>>().join(","),
            rows: group
                .records
                .iter()
                .enumerate()
                .map(|(position, one)| {
                    let id = one.id.display(&entity.prefix);
                    TwinRow {
                        href: format!("{base}/{id}"),
                        merge_href: if may_merge && position > 0 { format!("{base}/{first}/merge?with={id}") } else { String::new() },
                        title: one.title.clone(),
                        created: Stamp::new(one.created_at, &page.ui, page.messages()),
                    }
                })
                .collect(),
        }
    });
    let context = TwinsPage {
        shell: page.shell(&page.say("twins-title", &[]), slug, vec![page.entity_crumb(entity)]),
        title: page.say("twins-heading", &[("entity", Arg::Text(&head.plural))]),
        groups: groups.collect(),
        is_running: found.look.as_ref().is_some_and(|look| look.ended_at.is_none()),
        looked: found.look.and_then(|look| look.ended_at).map(|at| Stamp::new(at, &page.ui, page.messages())),
        next_href: found.next.map(|next| format!("{base}/duplicates?offset={next}")).unwrap_or_default(),
        action: format!("{base}/duplicates"),
        here: format!("{base}/duplicates?offset={offset}"),
        may_change: entity.may.update && !page.actor.only_looks,
        error,
    };
    page.html(status, "page/twins", &context)
}

/// `POST /records/{entity}/duplicates`: `_do` is `look` or `apart`.
pub(super) async fn act(page: Page, Path(slug): Path<String>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let base = format!("/records/{slug}/duplicates");
    let records = &page.state.records;
    let done = match post.get("_do") {
        "look" => records.look_for_twins(&page.actor, &page.catalog, entity.ix).await.map(|_| "twins-looking"),
        "apart" => {
            let ids = post.get("_records").split(',').map(|id| parse_id(&page.catalog, entity.ix, id)).collect::<Option<Vec<_>>>();
            let ids = ids.ok_or_else(Problem::not_found)?;
            records.tell_twins_apart(&page.actor, &page.catalog, entity.ix, ids, true).await.map(|()| "twins-apart")
        }
        _ => return Err(Problem::not_found()),
    };
    match done {
        Ok(done) => Ok(page.go(&format!("{base}?done={done}"))),
        Err(RecordError::Access(refused)) => show(&page, &slug, StatusCode::FORBIDDEN, Some(refused.to_string())).await,
        Err(RecordError::NotFound { .. }) => Ok(page.go(&base)),
        Err(error) => Err(error.into()),
    }
}
