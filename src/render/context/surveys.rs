//! What the pages of surveys get: the one that is answered without signing in, and what came back.

use serde::Serialize;

use super::{Choice, Shell};

/// The page of an invitation.
#[derive(Debug, Default, Serialize)]
pub struct SurveyPage {
    pub shell: Shell,
    pub intro: String,
    /// What it says instead of its questions.
    pub closed: Option<String>,
    /// Where answers are changed, where they may be.
    pub edit_href: Option<String>,
    pub action: String,
    pub questions: Vec<QuestionView>,
    /// Names of the questions that are on the page.
    pub shown: String,
    /// Further questions follow from the answers so far.
    pub has_more: bool,
    /// Something has to be put right first.
    pub error: Option<String>,
    pub languages: Vec<Choice>,
}

/// A question as it is asked.
#[derive(Debug, Default, Serialize)]
pub struct QuestionView {
    pub name: String,
    pub label: String,
    pub help: String,
    /// `scale`, `yes_no`, `select`, `multi_select`, `text` or `long_text`.
    pub kind: String,
    pub low: String,
    pub high: String,
    pub required: bool,
    pub choices: Vec<Choice>,
    pub value: String,
    pub max_length: u32,
    pub error: String,
}

/// Surveys whose answers somebody may read.
#[derive(Debug, Default, Serialize)]
pub struct SurveysPage {
    pub shell: Shell,
    pub rows: Vec<SurveyRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct SurveyRow {
    pub href: String,
    pub label: String,
    /// What it is about.
    pub entity: String,
    pub icon: String,
    pub answered: String,
    /// The figure of its first scale.
    pub figure: String,
    pub figure_label: String,
}

/// What came back of one survey.
#[derive(Debug, Default, Serialize)]
pub struct SurveyResultsPage {
    pub shell: Shell,
    pub title: String,
    pub tabs: Vec<Choice>,
    pub asked: String,
    pub answered: String,
    pub rate: String,
    pub questions: Vec<QuestionResult>,
    pub all_href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct QuestionResult {
    pub label: String,
    pub figure: String,
    pub figure_label: String,
    pub answers: String,
    pub bars: Vec<Bar>,
}

/// How often one value was given.
#[derive(Debug, Default, Serialize)]
pub struct Bar {
    pub label: String,
    pub count: i64,
    pub percent: i64,
}

/// A survey on the page of a record it asks about.
#[derive(Debug, Default, Serialize)]
pub struct SurveyCard {
    pub id: String,
    pub label: String,
    pub answered: String,
    pub figure: String,
    pub figure_label: String,
    pub results_href: String,
    /// Where an invitation is made; empty for somebody who may not.
    pub ask_action: String,
    /// The link of the invitation that was just made.
    pub link: String,
}
