//! What an API token may do of what its owner may do: never more. The owner's rights are looked up at each request; a
//! scope only narrows them.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::EntityIx;
use crate::expr::{Node, Path, Rows, Typed};
use crate::query::aggregate::GroupBy;
use crate::query::{AggregateRequest, GetRequest, Item, ListRequest, Select, SortBy, SortKey};
use crate::schema::catalog::{Catalog, FieldType};

/// The scopes of a token, from words: `admin` (all its owner may do but erase people), `erase` (with `admin`: that too), `read`, `write`, `read:crm.deal`, `write:crm.deal`.
/// `write` includes `read`, of all entities or of the one it names. Nothing is allowed that no word allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes {
    admin: bool,
    erase: bool,
    read: bool,
    write: bool,
    /// Entity id to whether it may be written.
    entities: BTreeMap<String, bool>,
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scope")]
pub struct NoScope(pub String);

impl Scopes {
    /// Everything the owner may do.
    pub fn all() -> Self {
        Self { admin: true, erase: true, ..Self::default() }
    }

    /// Reads words; entities are named by id (`crm.deal`).
    ///
    /// # Errors
    /// The first word that is no scope.
    pub fn parse<'t>(words: impl IntoIterator<Item = &'t str>) -> Result<Self, NoScope> {
        let mut scopes = Self::default();
        for word in words.into_iter().map(str::trim) {
            match word.split_once(':') {
                None if word == "admin" => scopes.admin = true,
                None if word == "erase" => scopes.erase = true,
                None if word == "read" => scopes.read = true,
                None if word == "write" => scopes.write = true,
                Some((verb @ ("read" | "write"), entity)) if !entity.is_empty() => {
                    *scopes.entities.entry(entity.to_owned()).or_default() |= verb == "write";
                }
                _ => return Err(NoScope(word.chars().take(80).collect())),
            }
        }
        Ok(scopes)
    }

    /// The words, in one order.
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = [("admin", self.admin), ("erase", self.erase), ("read", self.read), ("write", self.write)]
            .iter()
            .filter(|(_, is_set)| *is_set)
            .map(|(word, _)| (*word).to_owned())
            .collect();
        words.extend(self.entities.iter().map(|(entity, writes)| format!("{}:{entity}", if *writes { "write" } else { "read" })));
        words
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// All that the owner may do: definitions, people and tokens too.
    pub fn may_administer(&self) -> bool {
        self.admin
    }

    /// People may be erased: nothing brings that back, so that it is in no other scope.
    pub fn may_erase(&self) -> bool {
        self.admin && self.erase
    }

    /// Records of every entity may be read.
    pub fn may_read_all(&self) -> bool {
        self.admin || self.read || self.write
    }

    /// Records of some entity may be written.
    pub fn may_write_any(&self) -> bool {
        self.admin || self.write || self.entities.values().any(|writes| *writes)
    }

    /// Records of the entity with this id may be read.
    pub fn may_read(&self, entity_id: &str) -> bool {
        self.may_read_all() || self.entities.contains_key(entity_id)
    }

    /// Records of the entity with this id may be written.
    pub fn may_write(&self, entity_id: &str) -> bool {
        self.admin || self.write || self.entities.get(entity_id) == Some(&true)
    }

    /// Whether these scopes allow all that `other` allows.
    pub fn covers(&self, other: &Scopes) -> bool {
        if other.erase && !self.erase {
            return false;
        }
        self.admin
            || (!other.admin
                && (self.may_read_all() || !other.may_read_all())
                && (self.write || !other.write)
                && other.entities.iter().all(|(entity, writes)| if *writes { self.may_write(entity) } else { self.may_read(entity) }))
    }
}

/// The entities a request reads records of: its own, those it expands, those its paths lead over.
pub fn entities_of_list(catalog: &Catalog, request: &ListRequest) -> BTreeSet<EntityIx> {
    let mut found = Found { catalog, entities: BTreeSet::from([request.entity]) };
    found.select(&request.select);
    found.sort(request.entity, &request.sort);
    request.filter.iter().for_each(|filter| found.expression(filter));
    found.entities
}

/// As [`entities_of_list`].
pub fn entities_of_get(catalog: &Catalog, request: &GetRequest) -> BTreeSet<EntityIx> {
    let mut found = Found { catalog, entities: BTreeSet::from([request.entity]) };
    found.select(&request.select);
    found.entities
}

/// As [`entities_of_list`].
pub fn entities_of_aggregate(catalog: &Catalog, request: &AggregateRequest) -> BTreeSet<EntityIx> {
    let mut found = Found { catalog, entities: BTreeSet::from([request.entity]) };
    request.filter.iter().for_each(|filter| found.expression(filter));
    for group in &request.group {
        match &group.by {
            GroupBy::Value(value) | GroupBy::Period { first_day: value, .. } => found.expression(value),
        }
    }
    request.measures.iter().filter_map(|measure| measure.of.as_ref()).for_each(|of| found.expression(of));
    found.entities
}

struct Found<'c> {
    catalog: &'c Catalog,
    entities: BTreeSet<EntityIx>,
}

impl Found<'_> {
    fn select(&mut self, select: &Select) {
        self.entities.insert(select.entity);
        for item in &select.items {
            let Item::Expand(expand) = item else { continue };
            expand.targets.iter().for_each(|target| {
                self.select(target);
                self.sort(target.entity, &expand.sort);
            });
            expand.filter.iter().for_each(|filter| self.expression(filter));
        }
    }

    fn sort(&mut self, entity: EntityIx, keys: &[SortKey]) {
        for key in keys {
            match &key.by {
                SortBy::Field { .. } | SortBy::Folded { .. } => {}
                SortBy::Title { link, .. } => {
                    if let FieldType::Link { to, .. } | FieldType::User { to, .. } = &self.catalog.entity(entity).field(*link).ty {
                        self.entities.insert(*to);
                    }
                }
                SortBy::Value(value) => self.expression(value),
            }
        }
    }

    fn path(&mut self, path: &Path) {
        self.entities.extend(path.hops.iter().map(|hop| hop.to));
    }

    fn expression(&mut self, typed: &Typed) {
        match &typed.node {
            Node::Path(path) | Node::Changed(path) | Node::Has { set: path, .. } => self.path(path),
            Node::Quantifier { over, .. } | Node::Aggregate { over, .. } => {
                self.entities.extend(over.hops.iter().map(|hop| hop.to));
                self.entities.insert(match &over.rows {
                    Rows::Children { of, .. } => *of,
                    Rows::Links { to, .. } => *to,
                });
            }
            _ => {}
        }
        typed.children().into_iter().for_each(|child| self.expression(child));
    }
}

#[cfg(test)]
mod tests {
    use super::Scopes;

    fn scopes(words: &str) -> Scopes {
        Scopes::parse(words.split_whitespace()).expect("scopes")
    }

    #[test]
    fn nothing_is_allowed_that_no_word_allows() {
        assert!(Scopes::default().is_empty());
        for word in ["", "all", "read:", ":crm.deal", "delete", "admin:crm.deal", "READ"] {
            assert!(Scopes::parse([word]).is_err(), "{word}");
        }
        let deals = scopes("read:crm.deal write:crm.lead");
        assert!(deals.may_read("crm.deal") && deals.may_read("crm.lead") && deals.may_write("crm.lead") && deals.may_write_any());
        assert!(!deals.may_write("crm.deal") && !deals.may_read("crm.account") && !deals.may_read_all() && !deals.may_administer());
        let read = scopes("read");
        assert!(read.may_read("crm.deal") && !read.may_write("crm.deal") && !read.may_write_any() && !read.may_administer());
        let write = scopes("write");
        assert!(write.may_read("crm.deal") && write.may_write("crm.deal") && !write.may_administer());
    }

    #[test]
    fn words_are_written_as_they_are_read_and_cover_what_they_allow() {
        for words in ["admin", "read", "read write", "read:crm.deal write:crm.lead"] {
            assert_eq!(scopes(words).words().join(" "), words);
            assert!(Scopes::all().covers(&scopes(words)) && scopes(words).covers(&scopes(words)));
        }
        for (wide, narrow) in [("write", "read"), ("write", "write:crm.deal"), ("read", "read:crm.deal"), ("write:a.b", "read:a.b")] {
            assert!(scopes(wide).covers(&scopes(narrow)) && !scopes(narrow).covers(&scopes(wide)), "{wide} {narrow}");
        }
        assert!(!scopes("write").covers(&Scopes::all()));
    }
}
