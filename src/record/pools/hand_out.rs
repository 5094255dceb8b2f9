//! Giving records of a pool to people who may claim them: in turns, or to whoever holds least. Caps and cool-downs hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::error::{FieldFault, RecordError};
use super::super::options::Source;
use super::super::service::Records;
use super::super::unit::RecordTx;
use super::acts::find;
use super::{later, may_manage};
use crate::access::Actor;
use crate::base::{DateTime, EntityIx, RecordId};
use crate::query::{Count, Deleted, Item, ListRequest, Paging, Select, SortBy, SortKey};
use crate::schema::catalog::{Catalog, Fairness};
use crate::store::notifications::{self, PROGRAM, Said, Telling};
use crate::store::{audit, holds, people};

/// Records handed out at once.
pub const MOST_HANDED_OUT: u32 = 1_000;
/// Records of one unit of work.
const STRIDE: u32 = 50;
/// Records that nobody may be given now, before it is left at that.
const MOST_PASSED: usize = 1_000;
/// People who are looked at.
const MOST_PEOPLE: u32 = 2_000;

/// Somebody who may be given a record.
struct Member {
    person: RecordId,
    held: i64,
    cap: Option<i64>,
    /// Whoever was given something longest ago comes first.
    turn: (Option<DateTime>, usize),
}

/// What one unit of work handed out.
#[derive(Debug, Default)]
struct Given {
    count: u32,
    /// Records that nobody may be given now.
    passed: Vec<RecordId>,
    /// Nothing is left, or nobody.
    is_over: bool,
}

impl Given {
    fn over() -> Self {
        Self { is_over: true, ..Self::default() }
    }
}

impl Records {
    /// Hands out up to so many records of a pool, those that are there longest first. Gives how many were.
    ///
    /// # Errors
    /// `Forbidden` for one who does not manage the pool; a fault where the definitions do not say how it is done.
    pub async fn hand_out(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        pool: &str,
        most: u32,
        source: Source,
    ) -> Result<u32, RecordError> {
        let uid = catalog.entity(entity).uid.clone();
        let whole = catalog.whole();
        let (definition, at) = find(&whole, &uid, pool)?;
        let known = &definition.pools[at];
        if !may_manage(actor, known) {
            return Err(RecordError::Forbidden("only a manager of the pool hands records out".to_owned()));
        }
        if known.hand_out.is_none() {
            let message = "the definitions do not say how this pool is handed out: `hand_out: {by: turns}`";
            return Err(RecordError::fault(FieldFault::whole("pool_no_hand_out", message)));
        }
        let mut members = BTreeSet::new();
        for role in &known.roles {
            members.extend(people::with_role(self.store(), &whole, role, MOST_PEOPLE).await?);
        }
        let members: Arc<Vec<RecordId>> = Arc::new(members.into_iter().collect());
        let (mut done, mut passed) = (0, Arc::new(Vec::new()));
        while done < most && !members.is_empty() && passed.len() < MOST_PASSED {
            let (uid, pool, members, stride) = (uid.clone(), pool.to_owned(), members.clone(), STRIDE.min(most - done));
            let known = passed.clone();
            let given = self
                .unit(actor, source, Vec::new(), move |tx| {
                    let (uid, pool, members, passed) = (uid.clone(), pool.clone(), members.clone(), known.clone());
                    Box::pin(async move { tx.hand_out((&uid, &pool), &members, stride, &passed, source).await })
                })
                .await?;
            done += given.count;
            if given.is_over {
                break;
            }
            passed = Arc::new(passed.iter().copied().chain(given.passed).collect());
        }
        Ok(done)
    }
}

impl RecordTx<'_> {
    /// Hands out some of those that wait, `passed` apart.
    async fn hand_out(
        &mut self,
        (uid, pool_id): (&str, &str),
        people: &[RecordId],
        stride: u32,
        passed: &[RecordId],
        source: Source,
    ) -> Result<Given, RecordError> {
        let compiled = self.scope.compiled.clone();
        let (entity, at) = find(&compiled.catalog, uid, pool_id)?;
        let pool = &entity.pools[at];
        let Some(how) = pool.hand_out.map(|hand_out| hand_out.how) else { return Ok(Given::over()) };
        let waiting = self.waiting(entity.ix, at, stride, passed).await?;
        if waiting.is_empty() {
            return Ok(Given::over());
        }
        let now = self.now();
        let today = now.date_in(&compiled.catalog.settings.time_zone).to_string();
        let counts = holds::counts_in(self.store, (uid, pool_id), &today).await?;
        let caps = self.reader().caps_of(pool, people, now).await?;
        let mut members: Vec<Member> = caps
            .into_iter()
            .map(|(person, cap)| {
                let count = counts.iter().find(|count| count.person == person);
                Member { person, held: count.map_or(0, |count| count.held), cap, turn: (count.and_then(|count| count.given_at), 0) }
            })
            .collect();
        let lost = holds::lost_in(self.store, &waiting).await?;
        let cooling = |record: RecordId, person: RecordId| {
            let since = lost.iter().find(|(of, had, _)| *of == record && *had == person).map(|(_, _, at)| *at);
            since.zip(pool.cool_down_seconds).is_some_and(|(since, seconds)| later(since, seconds) > now)
        };
        let mut given = Given::default();
        for (position, id) in waiting.iter().enumerate() {
            members.retain(|member| member.cap.is_none_or(|cap| member.held < cap));
            if members.is_empty() {
                given.is_over = true;
                break;
            }
            let free = members.iter_mut().filter(|member| !cooling(*id, member.person));
            let next = match how {
                Fairness::Load => free.min_by_key(|member| (member.held, member.turn, member.person)),
                Fairness::Turns => free.min_by_key(|member| (member.turn, member.person)),
            };
            let Some(next) = next else {
                given.passed.push(*id);
                continue;
            };
            self.begin_part().await?;
            let result = match self.in_pool(entity.ix, at, *id).await? {
                Some(record) => self.change_hands(record, Some(next.person), ("handed_out", None), source).await.map(|()| true),
                None => Ok(false),
            };
            match self.end_part(result).await? {
                Ok(true) => {
                    // Those of one moment have turns of their own.
                    let moment = DateTime(now.0.saturating_add(i64::try_from(position).unwrap_or(0)));
                    holds::note_given(self.store, uid, pool_id, next.person, moment).await?;
                    next.held += 1;
                    next.turn = (Some(moment), position);
                    given.count += 1;
                    self.tell_given(&entity.uid, *id, next.person, pool_id).await?;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::info!(pool = %pool.id, entity = %entity.id, record.id = id.0, error = %error, "a record could not be handed out");
                    // It may be the record or the person: neither is tried again now.
                    next.cap = Some(next.held);
                    given.passed.push(*id);
                }
            }
        }
        if given.count > 0 && self.scope.actor.user.is_some() {
            let entry =
                audit::Entry::new("pool.hand_out").of(&entity.id).fact("pool", pool.id.as_str()).fact("count", u64::from(given.count));
            audit::append(self.store, entry).await?;
        }
        Ok(given)
    }

    async fn tell_given(&mut self, uid: &str, record: RecordId, person: RecordId, pool: &str) -> Result<(), RecordError> {
        let telling = Telling {
            people: vec![person.0],
            teams: Vec::new(),
            roles: Vec::new(),
            source: PROGRAM.to_owned(),
            said: Said::Message { key: "notification-pool-given".to_owned(), facts: vec![("pool".to_owned(), pool.to_owned())] },
            about: Some((uid.to_owned(), record.0)),
            step: None,
        };
        Ok(notifications::tell(self.store, &telling).await?)
    }

    /// Records that are in a pool, the oldest first.
    async fn waiting(&mut self, entity: EntityIx, at: usize, limit: u32, passed: &[RecordId]) -> Result<Vec<RecordId>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let Some(id) = compiled.plan(entity).id else { return Ok(Vec::new()) };
        let request = ListRequest {
            entity,
            select: Select { entity, items: vec![Item::Field(id)] },
            filter: Some(compiled.entity(entity).pools[at].open.clone()),
            sort: vec![SortKey { by: SortBy::Field { field: id, column: 0 }, descending: false, text: "id".to_owned() }],
            paging: Paging::First,
            limit: limit + u32::try_from(passed.len()).unwrap_or(0),
            count: Count::None,
            search: None,
            deleted: Deleted::Live,
            digest: [0; 8],
        };
        let found = self.ids_by(&Actor::system(), &compiled, request).await?;
        Ok(found.into_iter().filter(|id| !passed.contains(id)).take(limit as usize).collect())
    }
}
