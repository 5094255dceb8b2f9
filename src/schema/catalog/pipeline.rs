//! Pipelines: the ordered stages of a record, the moves between them, and the gates a move must meet.

use crate::base::{EntityIx, FieldIx, Labels};
use crate::expr::Typed;

/// Ordered stages on an entity. The stage of a record is an option of a select of the record.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub id: String,
    pub label: Labels,
    /// The select that holds the stage.
    pub field: FieldIx,
    /// The records it is for; it reads nothing but stored fields of the record. Of several pipelines over one field the first
    /// whose condition holds is followed.
    pub when: Option<Typed>,
    /// Source of `when`; empty for none.
    pub when_text: String,
    /// Stages a new record may be made in: positions; `None` is any.
    pub start: Option<Vec<usize>>,
    /// Open stages may be passed over.
    pub may_skip: bool,
    /// A record may go back to an earlier stage, or be opened again.
    pub may_go_back: bool,
    /// What is summed per stage: a money, or a number.
    pub amount: Option<FieldIx>,
    /// Roles that may move against the order and the gates, with a reason.
    pub overriders: Vec<String>,
    /// How tasks of stages are kept; `None` where no stage has any.
    pub task_fields: Option<TaskFields>,
    pub stages: Vec<Stage>,
    /// The moves there are; empty is all that the order allows.
    pub moves: Vec<MoveRule>,
    pub gates: Vec<Gate>,
}

/// One stage. Its name and colour are those of its option.
#[derive(Debug, Clone)]
pub struct Stage {
    pub key: String,
    /// In percent.
    pub probability: Option<u8>,
    /// Days a record should stay at most.
    pub max_days: Option<u32>,
    /// What people are told to do here.
    pub guidance: Labels,
    /// Key fields, shown beside the guidance.
    pub fields: Vec<FieldIx>,
    /// The outcome (`won`, `lost` or one of the definition's own); `None` while it is open.
    pub closed: Option<String>,
    /// The field that says why; it must hold something to come here.
    pub reason: Option<FieldIx>,
    /// Kept for records that stand in it; nothing moves here.
    pub retired: bool,
    pub tasks: Vec<StageTask>,
}

/// What people do in a stage: a record that comes into it gets a task for it.
#[derive(Debug, Clone)]
pub struct StageTask {
    /// Unique in the pipeline.
    pub id: String,
    pub subject: Labels,
    /// The day it is due.
    pub due: Option<Typed>,
    /// Who does it; the owner of the record when left out.
    pub assignee: Option<Typed>,
    /// It must be done before the record goes on.
    pub required: bool,
}

/// The entity of tasks and the fields of it that a stage fills.
#[derive(Debug, Clone, Copy)]
pub struct TaskFields {
    pub entity: EntityIx,
    /// What a task is about.
    pub link: FieldIx,
    /// [`Pipeline::task_key`] of what it was made from.
    pub template: FieldIx,
    pub subject: FieldIx,
    pub due: FieldIx,
    pub assignee: FieldIx,
    pub done: FieldIx,
}

/// Moves that are allowed, and for whom.
#[derive(Debug, Clone)]
pub struct MoveRule {
    /// Positions; empty is any.
    pub from: Vec<usize>,
    pub to: Vec<usize>,
    /// Empty is everybody.
    pub roles: Vec<String>,
}

/// What must hold for a move.
#[derive(Debug, Clone)]
pub struct Gate {
    pub id: String,
    /// Positions; empty is any, also none at all.
    pub from: Vec<usize>,
    pub to: Vec<usize>,
    /// It is looked at only where this holds.
    pub when: Option<Typed>,
    pub require: Vec<Requirement>,
}

#[derive(Debug, Clone)]
pub enum Requirement {
    /// These must hold something.
    Fields(Vec<FieldIx>),
    Holds {
        expr: Typed,
        message: Labels,
    },
    /// These tasks must be done: positions of stage and task.
    Tasks(Vec<(usize, usize)>),
    /// All tasks of the stage the record leaves must be done.
    AllTasks,
    /// It must be approved: a position in the approvals of the entity.
    Approval(usize),
    /// It must be protected by a claim: a position in the registrations of the entity.
    Registration(usize),
}

impl Pipeline {
    /// The position of a stage.
    pub fn stage(&self, key: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.key == key)
    }

    /// What a task made from a template holds, so that it is known again.
    pub fn task_key(&self, task: &StageTask) -> String {
        format!("{}/{}", self.id, task.id)
    }

    /// Positions of the stage and the task.
    pub fn find_task(&self, id: &str) -> Option<(usize, usize)> {
        self.stages.iter().enumerate().find_map(|(at, stage)| Some((at, stage.tasks.iter().position(|task| task.id == id)?)))
    }

    /// Some gate waits for an approval.
    pub fn waits_for_approval(&self) -> bool {
        self.requires(|requirement| matches!(requirement, Requirement::Approval(_)))
    }

    /// Some gate waits for a registration.
    pub fn waits_for_registration(&self) -> bool {
        self.requires(|requirement| matches!(requirement, Requirement::Registration(_)))
    }

    fn requires(&self, is_meant: impl Fn(&Requirement) -> bool) -> bool {
        self.gates.iter().flat_map(|gate| &gate.require).any(is_meant)
    }

    /// The gates of a move; `from` is none for a record that comes into the pipeline.
    pub fn gates_of(&self, from: Option<usize>, to: usize) -> impl Iterator<Item = &Gate> {
        let leaves = move |gate: &Gate| gate.from.is_empty() || from.is_some_and(|from| gate.from.contains(&from));
        self.gates.iter().filter(move |gate| leaves(gate) && (gate.to.is_empty() || gate.to.contains(&to)))
    }
}
