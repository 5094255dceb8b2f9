//! A board: the stages of a pipeline beside one another, a card for each record.
//!
//! A page runs one statement for the heads of all columns, one for each column's cards, one for how long the cards have
//! been there: fixed by the pipeline, not by the number of records.

use std::collections::HashMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::field::title_fields;
use super::moves::{option_of, stage_label};
use super::page::{Page, encode};
use super::table::{Refused, Wanted, row_json};
use crate::base::{DateTime, FieldIx, RecordId};
use crate::query;
use crate::render::context::{BoardCard, BoardColumn, BoardPage, ViewLink};
use crate::render::show::Titles;
use crate::render::{Arg, format};
use crate::schema::catalog::{Entity, FieldType, MoneyCurrency, Pipeline, Stage};
use crate::web::Problem;

/// Cards of a column at first; more of one column are asked for with `column` and `cursor`.
const CARDS: u32 = 25;
/// Fields of a card besides its title.
const FACTS: usize = 3;
const DAY: i64 = 86_400_000_000;

/// `GET /records/{entity}/board/{pipeline}`
pub(super) async fn board(page: Page, Path((slug, id)): Path<(String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let pipeline = entity.pipelines.iter().find(|known| known.id == id).ok_or_else(Problem::not_found)?;
    if !entity.may.read {
        return Err(Problem::not_found());
    }
    let base = format!("/records/{slug}/board/{id}");
    let sums = page.sums(entity, pipeline).await?;
    let more = page.params.get("column").unwrap_or("");
    let mut columns = Vec::new();
    let mut all_ids: Vec<RecordId> = Vec::new();
    for stage in pipeline.stages.iter().filter(|stage| !stage.retired) {
        let sum = sums.get(&stage.key).cloned().unwrap_or_default();
        let cursor = page.params.get("cursor").filter(|_| more == stage.key).map(str::to_owned);
        let (column, ids) = page.column(entity, pipeline, stage, sum, cursor, &base).await?;
        all_ids.extend(ids);
        columns.push(column);
    }
    let since = page.state.records.in_stage_since(entity, pipeline, &all_ids).await?;
    for (column, stage) in columns.iter_mut().zip(pipeline.stages.iter().filter(|stage| !stage.retired)) {
        for card in &mut column.cards {
            page.age(card, stage, entity, &since);
        }
    }
    let label = pipeline.label.get(page.ui.locale).to_owned();
    let context = BoardPage {
        shell: page.shell(&label, &slug, vec![page.entity_crumb(entity)]),
        entity: page.head(entity),
        pipeline: pipeline.id.clone(),
        list_href: format!("/records/{slug}"),
        create_href: if entity.may.create { format!("/records/{slug}/new?_return={}", encode(&base)) } else { String::new() },
        may_move: entity.may.update && !entity.field(pipeline.field).read_only,
        boards: entity.pipelines.iter().map(|other| page.board_link(entity, other, other.id == pipeline.id)).collect(),
        label,
        here: base,
        columns,
    };
    page.html(StatusCode::OK, "page/board", &context)
}

/// Count and sum of a column.
#[derive(Clone, Default)]
struct Sum {
    count: i64,
    total: Json,
}

impl Page {
    /// The records that follow a pipeline, as a filter.
    fn followers(entity: &Entity, pipeline: &Pipeline) -> String {
        let mut parts = Vec::new();
        for other in entity.pipelines.iter().filter(|other| other.field == pipeline.field) {
            if other.id == pipeline.id {
                parts.extend((!other.when_text.is_empty()).then(|| format!("({})", other.when_text)));
                break;
            }
            // The first that holds is followed.
            parts.push(format!("not ({})", other.when_text));
        }
        parts.join(" and ")
    }

    fn in_stage(entity: &Entity, pipeline: &Pipeline, key: &str) -> String {
        let followers = Self::followers(entity, pipeline);
        let stage = format!("{} = '{}'", entity.field(pipeline.field).name, key.replace('\'', "''"));
        if followers.is_empty() { stage } else { format!("{followers} and {stage}") }
    }

    /// Counts and sums of all columns: one statement.
    async fn sums(&self, entity: &Entity, pipeline: &Pipeline) -> Result<HashMap<String, Sum>, Problem> {
        let stage = &entity.field(pipeline.field).name;
        let mut asked = json!({ "group": [stage], "measures": { "records": "count()" }, "limit": 200 });
        if let Some(amount) = pipeline.amount {
            asked["measures"]["total"] = format!("sum({})", entity.field(amount).name).into();
        }
        let followers = Self::followers(entity, pipeline);
        if !followers.is_empty() {
            asked["filter"] = followers.into();
        }
        let request = query::parse_aggregate_json(&self.catalog, entity.ix, &asked)?;
        let rows = self.state.records.aggregate(&self.actor, &self.catalog, request).await?;
        let sum = |row: &Json| {
            let key = row.get(stage)?.as_str()?.to_owned();
            Some((key, Sum { count: row.get("records")?.as_i64()?, total: row.get("total").cloned().unwrap_or_default() }))
        };
        Ok(rows.iter().filter_map(sum).collect())
    }

    async fn column(
        &self,
        entity: &Entity,
        pipeline: &Pipeline,
        stage: &Stage,
        sum: Sum,
        cursor: Option<String>,
        base: &str,
    ) -> Result<(BoardColumn, Vec<RecordId>), Problem> {
        let facts = card_facts(entity, pipeline);
        let mut columns: Vec<FieldIx> = facts.clone();
        columns.extend(pipeline.amount);
        columns.extend(entity.by_name.get("owner").copied());
        columns.extend(entity.by_name.get("version").copied());
        let wanted = Wanted {
            entity,
            columns: &columns,
            filter: Some(Self::in_stage(entity, pipeline, &stage.key)),
            sort: None,
            search: None,
            cursor,
            only_deleted: false,
            limit: CARDS,
            count: false,
        };
        let found = match self.fetch(wanted).await {
            Ok(found) => found,
            Err(Refused::Problem(problem)) => return Err(problem),
            Err(Refused::Query(faults)) => return Err(faults.into()),
        };
        let titles = Titles::new();
        let mut cards = Vec::new();
        for row in found.iter() {
            cards.push(self.card(entity, pipeline, &facts, &titles, &row_json(&row)?));
        }
        let option = option_of(entity, pipeline, &stage.key);
        let next = found
            .next_cursor
            .as_ref()
            .map(|cursor| format!("{base}?column={}&cursor={}#column-{}", encode(&stage.key), encode(cursor), encode(&stage.key)));
        let column = BoardColumn {
            key: stage.key.clone(),
            label: stage_label(self, entity, pipeline, &stage.key),
            hue: option.map_or(0, |option| option.hue % 10),
            count: self.say("board-count", &[("count", Arg::Count(sum.count))]),
            sum: self.sum_text(entity, pipeline, &sum),
            is_closed: stage.closed.is_some(),
            more_href: next.unwrap_or_default(),
            cards,
        };
        Ok((column, found.iter().map(|row| row.id()).collect()))
    }

    fn sum_text(&self, entity: &Entity, pipeline: &Pipeline, sum: &Sum) -> String {
        let Some(field) = pipeline.amount.map(|amount| entity.field(amount)).filter(|_| !sum.total.is_null()) else { return String::new() };
        let value = match &field.ty {
            FieldType::Money { currency, .. } => {
                let currency = match currency {
                    MoneyCurrency::Fixed(currency) => currency.code(),
                    _ => self.catalog.settings.currency.code(),
                };
                json!({ "amount": sum.total, "currency": currency })
            }
            _ => sum.total.clone(),
        };
        self.shown(&Titles::new(), field, &json!({ (field.name.as_str()): value })).text
    }

    fn card(&self, entity: &Entity, pipeline: &Pipeline, facts: &[FieldIx], titles: &Titles, json: &Json) -> BoardCard {
        let id = json.get("id").and_then(Json::as_str).unwrap_or("").to_owned();
        let title = json.get("_title").and_then(Json::as_str).filter(|title| !title.is_empty()).unwrap_or(&id).to_owned();
        let owner = json.get("owner").and_then(|owner| owner.get("_title")).and_then(Json::as_str).unwrap_or("").to_owned();
        let shown = |ix: &FieldIx| self.labelled(titles, entity.field(*ix), json);
        BoardCard {
            href: format!("/records/{}/{id}", entity.slug),
            amount: pipeline.amount.map(|amount| shown(&amount).value.text).unwrap_or_default(),
            facts: facts.iter().map(shown).filter(|fact| fact.value.kind != "none").collect(),
            owner_initials: format::initials(&owner),
            owner_hue: format::hue_of(&owner),
            owner,
            version: json.get("version").map(Json::to_string).unwrap_or_default(),
            age: String::new(),
            is_late: false,
            id,
            title,
        }
    }

    fn age(&self, card: &mut BoardCard, stage: &Stage, entity: &Entity, since: &HashMap<RecordId, DateTime>) {
        let id = crate::record::parse_id(&self.catalog, entity.ix, &card.id);
        let Some(since) = id.and_then(|id| since.get(&id)) else { return };
        let days = (self.ui.now.0 - since.0).max(0) / DAY;
        card.age = self.say("board-days", &[("count", Arg::Count(days))]);
        card.is_late = stage.max_days.is_some_and(|most| days > i64::from(most));
    }

    pub(super) fn board_link(&self, entity: &Entity, pipeline: &Pipeline, current: bool) -> ViewLink {
        let label = self.say("board-of", &[("pipeline", Arg::Text(pipeline.label.get(self.ui.locale)))]);
        ViewLink { label, href: format!("/records/{}/board/{}", entity.slug, encode(&pipeline.id)), current }
    }
}

/// Fields of a card: links first, then what an entity shows in its lists; not what the card says already.
fn card_facts(entity: &Entity, pipeline: &Pipeline) -> Vec<FieldIx> {
    let said = title_fields(entity);
    let is_new = |ix: &FieldIx| !said.contains(ix) && *ix != pipeline.field && Some(*ix) != pipeline.amount && !entity.field(*ix).is_system;
    let shown = entity.views.first().map(|view| view.columns.clone()).unwrap_or_default();
    shown.into_iter().filter(is_new).take(FACTS).collect()
}
