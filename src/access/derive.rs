//! From grants to rules: rows by OR over the roles, values by the roles that grant the row, computed values by what they
//! are computed from.

use std::collections::HashMap;

use crate::base::{EntityIx, FieldIx, Value};
use crate::expr::{ChildNeed, CompareOp, Hop, Needs, Node, Rows, Type, Typed, needs, through};
use crate::schema::catalog::{Allowed, Catalog, FieldType, Grant};
use crate::schema::moment::depends_on_moment;

use super::policy::{EntityRights, is_personal};
use super::rules::{Mask, RowRules, Rules};

pub(super) fn rules(catalog: &Catalog, rights: &[EntityRights]) -> RowRules {
    let mut rules = Rules::default();
    for entity in &catalog.entities {
        if let Some(rule) = rows(&rights[entity.ix.0 as usize]) {
            rules.is_personal |= is_personal(&rule) || depends_on_moment(catalog, entity.ix, &rule, false);
            rules.is_momentary |= depends_on_moment(catalog, entity.ix, &rule, true);
            rules.rows.insert(entity.ix, rule);
        }
    }
    let mut derive = Derive { catalog, rights, rows: &rules.rows, known: HashMap::new() };
    let mut masks = HashMap::new();
    let mut live = std::collections::HashSet::new();
    for entity in &catalog.entities {
        for field in &entity.fields {
            let state = derive.state((entity.ix, field.ix));
            if state.is_live && !field.columns.is_empty() {
                live.insert((entity.ix, field.ix));
            }
            if let Some(mask) = state.mask {
                masks.insert((entity.ix, field.ix), mask);
            }
        }
    }
    let is_any = |of: &dyn Fn(&Typed) -> bool| masks.values().any(|mask| matches!(mask, Mask::Where(condition) if of(condition)));
    rules.is_personal |= is_any(&is_personal);
    rules.is_momentary |= masks
        .iter()
        .any(|((entity, _), mask)| matches!(mask, Mask::Where(condition) if depends_on_moment(catalog, *entity, condition, true)));
    rules.masks = masks;
    rules.live = live;
    RowRules::new(rules)
}

/// The condition that never holds.
pub(super) fn never() -> Typed {
    Typed::literal(Type::Bool, Value::Bool(false))
}

/// Any of the conditions; `None` when one of them always holds.
pub(super) fn any<'g>(allowed: impl Iterator<Item = &'g Allowed>) -> Option<Typed> {
    let mut parts: Vec<Typed> = Vec::new();
    let mut add = |condition: &Typed| {
        if !parts.contains(condition) {
            parts.push(condition.clone());
        }
    };
    for allowed in allowed {
        match allowed {
            Allowed::All => return None,
            Allowed::None => {}
            Allowed::Where(condition) => match &condition.node {
                Node::Or(items) => items.iter().for_each(&mut add),
                _ => add(condition),
            },
        }
    }
    let mut parts = merged(parts);
    Some(match parts.len() {
        0 => never(),
        1 => parts.remove(0),
        _ => Typed::new(Type::Bool, Node::Or(parts), 0..0),
    })
}

/// `owner = me() or owner in (…)` as one list, which one index serves.
fn merged(parts: Vec<Typed>) -> Vec<Typed> {
    let mut lists: Vec<(Typed, Vec<Typed>)> = Vec::new();
    let mut others = Vec::new();
    for part in parts {
        let (item, list) = match &part.node {
            Node::In { item, list } => (item, list.clone()),
            Node::Compare { op: CompareOp::Eq, left, right } if right.is_constant() => (left, vec![Typed::clone(right)]),
            _ => {
                others.push(part);
                continue;
            }
        };
        let is_link = matches!(item.ty, Type::Link(_)) && matches!(item.node, Node::Path(_)) && list.iter().all(Typed::is_constant);
        if !is_link {
            others.push(part);
            continue;
        }
        match lists.iter_mut().find(|(known, _)| known.node == item.node) {
            Some((_, known)) => {
                for element in list {
                    if !known.iter().any(|one| one.node == element.node) {
                        known.push(element);
                    }
                }
            }
            None => lists.push((Typed::clone(item), list)),
        }
    }
    let mut all: Vec<Typed> =
        lists.into_iter().map(|(item, list)| Typed::new(Type::Bool, Node::In { item: Box::new(item), list }, 0..0)).collect();
    all.extend(others);
    all
}

/// Which records may be read; `None` means all.
fn rows(rights: &EntityRights) -> Option<Typed> {
    any(rights.grants.iter().map(|(_, grant)| &grant.read))
}

/// How a field is read.
#[derive(Debug, Clone, Default)]
struct State {
    mask: Option<Mask>,
    is_live: bool,
}

type Spot = (EntityIx, FieldIx);

struct Derive<'c> {
    catalog: &'c Catalog,
    rights: &'c [EntityRights],
    rows: &'c HashMap<EntityIx, Typed>,
    known: HashMap<Spot, State>,
}

impl Derive<'_> {
    fn state(&mut self, spot: Spot) -> State {
        if let Some(state) = self.known.get(&spot) {
            return state.clone();
        }
        // Definitions have no circles; should one slip in, it ends here.
        self.known.insert(spot, State { mask: Some(Mask::Hidden), is_live: false });
        let mut state = State { mask: self.granted(spot), is_live: false };
        if state.mask != Some(Mask::Hidden) {
            self.computed(spot, &mut state);
        }
        self.known.insert(spot, state.clone());
        state
    }

    /// What the roles say about the field itself.
    fn granted(&self, (entity, field): Spot) -> Option<Mask> {
        let definition = self.catalog.entity(entity).field(field);
        // A link tells the id of what it leads to; whether that is there, the rows say.
        if definition.is_system && matches!(definition.name.as_str(), "id" | "version") {
            return None;
        }
        let readers: Vec<&Grant> =
            self.rights[entity.0 as usize].grants.iter().map(|(_, grant)| grant).filter(|grant| grant.read != Allowed::None).collect();
        if readers.is_empty() {
            // No record is read: what may be written is known of, and nothing of it is ever shown.
            let writes = |grant: &Grant| grant.readable.get(field.0 as usize).copied().unwrap_or(false);
            let is_known = self.rights[entity.0 as usize].grants.iter().any(|(_, grant)| writes(grant));
            return (!is_known).then_some(Mask::Hidden);
        }
        let reads = |grant: &&&Grant| grant.readable.get(field.0 as usize).copied().unwrap_or(false);
        let with: Vec<&Grant> = readers.iter().filter(reads).copied().collect();
        if with.is_empty() {
            return Some(Mask::Hidden);
        }
        if with.len() == readers.len() {
            return None;
        }
        any(with.iter().map(|grant| &grant.read)).map(Mask::Where)
    }

    /// A computed value shows no more than what it is computed from, unless the definitions expose it.
    fn computed(&mut self, (entity, field): Spot, state: &mut State) {
        let owner = self.catalog.entity(entity);
        let definition = owner.field(field);
        if definition.exposes {
            return;
        }
        match &definition.ty {
            FieldType::Formula { expr, .. } => self.inputs(entity, &needs(expr), state),
            FieldType::Rollup { aggregate, .. } => self.inputs(entity, &needs(aggregate), state),
            FieldType::Lookup { via, field: target, .. } => {
                self.own_input((entity, *via), state);
                if let FieldType::Link { to, .. } | FieldType::User { to, .. } = &owner.field(*via).ty
                    && self.state((*to, *target)).mask == Some(Mask::Hidden)
                {
                    narrow(state, never());
                }
            }
            _ => {
                // A clock tells of what stops and holds it.
                let read = owner.clock_in(field).map(|clock| clock.needs().fields).unwrap_or_default();
                for input in read {
                    let is_live = state.is_live;
                    self.own_input((entity, input), state);
                    state.is_live = is_live;
                }
            }
        }
    }

    fn own_input(&mut self, spot: Spot, state: &mut State) {
        let input = self.state(spot);
        state.is_live |= input.is_live;
        match input.mask {
            None => {}
            Some(Mask::Hidden) => narrow(state, never()),
            Some(Mask::Where(condition)) => narrow(state, condition),
        }
    }

    fn inputs(&mut self, entity: EntityIx, needed: &Needs, state: &mut State) {
        for field in &needed.fields {
            self.own_input((entity, *field), state);
        }
        for path in &needed.paths {
            let end = path.hops.last().map_or(entity, |hop| hop.to);
            self.far_input((end, path.field), state);
            for pair in path.hops.windows(2) {
                self.far_input((pair[0].to, pair[1].field), state);
            }
            state.is_live |= path.hops.iter().any(|hop| self.rows.contains_key(&hop.to));
        }
        for ChildNeed { over, needs } in &needed.children {
            let owner = over.hops.last().map_or(entity, |hop| hop.to);
            self.far_input((owner, over.field), state);
            let rows = over.rows.entity();
            state.is_live |= self.rows.contains_key(&rows) && !self.goes_with(owner, rows, &over.rows);
            if let Rows::Links { to, .. } = &over.rows {
                state.is_live |= self.rows.contains_key(to);
            }
            for field in &needs.fields {
                self.far_input((rows, *field), state);
            }
            self.inputs_below(rows, needs, state);
        }
    }

    /// What rows of a to-many field read beyond themselves.
    fn inputs_below(&mut self, rows: EntityIx, needed: &Needs, state: &mut State) {
        let beyond = Needs { fields: Default::default(), ..needed.clone() };
        self.inputs(rows, &beyond, state);
    }

    /// A value of another record: where its mask does not hold it is nothing, so a stored result must be computed anew.
    fn far_input(&mut self, spot: Spot, state: &mut State) {
        let input = self.state(spot);
        state.is_live |= input.is_live;
        match input.mask {
            None => {}
            Some(Mask::Hidden) => narrow(state, never()),
            Some(Mask::Where(_)) => state.is_live = true,
        }
    }

    /// Rows that are seen by all those who see their owner.
    fn goes_with(&self, owner: EntityIx, rows: EntityIx, over: &Rows) -> bool {
        let Rows::Children { by, .. } = over else { return false };
        match (self.rows.get(&owner), self.rows.get(&rows)) {
            (Some(above), Some(below)) => holds_where(below, &through(above, Hop { field: *by, to: owner })),
            _ => false,
        }
    }
}

/// Whether a rule says the same as another, or that or more: rows may also be shared by themselves.
pub(super) fn holds_where(rule: &Typed, other: &Typed) -> bool {
    let parts = |typed: &'_ Typed| match &typed.node {
        Node::Or(items) => items.clone(),
        _ => vec![typed.clone()],
    };
    let of_rule = parts(rule);
    rule == other || parts(other).iter().all(|part| of_rule.contains(part))
}

fn narrow(state: &mut State, condition: Typed) {
    state.mask = match state.mask.take() {
        None => Some(Mask::Where(condition)),
        Some(Mask::Where(own)) if own == condition => Some(Mask::Where(own)),
        Some(Mask::Where(own)) => Some(Mask::Where(Typed::all_of(vec![own, condition]))),
        Some(Mask::Hidden) => Some(Mask::Hidden),
    };
}
