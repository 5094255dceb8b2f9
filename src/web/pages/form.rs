//! Creating and editing a record.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value as Json;

use super::field::select_text;
use super::form_model::{Drawn, drop_unshown, read_input, whole_message};
use super::merge::{Merge, drop_picked};
use super::page::{Page, encode, is_own_path};
use super::post::Post;
use super::table::row_json;
use crate::base::RecordId;
use crate::query::{self, Params};
use crate::record::{Duplicates, ErrorKind, FieldFault, Input, RecordError, Saved, Source, WriteOptions, parse_id};
use crate::render::Arg;
use crate::render::context::{Crumb, Form, FormPage, Notice, Similar, SimilarRow};
use crate::render::show::Titles;
use crate::schema::catalog::{Entity, Field, FieldType};
use crate::web::{Problem, files};

/// Others who save the same record at the same moment, one after another, before a person is asked.
const MOST_MERGES: u32 = 3;

#[derive(Serialize)]
struct FormPart {
    form: Form,
}

/// `GET /records/{entity}/new`: parameters fill fields in (`?account=account_…`).
pub(super) async fn new(page: Page, Path(slug): Path<String>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let given: Vec<(String, String)> = page
        .params
        .0
        .iter()
        .filter(|(name, _)| entity.find_field(name.split('.').next().unwrap_or("")).is_some_and(|field| !field.read_only))
        .cloned()
        .collect();
    let (input, _) = read_input(&page, entity, &given);
    let state = page.state.records.form_state(&page.actor, &page.catalog, entity.ix, None, &input).await?;
    let texts = page.texts_of(entity, &state, None);
    let mut form = new_form(&page, entity);
    form.sections = page.draw(Drawn { entity, id: None, texts: &texts, state: &state, faults: &[], prefix: "" }).await?;
    answer(&page, entity, StatusCode::OK, form, None, Vec::new())
}

fn new_form(page: &Page, entity: &Entity) -> Form {
    let head = page.head(entity);
    let mut form = page.empty_form(entity, format!("/records/{}", entity.slug));
    form.title = page.say("form-new", &[("entity", Arg::Text(&head.label))]);
    form.save_label = page.say("form-create", &[("entity", Arg::Text(&head.label))]);
    form.is_new = true;
    if !form.return_to.is_empty() {
        form.cancel_href.clone_from(&form.return_to);
    }
    form
}

/// `GET /records/{entity}/{id}/edit`
pub(super) async fn edit(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let stored = stored(&page, entity, &id_text).await?;
    let state = page.state.records.form_state(&page.actor, &page.catalog, entity.ix, Some(stored.id), &Input::default()).await?;
    let texts = page.texts_of(entity, &state, Some(&stored.json));
    let mut form = edit_form(&page, entity, &id_text, &stored);
    form.sections = page.draw(Drawn { entity, id: Some(stored.id), texts: &texts, state: &state, faults: &[], prefix: "" }).await?;
    let locks = page.approval_locks(entity, stored.id).await?;
    answer(&page, entity, StatusCode::OK, form, Some((&stored.title, &id_text)), locks)
}

fn edit_form(page: &Page, entity: &Entity, id_text: &str, stored: &Stored) -> Form {
    let path = format!("/records/{}/{id_text}", entity.slug);
    let mut form = page.empty_form(entity, path.clone());
    form.title = page.say("form-edit", &[("title", Arg::Text(&stored.title))]);
    form.state_href = format!("{}?id={id_text}", form.state_href);
    form.cancel_href = path;
    form.version = stored.version.to_string();
    form
}

/// A record as it is now, with its parts.
pub(super) struct Stored {
    pub id: RecordId,
    pub json: Json,
    pub title: String,
    pub version: i64,
}

pub(super) async fn stored(page: &Page, entity: &Entity, id_text: &str) -> Result<Stored, Problem> {
    let id = parse_id(&page.catalog, entity.ix, id_text).ok_or_else(Problem::not_found)?;
    let mut select = select_text(entity, entity.known_fields().map(|field| field.ix));
    for (ix, _) in page.sections(entity, true, None).iter().flat_map(|section| &section.fields) {
        let field = entity.field(*ix);
        if let FieldType::Children { of, .. } = &field.ty {
            let parts = select_text(
                page.catalog.entity(*of),
                page.catalog.entity(*of).known_fields().filter(|part| !part.is_system).map(|part| part.ix),
            );
            select.push_str(&format!(",{}({parts};limit=200)", field.name));
        }
    }
    let request = query::parse_get(&page.catalog, entity.ix, id, &Params(vec![("select".to_owned(), select)]))?;
    let row = page.state.records.get(&page.actor, &page.catalog, request).await?.ok_or_else(Problem::not_found)?;
    let json = row_json(&row.view())?;
    let title = json.get("_title").and_then(Json::as_str).filter(|title| !title.is_empty()).unwrap_or(id_text).to_owned();
    Ok(Stored { id, version: row.version(), json, title })
}

/// `POST /records/{entity}/form-state`: the region of fields as the values entered so far make it.
pub(super) async fn state(page: Page, Path(slug): Path<String>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = page.params.get("id").and_then(|text| parse_id(&page.catalog, entity.ix, text));
    let (input, faults) = read_input(&page, entity, &post.pairs);
    let state = page.state.records.form_state(&page.actor, &page.catalog, entity.ix, id, &input).await?;
    let is_missing =
        |field: &Field| matches!(field.ty, FieldType::Children { .. }) && !post.pairs.iter().any(|(name, _)| is_of(name, field));
    let sections = page.sections(entity, true, None);
    let mut shown = sections.iter().flat_map(|section| &section.fields);
    let rows = match page.params.get("id").filter(|_| shown.any(|(field, _)| is_missing(entity.field(*field)))) {
        Some(id) => Some(stored(&page, entity, id).await?.json),
        None => None,
    };
    let texts = page.texts_sent(entity, &state, rows.as_ref(), post.pairs);
    let mut form = page.empty_form(entity, String::new());
    form.state_href = page.here.clone();
    form.sections = page.draw(Drawn { entity, id, texts: &texts, state: &state, faults: &faults, prefix: "" }).await?;
    page.html(StatusCode::OK, "part/form.fields", &FormPart { form })
}

/// `POST /records/{entity}`
pub(super) async fn create(mut page: Page, Path(slug): Path<String>, mut post: Post) -> Result<Response, Problem> {
    let unproved = page.confirm_given(&post).await?;
    let entity = page.entity(&slug)?;
    keep_uploads(&page, entity, &mut post).await?;
    let form = new_form(&page, entity);
    match save(&page, entity, None, &post, unproved).await? {
        Outcome::Saved(saved) => {
            let id = saved.id.display(&entity.prefix);
            let title = page.titles(std::iter::once(id.as_str())).await?.remove(&id).unwrap_or_default();
            let told = format!("done=created&what={}", encode(&title));
            let back = post.get("_return");
            Ok(page.go(&if post.get("_next") == "new" {
                format!("/records/{slug}/new?{told}")
            } else if is_own_path(back) {
                format!("{back}{}{told}", if back.contains('?') { '&' } else { '?' })
            } else {
                format!("/records/{slug}/{id}?{told}")
            }))
        }
        Outcome::Refused(refused) => refuse(&page, entity, form, refused, &post, None).await,
    }
}

/// `POST /records/{entity}/{id}`
pub(super) async fn update(mut page: Page, Path((slug, id_text)): Path<(String, String)>, mut post: Post) -> Result<Response, Problem> {
    let unproved = page.confirm_given(&post).await?;
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    keep_uploads(&page, entity, &mut post).await?;
    match save(&page, entity, Some(id), &post, unproved).await? {
        Outcome::Saved(saved) => {
            let done = if saved.changed.is_empty() { "unchanged" } else { "saved" };
            Ok(page.go(&format!("/records/{slug}/{id_text}?done={done}")))
        }
        Outcome::Refused(refused) => {
            let stored = stored(&page, entity, &id_text).await?;
            let mut form = edit_form(&page, entity, &id_text, &stored);
            if refused.merge.is_none() {
                form.version = post.get("_version").to_owned();
            }
            refuse(&page, entity, form, refused, &post, Some(&stored)).await
        }
    }
}

/// Stores the files of a form first: the form then names them like those it already held, and a refused form keeps them.
async fn keep_uploads(page: &Page, entity: &Entity, post: &mut Post) -> Result<(), Problem> {
    for upload in std::mem::take(&mut post.uploads) {
        let Some(field) = entity.find_field(&upload.field) else { continue };
        let most = match &field.ty {
            FieldType::File { max_size_bytes, .. } | FieldType::Image { max_size_bytes, .. } => *max_size_bytes,
            _ => continue,
        };
        let limit = page.state.config.upload_limit_bytes.min(usize::try_from(most).unwrap_or(usize::MAX));
        let body = axum::body::Body::from(upload.bytes);
        let stored = files::receive(&page.state, &page.requester, &upload.name, &entity.uid, body, limit).await?;
        post.pairs.push((upload.field, RecordId(stored.id).display(files::FILE_PREFIX)));
    }
    Ok(())
}

enum Outcome {
    Saved(Saved),
    Refused(Refused),
}

/// Why nothing was saved, for the form.
#[derive(Default)]
struct Refused {
    status: StatusCode,
    faults: Vec<FieldFault>,
    message: Option<String>,
    /// Someone else saved meanwhile, and there is something to choose.
    merge: Option<Merge>,
    /// Records that are there are taken for the same.
    duplicates: Vec<Duplicates>,
}

async fn save(page: &Page, entity: &Entity, id: Option<RecordId>, post: &Post, unproved: Option<String>) -> Result<Outcome, Problem> {
    if unproved.is_some() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(Outcome::Refused(Refused { status, message: unproved, ..Refused::default() }));
    }
    let records = &page.state.records;
    let (mut input, faults) = read_input(page, entity, &post.pairs);
    let state = records.form_state(&page.actor, &page.catalog, entity.ix, id, &input).await?;
    if !faults.is_empty() {
        let mut shown = faults.into_iter().filter(|fault| is_shown(entity, &state, fault)).collect::<Vec<_>>();
        if !shown.is_empty() {
            drop_unshown(&state, &mut input);
            shown.extend(other_faults(page, entity, id, input, &shown).await);
            shown.sort_by_key(|fault| entity.find_field(head_of(fault)).map_or(u32::MAX, |field| field.ix.0));
            return Ok(Outcome::Refused(Refused { status: StatusCode::UNPROCESSABLE_ENTITY, faults: shown, ..Refused::default() }));
        }
    }
    drop_unshown(&state, &mut input);
    drop_picked(entity, post, &mut input);
    let key = post.get("_key");
    let mut options = WriteOptions {
        if_match: post.get("_version").parse().ok(),
        idempotency_key: (key.len() == 32 && key.is_ascii()).then(|| format!("form-{key}")),
        source: Source::Form,
        allow_duplicates: post.get("_duplicates") == "keep",
        ..WriteOptions::default()
    };
    let mut tries = 0;
    let error = loop {
        let result = match id {
            Some(id) => records.update(&page.actor, &page.catalog, entity.ix, id, input.clone(), options.clone()).await,
            None => records.create(&page.actor, &page.catalog, entity.ix, input.clone(), options.clone()).await,
        };
        match (result, id, options.if_match) {
            (Ok(saved), ..) => return Ok(Outcome::Saved(saved)),
            (Err(RecordError::Stale { changed, .. }), Some(id), Some(since)) => {
                let stored = stored(page, entity, &id.display(&entity.prefix)).await?;
                let merge = page.merge(entity, &stored, input, since, &changed).await?;
                if !merge.is_settled() || tries == MOST_MERGES {
                    return Ok(Outcome::Refused(Refused { status: StatusCode::CONFLICT, merge: Some(merge), ..Refused::default() }));
                }
                tries += 1;
                options.if_match = Some(stored.version);
                input = merge.input;
            }
            (Err(error), ..) => break error,
        }
    };
    if let RecordError::Duplicate { found, .. } = error {
        return Ok(Outcome::Refused(Refused { status: StatusCode::CONFLICT, duplicates: found, ..Refused::default() }));
    }
    let faults = error.faults();
    let message = whole_message(page, &error);
    if faults.is_empty() && message.is_none() {
        return Err(error.into());
    }
    let status = if error.kind() == ErrorKind::Conflict { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(Outcome::Refused(Refused { status, faults, message, ..Refused::default() }))
}

/// What else is wrong with a form that could not be read whole, so that all of it is told at once: a dry run.
async fn other_faults(page: &Page, entity: &Entity, id: Option<RecordId>, input: Input, known: &[FieldFault]) -> Vec<FieldFault> {
    let options = WriteOptions { dry_run: true, source: Source::Form, without_hooks: true, ..WriteOptions::default() };
    let records = &page.state.records;
    let result = match id {
        Some(id) => records.update(&page.actor, &page.catalog, entity.ix, id, input, options).await,
        None => records.create(&page.actor, &page.catalog, entity.ix, input, options).await,
    };
    let found = result.err().map(|error| error.faults()).unwrap_or_default();
    found.into_iter().filter(|fault| !known.iter().any(|one| head_of(one) == head_of(fault))).collect()
}

fn head_of(fault: &FieldFault) -> &str {
    fault.path.split('/').nth(1).unwrap_or("")
}

/// A fault in a field the form did not show is nobody's fault.
fn is_shown(entity: &Entity, state: &crate::record::FormState, fault: &FieldFault) -> bool {
    entity.find_field(head_of(fault)).and_then(|field| state.field(field.ix)).is_none_or(|field| field.visible && !field.readonly)
}

/// Whether a control belongs to a field: `lines.0.qty` to `lines`.
fn is_of(name: &str, field: &Field) -> bool {
    name.split('.').next() == Some(field.name.as_str())
}

/// The form again, with everything that was typed and what is wrong with it.
async fn refuse(
    page: &Page,
    entity: &Entity,
    mut form: Form,
    refused: Refused,
    post: &Post,
    stored: Option<&Stored>,
) -> Result<Response, Problem> {
    let pairs = match (&refused.merge, stored) {
        (Some(merge), Some(stored)) => merge.texts(page, entity, stored, &post.pairs),
        _ => post.pairs.clone(),
    };
    let (input, _) = read_input(page, entity, &pairs);
    let id = stored.map(|stored| stored.id);
    let state = page.state.records.form_state(&page.actor, &page.catalog, entity.ix, id, &input).await?;
    let texts = page.texts_sent(entity, &state, stored.map(|stored| &stored.json), pairs);
    form.sections = page.draw(Drawn { entity, id, texts: &texts, state: &state, faults: &refused.faults, prefix: "" }).await?;
    let href = id.map(|id| format!("/records/{}/{}", entity.slug, id.display(&entity.prefix))).unwrap_or_default();
    form.faults = page.summary(entity, &refused.faults, &texts, &href);
    form.message = refused.message;
    form.similar = page.similar(entity, &refused.duplicates);
    let back = post.get("_return");
    if is_own_path(back) {
        form.return_to = back.to_owned();
    }
    if let (Some(merge), Some(stored)) = (&refused.merge, stored) {
        form.conflict = Some(page.conflict(entity, stored, merge, post).await?);
    }
    let id_text = id.map(|id| id.display(&entity.prefix));
    answer(page, entity, refused.status, form, stored.map(|stored| stored.title.as_str()).zip(id_text.as_deref()), Vec::new())
}

impl Page {
    /// What a form shows of duplicates.
    pub fn similar(&self, entity: &Entity, found: &[Duplicates]) -> Option<Similar> {
        let first = found.first()?;
        let refuses = found.iter().any(|one| one.refuses);
        let own = found.iter().find(|one| one.has_own_message).map(|one| one.message.clone());
        let mut rows: Vec<SimilarRow> = Vec::new();
        for (rule, one) in found.iter().flat_map(|rule| rule.records.iter().map(move |one| (rule, one))) {
            if rows.iter().any(|row| row.id == one.id) {
                continue;
            }
            let fields = rule.fields.iter().filter_map(|name| entity.find_field(name)).map(|field| self.label(field));
            rows.push(SimilarRow {
                id: one.id.clone(),
                title: one.title.clone(),
                href: format!("/records/{}/{}", entity.slug, one.id),
                why: fields.collect::<Vec<_>>().join(", "),
                likeness: self.say("duplicate-likeness", &[("percent", Arg::Count(i64::from(one.likeness)))]),
            });
        }
        let count = i64::try_from(rows.len().max(1)).unwrap_or(i64::MAX);
        let head = self.head(entity);
        Some(Similar {
            title: self.say("duplicate-title", &[("count", Arg::Count(count)), ("entity", Arg::Text(&head.label))]),
            text: own.unwrap_or_else(|| self.say(if refuses { "duplicate-refused" } else { "duplicate-asked" }, &[])),
            hidden: if first.has_hidden || found.iter().any(|one| one.has_hidden) {
                self.say("duplicate-hidden", &[])
            } else {
                String::new()
            },
            may_save: !refuses,
            rows,
        })
    }

    /// The name of a user.
    pub async fn person_name(&self, user: RecordId) -> Result<String, Problem> {
        let Some(entity) = self.catalog.find_entity("core.user") else { return Ok(String::new()) };
        let id = user.display(&entity.prefix);
        let titles: Titles = self.titles(std::iter::once(id.as_str())).await?;
        Ok(titles.get(&id).cloned().unwrap_or(id))
    }
}

fn answer(
    page: &Page,
    entity: &Entity,
    status: StatusCode,
    form: Form,
    record: Option<(&str, &str)>,
    notices: Vec<Notice>,
) -> Result<Response, Problem> {
    if page.region.as_deref() == Some("form") {
        return page.html(status, "part/form", &FormPart { form });
    }
    let mut crumbs = vec![page.entity_crumb(entity)];
    if let Some((title, id)) = record {
        crumbs.push(Crumb { label: title.to_owned(), href: Some(format!("/records/{}/{id}", entity.slug)) });
    }
    let last = if record.is_some() { page.say("action-edit", &[]) } else { form.title.clone() };
    let mut shell = page.shell(&last, &entity.slug, crumbs);
    shell.title.clone_from(&form.title);
    shell.notices.extend(notices);
    page.html(status, "page/form", &FormPage { shell, entity: page.head(entity), form })
}
