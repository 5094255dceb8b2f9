//! Custom actions: a button on a record page runs a script, or begins an automation, in one unit of work.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::begin::call;
use super::bridge::Automation;
use super::hooks::sound;
use super::translate::{data_of, faults, refusal};
use crate::access::Actor;
use crate::base::{EntityIx, RecordId};
use crate::record::{Cause, Delivery, RecordError, RecordTx, Records, Source};
use crate::schema::catalog::Press;
use crate::script::Input;

/// What pressing a button did.
#[derive(Debug, Clone, PartialEq)]
pub struct ButtonAnswer {
    /// What `run` returned: null, a text to show, or a map such as `{"message": …, "open": "task_…"}`.
    pub answer: Json,
    pub warnings: Vec<String>,
}

/// Presses the button `button` of a record on behalf of `actor`. `payload` is what came with the request (`ctx.payload`).
///
/// # Errors
/// `REC002` for an unknown record or button, `REC013` for a button that is not offered now, `REC010` when the script
/// rejects, `REC030` when it fails.
pub async fn run_button(
    automation: &Arc<Automation>,
    records: &Records,
    actor: &Actor,
    entity: EntityIx,
    id: RecordId,
    button: &str,
    payload: Json,
) -> Result<ButtonAnswer, RecordError> {
    let (automation, button, payload) = (Arc::clone(automation), button.to_owned(), Arc::new(payload));
    records
        .unit(actor, Source::Script, Vec::new(), move |tx| {
            let (automation, button, payload) = (Arc::clone(&automation), button.clone(), Arc::clone(&payload));
            Box::pin(async move { automation.press(tx, entity, id, &button, &payload).await })
        })
        .await
}

impl Automation {
    async fn press(
        &self,
        tx: &mut RecordTx<'_>,
        entity: EntityIx,
        id: RecordId,
        button: &str,
        payload: &Json,
    ) -> Result<ButtonAnswer, RecordError> {
        let catalog = tx.catalog().clone();
        let definition =
            catalog.entities.get(entity.0 as usize).ok_or_else(|| RecordError::UnknownEntity { name: String::new(), near: None })?;
        let missing = |what: &str| RecordError::NotFound { entity: what.to_owned(), id: button.to_owned() };
        let found = definition.buttons.iter().find(|known| known.id == button).ok_or_else(|| missing("button"))?;
        let record = tx.get(entity, id).await?;
        let record = record.ok_or_else(|| RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) })?;
        if let Some(condition) = &found.visible_if
            && !tx.holds(condition, &record, None).await?
        {
            return Err(RecordError::State { message: format!("the action `{button}` is not offered for this record now") });
        }
        let at = match &found.press {
            Press::Script(at) => *at,
            Press::Automation(name) => {
                // It may act with other rights than theirs: who presses it could change the record themselves.
                tx.expect_may_update(&record).await?;
                return self.start(tx, name, &Delivery { version: record.version, ..Delivery::about(&definition.slug, id) }).await;
            }
        };
        let script = &catalog.scripts[at];
        let compiled = self.cache.scripts(&catalog);
        let ready = sound(&compiled[at])?;
        if !tx.enter(Cause { handler: script.id.clone(), entity, id }) {
            return Err(RecordError::State { message: "the action started itself".to_owned() });
        }
        let data = data_of(record);
        let input = Input {
            catalog: catalog.clone(),
            record: Some(data.clone()),
            old: Some(data),
            context: self.context(tx, "button", payload.clone()),
        };
        let result = self.run_script(tx, ready, input, None).await;
        tx.leave();
        let outcome = result.map_err(|stopped| refusal(ready, &stopped))?;
        if !outcome.rejects.is_empty() {
            return Err(RecordError::Invalid(faults(definition, &outcome.rejects)));
        }
        Ok(ButtonAnswer { answer: outcome.answer, warnings: outcome.warnings.into_iter().map(|warning| warning.message).collect() })
    }

    /// Begins an automation for the record; where it does not begin, the answer says why.
    async fn start(&self, tx: &mut RecordTx<'_>, name: &str, delivery: &Delivery) -> Result<ButtonAnswer, RecordError> {
        let by = tx.actor().user_id();
        let begun = call(tx, &Delivery { by, ..delivery.clone() }, name).await?;
        let (key, reason) = match &begun {
            Ok(_) => ("button-begun", None),
            Err(reason) if reason.starts_with("condition:") => ("button-condition", Some(reason)),
            Err(reason) => ("button-paused", Some(reason)),
        };
        let message = self.post.say(tx.actor().locale, key);
        let answer = json!({ "message": message, "run": begun.as_ref().ok().map(i64::to_string), "not_run": reason });
        Ok(ButtonAnswer { answer, warnings: Vec::new() })
    }
}
