//! Automations: what starts them, on which condition, what they do. The steps are one list with the way from each to the next.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{ClockFields, Missed, SurveyFields, Title};
use crate::base::{EntityIx, FieldIx, Labels, Locale, Value};
use crate::expr::{Type, Typed, needs};
use crate::schema::working::WorkCalendar;

/// All automations, and for each entity which of its events start which of them.
#[derive(Debug, Clone, Default)]
pub struct Automations {
    pub all: Vec<Automation>,
    pub starts: HashMap<EntityIx, Starts>,
}

/// Positions in [`Automations::all`], by what starts them: a save looks here, and at nothing that it does not match.
#[derive(Debug, Clone, Default)]
pub struct Starts {
    pub created: Vec<usize>,
    pub deleted: Vec<usize>,
    /// Started by every change.
    pub updated: Vec<usize>,
    /// Started by a change of this field: watched fields, fields of stages.
    pub by_field: HashMap<FieldIx, Vec<usize>>,
    /// Runs may wait for one of these fields to change.
    pub waited_for: BTreeSet<FieldIx>,
    /// Runs may be under way for long.
    pub has_waiting: bool,
}

#[derive(Debug, Clone)]
pub struct Automation {
    pub uid: String,
    /// Full id, `crm.welcome`.
    pub id: String,
    pub label: Labels,
    pub entity: EntityIx,
    pub start: Start,
    pub when: Option<Typed>,
    /// Source of `when`; empty for none.
    pub when_text: String,
    pub run_as: RunAs,
    /// Runs that may begin in one minute; with one more it is paused.
    pub most_per_minute: u32,
    /// The first one is where a run begins.
    pub steps: Vec<Step>,
}

/// What starts an automation.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    Created,
    /// Empty: whatever changed.
    Updated {
        watch: Vec<FieldIx>,
    },
    Deleted,
    /// A record comes to stand in one of `to` (empty: any), out of one of `from` (empty: any, also made there).
    Stage {
        field: FieldIx,
        from: Vec<String>,
        to: Vec<String>,
    },
    /// The clock, for each record for which the condition holds; for none when there are more than `limit`.
    Schedule {
        clock: Clock,
        limit: u32,
    },
    /// The clock, for each record whose `field` and `shift` are reached.
    Due {
        clock: Clock,
        field: FieldIx,
        shift: Shift,
        limit: u32,
    },
    /// A service clock runs out, or is so much working time before or behind that.
    Clock {
        clock: Clock,
        fields: ClockFields,
        calendar: Arc<WorkCalendar>,
        /// Seconds of working time; negative is before.
        shift: i64,
        limit: u32,
    },
    /// Somebody has answered a survey about the record.
    Answered(Answered),
    /// A message of another program.
    Received(Received),
    /// A step of another automation.
    Called,
}

/// What becomes of a message: the record that holds what it says of `matching` is changed, else one is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub matching: Vec<Taken>,
    pub values: Vec<Taken>,
}

/// A field and what it takes from a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub field: FieldIx,
    /// The type of the field in expressions.
    pub ty: Type,
    pub from: TakenFrom,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TakenFrom {
    /// The names and numbers that lead to it.
    Path(Vec<String>),
    /// As it is written in the definition.
    Plain(serde_json::Value),
}

impl Taken {
    /// `order.lines.0.sku`; empty for what is no path.
    pub fn path_text(&self) -> String {
        match &self.from {
            TakenFrom::Path(path) => path.join("."),
            TakenFrom::Plain(_) => String::new(),
        }
    }
}

/// Which answers start an automation of the record that they are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The option that answers of the survey hold.
    pub survey: String,
    pub answers: EntityIx,
    /// The link to the record.
    pub about: FieldIx,
    pub fields: SurveyFields,
}

impl Start {
    /// The clock begins it, for records that it finds.
    pub fn is_timed(&self) -> bool {
        matches!(self, Start::Schedule { .. } | Start::Due { .. } | Start::Clock { .. })
    }

    /// The entity whose events start it, where that is not its own.
    pub fn answers(&self) -> Option<EntityIx> {
        match self {
            Start::Answered(answered) => Some(answered.answers),
            _ => None,
        }
    }

    fn is_of_no_event(&self) -> bool {
        self.is_timed() || matches!(self, Start::Received(_) | Start::Called)
    }
}

/// When the clock is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Five or six cron fields and an IANA zone.
    pub cron: String,
    pub zone: String,
    pub missed: Missed,
}

/// How much later than a field's value something is due; negative is before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Of a date: so many days, at this minute of the day in the clock's zone.
    Days { days: i64, minute: i64 },
    /// Of a moment.
    Seconds(i64),
}

/// Whose rights a run has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunAs {
    /// Those of whoever made the change, as they are when it runs.
    Caller,
    /// Those of somebody with just these roles.
    Roles(Vec<String>),
}

/// One step. It is told apart by its id, also when definitions change while a run is under way.
#[derive(Debug, Clone)]
pub struct Step {
    pub id: String,
    pub act: Act,
    /// Position of what comes after it; `None` ends the run.
    pub next: Option<usize>,
}

#[derive(Debug, Clone)]
pub enum Act {
    /// Changes the record.
    Set(Vec<Given>),
    Create {
        entity: EntityIx,
        values: Vec<Given>,
    },
    /// Changes records that are found: all of them, or none when there are more than `limit`.
    Update {
        entity: EntityIx,
        matching: Vec<Given>,
        filter: Option<Typed>,
        values: Vec<Given>,
        limit: u32,
    },
    /// Begins another automation, by its id, for each record that is found: for all of them, or for none when there are more
    /// than `limit`.
    Loop {
        entity: EntityIx,
        matching: Vec<Given>,
        filter: Option<Typed>,
        limit: u32,
        automation: String,
    },
    /// Makes one of some people the record's `field`.
    Assign {
        to: Vec<Audience>,
        by: Choosing,
        field: FieldIx,
    },
    /// Tells people something.
    Notify {
        to: Vec<Audience>,
        /// By language. Values are filled in for each reader, with what they may read.
        texts: Vec<(String, Title)>,
    },
    /// Sends an e-mail to each of some people.
    Email {
        to: Vec<Recipient>,
        /// Id of a template of the entity.
        template: String,
        /// Of those who are no people of this workspace.
        language: Language,
    },
    /// Asks people: makes an invitation for each and sends them an e-mail with its link.
    Survey {
        /// Full id.
        survey: String,
        to: Vec<Recipient>,
        template: String,
        language: Language,
    },
    /// Sends a message to endpoints, by their names.
    Webhook {
        to: Vec<String>,
        /// `deal.won`.
        kind: String,
        values: Vec<(String, Sent)>,
    },
    /// Position in `Catalog::scripts`.
    Script(usize),
    /// Where `condition` does not hold, the run goes on at `otherwise` instead of `next`.
    Branch {
        condition: Typed,
        otherwise: Option<usize>,
    },
    /// Goes on so many seconds later.
    Wait(i64),
    /// Goes on once `condition` holds; after so many seconds at `otherwise` instead of `next`.
    WaitFor {
        condition: Typed,
        seconds: i64,
        otherwise: Option<usize>,
    },
    /// Begins another automation for the record, by its id.
    Run(String),
    /// Converts the record, by the id of the conversion.
    Convert(String),
    /// Asks for an approval of the record, by its id, and waits until it is decided. Where it is not given, the run goes on at
    /// `otherwise`, or ends.
    Approval {
        approval: String,
        otherwise: Option<usize>,
        ends: bool,
    },
}

impl Act {
    /// The word of definitions.
    pub fn word(&self) -> &'static str {
        match self {
            Act::Set(_) => "set",
            Act::Create { .. } => "create",
            Act::Update { .. } => "update",
            Act::Loop { .. } => "loop",
            Act::Assign { .. } => "assign",
            Act::Notify { .. } => "notify",
            Act::Email { .. } => "email",
            Act::Survey { .. } => "survey",
            Act::Webhook { .. } => "webhook",
            Act::Script(_) => "script",
            Act::Branch { .. } => "branch",
            Act::Wait(_) => "wait",
            Act::WaitFor { .. } => "wait_for",
            Act::Run(_) => "run",
            Act::Convert(_) => "convert",
            Act::Approval { .. } => "approval",
        }
    }
}

/// Who is told something.
#[derive(Debug, Clone)]
pub enum Audience {
    /// Everybody with this role.
    Role(String),
    /// The person or the team that the expression gives.
    Expr(Typed),
}

/// Who is written to.
#[derive(Debug, Clone)]
pub enum Recipient {
    Address(String),
    /// A person of this workspace, or an address.
    Expr {
        value: Box<Typed>,
        /// The record that the address belongs to, where the expression is a path to it.
        holder: Option<Box<Typed>>,
    },
}

/// In which language somebody is written to.
#[derive(Debug, Clone)]
pub enum Language {
    /// The workspace's.
    Usual,
    Fixed(Locale),
    /// `zh-CN`; the workspace's where it gives none.
    Expr(Typed),
}

/// Which of several people is chosen.
#[derive(Debug, Clone)]
pub enum Choosing {
    /// One after the other.
    Turn,
    /// Who has the fewest records for which this holds (all live ones without a condition); of those, one after the other.
    Load(Option<Typed>),
}

/// A value of a message.
#[derive(Debug, Clone)]
pub enum Sent {
    Plain(serde_json::Value),
    Expr(Typed),
}

/// A field and the value it is given.
#[derive(Debug, Clone)]
pub struct Given {
    pub field: FieldIx,
    /// The type of the field in expressions.
    pub ty: Type,
    pub value: GivenValue,
}

#[derive(Debug, Clone)]
pub enum GivenValue {
    Plain(Value),
    /// About the record the automation runs on.
    Expr(Typed),
}

impl Automations {
    /// Notes what starts the automation that is added.
    pub fn add(&mut self, automation: Automation) {
        let at = self.all.len();
        let waited_for = automation.waited_for();
        let waits = automation.waits();
        if automation.start.is_of_no_event() && !waits {
            self.all.push(automation);
            return;
        }
        let starts = self.starts.entry(automation.entity).or_default();
        starts.waited_for.extend(waited_for);
        starts.has_waiting |= waits;
        let starts = self.starts.entry(automation.start.answers().unwrap_or(automation.entity)).or_default();
        match &automation.start {
            Start::Created => starts.created.push(at),
            Start::Deleted => starts.deleted.push(at),
            Start::Updated { watch } if watch.is_empty() => starts.updated.push(at),
            Start::Updated { watch } => watch.iter().for_each(|field| starts.by_field.entry(*field).or_default().push(at)),
            Start::Stage { field, from, .. } => {
                starts.by_field.entry(*field).or_default().push(at);
                if from.is_empty() {
                    starts.created.push(at);
                }
            }
            Start::Answered(answered) => starts.by_field.entry(answered.fields.state).or_default().push(at),
            Start::Schedule { .. } | Start::Due { .. } | Start::Clock { .. } | Start::Received(_) | Start::Called => {}
        }
        self.all.push(automation);
    }

    /// Some of them, in the same order.
    pub fn only(&self, is_kept: impl Fn(&Automation) -> bool) -> Self {
        let mut kept = Self::default();
        self.all.iter().filter(|automation| is_kept(automation)).for_each(|automation| kept.add(automation.clone()));
        kept
    }

    /// These, and all that their steps begin, directly or by way of others.
    pub fn with_called(&self, ids: &[String]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = ids.iter().map(String::as_str).collect();
        while let Some(id) = open.pop() {
            let Some(automation) = self.find(id).filter(|automation| found.insert(automation.id.clone())) else { continue };
            open.extend(automation.steps.iter().filter_map(|step| match &step.act {
                Act::Run(name) | Act::Loop { automation: name, .. } => Some(name.as_str()),
                _ => None,
            }));
        }
        found
    }

    pub fn find(&self, id: &str) -> Option<&Automation> {
        self.all.iter().find(|automation| automation.id == id)
    }
}

impl Automation {
    /// When the clock starts it.
    pub fn clock(&self) -> Option<&Clock> {
        match &self.start {
            Start::Schedule { clock, .. } | Start::Due { clock, .. } | Start::Clock { clock, .. } => Some(clock),
            _ => None,
        }
    }

    /// Whether runs of it may be under way for long.
    pub fn waits(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.act, Act::Wait(_) | Act::WaitFor { .. } | Act::Approval { .. }))
    }

    /// Fields of the record whose change may be what a run waits for.
    fn waited_for(&self) -> BTreeSet<FieldIx> {
        let conditions = self.steps.iter().filter_map(|step| match &step.act {
            Act::WaitFor { condition, .. } => Some(condition),
            _ => None,
        });
        conditions.flat_map(|condition| needs(condition).fields).collect()
    }
}
