//! Which moves along pipelines a save makes, and what each of them must meet. Whoever saves a record comes through here,
//! whatever the door: what a page or a client is told beforehand ([`moves`](super::moves)) is worked out by the same code.

use super::error::FieldFault;
use super::hooks::Record;
use super::tasks::TaskState;
use super::world::{Setting, World};
use crate::access::{ADMINISTRATOR, Actor, ActorKind, RowRules};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::{ChildNeed, Needs, Rows, needs};
use crate::schema::catalog::{Entity, Gate, Pipeline, Requirement};

/// A change of stage, or the coming of a record into a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StageMove {
    /// Position in the entity's pipelines.
    pub pipeline: usize,
    /// What the field held before; none for a new record.
    pub from: Option<String>,
    pub to: Option<String>,
    /// The record did not follow this pipeline before: it begins anew.
    pub is_entry: bool,
    /// Conditions that did not hold and were passed over.
    pub passed_over: Vec<String>,
}

/// What a condition of a move is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionKind {
    /// The order of the stages.
    Order,
    /// Who may make the move.
    Role,
    /// A field that must hold something.
    Field,
    /// An expression that must be true.
    Expression,
    /// A task of a stage that must be done.
    Task,
    /// An approval that must be given.
    Approval,
    /// A claim that must be protected.
    Registration,
}

impl ConditionKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ConditionKind::Order => "order",
            ConditionKind::Role => "role",
            ConditionKind::Field => "field",
            ConditionKind::Expression => "expression",
            ConditionKind::Task => "task",
            ConditionKind::Approval => "approval",
            ConditionKind::Registration => "registration",
        }
    }
}

/// One condition of a move and whether it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The gate's id; `order`, `roles`, `reason` or `tasks` for what the pipeline itself demands.
    pub gate: String,
    pub kind: ConditionKind,
    pub holds: bool,
    /// It depends on nothing that is kept from the actor.
    pub is_open: bool,
    /// The field that would have to be filled.
    pub field: Option<FieldIx>,
    /// The task that would have to be done: positions of stage and task.
    pub task: Option<(usize, usize)>,
    /// The record of that task, where there is one.
    pub task_record: Option<RecordId>,
    /// The approval that would have to be given: its position in the entity's.
    pub approval: Option<usize>,
    /// The request that was made for it last.
    pub request: Option<i64>,
    /// The registration by which the record would have to be protected: its position in the entity's.
    pub registration: Option<usize>,
    /// What is said when it does not hold.
    pub fault: FieldFault,
}

impl Condition {
    /// Whether a reason of somebody who may can stand in for it.
    pub fn can_be_passed_over(&self) -> bool {
        let is_of_stages = matches!(self.fault.code.as_str(), "stage_unknown" | "stage_retired" | "stage_cleared");
        self.kind != ConditionKind::Role && !is_of_stages
    }
}

/// A field's key of an option.
fn key(value: &Value) -> Option<&str> {
    value.as_text().filter(|key| !key.is_empty())
}

/// Whether the actor has one of the roles; the program and administrators have them all.
pub(super) fn has_role(actor: &Actor, roles: &[String]) -> bool {
    actor.kind == ActorKind::System || actor.roles.iter().any(|role| role == ADMINISTRATOR || roles.contains(role))
}

/// Whether the actor may pass over the order and the gates of a pipeline.
pub(super) fn may_override(actor: &Actor, pipeline: &Pipeline) -> bool {
    has_role(actor, &pipeline.overriders)
}

/// Whether the actor may pass over the gates of some pipeline of an entity.
pub fn may_pass_over(actor: &Actor, entity: &Entity) -> bool {
    entity.pipelines.iter().any(|pipeline| may_override(actor, pipeline))
}

impl Setting<'_> {
    /// The pipeline a record follows by one of its selects.
    pub(super) fn followed(&self, record: &Record, field: FieldIx) -> Option<usize> {
        let world = World::default();
        let holds = |pipeline: &Pipeline| pipeline.when.as_ref().is_none_or(|when| self.holds(&world, when, record, None));
        let pipelines = &self.compiled.entity(record.entity).pipelines;
        pipelines.iter().position(|pipeline| pipeline.field == field && holds(pipeline))
    }

    /// The pipelines a record follows, each with the field of its stage.
    pub(super) fn all_followed(&self, record: &Record) -> Vec<usize> {
        let mut fields: Vec<FieldIx> = Vec::new();
        for pipeline in &self.compiled.entity(record.entity).pipelines {
            if !fields.contains(&pipeline.field) {
                fields.push(pipeline.field);
            }
        }
        fields.into_iter().filter_map(|field| self.followed(record, field)).collect()
    }

    /// The moves that lead from the stored record to this one.
    pub(super) fn stage_moves(&self, record: &Record, old: Option<&Record>) -> Vec<StageMove> {
        let pipelines = &self.compiled.entity(record.entity).pipelines;
        let mut moves = Vec::new();
        for at in self.all_followed(record) {
            let field = pipelines[at].field;
            let (from, to) = (old.and_then(|old| key(old.get(field))), key(record.get(field)));
            let is_entry = from.is_none() || old.and_then(|old| self.followed(old, field)) != Some(at);
            if (from.is_none() && to.is_none()) || (from == to && !is_entry) {
                continue;
            }
            moves.push(StageMove {
                pipeline: at,
                from: from.map(str::to_owned),
                to: to.map(str::to_owned),
                is_entry,
                passed_over: Vec::new(),
            });
        }
        moves
    }

    /// Everything a move must meet, met or not. `rules` are what is kept from the actor.
    pub(super) fn conditions(
        &self,
        world: &World,
        record: &Record,
        old: Option<&Record>,
        wanted: &StageMove,
        actor: &Actor,
        rules: &RowRules,
    ) -> Vec<Condition> {
        let entity = self.compiled.entity(record.entity);
        let pipeline = &entity.pipelines[wanted.pipeline];
        let judge = Judge { setting: self, world, record, old, entity, pipeline, wanted, rules };
        let from = wanted.from.as_deref().filter(|_| !wanted.is_entry).and_then(|from| pipeline.stage(from));
        let to = wanted.to.as_deref().and_then(|to| pipeline.stage(to));
        let mut found = Vec::new();
        if let Some((code, message)) = judge.order(from, to) {
            found.push(judge.condition("order", ConditionKind::Order, false, code, message));
        }
        let Some(to) = to else { return found };
        judge.roles(from, to, actor, &mut found);
        let stage = &pipeline.stages[to];
        if let Some(reason) = stage.reason {
            found.push(judge.field("reason", reason));
        }
        for gate in pipeline.gates_of(from, to) {
            judge.gate(gate, from, &mut found);
        }
        if let Some(from) = from.filter(|from| judge.goes_on(*from, to)) {
            let required = pipeline.stages[from].tasks.iter().enumerate().filter(|(_, task)| task.required);
            required.for_each(|(at, _)| judge.task("tasks", (from, at), true, true, &mut found));
        }
        found
    }
}

/// One move that is looked at.
struct Judge<'a> {
    setting: &'a Setting<'a>,
    world: &'a World,
    record: &'a Record,
    old: Option<&'a Record>,
    entity: &'a Entity,
    pipeline: &'a Pipeline,
    wanted: &'a StageMove,
    rules: &'a RowRules,
}

impl Judge<'_> {
    /// What the order of the stages says against the move.
    fn order(&self, from: Option<usize>, to: Option<usize>) -> Option<(&'static str, String)> {
        let pipeline = self.pipeline;
        let name = |at: usize| pipeline.stages[at].key.as_str();
        let Some(to) = to else {
            return Some(match &self.wanted.to {
                Some(key) => ("stage_unknown", format!("`{key}` is not a stage of the pipeline `{}`", pipeline.id)),
                None => ("stage_cleared", "a record that has a stage keeps one".to_owned()),
            });
        };
        if pipeline.stages[to].retired {
            return Some(("stage_retired", format!("nothing moves to `{}` any more", name(to))));
        }
        let Some(from) = from else {
            let is_open = pipeline.start.as_ref().is_none_or(|start| start.contains(&to));
            return (!is_open).then(|| ("stage_start", format!("nothing begins in `{}`", name(to))));
        };
        let (here, there) = (&pipeline.stages[from], &pipeline.stages[to]);
        let is_back = here.closed.is_some() || (there.closed.is_none() && to < from);
        if is_back && !pipeline.may_go_back {
            return Some(("stage_back", format!("nothing goes back from `{}` to `{}`", name(from), name(to))));
        }
        let end = if there.closed.is_none() { to } else { pipeline.stages.len() };
        let goes_on = self.goes_on(from, to);
        let passes = |stage: &&crate::schema::catalog::Stage| stage.closed.is_none() && !stage.retired;
        if goes_on && !pipeline.may_skip && pipeline.stages.iter().take(end).skip(from + 1).any(|stage| passes(&stage)) {
            return Some(("stage_skip", format!("no stage between `{}` and `{}` may be passed over", name(from), name(to))));
        }
        let leads = pipeline.moves.is_empty() || pipeline.moves.iter().any(|rule| is_of(&rule.from, from) && is_of(&rule.to, to));
        (!leads).then(|| ("stage_no_move", format!("no move leads from `{}` to `{}`", name(from), name(to))))
    }

    /// Whether a move leads to a later stage or to `won`.
    fn goes_on(&self, from: usize, to: usize) -> bool {
        let (here, there) = (&self.pipeline.stages[from], &self.pipeline.stages[to]);
        let is_back = here.closed.is_some() || (there.closed.is_none() && to < from);
        !is_back && there.closed.as_deref().is_none_or(|outcome| outcome == "won")
    }

    /// A task of a stage that must be done. One that is demanded already is not demanded twice.
    fn task(&self, gate: &str, place: (usize, usize), applies: bool, is_open: bool, found: &mut Vec<Condition>) {
        if found.iter().any(|known| known.task == Some(place)) {
            return;
        }
        let task = &self.pipeline.stages[place.0].tasks[place.1];
        let holds = !applies || self.setting.has_done(self.world, self.record.id, self.pipeline, task);
        let state = self.setting.task_state(self.world, self.record.id, self.pipeline, task, self.rules);
        let subject = task.subject.get(self.setting.locale);
        let one = self.condition(gate, ConditionKind::Task, holds, "stage_task", format!("`{subject}` must be done first"));
        let task_record = match state {
            TaskState::There { id, .. } => Some(id),
            TaskState::Missing | TaskState::Hidden => None,
        };
        found.push(Condition {
            is_open: is_open && state != TaskState::Hidden,
            task: Some(place),
            task_record,
            fault: one.fault.with("task", task.id.as_str()).with("subject", subject),
            ..one
        });
    }

    /// An approval that must be given for just these values. One that is demanded already is not demanded twice.
    fn approval(&self, gate: &str, at: usize, applies: bool, is_open: bool, found: &mut Vec<Condition>) {
        if found.iter().any(|known| known.approval == Some(at)) {
            return;
        }
        let approval = &self.entity.approvals[at];
        let reads_when = approval.when.as_ref().is_none_or(|when| reads_openly(self.rules, self.entity.ix, &needs(when)));
        let reads_all = approval.fields.iter().all(|field| self::is_open(self.rules, self.entity.ix, *field));
        let is_needed = approval.when.as_ref().is_none_or(|when| self.setting.holds(self.world, when, self.record, self.old));
        if applies && !is_needed && is_open && reads_when {
            return;
        }
        let (state, request) = self.setting.approval_state(self.world, self.record, approval);
        let label = approval.label.get(self.setting.locale);
        let (code, message) = match state {
            "running" => ("approval_running", format!("`{label}` is not decided yet")),
            "rejected" => ("approval_rejected", format!("`{label}` was rejected: change what was asked for, and ask again")),
            "void" => ("approval_void", format!("`{label}` was approved for other values: ask again")),
            _ => ("approval_missing", format!("`{label}` must be approved first: ask for it")),
        };
        let holds = !applies || !is_needed || state == "approved";
        let one = self.condition(gate, ConditionKind::Approval, holds, code, message);
        let fault = one.fault.with("approval", approval.id.as_str()).with("label", label).with("request", request.map(|id| id.to_string()));
        found.push(Condition { is_open: is_open && reads_when && reads_all, approval: Some(at), request, fault, ..one });
    }

    /// A claim that must be protected. One that is demanded already is not demanded twice.
    fn registration(&self, gate: &str, at: usize, applies: bool, is_open: bool, found: &mut Vec<Condition>) {
        if found.iter().any(|known| known.registration == Some(at)) {
            return;
        }
        let registration = &self.entity.registrations[at];
        let reads_when = registration.when.as_ref().is_none_or(|when| reads_openly(self.rules, self.entity.ix, &needs(when)));
        // Where nothing can be filed nothing is waited for.
        let is_needed = registration.when.as_ref().is_none_or(|when| self.setting.holds(self.world, when, self.record, self.old));
        if applies && !is_needed && is_open && reads_when {
            return;
        }
        let (state, claim) = self.setting.claim_state(self.world, self.record.id, registration);
        let label = registration.label.get(self.setting.locale);
        let (code, message) = match state {
            "contested" => ("registration_contested", format!("`{label}` is filed, and not decided yet")),
            "refused" => ("registration_refused", format!("`{label}` was refused")),
            "lost" => ("registration_lost", format!("`{label}` was taken away")),
            "expired" => ("registration_expired", format!("the protection `{label}` is over: register it again")),
            _ => ("registration_missing", format!("`{label}` must be registered first")),
        };
        let holds = !applies || !is_needed || state == "protected";
        let one = self.condition(gate, ConditionKind::Registration, holds, code, message);
        let fault =
            one.fault.with("registration", registration.id.as_str()).with("label", label).with("claim", claim.map(|id| id.to_string()));
        found.push(Condition { is_open: is_open && reads_when, registration: Some(at), fault, ..one });
    }

    /// Where only some may make the move.
    fn roles(&self, from: Option<usize>, to: usize, actor: &Actor, found: &mut Vec<Condition>) {
        let rules = || self.pipeline.moves.iter().filter(|rule| from.is_some_and(|from| is_of(&rule.from, from)) && is_of(&rule.to, to));
        if rules().next().is_none() || rules().any(|rule| rule.roles.is_empty()) {
            return;
        }
        let holds = rules().any(|rule| has_role(actor, &rule.roles));
        let mut roles: Vec<&str> = rules().flat_map(|rule| rule.roles.iter().map(String::as_str)).collect();
        roles.dedup();
        let message = format!("only {} may make this move", roles.join(", "));
        found.push(self.condition("roles", ConditionKind::Role, holds, "stage_role", message));
    }

    fn gate(&self, gate: &Gate, from: Option<usize>, found: &mut Vec<Condition>) {
        let is_open = gate.when.as_ref().is_none_or(|when| reads_openly(self.rules, self.entity.ix, &needs(when)));
        let applies = gate.when.as_ref().is_none_or(|when| self.setting.holds(self.world, when, self.record, self.old));
        if !applies && is_open {
            return;
        }
        for requirement in &gate.require {
            match requirement {
                Requirement::Fields(fields) => {
                    for field in fields {
                        let one = self.field(&gate.id, *field);
                        found.push(Condition { holds: one.holds || !applies, is_open: one.is_open && is_open, ..one });
                    }
                }
                Requirement::Holds { expr, message } => {
                    let holds = !applies || self.setting.holds(self.world, expr, self.record, self.old);
                    let message = message.get(self.setting.locale).to_owned();
                    let one = self.condition(&gate.id, ConditionKind::Expression, holds, "gate", message);
                    let is_open = is_open && reads_openly(self.rules, self.entity.ix, &needs(expr));
                    found.push(Condition { is_open, ..one });
                }
                Requirement::Tasks(places) => {
                    places.iter().for_each(|place| self.task(&gate.id, *place, applies, is_open, found));
                }
                Requirement::Approval(at) => self.approval(&gate.id, *at, applies, is_open, found),
                Requirement::Registration(at) => self.registration(&gate.id, *at, applies, is_open, found),
                Requirement::AllTasks => {
                    let all = from.into_iter().flat_map(|from| (0..self.pipeline.stages[from].tasks.len()).map(move |at| (from, at)));
                    all.for_each(|place| self.task(&gate.id, place, applies, is_open, found));
                }
            }
        }
    }

    /// A field that must hold something.
    fn field(&self, gate: &str, field: FieldIx) -> Condition {
        let definition = self.entity.field(field);
        let holds = !self.setting.value(self.world, self.record, field).is_empty();
        let to = self.wanted.to.as_deref().unwrap_or_default();
        let message = format!("`{}` must be filled in to move to `{to}`", definition.name);
        let one = self.condition(gate, ConditionKind::Field, holds, "gate_field", message);
        let is_open = is_open(self.rules, self.entity.ix, field);
        Condition { is_open, field: Some(field), fault: FieldFault { path: super::error::pointer(&definition.name), ..one.fault }, ..one }
    }

    fn condition(&self, gate: &str, kind: ConditionKind, holds: bool, code: &str, message: String) -> Condition {
        let fault = FieldFault::at(&self.entity.field(self.pipeline.field).name, code, message)
            .with("pipeline", self.pipeline.id.as_str())
            .with("gate", gate)
            .with("from", self.wanted.from.as_deref())
            .with("to", self.wanted.to.as_deref());
        Condition {
            gate: gate.to_owned(),
            kind,
            holds,
            is_open: true,
            field: None,
            task: None,
            task_record: None,
            approval: None,
            request: None,
            registration: None,
            fault,
        }
    }
}

/// Whether a stage is one of these; none at all are all.
fn is_of(stages: &[usize], at: usize) -> bool {
    stages.is_empty() || stages.contains(&at)
}

/// Whether everybody with these rules reads the field wherever they read the record, and with one value.
pub(super) fn is_open(rules: &RowRules, entity: EntityIx, field: FieldIx) -> bool {
    rules.mask(entity, field).is_none() && !rules.is_live(entity, field)
}

/// Whether an expression reads nothing that is kept from somebody.
pub(super) fn reads_openly(rules: &RowRules, entity: EntityIx, found: &Needs) -> bool {
    if rules.is_empty() {
        return true;
    }
    let opens = |path: &crate::expr::Path| {
        let mut at = entity;
        for hop in &path.hops {
            if !is_open(rules, at, hop.field) || rules.of(hop.to).is_some() {
                return false;
            }
            at = hop.to;
        }
        is_open(rules, at, path.field)
    };
    let below = |child: &ChildNeed| {
        let mut owner = entity;
        for hop in &child.over.hops {
            if !is_open(rules, owner, hop.field) || rules.of(hop.to).is_some() {
                return false;
            }
            owner = hop.to;
        }
        let (rows, by, far) = match &child.over.rows {
            Rows::Children { of, by } => (*of, *by, None),
            Rows::Links { through, near, to, .. } => (*through, *near, Some(*to)),
        };
        is_open(rules, owner, child.over.field)
            && rules.go_with(owner, rows, by)
            && far.is_none_or(|far| rules.of(far).is_none())
            && reads_openly(rules, rows, &child.needs)
    };
    found.fields.iter().chain(&found.old_fields).all(|field| is_open(rules, entity, *field))
        && found.paths.iter().chain(&found.old_paths).all(opens)
        && found.children.iter().all(below)
}
