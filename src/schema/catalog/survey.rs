//! Surveys: what somebody is asked about a record, on a page that needs no signing in. The answer is a record too.

use super::{Field, FieldType, Given, Language};
use crate::base::{EntityIx, FieldIx, Labels};
use crate::expr::Typed;

/// A survey about records of one entity.
#[derive(Debug, Clone)]
pub struct Survey {
    pub uid: String,
    /// Full id, `service.satisfaction`.
    pub id: String,
    /// Its short name: the option that answers hold.
    pub key: String,
    pub label: Labels,
    /// What it asks about.
    pub entity: EntityIx,
    /// What its answers are.
    pub answers: EntityIx,
    /// The link of an answer to the record asked about.
    pub about: FieldIx,
    /// Nobody is asked about a record for which this does not hold.
    pub when: Option<Typed>,
    /// What an answer holds from the beginning: who is asked, who did the work.
    pub values: Vec<Given>,
    pub title: Labels,
    pub intro: Labels,
    pub thanks: Labels,
    pub language: Language,
    /// For how long a link is open.
    pub open_seconds: i64,
    /// Nobody is asked again for a while; `None`: each time.
    pub pause: Option<SurveyPause>,
    /// Answers may be changed until the link expires.
    pub edit: bool,
    /// Roles whose rights answers are saved with.
    pub run_as: Vec<String>,
    pub questions: Vec<Question>,
    pub fields: SurveyFields,
}

/// How long nobody is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyPause {
    pub seconds: i64,
    /// The link of an answer to whom or what it holds for.
    pub per: FieldIx,
}

/// The fields of the entity of answers that the program keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyFields {
    /// Which survey.
    pub survey: FieldIx,
    /// `asked` or `answered`.
    pub state: FieldIx,
    pub expires_at: FieldIx,
    pub answered_at: FieldIx,
    /// Of who is asked. Without one nobody is asked any more: their values were erased.
    pub language: FieldIx,
}

/// One question: a field of the answer.
#[derive(Debug, Clone)]
pub struct Question {
    pub field: FieldIx,
    pub kind: QuestionKind,
    /// What is asked; the field's label when left out.
    pub label: Labels,
    pub help: Labels,
    /// What the ends of a scale mean.
    pub low: Labels,
    pub high: Labels,
    pub required: bool,
    /// Asked only where this holds of the answers so far.
    pub when: Option<Typed>,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionKind {
    /// 0 to 10: would you recommend us.
    Nps,
    /// 1 to 5: how content are you.
    Csat,
    /// 1 to as many stars as the field has.
    Rating(u8),
    YesNo,
    Select,
    MultiSelect,
    Text,
    LongText,
}

impl QuestionKind {
    /// The word of definitions and of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nps => "nps",
            Self::Csat => "csat",
            Self::Rating(_) => "rating",
            Self::YesNo => "yes_no",
            Self::Select => "select",
            Self::MultiSelect => "multi_select",
            Self::Text => "text",
            Self::LongText => "long_text",
        }
    }

    /// The ends of its scale.
    pub fn scale(self) -> Option<(i64, i64)> {
        match self {
            Self::Nps => Some((0, 10)),
            Self::Csat => Some((1, 5)),
            Self::Rating(most) => Some((1, i64::from(most))),
            _ => None,
        }
    }

    /// How a field is asked for where nothing is said; `None` for one that a survey cannot ask for.
    pub fn of(field: &Field) -> Option<Self> {
        Some(match &field.ty {
            FieldType::Rating { max } => Self::Rating(*max),
            FieldType::Boolean => Self::YesNo,
            FieldType::Select(_) => Self::Select,
            FieldType::MultiSelect { .. } => Self::MultiSelect,
            FieldType::Text { .. } => Self::Text,
            FieldType::LongText { .. } => Self::LongText,
            _ => return None,
        })
    }
}

impl SurveyFields {
    pub const NAMES: [&'static str; 5] = ["survey", "survey_state", "survey_expires_at", "survey_answered_at", "survey_language"];
    /// Keys of `survey_state`.
    pub const ASKED: &'static str = "asked";
    pub const ANSWERED: &'static str = "answered";
}
