//! Surveys for people of the workspace: what came back, and the link of an invitation.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value as Json;

use super::approvals::told;
use super::page::{Page, address, encode};
use super::post::Post;
use super::record::record_page;
use crate::base::RecordId;
use crate::expr::{Typed, needs};
use crate::record::{
    Among, Figure, FormState, QuestionResults, RecordError, Source, SurveyResults, parse_id, readable_surveys, survey_token,
};
use crate::render::context::{Bar, Choice, Crumb, Notice, QuestionResult, SurveyCard, SurveyResultsPage, SurveyRow, SurveysPage};
use crate::render::{Arg, format};
use crate::schema::catalog::{Entity, Field, FieldType, Survey};
use crate::web::Problem;

/// Days back one can look at; none is all of them.
const PERIODS: [Option<u32>; 4] = [None, Some(30), Some(90), Some(365)];

/// `GET /surveys`
pub(super) async fn surveys(page: Page) -> Result<Response, Problem> {
    page.requester.identity()?;
    let mut rows = Vec::new();
    for survey in readable_surveys(&page.catalog) {
        let entity = page.catalog.entity(survey.entity);
        let Some(results) = page.results(survey, Among::default()).await? else { continue };
        let (figure, figure_label) = page.first_figure(&results);
        rows.push(SurveyRow {
            href: href(survey),
            label: survey.label.get(page.ui.locale).to_owned(),
            entity: entity.label_plural.get(page.ui.locale).to_owned(),
            icon: entity.icon.clone(),
            answered: page.answered_of(results.answered, results.asked),
            figure,
            figure_label,
        });
    }
    let context = SurveysPage { shell: page.shell(&page.say("surveys-title", &[]), ":surveys", Vec::new()), rows };
    page.html(StatusCode::OK, "page/surveys", &context)
}

/// `GET /surveys/{survey}`
pub(super) async fn results(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    page.requester.identity()?;
    let survey = readable_surveys(&page.catalog).find(|survey| survey.id == id).ok_or_else(Problem::not_found)?;
    let days = page.params.get("days").and_then(|text| text.parse().ok()).filter(|days| PERIODS.contains(&Some(*days)));
    let results = page.results(survey, Among { about: None, days }).await?.ok_or_else(Problem::not_found)?;
    let answers = page.catalog.entity(survey.answers);
    let title = survey.label.get(page.ui.locale).to_owned();
    let tab = |period: Option<u32>| Choice {
        value: period.map_or_else(|| href(survey), |days| address(&href(survey), &[("days".to_owned(), days.to_string())])),
        label: period
            .map_or_else(|| page.say("survey-all-time", &[]), |days| page.say("survey-days", &[("count", Arg::Count(days.into()))])),
        selected: period == days,
        ..Choice::default()
    };
    let filter = format!("{}:is:{}", answers.field(survey.fields.survey).name, survey.key);
    let context = SurveyResultsPage {
        shell: page.shell(&title, ":surveys", vec![Crumb { label: page.say("surveys-title", &[]), href: Some("/surveys".to_owned()) }]),
        title,
        tabs: PERIODS.map(tab).into(),
        asked: results.asked.to_string(),
        answered: results.answered.to_string(),
        rate: results.rate().map(|rate| format!("{rate} %")).unwrap_or_default(),
        questions: results.questions.iter().map(|one| page.question_result(survey, answers, one)).collect(),
        all_href: address(&format!("/records/{}", answers.slug), &[("f".to_owned(), filter)]),
    };
    page.html(StatusCode::OK, "page/survey-results", &context)
}

/// `POST /records/{entity}/{id}/surveys`: answers the record's page, since the link is shown there alone.
pub(super) async fn ask(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    page.requester.may_write(entity)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let survey = page.catalog.surveys.iter().find(|survey| survey.entity == entity.ix && survey.id == post.get("survey"));
    let survey_name = survey.ok_or_else(Problem::not_found)?.id.clone();
    match page.state.records.invite_about(&page.actor, &survey_name, id, Source::Form).await {
        Ok(made) => {
            let mut page = page;
            let token = survey_token(&page.catalog.whole(), made.answer).unwrap_or_default();
            page.survey_link = Some((survey_name, page.state.config.public_url.join(&format!("/survey/{token}"))));
            let mut response = record_page(&page, &slug, &id_text, StatusCode::OK, None).await?;
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        }
        Err(fault) => {
            let text = match fault {
                RecordError::NotAsked { .. } => page.say("survey-not-now", &[]),
                RecordError::AskedLately { until, .. } => {
                    page.say("survey-lately", &[("until", Arg::Text(&format::datetime(until, &page.ui)))])
                }
                fault => told(&page, fault)?,
            };
            let notice = Notice { kind: "error".to_owned(), text, detail: None, action: None };
            record_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(notice)).await
        }
    }
}

fn href(survey: &Survey) -> String {
    format!("/surveys/{}", encode(&survey.id))
}

impl Page {
    /// Whether there is a survey whose answers the reader may see.
    pub(super) fn has_surveys(&self) -> bool {
        self.requester.identity.is_some() && readable_surveys(&self.catalog).next().is_some()
    }

    async fn results(&self, survey: &Survey, among: Among) -> Result<Option<SurveyResults>, Problem> {
        Ok(self.state.records.survey_results(&self.actor, &self.catalog, survey, among).await?)
    }

    /// The surveys about a record: how they were answered, and who may ask once more. `state`: of whoever may change it.
    pub(super) async fn survey_cards(
        &self,
        entity: &Entity,
        id: RecordId,
        href_of: &str,
        state: Option<&FormState>,
    ) -> Result<Vec<SurveyCard>, Problem> {
        let mut cards = Vec::new();
        for survey in self.catalog.surveys.iter().filter(|survey| survey.entity == entity.ix) {
            let reads_hidden = |when: &Typed| needs(when).fields.iter().any(|field| entity.field(*field).is_hidden);
            let may_ask =
                state.is_some() && (survey.when.as_ref().is_some_and(reads_hidden) || self.is_visible(survey.when.as_ref(), state));
            let mut card = SurveyCard {
                id: survey.id.clone(),
                label: survey.label.get(self.ui.locale).to_owned(),
                ask_action: if may_ask { format!("{href_of}/surveys") } else { String::new() },
                link: self.survey_link.iter().filter(|(made, _)| *made == survey.id).map(|(_, link)| link.clone()).collect(),
                ..SurveyCard::default()
            };
            if let Some(results) = self.results(survey, Among { about: Some(id), days: None }).await? {
                card.results_href = href(survey);
                if results.asked > 0 {
                    card.answered = self.answered_of(results.answered, results.asked);
                }
                (card.figure, card.figure_label) = self.first_figure(&results);
            }
            if may_ask || !card.answered.is_empty() || !card.link.is_empty() {
                cards.push(card);
            }
        }
        Ok(cards)
    }

    /// The figure of the first scale that has one, and what it is.
    fn first_figure(&self, results: &SurveyResults) -> (String, String) {
        let first = results.questions.iter().find_map(|one| one.figure);
        first.map(|figure| (figure.text(), self.figure_label(figure))).unwrap_or_default()
    }

    fn figure_label(&self, figure: Figure) -> String {
        let key = match figure {
            Figure::Nps(_) => "survey-nps",
            Figure::Csat(_) => "survey-csat",
            Figure::Mean(_) => "survey-mean",
        };
        self.say(key, &[])
    }

    fn question_result(&self, survey: &Survey, answers: &Entity, one: &QuestionResults) -> QuestionResult {
        let question = &survey.questions[one.question];
        let field = answers.field(question.field);
        let bars = one.spread.iter().map(|(value, count)| Bar {
            label: self.value_label(field, value),
            count: *count,
            percent: if one.answers == 0 { 0 } else { (count * 200 + one.answers) / (one.answers * 2) },
        });
        QuestionResult {
            label: question.label.get(self.ui.locale).to_owned(),
            figure: one.figure.map(Figure::text).unwrap_or_default(),
            figure_label: one.figure.map(|figure| self.figure_label(figure)).unwrap_or_default(),
            answers: self.say("survey-answers", &[("count", Arg::Count(one.answers))]),
            bars: bars.collect(),
        }
    }

    fn value_label(&self, field: &Field, value: &Json) -> String {
        match (&field.ty, value) {
            (FieldType::Select(options), Json::String(key)) => {
                let option = options.list.options.iter().find(|option| option.key == *key);
                option.map_or_else(|| key.clone(), |option| option.label.get(self.ui.locale).to_owned())
            }
            (_, Json::Bool(is)) => self.say(if *is { "value-yes" } else { "value-no" }, &[]),
            (_, other) => other.to_string(),
        }
    }
}
