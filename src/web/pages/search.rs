//! Search over all entities that offer it.

use axum::http::StatusCode;
use axum::response::Response;

use super::field::{default_columns, title_fields};
use super::page::{Page, encode};
use super::table::{Refused, Wanted};
use crate::render::context::{Hit, SearchGroup, SearchPage};
use crate::web::Problem;

const HITS: u32 = 5;

/// `GET /search?q=…`
pub(super) async fn search(page: Page) -> Result<Response, Problem> {
    let text = page.params.get("q").unwrap_or("").trim().to_owned();
    let mut groups = Vec::new();
    let mut total = 0;
    if !crate::base::text::query_tokens(&text).is_empty() {
        for entity in page.catalog.entities.iter().filter(|entity| entity.may.read && entity.features.search && !entity.is_junction) {
            let titles = title_fields(entity);
            let columns: Vec<_> = default_columns(entity).into_iter().filter(|ix| !titles.contains(ix)).take(2).collect();
            let wanted = Wanted {
                entity,
                columns: &columns,
                filter: None,
                sort: None,
                search: Some(text.clone()),
                cursor: None,
                only_deleted: false,
                limit: HITS,
                count: true,
            };
            let found = match page.fetch(wanted).await {
                Ok(found) => found,
                Err(Refused::Problem(problem)) => return Err(problem),
                Err(Refused::Query(_)) => continue,
            };
            if found.rows.is_empty() {
                continue;
            }
            total += found.count.map_or(0, |count| i64::try_from(count.value).unwrap_or(0));
            let plural = entity.label_plural.get(page.ui.locale).to_owned();
            let hits = page.rows(entity, &columns, &found, false)?.into_iter().map(|row| Hit {
                note: row
                    .cells
                    .iter()
                    .filter(|cell| cell.kind != "none" && cell.text != row.title)
                    .map(|cell| cell.text.clone())
                    .collect::<Vec<_>>()
                    .join(" · "),
                href: row.href,
                title: row.title,
                entity: plural.clone(),
                icon: entity.icon.clone(),
                stamp: None,
            });
            groups.push(SearchGroup {
                hits: hits.collect(),
                icon: entity.icon.clone(),
                all_href: found.next_cursor.map(|_| format!("/records/{}?q={}", entity.slug, encode(&text))),
                label: plural,
            });
        }
    }
    let mut shell = page.shell(&page.say("search-title", &[]), ":search", Vec::new());
    shell.find.clone_from(&text);
    let context = SearchPage { shell, query: text, groups, total };
    let template = if page.region.as_deref() == Some("results") { "part/search" } else { "page/search" };
    page.html(StatusCode::OK, template, &context)
}
