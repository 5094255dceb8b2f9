//! What every error of the house can say about itself.

/// An error that teaches: its `Display` says what is wrong, this trait says the rest.
pub trait Explain: std::error::Error {
    /// Three letters for the room and three digits, for example `QRY014`. Stable, documented in `docs/errors.md`.
    fn code(&self) -> &'static str;

    /// What the reader can do about it.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Data for programs: names, values, limits.
    fn details(&self) -> Option<serde_json::Value> {
        None
    }
}
