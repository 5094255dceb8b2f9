//! Choosing one of several people for a record: one after the other, or who has the fewest. Who they are is looked up outside of
//! the step's transaction; who is chosen is decided inside of it, by one run after the other.

use serde_json::{Value as Json, json};

use super::jobs::ScriptJobs;
use super::notify::shown;
use super::steps::About;
use crate::base::{FieldIx, RecordId, Value};
use crate::expr::Type;
use crate::jobs::JobError;
use crate::record::{RecordError, RecordTx};
use crate::schema::catalog::{Audience, Choosing, Step};
use crate::store::notifications::{PROGRAM, Said, Telling};
use crate::store::sequences;

/// People of whom one is chosen at most.
const MOST: usize = 500;

/// Of whom a step chooses one: people, teams and roles.
pub(super) async fn candidates(tx: &mut RecordTx<'_>, to: &[Audience], about: &About<'_>) -> Result<Telling, RecordError> {
    let catalog = tx.catalog().clone();
    let mut found = Telling {
        people: Vec::new(),
        teams: Vec::new(),
        roles: Vec::new(),
        source: PROGRAM.to_owned(),
        said: Said::Message { key: String::new(), facts: Vec::new() },
        about: None,
        step: None,
    };
    for audience in to {
        match audience {
            Audience::Role(role) => found.roles.push(role.clone()),
            Audience::Expr(expr) => {
                let Value::Link(id) = tx.value(expr, about.record, about.old).await? else { continue };
                let Type::Link(entities) = &expr.ty else { continue };
                for (name, list) in [("core.user", &mut found.people), ("core.team", &mut found.teams)] {
                    if catalog.find_entity(name).is_some_and(|known| entities.contains(&known.ix)) {
                        list.push(id.0);
                    }
                }
            }
        }
    }
    Ok(found)
}

impl ScriptJobs {
    /// Those of them who may sign in, in a fixed order.
    pub(super) async fn people_of(&self, asked: &Telling) -> Result<Vec<RecordId>, RecordError> {
        let refused = |error: JobError| RecordError::State { message: error.to_string() };
        let mut found = Vec::new();
        for person in self.meant(asked).await.map_err(refused)? {
            if self.records.actor_of(RecordId(person)).await?.is_some() {
                found.push(RecordId(person));
            }
        }
        if found.len() > MOST {
            let what = "people of whom one is chosen".to_owned();
            return Err(RecordError::TooMany { what, got: found.len() as u64, limit: MOST as u64 });
        }
        Ok(found)
    }
}

/// One of these people, and what the log says of it.
pub(super) async fn choose(
    tx: &mut RecordTx<'_>,
    step: &Step,
    by: &Choosing,
    field: FieldIx,
    people: &[RecordId],
    about: &About<'_>,
) -> Result<(RecordId, Json, Json), RecordError> {
    if people.is_empty() {
        return Err(RecordError::State { message: "there is nobody of whom one could be chosen".to_owned() });
    }
    let catalog = tx.catalog().clone();
    let entity = catalog.entity(about.record.entity);
    // Whoever counts waits for the others: two runs at once do not choose the same one.
    let turn = sequences::take(tx.store(), &format!("assign:{}:{}", about.name, step.id), 1).await?;
    let held = match by {
        Choosing::Turn => None,
        Choosing::Load(condition) => Some(tx.held_by(entity.ix, field, people, condition.as_ref()).await?),
    };
    let load = |person: &RecordId| held.as_ref().map_or(0, |held| held.get(person).copied().unwrap_or(0));
    let least = people.iter().map(load).min().unwrap_or(0);
    let free: Vec<RecordId> = people.iter().copied().filter(|person| load(person) == least).collect();
    let at = usize::try_from(turn - 1).unwrap_or(0) % free.len();
    let chosen = free[at];
    let people_entity = catalog.find_entity("core.user").map(|entity| entity.ix);
    let name = shown(&catalog, &people_entity.into_iter().collect::<Vec<_>>(), chosen);
    let held = held.as_ref().map(|_| least);
    Ok((chosen, json!({ "of": people.len(), "field": entity.field(field).name }), json!({ "chosen": name, "held": held })))
}
