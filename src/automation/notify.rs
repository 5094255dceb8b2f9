//! Telling people: a step says whom and what; after the commit it is looked who they are and which of them may read the
//! record. One transaction with the end of the job, so everybody is told once.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::jobs::{ScriptJobs, told};
use super::steps::About;
use crate::base::{EntityIx, Labels, RecordId, Value};
use crate::expr::Type;
use crate::jobs::{Job, JobContext, JobError, Outcome};
use crate::query::{Deleted, GetRequest, Item, Select};
use crate::record::{RecordError, RecordTx};
use crate::schema::catalog::{Audience, Catalog, Entity, Step, Title, TitlePart};
use crate::store::notifications::{self, Said, Telling};
use crate::store::runs::{self, StepLine};
use crate::store::{StoreError, people};

/// People with one role that are told at most.
const MOST: u32 = 1_000;

/// Has people told; gives what the log says of it.
pub(super) async fn notify(
    tx: &mut RecordTx<'_>,
    step: &Step,
    to: &[Audience],
    texts: &[(String, Title)],
    about: &About<'_>,
) -> Result<(Json, Json), RecordError> {
    let catalog = tx.catalog().clone();
    let entity = catalog.entity(about.record.entity);
    let mut telling = Telling {
        people: Vec::new(),
        teams: Vec::new(),
        roles: Vec::new(),
        source: about.name.to_owned(),
        said: Said::Texts(Labels(texts.iter().map(|(locale, text)| (locale.clone(), written(entity, text))).collect())),
        about: (!about.is_gone).then(|| (entity.uid.clone(), about.record.id.0)),
        step: Some((about.run, step.id.clone())),
    };
    let mut named = Vec::new();
    for audience in to {
        match audience {
            Audience::Role(role) => {
                named.push(role.clone());
                telling.roles.push(role.clone());
            }
            Audience::Expr(expr) => {
                let Value::Link(id) = tx.value(expr, about.record, about.old).await? else { continue };
                let Type::Link(entities) = &expr.ty else { continue };
                // No two records have the same id, whichever entity they are of.
                for (name, list) in [("core.user", &mut telling.people), ("core.team", &mut telling.teams)] {
                    if catalog.find_entity(name).is_some_and(|known| entities.contains(&known.ix)) {
                        list.push(id.0);
                    }
                }
                named.push(shown(&catalog, entities, id));
            }
        }
    }
    let output = if named.is_empty() {
        json!({ "told": 0 })
    } else {
        notifications::tell(tx.store(), &telling).await?;
        json!({ "queued": true })
    };
    Ok((json!({ "to": named }), output))
}

pub(super) fn shown(catalog: &Catalog, entities: &[EntityIx], id: RecordId) -> String {
    match entities {
        [one] => id.display(&catalog.entity(*one).prefix),
        _ => id.0.to_string(),
    }
}

/// The text with places for values, by the uid of the field: it outlives a rename.
fn written(entity: &Entity, text: &Title) -> String {
    let part = |part: &TitlePart| match part {
        TitlePart::Text(text) => text.clone(),
        TitlePart::Field(field) => format!("{{{}}}", entity.field(*field).uid),
    };
    text.parts.iter().map(part).collect()
}

impl ScriptJobs {
    /// Tells everybody who is meant and may read what it is about.
    pub(super) async fn tell(&self, context: &JobContext, job: &Job) -> Result<Outcome, JobError> {
        let telling = Telling::from_json(&job.payload).ok_or_else(|| JobError::Fatal("the job's payload cannot be read".to_owned()))?;
        let meant = self.meant(&telling).await?;
        let mut found = Vec::new();
        for person in &meant {
            if self.may_know(RecordId(*person), telling.about.as_ref()).await.map_err(|error| JobError::Retry(told(&error)))? {
                found.push(*person);
            }
        }
        let (store, context) = (context.store.clone(), context.clone());
        let (held, kept_back) = (job.clone(), meant.len() - found.len());
        let end = store.write(move |tx| {
            Box::pin(async move {
                notifications::add(tx, &telling, &found).await?;
                if let Some((run, step)) = &telling.step {
                    let line = StepLine {
                        seq: 0,
                        step: step.clone(),
                        act: "notify".to_owned(),
                        state: "done".to_owned(),
                        input: "{}".to_owned(),
                        output: json!({ "told": found.len(), "may_not_read": kept_back }).to_string(),
                        reason: None,
                        at: tx.now(),
                    };
                    runs::note(tx, *run, &line).await?;
                }
                context.finish(tx, &held).await
            })
        });
        end.await.map(|()| Outcome::Finished).map_err(|error: StoreError| JobError::Retry(error.to_string()))
    }

    /// Everybody who is named, by themselves, by their team or by their role.
    pub(super) async fn meant(&self, telling: &Telling) -> Result<BTreeSet<i64>, JobError> {
        let (store, catalog) = (self.records.store(), self.records.catalog());
        let mut meant: BTreeSet<i64> = telling.people.iter().copied().collect();
        let teams: Vec<RecordId> = telling.teams.iter().copied().map(RecordId).collect();
        match people::members_of(store, &catalog, &teams).await? {
            Some(members) => meant.extend(members.iter().map(|member| member.0)),
            None => return Err(JobError::Fatal("the team has too many people to tell each of them".to_owned())),
        }
        for role in &telling.roles {
            meant.extend(people::with_role(store, &catalog, role, MOST).await?.iter().map(|person| person.0));
        }
        Ok(meant)
    }

    /// Whether somebody may sign in, and may read the record now.
    async fn may_know(&self, person: RecordId, about: Option<&(String, i64)>) -> Result<bool, RecordError> {
        let Some(actor) = self.records.actor_of(person).await? else { return Ok(false) };
        let Some((uid, id)) = about else { return Ok(true) };
        let catalog = self.records.catalog();
        let Some(entity) = catalog.entities.iter().find(|entity| entity.uid == *uid) else { return Ok(false) };
        let Some(field) = entity.find_field("id") else { return Ok(false) };
        if actor.standing(&catalog)?.part().is_some_and(|granted| !granted.entity(entity.ix).actions().is_any()) {
            return Ok(false);
        }
        let select = Select { entity: entity.ix, items: vec![Item::Field(field.ix)] };
        let request = GetRequest { entity: entity.ix, id: RecordId(*id), select, deleted: Deleted::Live };
        Ok(self.records.get(&actor, &catalog, request).await?.is_some())
    }
}
