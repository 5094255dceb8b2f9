//! Pipelines: stages are options of a select, moves and gates name stages, and every expression is compiled.

use std::collections::BTreeSet;

use super::expressions::condition;
use super::parts::field_list;
use super::{Work, labels, stage_tasks};
use crate::base::{EntityIx, FieldIx};
use crate::expr::{Typed, needs};
use crate::schema::catalog::{FieldType, Gate, MoveRule, Pipeline, Requirement, Stage};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::field_type;
use crate::schema::node::Node;

/// Any stage.
const ANY: &str = "*";
/// The roles that are there without a document.
const BUILT_IN: [&str; 2] = ["admin", "user"];

pub(super) fn read(work: &mut Work, ix: EntityIx, node: &Node) {
    let (Some(id), Some(field_node)) = (node.text("id"), node.get("field")) else { return };
    let Some(name) = field_node.as_text() else { return };
    let Some(field) = work.find_field(field_node, name, ix) else { return };
    let Some(options) = options_of(work, ix, field, field_node) else { return };
    let stages = stages(work, ix, node, name, &options);
    if stages.is_empty() {
        return;
    }
    let when = condition(work, node.get("when"), ix, false);
    if let (Some(when), Some(written)) = (&when, node.get("when")) {
        expect_own(work, ix, when, written);
    }
    if when.is_none() && node.get("when").is_some() {
        return;
    }
    expect_reachable(work, ix, node, field);
    let start = node.get("start").map(|start| positions(work, start, &stages));
    let moves: Vec<Node> = node.get("moves").map(|list| list.items().to_vec()).unwrap_or_default();
    let moves = moves
        .iter()
        .map(|rule| MoveRule {
            from: rule.get("from").map(|from| positions(work, from, &stages)).unwrap_or_default(),
            to: rule.get("to").map(|to| positions(work, to, &stages)).unwrap_or_default(),
            roles: roles(work, rule.get("roles")),
        })
        .collect();
    let task_fields = stage_tasks::fields(work, ix, &stages, node);
    let gates = gates(work, ix, node, &stages);
    let pipeline = Pipeline {
        id: id.to_owned(),
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id)),
        field,
        when,
        when_text: node.get("when").and_then(Node::scalar_text).unwrap_or_default(),
        start: start.filter(|start| !start.is_empty()),
        may_skip: node.flag("skip").unwrap_or(true),
        may_go_back: node.flag("back").unwrap_or(true),
        amount: amount(work, ix, node),
        overriders: roles(work, node.get("override")),
        task_fields,
        stages,
        moves,
        gates,
    };
    work.entity_mut(ix).pipelines.push(pipeline);
}

/// The keys of the options of the field that holds the stage.
fn options_of(work: &mut Work, ix: EntityIx, field: FieldIx, node: &Node) -> Option<Vec<(String, bool)>> {
    let found = work.entity(ix).field(field);
    if let FieldType::Select(options) = &found.ty {
        return Some(options.list.options.iter().map(|option| (option.key.clone(), option.retired)).collect());
    }
    let message = format!("`{}` is a field of type `{}`; a stage is an option of a select", found.name, field_type::type_name(&found.ty));
    work.fault(
        Diagnostic::error("DEF341", &node.place, message)
            .hint("name a field of type `select` that has the stages as its options, in order"),
    );
    None
}

fn stages(work: &mut Work, ix: EntityIx, node: &Node, field: &str, options: &[(String, bool)]) -> Vec<Stage> {
    let written: Vec<Node> = node.get("stages").map(|list| list.items().to_vec()).unwrap_or_default();
    let mut found: Vec<Stage> = Vec::new();
    for stage in &written {
        let Some(key_node) = stage.get("key") else { continue };
        let Some(key) = key_node.as_text() else { continue };
        if found.iter().any(|known| known.key == key) {
            work.fault(
                Diagnostic::error("DEF201", &key_node.place, format!("the stage `{key}` stands here twice"))
                    .hint("take one of the two out"),
            );
            continue;
        }
        let retired = stage.flag("retired").unwrap_or(false);
        if !options.iter().any(|(known, gone)| known == key && (!gone || retired)) {
            let fault = Diagnostic::error("DEF342", &key_node.place, format!("`{key}` is not an option of `{field}`"))
                .near(nearest(key, options.iter().filter(|(_, gone)| !gone).map(|(key, _)| key.as_str())))
                .hint(format!("add it to the options of `{field}`: the name and colour of a stage are those of its option"));
            work.fault(fault);
            continue;
        }
        let closed = stage.text("closed").map(str::to_owned);
        if closed.is_none() && found.iter().any(|known| known.closed.is_some()) {
            let fault = Diagnostic::error("DEF343", &key_node.place, format!("the open stage `{key}` stands behind one that closes"))
                .hint("open stages come first, in order; those with `closed` come last");
            work.fault(fault);
        }
        let reason = stage.get("reason").and_then(|reason| {
            let name = reason.as_text()?.to_owned();
            work.find_field(reason, &name, ix)
        });
        if let (None, Some(reason)) = (&closed, stage.get("reason")) {
            let fault =
                Diagnostic::error("DEF344", &reason.place, format!("`{key}` does not close, so there is nothing to give a reason for"))
                    .hint("add `closed: lost` (or another outcome), or demand the field with a gate");
            work.fault(fault);
        }
        let fields = holding(work, ix, stage.get("fields"));
        let tasks = stage_tasks::read(work, ix, stage, &found);
        found.push(Stage {
            tasks,
            key: key.to_owned(),
            probability: stage.int("probability").and_then(|percent| u8::try_from(percent).ok()),
            max_days: stage.int("max_days").and_then(|days| u32::try_from(days).ok()),
            guidance: labels::of(stage.get("guidance")).unwrap_or_default(),
            fields,
            closed,
            reason,
            retired,
        });
    }
    if written.is_empty() || !found.is_empty() && found.iter().all(|stage| stage.closed.is_some() || stage.retired) {
        let place = node.entry("stages").map_or(&node.place, |(key, _)| &key.place).clone();
        work.fault(
            Diagnostic::error("DEF113", &place, "a pipeline without an open stage").hint("give it at least one stage without `closed`"),
        );
    }
    found
}

fn gates(work: &mut Work, ix: EntityIx, node: &Node, stages: &[Stage]) -> Vec<Gate> {
    let written: Vec<Node> = node.get("gates").map(|list| list.items().to_vec()).unwrap_or_default();
    let mut found: Vec<Gate> = Vec::new();
    for gate in &written {
        let Some(id_node) = gate.get("id") else { continue };
        let Some(id) = id_node.as_text() else { continue };
        if found.iter().any(|known| known.id == id) {
            work.fault(
                Diagnostic::error("DEF201", &id_node.place, format!("the gate `{id}` is defined twice"))
                    .hint("give one of the two another id"),
            );
            continue;
        }
        let when = condition(work, gate.get("when"), ix, true);
        let items: Vec<Node> = gate.get("require").map(|list| list.items().to_vec()).unwrap_or_default();
        if items.is_empty() {
            let place = gate.entry("require").map_or(&gate.place, |(key, _)| &key.place).clone();
            work.fault(
                Diagnostic::error("DEF113", &place, format!("the gate `{id}` requires nothing"))
                    .hint("give it `{fields: […]}`, `{expr: …}`, `{tasks: …}`, `{approval: …}` or `{registration: …}`"),
            );
        }
        let mut require = Vec::new();
        for item in &items {
            requirement(work, ix, item, stages, &mut require);
        }
        found.push(Gate {
            id: id.to_owned(),
            from: gate.get("from").map(|from| positions(work, from, stages)).unwrap_or_default(),
            to: gate.get("to").map(|to| positions(work, to, stages)).unwrap_or_default(),
            when,
            require,
        });
    }
    found
}

/// `{fields: […]}`, `{expr: …, message: …}`, `{tasks: …}`, `{approval: …}` or `{registration: …}`.
fn requirement(work: &mut Work, ix: EntityIx, item: &Node, stages: &[Stage], into: &mut Vec<Requirement>) {
    match ["fields", "expr", "tasks", "approval", "registration"].map(|key| item.get(key)) {
        [Some(fields), None, None, None, None] => {
            let fields = holding(work, ix, Some(fields));
            if !fields.is_empty() {
                into.push(Requirement::Fields(fields));
            }
        }
        [None, Some(written), None, None, None] => {
            let Some(expr) = condition(work, Some(written), ix, true) else { return };
            let Some(message) = labels::of(item.get("message")) else {
                let fault = Diagnostic::error("DEF105", &written.place, "a condition of a gate needs `message`")
                    .hint("say in each language what is missing: `message: {en: …, zh-CN: …, zh-TW: …}`");
                work.fault(fault);
                return;
            };
            into.push(Requirement::Holds { expr, message });
        }
        [None, None, Some(tasks), None, None] => into.extend(stage_tasks::requirement(work, tasks, stages)),
        [None, None, None, Some(approval), None] => into.extend(super::approvals::requirement(work, ix, approval)),
        [None, None, None, None, Some(registration)] => into.extend(super::registrations::requirement(work, ix, registration)),
        _ => {
            let fault = Diagnostic::error(
                "DEF345",
                &item.place,
                "a requirement is one of `fields`, `expr`, `tasks`, `approval` and `registration`",
            )
            .hint("write two requirements where both are needed");
            work.fault(fault);
        }
    }
}

/// Fields that can be looked at for holding something.
fn holding(work: &mut Work, ix: EntityIx, list: Option<&Node>) -> Vec<FieldIx> {
    let mut kept = Vec::new();
    for (field, node) in field_list(work, ix, list) {
        if matches!(work.entity(ix).field(field).ty, FieldType::Children { .. } | FieldType::Links { .. }) {
            let name = work.entity(ix).field(field).name.clone();
            let fault = Diagnostic::error("DEF346", &node.place, format!("`{name}` is a list of records"))
                .hint(format!("require one of them with an expression: `exists({name})`"));
            work.fault(fault);
        } else if !kept.contains(&field) {
            kept.push(field);
        }
    }
    kept
}

/// Which pipeline a record follows must be seen in the record alone.
fn expect_own(work: &mut Work, ix: EntityIx, when: &Typed, node: &Node) {
    let found = needs(when);
    let is_virtual = |field: &FieldIx| {
        matches!(
            work.entity(ix).field(*field).ty,
            FieldType::Lookup { .. }
                | FieldType::Formula { stored: false, .. }
                | FieldType::Rollup { stored: false, .. }
                | FieldType::Children { .. }
                | FieldType::Links { .. }
        )
    };
    if found.paths.is_empty() && found.children.is_empty() && !found.uses_now && !found.uses_me && !found.fields.iter().any(is_virtual) {
        return;
    }
    let fault = Diagnostic::error("DEF347", &node.place, "which pipeline a record follows can only depend on its own stored fields")
        .hint("keep what decides in a field of the record, and name that");
    work.fault(fault);
}

/// A pipeline behind one that takes all records is never followed.
fn expect_reachable(work: &mut Work, ix: EntityIx, node: &Node, field: FieldIx) {
    let first = work.entity(ix).pipelines.iter().find(|known| known.field == field && known.when.is_none()).map(|known| known.id.clone());
    if let (Some(first), Some(id)) = (first, node.get("id")) {
        let fault = Diagnostic::error("DEF348", &id.place, format!("no record follows this pipeline: `{first}` before it takes all"))
            .hint(format!("give `{first}` a `when`, or let this one come first"));
        work.fault(fault);
    }
}

/// Stages by key; `*` gives none, which stands for any.
fn positions(work: &mut Work, node: &Node, stages: &[Stage]) -> Vec<usize> {
    let mut found = BTreeSet::new();
    let items: Vec<Node> = node.one_or_many().into_iter().cloned().collect();
    for item in &items {
        let Some(key) = item.as_text() else { continue };
        if key == ANY {
            return Vec::new();
        }
        match stages.iter().position(|stage| stage.key == key) {
            Some(at) => drop(found.insert(at)),
            None => {
                let fault = Diagnostic::error("DEF349", &item.place, format!("the pipeline has no stage `{key}`"))
                    .near(nearest(key, stages.iter().map(|stage| stage.key.as_str())))
                    .hint(format!("stages: {}", stages.iter().map(|stage| stage.key.as_str()).collect::<Vec<_>>().join(", ")));
                work.fault(fault);
            }
        }
    }
    found.into_iter().collect()
}

pub(super) fn roles(work: &mut Work, node: Option<&Node>) -> Vec<String> {
    let documents = work.intake.documents.iter().filter(|document| document.kind.name == "role");
    let mut known: Vec<String> = documents.filter_map(|document| document.node.text("id").map(str::to_owned)).collect();
    known.extend(BUILT_IN.map(str::to_owned));
    let items: Vec<Node> = node.map(|node| node.one_or_many().into_iter().cloned().collect()).unwrap_or_default();
    let mut found = Vec::new();
    for item in &items {
        let Some(name) = item.as_text() else { continue };
        if !known.iter().any(|known| known == name) && !work.intake.incomplete {
            known.sort();
            let fault = Diagnostic::error("DEF350", &item.place, format!("there is no role `{name}`"))
                .near(nearest(name, known.iter().map(String::as_str)))
                .hint(format!("roles: {}", known.join(", ")));
            work.fault(fault);
            continue;
        }
        found.push(name.to_owned());
    }
    found
}

/// The field that is summed: as written (`null`: none), else the first money.
fn amount(work: &mut Work, ix: EntityIx, node: &Node) -> Option<FieldIx> {
    let Some(written) = node.get("amount") else {
        return work.entity(ix).fields.iter().find(|field| matches!(field.ty, FieldType::Money { .. })).map(|field| field.ix);
    };
    let name = written.as_text()?.to_owned();
    let field = work.find_field(written, &name, ix)?;
    let ty = &work.entity(ix).field(field).ty;
    if matches!(ty, FieldType::Money { .. } | FieldType::Integer { .. } | FieldType::Decimal { .. }) {
        return Some(field);
    }
    let message = format!("a field of type `{}` cannot be summed", field_type::type_name(ty));
    work.fault(Diagnostic::error("DEF351", &written.place, message).hint("name a field of type `money`, `integer` or `decimal`"));
    None
}
