//! Surveys: inviting, what the link of an invitation opens, and the answer. An invitation is a record that waits for its values,
//! so that rights, history, erasing and reports know nothing else of it. Its link holds its number and a keyed hash of that:
//! it is kept nowhere, and the same each time it is asked for.

mod results;

pub use results::{Among, Figure, QuestionResults, SurveyResults, figure, readable_surveys};

use std::sync::Arc;

use serde_json::json;
use subtle::ConstantTimeEq;

use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::input::Input;
use super::options::{Saved, Source, WriteOptions};
use super::pools::later;
use super::service::Records;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::access::Actor;
use crate::base::{DateTime, EntityIx, Locale, RecordId, Value};
use crate::query::{Deleted, GetRequest, default_select, parse_aggregate_json};
use crate::schema::catalog::{Catalog, FieldType, GivenValue, Language, Question, Survey, SurveyFields};
use crate::store::compile::Lock;

/// Tells the hashes of links from those of anything else.
const LINK: &str = "relata survey link/1";
/// What stands before the number where it is read and written.
const PREFIX: &str = "s";

/// What a link opens.
#[derive(Debug, Clone)]
pub struct Asked {
    pub catalog: Arc<Catalog>,
    /// Position in the catalog's surveys.
    survey: usize,
    /// The answer as it stands.
    pub record: Record,
    pub is_answered: bool,
    pub locale: Locale,
}

impl Asked {
    pub fn survey(&self) -> &Survey {
        &self.catalog.surveys[self.survey]
    }

    /// Whether it can be answered, or answered otherwise, now.
    pub fn is_open(&self) -> bool {
        !self.is_answered || self.survey().edit
    }

    /// What of these questions is required and not answered (`required`), or not on its scale (`not_on_scale`).
    pub fn faults(&self, given: &Input, questions: &[usize]) -> Vec<FieldFault> {
        let entity = self.catalog.entity(self.survey().answers);
        let mut faults = Vec::new();
        for question in questions.iter().map(|at| &self.survey().questions[*at]) {
            let value = given.values.iter().find(|(field, _)| *field == question.field).map(|(_, value)| value);
            let value = value.filter(|value| !value.is_null() && !matches!(value, Value::List(items) if items.is_empty()));
            let name = entity.field(question.field).name.as_str();
            match (value, question.kind.scale()) {
                (None, _) if question.required => {
                    faults.push(FieldFault::at(name, "required", format!("`{name}` is required")).with("field", name));
                }
                (Some(value), Some((low, high))) if !value.as_int().is_some_and(|number| (low..=high).contains(&number)) => {
                    let message = format!("`{name}` is answered with a number from {low} to {high}");
                    faults.push(FieldFault::at(name, "not_on_scale", message).with("min", low).with("max", high));
                }
                _ => {}
            }
        }
        faults
    }
}

/// Why nobody is asked about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// The survey's `when` does not hold.
    Condition,
    /// They were asked lately, and may be asked again from then on.
    Lately { until: DateTime },
}

/// An invitation that was made.
#[derive(Debug, Clone)]
pub struct Invited {
    pub answer: RecordId,
    pub expires_at: DateTime,
}

/// The last part of the address of an answer's page; `None` where the catalog belongs to no open workspace.
pub fn survey_token(catalog: &Catalog, answer: RecordId) -> Option<String> {
    let number = answer.display(PREFIX);
    let number = number.strip_prefix(PREFIX)?.trim_start_matches('_');
    Some(format!("{number}{}", catalog.blind.as_ref()?.of(LINK, number)))
}

/// The number in a token, where its hash is the right one.
fn opened(catalog: &Catalog, token: &str) -> Option<RecordId> {
    let number = token.get(..13)?;
    let named = format!("{PREFIX}_{number}");
    let (_, id) = RecordId::parse(&named)?;
    let expected = survey_token(catalog, id)?;
    bool::from(expected.as_bytes().ct_eq(token.as_bytes())).then_some(id)
}

impl Records {
    /// What a link opens; `None` for one that is wrong, over, or about what is not there any more. Writes nothing.
    ///
    /// # Errors
    /// The database.
    pub async fn asked(&self, token: &str) -> Result<Option<Asked>, RecordError> {
        let catalog = self.catalog();
        let Some(id) = opened(&catalog, token) else { return Ok(None) };
        let mut looked: Vec<EntityIx> = Vec::new();
        for survey in &catalog.surveys {
            if looked.contains(&survey.answers) {
                continue;
            }
            looked.push(survey.answers);
            if let Some(record) = self.whole(&catalog, survey.answers, id).await? {
                return self.asked_by(catalog.clone(), record).await;
            }
        }
        Ok(None)
    }

    async fn whole(&self, catalog: &Arc<Catalog>, entity: EntityIx, id: RecordId) -> Result<Option<Record>, RecordError> {
        let definition = catalog.entity(entity);
        let request = GetRequest { entity, id, select: default_select(definition), deleted: Deleted::Live };
        let Some(row) = self.get(&Actor::system(), catalog, request).await? else { return Ok(None) };
        let values = definition.fields.iter().map(|field| row.value(field.ix)).collect();
        Ok(Some(Record { entity, id, version: row.version(), values }))
    }

    async fn asked_by(&self, catalog: Arc<Catalog>, record: Record) -> Result<Option<Asked>, RecordError> {
        let is_of = |survey: &Survey| survey.answers == record.entity && record.get(survey.fields.survey).as_text() == Some(&survey.key);
        let Some(at) = catalog.surveys.iter().position(is_of) else { return Ok(None) };
        let (fields, about, entity) = (catalog.surveys[at].fields, catalog.surveys[at].about, catalog.surveys[at].entity);
        // Without a language its values were erased.
        let Some(locale) = record.get(fields.language).as_text().and_then(Locale::of_tag) else { return Ok(None) };
        let is_over = !matches!(record.get(fields.expires_at), Value::DateTime(until) if *until > self.clock().now());
        let Value::Link(subject) = record.get(about) else { return Ok(None) };
        if is_over || self.whole(&catalog, entity, *subject).await?.is_none() {
            return Ok(None);
        }
        let is_answered = record.get(fields.state).as_text() == Some(SurveyFields::ANSWERED);
        Ok(Some(Asked { survey: at, catalog, record, is_answered, locale }))
    }

    /// The questions that are asked given these answers, by their positions.
    pub fn questions_asked(&self, asked: &Asked, given: &Input) -> Vec<usize> {
        let compiled = self.compiled(&asked.catalog);
        let setting = Setting::new(&compiled, self.clock().now(), &Actor::system());
        let mut record = asked.record.clone();
        for (field, value) in &given.values {
            if let Some(place) = record.values.get_mut(field.0 as usize) {
                *place = value.clone();
            }
        }
        let world = World::default();
        let questions = asked.survey().questions.iter().enumerate();
        let holds = |question: &Question| question.when.as_ref().is_none_or(|when| setting.holds(&world, when, &record, None));
        questions.filter(|(_, question)| holds(question)).map(|(at, _)| at).collect()
    }

    /// Saves an answer with the rights of the survey. Questions that are not in `questions` are left empty.
    ///
    /// # Errors
    /// What [`Asked::faults`] tells; as [`Records::update`]; `REC020` where it was answered meanwhile.
    pub async fn answer_survey(&self, asked: &Asked, given: &Input, questions: &[usize]) -> Result<Saved, RecordError> {
        let faults = asked.faults(given, questions);
        if !faults.is_empty() {
            return Err(RecordError::Invalid(faults));
        }
        let survey = asked.survey();
        let entity = asked.catalog.entity(survey.answers);
        let mut input = Input::new();
        for (at, question) in survey.questions.iter().enumerate() {
            let value =
                given.values.iter().find(|(field, _)| *field == question.field && questions.contains(&at)).map(|(_, value)| value.clone());
            let nothing = || match entity.field(question.field).ty {
                FieldType::MultiSelect { .. } => Value::List(Vec::new()),
                _ => Value::Null,
            };
            input.set(question.field, value.unwrap_or_else(nothing));
        }
        input.set(survey.fields.state, Value::Text(SurveyFields::ANSWERED.to_owned()));
        input.set(survey.fields.answered_at, Value::DateTime(self.clock().now()));
        let options = WriteOptions::from(Source::Form).if_match(Some(asked.record.version));
        let actor = self.actor_with(&survey.run_as);
        self.update(&actor, &asked.catalog, survey.answers, asked.record.id, input, options).await
    }

    /// Makes an invitation about a record that `actor` may change; its link is told by [`survey_token`].
    ///
    /// # Errors
    /// `REC002` for a record that is not there, `REC040` for one that may not be changed, `REC013` where the survey's `when` does not hold or whoever
    /// is asked was asked lately.
    pub async fn invite_about(&self, actor: &Actor, survey: &str, about: RecordId, source: Source) -> Result<Invited, RecordError> {
        let (id, survey) = (self.mint(), survey.to_owned());
        let catalog = self.catalog();
        let known = catalog.surveys.iter().find(|known| known.id == survey);
        let known = known.ok_or_else(|| RecordError::NotFound { entity: "survey".to_owned(), id: survey.clone() })?;
        let identity = self.actor_with(&known.run_as);
        let unit = self.unit(actor, source, Vec::new(), move |tx| {
            let (survey, identity) = (survey.clone(), identity.clone());
            Box::pin(async move {
                let catalog = tx.catalog().clone();
                let known = catalog.surveys.iter().find(|known| known.id == survey);
                let known = known.ok_or_else(|| RecordError::NotFound { entity: "survey".to_owned(), id: survey.clone() })?;
                let definition = catalog.entity(known.entity);
                let missing = || RecordError::NotFound { entity: definition.slug.clone(), id: about.display(&definition.prefix) };
                let shown = tx.get(known.entity, about).await?.ok_or_else(missing)?;
                tx.expect_may_update(&shown).await?;
                // As it is, whoever looks, and nobody changes it meanwhile.
                let record = tx.load_live(known.entity, about, Lock::Change).await?;
                match tx.hindrance(known, &record).await? {
                    None => {}
                    Some(Hindrance::Condition) => {
                        return Err(RecordError::NotAsked { survey: known.id.clone(), entity: definition.slug.clone() });
                    }
                    Some(Hindrance::Lately { until }) => return Err(RecordError::AskedLately { survey: known.id.clone(), until }),
                }
                let locale = match &known.language {
                    Language::Usual => None,
                    Language::Fixed(locale) => Some(*locale),
                    Language::Expr(expr) => tx.value(expr, &record, None).await?.as_text().and_then(Locale::from_tag),
                };
                let locale = locale.unwrap_or(catalog.settings.locale);
                tx.invite(known, &record, (id, locale), &identity).await
            })
        });
        unit.await
    }
}

impl RecordTx<'_> {
    /// Why nobody is asked about a record as it stands. Whom a pause holds for is locked: of two who ask at once the second sees
    /// that the first has.
    ///
    /// # Errors
    /// The database.
    pub async fn hindrance(&mut self, survey: &Survey, record: &Record) -> Result<Option<Hindrance>, RecordError> {
        if let Some(when) = &survey.when
            && !self.holds(when, record, None).await?
        {
            return Ok(Some(Hindrance::Condition));
        }
        let Some(pause) = survey.pause else { return Ok(None) };
        let given = survey.values.iter().find(|given| given.field == pause.per);
        let whom = match given.map(|given| &given.value) {
            None => Value::Link(record.id),
            Some(GivenValue::Plain(value)) => value.clone(),
            Some(GivenValue::Expr(expr)) => self.value(expr, record, None).await?,
        };
        let compiled = self.scope.compiled.clone();
        let answers = compiled.entity(survey.answers);
        // Where nobody is named nobody is known to have been asked.
        let (Value::Link(whom), FieldType::Link { to, .. } | FieldType::User { to, .. }) = (whom, &answers.field(pause.per).ty) else {
            return Ok(None);
        };
        self.load(*to, &[whom], Lock::Change).await?;
        let name = |field| answers.field(field).name.as_str();
        let id = whom.display(&compiled.entity(*to).prefix);
        let filter = format!("{} = '{}' and {} = '{id}'", name(survey.fields.survey), survey.key, name(pause.per));
        let asked = json!({ "measures": { "last": "max(created_at)" }, "filter": filter });
        let request = parse_aggregate_json(&compiled.catalog, survey.answers, &asked).map_err(RecordError::Query)?;
        let rows = self.aggregate_as(&Actor::system(), request).await?;
        let last = rows.iter().flatten().find_map(|(_, value)| if let Value::DateTime(at) = value { Some(*at) } else { None });
        let until = last.map(|last| later(last, pause.seconds)).filter(|until| *until > self.now());
        Ok(until.map(|until| Hindrance::Lately { until }))
    }

    /// Makes the invitation `id` to a survey about a record, with the rights of the survey.
    ///
    /// # Errors
    /// As for any record that is made.
    pub async fn invite(
        &mut self,
        survey: &Survey,
        record: &Record,
        (id, locale): (RecordId, Locale),
        identity: &Actor,
    ) -> Result<Invited, RecordError> {
        let mut input = Input::new();
        for given in &survey.values {
            let value = match &given.value {
                GivenValue::Plain(value) => value.clone(),
                GivenValue::Expr(expr) => self.value(expr, record, None).await?,
            };
            input.set(given.field, value);
        }
        let expires_at = later(self.now(), survey.open_seconds);
        input.set(survey.about, Value::Link(record.id));
        input.set(survey.fields.survey, Value::Text(survey.key.clone()));
        input.set(survey.fields.state, Value::Text(SurveyFields::ASKED.to_owned()));
        input.set(survey.fields.expires_at, Value::DateTime(expires_at));
        input.set(survey.fields.language, Value::Text(locale.tag().to_owned()));
        let options = WriteOptions { id: Some(id), ..WriteOptions::from(self.scope.source) };
        let mine = std::mem::replace(&mut self.scope.actor, identity.clone());
        let made = self.create_record(survey.answers, input, &options).await;
        self.scope.actor = mine;
        Ok(Invited { answer: made?.id, expires_at })
    }
}
