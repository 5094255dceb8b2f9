//! Service clocks of a record: worked out in each save, and by a job when time passes.

use std::sync::Arc;

use super::error::RecordError;
use super::hooks::Record;
use super::options::Source;
use super::service::Records;
use super::world::{Setting, World};
use crate::access::{Actor, ActorKind};
use crate::base::{DateTime, FieldIx, Value};
use crate::expr::{CompareOp, Node, Path, Root, Type, Typed};
use crate::query::Deleted;
use crate::schema::catalog::{ClockFields, Entity, ServiceClock};
use crate::schema::standing::{ClockStanding, ClockState, Facts, Goal};

/// Records of one transaction.
const PAGE: u32 = 200;
/// Transactions of one job for one clock; the next one goes on.
const MOST_PAGES: usize = 500;

impl Setting<'_> {
    /// Works out the clock whose state this field holds; nothing for other fields.
    pub(super) fn run_clock(&self, world: &World, record: &mut Record, old: Option<&Record>, state: FieldIx) {
        let entity = self.compiled.entity(record.entity);
        let Some(clock) = entity.clocks.iter().find(|clock| clock.fields.state == state) else { return };
        let holds = |condition: &Typed| self.holds(world, condition, record, old);
        let facts = Facts {
            starts: clock.start.as_ref().is_none_or(holds),
            stops: holds(&clock.stop),
            pauses: clock.pause.as_ref().is_some_and(holds),
            restarts: clock.restarts,
            goal: self.goal(world, clock, record),
            former: old.and_then(|old| self.goal(world, clock, old)),
        };
        let before = old.map_or_else(ClockStanding::default, |old| standing(old, clock.fields));
        put(record, clock.fields, before.step(self.now, &facts));
    }

    /// The time limit of a record.
    fn goal<'c>(&self, world: &World, clock: &'c ServiceClock, record: &Record) -> Option<Goal<'c>> {
        let applies = |when: &Typed| self.holds(world, when, record, None);
        clock.targets.iter().find(|target| target.when.as_ref().is_none_or(applies)).map(|target| target.goal())
    }
}

/// What a record holds of a clock.
fn standing(record: &Record, fields: ClockFields) -> ClockStanding {
    let moment = |field: FieldIx| if let Value::DateTime(at) = record.get(field) { Some(*at) } else { None };
    ClockStanding {
        state: record.get(fields.state).as_text().and_then(ClockState::parse),
        due: moment(fields.due),
        spent: if let Value::Int(seconds) = record.get(fields.spent) { *seconds } else { 0 },
        since: moment(fields.since),
    }
}

fn put(record: &mut Record, fields: ClockFields, standing: ClockStanding) {
    let moment = |at: Option<DateTime>| at.map_or(Value::Null, Value::DateTime);
    let values = [
        (fields.state, standing.state.map_or(Value::Null, |state| Value::Text(state.key().to_owned()))),
        (fields.due, moment(standing.due)),
        (fields.spent, standing.state.map_or(Value::Null, |_| Value::Int(standing.spent))),
        (fields.since, moment(standing.since)),
    ];
    for (field, value) in values {
        if let Some(place) = record.values.get_mut(field.0 as usize) {
            *place = value;
        }
    }
}

impl Records {
    /// Notes which clocks ran out. Finds them by the index over state and end; gives how many.
    ///
    /// # Errors
    /// The database.
    pub async fn look_at_clocks(&self) -> Result<usize, RecordError> {
        let catalog = self.catalog();
        let mut noted = 0;
        for entity in &catalog.entities {
            for clock in &entity.clocks {
                for _ in 0..MOST_PAGES {
                    let written = self.note_due(entity, clock).await?;
                    noted += written;
                    if written < PAGE as usize {
                        break;
                    }
                }
            }
        }
        Ok(noted)
    }

    /// Whether a clock runs out up to a moment that nobody has noted yet, as records are now.
    ///
    /// # Errors
    /// The database.
    pub async fn has_clock_over(&self, moment: DateTime) -> Result<bool, RecordError> {
        let system = Actor::system();
        let finds = self.rehearse(&system, Source::Automation, Vec::new(), move |tx| {
            Box::pin(async move {
                let (compiled, system) = (tx.scope.compiled.clone(), Actor::system());
                for entity in &compiled.catalog.entities {
                    for clock in &entity.clocks {
                        let over = Some(ran_out(clock.fields, moment));
                        if !tx.ids_of(&system, &compiled, entity.ix, over, None, Deleted::Live, 1).await?.is_empty() {
                            return Ok(true);
                        }
                    }
                }
                Ok(false)
            })
        });
        finds.await
    }

    async fn note_due(&self, entity: &Entity, clock: &ServiceClock) -> Result<usize, RecordError> {
        let actor = Actor { kind: ActorKind::Automation, ..Actor::system() };
        let due = Arc::new(ran_out(clock.fields, self.clock().now()));
        let ix = entity.ix;
        self.unit(&actor, Source::Automation, Vec::new(), move |tx| {
            let due = Arc::clone(&due);
            Box::pin(async move {
                let compiled = tx.scope.compiled.clone();
                let ids = tx.ids_of(&Actor::system(), &compiled, ix, Some(Typed::clone(&due)), None, Deleted::Live, PAGE).await?;
                if ids.is_empty() {
                    return Ok(0);
                }
                tx.recalculate(&compiled, ix, &ids).await
            })
        })
        .await
    }
}

/// It runs, and its time is over.
fn ran_out(fields: ClockFields, now: DateTime) -> Typed {
    let compare = |field: FieldIx, ty: Type, op: CompareOp, value: Value| {
        let path = Node::Path(Path { root: Root::Record, hops: Vec::new(), field, part: None });
        let left = Box::new(Typed::new(ty.clone(), path, 0..0));
        Typed::new(Type::Bool, Node::Compare { op, left, right: Box::new(Typed::literal(ty, value)) }, 0..0)
    };
    Typed::all_of(vec![
        compare(fields.state, Type::Text, CompareOp::Eq, Value::Text(ClockState::Running.key().to_owned())),
        compare(fields.due, Type::DateTime, CompareOp::Le, Value::DateTime(now)),
    ])
}
