//! Scripts: when they run and how much they may.

use crate::base::{EntityIx, FieldIx};
use crate::expr::Typed;

/// A rhai file and when it runs.
#[derive(Debug, Clone)]
pub struct Script {
    pub uid: String,
    /// Full id, `crm.check_lines`.
    pub id: String,
    pub package: String,
    /// Path below the definitions folder, for messages.
    pub file: String,
    pub source: String,
    /// None for a schedule.
    pub entity: Option<EntityIx>,
    pub trigger: Trigger,
    /// Runs only when one of these changed; empty means always.
    pub watch: Vec<FieldIx>,
    pub when: Option<Typed>,
    pub priority: i32,
    pub limits: ScriptLimits,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    BeforeSave,
    BeforeDelete,
    AfterWrite,
    AfterCommit,
    /// The button's id.
    Button(String),
    /// Run by a step of an automation.
    Automation,
    /// Five or six cron fields and an IANA zone.
    Schedule {
        cron: String,
        zone: String,
        missed: Missed,
    },
}

/// What becomes of times of a schedule at which nothing ran, because the program was not running or was busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missed {
    /// They are left out.
    Skip,
    /// One run makes up for all of them.
    #[default]
    Once,
    /// Each is made up for, in order.
    All,
}

impl Missed {
    /// The words of definitions.
    pub const WORDS: [&str; 3] = ["skip", "once", "all"];

    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "skip" => Some(Self::Skip),
            "once" => Some(Self::Once),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// Zero means the trigger's default of `ENGINE.md` 4e.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScriptLimits {
    pub operations: u64,
    pub wall_ms: u64,
}
