//! The list of an entity's records.

use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::field::{default_columns, select_text};
use super::filter;
use super::page::{Page, address};
use super::table::{Refused, Wanted, with_cursor};
use crate::base::Explain;
use crate::base::{FieldIx, RecordId};
use crate::query::{self, DEFAULT_LIMIT, Params};
use crate::render::Arg;
use crate::render::context::{List, ListPage, ViewLink};
use crate::render::show::Titles;
use crate::schema::catalog::{Entity, View};
use crate::web::Problem;

#[derive(Serialize)]
struct ListPart {
    list: List,
}

/// `GET /records/{entity}`
pub(super) async fn list(page: Page, Path(slug): Path<String>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let base = format!("/records/{slug}");
    let in_bin = entity.features.soft_delete && page.params.get("deleted") == Some("only");
    let view = chosen_view(&page, entity);
    let columns = shown_columns(entity, view);
    let search = page.params.get("q").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let expression = page.params.get("filter").map(str::trim).unwrap_or("").to_owned();
    let sort = page.params.get("sort").filter(|text| !text.is_empty()).map(str::to_owned);
    let kept = kept_params(&page);

    let conditions = conditions(&page, entity, view, &expression);
    let export_href =
        export_href(entity, &columns, conditions.as_deref(), sort.clone().or_else(|| view_sort(entity, view)), search.as_deref());
    let wanted = Wanted {
        entity,
        columns: &columns,
        filter: conditions,
        sort: sort.clone().or_else(|| view_sort(entity, view)),
        search: search.clone(),
        cursor: page.params.get("cursor").map(str::to_owned),
        only_deleted: in_bin,
        limit: DEFAULT_LIMIT,
        count: true,
    };
    let titles = filter_titles(&page, entity).await?;
    let mut filter = page.filter(entity, &kept, &expression, &titles);
    if let (Some(message), Some(value)) = (filter::misfit(&page), filter.value.as_mut()) {
        value.errors.push(message);
    }
    let mut list = List { in_bin, ..page.empty_list(entity, "list") };
    list.columns = page.columns(entity, &columns, sort.as_deref().or(view_sort(entity, view).as_deref()), &base, Some(&kept));
    let mut status = StatusCode::OK;
    let mut error = None;
    match page.fetch(wanted).await {
        Ok(found) => {
            list.rows = page.rows(entity, &columns, &found, in_bin)?;
            list.count = page.count_text(found.count);
            list.next_href = found.next_cursor.map(|cursor| with_cursor(&base, &kept, &cursor));
            list.first_href = page.params.get("cursor").map(|_| address(&base, &kept));
        }
        Err(Refused::Query(mut faults)) => {
            // Places in what the person typed, not in all conditions together.
            if !expression.is_empty() {
                let alone = Params(vec![("filter".to_owned(), expression.clone())]);
                if let Err(own) = query::parse_list(&page.catalog, page.state.records.cursor_key(), entity.ix, &alone) {
                    faults = own;
                }
            }
            status = StatusCode::UNPROCESSABLE_ENTITY;
            let fault = faults.iter().find(|fault| fault.place.at == "filter").or(faults.first());
            if let Some(fault) = fault {
                if fault.place.at == "filter" && !expression.is_empty() {
                    filter.error = Some(fault.to_string());
                    filter.hint = fault.hint();
                    filter.is_open = true;
                } else {
                    error = Some(fault.to_string());
                }
            }
        }
        Err(Refused::Problem(problem)) => return Err(problem),
    }
    let is_filtered =
        search.is_some() || !expression.is_empty() || page.params.get("f").is_some() || view.is_some_and(|view| view.filter.is_some());
    list.empty = if in_bin {
        "bin"
    } else if is_filtered || error.is_some() {
        "filter"
    } else {
        "records"
    }
    .to_owned();
    list.clear_href.clone_from(&filter.clear_href);

    match page.region.as_deref() {
        Some("list-rows") => return page.html(status, "part/list.more", &ListPart { list }),
        Some("list") if filter.error.is_none() => {
            let mut response = page.html(status, "part/list", &ListPart { list })?;
            // The form sends its empty controls too; the address shall not show them.
            if let Ok(clean) = HeaderValue::from_str(&address(&base, &kept)) {
                response.headers_mut().insert(HeaderName::from_static("hx-push-url"), clean);
            }
            return Ok(response);
        }
        _ => {}
    }
    let head = page.head(entity);
    let plural = head.plural.clone();
    let title = if in_bin { page.say("bin-title", &[("entity", Arg::Text(&plural))]) } else { plural };
    let crumbs = if in_bin { vec![page.entity_crumb(entity)] } else { Vec::new() };
    let context = ListPage {
        shell: page.shell(&title, &slug, crumbs),
        entity: head,
        list,
        views: if in_bin {
            Vec::new()
        } else {
            let boards = entity.pipelines.iter().map(|pipeline| page.board_link(entity, pipeline, false));
            view_links(&page, entity, view).into_iter().chain(boards).collect()
        },
        create_href: if entity.may.create { format!("{base}/new") } else { String::new() },
        export_href: if entity.may.export && !in_bin { export_href } else { String::new() },
        import_href: if entity.may.import && !in_bin && !page.actor.only_looks { format!("{base}/import") } else { String::new() },
        twins_href: if entity.duplicates.is_empty() || !entity.may.update || in_bin { String::new() } else { format!("{base}/duplicates") },
        bin_href: format!("{base}?deleted=only"),
        list_href: base,
        in_bin,
        query: search.unwrap_or_default(),
        filter,
        kept: kept.into_iter().filter(|(name, _)| name != "q").collect(),
        error,
    };
    page.html(status, "page/list", &context)
}

/// Parts of the address that say what the list shows, in one order.
fn kept_params(page: &Page) -> Vec<(String, String)> {
    let mut kept = Vec::new();
    for wanted in ["view", "deleted", "f", "filter", "q", "sort"] {
        let found = page.params.0.iter().filter(|(name, value)| name == wanted && !value.trim().is_empty());
        kept.extend(found.map(|(name, value)| (name.clone(), value.trim().to_owned())));
    }
    kept
}

fn chosen_view<'a>(page: &Page, entity: &'a Entity) -> Option<&'a View> {
    match page.params.get("view").filter(|id| !id.is_empty()) {
        Some(id) => entity.views.iter().find(|view| view.id == id),
        None => entity.views.first(),
    }
}

fn shown_columns(entity: &Entity, view: Option<&View>) -> Vec<FieldIx> {
    let listed: Vec<FieldIx> = view.map(|view| view.columns.clone()).unwrap_or_default();
    let fits = |ix: &FieldIx| !matches!(entity.field(*ix).ty, crate::schema::catalog::FieldType::Children { .. });
    let columns: Vec<FieldIx> = listed.into_iter().filter(fits).collect();
    if columns.is_empty() { default_columns(entity) } else { columns }
}

/// The address of the file with what the list shows.
fn export_href(entity: &Entity, columns: &[FieldIx], filter: Option<&str>, sort: Option<String>, search: Option<&str>) -> String {
    let mut params = vec![("select".to_owned(), select_text(entity, columns.iter().copied()))];
    params.extend(filter.map(|filter| ("filter".to_owned(), filter.to_owned())));
    params.extend(sort.map(|sort| ("sort".to_owned(), sort)));
    params.extend(search.map(|search| ("q".to_owned(), search.to_owned())));
    address(&format!("/api/v1/records/{}/export", entity.slug), &params)
}

fn view_sort(entity: &Entity, view: Option<&View>) -> Option<String> {
    let keys = view?.sort.iter().map(|(field, descending)| format!("{}{}", if *descending { "-" } else { "" }, entity.field(*field).name));
    let text = keys.collect::<Vec<_>>().join(",");
    (!text.is_empty()).then_some(text)
}

/// The person's own expression comes first, so that places in it are those of what they typed.
fn conditions(page: &Page, entity: &Entity, view: Option<&View>, expression: &str) -> Option<String> {
    let mut all = Vec::new();
    if !expression.is_empty() {
        all.push(expression.to_owned());
    }
    all.extend(page.simple_filters().iter().filter_map(|simple| simple.condition(entity)));
    all.extend(view.map(|view| view.filter_text.clone()).filter(|text| !text.trim().is_empty()));
    match all.len() {
        0 => None,
        1 => all.pop(),
        _ => Some(all.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" and ")),
    }
}

/// Titles of records that chips name.
async fn filter_titles(page: &Page, entity: &Entity) -> Result<Titles, Problem> {
    let filters = page.simple_filters();
    let ids = filters.iter().filter(|simple| entity.find_field(&simple.field).is_some()).map(|simple| simple.value.as_str());
    page.titles(ids).await
}

impl Page {
    /// Titles by public id; texts that are no ids are left out.
    pub async fn titles<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Result<Titles, Problem> {
        let mut wanted = Vec::new();
        let mut named = Vec::new();
        for id in ids {
            if let Some((prefix, record)) = RecordId::parse(id)
                && let Some(entity) = self.catalog.by_prefix.get(prefix)
                && !wanted.contains(&(*entity, record))
            {
                wanted.push((*entity, record));
                named.push((record, id.to_owned()));
            }
        }
        if wanted.is_empty() {
            return Ok(Titles::new());
        }
        let found = self.state.records.titles(&self.actor, &wanted).await?;
        Ok(named.into_iter().filter_map(|(record, id)| Some((id, found.get(&record)?.clone()))).collect())
    }
}

fn view_links(page: &Page, entity: &Entity, current: Option<&View>) -> Vec<ViewLink> {
    let base = format!("/records/{}", entity.slug);
    let mut links: Vec<ViewLink> = entity
        .views
        .iter()
        .enumerate()
        .map(|(position, view)| ViewLink {
            label: view.label.get(page.ui.locale).to_owned(),
            href: if position == 0 { base.clone() } else { address(&base, &[("view".to_owned(), view.id.clone())]) },
            current: current.is_some_and(|chosen| chosen.id == view.id),
        })
        .collect();
    if links.is_empty() {
        links.push(ViewLink { label: page.say("list-all", &[]), href: base, current: true });
    }
    links
}
