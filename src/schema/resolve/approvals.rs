//! Approvals: the fields that are decided on are found, and every expression that says who decides is compiled.

use super::automations::{given_values, seconds};
use super::expressions::{bare_value, condition};
use super::parts::field_list;
use super::pipelines::roles;
use super::{Work, labels};
use crate::base::{EntityIx, FieldIx};
use crate::expr::{Expected, Type, Typed};
use crate::schema::catalog::{Approval, ApprovalStep, FieldType, Need, OnTimeout, Requirement, Who};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::Node;

/// Steps of one approval.
const MOST_STEPS: usize = 20;
/// People of one step who must approve.
const MOST_NEEDED: i64 = 50;

pub(super) fn read(work: &mut Work, ix: EntityIx, node: &Node) {
    let Some(id) = node.text("id") else { return };
    let fields = fields(work, ix, node);
    let when = condition(work, node.get("when"), ix, false);
    let steps = steps(work, ix, node, id);
    let values = |work: &mut Work, key: &str| node.get(key).and_then(|values| given_values(work, values, ix)).unwrap_or_default();
    let approval = Approval {
        id: id.to_owned(),
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id)),
        when,
        fields,
        askers: roles(work, node.get("ask")),
        may_own: node.flag("own").unwrap_or(false),
        steps,
        approved: values(work, "approved"),
        rejected: values(work, "rejected"),
    };
    work.entity_mut(ix).approvals.push(approval);
}

/// Fields whose values can be kept and compared.
fn fields(work: &mut Work, ix: EntityIx, node: &Node) -> Vec<FieldIx> {
    let mut kept = Vec::new();
    for (field, written) in field_list(work, ix, node.get("fields")) {
        let found = work.entity(ix).field(field);
        let why = match &found.ty {
            FieldType::Children { .. } | FieldType::Links { .. } => Some("is a list of records"),
            FieldType::Lookup { .. } | FieldType::Formula { stored: false, .. } | FieldType::Rollup { stored: false, .. } => {
                Some("is computed when it is read")
            }
            _ if found.encrypted || found.is_secret() => Some("is kept encrypted"),
            _ if found.is_system && found.name != "owner" => Some("is kept by the program itself"),
            _ => None,
        };
        if let Some(why) = why {
            let message = format!("`{}` {why}, so nobody can approve its value", found.name);
            let hint = "name stored fields of the record itself; for rows below it a stored rollup, `sum(total)`";
            work.fault(Diagnostic::error("DEF371", &written.place, message).hint(hint));
        } else if !kept.contains(&field) {
            kept.push(field);
        }
    }
    if node.get("fields").is_some_and(|list| list.items().is_empty()) {
        let place = node.entry("fields").map_or(&node.place, |(key, _)| &key.place).clone();
        let fault = Diagnostic::error("DEF113", &place, "an approval of nothing");
        work.fault(fault.hint("name the fields whose values are decided on: `fields: [amount, discount]`"));
    }
    kept
}

fn steps(work: &mut Work, ix: EntityIx, node: &Node, approval: &str) -> Vec<ApprovalStep> {
    let written: Vec<Node> = node.get("steps").map(|list| list.items().to_vec()).unwrap_or_default();
    if (written.is_empty() || written.len() > MOST_STEPS)
        && let Some((key, _)) = node.entry("steps")
    {
        let message = if written.is_empty() { "an approval that nobody gives" } else { "more steps than one approval may have" };
        let fault = Diagnostic::error("DEF113", &key.place.clone(), message);
        work.fault(fault.hint(format!("give `{approval}` 1 to {MOST_STEPS} steps: `steps: [{{id: manager, by: owner.manager}}]`")));
    }
    let mut found: Vec<ApprovalStep> = Vec::new();
    for step in written.iter().take(MOST_STEPS) {
        let Some(id_node) = step.get("id") else { continue };
        let Some(id) = id_node.as_text() else { continue };
        if found.iter().any(|known| known.id == id) {
            let fault = Diagnostic::error("DEF201", &id_node.place, format!("the approval `{approval}` has the step `{id}` twice"));
            work.fault(fault.hint("give one of the two another id"));
            continue;
        }
        let who = who(work, ix, step, "by", "roles");
        if step.get("by").is_none() && step.get("roles").is_none() {
            let fault = Diagnostic::error("DEF372", &step.place, format!("nobody decides in the step `{id}`"));
            work.fault(fault.hint("say who: `by: owner.manager`, `by: [owner.manager, owner.team]`, or `roles: [manager]`"));
        }
        let due_seconds = due(work, step);
        let escalate = self::who(work, ix, step, "escalate", "escalate_roles");
        let on_timeout = if step.text("on_timeout") == Some("reject") { OnTimeout::Reject } else { OnTimeout::Escalate };
        if let (None, Some((key, _))) = (step.get("due"), step.entry("on_timeout")) {
            let fault = Diagnostic::error("DEF374", &key.place.clone(), "the step has no time that could be over");
            work.fault(fault.hint("add `due: 2d`"));
        }
        found.push(ApprovalStep {
            id: id.to_owned(),
            label: labels::of(step.get("label")).unwrap_or_else(|| labels::from_name(id)),
            when: condition(work, step.get("when"), ix, false),
            who,
            need: need(work, step),
            due_seconds,
            on_timeout,
            escalate,
        });
    }
    found
}

/// Expressions that give a person or a team, and roles.
fn who(work: &mut Work, ix: EntityIx, step: &Node, by: &str, by_role: &str) -> Who {
    let items: Vec<Node> = step.get(by).map(|node| node.one_or_many().into_iter().cloned().collect()).unwrap_or_default();
    let people = items.iter().filter_map(|item| person(work, ix, item)).collect();
    Who { people, roles: roles(work, step.get(by_role)) }
}

fn person(work: &mut Work, ix: EntityIx, node: &Node) -> Option<Typed> {
    let typed = bare_value(work, node, ix, &Expected::Any)?;
    let known = ["core.user", "core.team"].map(|id| work.by_id.get(id).copied());
    if let Type::Link(to) = &typed.ty
        && to.len() == 1
        && known.contains(&to.first().copied())
    {
        return Some(typed);
    }
    let fault = Diagnostic::error("DEF373", &node.place, format!("this is {}, which nobody is", typed.ty.name()));
    work.fault(fault.hint("name a person or a team: `owner`, `owner.manager`, `owner.team`, a field of type `user`"));
    None
}

fn need(work: &mut Work, step: &Node) -> Need {
    let Some(node) = step.get("need") else { return Need::Any };
    match (node.as_text(), node.as_int()) {
        (Some("any"), _) => Need::Any,
        (Some("all"), _) => Need::All,
        (_, Some(number @ 1..=MOST_NEEDED)) => Need::Of(u32::try_from(number).unwrap_or(1)),
        _ => {
            let fault = Diagnostic::error("DEF375", &node.place, "this does not say how many must approve");
            work.fault(fault.hint(format!("write `any`, `all` or a number from 1 to {MOST_NEEDED}")));
            Need::Any
        }
    }
}

fn due(work: &mut Work, step: &Node) -> Option<i64> {
    let node = step.get("due")?;
    let found = seconds(node.as_text()?);
    if found.is_none() {
        let message = format!("`{}` is no time to decide in", node.as_text().unwrap_or_default());
        let fault = Diagnostic::error("DEF369", &node.place, message);
        work.fault(fault.hint("write days, hours or minutes, at most ten years: `2d`, `12h`, `45m`"));
    }
    found
}

/// `approval: discount` of a gate.
pub(super) fn requirement(work: &mut Work, ix: EntityIx, node: &Node) -> Option<Requirement> {
    find(work, ix, node).map(Requirement::Approval)
}

/// The approval of an entity that a text names.
pub(super) fn find(work: &mut Work, ix: EntityIx, node: &Node) -> Option<usize> {
    let name = node.as_text()?;
    if let Some(at) = work.entity(ix).approvals.iter().position(|approval| approval.id == name) {
        return Some(at);
    }
    let entity = work.entity(ix).id.clone();
    let known: Vec<String> = work.entity(ix).approvals.iter().map(|approval| approval.id.clone()).collect();
    let hint = match known.is_empty() {
        true => "give the entity `approvals`".to_owned(),
        false => format!("approvals: {}", known.join(", ")),
    };
    let fault = Diagnostic::error("DEF376", &node.place, format!("`{entity}` has no approval `{name}`"));
    work.fault(fault.near(nearest(name, known.iter().map(String::as_str))).hint(hint));
    None
}
