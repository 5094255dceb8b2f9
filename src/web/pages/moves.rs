//! The path of a record through its pipelines, and moving it by a form.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value as Json;

use super::form_model::{Drawn, drop_unshown, read_input, way_out, whole_message};
use super::page::{Page, encode, is_own_path};
use super::post::Post;
use super::record::record_page;
use crate::base::{FieldIx, RecordId};
use crate::record::{Condition, ConditionKind, ErrorKind, FieldFault, PossibleMove, Source, Standing, WriteOptions, is_reason, parse_id};
use crate::render::context::{ConditionRow, Crumb, MoveLink, MovePage, Notice, PathStep, StagePath, StageRow, Stamp};
use crate::render::show::Titles;
use crate::render::{Arg, FormTexts};
use crate::schema::catalog::{Entity, FieldType, Pipeline, SelectOption, Stage};
use crate::web::Problem;

const DAY: i64 = 86_400_000_000;

/// `GET /records/{entity}/{id}/move?pipeline=…&to=…`
pub(super) async fn ask(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let wanted = wanted(entity, page.params.get("pipeline").unwrap_or(""), page.params.get("to").unwrap_or(""))?;
    show(&page, entity, &id_text, wanted, Asked::default()).await
}

/// `POST /records/{entity}/{id}/move`
pub(super) async fn make(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let wanted = wanted(entity, post.get("_pipeline"), post.get("_to"))?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let stays = post.get("_do") == "stay";
    let reason = post.get("_reason").trim().to_owned();
    let overrides = post.get("_do") == "override";
    let refused = |faults: Vec<FieldFault>, message: Option<String>| Asked { post: Some(&post), faults, message };
    if overrides && !is_reason(&reason) {
        let message = page.say("move-reason-needed", &[]);
        return show(&page, entity, &id_text, wanted, refused(Vec::new(), Some(message))).await;
    }
    let mut pairs = post.pairs.clone();
    if !stays {
        pairs.push((entity.field(wanted.0.field).name.clone(), wanted.1.key.clone()));
    }
    let (mut input, faults) = read_input(&page, entity, &pairs);
    if !faults.is_empty() {
        return show(&page, entity, &id_text, wanted, refused(faults, None)).await;
    }
    let records = &page.state.records;
    let state = records.form_state(&page.actor, &page.catalog, entity.ix, Some(id), &input).await?;
    // The stage itself is judged by the save, not by what a form would show of it.
    let stage = input.get(wanted.0.field).cloned();
    drop_unshown(&state, &mut input);
    if let (Some(stage), None) = (stage, input.get(wanted.0.field)) {
        input.values.push((wanted.0.field, stage));
    }
    let key = post.get("_key");
    let options = WriteOptions {
        if_match: post.get("_version").parse().ok(),
        idempotency_key: (key.len() == 32 && key.is_ascii()).then(|| format!("form-{key}")),
        source: Source::Form,
        override_reason: overrides.then_some(reason),
        ..WriteOptions::default()
    };
    match records.update(&page.actor, &page.catalog, entity.ix, id, input, options).await {
        Ok(_) if stays => Ok(page.go(&format!("/records/{slug}/{id_text}?done=saved"))),
        Ok(_) => {
            let label = stage_label(&page, entity, wanted.0, &wanted.1.key);
            Ok(page.go(&format!("{}?done=moved&what={}", back(&post, &slug, &id_text), encode(&label))))
        }
        Err(crate::record::RecordError::Stale { .. }) => {
            let message = page.say("move-stale", &[]);
            show(&page, entity, &id_text, wanted, refused(Vec::new(), Some(message))).await
        }
        Err(error) => {
            // Who may only read it stays where they were, and is told.
            let forbidden = || (error.kind() == ErrorKind::Forbidden).then(|| page.say("move-forbidden", &[]));
            let (faults, message) = (error.faults(), whole_message(&page, &error).or_else(forbidden));
            if faults.is_empty() && message.is_none() {
                return Err(error.into());
            }
            show(&page, entity, &id_text, wanted, refused(faults, message)).await
        }
    }
}

/// Where the form was sent from: a board, or the record's page.
fn back(post: &Post, slug: &str, id_text: &str) -> String {
    board_of(post.get("_return"), slug).map_or_else(|| format!("/records/{slug}/{id_text}"), str::to_owned)
}

/// The board an address leads to.
fn board_of<'a>(asked: &'a str, slug: &str) -> Option<&'a str> {
    let is_board = is_own_path(asked) && asked.starts_with(&format!("/records/{slug}/board/")) && !asked.contains(['?', '#']);
    is_board.then_some(asked)
}

type Wanted<'e> = (&'e Pipeline, &'e Stage);

/// The pipeline and stage an address or form names.
fn wanted<'e>(entity: &'e Entity, pipeline: &str, to: &str) -> Result<Wanted<'e>, Problem> {
    let pipeline = entity.pipelines.iter().find(|known| known.id == pipeline).ok_or_else(Problem::not_found)?;
    let stage = pipeline.stages.iter().find(|stage| stage.key == to).ok_or_else(Problem::not_found)?;
    Ok((pipeline, stage))
}

/// What a form brought that was refused.
#[derive(Default)]
struct Asked<'a> {
    post: Option<&'a Post>,
    faults: Vec<FieldFault>,
    message: Option<String>,
}

async fn show(page: &Page, entity: &Entity, id_text: &str, wanted: Wanted<'_>, asked: Asked<'_>) -> Result<Response, Problem> {
    let (pipeline, stage) = wanted;
    let id = parse_id(&page.catalog, entity.ix, id_text).ok_or_else(Problem::not_found)?;
    let records = &page.state.records;
    let standings = records.moves(&page.actor, &page.catalog, entity.ix, id).await?;
    let found = standings.iter().find_map(|standing| {
        let known = page.catalog.whole().entity(entity.ix).pipelines.get(standing.pipeline).map(|known| known.id.clone())?;
        (known == pipeline.id).then_some(standing)
    });
    let standing = found.ok_or_else(Problem::not_found)?;
    let possible = standing.moves.iter().find(|one| pipeline.stages.get(one.to).is_some_and(|known| known.key == stage.key));
    let Some(possible) = possible else {
        let told = asked.message.or_else(|| asked.faults.first().map(|fault| page.fault_text(fault)));
        return match told {
            Some(text) => {
                let notice = Notice { kind: "error".to_owned(), text, detail: None, action: None };
                record_page(page, &entity.slug, id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(notice)).await
            }
            // It stands there already: somebody was faster.
            None => Ok(page.go(&format!("/records/{}/{id_text}", entity.slug))),
        };
    };
    let title = page.titles(std::iter::once(id_text)).await?.remove(id_text).ok_or_else(Problem::not_found)?;
    let href = format!("/records/{}/{id_text}", entity.slug);

    let stage_field = entity.field(pipeline.field).name.clone();
    let pairs: Vec<(String, String)> = asked.post.map(|post| post.pairs.clone()).unwrap_or_default();
    let with_stage: Vec<(String, String)> = pairs.iter().cloned().chain([(stage_field, stage.key.clone())]).collect();
    let (input, _) = read_input(page, entity, &with_stage);
    let state = records.form_state(&page.actor, &page.catalog, entity.ix, Some(id), &input).await?;
    let texts = match asked.post {
        Some(post) => FormTexts::from_pairs(post.pairs.iter().filter(|(name, _)| !name.starts_with('_')).cloned()),
        None => page.texts_of(entity, &state, None),
    };
    let asks = fields_to_ask(entity, stage, possible);
    let fields =
        page.draw_fields(Drawn { entity, id: Some(id), texts: &texts, state: &state, faults: &asked.faults, prefix: "" }, &asks).await?;
    let row = |condition: &Condition| ConditionRow {
        task: page.awaited(entity, pipeline, condition),
        href: if is_missing(condition) { way_out(&condition.fault, &href) } else { String::new() },
        ..page.condition_row(entity, condition)
    };
    let (missing, met): (Vec<&Condition>, Vec<&Condition>) = possible.conditions.iter().partition(|condition| is_missing(condition));
    let to_label = stage_label(page, entity, pipeline, &stage.key);
    let count = i64::try_from(missing.len()).unwrap_or(i64::MAX);
    let heading = match count {
        0 => page.say("move-heading", &[("stage", Arg::Text(&to_label))]),
        _ => page.say("move-missing", &[("count", Arg::Count(count)), ("stage", Arg::Text(&to_label))]),
    };
    let version = match asked.post {
        Some(post) if asked.message.is_none() => post.get("_version").to_owned(),
        _ => version_of(page, entity, id).await?.to_string(),
    };
    let status = if asked.post.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut shell = page.shell(
        &page.say("move-title", &[]),
        &entity.slug,
        vec![page.entity_crumb(entity), Crumb { label: title.clone(), href: Some(href.clone()) }],
    );
    shell.title = title;
    let from = asked.post.map_or_else(|| page.params.get("_return"), |post| Some(post.get("_return")));
    let board = from.and_then(|from| board_of(from, &entity.slug));
    let context = MovePage {
        heading,
        action: format!("{href}/move"),
        edit_href: format!("{href}/edit"),
        pipeline: pipeline.id.clone(),
        to: stage.key.clone(),
        to_label,
        version,
        idempotency_key: page.empty_form(entity, String::new()).idempotency_key,
        guidance: stage.guidance.get(page.ui.locale).to_owned(),
        tasks_action: format!("{href}/tasks"),
        missing: missing.into_iter().map(row).collect(),
        met: met.into_iter().map(row).collect(),
        can_override: possible.can_override,
        reason: asked.post.map(|post| post.get("_reason").to_owned()).unwrap_or_default(),
        faults: page.summary(entity, &asked.faults, &texts, &href),
        message: asked.message,
        return_to: board.unwrap_or_default().to_owned(),
        cancel_href: board.unwrap_or(&href).to_owned(),
        fields,
        shell,
        href,
    };
    page.html(status, "page/move", &context)
}

fn is_missing(condition: &Condition) -> bool {
    condition.is_open && !condition.holds
}

/// Fields a form for a move asks for: what is missing, the reason, what belongs to the stage.
fn fields_to_ask(entity: &Entity, stage: &Stage, possible: &PossibleMove) -> Vec<FieldIx> {
    let missing = possible.conditions.iter().filter(|condition| is_missing(condition)).filter_map(|condition| condition.field);
    let mut asks: Vec<FieldIx> = Vec::new();
    for field in missing.chain(stage.reason).chain(stage.fields.iter().copied()) {
        let definition = entity.field(field);
        let is_typed_in = !matches!(
            definition.ty,
            FieldType::Children { .. } | FieldType::Links { .. } | FieldType::File { .. } | FieldType::Image { .. }
        );
        if is_typed_in && !definition.read_only && !definition.is_hidden && !definition.is_system && !asks.contains(&field) {
            asks.push(field);
        }
    }
    asks
}

async fn version_of(page: &Page, entity: &Entity, id: RecordId) -> Result<i64, Problem> {
    let row = page.state.records.get_url(&page.actor, &page.catalog, entity.ix, id, "select=id,version").await?;
    Ok(row.ok_or_else(Problem::not_found)?.version())
}

pub(super) fn option_of<'e>(entity: &'e Entity, pipeline: &Pipeline, key: &str) -> Option<&'e SelectOption> {
    let FieldType::Select(options) = &entity.field(pipeline.field).ty else { return None };
    options.list.options.iter().find(|option| option.key == key)
}

pub(super) fn stage_label(page: &Page, entity: &Entity, pipeline: &Pipeline, key: &str) -> String {
    option_of(entity, pipeline, key).map_or_else(|| key.to_owned(), |option| option.label.get(page.ui.locale).to_owned())
}

impl Page {
    fn condition_row(&self, entity: &Entity, condition: &Condition) -> ConditionRow {
        if !condition.is_open {
            return ConditionRow { text: self.say("move-hidden", &[]), ..ConditionRow::default() };
        }
        match (condition.kind, condition.field) {
            (ConditionKind::Field, Some(field)) => {
                let field = entity.field(field);
                ConditionRow {
                    text: self.say("move-fill-in", &[("field", Arg::Text(&self.label(field)))]),
                    target: format!("f-{}", field.name),
                    ..ConditionRow::default()
                }
            }
            _ => ConditionRow { text: self.fault_text(&condition.fault), ..ConditionRow::default() },
        }
    }

    /// The paths of a record through the pipelines it follows.
    pub(super) async fn paths(
        &self,
        entity: &Entity,
        id: RecordId,
        href: &str,
        json: &Json,
        titles: &Titles,
    ) -> Result<Vec<StagePath>, Problem> {
        if entity.pipelines.is_empty() {
            return Ok(Vec::new());
        }
        let standings = self.state.records.moves(&self.actor, &self.catalog, entity.ix, id).await?;
        let whole = self.catalog.whole();
        let people = self.task_people(&standings).await?;
        let mut paths = Vec::new();
        for standing in &standings {
            let Some(known) = whole.entity(entity.ix).pipelines.get(standing.pipeline) else { continue };
            // As the reader may know of it.
            let Some(pipeline) = entity.pipelines.iter().find(|pipeline| pipeline.id == known.id) else { continue };
            let tasks = self.task_rows(entity, pipeline, standing, &people);
            paths.push(StagePath {
                tasks,
                tasks_action: format!("{href}/tasks"),
                ..self.path(entity, pipeline, standing, href, json, titles)
            });
        }
        Ok(paths)
    }

    fn path(&self, entity: &Entity, pipeline: &Pipeline, standing: &Standing, href: &str, json: &Json, titles: &Titles) -> StagePath {
        let here = standing.stage.as_deref().and_then(|key| pipeline.stage(key));
        let is_closed = here.is_some_and(|at| pipeline.stages[at].closed.is_some());
        let to = |key: &str| format!("{href}/move?pipeline={}&to={}", encode(&pipeline.id), encode(key));
        let steps = pipeline.stages.iter().enumerate().filter(|(at, stage)| Some(*at) == here || !stage.retired).map(|(at, stage)| {
            let state = match &stage.closed {
                _ if Some(at) == here => "current",
                Some(outcome) if outcome == "won" => "won",
                Some(_) => "closed",
                None if here.is_some_and(|here| at < here || is_closed) => "done",
                None => "open",
            };
            PathStep {
                label: stage_label(self, entity, pipeline, &stage.key),
                hue: option_of(entity, pipeline, &stage.key).map_or(0, |option| option.hue % 10),
                state: state.to_owned(),
                href: if Some(at) == here { String::new() } else { to(&stage.key) },
            }
        });
        // The next open stage first, or all that the moves lead to, then how it may end. What goes against the order is not offered.
        let offered = || standing.moves.iter().filter(|one| is_offered(one) && !is_against_order(one));
        let closes = |one: &&PossibleMove| pipeline.stages[one.to].closed.is_some();
        let is_ahead = |one: &&PossibleMove| here.is_none_or(|here| one.to > here);
        let mut next: Vec<&PossibleMove> = offered().filter(|one| !closes(one) && (!pipeline.moves.is_empty() || is_ahead(one))).collect();
        next.sort_by_key(|one| !is_ahead(one));
        if pipeline.moves.is_empty() {
            next.truncate(1);
        }
        let moves = next.into_iter().chain(offered().filter(closes)).map(|one| {
            let stage = &pipeline.stages[one.to];
            let missing = i64::try_from(one.conditions.iter().filter(|condition| is_missing(condition)).count()).unwrap_or(0);
            MoveLink {
                label: self.say("move-to", &[("stage", Arg::Text(&stage_label(self, entity, pipeline, &stage.key)))]),
                href: to(&stage.key),
                action: if one.passes { format!("{href}/move") } else { String::new() },
                to: stage.key.clone(),
                waits: if missing == 0 { String::new() } else { self.say("move-waits", &[("count", Arg::Count(missing))]) },
            }
        });
        let stage = here.map(|at| &pipeline.stages[at]);
        let days = standing.since.map(|since| (self.ui.now.0 - since.0).max(0) / DAY);
        let limit = stage.and_then(|stage| stage.max_days);
        StagePath {
            id: pipeline.id.clone(),
            label: pipeline.label.get(self.ui.locale).to_owned(),
            steps: steps.collect(),
            guidance: stage.map(|stage| stage.guidance.get(self.ui.locale).to_owned()).unwrap_or_default(),
            facts: stage
                .into_iter()
                .flat_map(|stage| &stage.fields)
                .map(|field| self.labelled(titles, entity.field(*field), json))
                .collect(),
            since: standing.since.map(|since| Stamp::new(since, &self.ui, self.messages())),
            limit: limit.map(|limit| self.say("stage-limit", &[("count", Arg::Count(i64::from(limit)))])).unwrap_or_default(),
            is_late: days.zip(limit).is_some_and(|(days, limit)| days > i64::from(limit)),
            moves: moves.collect(),
            ..StagePath::default()
        }
    }

    /// The stages a record went through, newest first.
    pub(super) async fn stage_rows(&self, entity: &Entity, id: RecordId) -> Result<Vec<StageRow>, Problem> {
        let stays = self.state.records.stages(&self.actor, entity.ix, id).await?;
        let people = self.catalog.find_entity("core.user");
        let shown = |user: RecordId| people.map(|people| user.display(&people.prefix));
        let ids: Vec<String> = stays.iter().filter_map(|stay| shown(stay.by?)).collect();
        let titles = self.titles(ids.iter().map(String::as_str)).await?;
        let rows = stays.iter().rev().map(|stay| {
            let option = |key: &Option<String>| {
                let FieldType::Select(options) = &entity.field(stay.field).ty else { return None };
                options.list.options.iter().find(|option| Some(&option.key) == key.as_ref())
            };
            let label = |key: &Option<String>| {
                let text = option(key).map(|option| option.label.get(self.ui.locale).to_owned());
                text.or_else(|| key.clone()).unwrap_or_default()
            };
            let name = stay.pipeline.as_deref().unwrap_or_default();
            let pipeline = entity.pipelines.iter().find(|known| known.id == name);
            let seconds = (stay.until.unwrap_or(self.ui.now).0 - stay.at.0).max(0) / 1_000_000;
            StageRow {
                pipeline: pipeline.map_or_else(|| name.to_owned(), |known| known.label.get(self.ui.locale).to_owned()),
                stage: label(&stay.to),
                hue: option(&stay.to).map_or(0, |option| option.hue % 10),
                from: label(&stay.from),
                stamp: Stamp::new(stay.at, &self.ui, self.messages()),
                stayed: self.stayed(seconds),
                who: match stay.by.and_then(shown) {
                    Some(id) => titles.get(&id).cloned().unwrap_or(id),
                    None => self.say("history-system", &[]),
                },
                reason: stay.reason.clone().unwrap_or_default(),
            }
        });
        Ok(rows.collect())
    }

    /// A length of time in its largest unit.
    fn stayed(&self, seconds: i64) -> String {
        let (key, count) = match seconds {
            0..3_600 => ("stayed-minutes", seconds / 60),
            3_600..86_400 => ("stayed-hours", seconds / 3_600),
            _ => ("stayed-days", seconds / 86_400),
        };
        self.say(key, &[("count", Arg::Count(count))])
    }
}

/// Whether a move is worth offering: it can be made, or what is missing can be filled in, asked for or passed over. What the
/// order of the stages does not foresee is reached over the path alone.
fn is_offered(one: &PossibleMove) -> bool {
    let mut missing = one.conditions.iter().filter(|condition| is_missing(condition));
    let is_in_order = missing.clone().all(|condition| condition.kind != ConditionKind::Order);
    one.passes || is_in_order && (one.can_override || missing.all(is_fillable))
}

/// Only a reason would take it there, past the order of the stages.
fn is_against_order(one: &PossibleMove) -> bool {
    one.conditions.iter().any(|condition| is_missing(condition) && condition.kind == ConditionKind::Order)
}

fn is_fillable(condition: &Condition) -> bool {
    matches!(
        condition.kind,
        ConditionKind::Field | ConditionKind::Expression | ConditionKind::Task | ConditionKind::Approval | ConditionKind::Registration
    )
}
