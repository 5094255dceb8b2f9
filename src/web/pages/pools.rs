//! Public pools: those one may claim from, what is in one, what one holds, and the box on a record's page.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::approvals::told;
use super::filter::quoted;
use super::page::{Page, address, encode};
use super::post::Post;
use super::record::record_page;
use super::table::{row_json, with_cursor};
use crate::base::RecordId;
use crate::query::Params;
use crate::record::{HeldRecord, MOST_CLAIMED, MOST_HANDED_OUT, PoolStanding, RecordError, Source, may_claim, parse_id};
use crate::render::Arg;
use crate::render::context::{
    Choice, Crumb, HolderRow, HoldingBox, Notice, PoolFilter, PoolHeldRow, PoolPage, PoolRow, PoolRows, PoolsPage, Stamp,
};
use crate::render::show::Titles;
use crate::schema::catalog::{Entity, FieldType, Pool};
use crate::web::Problem;

const SHOWN: u32 = 50;
/// Selects that are offered as filters.
const FILTERS: usize = 3;
/// Holders of a record that are shown.
const HOLDERS: usize = 20;

/// `GET /pools`
pub(super) async fn pools(page: Page) -> Result<Response, Problem> {
    page.requester.identity()?;
    let found = page.state.records.pools(&page.actor).await?;
    let whole = page.catalog.whole();
    let row = |one: &PoolStanding| {
        let entity = whole.entity(one.entity);
        let pool = &entity.pools[one.pool];
        PoolRow {
            href: pool_href(entity, pool),
            label: pool.label.get(page.ui.locale).to_owned(),
            entity: entity.label_plural.get(page.ui.locale).to_owned(),
            icon: entity.icon.clone(),
            limits: page.limits(pool, one),
        }
    };
    let context =
        PoolsPage { shell: page.shell(&page.say("pools-title", &[]), ":pools", Vec::new()), rows: found.iter().map(row).collect() };
    page.html(StatusCode::OK, "page/pools", &context)
}

/// `GET /pools/{entity}/{pool}`
pub(super) async fn pool(page: Page, Path((slug, pool)): Path<(String, String)>) -> Result<Response, Problem> {
    shown(&page, &slug, &pool, StatusCode::OK, Vec::new()).await
}

async fn shown(page: &Page, slug: &str, pool: &str, status: StatusCode, notices: Vec<Notice>) -> Result<Response, Problem> {
    let entity = page.entity(slug)?;
    let standing = page.state.records.pool(&page.actor, &page.catalog, entity.ix, pool).await?;
    let whole = page.catalog.whole();
    let definition = whole.entity(entity.ix);
    let known = &definition.pools[standing.pool];
    let href = pool_href(definition, known);
    let is_held = page.params.get("show") == Some("held");
    let tab = |is_it: bool, to: String, key: &str| Choice { value: to, label: page.say(key, &[]), selected: is_it, ..Choice::default() };
    let title = known.label.get(page.ui.locale).to_owned();
    let crumbs = vec![Crumb { label: page.say("pools-title", &[]), href: Some("/pools".to_owned()) }];
    let mut shell = page.shell(&title, ":pools", crumbs);
    shell.notices.extend(notices);
    let context = PoolPage {
        shell,
        entity: page.head(definition),
        tabs: vec![tab(!is_held, href.clone(), "pool-tab-in"), tab(is_held, format!("{href}?show=held"), "pool-tab-held")],
        limits: page.limits(known, &standing),
        rules: page.rules(known),
        rows: if is_held { None } else { Some(page.in_pool(definition, known, &href).await?) },
        held: if is_held { page.held_rows(definition, known).await? } else { Vec::new() },
        hand_out: (standing.may_manage && known.hand_out.is_some()).then(|| format!("{href}/hand-out")),
        most_handed_out: MOST_HANDED_OUT,
        title,
        href,
    };
    page.html(status, "page/pool", &context)
}

/// `POST /pools/{entity}/{pool}/claim`
pub(super) async fn claim(page: Page, Path((slug, pool)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    page.requester.may_write(entity)?;
    let named = post.pairs.iter().filter(|(name, _)| name == "record");
    let ids: Vec<RecordId> = named.filter_map(|(_, text)| parse_id(&page.catalog, entity.ix, text)).collect();
    if ids.is_empty() || ids.len() > MOST_CLAIMED {
        let text = page.say("pool-choose", &[("most", Arg::Count(i64::try_from(MOST_CLAIMED).unwrap_or(0)))]);
        return shown(&page, &slug, &pool, StatusCode::UNPROCESSABLE_ENTITY, vec![error(text)]).await;
    }
    let results = page.state.records.claim(&page.actor, &page.catalog, entity.ix, &pool, ids, Source::Form).await?;
    let claimed = results.iter().filter(|(_, result)| result.is_ok()).count();
    let one = results.iter().find_map(|(id, result)| result.is_ok().then_some(*id)).filter(|_| results.len() == 1);
    if let Some(id) = one {
        return Ok(page.go(&format!("/records/{slug}/{}?done=claimed", id.display(&entity.prefix))));
    }
    let mut notices = Vec::new();
    if claimed > 0 {
        let text = page.say("pool-claimed", &[("count", Arg::Count(i64::try_from(claimed).unwrap_or(0)))]);
        notices.push(Notice { kind: "ok".to_owned(), text, detail: None, action: None });
    }
    let mut refused: Vec<(String, i64)> = Vec::new();
    for fault in results.into_iter().filter_map(|(_, result)| result.err()) {
        let text = told(&page, fault)?;
        match refused.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => refused.push((text, 1)),
        }
    }
    for (text, count) in refused {
        let text = if count > 1 { page.say("pool-refused-many", &[("count", Arg::Count(count)), ("why", Arg::Text(&text))]) } else { text };
        notices.push(error(text));
    }
    let status = if claimed > 0 { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    shown(&page, &slug, &pool, status, notices).await
}

/// `POST /pools/{entity}/{pool}/hand-out`
pub(super) async fn hand_out(page: Page, Path((slug, pool)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    page.requester.may_write(entity)?;
    let records = &page.state.records;
    records.pool(&page.actor, &page.catalog, entity.ix, &pool).await?;
    let most = post.get("most").trim().parse().ok().filter(|most| (1..=MOST_HANDED_OUT).contains(most));
    let Some(most) = most else {
        let text = page.say("pool-most", &[("most", Arg::Count(i64::from(MOST_HANDED_OUT)))]);
        return shown(&page, &slug, &pool, StatusCode::UNPROCESSABLE_ENTITY, vec![error(text)]).await;
    };
    match records.hand_out(&page.actor, &page.catalog, entity.ix, &pool, most, Source::Form).await {
        Ok(given) => {
            let text = page.say("pool-handed-out", &[("count", Arg::Count(i64::from(given)))]);
            let notice = Notice { kind: "ok".to_owned(), text, detail: None, action: None };
            shown(&page, &slug, &pool, StatusCode::OK, vec![notice]).await
        }
        Err(fault) => {
            let text = told_of_pool(&page, fault)?;
            shown(&page, &slug, &pool, StatusCode::UNPROCESSABLE_ENTITY, vec![error(text)]).await
        }
    }
}

/// `POST /records/{entity}/{id}/return`
pub(super) async fn give_back(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    page.requester.may_write(entity)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    match page.state.records.give_back(&page.actor, &page.catalog, entity.ix, id, post.get("reason"), Source::Form).await {
        // Whoever gave it back may not read it any more.
        Ok(()) => Ok(page.go(&format!("/records/{slug}?done=returned"))),
        Err(fault) => {
            let text = told_of_pool(&page, fault)?;
            record_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(error(text))).await
        }
    }
}

fn told_of_pool(page: &Page, fault: RecordError) -> Result<String, Problem> {
    match fault {
        RecordError::Forbidden(_) => Ok(page.say("pool-forbidden", &[])),
        other => told(page, other),
    }
}

fn error(text: String) -> Notice {
    Notice { kind: "error".to_owned(), text, detail: None, action: None }
}

fn pool_href(entity: &Entity, pool: &Pool) -> String {
    format!("/pools/{}/{}", entity.slug, encode(&pool.id))
}

impl Page {
    /// Whether the reader may claim from any pool.
    pub(super) fn has_pools(&self) -> bool {
        let whole = self.catalog.whole();
        let known = self.catalog.entities.iter().filter(|entity| self.catalog.by_slug.contains_key(&entity.slug));
        self.requester.identity.is_some()
            && known.map(|entity| whole.entity(entity.ix)).any(|entity| entity.pools.iter().any(|pool| may_claim(&self.actor, pool)))
    }

    /// `You hold 38 of 50.`
    fn limits(&self, pool: &Pool, one: &PoolStanding) -> Vec<String> {
        let held = ("held", Arg::Count(one.held));
        let mut texts = vec![match one.cap {
            Some(cap) => self.say("pool-hold-of", &[held, ("cap", Arg::Count(cap))]),
            None => self.say("pool-hold", &[held]),
        }];
        if let Some(most) = pool.claims_per_day {
            texts.push(self.say("pool-today", &[("claimed", Arg::Count(one.claimed_today)), ("most", Arg::Count(most))]));
        }
        texts
    }

    /// What holds for records of the pool, in words.
    fn rules(&self, pool: &Pool) -> Vec<String> {
        let told = [
            ("pool-rule-protect", pool.protect_seconds),
            ("pool-rule-reclaim", pool.reclaim_seconds),
            ("pool-rule-cool-down", pool.cool_down_seconds),
        ];
        told.into_iter().filter_map(|(key, seconds)| Some(self.say(key, &[("time", Arg::Text(&self.span(seconds?)))]))).collect()
    }

    pub(super) fn span(&self, seconds: i64) -> String {
        let (key, count) = match seconds {
            days if days % 86_400 == 0 => ("pool-days", days / 86_400),
            hours if hours % 3_600 == 0 => ("pool-hours", hours / 3_600),
            rest => ("pool-minutes", rest / 60),
        };
        self.say(key, &[("count", Arg::Count(count))])
    }

    async fn in_pool(&self, entity: &Entity, pool: &Pool, href: &str) -> Result<PoolRows, Problem> {
        let q = self.params.get("q").unwrap_or("").trim().to_owned();
        let is_text = |ty: &FieldType| matches!(ty, FieldType::Text { .. } | FieldType::LongText { .. } | FieldType::Email);
        let fields = || pool.show.iter().map(|field| entity.field(*field));
        let words: Vec<String> =
            fields().filter(|field| is_text(&field.ty)).map(|field| format!("{} contains {}", field.name, quoted(&q))).collect();
        let mut parts = Vec::new();
        if !q.is_empty() && !words.is_empty() {
            parts.push(format!("({})", words.join(" or ")));
        }
        let mut kept: Vec<(String, String)> = Vec::new();
        if !q.is_empty() {
            kept.push(("q".to_owned(), q.clone()));
        }
        let mut filters = Vec::new();
        let selects = fields().filter_map(|field| if let FieldType::Select(options) = &field.ty { Some((field, options)) } else { None });
        for (field, options) in selects.take(FILTERS) {
            let name = format!("f-{}", field.name);
            let chosen = self.params.get(&name).unwrap_or("").to_owned();
            if options.list.options.iter().any(|option| option.key == chosen) {
                parts.push(format!("{} = {}", field.name, quoted(&chosen)));
                kept.push((name.clone(), chosen.clone()));
            }
            let choice = |option: &crate::schema::catalog::SelectOption| Choice {
                value: option.key.clone(),
                label: option.label.get(self.ui.locale).to_owned(),
                selected: option.key == chosen,
                ..Choice::default()
            };
            filters.push(PoolFilter { name, label: self.label(field), options: options.list.options.iter().map(choice).collect() });
        }
        let sort = self.params.get("sort").map(str::to_owned);
        let is_sortable = sort.as_deref().is_some_and(|sort| fields().any(|field| field.name == sort.trim_start_matches('-')));
        let sort = sort.filter(|_| is_sortable);
        let mut asked = vec![("limit".to_owned(), SHOWN.to_string()), ("count".to_owned(), "exact".to_owned())];
        if !parts.is_empty() {
            asked.push(("filter".to_owned(), parts.join(" and ")));
        }
        for (name, value) in [("sort", sort.as_deref()), ("cursor", self.params.get("cursor"))] {
            asked.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        }
        let found = self.state.records.in_pool(&self.actor, &self.catalog, entity.ix, &pool.id, &Params(asked)).await?;
        let titles = Titles::new();
        let mut rows = Vec::new();
        for row in found.iter() {
            let json = row_json(&row)?;
            let id = json.get("id").and_then(serde_json::Value::as_str).unwrap_or("").to_owned();
            let cells: Vec<_> = fields().map(|field| self.shown(&titles, field, &json)).collect();
            let name = cells.iter().map(|cell| cell.text.as_str()).find(|text| !text.is_empty()).unwrap_or(&id).to_owned();
            rows.push(crate::render::context::Row { id, title: name, cells, ..Default::default() });
        }
        let is_filtered = !kept.is_empty();
        let columns = self.columns(entity, &pool.show, sort.as_deref(), href, Some(&kept));
        if let Some(sort) = &sort {
            kept.push(("sort".to_owned(), sort.clone()));
        }
        Ok(PoolRows {
            columns,
            rows,
            count: self.count_text(found.count),
            next_href: found.next_cursor.as_ref().map(|cursor| with_cursor(href, &kept, cursor)),
            claim_action: address(&format!("{href}/claim"), &kept),
            q,
            has_words: !words.is_empty(),
            filters,
            is_filtered,
        })
    }

    async fn held_rows(&self, entity: &Entity, pool: &Pool) -> Result<Vec<PoolHeldRow>, Problem> {
        let found = self.state.records.held(&self.actor, &self.catalog, entity.ix, &pool.id).await?;
        let ids: Vec<String> = found.iter().map(|one| one.record.display(&entity.prefix)).collect();
        let titles = self.titles(ids.iter().map(String::as_str)).await?;
        let row = |one: &HeldRecord| {
            let id = one.record.display(&entity.prefix);
            PoolHeldRow {
                href: format!("/records/{}/{id}", entity.slug),
                title: titles.get(&id).cloned().unwrap_or(id),
                since: self.pool_stamp(one.since),
                active: self.pool_stamp(one.active_at),
                due: one.due.map(|at| self.pool_stamp(at)),
                is_soon: self.is_soon(pool, one),
            }
        };
        Ok(found.iter().map(row).collect())
    }

    fn is_soon(&self, pool: &Pool, one: &HeldRecord) -> bool {
        let warn = pool.warn_seconds.unwrap_or(86_400).saturating_mul(1_000_000);
        one.due.is_some_and(|due| due.0.saturating_sub(warn) <= self.ui.now.0)
    }

    fn pool_stamp(&self, at: crate::base::DateTime) -> Stamp {
        Stamp::new(at, &self.ui, self.messages())
    }

    /// Who holds a record for a pool, and held it; `None` where there is nothing to tell.
    pub(super) async fn holding_box(&self, entity: &Entity, id: RecordId, href: &str) -> Result<Option<HoldingBox>, Problem> {
        let whole = self.catalog.whole();
        let definition = whole.entity(entity.ix);
        if definition.pools.is_empty() {
            return Ok(None);
        }
        let found = self.state.records.holding(&self.actor, &self.catalog, entity.ix, id).await?;
        if found.now.is_none() && found.past.is_empty() {
            return Ok(None);
        }
        let people = found.past.iter().flat_map(|one| [one.person.0, one.got_by, one.lost_by]).filter(|id| *id != 0);
        let mut ids: Vec<String> = people.map(|id| self.person_id(RecordId(id))).collect();
        ids.extend(found.now.iter().map(|(_, person, _)| self.person_id(*person)));
        let titles = self.titles(ids.iter().map(String::as_str)).await?;
        let holder = |one: &crate::store::holds::Past| HolderRow {
            name: self.decider_name(&titles, one.person.0),
            from: self.pool_stamp(one.from_at),
            until: one.until_at.map(|at| self.pool_stamp(at)),
            got: self
                .say(&format!("pool-got-{}", one.got.replace('_', "-")), &[("name", Arg::Text(&self.decider_name(&titles, one.got_by)))]),
            lost: one.lost.as_deref().map(|lost| {
                self.say(&format!("pool-lost-{}", lost.replace('_', "-")), &[("name", Arg::Text(&self.decider_name(&titles, one.lost_by)))])
            }),
            reason: one.reason.clone().unwrap_or_default(),
        };
        let now = found.now.as_ref().map(|(at, person, one)| (&definition.pools[*at], person, one));
        Ok(Some(HoldingBox {
            pool: now.map(|(pool, ..)| pool.label.get(self.ui.locale).to_owned()).unwrap_or_default(),
            holder: now.map(|(_, person, _)| self.decider_name(&titles, person.0)).unwrap_or_default(),
            due: now.and_then(|(_, _, one)| one.due).map(|at| self.pool_stamp(at)),
            kept: now.map(|(_, _, one)| one.kept_until).filter(|at| *at > self.ui.now).map(|at| self.pool_stamp(at)),
            is_soon: now.is_some_and(|(pool, _, one)| self.is_soon(pool, one)),
            action: if found.may_give_back { format!("{href}/return") } else { String::new() },
            holders: found.past.iter().take(HOLDERS).map(holder).collect(),
        }))
    }
}
