//! A record's page: highlights, sections, related lists, history.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value as Json;

use super::field::{default_columns, select_text, title_fields};
use super::page::{Page, address, encode};
use super::table::{Refused, Wanted, row_json};
use crate::base::{DateTime, FieldIx, RecordId};
use crate::query::{self, Params};
use crate::record::{FormState, Input, parse_id};
use crate::render::context::{ButtonLink, List, Notice, RecordPage, Related, ShownSection, Stamp, TabLink};
use crate::render::show::Titles;
use crate::schema::catalog::{Button, Entity, Field, FieldType, Press, Tab};
use crate::web::Problem;

const HISTORY: &str = "history";
const STAGES: &str = "stages";
const FACTS: usize = 6;
const RELATED_ROWS: u32 = 8;

/// A record read for its page.
struct Read {
    id: RecordId,
    id_text: String,
    json: Json,
    title: String,
    version: i64,
    is_deleted: bool,
}

/// `GET /records/{entity}/{id}`
pub(super) async fn record(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    record_page(&page, &slug, &id_text, StatusCode::OK, None).await
}

/// The page, with a word on top about what could not be done.
pub(super) async fn record_page(
    page: &Page,
    slug: &str,
    id_text: &str,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let entity = page.entity(slug)?;
    let read = match read(page, entity, id_text).await {
        Ok(read) if !read.is_deleted => read,
        // What was merged into another is found there.
        found => match merged_into(page, entity, id_text).await? {
            Some(into) => return Ok(page.go(&format!("/records/{slug}/{into}"))),
            None => found?,
        },
    };
    let href = format!("/records/{slug}/{id_text}");
    let tab = page.params.get("tab").unwrap_or("").to_owned();
    let titles = Titles::new();

    let layout = entity.layouts.first().filter(|layout| !layout.tabs.is_empty());
    let chosen = layout.and_then(|layout| {
        layout.tabs.iter().find(|one| one.id == tab).or_else(|| layout.tabs.first().filter(|_| tab != HISTORY && tab != STAGES))
    });
    let is_history = tab == HISTORY && entity.features.history;
    let is_stages = tab == STAGES && !entity.pipelines.is_empty();
    let mut stages = Vec::new();
    let mut sections = Vec::new();
    let mut related = Vec::new();
    let mut history = None;
    // A record in the bin has no form; it is shown whole.
    let state = match read.is_deleted {
        true => None,
        false => Some(page.state.records.form_state(&page.actor, &page.catalog, entity.ix, Some(read.id), &Input::default()).await?),
    };
    let buttons = page.buttons(entity, &href, state.as_ref());
    if is_history {
        history = Some(page.history(entity, read.id, &format!("{href}?tab={HISTORY}")).await?);
    } else if is_stages {
        stages = page.stage_rows(entity, read.id).await?;
    } else {
        sections = shown_sections(page, entity, chosen, &read.json, &titles, state.as_ref());
        let is_first =
            chosen.is_none_or(|chosen| layout.and_then(|layout| layout.tabs.first()).is_some_and(|first| std::ptr::eq(first, chosen)));
        for (field, columns) in related_fields(entity, chosen, is_first) {
            if let Some(block) = page.related(entity, field, columns, &read).await? {
                related.push(block);
            }
        }
    }

    let mut facts: Vec<FieldIx> = layout.map(|layout| layout.header.clone()).unwrap_or_default();
    if facts.is_empty() {
        let in_title = title_fields(entity);
        facts = default_columns(entity).into_iter().filter(|ix| !in_title.contains(ix)).take(4).collect();
    }
    facts.truncate(FACTS);
    let facts =
        facts.iter().map(|ix| page.labelled(&titles, entity.field(*ix), &read.json)).filter(|fact| fact.value.kind != "none").collect();
    let stamp = |name: &str| {
        read.json.get(name).and_then(Json::as_str).and_then(DateTime::parse).map(|at| Stamp::new(at, &page.ui, page.messages()))
    };
    let who = |name: &str| read.json.get(name).and_then(|user| user.get("_title")).and_then(Json::as_str).unwrap_or("").to_owned();
    let mut shell = page.shell(&read.title, slug, vec![page.entity_crumb(entity)]);
    shell.notices.extend(notice);
    let may = page.state.records.may(&page.actor, &page.catalog, entity.ix, read.id).await?;
    let offered = |is_offered: bool, name: &str| if is_offered { format!("{href}/{name}") } else { String::new() };
    let paths = match read.is_deleted {
        true => Vec::new(),
        false => page.paths(entity, read.id, &href, &read.json, &titles).await?,
    };
    let approvals = match read.is_deleted {
        true => None,
        false => page.approval_box(entity, read.id, &href).await?,
    };
    let into = page.converted(entity, read.id).await?;
    let is_locked = into.as_ref().is_some_and(|into| !into.may_edit);
    let converted = match &into {
        Some(into) => Some(page.converted_banner(entity, into).await?),
        None => None,
    };
    let conversions = if may.update && into.is_none() { page.convert_links(entity, &href, state.as_ref()) } else { Vec::new() };
    let holding = match read.is_deleted {
        true => None,
        false => page.holding_box(entity, read.id, &href).await?,
    };
    let claims = match read.is_deleted {
        true => None,
        false => page.claim_box(entity, read.id, &href).await?,
    };
    let clocks = page.clocks(entity, state.as_ref());
    let surveys = match read.is_deleted {
        true => Vec::new(),
        false => page.survey_cards(entity, read.id, &href, state.as_ref().filter(|_| may.update)).await?,
    };
    let kind = match () {
        () if is_history => HISTORY,
        () if is_stages => STAGES,
        () => "details",
    };
    let context = RecordPage {
        paths,
        approvals,
        holding,
        claims,
        clocks,
        surveys,
        stages,
        shell,
        entity: page.head(entity),
        id: id_text.to_owned(),
        tabs: tabs(page, entity, &href, chosen, kind),
        kind: kind.to_owned(),
        facts,
        sections,
        related,
        history,
        buttons,
        conversions,
        converted,
        edit_href: offered(may.update && !is_locked, "edit"),
        delete_href: offered(may.delete, "delete"),
        merge_href: offered(may.update && entity.is_mergeable() && entity.may.delete, "merge"),
        erase_href: offered(page.is_admin() && entity.fields.iter().any(|field| field.class.is_some() || field.encrypted), "erase"),
        restore_href: offered(may.delete, "restore"),
        share_href: offered((may.share || may.admin) && entity.is_shareable(), "shares"),
        is_deleted: read.is_deleted,
        version: read.version.to_string(),
        created: stamp("created_at"),
        created_by: who("created_by"),
        updated: stamp("updated_at"),
        updated_by: who("updated_by"),
        title: read.title,
        href,
    };
    page.html(status, "page/record", &context)
}

/// The record that one which is not there any more was merged into.
async fn merged_into(page: &Page, entity: &Entity, id_text: &str) -> Result<Option<String>, Problem> {
    let Some(id) = parse_id(&page.catalog, entity.ix, id_text).filter(|_| entity.is_mergeable()) else { return Ok(None) };
    let into = page.state.records.merged_into(&page.actor, &page.catalog, entity.ix, id).await?;
    Ok(into.map(|into| into.display(&entity.prefix)))
}

async fn read(page: &Page, entity: &Entity, id_text: &str) -> Result<Read, Problem> {
    let id = parse_id(&page.catalog, entity.ix, id_text).ok_or_else(Problem::not_found)?;
    let select = select_text(entity, entity.known_fields().map(|field| field.ix));
    let mut params = vec![("select".to_owned(), select)];
    if entity.features.soft_delete {
        params.push(("deleted".to_owned(), "all".to_owned()));
    }
    let request = query::parse_get(&page.catalog, entity.ix, id, &Params(params))?;
    let row = page.state.records.get(&page.actor, &page.catalog, request).await?.ok_or_else(Problem::not_found)?;
    let json = row_json(&row.view())?;
    let title = json.get("_title").and_then(Json::as_str).filter(|title| !title.is_empty()).unwrap_or(id_text).to_owned();
    let is_deleted = json.get("deleted_at").is_some_and(|at| !at.is_null());
    Ok(Read { id, id_text: id_text.to_owned(), version: row.version(), json, title, is_deleted })
}

fn shown_sections(
    page: &Page,
    entity: &Entity,
    tab: Option<&Tab>,
    json: &Json,
    titles: &Titles,
    state: Option<&FormState>,
) -> Vec<ShownSection> {
    let arranged = page.sections(entity, false, state);
    let is_shown = |ix: FieldIx| state.and_then(|state| state.field(ix)).is_none_or(|field| field.visible);
    let belongs = |id: &str| tab.is_none_or(|tab| id.starts_with(&format!("{}-", tab.id)));
    arranged
        .into_iter()
        .filter(|section| belongs(&section.id))
        .map(|section| ShownSection {
            label: section.label,
            columns: section.columns,
            fields: section
                .fields
                .iter()
                .filter(|(ix, _)| is_shown(*ix))
                .map(|(ix, _)| page.labelled(titles, entity.field(*ix), json))
                .collect(),
        })
        .collect()
}

/// Children to show below: those of the tab, or all on the first tab of a layout that places none.
fn related_fields<'a>(entity: &'a Entity, tab: Option<&Tab>, is_first: bool) -> Vec<(&'a Field, Vec<FieldIx>)> {
    if let Some((field, columns)) = tab.and_then(|tab| tab.related.as_ref()) {
        return vec![(entity.field(*field), columns.clone())];
    }
    let placed = entity.layouts.first().is_some_and(|layout| layout.tabs.iter().any(|tab| tab.related.is_some()));
    if placed || !is_first {
        return Vec::new();
    }
    entity.known_fields().filter(|field| matches!(field.ty, FieldType::Children { .. })).map(|field| (field, Vec::new())).collect()
}

fn tabs(page: &Page, entity: &Entity, href: &str, chosen: Option<&Tab>, kind: &str) -> Vec<TabLink> {
    let is_plain = kind == "details";
    let mut links: Vec<TabLink> = Vec::new();
    match entity.layouts.first().filter(|layout| !layout.tabs.is_empty()) {
        Some(layout) => {
            for (position, tab) in layout.tabs.iter().enumerate() {
                let label = tab.label.get(page.ui.locale);
                links.push(TabLink {
                    label: if label.is_empty() { page.say("record-details", &[]) } else { label.to_owned() },
                    href: if position == 0 { href.to_owned() } else { format!("{href}?tab={}", encode(&tab.id)) },
                    current: is_plain && chosen.is_some_and(|chosen| chosen.id == tab.id),
                    count: None,
                });
            }
        }
        None => links.push(TabLink { label: page.say("record-details", &[]), href: href.to_owned(), current: is_plain, count: None }),
    }
    if !entity.pipelines.is_empty() {
        links.push(TabLink {
            label: page.say("record-stages", &[]),
            href: format!("{href}?tab={STAGES}"),
            current: kind == STAGES,
            count: None,
        });
    }
    if entity.features.history {
        links.push(TabLink {
            label: page.say("record-history", &[]),
            href: format!("{href}?tab={HISTORY}"),
            current: kind == HISTORY,
            count: None,
        });
    }
    links
}

impl Page {
    /// The list of a children or links field.
    async fn related(&self, entity: &Entity, field: &Field, columns: Vec<FieldIx>, read: &Read) -> Result<Option<Related>, Problem> {
        let FieldType::Children { of, by } = &field.ty else {
            return Ok(None);
        };
        let child = self.catalog.entity(*of);
        if child.is_junction || !child.may.read || child.field(*by).is_hidden {
            return Ok(None);
        }
        let link = child.field(*by);
        let mut columns = if columns.is_empty() { default_columns(child) } else { columns };
        columns.retain(|ix| *ix != *by);
        columns.truncate(6);
        let wanted = Wanted {
            entity: child,
            columns: &columns,
            filter: Some(format!("{} = '{}'", link.name, read.id_text)),
            sort: None,
            search: None,
            cursor: None,
            only_deleted: false,
            limit: RELATED_ROWS,
            count: true,
        };
        let found = match self.fetch(wanted).await {
            Ok(found) => found,
            Err(Refused::Problem(problem)) => return Err(problem),
            Err(Refused::Query(faults)) => return Err(faults.into()),
        };
        let mut list = List {
            columns: self.columns(child, &columns, None, "", None),
            rows: self.rows(child, &columns, &found, false)?,
            count: self.count_text(found.count),
            ..self.empty_list(child, &format!("related-{}", field.name))
        };
        list.create_href.clear();
        let here = format!("/records/{}/{}", entity.slug, read.id_text);
        Ok(Some(Related {
            label: self.label(field),
            icon: child.icon.clone(),
            add_href: (child.may.create && !link.read_only).then(|| {
                address(&format!("/records/{}/new", child.slug), &[(link.name.clone(), read.id_text.clone()), ("_return".to_owned(), here)])
            }),
            all_href: Some(address(&format!("/records/{}", child.slug), &[("f".to_owned(), format!("{}:is:{}", link.name, read.id_text))])),
            list,
        }))
    }

    /// Custom actions offered now.
    fn buttons(&self, entity: &Entity, href: &str, state: Option<&FormState>) -> Vec<ButtonLink> {
        let may_press = |button: &&Button| matches!(button.press, Press::Script(_)) || entity.may.update;
        let offered =
            entity.buttons.iter().filter(|button| state.is_some() && self.is_visible(button.visible_if.as_ref(), state)).filter(may_press);
        offered
            .map(|button| ButtonLink {
                label: button.label.get(self.ui.locale).to_owned(),
                href: format!("{href}/actions/{}", encode(&button.id)),
            })
            .collect()
    }
}
