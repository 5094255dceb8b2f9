//! Automations: names of fields, stages, roles and scripts are found, expressions compiled, steps put in one list.

mod assign;
mod audience;
mod email;
mod starts;
mod steps;
mod values;
mod webhook;

use std::collections::BTreeMap;

pub(super) use email::spoken;
pub(super) use steps::{called, seconds};
pub(super) use values::{given_about, given_value, given_values};

use super::expressions::condition;
use super::{Declared, Work, labels};
use crate::schema::catalog::{Automation, RunAs, Start};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::intake::Document;
use crate::schema::node::Node;
use crate::schema::source::Place;

/// Runs that may begin in a minute where nothing is said.
const MOST_PER_MINUTE: u32 = 1_000;

pub(super) fn build(work: &mut Work) {
    let intake = work.intake;
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for document in intake.documents.iter().filter(|document| document.kind.name == "automation") {
        automation(work, document, &mut seen);
    }
}

fn automation(work: &mut Work, document: &Document, seen: &mut BTreeMap<String, Place>) {
    let node = &document.node;
    let Some(Declared { id, package, name, id_node, entity }) = work.declared(document, seen) else { return };
    let Some(start) = starts::start(work, node, entity, &package) else { return };
    let is_timed = start.is_timed();
    // Records are found by it then, and there is no former one.
    let answers = start.answers();
    let when = condition(work, node.get("when"), answers.unwrap_or(entity), !is_timed && answers.is_none());
    let is_received = matches!(start, Start::Received(_));
    if (is_timed || answers.is_some() || is_received) && node.get("run_as").is_none() {
        let place = node.get("trigger").and_then(|trigger| trigger.get("event")).map_or(&node.place, |event| &event.place).clone();
        let fault = Diagnostic::error(
            "DEF367",
            &place,
            match () {
                () if is_timed => "nobody's rights are known when the clock starts it",
                () if is_received => "nobody's rights are known when a message starts it",
                () => "nobody's rights are known when an answer starts it",
            },
        )
        .hint("say with which roles it runs: `run_as: [sales_rep]`");
        work.fault(fault);
    }
    let roles = super::pipelines::roles(work, node.get("run_as"));
    let mut list = steps::List::new(entity, id.clone(), package, start == Start::Deleted);
    let items: Vec<Node> = node.get("steps").map(|steps| steps.items().to_vec()).unwrap_or_default();
    if items.is_empty() {
        let place = node.entry("steps").map_or(&node.place, |(key, _)| &key.place).clone();
        work.fault(Diagnostic::error("DEF113", &place, format!("the automation `{name}` does nothing")).hint("give it at least one step"));
    }
    list.block(work, &items, "", None, 0);
    let uid = format!("automation/{id}");
    work.places.insert(uid.clone(), id_node.place.clone());
    let steps = list.steps;
    work.catalog.automations.add(Automation {
        uid,
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(name)),
        id,
        entity,
        start,
        when,
        when_text: node.get("when").and_then(Node::scalar_text).unwrap_or_default(),
        run_as: if node.get("run_as").is_some() { RunAs::Roles(roles) } else { RunAs::Caller },
        most_per_minute: node.int("per_minute").and_then(|number| u32::try_from(number).ok()).unwrap_or(MOST_PER_MINUTE),
        steps,
    });
}
