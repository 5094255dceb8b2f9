//! What came of a story beside what its case expects.

use serde_json::{Map, Value as Json};

use super::super::case::Case;
use super::super::compare;
use super::{Ended, SoFar, World, told};
use crate::access::Actor;
use crate::base::{Explain, RecordId};
use crate::record::FieldFault;
use crate::store::{mails, notifications};

impl World {
    /// What was expected and did not come.
    pub(super) async fn judge(&self, case: &Case, ended: &Ended, before: SoFar) -> Result<Vec<String>, String> {
        let mut faults = Vec::new();
        let expect = &case.expect;
        self.judge_error(expect, ended, &mut faults);
        if let Some(wanted) = expect.get("warn") {
            compare::warnings(wanted, &ended.warnings, &mut faults);
        }
        if let Some(wanted) = expect.get("changed") {
            compare::changed(wanted, &ended.changed, &mut faults);
        }
        if let Some(wanted) = expect.get("answer") {
            compare::differences("answer", &self.filled(wanted), &ended.answer, &mut faults);
        }
        if let Some(wanted) = expect.get("found") {
            self.judge_found(wanted, ended, &mut faults)?;
        }
        if let Some(wanted) = expect.get("notified") {
            self.judge_notified(wanted, &mut faults).await?;
        }
        if let (Some(wanted), Some((entity, id))) = (expect.get("values"), ended.subject) {
            let actual = match &ended.seen {
                Some(seen) => Some(seen.clone()),
                None => self.read(entity, id).await?,
            };
            match actual {
                Some(actual) => compare::differences("values", &self.filled(wanted), &actual, &mut faults),
                None => faults.push("values: the record is not there".to_owned()),
            }
        }
        for other in expect.get("records").and_then(Json::as_array).into_iter().flatten() {
            let name = other.get("record").and_then(Json::as_str).unwrap_or_default();
            let (entity, id) = self.record(name)?;
            let wanted = other.get("values").cloned().unwrap_or_else(|| Json::Object(Map::new()));
            match self.read(entity, id).await? {
                Some(actual) => compare::differences(name, &self.filled(&wanted), &actual, &mut faults),
                None => faults.push(format!("{name}: the record is not there")),
            }
        }
        for name in expect.get("deleted").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            let (entity, id) = self.record(name)?;
            if self.read(entity, id).await?.is_some() {
                faults.push(format!("deleted: {name} is still there"));
            }
        }
        if let Some(wanted) = expect.get("created") {
            self.judge_created(wanted, ended, before.change, &mut faults).await?;
        }
        if let Some(wanted) = expect.get("mailed") {
            self.judge_mailed(wanted, before.mail, &mut faults).await?;
        }
        Ok(faults)
    }

    fn judge_error(&self, expect: &Map<String, Json>, ended: &Ended, faults: &mut Vec<String>) {
        match (&ended.error, expect.get("reject"), expect.get("error")) {
            (Some(error), Some(wanted), _) => {
                let rejects: Vec<_> =
                    error.faults().iter().map(|fault| (field_of(fault), fault.code.clone(), fault.message.clone())).collect();
                if rejects.is_empty() {
                    faults.push(told(error));
                }
                compare::rejects(wanted, &rejects, faults);
            }
            (Some(error), None, Some(wanted)) => {
                let part = wanted.as_str().unwrap_or_default();
                if error.code() != part && !told(error).contains(part) {
                    faults.push(format!("error: expected {wanted}, got {}", told(error)));
                }
            }
            (Some(_), None, None) if expect.get("ok") == Some(&Json::Bool(false)) => {}
            (None, None, None) if expect.get("ok") == Some(&Json::Bool(false)) => {
                faults.push("ok: expected a refusal, but it was done".to_owned())
            }
            (Some(error), None, None) => faults.push(told(error)),
            (None, Some(wanted), _) if wanted.as_array().is_none_or(|list| !list.is_empty()) => {
                faults.push(format!("reject: expected {wanted}, but it was done"))
            }
            (None, _, Some(wanted)) => faults.push(format!("error: expected {wanted}, but it was done")),
            (None, _, None) => {}
        }
    }

    /// Records that were found, in any order.
    fn judge_found(&self, wanted: &Json, ended: &Ended, faults: &mut Vec<String>) -> Result<(), String> {
        let names = |ids: &[RecordId]| {
            let known = |id: &RecordId| self.known.iter().find(|(_, (_, known))| known == id).map(|(key, _)| format!("${key}"));
            let mut names: Vec<String> = ids.iter().map(|id| known(id).unwrap_or_else(|| "another one".to_owned())).collect();
            names.sort_unstable();
            names
        };
        let list = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
        let wanted =
            list.iter().map(|one| self.record(one.as_str().unwrap_or_default()).map(|(_, id)| id)).collect::<Result<Vec<_>, _>>()?;
        let (wanted, found) = (names(&wanted), names(&ended.found));
        if wanted != found {
            faults.push(format!("found: expected [{}], got [{}]", wanted.join(", "), found.join(", ")));
        }
        Ok(())
    }

    /// People who have something new behind the bell: all of them, and nobody else.
    async fn judge_notified(&self, wanted: &Json, faults: &mut Vec<String>) -> Result<(), String> {
        let wanted: Vec<&str> = wanted.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Json::as_str).collect();
        let mut people: Vec<(&String, RecordId)> = Vec::new();
        for (key, (entity, id)) in &self.known {
            if self.catalog.entity(*entity).id == "core.user" {
                people.push((key, *id));
            }
        }
        people.sort_unstable();
        for (key, id) in people {
            let unread = notifications::unread(&self.store, id.0).await.map_err(|error| error.to_string())?;
            let is_wanted = wanted.iter().any(|name| name.strip_prefix('$').unwrap_or(name) == key);
            if is_wanted != (unread > 0) {
                let what = if is_wanted { "was told nothing" } else { "was told something" };
                faults.push(format!("notified: ${key} {what}"));
            }
        }
        Ok(())
    }

    /// E-mails that were written meanwhile: all of them, and no other.
    async fn judge_mailed(&self, wanted: &Json, before: i64, faults: &mut Vec<String>) -> Result<(), String> {
        let listed = mails::list(&self.store, None, i64::MAX, 100).await.map_err(|error| error.to_string())?;
        let ids: Vec<i64> = listed.iter().map(|mail| mail.id).filter(|id| *id > before).collect();
        let written = mails::contents(&self.store, &ids).await.map_err(|error| error.to_string())?;
        compare::mails(wanted, written.into_iter().map(|(_, content)| content).collect(), faults);
        Ok(())
    }

    /// Records made meanwhile, without the one a create makes itself.
    async fn judge_created(&self, wanted: &Json, ended: &Ended, before: i64, faults: &mut Vec<String>) -> Result<(), String> {
        let page = self.records.changes(&Actor::system(), Some(before), 500).await.map_err(|error| told(&error))?;
        let mut made = Vec::new();
        for event in page.events.iter().filter(|event| event.kind == "create" && Some((event.entity, event.id)) != ended.subject) {
            let json = self.read(event.entity, event.id).await?.unwrap_or(Json::Null);
            made.push((self.catalog.entity(event.entity).slug.clone(), json, false));
        }
        let list = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
        for one in list {
            let Some((entity, values)) = one.as_object().and_then(|map| map.iter().next()) else { continue };
            let values = self.filled(values);
            let slug = entity.rsplit('.').next().unwrap_or(entity);
            match made.iter_mut().find(|(made, json, is_taken)| !is_taken && made == slug && compare::fits(&values, json)) {
                Some(found) => found.2 = true,
                None => {
                    let closest = made
                        .iter()
                        .find(|(made, ..)| made == slug)
                        .map_or_else(|| "none was made".to_owned(), |(_, json, _)| format!("made was {json}"));
                    faults.push(format!("created: expected {entity} {values}; {closest}"));
                }
            }
        }
        for (entity, json, is_taken) in &made {
            if !is_taken && made.len() > list.len() {
                faults.push(format!("created: {entity} was not expected: {json}"));
            }
        }
        Ok(())
    }
}

/// The field a fault stands at, by its name.
fn field_of(fault: &FieldFault) -> String {
    fault.path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned()
}
