//! Sign-in, people, the account, the audit, errors and documentation.

use serde::Serialize;

use super::{Choice, Shell, Stamp};

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
    /// It was sent by e-mail too.
    pub is_mailed: bool,
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
    pub is_mailed: bool,
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
