//! The page of a survey's invitation: whoever has its link answers, without signing in. Looking writes nothing; a link that is
//! wrong, over or about something that is gone tells nothing at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::form_model::whole_message;
use super::page::{Page, address};
use super::post::Post;
use crate::base::Locale;
use crate::record::{Asked, FieldFault, Input, RecordError};
use crate::render::Arg;
use crate::render::context::{Choice, QuestionView, SurveyPage};
use crate::schema::catalog::{FieldType, Question, QuestionKind};
use crate::schema::field_type;
use crate::web::Problem;

/// Texts by the name of the field.
type Texts = BTreeMap<String, Vec<String>>;

/// What was wrong with what somebody sent, by the name of the field; under no name what concerns all of it.
type Wrong = BTreeMap<String, String>;

/// Names of the questions that the sender saw.
const SHOWN: &str = "_shown";

/// `GET /survey/{token}`: `score=9` chooses an answer to the first scale beforehand, `lang` another language.
pub(super) async fn asked(mut page: Page, Path(token): Path<String>) -> Result<Response, Problem> {
    let Some(asked) = page.state.records.asked(&token).await? else { return closed(&page) };
    page.speak(&asked);
    if asked.is_answered && (!asked.is_open() || page.params.get("edit").is_none()) {
        return page.thanks(&asked, &token);
    }
    let mut texts = page.stored(&asked);
    if let (Some(score), Some(first)) = (page.params.get("score"), first_scale(&asked)) {
        texts.insert(asked.catalog.entity(asked.survey().answers).field(first.field).name.clone(), vec![score.to_owned()]);
    }
    let questions = page.state.records.questions_asked(&asked, &Input::new());
    page.form(&asked, &token, StatusCode::OK, &questions, &texts, &Wrong::new(), false)
}

/// `POST /survey/{token}`
pub(super) async fn answer(mut page: Page, Path(token): Path<String>, post: Post) -> Result<Response, Problem> {
    page.state.auth.admit_link(&page.requester.caller()).await?;
    let records = page.state.records.clone();
    let Some(asked) = records.asked(&token).await? else {
        page.state.auth.note_bad_link(&page.requester.caller()).await?;
        return closed(&page);
    };
    page.speak(&asked);
    if !asked.is_open() {
        return page.thanks(&asked, &token);
    }
    let entity = asked.catalog.entity(asked.survey().answers);
    let name = |question: &Question| entity.field(question.field).name.as_str();
    let known: Vec<&str> = asked.survey().questions.iter().map(name).collect();
    let pairs: Vec<(String, String)> = post.pairs.iter().filter(|(name, _)| known.contains(&name.as_str())).cloned().collect();
    let mut texts = Texts::new();
    for (name, text) in &pairs {
        texts.entry(name.clone()).or_default().push(text.clone());
    }
    // What cannot be read is told with what else is missing.
    let (input, mut wrong) = match Input::from_text(&asked.catalog, entity, &pairs, &page.ui.zone) {
        Ok(input) => (input, Wrong::new()),
        Err(faults) => {
            let mut wrong = page.wrong(&faults);
            // Whatever is no value of a scale is told alike.
            for question in asked.survey().questions.iter().filter(|question| question.kind.scale().is_some()) {
                if let Some(text) = wrong.get_mut(name(question)) {
                    *text = page.say("fault-not-on-scale", &[]);
                }
            }
            let readable: Vec<_> = pairs.iter().filter(|(name, _)| !wrong.contains_key(name)).cloned().collect();
            (Input::from_text(&asked.catalog, entity, &readable, &page.ui.zone).unwrap_or_default(), wrong)
        }
    };
    let questions = records.questions_asked(&asked, &input);
    let shown: Vec<&str> = post.get(SHOWN).split(',').collect();
    let is_on_page = |at: &usize| shown.contains(&name(&asked.survey().questions[*at]));
    let on_page: Vec<usize> = questions.iter().copied().filter(is_on_page).collect();
    for (name, text) in page.wrong(&asked.faults(&input, &on_page)) {
        wrong.entry(name).or_insert(text);
    }
    if !wrong.is_empty() {
        return page.form(&asked, &token, StatusCode::UNPROCESSABLE_ENTITY, &questions, &texts, &wrong, false);
    }
    if !questions.iter().all(is_on_page) {
        // What was answered leads to further questions.
        return page.form(&asked, &token, StatusCode::OK, &questions, &texts, &wrong, true);
    }
    let mut saved = records.answer_survey(&asked, &input, &questions).await;
    if matches!(saved, Err(RecordError::Stale { .. }))
        && let Some(now) = records.asked(&token).await?.filter(Asked::is_open)
        && Arc::ptr_eq(&now.catalog, &asked.catalog)
    {
        // Somebody with the same link was faster, and an answer may be changed: the last one counts. Under other definitions
        // the questions are others.
        saved = records.answer_survey(&now, &input, &questions).await;
    }
    let error = match saved {
        Ok(_) | Err(RecordError::Stale { .. }) => return Ok(unseen(page.go(&page.at(&token, &[])))),
        Err(error) => error,
    };
    let mut wrong = page.wrong(&error.faults());
    if wrong.is_empty() {
        match whole_message(&page, &error) {
            Some(text) => drop(wrong.insert(String::new(), text)),
            None => return Err(error.into()),
        }
    }
    page.form(&asked, &token, StatusCode::UNPROCESSABLE_ENTITY, &questions, &texts, &wrong, false)
}

fn first_scale(asked: &Asked) -> Option<&Question> {
    asked.survey().questions.iter().find(|question| question.kind.scale().is_some())
}

/// The same answer for whatever cannot be answered.
fn closed(page: &Page) -> Result<Response, Problem> {
    let context = SurveyPage {
        shell: page.shell(&page.say("survey-closed-title", &[]), "", Vec::new()),
        closed: Some(page.say("survey-closed", &[])),
        ..SurveyPage::default()
    };
    Ok(unseen(page.html(StatusCode::NOT_FOUND, "page/survey", &context)?))
}

/// Kept by nobody, found by no search engine.
fn unseen(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    response
}

impl Page {
    /// Whoever answers reads what they were written to in, or the language they chose on the page.
    fn speak(&mut self, asked: &Asked) {
        self.ui.locale = self.params.get("lang").and_then(Locale::of_tag).unwrap_or(asked.locale);
    }

    /// The page in the language that was chosen.
    fn at(&self, token: &str, more: &[(&str, &str)]) -> String {
        let mut params: Vec<(String, String)> = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if let Some(locale) = self.params.get("lang").and_then(Locale::of_tag) {
            params.push(("lang".to_owned(), locale.tag().to_owned()));
        }
        address(&format!("/survey/{token}"), &params)
    }

    fn thanks(&self, asked: &Asked, token: &str) -> Result<Response, Problem> {
        let survey = asked.survey();
        let said = survey.thanks.get(self.ui.locale);
        let context = SurveyPage {
            shell: self.shell(survey.title.get(self.ui.locale), "", Vec::new()),
            closed: Some(if said.is_empty() { self.say("survey-thanks", &[]) } else { said.to_owned() }),
            edit_href: survey.edit.then(|| self.at(token, &[("edit", "1")])),
            languages: self.languages(token),
            ..SurveyPage::default()
        };
        Ok(unseen(self.html(StatusCode::OK, "page/survey", &context)?))
    }

    fn languages(&self, token: &str) -> Vec<Choice> {
        let name = |locale: Locale| match locale {
            Locale::En => "English",
            Locale::ZhCn => "简体中文",
            Locale::ZhTw => "繁體中文",
        };
        let one = |locale: Locale| Choice {
            value: address(&format!("/survey/{token}"), &[("lang".to_owned(), locale.tag().to_owned())]),
            label: name(locale).to_owned(),
            note: locale.tag().to_owned(),
            selected: locale == self.ui.locale,
            ..Choice::default()
        };
        Locale::ALL.map(one).into()
    }

    /// What was answered before.
    fn stored(&self, asked: &Asked) -> Texts {
        let entity = asked.catalog.entity(asked.survey().answers);
        let mut texts = Texts::new();
        for question in &asked.survey().questions {
            let field = entity.field(question.field);
            let given = match field_type::to_json(&asked.catalog, field, asked.record.get(question.field)) {
                serde_json::Value::String(text) => vec![text],
                serde_json::Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
                serde_json::Value::Null => continue,
                other => vec![other.to_string()],
            };
            texts.insert(field.name.clone(), given);
        }
        texts
    }

    fn wrong(&self, faults: &[FieldFault]) -> Wrong {
        let name = |fault: &FieldFault| fault.path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
        faults.iter().map(|fault| (name(fault), self.fault_text(fault))).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "each says another part of one page")]
    fn form(
        &self,
        asked: &Asked,
        token: &str,
        status: StatusCode,
        questions: &[usize],
        texts: &Texts,
        wrong: &Wrong,
        has_more: bool,
    ) -> Result<Response, Problem> {
        let survey = asked.survey();
        let views: Vec<QuestionView> = questions.iter().map(|at| self.question(asked, &survey.questions[*at], texts, wrong)).collect();
        // What is wrong with no question that is on the page concerns the whole answer.
        let whole: Vec<&str> =
            wrong.iter().filter(|(name, _)| views.iter().all(|view| view.name != **name)).map(|(_, text)| text.as_str()).collect();
        let error = match (wrong.is_empty(), whole.is_empty()) {
            (true, _) => None,
            (false, true) => Some(self.say("survey-wrong", &[])),
            (false, false) => Some(whole.join(" ")),
        };
        let context = SurveyPage {
            shell: self.shell(survey.title.get(self.ui.locale), "", Vec::new()),
            intro: survey.intro.get(self.ui.locale).to_owned(),
            action: self.at(token, &[]),
            shown: views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>().join(","),
            questions: views,
            has_more,
            error,
            languages: if status == StatusCode::OK && !has_more { self.languages(token) } else { Vec::new() },
            ..SurveyPage::default()
        };
        Ok(unseen(self.html(status, "page/survey", &context)?))
    }

    fn question(&self, asked: &Asked, question: &Question, texts: &Texts, wrong: &Wrong) -> QuestionView {
        let locale = self.ui.locale;
        let field = asked.catalog.entity(asked.survey().answers).field(question.field);
        let none = Vec::new();
        let given = texts.get(&field.name).unwrap_or(&none);
        let choice = |value: String, label: String, note: String| Choice {
            selected: given.contains(&value),
            value,
            label,
            note,
            ..Choice::default()
        };
        let (low, high) = (question.low.get(locale).to_owned(), question.high.get(locale).to_owned());
        let choices = match (question.kind.scale(), &field.ty) {
            (Some((first, last)), _) => (first..=last)
                .map(|number| {
                    // What the ends mean is said with them to those who do not see where they stand.
                    let note = if number == first {
                        low.clone()
                    } else if number == last {
                        high.clone()
                    } else {
                        String::new()
                    };
                    choice(number.to_string(), number.to_string(), note)
                })
                .collect(),
            (None, FieldType::Select(options) | FieldType::MultiSelect { options, .. }) => {
                let live = options.list.options.iter().filter(|option| !option.retired || given.contains(&option.key));
                live.map(|option| choice(option.key.clone(), option.label.get(locale).to_owned(), String::new())).collect()
            }
            (None, FieldType::Boolean) => {
                let named = [("true", "value-yes"), ("false", "value-no")];
                named.map(|(value, key)| choice(value.to_owned(), self.say(key, &[]), String::new())).into()
            }
            _ => Vec::new(),
        };
        let max_length = match &field.ty {
            FieldType::Text { max, .. } | FieldType::LongText { max } => *max,
            _ => 0,
        };
        QuestionView {
            name: field.name.clone(),
            label: question.label.get(locale).to_owned(),
            help: question.help.get(locale).to_owned(),
            kind: if question.kind.scale().is_some() { "scale" } else { question.kind.word() }.to_owned(),
            low,
            high,
            required: question.required,
            choices,
            value: if matches!(question.kind, QuestionKind::Text | QuestionKind::LongText) { given.join("\n") } else { String::new() },
            max_length: max_length.min(LONGEST),
            error: wrong.get(&field.name).cloned().unwrap_or_default(),
        }
    }

    /// `Answered 12 of 40`.
    pub(super) fn answered_of(&self, answered: i64, asked: i64) -> String {
        self.say("survey-answered-of", &[("answered", Arg::Count(answered)), ("asked", Arg::Count(asked))])
    }
}

/// Characters of one text: a form of a visitor is not longer than 16 KB.
const LONGEST: u32 = 2_000;
