//! The keys of what records go through: pipelines, approvals, pools, registrations, duplicate rules, conversions, service clocks, surveys, retention.

use super::KeyType::{Any, Bool, Calendar, Entity, Expr, Field, Int, Label, List, Many, MapOf, Name, Object, OneOf, Text};
use super::{KeySpec, key, must, with};

pub const RETENTION: &[KeySpec] = &[
    must("id", Name, "Name of the rule, unique in the entity."),
    must("days", Int(1, 36_500), "Days after `since` at which it is due."),
    with("since", Field, "updated_at", "A date or date-time of the record."),
    key("when", Expr, "Only records for which this holds."),
    must("action", OneOf(&["erase", "delete"]), "`erase` removes personal values for good; `delete` deletes the record."),
];

pub const APPROVAL_STEP: &[KeySpec] = &[
    must("id", Name, "Name of the step, unique in the approval."),
    key("label", Label, "What people read; made from the id when left out."),
    key("when", Expr, "The step is passed over where this does not hold."),
    key("by", Many(&Expr), "Who decides: expressions that give a person or a team, `owner.manager`."),
    key("roles", Many(&Name), "Who decides: people with these roles."),
    with("need", Any, "any", "How many must approve: `any`, `all` or a number. One who rejects ends it."),
    key("due", Text, "How long they have: `2d`, `12h` or `45m`."),
    with("on_timeout", OneOf(&["escalate", "reject"]), "escalate", "What happens when the time is over."),
    key("escalate", Many(&Expr), "Who is asked then, and where nobody is left who may decide; administrators when left out."),
    key("escalate_roles", Many(&Name), "The same, by role."),
];

pub const APPROVAL: &[KeySpec] = &[
    must("id", Name, "Name of the approval, unique in the entity; gates and automations name it."),
    key("label", Label, "What is decided, as people read it; made from the id when left out."),
    key("when", Expr, "It is needed only where this holds: others cannot ask for it, and gates do not wait for it there."),
    must(
        "fields",
        List(&Field),
        "What is decided on: locked while it runs. An approval counts while these hold the values that were seen.",
    ),
    key("ask", Many(&Name), "Roles that may ask; everybody who may change the record when left out."),
    with("own", Bool, "false", "Whoever asked may decide too."),
    must("steps", List(&Object(APPROVAL_STEP)), "Who decides, one step after the other."),
    key("approved", MapOf(&Any), "Values by field that the record is given when it is approved; `=` and an expression, or a value."),
    key("rejected", MapOf(&Any), "Values by field that the record is given when it is rejected."),
];

pub const HOLD_CAP: &[KeySpec] = &[
    key("roles", Many(&Name), "For people with one of these roles; everybody when left out."),
    key("when", Expr, "For people of whom this holds, `team is null`."),
    must("most", Int(0, 1_000_000), "How many records of the pool one of them may hold."),
];

pub const POOL_ACTIVITY: &[KeySpec] = &[
    key("fields", List(&Field), "A change of one of these fields by whoever holds the record."),
    key("entity", Entity, "A new record of this entity made by whoever holds the record."),
    key("by", Field, "Its link that leads to the record."),
];

pub const HAND_OUT: &[KeySpec] = &[
    with("by", OneOf(&["turns", "load"]), "turns", "To whoever was given something longest ago, or to whoever holds least."),
    with("auto", Bool, "false", "By itself, each time pools are looked after; otherwise when a manager says so."),
];

pub const POOL: &[KeySpec] = &[
    must("id", Name, "Name of the pool, unique in the entity."),
    key("label", Label, "What people read; made from the id when left out."),
    key("when", Expr, "Which records belong to it; of several pools the first one that holds."),
    key("roles", Many(&Name), "Who sees what is in it and may claim it; everybody when left out."),
    key("managers", Many(&Name), "Who hands out, takes back and assigns against a protection; administrators always may."),
    must("show", List(&Field), "What is shown of a record in it."),
    key("caps", List(&Object(HOLD_CAP)), "How many records one person may hold: the first that fits the person."),
    key("claims_per_day", Int(1, 1_000_000), "How many records one person may claim on one day."),
    key("protect", Text, "For how long nobody takes a record away from whoever has just got it: `3d`."),
    key("reclaim", Text, "After how long without activity a record goes back: `14d`."),
    key("warn", Text, "How long before that its holder is told: `2d`."),
    key("activity", List(&Object(POOL_ACTIVITY)), "What counts as activity, besides getting the record."),
    key("cool_down", Text, "For how long whoever had a record may not have it again: `30d`."),
    key("hand_out", Object(HAND_OUT), "Records are given to people who may claim them."),
];

pub const EXTENDED: &[KeySpec] = &[must("by", Text, "By how long: `30d`."), with("most", Int(1, 100), "1", "How often.")];

pub const REGISTRATION: &[KeySpec] = &[
    must("id", Name, "Name of the registration, unique in the entity."),
    key("label", Label, "What people read; made from the id when left out."),
    key("when", Expr, "Which records it can be filed on."),
    key("roles", Many(&Name), "Who files; everybody who may change the record when left out."),
    key("arbiters", Many(&Name), "Who decides where claims meet; administrators always may."),
    must("rules", Many(&Name), "Duplicate rules of the entity that say which records are the same."),
    must("protect", Text, "For how long nobody else may register the same: `90d`."),
    key("warn", Text, "How long before the end whoever filed is told: `7d`."),
    key("extend", Object(EXTENDED), "The protection can be extended."),
    with("conflict", OneOf(&["decide", "refuse"]), "decide", "A claim that meets another one is decided by somebody, or refused."),
    with("review", Bool, "false", "Every claim is decided by somebody."),
    with("expose", Bool, "false", "Whoever is refused learns who was first, and until when."),
];

pub const MATCH: &[KeySpec] = &[
    must("field", Field, "The field whose values are compared; records without a value have no duplicate."),
    with(
        "by",
        OneOf(&["exact", "normalised", "company", "fuzzy", "pinyin"]),
        "normalised",
        "When two values are alike: the same; the same but for case, width, punctuation (telephones: by their digits); as names of companies without legal forms; those within `edits`; said the same.",
    ),
    key("edits", Int(1, 3), "For `fuzzy`: characters by which they may differ, 2 when left out."),
];

pub const DUPLICATE: &[KeySpec] = &[
    must("id", Name, "Name of the rule, unique in the entity."),
    key("label", Label, "What people call it; made from the id when left out."),
    must("match", List(&Object(MATCH)), "Conditions, all of which must hold."),
    with("then", OneOf(&["warn", "refuse"]), "warn", "Whoever saves a duplicate is asked, or it is refused."),
    with(
        "among",
        OneOf(&["readable", "all"]),
        "readable",
        "Whether records count that the one who saves may not read; only with `refuse`.",
    ),
    key("message", Label, "What a person reads."),
];

pub const STAGE_TASK: &[KeySpec] = &[
    must("id", Name, "Name of the task, unique in the pipeline."),
    must("subject", Label, "What is to be done."),
    key("due", Expr, "The day it is due, for example `today() + 3`."),
    key("assignee", Expr, "Who does it, for example `account.owner`; the record's owner when left out."),
    with("required", Bool, "false", "It must be done before the record goes on to a later stage or is won."),
];

pub const STAGE: &[KeySpec] = &[
    must("key", Text, "An option of the field; its name and colour are the option's."),
    key("probability", Int(0, 100), "How likely it is to be won from here, in percent."),
    key("max_days", Int(1, 3650), "Days a record should stay at most."),
    key("guidance", Label, "What people are told to do here."),
    key("fields", List(&Field), "Key fields, shown beside the guidance."),
    key("closed", Name, "The outcome, where it ends here: `won`, `lost` or a name of one's own."),
    key("reason", Field, "The field that says why; it must hold something to come here."),
    with("retired", Bool, "false", "Kept for records that stand in it; nothing moves here."),
    key("tasks", List(&Object(STAGE_TASK)), "Tasks that a record gets when it comes here."),
];

pub const MOVE: &[KeySpec] = &[
    with("from", Many(&Text), "*", "Stages it leads from."),
    must("to", Many(&Text), "Stages it leads to; `*` is any."),
    key("roles", Many(&Name), "Roles that may make it; everybody when left out."),
];

pub const REQUIREMENT: &[KeySpec] = &[
    key("fields", List(&Field), "Fields that must hold something."),
    key("expr", Expr, "Must be true."),
    key("message", Label, "What a person reads where `expr` does not hold."),
    key("tasks", Many(&Text), "Tasks of stages that must be done; `all` are those of the stage that is left."),
    key("approval", Name, "An approval of the entity that must be given."),
    key("registration", Name, "A registration of the entity: a claim on the record must be protected."),
];

pub const GATE: &[KeySpec] = &[
    must("id", Name, "Name of the gate, unique in the pipeline."),
    with("from", Many(&Text), "*", "Only moves from these stages."),
    must("to", Many(&Text), "Moves to these stages, and records made in them; `*` is any."),
    key("when", Expr, "It is looked at only where this holds."),
    must("require", List(&Object(REQUIREMENT)), "What must hold."),
];

pub const PIPELINE: &[KeySpec] = &[
    must("id", Name, "Name of the pipeline, unique in the entity."),
    key("label", Label, "What people read; made from the id when left out."),
    must("field", Field, "The select that holds the stage."),
    key("when", Expr, "Only records for which this holds follow it; of several pipelines over one field the first one that holds."),
    must("stages", List(&Object(STAGE)), "Stages in order; those that close come last."),
    key("start", Many(&Text), "Stages a new record may be made in; any when left out."),
    with("skip", Bool, "true", "Open stages may be passed over."),
    with("back", Bool, "true", "A record may go back to an earlier stage, or be opened again."),
    key("moves", List(&Object(MOVE)), "The moves there are; all that the order allows when left out."),
    key("gates", List(&Object(GATE)), "What must hold for a move."),
    key("override", Many(&Name), "Roles that may move against the order and the gates, with a reason."),
    key("amount", Field, "A money or number that is summed per stage; the first money when left out, nothing when `null`."),
];

pub const CONVERSION_ROWS: &[KeySpec] = &[
    must("from", Field, "Records below the one that is converted: a field of type `children`."),
    must("into", Name, "Where they are made below the target: its field of type `children`."),
    key("when", Expr, "Only records for which this holds."),
    must("values", MapOf(&Any), "Values by field of what is made: `=` and a field or an expression about the record below, or a value."),
];

pub const CONVERSION_TARGET: &[KeySpec] = &[
    must("id", Name, "Name of the target, unique in the conversion; links and requests say it."),
    key("label", Label, "What people read; the entity's label when left out."),
    must("entity", Entity, "What is made."),
    key("when", Expr, "It is made only where this holds of the record that is converted."),
    with("optional", Bool, "false", "Whoever converts may leave it out."),
    with(
        "existing",
        OneOf(&["ask", "use", "never"]),
        "ask",
        "Whether a record that is there may stand for it: whoever converts says so, the only one that looks the same is taken, never.",
    ),
    with("fill", Bool, "false", "What an existing record has not is filled in, where whoever converts may change it."),
    key("values", MapOf(&Any), "Values by field of what is made: `=` and a field or an expression about the record, or a value."),
    key("links", MapOf(&Name), "Links by field of what is made: the id of another target before it, or `record`."),
    key("rows", List(&Object(CONVERSION_ROWS)), "What is made below a new one, of what is below the record that is converted: lines."),
];

pub const CARRY: &[KeySpec] = &[
    must("entity", Entity, "Records that lead to the one that is converted."),
    must("field", Name, "By this link."),
    key("into", Name, "The link that leads to the target then; the same one when left out."),
    must("to", Many(&Name), "The target they lead to then; of several the first that is there."),
];

pub const CONVERSION: &[KeySpec] = &[
    must("id", Name, "Name of the conversion, unique in the entity."),
    key("label", Label, "What people read; made from the id when left out."),
    key("when", Expr, "It is offered only where this holds."),
    must("targets", List(&Object(CONVERSION_TARGET)), "What the record becomes, in the order in which it is made."),
    key("set", MapOf(&Any), "Values by field that the record itself is given; `=` and an expression, or a value."),
    key("links", MapOf(&Name), "Links by field of the record itself: the id of a target."),
    key("carry", List(&Object(CARRY)), "What leads to a target afterwards: tasks, activities, files."),
    key("shares", Name, "The target that gets the shares of the record, where it is made."),
    key("edit", Many(&Name), "Roles that may still change a converted record; only administrators when left out."),
    with("again", Bool, "false", "The record goes on as it is: it can be changed, and converted again."),
];

pub const CLOCK_TARGET: &[KeySpec] = &[
    key("when", Expr, "It is for records for which this holds; of several the first one that holds."),
    must("time", Text, "Working time, `4h`, `30m` or `1h30m`."),
    key("calendar", Calendar, "The hours it is counted in, where they are others than the clock's."),
];

pub const CLOCK: &[KeySpec] = &[
    must(
        "id",
        Name,
        "Name of the clock, unique in the entity: `response` is kept in `response_state`, `response_due`, `response_spent` and `response_since`.",
    ),
    key("label", Label, "What people read; made from the id when left out."),
    with("calendar", Calendar, "always", "The hours it is counted in: a document of `kind: calendar`; `always` is round the clock."),
    must("targets", List(&Object(CLOCK_TARGET)), "Time limits; a record for which none holds has none."),
    key("start", Expr, "It begins once this holds; with the record when left out."),
    must("stop", Expr, "It is stopped where this holds."),
    key("pause", Expr, "It is on hold while this holds."),
    with(
        "reopen",
        OneOf(&["resume", "restart"]),
        "resume",
        "Where `stop` holds no more it goes on with the time that was left, or begins anew.",
    ),
];

pub const QUESTION: &[KeySpec] = &[
    must("field", Field, "The field of the answer that holds what is answered; its type says how it is asked."),
    key("kind", OneOf(&["nps", "csat"]), "Of an `integer`: `nps` is 0 to 10, `csat` 1 to 5; `csat` also of a `rating`."),
    key("label", Label, "What is asked; the label of the field when left out."),
    key("help", Label, "A line below it."),
    key("low", Label, "What the lowest value of a scale means."),
    key("high", Label, "What the highest value of a scale means."),
    with("required", Bool, "false", "It must be answered."),
    key("when", Expr, "It is asked only where this holds of the answers so far."),
];
