//! What each template gets. Texts are ready to be read, addresses ready to be followed; a template decides nothing.

use serde::Serialize;

pub use super::input::{Choice, FieldInput, FilePart, Part, SubRow, SubTable};
pub use super::show::{Shown, ShownItem, Stamp};

/// What surrounds every page.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Shell {
    /// The page's own title; the workspace's name is added.
    pub title: String,
    /// `auto`, `light` or `dark`.
    pub theme: String,
    pub workspace: String,
    /// None on pages for visitors.
    pub person: Option<Person>,
    /// The administrator who looks through the person's eyes.
    pub viewer: String,
    pub groups: Vec<NavGroup>,
    pub crumbs: Vec<Crumb>,
    /// What was just done, or what an administrator must know.
    pub notices: Vec<Notice>,
    /// The text in the search field of the bar.
    pub find: String,
    /// `:home`, `:search`, `:account`, `:docs`, or an entity's slug.
    pub current: String,
    /// The address of this page, to come back to.
    pub here: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Person {
    pub name: String,
    pub email: String,
    pub initials: String,
    pub hue: u8,
    pub is_admin: bool,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct NavGroup {
    pub label: String,
    pub items: Vec<NavItem>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct NavItem {
    pub label: String,
    pub href: String,
    pub icon: String,
    pub current: bool,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Crumb {
    pub label: String,
    /// None for the page itself.
    pub href: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Notice {
    /// `ok`, `info`, `warn` or `error`.
    pub kind: String,
    pub text: String,
    pub detail: Option<String>,
    /// A form with one button that undoes or goes on: (address, label).
    pub action: Option<(String, String)>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct EntityHead {
    pub slug: String,
    /// The label as written.
    pub name: String,
    /// The label inside a sentence or a button.
    pub label: String,
    pub plural: String,
    pub description: String,
    pub icon: String,
    pub soft_delete: bool,
}

// ---- home and search ----

#[derive(Debug, Default, Serialize)]
pub struct HomePage {
    pub shell: Shell,
    pub greeting: String,
    pub tiles: Vec<Tile>,
    pub recent: Vec<Hit>,
}

#[derive(Debug, Default, Serialize)]
pub struct Tile {
    pub label: String,
    pub href: String,
    pub create_href: String,
    pub icon: String,
    pub count: String,
}

#[derive(Debug, Default, Serialize)]
pub struct Hit {
    pub href: String,
    pub title: String,
    pub entity: String,
    pub icon: String,
    pub note: String,
    pub stamp: Option<Stamp>,
}

#[derive(Debug, Default, Serialize)]
pub struct SearchPage {
    pub shell: Shell,
    pub query: String,
    pub groups: Vec<SearchGroup>,
    pub total: i64,
}

#[derive(Debug, Default, Serialize)]
pub struct SearchGroup {
    pub label: String,
    pub icon: String,
    pub hits: Vec<Hit>,
    /// The list with the same search.
    pub all_href: Option<String>,
}

// ---- audit ----

#[derive(Debug, Default, Serialize)]
pub struct AuditPage {
    pub shell: Shell,
    pub acts: Vec<Choice>,
    /// A day as `2026-01-31`, or empty.
    pub since: String,
    pub until: String,
    /// Filters that are not fields of the form: names and values.
    pub kept: Vec<(String, String)>,
    pub chips: Vec<AuditChip>,
    pub rows: Vec<AuditRow>,
    pub older_href: Option<String>,
    pub csv_href: String,
    pub json_href: String,
}

/// A filter on one person or record.
#[derive(Debug, Default, Serialize)]
pub struct AuditChip {
    pub label: String,
    pub remove_href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct AuditRow {
    pub seq: i64,
    pub stamp: Stamp,
    pub who: String,
    /// The same list for this person alone.
    pub who_href: Option<String>,
    pub by_token: bool,
    pub act: String,
    pub on: String,
    /// The same list for this record alone.
    pub on_href: Option<String>,
    pub origin: String,
    pub facts: Vec<(String, String)>,
}

// ---- list ----

#[derive(Debug, Default, Serialize)]
pub struct ListPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub list: List,
    pub views: Vec<ViewLink>,
    pub create_href: String,
    /// Empty for those who may not take records out.
    pub export_href: String,
    pub bin_href: String,
    pub list_href: String,
    pub in_bin: bool,
    pub query: String,
    pub filter: Filter,
    /// Parts of the address a form must keep: name and text.
    pub kept: Vec<(String, String)>,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ViewLink {
    pub label: String,
    pub href: String,
    pub current: bool,
}

/// The region `part/list.rows` and its table.
#[derive(Debug, Default, Serialize)]
pub struct List {
    pub id: String,
    pub slug: String,
    pub caption: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub count: String,
    pub next_href: Option<String>,
    pub first_href: Option<String>,
    /// `records`, `filter` or `bin` when there are no rows.
    pub empty: String,
    pub clear_href: String,
    pub create_href: String,
    pub plural: String,
    pub label: String,
    pub icon: String,
    pub in_bin: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct Column {
    pub name: String,
    pub label: String,
    pub numeric: bool,
    pub sort_href: Option<String>,
    /// `ascending`, `descending` or empty.
    pub sorted: String,
    /// Left out of cards on narrow screens.
    pub low: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct Row {
    pub id: String,
    pub href: String,
    pub title: String,
    pub cells: Vec<Shown>,
    pub restore_href: Option<String>,
}

/// Chips, the form that adds one, and the expression for experts.
#[derive(Debug, Default, Serialize)]
pub struct Filter {
    pub chips: Vec<FilterChip>,
    pub fields: Vec<Choice>,
    pub operators: Vec<Choice>,
    pub value: Option<FieldInput>,
    pub expression: String,
    pub error: Option<String>,
    pub hint: Option<String>,
    pub clear_href: String,
    pub is_open: bool,
    pub is_advanced: bool,
    pub fields_href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct FilterChip {
    pub label: String,
    pub remove_href: String,
}

/// Choices of a combobox, or of its page for those without scripts.
#[derive(Debug, Default, Serialize)]
pub struct ChoicesPart {
    pub choices: Vec<Choice>,
}

#[derive(Debug, Default, Serialize)]
pub struct ChoicesPage {
    pub shell: Shell,
    pub choices: Vec<Choice>,
}

// ---- form ----

#[derive(Debug, Default, Serialize)]
pub struct FormPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub form: Form,
}

/// The region `part/form`.
#[derive(Debug, Default, Serialize)]
pub struct Form {
    pub title: String,
    pub action: String,
    pub cancel_href: String,
    pub state_href: String,
    pub is_new: bool,
    pub version: String,
    pub idempotency_key: String,
    pub return_to: String,
    pub save_label: String,
    pub has_files: bool,
    /// Names of fields whose change alters the form, separated by blanks.
    pub watch: String,
    pub sections: Vec<FormSection>,
    pub faults: Vec<FormFault>,
    pub message: Option<String>,
    pub conflict: Option<Conflict>,
    /// Saving may be a dangerous act, for which the password is given again.
    pub must_confirm: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct FormSection {
    pub id: String,
    pub label: String,
    pub columns: u8,
    pub fields: Vec<FieldInput>,
}

#[derive(Debug, Default, Serialize)]
pub struct FormFault {
    /// Id of the control, empty for a fault of the whole record.
    pub target: String,
    pub label: String,
    pub message: String,
}

/// Fields that someone else changed meanwhile.
#[derive(Debug, Default, Serialize)]
pub struct Conflict {
    pub who: String,
    pub stamp: Option<Stamp>,
    pub rows: Vec<ConflictRow>,
    pub record_href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct ConflictRow {
    pub label: String,
    /// Of the choice.
    pub name: String,
    /// What the form began with, where that is known.
    pub original: Option<Shown>,
    pub takes_theirs: bool,
    pub mine: Shown,
    pub theirs: Shown,
}

// ---- record ----

#[derive(Debug, Default, Serialize)]
pub struct RecordPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub id: String,
    pub href: String,
    pub title: String,
    pub facts: Vec<Labelled>,
    pub tabs: Vec<TabLink>,
    /// `details`, `related` or `history`.
    pub kind: String,
    pub sections: Vec<ShownSection>,
    pub related: Vec<Related>,
    pub history: Option<History>,
    pub buttons: Vec<ButtonLink>,
    pub edit_href: String,
    pub delete_href: String,
    /// For administrators, where there are personal fields.
    pub erase_href: String,
    pub restore_href: String,
    /// Empty for those who may not share it.
    pub share_href: String,
    pub is_deleted: bool,
    pub version: String,
    pub created: Option<Stamp>,
    pub created_by: String,
    pub updated: Option<Stamp>,
    pub updated_by: String,
}

/// Whom a record is shared with.
#[derive(Debug, Default, Serialize)]
pub struct SharesPage {
    pub shell: Shell,
    /// The record's.
    pub title: String,
    pub href: String,
    pub rows: Vec<ShareRow>,
    /// People, teams and roles to share with.
    pub groups: Vec<ShareGroup>,
    /// The reader may share the record with others, not only see and end what was shared.
    pub may_share: bool,
    /// The reader may change the record, and so let others.
    pub may_edit: bool,
    /// There are more people than are offered: they are found by name.
    pub is_searched: bool,
    pub found: String,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ShareRow {
    pub id: String,
    pub icon: String,
    pub who: String,
    pub may: String,
    pub until: Option<Stamp>,
    pub since: Stamp,
    pub by: String,
}

#[derive(Debug, Default, Serialize)]
pub struct ShareGroup {
    pub label: String,
    pub choices: Vec<Choice>,
}

/// Why somebody may or may not do what with a record.
#[derive(Debug, Default, Serialize)]
pub struct WhyPage {
    pub shell: Shell,
    pub heading: String,
    /// The record's page.
    pub href: String,
    /// Others to ask about; empty for those who may ask about themselves alone.
    pub people: Vec<Choice>,
    pub is_searched: bool,
    pub found: String,
    pub roles: String,
    pub everything: bool,
    pub actions: Vec<WhyAction>,
    pub shares: Vec<ShareRow>,
    pub hidden: String,
}

#[derive(Debug, Default, Serialize)]
pub struct WhyAction {
    pub label: String,
    pub allowed: bool,
    pub reasons: Vec<ReasonRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct ReasonRow {
    pub role: String,
    /// As the role's document says it; empty for those who are not told.
    pub rule: String,
    pub holds: bool,
}

/// What somebody sees, entity by entity.
#[derive(Debug, Default, Serialize)]
pub struct SeenPage {
    pub shell: Shell,
    pub heading: String,
    pub may_sign_in: bool,
    pub rows: Vec<SeenRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct SeenRow {
    pub label: String,
    pub records: String,
    pub actions: String,
    pub hidden: String,
    /// Fields read in some records only.
    pub masked: String,
}

/// What a role shows, and who reads what.
#[derive(Debug, Default, Serialize)]
pub struct AccessPage {
    pub shell: Shell,
    pub roles: Vec<Choice>,
    /// The one that was asked for.
    pub role: String,
    pub rows: Vec<SeenRow>,
    pub fields: Vec<ShareGroup>,
    pub of: String,
    pub readers: Vec<Reader>,
}

#[derive(Debug, Default, Serialize)]
pub struct Reader {
    pub label: String,
    pub rule: String,
    /// Ids and names of those who have the role.
    pub people: Vec<(String, String)>,
}

#[derive(Debug, Default, Clone, Serialize)]
pub struct Labelled {
    pub name: String,
    pub label: String,
    pub help: String,
    pub full: bool,
    pub value: Shown,
}

#[derive(Debug, Default, Serialize)]
pub struct TabLink {
    pub label: String,
    pub href: String,
    pub current: bool,
    pub count: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ShownSection {
    pub label: String,
    pub columns: u8,
    pub fields: Vec<Labelled>,
}

#[derive(Debug, Default, Serialize)]
pub struct Related {
    pub label: String,
    pub icon: String,
    pub add_href: Option<String>,
    pub all_href: Option<String>,
    pub list: List,
}

#[derive(Debug, Default, Serialize)]
pub struct ButtonLink {
    pub label: String,
    pub href: String,
}

/// The region `part/history`.
#[derive(Debug, Default, Serialize)]
pub struct History {
    pub entries: Vec<HistoryEntry>,
    pub more_href: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct HistoryEntry {
    /// `create`, `update`, `delete`, `restore`.
    pub kind: String,
    pub who: String,
    pub initials: String,
    pub stamp: Stamp,
    pub changes: Vec<HistoryChange>,
}

#[derive(Debug, Default, Serialize)]
pub struct HistoryChange {
    pub label: String,
    pub old: Shown,
    pub new: Shown,
}

/// A page that asks before something is done.
#[derive(Debug, Default, Serialize)]
pub struct ConfirmPage {
    pub shell: Shell,
    pub title: String,
    pub text: String,
    pub action: String,
    pub confirm_label: String,
    pub cancel_href: String,
    pub version: String,
    pub error: Option<String>,
    /// The password is given again.
    pub must_confirm: bool,
}

// ---- entry, account, errors, documentation ----

/// Sign-in, setup and the like.
#[derive(Debug, Default, Serialize)]
pub struct EntryPage {
    pub shell: Shell,
    pub error: Option<String>,
    pub name: String,
    pub email: String,
    pub token: String,
    pub next: String,
    pub locales: Vec<Choice>,
    /// What the page says instead of its form.
    pub closed: Option<String>,
    /// The identity provider one can sign in with.
    pub provider: Option<String>,
}

/// Setting up an authenticator app. No `Debug`: it holds the secret.
#[derive(Default, Serialize)]
pub struct EnrolPage {
    pub shell: Shell,
    pub action: String,
    /// Someone who signs in must set it up.
    pub is_forced: bool,
    pub challenge: String,
    pub next: String,
    /// An SVG element of ours.
    pub qr: String,
    pub secret: String,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct PasskeyRow {
    pub id: String,
    pub name: String,
    pub created: Option<Stamp>,
    pub used: Option<Stamp>,
}

/// Recovery codes, shown once. No `Debug`.
#[derive(Default, Serialize)]
pub struct CodesPage {
    pub shell: Shell,
    pub codes: Vec<String>,
    pub next: String,
}

/// People, for administrators. No `Debug`: it may hold a link.
#[derive(Default, Serialize)]
pub struct PeoplePage {
    pub shell: Shell,
    pub people: Vec<PersonRow>,
    pub roles: Vec<Choice>,
    /// The same roles, chosen where a second factor is a duty.
    pub required_roles: Vec<Choice>,
    /// An invitation that was just made.
    pub link: Option<String>,
    pub must_confirm: bool,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct PersonRow {
    pub id: String,
    pub name: String,
    pub email: String,
    pub roles: String,
    /// `active`, `invited`, `no-password` or `inactive`.
    pub state: String,
    pub state_text: String,
    pub has_totp: bool,
    pub sessions: i64,
    pub seen: Option<Stamp>,
}

/// One person, for administrators. No `Debug`: it may hold a link.
#[derive(Default, Serialize)]
pub struct PersonPage {
    pub shell: Shell,
    pub person: PersonRow,
    /// What a successor would take over.
    pub held: Vec<HeldRow>,
    pub heirs: Vec<Choice>,
    pub is_self: bool,
    pub link: Option<String>,
    pub must_confirm: bool,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct HeldRow {
    pub label: String,
    pub field: String,
    pub count: i64,
}

#[derive(Debug, Default, Serialize)]
pub struct AccountPage {
    pub shell: Shell,
    pub locales: Vec<Choice>,
    pub themes: Vec<Choice>,
    pub zones: Vec<Choice>,
    pub tokens: Vec<TokenRow>,
    pub new_token: Option<String>,
    pub sessions: Vec<SessionRow>,
    /// There are sessions besides this one.
    pub has_others: bool,
    /// Entities a token can be limited to.
    pub scope_entities: Vec<Choice>,
    pub is_admin: bool,
    /// A dangerous act wants the password again.
    pub must_confirm: bool,
    /// There is an authenticator app.
    pub has_totp: bool,
    pub recovery_codes: i64,
    pub passkeys: Vec<PasskeyRow>,
    /// The person's roles must have a second factor.
    pub factor_is_required: bool,
    pub error: Option<String>,
    /// The form the error belongs to: `password`, `token` or `settings`.
    pub error_at: String,
}

#[derive(Debug, Default, Serialize)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub hint: String,
    pub created: Option<Stamp>,
    pub used: Option<Stamp>,
    pub expires: Option<Stamp>,
    pub scopes: String,
    pub networks: String,
}

#[derive(Debug, Default, Serialize)]
pub struct SessionRow {
    pub id: String,
    /// Browser and system, as far as they are known.
    pub device: String,
    pub ip: String,
    /// What the browser called itself.
    pub agent: String,
    pub began: Option<Stamp>,
    pub seen: Option<Stamp>,
    pub is_own: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct ErrorPage {
    pub shell: Shell,
    pub status: u16,
    pub title: String,
    pub text: String,
    pub hint: Option<String>,
    pub code: String,
    pub request_id: String,
}

#[derive(Debug, Default, Serialize)]
pub struct DocsPage {
    pub shell: Shell,
    pub title: String,
    pub version: String,
    pub description: String,
    pub server: String,
    pub groups: Vec<DocsGroup>,
}

#[derive(Debug, Default, Serialize)]
pub struct DocsGroup {
    pub id: String,
    pub label: String,
    pub description: String,
    pub operations: Vec<DocsOperation>,
}

#[derive(Debug, Default, Serialize)]
pub struct DocsOperation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: String,
    pub parameters: Vec<DocsField>,
    pub body: Vec<DocsField>,
    pub body_note: String,
    pub responses: Vec<DocsField>,
    pub example: String,
}

#[derive(Debug, Default, Serialize)]
pub struct DocsField {
    pub name: String,
    pub place: String,
    pub ty: String,
    pub required: bool,
    pub text: String,
}
