//! Public pools: records without an owner that people claim, hold for as long as they do something with them, and give back.

use crate::base::{EntityIx, FieldIx, Labels};
use crate::expr::Typed;

/// A pool of one entity. A record belongs to the first pool whose condition holds; it is in it while it has no owner, and held
/// by its owner otherwise.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Unique in the entity.
    pub id: String,
    pub label: Labels,
    /// Which records belong to it; reads nothing but the record's own stored values.
    pub when: Option<Typed>,
    /// The records that are in it: of this pool and no earlier one, without an owner.
    pub open: Typed,
    /// Who sees what is in it and may claim it; empty is everybody who is signed in.
    pub roles: Vec<String>,
    /// Who hands out, takes back and assigns against a protection or cool-down; administrators always do.
    pub managers: Vec<String>,
    /// What is shown of a record in it.
    pub show: Vec<FieldIx>,
    /// How many records one person may hold: the first that fits the person. None is no limit.
    pub caps: Vec<HoldCap>,
    /// Records one person may claim on one day.
    pub claims_per_day: Option<i64>,
    /// For how long nobody takes a record away from whoever has just got it.
    pub protect_seconds: Option<i64>,
    /// After how long without activity it goes back.
    pub reclaim_seconds: Option<i64>,
    /// How long before that its holder is told.
    pub warn_seconds: Option<i64>,
    /// What counts as activity.
    pub activity: Vec<Activity>,
    /// For how long whoever had a record may not have it again.
    pub cool_down_seconds: Option<i64>,
    pub hand_out: Option<HandOut>,
}

/// How many records some people may hold.
#[derive(Debug, Clone)]
pub struct HoldCap {
    /// Empty is everybody.
    pub roles: Vec<String>,
    /// About the person.
    pub when: Option<Typed>,
    pub most: i64,
}

/// What a holder does that counts.
#[derive(Debug, Clone)]
pub enum Activity {
    /// Changing one of these fields.
    Fields(Vec<FieldIx>),
    /// Making a record of this entity that leads here by this link.
    Rows { entity: EntityIx, by: FieldIx },
}

/// How records of a pool are given to people who may claim them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandOut {
    pub how: Fairness,
    /// Without being asked, each time pools are looked after.
    pub automatic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fairness {
    /// To whoever was given something longest ago.
    Turns,
    /// To whoever holds least.
    Load,
}

impl Pool {
    /// Whether a change of this field counts as activity.
    pub fn counts_change(&self, field: FieldIx) -> bool {
        self.activity.iter().any(|one| matches!(one, Activity::Fields(fields) if fields.contains(&field)))
    }

    /// The links by which new records of an entity count.
    pub fn counts_rows(&self, entity: EntityIx) -> impl Iterator<Item = FieldIx> {
        self.activity.iter().filter_map(move |one| match one {
            Activity::Rows { entity: of, by } if *of == entity => Some(*by),
            _ => None,
        })
    }
}
