//! The kinds of document and their keys.

use super::KeyType::{
    Any, Bool, Calendar, Date, Entity, Expr, Field, FieldOr, Fields, Int, Label, List, Many, MapOf, Name, Number, Object, OneOf, Picklist,
    SortField, Steps, Text, Trigger,
};
use super::process::{APPROVAL, CLOCK, CONVERSION, DUPLICATE, PIPELINE, POOL, QUESTION, REGISTRATION, RETENTION};
use super::{KeySpec, Kind, key, later, must, with};

const KIND: KeySpec = must("kind", Text, "What this document describes.");
const FORMAT: KeySpec = with("format", OneOf(&["relata/v1"]), "relata/v1", "Version of the language of definitions.");
const UID: KeySpec = key("uid", Text, "Identity that survives renames; given at the first apply when it is left out.");
const FOR: KeySpec = must("for", Entity, "The entity it belongs to.");

pub const FEATURES: &[KeySpec] = &[
    with("owner", Bool, "true", "Records have an owner (a user)."),
    with("history", Bool, "true", "Changes of fields are recorded."),
    with("soft_delete", Bool, "true", "Deleted records go to the recycle bin."),
    key("search", Bool, "Offered in global search; by default when a field has `search: true`."),
    later("attachments"),
    later("tasks"),
    later("comments"),
];

pub const UNIQUE: &[KeySpec] = &[
    key("name", Name, "Name in messages and in upserts; made from the fields when left out."),
    must("fields", List(&Field), "Fields that together must differ between live records."),
    key("where", Expr, "Only records for which this holds count."),
    key("message", Label, "What a person reads when it is violated."),
];

pub const INDEX: &[KeySpec] = &[must("fields", List(&Field), "Fields of the index, in order."), later("where")];

pub const RULE: &[KeySpec] = &[
    must("id", Name, "Name of the rule, unique in the entity."),
    must("assert", Expr, "Must be true for a record to be saved."),
    key("when", Expr, "The rule is checked only where this holds."),
    key("at", Field, "The field the message stands at."),
    key("code", Name, "Stable code of the fault for programs; the rule's id when left out."),
    key("message", Label, "What a person reads."),
];

pub const VIEW: &[KeySpec] = &[
    must("id", Name, "Name of the view, unique in the entity."),
    key("label", Label, "Its name in the list of views."),
    with("type", OneOf(&["list"]), "list", "How records are shown."),
    key("columns", List(&Field), "Fields shown, in order."),
    key("filter", Expr, "Which records it shows."),
    key("sort", List(&SortField), "Order: fields, `-` in front for descending."),
    later("by"),
    later("card"),
    later("sum"),
];

pub const LAYOUT_FIELD: &[KeySpec] = &[
    must("field", Field, "The field."),
    key("widget", Name, "Another widget than the type's."),
    key("visible_if", Expr, "Shown only where this holds."),
];

pub const SECTION: &[KeySpec] = &[
    must("id", Name, "Name of the section."),
    key("label", Label, "Heading."),
    with("columns", Int(1, 4), "2", "Number of columns."),
    must("fields", List(&FieldOr(LAYOUT_FIELD)), "Fields in order."),
    key("visible_if", Expr, "Shown only where this holds."),
];

pub const TAB: &[KeySpec] = &[
    must("id", Name, "Name of the tab."),
    key("label", Label, "Heading."),
    key("sections", List(&Object(SECTION)), "Groups of fields."),
    key("related", Field, "A children or links field shown as a list instead of sections."),
    key("columns", List(&Name), "Columns of the related list: fields of the related entity."),
    with(
        "inline_edit",
        Bool,
        "true",
        "Rows that go with the record are entered in its form, too; `false` for rows with a form of their own.",
    ),
];

pub const HEADER: &[KeySpec] = &[key("fields", List(&Field), "Key fields beside the title."), later("path")];

pub const LAYOUT: &[KeySpec] = &[
    must("id", Name, "Name of the layout."),
    key("header", Object(HEADER), "The highlights above the tabs."),
    must("tabs", List(&Object(TAB)), "Tabs in order."),
];

pub const BUTTON: &[KeySpec] = &[
    must("id", Name, "Name of the button; the action's name in the API."),
    key("label", Label, "Its text."),
    key("visible_if", Expr, "Offered only where this holds."),
    key("script", Name, "Id of the script it runs."),
    key("automation", Name, "In place of a script: id of an automation of the entity with `trigger: {event: called}`, which it begins."),
];

pub const LIMITS: &[KeySpec] =
    &[key("ops", Int(1000, 50_000_000), "Operations of one run."), key("ms", Int(1, 60_000), "Milliseconds of one run.")];

pub const SCRIPT: &[KeySpec] = &[
    must("id", Name, "Name of the script."),
    UID,
    key("file", Text, "The rhai file, relative to the package's folder."),
    key("source", Text, "The script itself, instead of a file."),
    must("trigger", Trigger, "When it runs."),
    key("watch", List(&Field), "Runs only when one of these fields changed."),
    key("when", Expr, "Runs only where this holds."),
    with("priority", Int(-1000, 1000), "0", "Scripts of one event run in order of priority, small numbers first."),
    key("limits", Object(LIMITS), "Limits of one run instead of the trigger's."),
    key("tests", Text, "Its file of tests."),
    later("run_as"),
];

pub const OPTION: &[KeySpec] = &[
    must("key", Text, "Stored and sent by the API; never changes."),
    UID,
    key("label", Label, "What people read; made from the key when left out."),
    key("hue", Int(0, 9), "One of ten colors; by position when left out."),
    with("retired", Bool, "false", "Kept for old records, no longer offered."),
];

pub const DEPENDS_ON: &[KeySpec] = &[
    must("field", Field, "A select of the same record."),
    must("allow", MapOf(&List(&Text)), "For each of its keys the keys offered here."),
];

pub const ENTITY: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Entity, "`package.name`, or the name alone inside its package; the name stands in URLs and expressions."),
    UID,
    key("was", Entity, "Its former id: what is stored under it stays."),
    key(
        "slug",
        Name,
        "Its short name in URLs, expressions of requests, scripts and OpenAPI, unique in the workspace; the last part of the id when left out.",
    ),
    key("label", Label, "Name of one record; made from the id when left out."),
    key("label_plural", Label, "Name of several records."),
    key("description", Label, "What it is for."),
    key("icon", Text, "Name of an icon."),
    key("title", Text, "Title of a record: text with fields in braces, `{number} · {name}`."),
    key("features", Object(FEATURES), "What every record of it can do."),
    with("concurrency", OneOf(&["optional", "required"]), "optional", "`required`: changes without If-Match are refused."),
    must("fields", Fields, "Its fields, by name."),
    key("unique", List(&Object(UNIQUE)), "Combinations of fields that must be unique."),
    key("indexes", List(&Object(INDEX)), "Indexes for lists and filters."),
    key("rules", List(&Object(RULE)), "Validations."),
    key("retention", List(&Object(RETENTION)), "How long records are kept, and what becomes of them then."),
    key("duplicates", List(&Object(DUPLICATE)), "Which records are taken for the same."),
    key("views", List(&Object(VIEW)), "Saved lists."),
    key("layouts", List(&Object(LAYOUT)), "How a record's page and form are arranged."),
    key("buttons", List(&Object(BUTTON)), "Actions that run a script."),
    key("scripts", List(&Object(SCRIPT)), "Scripts on its events."),
    key("approvals", List(&Object(APPROVAL)), "Decisions that are asked for."),
    key("pools", List(&Object(POOL)), "Public pools: records without an owner that people claim."),
    key("registrations", List(&Object(REGISTRATION)), "Claims that are filed on records."),
    key("pipelines", List(&Object(PIPELINE)), "Stages, moves and gates."),
    key("conversions", List(&Object(CONVERSION)), "What its records may become."),
    key("clocks", List(&Object(CLOCK)), "Service clocks: how long something may take."),
    later("automations"),
    later("permissions"),
    later("reports"),
    later("tests"),
];

pub const EXTENSION: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("of", Entity, "The entity of another package it adds to."),
    key("slug", Name, "Another short name for it, where two packages have one of the same name."),
    key("fields", Fields, "Fields added."),
    key("options", MapOf(&List(&FieldOr(OPTION))), "Options added to selects it has, by field."),
    key("unique", List(&Object(UNIQUE)), "Combinations that must be unique."),
    key("indexes", List(&Object(INDEX)), "Indexes added."),
    key("rules", List(&Object(RULE)), "Validations added."),
    key("retention", List(&Object(RETENTION)), "Rules about how long records are kept, added."),
    key("duplicates", List(&Object(DUPLICATE)), "Rules about duplicates, added."),
    key("views", List(&Object(VIEW)), "Views added, or replaced by the same id."),
    key("layouts", List(&Object(LAYOUT)), "Layouts added, or replaced by the same id."),
    key("buttons", List(&Object(BUTTON)), "Buttons added."),
    key("scripts", List(&Object(SCRIPT)), "Scripts added."),
    key("approvals", List(&Object(APPROVAL)), "Approvals added, or replaced by the same id."),
    key("pools", List(&Object(POOL)), "Public pools added, or replaced by the same id."),
    key("registrations", List(&Object(REGISTRATION)), "Registrations added, or replaced by the same id."),
    key("pipelines", List(&Object(PIPELINE)), "Pipelines added, or replaced by the same id."),
    key("conversions", List(&Object(CONVERSION)), "Conversions added, or replaced by the same id."),
    key("clocks", List(&Object(CLOCK)), "Service clocks added, or replaced by the same id."),
    later("automations"),
    later("permissions"),
    later("reports"),
];

pub const PACKAGE: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Name, "Name of the package; the first part of its ids."),
    with("version", Text, "0.0.0", "Version, `major.minor.patch`."),
    key("label", Label, "Its name."),
    key("description", Label, "What it is for."),
    key("depends", List(&Name), "Packages whose definitions it names; `core` always."),
    key("capabilities", Any, "What its scripts ask for, `http: [host]`."),
    key("engine", Text, "Versions of Relata it was written for."),
    later("settings"),
];

pub const PICKLIST: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Picklist, "`package.name`, or the name alone."),
    UID,
    key("label", Label, "Its name."),
    must("options", List(&FieldOr(OPTION)), "Options in order: keys, or objects."),
];

pub const WEEK: &[KeySpec] = &[
    key("mon", Many(&Text), "Monday: `09:00-18:00`, or several in a list; closed when left out."),
    key("tue", Many(&Text), "Tuesday."),
    key("wed", Many(&Text), "Wednesday."),
    key("thu", Many(&Text), "Thursday."),
    key("fri", Many(&Text), "Friday."),
    key("sat", Many(&Text), "Saturday."),
    key("sun", Many(&Text), "Sunday."),
];

pub const HOLIDAY: &[KeySpec] = &[
    must("on", Date, "The day, or the first one."),
    key("until", Date, "The last one."),
    key("hours", Many(&Text), "Hours in which work goes on nevertheless."),
    key("label", Label, "Its name."),
];

pub const WORKDAY: &[KeySpec] = &[
    must("on", Date, "The day: work goes on, whatever the weekday."),
    key(
        "as",
        OneOf(&super::super::resolve::calendars::WEEKDAYS),
        "With the hours of this weekday; of the first that has any when left out.",
    ),
    key("hours", Many(&Text), "With hours of its own."),
    key("label", Label, "Its name."),
];

pub const CALENDAR: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Calendar, "`package.name`, or the name alone; service clocks name it."),
    key("label", Label, "Its name."),
    key("time_zone", Text, "IANA name of its time zone; the workspace's when left out."),
    must("week", Object(WEEK), "Hours of each weekday."),
    key("holidays", List(&Object(HOLIDAY)), "Days on which nobody works."),
    key("workdays", List(&Object(WORKDAY)), "Days on which people work instead."),
];

pub const PERMISSION_FIELDS: &[KeySpec] = &[
    key("read", List(&Field), "Only these fields are read; all when left out. Id, version, stamps and owner always are."),
    key("hide", List(&Field), "All fields are read but these."),
    key("write", List(&Field), "Only these fields are written; all that are read when left out."),
    key("read_only", List(&Field), "All fields that are read are written but these."),
];

pub const PERMISSION: &[KeySpec] = &[
    key("rows", Expr, "Which records the role concerns at all; the actions narrow it further."),
    with("read", Expr, "true", "Reading: `true`, `false`, or the condition under which."),
    with("create", Expr, "false", "Creating: the condition is about the new record."),
    with("update", Expr, "false", "Changing: the condition is about the record as it is before."),
    with("delete", Expr, "false", "Deleting, and bringing back from the recycle bin."),
    key("inherit", Field, "A link: whoever reads the linked record reads this one, whoever changes it writes this one."),
    key("fields", Object(PERMISSION_FIELDS), "Which fields."),
    with("share", Expr, "false", "Sharing the record with others, as far as one may read and change it."),
    with("admin", Expr, "false", "Looking after who may what: seeing and ending the shares of others, asking why somebody may."),
    with("export", Expr, "false", "Taking records out many at once, as a file."),
    with("import", Expr, "false", "Bringing records in many at once, as a file: the condition is about the record as the file left it."),
];

pub const ROLE: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Name, "Name of the role: the key of the option in `core.user.roles`."),
    key("label", Label, "What people read."),
    key(
        "permissions",
        MapOf(&FieldOr(PERMISSION)),
        "What it allows, by entity; `*` stands for all that are not named. `none`, `read`, `write` (read, create, update) or `all`, or a mapping.",
    ),
];

pub const STEP: &[KeySpec] = &[
    key("id", Name, "Name of the step, unique in the automation; made from its place when left out."),
    must(
        "do",
        OneOf(&[
            "set", "create", "task", "update", "notify", "email", "webhook", "script", "branch", "wait", "wait_for", "run", "loop",
            "assign", "approval", "convert", "survey",
        ]),
        "What it does.",
    ),
    key("entity", Entity, "`create`, `update`, `loop`: the entity of the records."),
    key(
        "values",
        MapOf(&Any),
        "`set`, `create`, `task`, `update`: values by field, `webhook`: by any name; one that begins with `=` is an expression about the record the automation runs on.",
    ),
    key("match", MapOf(&Any), "`update`, `loop`: records whose fields hold these values, written as in `values`."),
    key("where", Expr, "`update`, `loop`: records for which this holds."),
    key("limit", Int(1, 1000), "`update`, `loop`: with more records than this the step is refused; 100 when left out."),
    key("due_in", Int(0, 3650), "`task`: days until it is due."),
    key(
        "to",
        Many(&Text),
        "`notify`, `assign`: who is told, or of whom one is chosen: names of roles, or `=` and an expression that gives a person or a team; `email`, `survey`: addresses, or `=` and an expression that gives a person or an address; `webhook`: names of endpoints.",
    ),
    key("text", Label, "`notify`: what they are told; `{name}` stands for the value of a field of the record."),
    key("template", Name, "`email`, `survey`: id of a template of the entity."),
    key("survey", Name, "`survey`: id of a survey about the entity."),
    key(
        "language",
        Text,
        "`email`, `survey`: `en`, `zh-CN`, `zh-TW`, or `=` and an expression that gives one; people of this workspace are written to in their own. The survey's, or the workspace's, when left out.",
    ),
    key("type", Text, "`webhook`: the type of the message, `deal.won`; the automation's id when left out."),
    key("script", Name, "`script`: id of a script of the entity with `trigger: automation`."),
    key("time", Text, "`wait`, `wait_for`: how long, `30d`, `12h` or `45m`."),
    key("automation", Name, "`run`, `loop`: id of an automation of the record's entity with `trigger: {event: called}`."),
    key("by", OneOf(&["turn", "load"]), "`assign`: one after the other, or who has the fewest records; `turn` when left out."),
    key("field", Field, "`assign`: the field that holds a person; `owner` when left out."),
    key("open", Expr, "`assign` by `load`: which records count; all live ones when left out."),
    key("approval", Name, "`approval`: id of an approval of the entity; the run waits until it is decided."),
    key("conversion", Name, "`convert`: id of a conversion of the entity."),
    key("if", Expr, "`branch`: what decides; `wait_for`: what it waits for."),
    key("then", Steps, "`branch`: steps where it holds; `approval`: steps where it is approved."),
    key(
        "else",
        Steps,
        "`branch`: steps where it does not; `wait_for`: steps where the time is over before; `approval`: steps where it is not approved, without them the run ends.",
    ),
];

pub const START: &[KeySpec] = &[
    must(
        "event",
        OneOf(&["created", "updated", "deleted", "stage", "schedule", "due", "clock", "answered", "received", "called"]),
        "What happens to a record, or at what time.",
    ),
    key("watch", List(&Field), "`updated`: only when one of these fields changed."),
    key("pipeline", Name, "`stage`: the pipeline; the entity's only one when left out."),
    key("from", Many(&Text), "`stage`: only out of these stages."),
    key("to", Many(&Text), "`stage`: only into these stages."),
    key("cron", Text, "`schedule`: five cron fields, `0 8 * * 1-5`."),
    key("tz", Text, "`schedule`, `due`: IANA time zone; the workspace's when left out."),
    key(
        "missed",
        OneOf(&super::super::catalog::Missed::WORDS),
        "`schedule`: what becomes of times at which nothing ran; `once` when left out.",
    ),
    key("field", Field, "`due`: a date or date-time of the record."),
    key("days", Int(-3650, 3650), "`due`: so many days later, or before where it is negative; the same day when left out."),
    key("hours", Int(-23, 23), "`due`: and so many hours, for a date-time."),
    key("at", Text, "`due`: the time of the day, for a date: `08:00`; midnight when left out."),
    key("clock", Name, "`clock`: the service clock; it begins when its time is over."),
    key("before", Text, "`clock`: so much working time before, `30m` or `1h`."),
    key("after", Text, "`clock`: so much working time after."),
    key(
        "match",
        MapOf(&Any),
        "`received`: fields by which the record of a message is found, with their paths in it, `order.id`; one is made where there is none.",
    ),
    key("values", MapOf(&Any), "`received`: what fields of the record take: paths in the message, or `{value: …}` as it is written."),
    key("survey", Name, "`answered`: the survey about the entity; `when` is about the answer then."),
    key("limit", Int(1, 10_000), "`schedule`, `due`, `clock`: with more records than this it does not begin; 1000 when left out."),
];

pub const AUTOMATION: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Name, "Name of the automation, unique in its package."),
    FOR,
    key("label", Label, "What administrators read; made from the id when left out."),
    must("trigger", Object(START), "What starts it."),
    key("when", Expr, "It runs only where this holds, about the record as the event left it; `old` is what it was before."),
    key("run_as", Many(&Name), "Roles whose rights it has; those of whoever made the change when left out."),
    with(
        "per_minute",
        Int(1, 100_000),
        "1000",
        "Runs that may begin in one minute; with one more it is paused and administrators are told.",
    ),
    must("steps", Steps, "What it does, in order."),
];

pub const TEMPLATE: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Name, "Name of the template, unique in its package."),
    FOR,
    key("label", Label, "What administrators read; made from the id when left out."),
    must("subject", Label, "The subject; `{{ name }}` stands for a value."),
    must("text", Label, "The e-mail as plain text."),
    key("html", Label, "The same as HTML, for programs that show it; values are escaped."),
    key("values", MapOf(&Expr), "Further values by name: expressions about the record."),
];

pub const SURVEY: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Name, "Name of the survey, unique in its package."),
    must("for", Entity, "The entity it asks about."),
    key("label", Label, "What people of the workspace read; made from the id when left out."),
    must("answers", Entity, "The entity whose records are its answers."),
    key("about", Name, "The link of an answer to the record asked about; the only one when left out."),
    key("when", Expr, "Nobody is asked about a record for which this does not hold."),
    key(
        "values",
        MapOf(&Any),
        "What an answer holds from the beginning, by field; one that begins with `=` is an expression about the record asked about.",
    ),
    key("title", Label, "The heading of its page; the label when left out."),
    key("intro", Label, "What stands above the questions."),
    key("thanks", Label, "What is said afterwards."),
    key("language", Text, "`en`, `zh-CN`, `zh-TW`, or `=` and an expression that gives one; the workspace's when left out."),
    with("expires", Text, "30d", "For how long a link is open, `14d` or `48h`."),
    key("again_after", Text, "How long nobody is asked again, `30d`; they are asked each time when left out."),
    key("per", Name, "Whom that holds for: a link of the answer that `values` fill; the record asked about when left out."),
    with("edit", Bool, "false", "Answers may be changed until the link expires."),
    must("run_as", Many(&Name), "Roles whose rights answers are saved with."),
    must("questions", List(&Object(QUESTION)), "What is asked, in order."),
];

pub const APP: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("id", Text, "Name of the group."),
    key("label", Label, "Heading in the sidebar."),
    must("entities", List(&Entity), "Entities in order."),
];

pub const I18N_FIELD: &[KeySpec] = &[
    key("label", Text, "Label of the field."),
    key("help", Text, "Help text."),
    key("placeholder", Text, "Placeholder."),
    key("options", MapOf(&Text), "Labels of options, by key."),
];

pub const I18N_PIPELINE: &[KeySpec] = &[
    key("label", Text, "Name of the pipeline."),
    key("guidance", MapOf(&Text), "What people are told to do in a stage, by its key."),
    key("tasks", MapOf(&Text), "What is to be done, by the id of the task."),
    key("gates", MapOf(&Many(&Text)), "Messages of gates, by id: those of its expressions, in their order."),
];

pub const I18N_APPROVAL: &[KeySpec] =
    &[key("label", Text, "Name of the approval."), key("steps", MapOf(&Text), "Names of its steps, by id.")];

pub const I18N_ENTITY: &[KeySpec] = &[
    key("label", Text, "Name of one record."),
    key("label_plural", Text, "Name of several records."),
    key("description", Text, "What it is for."),
    key("fields", MapOf(&FieldOr(I18N_FIELD)), "Fields: a label, or an object."),
    key("views", MapOf(&Text), "Labels of views, by id."),
    key("buttons", MapOf(&Text), "Labels of buttons, by id."),
    key("rules", MapOf(&Text), "Messages of rules, by id."),
    key("approvals", MapOf(&Object(I18N_APPROVAL)), "Texts of approvals, by id."),
    key("duplicates", MapOf(&Text), "Messages of duplicate rules, by id."),
    key("conversions", MapOf(&Text), "Labels of conversions, by id."),
    key("pools", MapOf(&Text), "Names of pools, by id."),
    key("registrations", MapOf(&Text), "Names of registrations, by id."),
    key(
        "pipelines",
        MapOf(&Object(I18N_PIPELINE)),
        "Texts of pipelines, by id; the names of stages are those of the options of their field.",
    ),
];

pub const I18N: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("locale", Text, "The language, `zh-CN`."),
    key("entities", MapOf(&Object(I18N_ENTITY)), "Texts of entities, by id."),
    key("picklists", MapOf(&MapOf(&Text)), "Labels of shared options, by picklist and key."),
];

pub const RATE: &[KeySpec] = &[
    must("currency", Text, "Code of the foreign currency."),
    must("from", Date, "First day it holds."),
    must("rate", Number, "What one unit is worth in the workspace's currency."),
];

pub const RATES: &[KeySpec] = &[KIND, FORMAT, must("rates", List(&Object(RATE)), "Dated rates.")];

pub const DATA: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("entity", Entity, "The entity of the records."),
    must("records", List(&Any), "Records: fields by name, and `key`, the record's stable name in this package."),
];

pub const WORKSPACE: &[KeySpec] = &[
    key("kind", Text, "`workspace`."),
    FORMAT,
    with("name", Text, "Relata", "Name shown in the head of every page."),
    with("currency", Text, "USD", "The workspace's currency."),
    with("locale", OneOf(&["en", "zh-CN", "zh-TW"]), "en", "Language where a person chose none."),
    with("time_zone", Text, "UTC", "IANA name of the time zone of `today()`."),
    with("fiscal_year_start", Int(1, 12), "1", "First month of the fiscal year."),
    key("server", Any, "Settings of the server; not part of the definitions."),
];

pub const IMPORT: &[KeySpec] = &[
    KIND,
    FORMAT,
    must("into", Entity, "The entity rows become."),
    key("match", Many(&Name), "Fields that find an existing record."),
    key("existing", Text, "What happens to a record that is found."),
    key("columns", Any, "Columns of the file to fields."),
    key("links", Any, "Linked records made from the same row."),
    key("options", Any, "How the file is read."),
];

pub const TEST: &[KeySpec] = &[
    KIND,
    key("records", List(&Any), "Records that are there in each of the cases."),
    key("cases", Any, "Test cases, read by `relata test`."),
];

pub const VIEW_DOCUMENT: &[KeySpec] = &join::<9, 12>([KIND, FORMAT, FOR], VIEW_KEYS);
pub const LAYOUT_DOCUMENT: &[KeySpec] = &join::<3, 6>([KIND, FORMAT, FOR], LAYOUT_KEYS);
pub const BUTTON_DOCUMENT: &[KeySpec] = &join::<5, 8>([KIND, FORMAT, FOR], BUTTON_KEYS);
pub const PIPELINE_DOCUMENT: &[KeySpec] = &join::<12, 15>([KIND, FORMAT, FOR], PIPELINE_KEYS);
pub const APPROVAL_DOCUMENT: &[KeySpec] = &join::<9, 12>([KIND, FORMAT, FOR], APPROVAL_KEYS);
pub const SCRIPT_DOCUMENT: &[KeySpec] =
    &join::<11, 14>([KIND, FORMAT, key("for", Entity, "The entity it runs on; none for a schedule.")], SCRIPT_KEYS);

const VIEW_KEYS: [KeySpec; 9] = copy(VIEW);
const LAYOUT_KEYS: [KeySpec; 3] = copy(LAYOUT);
const BUTTON_KEYS: [KeySpec; 5] = copy(BUTTON);
const PIPELINE_KEYS: [KeySpec; 12] = copy(PIPELINE);
const APPROVAL_KEYS: [KeySpec; 9] = copy(APPROVAL);
const SCRIPT_KEYS: [KeySpec; 11] = copy(SCRIPT);

const fn copy<const N: usize>(from: &[KeySpec]) -> [KeySpec; N] {
    let mut out = [from[0]; N];
    let mut at = 0;
    while at < N {
        out[at] = from[at];
        at += 1;
    }
    out
}

const fn join<const N: usize, const M: usize>(head: [KeySpec; 3], tail: [KeySpec; N]) -> [KeySpec; M] {
    let mut out = [head[0]; M];
    let mut at = 0;
    while at < M {
        out[at] = if at < 3 { head[at] } else { tail[at - 3] };
        at += 1;
    }
    out
}

/// All kinds, in the order of the reference.
pub const KINDS: &[Kind] = &[
    Kind { name: "workspace", doc: "Settings of the workspace (`relata.yaml`).", keys: WORKSPACE },
    Kind { name: "package", doc: "A folder of definitions (`package.yaml`).", keys: PACKAGE },
    Kind { name: "entity", doc: "A kind of record.", keys: ENTITY },
    Kind { name: "extension", doc: "Adds to an entity of another package.", keys: EXTENSION },
    Kind { name: "picklist", doc: "A shared list of options.", keys: PICKLIST },
    Kind { name: "view", doc: "A saved list, outside its entity's file.", keys: VIEW_DOCUMENT },
    Kind { name: "layout", doc: "An arrangement of a record's page, outside its entity's file.", keys: LAYOUT_DOCUMENT },
    Kind { name: "script", doc: "A rhai script, outside its entity's file or on a schedule.", keys: SCRIPT_DOCUMENT },
    Kind { name: "pipeline", doc: "Stages, moves and gates, outside their entity's file.", keys: PIPELINE_DOCUMENT },
    Kind { name: "calendar", doc: "When people work: hours, holidays, make-up workdays.", keys: CALENDAR },
    Kind { name: "approval", doc: "A decision that is asked for, outside its entity's file.", keys: APPROVAL_DOCUMENT },
    Kind { name: "automation", doc: "What follows by itself when something happens to a record.", keys: AUTOMATION },
    Kind { name: "template", doc: "An e-mail about a record, in each language.", keys: TEMPLATE },
    Kind { name: "survey", doc: "What somebody is asked about a record, on a page of their own.", keys: SURVEY },
    Kind { name: "button", doc: "An action, outside its entity's file.", keys: BUTTON_DOCUMENT },
    Kind { name: "role", doc: "A group of people with the same rights.", keys: ROLE },
    Kind { name: "app", doc: "A group of entities in the sidebar.", keys: APP },
    Kind { name: "i18n", doc: "Translations of labels into one language.", keys: I18N },
    Kind { name: "rates", doc: "Dated rates of exchange to the workspace's currency.", keys: RATES },
    Kind { name: "seed", doc: "Records a package needs.", keys: DATA },
    Kind { name: "sample", doc: "Records to try a package with: `relata demo` loads them.", keys: DATA },
    Kind { name: "import", doc: "How the columns of a CSV file become records.", keys: IMPORT },
    Kind { name: "test", doc: "Tests beside definitions, run by `relata test`.", keys: TEST },
];

/// Kinds of a later version.
pub const LATER: &[&str] = &["permission", "report", "dashboard", "workflow"];

pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Options written in a field.
pub const OPTIONS_REF: &[KeySpec] = &[must("ref", Picklist, "A shared picklist.")];
