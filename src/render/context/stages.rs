//! Where records stand in their pipelines, and the question before one moves.

use serde::Serialize;

use super::{EntityHead, FieldInput, FormFault, Labelled, Shell, Stamp, ViewLink};

/// A pipeline on a record's page.
#[derive(Debug, Default, Serialize)]
pub struct StagePath {
    pub id: String,
    pub label: String,
    pub steps: Vec<PathStep>,
    pub guidance: String,
    /// Key fields of the stage it is in.
    pub facts: Vec<Labelled>,
    pub since: Option<Stamp>,
    /// How long it may stay; empty where nothing is said.
    pub limit: String,
    pub is_late: bool,
    /// Moves offered, the next stage first.
    pub moves: Vec<MoveLink>,
    /// Tasks of the stage it is in, and where they are checked off.
    pub tasks: Vec<TaskRow>,
    pub tasks_action: String,
}

/// A task of a stage.
#[derive(Debug, Default, Serialize)]
pub struct TaskRow {
    /// Its id in the pipeline.
    pub task: String,
    pub subject: String,
    pub required: bool,
    /// `open`, `done`, `missing` or `hidden`.
    pub state: String,
    /// Id and page of the record; empty where there is none.
    pub record: String,
    pub href: String,
    pub due: String,
    pub is_late: bool,
    pub who: String,
    /// What the button does, what it says, and its name with the task; empty where nothing can be done.
    pub act: String,
    pub act_label: String,
    pub act_name: String,
}

#[derive(Debug, Default, Serialize)]
pub struct PathStep {
    pub label: String,
    pub hue: u8,
    /// `done`, `current`, `open`, `won` or `closed`.
    pub state: String,
    /// Empty for the stage it is in and where nothing may be moved.
    pub href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct MoveLink {
    pub label: String,
    pub href: String,
    /// Everything holds: it is made at once.
    pub action: String,
    pub to: String,
    /// What is missing, in a few words; empty where nothing is.
    pub waits: String,
}

/// The page that asks before a record moves.
#[derive(Debug, Default, Serialize)]
pub struct MovePage {
    pub shell: Shell,
    pub heading: String,
    /// The record's page.
    pub href: String,
    pub action: String,
    pub pipeline: String,
    pub to: String,
    pub to_label: String,
    pub version: String,
    pub idempotency_key: String,
    pub guidance: String,
    /// Where tasks are checked off.
    pub tasks_action: String,
    pub missing: Vec<ConditionRow>,
    pub met: Vec<ConditionRow>,
    /// What must be filled in, and the key fields of the stage.
    pub fields: Vec<FieldInput>,
    /// The actor may pass over what is missing, with a reason.
    pub can_override: bool,
    pub reason: String,
    pub faults: Vec<FormFault>,
    pub message: Option<String>,
    /// The board it was asked for on; empty elsewhere.
    pub return_to: String,
    pub cancel_href: String,
    /// Where the whole record is changed.
    pub edit_href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct ConditionRow {
    pub text: String,
    /// Of the control that meets it; empty for none.
    pub target: String,
    /// The task that meets it.
    pub task: Option<TaskRow>,
    /// Where the approval that meets it is asked for or decided; empty for none.
    pub href: String,
}

/// The stages a record went through.
#[derive(Debug, Default, Serialize)]
pub struct StageRow {
    pub pipeline: String,
    pub stage: String,
    pub hue: u8,
    pub from: String,
    pub stamp: Stamp,
    pub stayed: String,
    pub who: String,
    pub reason: String,
}

/// The stages of a pipeline beside one another.
#[derive(Debug, Default, Serialize)]
pub struct BoardPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub pipeline: String,
    pub label: String,
    pub here: String,
    pub list_href: String,
    /// Empty for those who may not create.
    pub create_href: String,
    pub may_move: bool,
    /// All pipelines of the entity.
    pub boards: Vec<ViewLink>,
    pub columns: Vec<BoardColumn>,
}

#[derive(Debug, Default, Serialize)]
pub struct BoardColumn {
    pub key: String,
    pub label: String,
    pub hue: u8,
    pub count: String,
    /// Empty where nothing is summed.
    pub sum: String,
    pub is_closed: bool,
    pub cards: Vec<BoardCard>,
    pub more_href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct BoardCard {
    pub id: String,
    pub href: String,
    pub title: String,
    pub amount: String,
    pub facts: Vec<Labelled>,
    pub owner: String,
    pub owner_initials: String,
    pub owner_hue: u8,
    pub version: String,
    /// How long it has been in this stage.
    pub age: String,
    pub is_late: bool,
}
