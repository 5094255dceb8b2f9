//! Texts for people: pages, e-mails and, later, documents. The only room that knows minijinja.
//!
//! A template gets a typed context of [`context`] and nothing else; it has no rules, only `if` and `for`.
//! What a field's value looks like is decided here ([`show`] for reading, [`input`] for editing) and written
//! by one macro per widget in `templates/widget`.

pub mod assets;
pub mod context;
pub mod environment;
pub mod form_text;
pub mod format;
pub mod input;
pub mod mail;
pub mod messages;
pub mod qr;
pub mod show;

pub use environment::{RenderError, Renderer};
pub use form_text::FormTexts;
pub use messages::{Arg, Messages};

use crate::base::{DateTime, Locale};

/// Language, zone and moment of the person a text is written for.
#[derive(Debug, Clone)]
pub struct Ui {
    pub locale: Locale,
    pub zone: jiff::tz::TimeZone,
    pub now: DateTime,
}
