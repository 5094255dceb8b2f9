//! What a change of a pipeline or a pool lets people do: gates they may pass over, moves that were for others, records they may
//! claim.
//!
//! Stages, gates and the order are how work is done and change at any time. Who may make a move or pass over a gate is a right,
//! and giving it to somebody wants its confirmation, as a wider role does.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Value as Json, json};

use super::DeployError;
use super::plan::grouped;
use super::stranded::pipeline;
use crate::access::ADMINISTRATOR;
use crate::base::RecordId;
use crate::schema::catalog::{Catalog, Entity, Pipeline, Pool};
use crate::schema::{Op, OpKind, Part};
use crate::store::{Store, people};

/// People of a role that are looked at.
const MOST_PEOPLE: u32 = 10_000;
/// Moves that are told one by one in a sentence.
const TOLD: usize = 5;

/// What somebody may do from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Who may pass over the order and the gates.
    pub gates: Option<Gained>,
    pub moves: Vec<OpenedMove>,
    /// Who may see what is in a pool and claim it.
    pub pool: Option<Gained>,
}

/// A move between two stages, by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedMove {
    pub from: String,
    pub to: String,
    pub by: Gained,
}

/// Who gains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gained {
    Everybody,
    /// Roles, and how many active people have it only by them, administrators apart.
    Roles(Vec<String>, usize),
}

impl Opened {
    /// `manager (3 people) may pass over its gates; proposal to won is for everybody`.
    pub fn text(&self) -> String {
        let gates = self.gates.iter().map(|gained| format!("{} may pass over its gates", gained.text()));
        let moves = self.moves.iter().take(TOLD).map(|one| format!("{} to {} is for {}", one.from, one.to, one.by.text()));
        let more = self.moves.len().saturating_sub(TOLD);
        let more = (more > 0).then(|| format!("and {more} more moves"));
        let pool = self.pool.iter().map(|gained| format!("{} may see what is in it and claim it", gained.text()));
        gates.chain(moves).chain(more).chain(pool).collect::<Vec<_>>().join("; ")
    }

    pub fn to_json(&self) -> Json {
        let moves = self.moves.iter().map(|one| json!({"from": one.from, "to": one.to, "by": one.by.to_json()}));
        let mut told = json!({"kind": "opened", "gates": self.gates.as_ref().map(Gained::to_json), "moves": moves.collect::<Vec<_>>()});
        if let Some(pool) = &self.pool {
            told["pool"] = pool.to_json();
        }
        told
    }
}

impl Gained {
    fn text(&self) -> String {
        match self {
            Self::Everybody => "everybody".to_owned(),
            Self::Roles(roles, 1) => format!("{} (1 person)", roles.join(", ")),
            Self::Roles(roles, count) => format!("{} ({} people)", roles.join(", "), grouped(i64::try_from(*count).unwrap_or(i64::MAX))),
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Self::Everybody => json!({"everybody": true, "roles": [], "people": null}),
            Self::Roles(roles, count) => json!({"everybody": false, "roles": roles, "people": count}),
        }
    }
}

/// By uid of the op, what it opens, for those ops that open something for somebody.
pub(super) async fn opened(store: &Store, old: &Catalog, new: &Catalog, ops: &[Op]) -> Result<HashMap<String, Opened>, DeployError> {
    let mut having = Having { store, catalog: old, known: HashMap::new() };
    let mut found = HashMap::new();
    for op in ops {
        let opened = match op.kind {
            OpKind::ChangePart { part: Part::Pipeline } | OpKind::RemovePart { part: Part::Pipeline } => {
                let Some((entity, was)) = pipeline(old, op) else { continue };
                let Some(now) = new.entities.iter().find(|now| now.uid == entity.uid) else { continue };
                having.opened(was, heir(entity, was, now)).await?
            }
            OpKind::CreatePart { part: Part::Pipeline } => {
                let Some((now, is)) = pipeline(new, op) else { continue };
                let Some(entity) = old.entities.iter().find(|entity| entity.uid == now.uid) else { continue };
                let mut all = Opened { gates: None, moves: Vec::new(), pool: None };
                for was in entity.pipelines.iter().filter(|was| goes_before(entity, was, now, is)) {
                    let one = having.opened(was, Some(is)).await?;
                    all.gates = all.gates.or(one.gates);
                    all.moves.extend(one.moves);
                }
                all
            }
            OpKind::ChangePart { part: Part::Pool } | OpKind::CreatePart { part: Part::Pool } => {
                let Some((now, is)) = pool(new, op) else { continue };
                if !old.entities.iter().any(|entity| entity.uid == now.uid) {
                    continue;
                }
                let was = pool(old, op).filter(|(before, was)| !shows_more(before, was, now, is));
                let before = was.map_or(Who::Roles(BTreeSet::new()), |(_, was)| claimers(was));
                Opened { gates: None, moves: Vec::new(), pool: having.gained(&before, &claimers(is)).await? }
            }
            _ => continue,
        };
        if opened.gates.is_some() || !opened.moves.is_empty() || opened.pool.is_some() {
            found.insert(op.uid.clone(), opened);
        }
    }
    Ok(found)
}

/// The pool an op is about.
fn pool<'c>(catalog: &'c Catalog, op: &Op) -> Option<(&'c Entity, &'c Pool)> {
    let owner = op.uid.split('/').next()?;
    let entity = catalog.entities.iter().find(|entity| entity.uid == owner)?;
    Some((entity, entity.pools.iter().find(|pool| pool.id == op.name)?))
}

/// Whether a pool shows something of its records that it did not, or shows others.
fn shows_more(before: &Entity, was: &Pool, now: &Entity, is: &Pool) -> bool {
    let shown = |entity: &Entity, pool: &Pool| pool.show.iter().map(|field| entity.field(*field).uid.clone()).collect::<BTreeSet<_>>();
    !shown(now, is).is_subset(&shown(before, was)) || format!("{:?}", was.when) != format!("{:?}", is.when)
}

fn claimers(pool: &Pool) -> Who<'_> {
    if pool.roles.is_empty() {
        return Who::Everybody;
    }
    Who::Roles(pool.roles.iter().chain(&pool.managers).map(String::as_str).collect())
}

/// Whether a new pipeline takes records away from one that was there: it is asked first, over the same field.
fn goes_before(entity: &Entity, was: &Pipeline, now: &Entity, is: &Pipeline) -> bool {
    let position = |id: &str| now.pipelines.iter().position(|pipeline| pipeline.id == id);
    let heir = heir(entity, was, now).and_then(|heir| position(&heir.id));
    let is_same_field = entity.field(was.field).uid == now.field(is.field).uid;
    is_same_field && position(&is.id) < heir
}

/// The pipeline that judges the moves from now on: the same one, or another, over the same field for the same records. `None` too where
/// one of that name judges other records now: those it leaves are judged by none.
fn heir<'c>(entity: &Entity, was: &Pipeline, now: &'c Entity) -> Option<&'c Pipeline> {
    let field = &entity.field(was.field).uid;
    let is_over = |pipeline: &&Pipeline| now.field(pipeline.field).uid == *field && pipeline.when_text == was.when_text;
    let same = now.pipelines.iter().find(|pipeline| pipeline.id == was.id).filter(is_over);
    same.or_else(|| now.pipelines.iter().find(is_over))
}

fn pairs(pipeline: &Pipeline) -> Vec<(&str, &str)> {
    let keys = || pipeline.stages.iter().map(|stage| stage.key.as_str());
    keys().flat_map(|from| keys().map(move |to| (from, to))).filter(|(from, to)| from != to).collect()
}

/// The rules of a move; none where a stage is not there.
fn rules<'c>(pipeline: &'c Pipeline, from: &str, to: &str) -> Vec<&'c [String]> {
    let (Some(from), Some(to)) = (pipeline.stage(from), pipeline.stage(to)) else { return Vec::new() };
    let is_of = |list: &[usize], at: usize| list.is_empty() || list.contains(&at);
    let rules = pipeline.moves.iter().filter(|rule| is_of(&rule.from, from) && is_of(&rule.to, to));
    rules.map(|rule| rule.roles.as_slice()).collect()
}

/// Whether only some may make a move.
fn is_for_some(pipeline: &Pipeline, from: &str, to: &str) -> bool {
    let rules = rules(pipeline, from, to);
    !rules.is_empty() && rules.iter().all(|roles| !roles.is_empty())
}

/// Who may make a move, with a reason or without.
fn who<'c>(pipeline: &'c Pipeline, from: &str, to: &str) -> Who<'c> {
    let is_open = pipeline.stage(to).is_some_and(|to| !pipeline.stages[to].retired);
    if !is_open {
        return Who::Roles(BTreeSet::new());
    }
    if pipeline.moves.is_empty() {
        return Who::Everybody;
    }
    let rules = rules(pipeline, from, to);
    if rules.is_empty() {
        // No move leads there: against the order, with a reason.
        return Who::of(&pipeline.overriders);
    }
    if rules.iter().any(|roles| roles.is_empty()) {
        return Who::Everybody;
    }
    Who::Roles(rules.into_iter().flatten().map(String::as_str).collect())
}

#[derive(Debug, PartialEq, Eq)]
enum Who<'c> {
    Everybody,
    Roles(BTreeSet<&'c str>),
}

impl<'c> Who<'c> {
    fn of(roles: &'c [String]) -> Self {
        Self::Roles(roles.iter().map(String::as_str).collect())
    }
}

/// The people of roles, each asked for once.
struct Having<'a> {
    store: &'a Store,
    catalog: &'a Catalog,
    known: HashMap<String, HashSet<RecordId>>,
}

impl Having<'_> {
    /// What one pipeline in the place of another opens; none in its place leaves its moves to everybody.
    async fn opened(&mut self, was: &Pipeline, is: Option<&Pipeline>) -> Result<Opened, DeployError> {
        let gates = match is {
            Some(is) => self.gained(&Who::of(&was.overriders), &Who::of(&is.overriders)).await?,
            // Without a pipeline there are no gates to pass over.
            None => None,
        };
        let mut moves = Vec::new();
        // A move that did not lead anywhere, or that everybody made, is opened for nobody.
        for (from, to) in pairs(was).into_iter().filter(|(from, to)| is_for_some(was, from, to)) {
            let (before, after) = (who(was, from, to), is.map_or(Who::Everybody, |is| who(is, from, to)));
            if let Some(by) = self.gained(&before, &after).await? {
                moves.push(OpenedMove { from: from.to_owned(), to: to.to_owned(), by });
            }
        }
        Ok(Opened { gates, moves, pool: None })
    }

    /// Who may from now on and might not before; nobody where the roles are given to nobody yet.
    async fn gained(&mut self, before: &Who<'_>, after: &Who<'_>) -> Result<Option<Gained>, DeployError> {
        let (before, after) = match (before, after) {
            (Who::Everybody, _) => return Ok(None),
            (Who::Roles(_), Who::Everybody) => return Ok(Some(Gained::Everybody)),
            (Who::Roles(before), Who::Roles(after)) => (before, after),
        };
        let (mut roles, mut gaining) = (Vec::new(), HashSet::new());
        let mut had = self.people(ADMINISTRATOR).await?;
        for role in before {
            had.extend(self.people(role).await?);
        }
        for role in after.difference(before) {
            let theirs: Vec<RecordId> = self.people(role).await?.into_iter().filter(|person| !had.contains(person)).collect();
            if !theirs.is_empty() {
                roles.push((*role).to_owned());
                gaining.extend(theirs);
            }
        }
        Ok((!roles.is_empty()).then_some(Gained::Roles(roles, gaining.len())))
    }

    async fn people(&mut self, role: &str) -> Result<HashSet<RecordId>, DeployError> {
        if !self.known.contains_key(role) {
            let found = people::with_role(self.store, self.catalog, role, MOST_PEOPLE).await?;
            self.known.insert(role.to_owned(), found.into_iter().collect());
        }
        Ok(self.known.get(role).cloned().unwrap_or_default())
    }
}
