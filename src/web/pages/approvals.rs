//! Approvals: what somebody is to decide, has asked for and has decided; one request with its chain; the box on a record's
//! page; who stands in for whom.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::audit::day;
use super::form_model::whole_message;
use super::page::{Page, address};
use super::post::Post;
use super::record::record_page;
use crate::base::RecordId;
use crate::record::{ApprovalFilter, ApprovalStanding, Ask, Decision, HandOn, NewStandIn, RecordError, SeenValue, Source, parse_id};
use crate::render::Arg;
use crate::render::context::{
    ApprovalAsk, ApprovalBox, ApprovalCard, ApprovalPage, ApprovalPerson, ApprovalRow, ApprovalStepRow, ApprovalValue, ApprovalsPage,
    Choice, Crumb, Notice, Shown, Stamp, StandInRow,
};
use crate::render::show::{self, Titles};
use crate::schema::catalog::{Approval, ApprovalStep, Entity, FieldType, Need};
use crate::store::approvals::Part;
use crate::web::Problem;

const SHOWN: u32 = 50;
/// Requests of one approval on a record's page.
const RECENT: usize = 2;

/// `GET /approvals`
pub(super) async fn approvals(page: Page) -> Result<Response, Problem> {
    inbox(&page, StatusCode::OK, None).await
}

async fn inbox(page: &Page, status: StatusCode, error: Option<String>) -> Result<Response, Problem> {
    let (filter, word) = match page.params.get("show") {
        Some("asked") => (ApprovalFilter::Asked, "asked"),
        Some("decided") => (ApprovalFilter::Decided, "decided"),
        _ => (ApprovalFilter::Waiting, "waiting"),
    };
    let before = page.params.get("before").and_then(|text| text.parse().ok());
    let (found, next) = page.state.records.approvals(&page.actor, filter, before, SHOWN).await?;
    let titles = page.approval_titles(&found).await?;
    let tab = |name: &str| Choice {
        value: if name == "waiting" { "/approvals".to_owned() } else { format!("/approvals?show={name}") },
        label: page.say(&format!("approvals-{name}"), &[]),
        selected: name == word,
        ..Choice::default()
    };
    let older = next.map(|id| vec![("show".to_owned(), word.to_owned()), ("before".to_owned(), id.to_string())]);
    let (people, is_searched, asked) = page.approval_people().await?;
    let context = ApprovalsPage {
        shell: page.shell(&page.say("approvals-title", &[]), ":approvals", Vec::new()),
        tabs: ["waiting", "asked", "decided"].into_iter().map(tab).collect(),
        rows: found.iter().map(|one| page.approval_row(one, &titles)).collect(),
        empty: page.say(&format!("approvals-none-{word}"), &[]),
        older_href: older.map(|params| address("/approvals", &params)),
        stand_ins: page.stand_in_rows().await?,
        people,
        is_searched,
        found: asked,
        error,
    };
    page.html(status, "page/approvals", &context)
}

/// `GET /approvals/{id}`
pub(super) async fn approval(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    one(&page, id, StatusCode::OK, String::new(), None).await
}

async fn one(page: &Page, id: i64, status: StatusCode, comment: String, error: Option<String>) -> Result<Response, Problem> {
    let found = page.state.records.approval(&page.actor, id).await?.ok_or_else(Problem::not_found)?;
    let titles = page.approval_titles(std::slice::from_ref(&found)).await?;
    let card = page.approval_card(&found, &titles);
    let me = page.requester.identity.as_ref().map(|identity| identity.user);
    let choice = |person: &RecordId| {
        let value = page.person_id(*person);
        let label = match me == Some(*person) {
            true => page.say("approval-myself", &[]),
            false => titles.get(&value).cloned().unwrap_or_else(|| value.clone()),
        };
        Choice { value, label, ..Choice::default() }
    };
    let (people, is_searched, asked) =
        if found.hands_on.is_empty() { (Vec::new(), false, String::new()) } else { page.approval_people().await? };
    let context = ApprovalPage {
        shell: page.shell(
            &card.label,
            ":approvals",
            vec![Crumb { label: page.say("approvals-title", &[]), href: Some("/approvals".to_owned()) }],
        ),
        heading: page.say("approval-heading", &[("label", Arg::Text(&card.label)), ("record", Arg::Text(&card.record))]),
        action: format!("/approvals/{id}"),
        decide_for: found.decides_for.iter().map(choice).collect(),
        hand_on_for: found.hands_on.iter().map(choice).collect(),
        people,
        is_searched,
        found: asked,
        may_withdraw: found.may_withdraw,
        comment,
        error,
        card,
    };
    page.html(status, "page/approval", &context)
}

/// `POST /approvals/{id}/{act}`
pub(super) async fn act(page: Page, Path((id, act)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    let found = page.state.records.approval(&page.actor, id).await?.ok_or_else(Problem::not_found)?;
    page.requester.may_write(page.catalog.whole().entity(found.entity))?;
    let records = &page.state.records;
    let comment = post.get("comment").to_owned();
    let person = |name: &str| Some(post.get(name)).filter(|text| !text.is_empty()).and_then(|text| page.parse_person(text));
    let (done, acted) = match act.as_str() {
        "decide" => {
            let approves = match post.get("_do") {
                "approve" => true,
                "reject" => false,
                _ => return Err(Problem::new("WEB400", "the form does not say what is decided")),
            };
            let decision = Decision { approves, comment: comment.clone(), on_behalf: person("for") };
            let done = if approves { "approval-approved" } else { "approval-rejected" };
            (done, records.decide_approval(&page.actor, id, decision, Source::Form).await)
        }
        "hand-on" => {
            let Some(to) = person("to") else {
                let told = page.say("approval-choose", &[]);
                return one(&page, id, StatusCode::UNPROCESSABLE_ENTITY, comment, Some(told)).await;
            };
            let hand_on = HandOn { to, comment: comment.clone(), from: person("from") };
            ("approval-handed-on", records.hand_on_approval(&page.actor, id, hand_on, Source::Form).await)
        }
        "withdraw" => ("approval-withdrawn", records.withdraw_approval(&page.actor, id, Source::Form).await),
        _ => return Err(Problem::not_found()),
    };
    match acted {
        Ok(()) => Ok(page.go(&format!("/approvals/{id}?done={done}"))),
        Err(error) => {
            let told = told(&page, error)?;
            one(&page, id, StatusCode::UNPROCESSABLE_ENTITY, comment, Some(told)).await
        }
    }
}

/// `POST /records/{entity}/{id}/approvals`
pub(super) async fn ask(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let ask = Ask { approval: post.get("approval").to_owned(), comment: post.get("comment").to_owned(), run: None };
    match page.state.records.ask_approval(&page.actor, &page.catalog, entity.ix, id, ask, Source::Form).await {
        Ok(_) => Ok(page.go(&format!("/records/{slug}/{id_text}?done=approval-asked#approvals"))),
        Err(error) => {
            let text = told(&page, error)?;
            let notice = Notice { kind: "error".to_owned(), text, detail: None, action: None };
            record_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(notice)).await
        }
    }
}

/// `POST /approvals/stand-ins`
pub(super) async fn add_stand_in(page: Page, post: Post) -> Result<Response, Problem> {
    let me = page.requester.identity()?.user;
    let refused = |key: &str| Some(page.say(key, &[]));
    let Some(stand_in) = page.parse_person(post.get("stand_in")) else {
        return inbox(&page, StatusCode::UNPROCESSABLE_ENTITY, refused("approval-choose")).await;
    };
    // The last day itself is part of it.
    let moment = |name: &str, later: i64| day(&page, post.get(name).trim(), later);
    let from_at = match post.get("from").trim() {
        "" => Some(page.state.records.clock().now()),
        _ => moment("from", 0),
    };
    let (Some(from_at), Some(until_at)) = (from_at, moment("until", 1)) else {
        return inbox(&page, StatusCode::UNPROCESSABLE_ENTITY, refused("share-bad-day")).await;
    };
    let new = NewStandIn { person: me, stand_in, from_at, until_at };
    match page.state.records.add_stand_in(&page.actor, new, Source::Form).await {
        Ok(_) => Ok(page.go("/approvals?done=stand-in-added")),
        Err(error) => {
            let told = told(&page, error)?;
            inbox(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(told)).await
        }
    }
}

/// `POST /approvals/stand-ins/{id}/end`
pub(super) async fn end_stand_in(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    // One that has ended meanwhile is what was asked for.
    page.state.records.end_stand_in(&page.actor, id, Source::Form).await?;
    Ok(page.go("/approvals?done=stand-in-ended"))
}

pub(super) fn told(page: &Page, error: RecordError) -> Result<String, Problem> {
    let faults: Vec<String> = error.faults().iter().map(|fault| page.fault_text(fault)).collect();
    if !faults.is_empty() {
        return Ok(faults.join(" "));
    }
    match &error {
        RecordError::Forbidden(_) => Ok(page.say("approval-forbidden", &[])),
        _ => whole_message(page, &error).map_or_else(|| Err(error.into()), Ok),
    }
}

impl Page {
    pub(super) fn person_id(&self, id: RecordId) -> String {
        self.catalog.whole().find_entity("core.user").map_or_else(|| id.to_string(), |people| id.display(&people.prefix))
    }

    fn parse_person(&self, text: &str) -> Option<RecordId> {
        let whole = self.catalog.whole();
        parse_id(&whole, whole.find_entity("core.user")?.ix, text)
    }

    /// People to choose from, as far as the reader may know of them.
    async fn approval_people(&self) -> Result<(Vec<Choice>, bool, String), Problem> {
        let found = self.params.get("q").unwrap_or("").trim().to_owned();
        let Some(people) = self.catalog.find_entity("core.user").filter(|people| people.may.read) else {
            return Ok((Vec::new(), false, found));
        };
        let (choices, more) = self.to_share_with(people, &found).await?;
        let is_searched = more || !found.is_empty();
        Ok((choices, is_searched, found))
    }

    /// Titles of the records and people of requests, as far as the reader may know them.
    async fn approval_titles(&self, found: &[ApprovalStanding]) -> Result<Titles, Problem> {
        let whole = self.catalog.whole();
        let mut ids: Vec<String> = Vec::new();
        for one in found {
            let entity = whole.entity(one.entity);
            ids.push(one.request.record.display(&entity.prefix));
            let people = one.parts.iter().flat_map(|part| [part.person.0, part.decided_by, part.origin]);
            let people = people.chain([one.request.asked_by, one.request.ended_by]).filter(|id| *id != 0);
            ids.extend(people.map(|id| self.person_id(RecordId(id))));
            for value in &one.values {
                if let FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. } = entity.field(value.field).ty
                    && let Some(id) = value.value.as_str()
                {
                    ids.push(id.to_owned());
                }
            }
        }
        self.titles(ids.iter().map(String::as_str)).await
    }

    pub(super) fn decider_name(&self, titles: &Titles, id: i64) -> String {
        if id == 0 {
            return self.say("audit-by-system", &[]);
        }
        let shown = self.person_id(RecordId(id));
        titles.get(&shown).cloned().unwrap_or(shown)
    }

    fn approval_stamp(&self, at: crate::base::DateTime) -> Stamp {
        Stamp::new(at, &self.ui, self.messages())
    }

    fn approval_label(&self, one: &ApprovalStanding) -> String {
        let whole = self.catalog.whole();
        let approval = one.approval.map(|at| &whole.entity(one.entity).approvals[at]);
        approval.map_or_else(|| one.request.approval.clone(), |approval| approval.label.get(self.ui.locale).to_owned())
    }

    /// The state as people read it; what was approved for other values counts no more.
    fn approval_state(one: &ApprovalStanding) -> &str {
        match one.request.state.as_str() {
            "approved" if !one.counts() => "outdated",
            state => state,
        }
    }

    fn is_overdue(&self, one: &ApprovalStanding) -> bool {
        one.request.due_at.is_some_and(|due| due <= self.ui.now)
    }

    fn approval_row(&self, one: &ApprovalStanding, titles: &Titles) -> ApprovalRow {
        let whole = self.catalog.whole();
        let entity = whole.entity(one.entity);
        let id = one.request.record.display(&entity.prefix);
        let state = Self::approval_state(one);
        ApprovalRow {
            href: format!("/approvals/{}", one.request.id),
            label: self.approval_label(one),
            entity: entity.label.get(self.ui.locale).to_owned(),
            record: titles.get(&id).cloned().unwrap_or_else(|| id.clone()),
            record_href: format!("/records/{}/{id}", entity.slug),
            who: self.decider_name(titles, one.request.asked_by),
            asked: self.approval_stamp(one.request.asked_at),
            due: one.request.due_at.map(|at| self.approval_stamp(at)),
            is_late: self.is_overdue(one),
            state: state.to_owned(),
            state_text: self.say(&format!("approval-state-{state}"), &[]),
        }
    }

    fn approval_card(&self, one: &ApprovalStanding, titles: &Titles) -> ApprovalCard {
        let whole = self.catalog.whole();
        let entity = whole.entity(one.entity);
        let request = &one.request;
        let row = self.approval_row(one, titles);
        let reason = request.reason.as_deref().filter(|reason| ["values", "deleted", "time", "definition", "nobody"].contains(reason));
        let approval = one.approval.map(|at| &entity.approvals[at]);
        ApprovalCard {
            id: request.id.to_string(),
            href: row.href,
            label: row.label,
            record: row.record,
            record_href: row.record_href,
            state: row.state,
            state_text: row.state_text,
            reason: reason.map(|reason| self.say(&format!("approval-reason-{reason}"), &[])).unwrap_or_default(),
            who: row.who,
            asked: row.asked,
            ended: request.ended_at.map(|at| self.approval_stamp(at)),
            comment: request.comment.clone().unwrap_or_default(),
            due: row.due,
            is_late: row.is_late,
            values: one.values.iter().map(|value| self.approval_value(entity, value, titles)).collect(),
            hides_values: one.hides_values,
            steps: approval.map(|approval| self.approval_steps(approval, one, titles)).unwrap_or_default(),
            may_decide: !one.decides_for.is_empty(),
        }
    }

    fn approval_value(&self, entity: &Entity, value: &SeenValue, titles: &Titles) -> ApprovalValue {
        let field = entity.field(value.field);
        let shown = match value.value.is_null() {
            true => Shown::none(),
            false => show::show(self.show(titles), field, &value.value),
        };
        ApprovalValue { label: self.label(field), value: shown, is_changed: !value.is_same }
    }

    fn approval_steps(&self, approval: &Approval, one: &ApprovalStanding, titles: &Titles) -> Vec<ApprovalStepRow> {
        let request = &one.request;
        let at = approval.steps.iter().position(|step| step.id == request.step);
        let row = |(position, step): (usize, &ApprovalStep)| {
            let state = match at {
                Some(at) if position < at => "done",
                Some(at) if position == at && request.state == "running" => "current",
                Some(at) if position == at && request.state == "approved" => "done",
                _ => "open",
            };
            let parts: Vec<&Part> = one.parts.iter().filter(|part| part.step == step.id).collect();
            let number = match (step.need, at == Some(position)) {
                (_, true) => request.need,
                (Need::Of(number), _) => i64::from(number),
                _ => 1,
            };
            let need = match (step.need, parts.len() > 1 || number > 1) {
                (Need::All, _) => self.say("approval-need-all", &[]),
                (_, false) => String::new(),
                _ => self.say("approval-need", &[("count", Arg::Count(number))]),
            };
            ApprovalStepRow {
                label: step.label.get(self.ui.locale).to_owned(),
                state: state.to_owned(),
                need,
                people: parts.into_iter().map(|part| self.approval_person(part, titles)).collect(),
            }
        };
        approval.steps.iter().enumerate().map(row).filter(|row| !(row.people.is_empty() && row.state == "done")).collect()
    }

    fn approval_person(&self, part: &Part, titles: &Titles) -> ApprovalPerson {
        let name = |id: i64| self.decider_name(titles, id);
        let mut notes = Vec::new();
        match part.why.as_str() {
            "handed_on" => notes.push(self.say("approval-from", &[("name", Arg::Text(&name(part.origin)))])),
            "escalated" => notes.push(self.say("approval-escalated", &[])),
            "nobody" => notes.push(self.say("approval-nobody-else", &[])),
            _ => {}
        }
        if part.decided_by != 0 && part.decided_by != part.person.0 {
            notes.push(self.say("approval-by", &[("name", Arg::Text(&name(part.decided_by)))]));
        }
        ApprovalPerson {
            name: name(part.person.0),
            state: part.state.clone(),
            state_text: self.say(&format!("approval-part-{}", part.state.replace('_', "-")), &[]),
            note: notes.join(" · "),
            comment: part.comment.clone().unwrap_or_default(),
            at: part.decided_at.map(|at| self.approval_stamp(at)),
        }
    }

    async fn stand_in_rows(&self) -> Result<Vec<StandInRow>, Problem> {
        let me = self.requester.identity()?.user;
        let found = self.state.records.stand_ins(&self.actor, me).await?;
        let ids: Vec<String> = found.iter().flat_map(|one| [self.person_id(one.person), self.person_id(one.stand_in)]).collect();
        let titles = self.titles(ids.iter().map(String::as_str)).await?;
        let rows = found.iter().map(|one| StandInRow {
            id: one.id.to_string(),
            text: self.say(
                "stand-in-row",
                &[
                    ("stand", Arg::Text(&self.decider_name(&titles, one.stand_in.0))),
                    ("person", Arg::Text(&self.decider_name(&titles, one.person.0))),
                ],
            ),
            from: self.approval_stamp(one.from_at),
            until: self.approval_stamp(one.until_at),
            may_end: one.person == me,
        });
        Ok(rows.collect())
    }

    /// What cannot be changed now, said before somebody tries.
    pub(super) async fn approval_locks(&self, entity: &Entity, id: RecordId) -> Result<Vec<Notice>, Problem> {
        if entity.approvals.is_empty() {
            return Ok(Vec::new());
        }
        let (standings, _) = self.state.records.approvals_of(&self.actor, &self.catalog, entity.ix, id).await?;
        let running = standings.iter().filter(|one| one.request.state == "running");
        let notice = |one: &ApprovalStanding| {
            let names: Vec<String> = one.values.iter().map(|value| self.label(entity.field(value.field))).collect();
            let (label, fields) = (self.approval_label(one), names.join(", "));
            let args = [("label", Arg::Text(&label)), ("fields", Arg::Text(&fields))];
            Notice { kind: "warn".to_owned(), text: self.say("approval-locked", &args), detail: None, action: None }
        };
        Ok(running.map(notice).collect())
    }

    /// The approvals of a record; `None` where nothing was asked and nothing can be.
    pub(super) async fn approval_box(&self, entity: &Entity, id: RecordId, href: &str) -> Result<Option<ApprovalBox>, Problem> {
        if entity.approvals.is_empty() {
            return Ok(None);
        }
        let (standings, offered) = self.state.records.approvals_of(&self.actor, &self.catalog, entity.ix, id).await?;
        let titles = self.approval_titles(&standings).await?;
        let mut shown: Vec<&ApprovalStanding> = Vec::new();
        for one in &standings {
            if shown.iter().filter(|known| known.request.approval == one.request.approval).count() < RECENT {
                shown.push(one);
            }
        }
        let chosen = self.params.get("ask").unwrap_or("");
        let asks = offered.iter().filter(|one| one.may_ask).map(|one| {
            let whole = self.catalog.whole();
            let approval = &whole.entity(entity.ix).approvals[one.approval];
            let fields = approval.fields.iter().map(|field| entity.field(*field)).filter(|field| !field.is_hidden);
            let names: Vec<String> = fields.map(|field| self.label(field)).collect();
            ApprovalAsk {
                approval: approval.id.clone(),
                label: approval.label.get(self.ui.locale).to_owned(),
                locks: self.say("approval-locks", &[("fields", Arg::Text(&names.join(", ")))]),
                is_open: approval.id == chosen,
            }
        });
        let found = ApprovalBox {
            cards: shown.into_iter().map(|one| self.approval_card(one, &titles)).collect(),
            asks: asks.collect(),
            action: format!("{href}/approvals"),
        };
        Ok((!found.cards.is_empty() || !found.asks.is_empty()).then_some(found))
    }
}
