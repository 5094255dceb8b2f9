//! What somebody was told, as they may read it now: values are filled in here, in the reader's language and with the reader's
//! rights. What is about a record that they may not read, or that is gone, is left out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Problem, Requester, State};
use crate::access::Actor;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::render::show::{ShowContext, Titles, show};
use crate::render::{Arg, Messages, Ui};
use crate::schema::catalog::{Catalog, Entity};
use crate::schema::field_type;
use crate::store::notifications::{Notification, Said};

/// A line as a person reads it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub line: Notification,
    pub text: String,
    /// The record: slug of its entity, id as the API writes it, title.
    pub record: Option<(String, String, String)>,
}

/// Who reads.
pub(super) struct Reader<'a> {
    pub state: &'a State,
    pub requester: &'a Requester,
    pub actor: &'a Actor,
    /// As far as they may know of it.
    pub catalog: &'a Arc<Catalog>,
    pub ui: &'a Ui,
    pub messages: &'a Messages,
}

/// A record with what texts want of it.
#[derive(Default)]
struct Known {
    title: String,
    values: HashMap<FieldIx, Value>,
}

impl Reader<'_> {
    /// The lines that may be read, in their order.
    pub async fn told(&self, lines: Vec<Notification>) -> Result<Vec<Told>, Problem> {
        let records = self.records(&lines).await?;
        let titles = self.titles(&records).await?;
        let mut found = Vec::with_capacity(lines.len());
        for line in lines {
            let about = match &line.about {
                None => None,
                Some((uid, id)) => {
                    let known = self.entity(uid).and_then(|entity| Some((entity, records.get(&(entity.ix, RecordId(*id)))?)));
                    let Some((entity, known)) = known else { continue };
                    Some((entity, RecordId(*id).display(&entity.prefix), known))
                }
            };
            let text = self.text(&line.said, about.as_ref().map(|(entity, _, known)| (*entity, *known)), &titles);
            let record = about.map(|(entity, id, known)| (entity.slug.clone(), id, known.title.clone()));
            found.push(Told { line, text, record });
        }
        Ok(found)
    }

    /// An entity that may be known of, also with this token.
    fn entity(&self, uid: &str) -> Option<&Entity> {
        let entity = self.catalog.known_entities().find(|entity| entity.uid == uid)?;
        self.requester.may_read(self.catalog, [entity.ix]).is_ok().then_some(entity)
    }

    /// The records the lines are about: one statement an entity.
    async fn records(&self, lines: &[Notification]) -> Result<HashMap<(EntityIx, RecordId), Known>, Problem> {
        let mut wanted: BTreeMap<EntityIx, (Vec<RecordId>, Vec<FieldIx>)> = BTreeMap::new();
        for line in lines {
            let Some((entity, id)) = line.about.as_ref().and_then(|(uid, id)| Some((self.entity(uid)?, *id))) else { continue };
            let (ids, fields) = wanted.entry(entity.ix).or_default();
            ids.push(RecordId(id));
            if let Said::Texts(labels) = &line.said {
                let text = labels.get(self.ui.locale);
                fields.extend(pieces(text).filter_map(|piece| field_of(entity, piece.err()?)));
            }
        }
        let mut found = HashMap::new();
        for (entity, (mut ids, mut fields)) in wanted {
            ids.sort_unstable();
            ids.dedup();
            fields.sort_unstable();
            fields.dedup();
            for (id, title, values) in self.state.records.some(self.actor, self.catalog, entity, &ids, &fields).await? {
                found.insert((entity, id), Known { title, values: fields.iter().copied().zip(values).collect() });
            }
        }
        Ok(found)
    }

    /// Titles of the records that values lead to.
    async fn titles(&self, records: &HashMap<(EntityIx, RecordId), Known>) -> Result<Titles, Problem> {
        let mut ids = Vec::new();
        for ((entity, _), known) in records {
            for (field, value) in &known.values {
                let json = field_type::to_json(self.catalog, self.catalog.entity(*entity).field(*field), value);
                ids.extend(json.as_str().map(str::to_owned).filter(|text| RecordId::parse(text).is_some()));
            }
        }
        let named: Vec<(EntityIx, RecordId)> = ids
            .iter()
            .filter_map(|text| RecordId::parse(text))
            .filter_map(|(prefix, id)| Some((*self.catalog.by_prefix.get(prefix)?, id)))
            .collect();
        if named.is_empty() {
            return Ok(Titles::new());
        }
        let found = self.state.records.titles(self.actor, &named).await?;
        Ok(ids.into_iter().filter_map(|text| Some((text.clone(), found.get(&RecordId::parse(&text)?.1)?.clone()))).collect())
    }

    fn text(&self, said: &Said, record: Option<(&Entity, &Known)>, titles: &Titles) -> String {
        match said {
            Said::Message { key, facts } => {
                let mut args: Vec<(&str, Arg<'_>)> = facts.iter().map(|(name, fact)| (name.as_str(), Arg::Text(fact))).collect();
                // What is decided has a name in each language.
                let asked = facts.iter().find(|(name, _)| name == "approval").map(|(_, id)| id);
                let approval = asked.zip(record).and_then(|(id, (entity, _))| entity.approvals.iter().find(|known| known.id == *id));
                args.extend(approval.map(|approval| ("label", Arg::Text(approval.label.get(self.ui.locale)))));
                let claimed = facts.iter().find(|(name, _)| name == "registration").map(|(_, id)| id);
                let known = claimed.zip(record).and_then(|(id, (entity, _))| entity.registrations.iter().find(|known| known.id == *id));
                args.extend(claimed.map(|id| ("label", Arg::Text(known.map_or(id, |known| known.label.get(self.ui.locale))))));
                let pool = facts.iter().find(|(name, _)| name == "pool").map(|(_, id)| id);
                let known = pool.zip(record).and_then(|(id, (entity, _))| entity.pools.iter().find(|known| known.id == *id));
                args.extend(pool.map(|id| ("label", Arg::Text(known.map_or(id, |known| known.label.get(self.ui.locale))))));
                args.extend(asked.filter(|_| approval.is_none()).map(|id| ("label", Arg::Text(id))));
                self.messages.text(self.ui.locale, key, &args)
            }
            Said::Texts(labels) => {
                let context = ShowContext { catalog: self.catalog, ui: self.ui, messages: self.messages, titles };
                let value = |uid: &str| {
                    let (entity, known) = record?;
                    let field = entity.field(field_of(entity, uid)?);
                    let json = field_type::to_json(self.catalog, field, known.values.get(&field.ix)?);
                    Some(show(context, field, &json).text).filter(|text| !text.is_empty())
                };
                let piece = |piece: Result<&str, &str>| match piece {
                    Ok(text) => text.to_owned(),
                    Err(uid) => value(uid).unwrap_or_else(|| "–".to_owned()),
                };
                pieces(labels.get(self.ui.locale)).map(piece).collect()
            }
        }
    }
}

fn field_of(entity: &Entity, uid: &str) -> Option<FieldIx> {
    entity.known_fields().find(|field| field.uid == uid).map(|field| field.ix)
}

/// Text, and in place of an error the uid of a field in braces.
fn pieces(text: &str) -> impl Iterator<Item = Result<&str, &str>> {
    text.split_inclusive('}').flat_map(|part| match part.strip_suffix('}').and_then(|part| part.split_once('{')) {
        Some((before, uid)) => [Ok(before), Err(uid)],
        None => [Ok(part), Ok("")],
    })
}
