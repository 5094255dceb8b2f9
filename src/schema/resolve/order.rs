//! In which order computed fields are computed, what must be computed anew when another record changes, and that
//! nothing depends on itself.

use std::collections::{BTreeMap, BTreeSet};

use super::Work;
use crate::base::{EntityIx, FieldIx};
use crate::expr::{self, ChildNeed, Needs, Path, Rows};
use crate::schema::catalog::{Catalog, Dependent, FieldType, Via};
use crate::schema::diagnostic::Diagnostic;

/// A field of an entity.
type Spot = (EntityIx, FieldIx);

pub(super) fn compute(work: &mut Work) {
    let graph = graph(&work.catalog);
    let mut done: BTreeSet<Spot> = BTreeSet::new();
    let mut order: Vec<Spot> = Vec::new();
    let mut reported: BTreeSet<Spot> = BTreeSet::new();
    for spot in graph.keys() {
        let mut path = Vec::new();
        if let Some(cycle) = visit(*spot, &graph, &mut path, &mut done, &mut order)
            && !cycle.iter().any(|spot| reported.contains(spot))
        {
            reported.extend(cycle.iter().copied());
            report(work, &cycle);
        }
    }
    for (ix, at) in order {
        let stored =
            matches!(work.entity(ix).field(at).ty, FieldType::Formula { stored: true, .. } | FieldType::Rollup { stored: true, .. })
                || work.entity(ix).clock_in(at).is_some();
        if stored {
            work.entity_mut(ix).computed_order.push(at);
        }
    }
    dependents(work);
}

/// What each computed field reads, over all entities.
fn graph(catalog: &Catalog) -> BTreeMap<Spot, BTreeSet<Spot>> {
    let mut graph = BTreeMap::new();
    for entity in &catalog.entities {
        for field in &entity.fields {
            let mut reads = BTreeSet::new();
            match &field.ty {
                FieldType::Formula { expr, .. } => collect(entity.ix, &expr::needs(expr), &mut reads),
                FieldType::Rollup { aggregate, .. } => collect(entity.ix, &expr::needs(aggregate), &mut reads),
                FieldType::Lookup { via, field: looked, .. } => {
                    if let FieldType::Link { to, .. } | FieldType::User { to, .. } = &entity.field(*via).ty {
                        reads.insert((*to, *looked));
                    }
                }
                _ => match entity.clock_in(field.ix) {
                    // All of a clock is worked out with its state.
                    Some(clock) if clock.fields.state == field.ix => collect(entity.ix, &clock.needs(), &mut reads),
                    Some(clock) => drop(reads.insert((entity.ix, clock.fields.state))),
                    None => continue,
                },
            }
            graph.insert((entity.ix, field.ix), reads);
        }
    }
    graph
}

fn collect(entity: EntityIx, needs: &Needs, reads: &mut BTreeSet<Spot>) {
    reads.extend(needs.fields.iter().map(|field| (entity, *field)));
    for path in &needs.paths {
        reads.insert(end_of(entity, path));
    }
    for ChildNeed { over, needs } in &needs.children {
        collect(over.rows.entity(), needs, reads);
    }
}

fn end_of(entity: EntityIx, path: &Path) -> Spot {
    (path.hops.last().map_or(entity, |hop| hop.to), path.field)
}

fn visit(
    spot: Spot,
    graph: &BTreeMap<Spot, BTreeSet<Spot>>,
    path: &mut Vec<Spot>,
    done: &mut BTreeSet<Spot>,
    order: &mut Vec<Spot>,
) -> Option<Vec<Spot>> {
    if done.contains(&spot) {
        return None;
    }
    let reads = graph.get(&spot)?;
    if let Some(start) = path.iter().position(|known| *known == spot) {
        return Some(path[start..].to_vec());
    }
    path.push(spot);
    let mut cycle = None;
    for below in reads {
        cycle = cycle.or_else(|| visit(*below, graph, path, done, order));
    }
    path.pop();
    done.insert(spot);
    order.push(spot);
    cycle
}

fn report(work: &mut Work, cycle: &[Spot]) {
    let name = |(ix, at): &Spot| format!("{}.{}", work.entity(*ix).slug, work.entity(*ix).field(*at).name);
    let mut shown: Vec<String> = cycle.iter().map(name).collect();
    shown.push(name(&cycle[0]));
    let (ix, at) = cycle[0];
    let field_name = work.entity(ix).field(at).name.clone();
    let draft = work.draft(ix).fields.iter().find(|field| field.key.text == field_name);
    let Some(place) = draft.map(|draft| {
        draft.node.get("expr").or(draft.node.get("agg")).or(draft.node.get("field")).map_or(&draft.key.place, |node| &node.place).clone()
    }) else {
        return;
    };
    let fault = Diagnostic::error("DEF315", &place, format!("`{field_name}` depends on itself: {}", shown.join(" → ")))
        .hint("take one of these fields out of the formula of the next");
    work.fault(fault);
}

/// Tells the rows' entity of each stored rollup who must be computed anew.
fn dependents(work: &mut Work) {
    let mut found: Vec<(EntityIx, Dependent)> = Vec::new();
    for entity in &work.catalog.entities {
        for field in &entity.fields {
            let FieldType::Rollup { aggregate, stored: true, .. } = &field.ty else { continue };
            for child in expr::needs(aggregate).children {
                let via = match &child.over.rows {
                    Rows::Children { by, .. } => *by,
                    Rows::Links { near, .. } => *near,
                };
                let mut reads: BTreeSet<FieldIx> = child.needs.fields.clone();
                // A row that moves to another owner counts for both.
                reads.insert(via);
                let dependent =
                    Dependent { entity: entity.ix, field: field.ix, via: Via::ChildLink(via), reads: reads.into_iter().collect() };
                found.push((child.over.rows.entity(), dependent));
            }
        }
    }
    for (rows, dependent) in found {
        work.entity_mut(rows).dependents.push(dependent);
    }
}
