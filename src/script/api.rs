//! The list of all that a script can call: checked against by `check`, printed in docs/scripting.md, served to editors.

use super::limits::Kind;

/// The moments at which a function may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    All,
    /// after_write, after_commit, button, schedule: those that may write other records.
    Writing,
    /// before_save, before_delete, after_write, button: those that can still refuse.
    Refusing,
}

impl Kinds {
    pub fn has(self, kind: Kind) -> bool {
        match self {
            Kinds::All => true,
            Kinds::Writing => kind.may_write(),
            Kinds::Refusing => kind.may_reject(),
        }
    }
}

/// One way to call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiFunction {
    pub name: &'static str,
    /// As written in a script: `find(entity, filter, values)`; a method as `text.trim()`.
    pub signature: &'static str,
    pub group: &'static str,
    /// Number of arguments, the receiver of a method counted.
    pub arguments: usize,
    pub kinds: Kinds,
    pub doc: &'static str,
}

/// Every function a script can call.
pub fn api() -> &'static [ApiFunction] {
    unimplemented!("api")
}

/// The list as JSON, for an editor's completion.
pub fn api_json() -> serde_json::Value {
    unimplemented!("api")
}
