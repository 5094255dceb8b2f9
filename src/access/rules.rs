//! What a statement must add so that it reads only what its asker may read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::base::{EntityIx, FieldIx, Value};
use crate::expr::{Hop, Node, Typed, through};

/// Per entity, which records the actor may see, and which values in them. Cheap to clone.
///
/// The conditions are about the entity's own records and are compiled without rules: a rule says what it says, whatever
/// else the asker may read.
#[derive(Debug, Clone, Default)]
pub struct RowRules(Option<Arc<Rules>>);

#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub rows: HashMap<EntityIx, Typed>,
    pub masks: HashMap<(EntityIx, FieldIx), Mask>,
    /// Stored values that were computed from more than the asker may read: they are computed anew for them.
    pub live: HashSet<(EntityIx, FieldIx)>,
    /// Some rule holds ids of one person.
    pub is_personal: bool,
    /// Some rule asks what time or day it is.
    pub is_momentary: bool,
}

/// When a value may not be read.
#[derive(Debug, Clone, PartialEq)]
pub enum Mask {
    /// Never: nobody in these roles knows of the field.
    Hidden,
    /// It is read only where this holds, and nothing elsewhere.
    Where(Typed),
}

impl Mask {
    /// Whether the value is read nowhere: the field is hidden, or it is computed from one that is.
    pub fn is_never(&self) -> bool {
        fn never(condition: &Typed) -> bool {
            match &condition.node {
                Node::Literal(Value::Bool(holds)) => !holds,
                Node::And(parts) => parts.iter().any(never),
                _ => false,
            }
        }
        match self {
            Mask::Hidden => true,
            Mask::Where(condition) => never(condition),
        }
    }
}

static NONE: RowRules = RowRules(None);

impl RowRules {
    pub(super) fn new(rules: Rules) -> Self {
        let is_open = rules.rows.is_empty() && rules.masks.is_empty() && rules.live.is_empty();
        Self((!is_open).then(|| Arc::new(rules)))
    }

    /// The same, and of an entity's records only those for which the condition holds too.
    pub(super) fn narrowed(&self, entity: EntityIx, condition: Typed) -> Self {
        let mut rules = self.0.as_deref().cloned().unwrap_or_default();
        let both = match rules.rows.remove(&entity) {
            Some(rule) => Typed::all_of(vec![rule, condition]),
            None => condition,
        };
        rules.rows.insert(entity, both);
        rules.is_personal = true;
        Self(Some(Arc::new(rules)))
    }

    /// All records and all values.
    pub fn none() -> &'static RowRules {
        &NONE
    }

    /// The condition for an entity's records; `None` means all of them.
    pub fn of(&self, entity: EntityIx) -> Option<&Typed> {
        self.0.as_ref()?.rows.get(&entity)
    }

    /// When the value of a field is not read; `None` means always.
    pub fn mask(&self, entity: EntityIx, field: FieldIx) -> Option<&Mask> {
        self.0.as_ref()?.masks.get(&(entity, field))
    }

    /// The masks of an entity's fields, in no order.
    pub fn masks(&self, entity: EntityIx) -> impl Iterator<Item = (FieldIx, &Mask)> {
        let masks = self.0.iter().flat_map(|rules| &rules.masks);
        masks.filter(move |((of, _), _)| *of == entity).map(|((_, field), mask)| (*field, mask))
    }

    /// A stored value must be computed while reading, from what may be read.
    pub fn is_live(&self, entity: EntityIx, field: FieldIx) -> bool {
        self.0.as_ref().is_some_and(|rules| rules.live.contains(&(entity, field)))
    }

    /// Whether whoever reads an `owner` reads the rows whose link `by` leads to it.
    pub fn go_with(&self, owner: EntityIx, rows: EntityIx, by: FieldIx) -> bool {
        match (self.of(owner), self.of(rows)) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(above), Some(below)) => super::derive::holds_where(below, &through(above, Hop { field: by, to: owner })),
        }
    }

    /// Nothing is kept from anybody.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Some rule asks what time or day it is: a statement made with these rules holds for this moment. (The ends of shares are
    /// not meant.)
    pub fn is_momentary(&self) -> bool {
        self.0.as_ref().is_some_and(|rules| rules.is_momentary)
    }

    /// Whether these are the very same rules, not only equal ones: those of somebody whose rights did not change meanwhile.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }

    /// A statement made with these rules is for one person alone, now: it must not be kept for others.
    pub fn is_personal(&self) -> bool {
        self.0.as_ref().is_some_and(|rules| rules.is_personal)
    }
}
