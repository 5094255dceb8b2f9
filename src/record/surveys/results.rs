//! What came back: how many were asked and answered, and how the answers to each question are spread. Counted by the database
//! with the rights of who asks.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::access::Actor;
use crate::base::RecordId;
use crate::query::parse_aggregate_json;
use crate::record::error::RecordError;
use crate::record::service::Records;
use crate::schema::catalog::{Catalog, Entity, FieldType, QuestionKind, Survey, SurveyFields};

/// Different answers to one question that are counted.
const MOST_ANSWERS: u32 = 200;

/// Which answers are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Among {
    /// Those about one record.
    pub about: Option<RecordId>,
    /// Of people who were asked in so many days up to now.
    pub days: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SurveyResults {
    pub asked: i64,
    pub answered: i64,
    /// Questions one may read the answers of.
    pub questions: Vec<QuestionResults>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct QuestionResults {
    /// Its position in the survey.
    pub question: usize,
    pub answers: i64,
    /// How often each value was given: all values of a scale, a choice and a yes or no, in order; nothing for texts.
    pub spread: Vec<(Json, i64)>,
    pub figure: Option<Figure>,
}

/// The figure of a scale, in tenths where it is a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Share of 9 and 10 less share of 0 to 6, from -100 to 100.
    Nps(i64),
    /// Per cent who gave 4 or 5.
    Csat(i64),
    /// The mean, times ten.
    Mean(i64),
}

impl SurveyResults {
    /// Per cent of those asked who answered.
    pub fn rate(&self) -> Option<i64> {
        share(self.answered, self.asked)
    }
}

/// `part` of `whole` in per cent, rounded half away from zero; none of nothing.
fn share(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| {
        let (number, sign) = (part.abs() * 200 + whole, part.signum());
        sign * (number / (whole * 2))
    })
}

/// The figure of a scale from how often each of its values was given.
pub fn figure(kind: QuestionKind, spread: &[(i64, i64)]) -> Option<Figure> {
    let count = |holds: &dyn Fn(i64) -> bool| spread.iter().filter(|(value, _)| holds(*value)).map(|(_, count)| count).sum::<i64>();
    let all = count(&|_| true);
    match kind {
        QuestionKind::Nps => share(count(&|value| value >= 9) - count(&|value| value <= 6), all).map(Figure::Nps),
        QuestionKind::Csat => share(count(&|value| value >= 4), all).map(Figure::Csat),
        QuestionKind::Rating(_) => {
            let sum: i64 = spread.iter().map(|(value, count)| value * count).sum();
            (all > 0).then(|| Figure::Mean((sum * 20 + all) / (all * 2)))
        }
        _ => None,
    }
}

impl Records {
    /// What came back of a survey; `None` where one may not read what its answers say of it. `catalog` is as who asks sees it.
    ///
    /// # Errors
    /// The database.
    pub async fn survey_results(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        survey: &Survey,
        among: Among,
    ) -> Result<Option<SurveyResults>, RecordError> {
        let Some(answers) = readable(catalog, survey) else { return Ok(None) };
        let name = |field| answers.field(field).name.as_str();
        let mut filter = format!("{} = '{}'", name(survey.fields.survey), survey.key);
        if let Some(about) = among.about {
            filter.push_str(&format!(" and {} = '{}'", name(survey.about), about.display(&catalog.entity(survey.entity).prefix)));
        }
        if let Some(days) = among.days {
            filter.push_str(&format!(" and now() - created_at <= days({days})"));
        }
        let state = name(survey.fields.state);
        let found = self.counted(actor, catalog, answers, state, &filter).await?;
        let of = |key: &str| found.iter().filter(|(value, _)| value.as_str() == Some(key)).map(|(_, count)| count).sum::<i64>();
        let answered = of(SurveyFields::ANSWERED);
        let mut results = SurveyResults { asked: of(SurveyFields::ASKED) + answered, answered, questions: Vec::new() };
        for (at, question) in survey.questions.iter().enumerate() {
            let field = answers.field(question.field);
            let is_text = matches!(question.kind, QuestionKind::Text | QuestionKind::LongText);
            if field.is_hidden || is_text || question.kind == QuestionKind::MultiSelect || field.encrypted {
                continue;
            }
            let only = format!("{filter} and {state} = '{}' and {} is not null", SurveyFields::ANSWERED, field.name);
            let found = self.counted(actor, catalog, answers, &field.name, &only).await?;
            let values: Vec<Json> = match (&field.ty, question.kind.scale()) {
                (_, Some((low, high))) => (low..=high).map(Json::from).collect(),
                (FieldType::Select(options), _) => options.list.options.iter().map(|option| Json::from(option.key.as_str())).collect(),
                _ => vec![Json::Bool(true), Json::Bool(false)],
            };
            let times = |value: &Json| found.iter().filter(|(known, _)| known == value).map(|(_, count)| *count).sum::<i64>();
            let spread: Vec<(Json, i64)> = values.into_iter().map(|value| (value.clone(), times(&value))).collect();
            let numbers: Vec<(i64, i64)> = spread.iter().filter_map(|(value, count)| Some((value.as_i64()?, *count))).collect();
            results.questions.push(QuestionResults {
                question: at,
                answers: spread.iter().map(|(_, count)| count).sum(),
                figure: figure(question.kind, &numbers),
                spread,
            });
        }
        Ok(Some(results))
    }

    async fn counted(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: &Entity,
        by: &str,
        filter: &str,
    ) -> Result<Vec<(Json, i64)>, RecordError> {
        let asked = json!({ "group": [by], "measures": { "records": "count()" }, "filter": filter, "limit": MOST_ANSWERS });
        let request = parse_aggregate_json(catalog, entity.ix, &asked).map_err(RecordError::Query)?;
        let rows = self.aggregate(actor, catalog, request).await?;
        Ok(rows.iter().filter_map(|row| Some((row.get(by)?.clone(), row.get("records")?.as_i64()?))).collect())
    }
}

/// The entity of its answers, where one may read what they say of the survey.
fn readable<'c>(catalog: &'c Catalog, survey: &Survey) -> Option<&'c Entity> {
    let answers = catalog.entity(survey.answers);
    let fields = [survey.fields.survey, survey.fields.state, survey.about];
    (answers.may.read && catalog.entity(survey.entity).may.read && fields.iter().all(|field| !answers.field(*field).is_hidden))
        .then_some(answers)
}

/// Surveys whose answers one may read.
pub fn readable_surveys(catalog: &Catalog) -> impl Iterator<Item = &Survey> {
    catalog.surveys.iter().filter(|survey| readable(catalog, survey).is_some())
}

impl Figure {
    /// As people read it: `+42`, `87 %`, `4.5`.
    pub fn text(self) -> String {
        match self {
            Self::Nps(score) => format!("{score:+}"),
            Self::Csat(percent) => format!("{percent} %"),
            Self::Mean(tenths) => format!("{}.{}", tenths / 10, tenths % 10),
        }
    }
}
