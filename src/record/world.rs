//! Records in memory around the one that is saved: what its expressions read over links and below it.

use std::collections::{HashMap, HashSet};

use super::hooks::Record;
use super::plan::{Compiled, rows_by};
use crate::access::Actor;
use crate::base::{DateTime, EntityIx, FieldIx, Locale, RecordId, Value};
use crate::expr::{self, EvalContext, Over, Path, Typed, Zone};
use crate::schema::catalog::FieldType;
use crate::store::approvals::Request;
use crate::store::registrations::Claim;

/// What was loaded.
#[derive(Debug, Default)]
pub(super) struct World {
    /// `None`: looked for and not there (or deleted).
    pub records: HashMap<(EntityIx, RecordId), Option<Record>>,
    /// Live rows of an entity whose link leads to an owner.
    pub rows: HashMap<(EntityIx, FieldIx, RecordId), Vec<Record>>,
    /// By record: the tasks about it that its stages made.
    pub tasks: HashMap<RecordId, Vec<Record>>,
    /// By record: what was asked to be approved of it, newest first.
    pub approvals: HashMap<RecordId, Vec<Request>>,
    /// By record: the claims on it, newest first.
    pub claims: HashMap<RecordId, Vec<Claim>>,
    /// Those of them that the actor may not read.
    pub unseen: HashSet<RecordId>,
}

impl World {
    pub fn task_ids(&self, record: RecordId) -> Vec<RecordId> {
        self.tasks.get(&record).into_iter().flatten().map(|task| task.id).collect()
    }
}

/// What evaluations of one request share.
#[derive(Clone)]
pub(super) struct Setting<'a> {
    pub compiled: &'a Compiled,
    pub now: DateTime,
    pub zone: Zone,
    pub me: Option<RecordId>,
    /// The language of messages.
    pub locale: Locale,
}

impl<'a> Setting<'a> {
    pub fn new(compiled: &'a Compiled, now: DateTime, actor: &Actor) -> Self {
        Self { compiled, now, zone: compiled.zone.clone(), me: actor.user, locale: actor.locale }
    }
}

impl Setting<'_> {
    /// The value of an expression about `record`.
    pub fn eval(&self, world: &World, expr: &Typed, record: &Record, old: Option<&Record>) -> Value {
        let node = Node { setting: self, world, record };
        let before = old.map(|record| Node { setting: self, world, record });
        let context =
            EvalContext { now: self.now, zone: self.zone.clone(), me: self.me, old: before.as_ref().map(|node| node as &dyn expr::Row) };
        expr::eval(expr, &node, &context)
    }

    /// Whether a condition holds about `record`.
    pub fn holds(&self, world: &World, expr: &Typed, record: &Record, old: Option<&Record>) -> bool {
        self.eval(world, expr, record, old) == Value::Bool(true)
    }

    /// The value of any field of `record`, virtual ones too.
    pub fn value(&self, world: &World, record: &Record, field: FieldIx) -> Value {
        Node { setting: self, world, record }.field(field)
    }
}

/// A record as the evaluator sees it.
struct Node<'a> {
    setting: &'a Setting<'a>,
    world: &'a World,
    record: &'a Record,
}

impl<'a> Node<'a> {
    fn follow(&self, hops: &[expr::Hop]) -> Option<Node<'a>> {
        let mut record = self.record;
        for hop in hops {
            let id = super::convert::link_id(record.get(hop.field))?;
            record = self.world.records.get(&(hop.to, id))?.as_ref()?;
        }
        Some(Node { setting: self.setting, world: self.world, record })
    }

    /// A stored value as it is, a virtual one computed.
    fn field(&self, ix: FieldIx) -> Value {
        match &self.setting.compiled.entity(self.record.entity).field(ix).ty {
            FieldType::Formula { expr, stored: false, .. } => self.compute(expr),
            FieldType::Rollup { aggregate, stored: false, .. } => self.compute(aggregate),
            FieldType::Lookup { via, field, .. } => {
                let target = match &self.setting.compiled.entity(self.record.entity).field(*via).ty {
                    FieldType::Link { to, .. } | FieldType::User { to, .. } => *to,
                    _ => return Value::Null,
                };
                self.follow(&[expr::Hop { field: *via, to: target }]).map_or(Value::Null, |node| node.field(*field))
            }
            // An any_link is a text outside, because only its prefix names the entity; expressions compare ids.
            FieldType::AnyLink { .. } => super::convert::link_id(self.record.get(ix)).into(),
            _ => self.record.get(ix).clone(),
        }
    }

    fn compute(&self, expr: &Typed) -> Value {
        let context = EvalContext { now: self.setting.now, zone: self.setting.zone.clone(), me: self.setting.me, old: None };
        expr::eval(expr, self, &context)
    }
}

impl expr::Row for Node<'_> {
    fn value(&self, path: &Path) -> Value {
        if path.hops.is_empty() {
            return self.field(path.field);
        }
        self.follow(&path.hops).map_or(Value::Null, |node| node.field(path.field))
    }

    fn rows<'a>(&'a self, over: &Over) -> Vec<Box<dyn expr::Row + 'a>> {
        let Some(owner) = self.follow(&over.hops) else {
            return Vec::new();
        };
        let (entity, by) = rows_by(over);
        let found = self.world.rows.get(&(entity, by, owner.record.id)).map_or(&[][..], Vec::as_slice);
        let mut nodes: Vec<Box<dyn expr::Row + 'a>> = Vec::with_capacity(found.len());
        for record in found {
            nodes.push(Box::new(Node { setting: self.setting, world: self.world, record }));
        }
        nodes
    }
}
