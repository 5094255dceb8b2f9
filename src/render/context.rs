//! What each template gets. Texts are ready to be read, addresses ready to be followed; a template decides nothing.

mod approvals;
mod conversions;
mod definitions;
mod entry;
mod find;
mod form;
mod import;
mod pools;
mod record;
mod registrations;
mod stages;
mod surveys;
mod twins;
mod work;

use serde::Serialize;

pub use self::approvals::*;
pub use self::conversions::*;
pub use self::definitions::*;
pub use self::entry::*;
pub use self::find::*;
pub use self::form::*;
pub use self::import::*;
pub use self::pools::*;
pub use self::record::*;
pub use self::registrations::*;
pub use self::stages::*;
pub use self::surveys::*;
pub use self::twins::*;
pub use self::work::*;
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
    /// Something can be approved here.
    pub has_approvals: bool,
    /// There is a pool the person may claim from.
    pub has_pools: bool,
    /// Something can be registered here.
    pub has_registrations: bool,
    /// There is a survey whose answers the person may read.
    pub has_surveys: bool,
    /// What the person was told and has not read, counted up to 100.
    pub unread: i64,
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
