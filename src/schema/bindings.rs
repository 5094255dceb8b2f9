//! What lives in the database under which name: the memory that lets definitions be renamed freely.

use std::collections::BTreeMap;

/// Everything ever applied, by uid; retired things stay, so that their tables, columns, prefixes and
/// option keys are never used for something else. Stored by `store`, handed to [`super::load`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bindings {
    pub by_uid: BTreeMap<String, Binding>,
}

/// Where one thing lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub uid: String,
    pub kind: BindingKind,
    /// Uid of the owner: a field's entity, an option's field or picklist.
    pub parent: Option<String>,
    /// Its name now: an entity's full id, a field's API name, an option's key.
    pub name: String,
    /// Physical table of an entity; side table (`j_…`) of a field; physical index name of a unique or index.
    pub table: Option<String>,
    /// Physical columns of a field in part order; the folded shadow column, if there is one, comes last.
    pub columns: Vec<String>,
    /// Id prefix of an entity.
    pub prefix: Option<String>,
    pub state: BindingState,
    /// The type as stored (`money/2/record`), to notice a change of type; labels of an option.
    pub shape: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BindingKind {
    Entity,
    Field,
    Option,
    Unique,
    Index,
    Picklist,
    Script,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingState {
    Live,
    /// Gone from the definitions, its data kept.
    Retired,
}

impl BindingKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::Field => "field",
            Self::Option => "option",
            Self::Unique => "unique",
            Self::Index => "index",
            Self::Picklist => "picklist",
            Self::Script => "script",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Entity, Self::Field, Self::Option, Self::Unique, Self::Index, Self::Picklist, Self::Script]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl BindingState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Retired => "retired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Live, Self::Retired].into_iter().find(|state| state.as_str() == text)
    }
}

impl Bindings {
    pub fn get(&self, uid: &str) -> Option<&Binding> {
        self.by_uid.get(uid)
    }

    /// The thing of this kind and owner with this name; a live one before a retired one.
    pub fn find(&self, kind: BindingKind, parent: Option<&str>, name: &str) -> Option<&Binding> {
        let mut same = self.by_uid.values().filter(|b| b.kind == kind && b.parent.as_deref() == parent && b.name == name);
        let first = same.next()?;
        if first.state == BindingState::Live {
            return Some(first);
        }
        Some(same.find(|b| b.state == BindingState::Live).unwrap_or(first))
    }
}
