//! Every field a request names, in any position, must be one its asker may know of.

use crate::base::{EntityIx, FieldIx};
use crate::expr::{Hop, Node, Over, Path, Root, Typed};
use crate::query::{AggregateRequest, Expand, GetRequest, GroupBy, Item, ListRequest, Select, SortBy, SortKey};
use crate::schema::catalog::{Catalog, FieldType};

use super::AccessError;
use super::rules::{Mask, RowRules};

/// A request whose every name can be looked at.
pub trait Asks {
    fn entity(&self) -> EntityIx;
    /// # Errors
    /// The first field that may not be known of.
    fn walk(&self, walk: &Walk<'_>) -> Result<(), AccessError>;
}

pub struct Walk<'a> {
    pub catalog: &'a Catalog,
    pub rules: &'a RowRules,
}

type Outcome = Result<(), AccessError>;

impl<T: AsRef<ListRequest>> Asks for T {
    fn entity(&self) -> EntityIx {
        self.as_ref().entity
    }

    fn walk(&self, walk: &Walk<'_>) -> Outcome {
        let asked = self.as_ref();
        walk.select(&asked.select, None)?;
        walk.sort(asked.entity, &asked.sort)?;
        asked.filter.as_ref().map_or(Ok(()), |filter| walk.expression(asked.entity, filter))
    }
}

/// The others have no common trait with lists: thin wrappers give them one.
pub struct One<'r>(pub &'r GetRequest);
pub struct Groups<'r>(pub &'r AggregateRequest);

impl One<'_> {
    pub fn walk(&self, walk: &Walk<'_>) -> Outcome {
        walk.select(&self.0.select, None)
    }
}

impl Groups<'_> {
    pub fn walk(&self, walk: &Walk<'_>) -> Outcome {
        let asked = self.0;
        for group in &asked.group {
            let (GroupBy::Value(typed) | GroupBy::Period { first_day: typed, .. }) = &group.by;
            walk.expression(asked.entity, typed)?;
        }
        for of in asked.measures.iter().filter_map(|measure| measure.of.as_ref()) {
            walk.expression(asked.entity, of)?;
        }
        asked.filter.as_ref().map_or(Ok(()), |filter| walk.expression(asked.entity, filter))
    }
}

impl Walk<'_> {
    fn field(&self, entity: EntityIx, field: FieldIx) -> Outcome {
        if self.rules.mask(entity, field) != Some(&Mask::Hidden) {
            return Ok(());
        }
        let definition = self.catalog.entity(entity);
        Err(AccessError::NoField { entity: definition.slug.clone(), field: definition.field(field).name.clone() })
    }

    fn select(&self, select: &Select, junction: Option<EntityIx>) -> Outcome {
        for item in &select.items {
            match item {
                Item::Field(field) => self.field(select.entity, *field)?,
                Item::Own(field) => junction.map_or(Ok(()), |junction| self.field(junction, *field))?,
                // A title leaves out what may not be read.
                Item::Title => {}
                Item::Expand(expand) => self.expand(select.entity, expand)?,
            }
        }
        Ok(())
    }

    fn expand(&self, entity: EntityIx, expand: &Expand) -> Outcome {
        self.field(entity, expand.field)?;
        let junction = match &self.catalog.entity(entity).field(expand.field).ty {
            FieldType::Links { through, .. } => Some(*through),
            _ => None,
        };
        for target in &expand.targets {
            self.select(target, junction)?;
            self.sort(target.entity, &expand.sort)?;
            if let Some(filter) = &expand.filter {
                self.expression(target.entity, filter)?;
            }
        }
        Ok(())
    }

    fn sort(&self, entity: EntityIx, keys: &[SortKey]) -> Outcome {
        for key in keys {
            match &key.by {
                SortBy::Field { field, .. } | SortBy::Folded { field } => self.field(entity, *field)?,
                SortBy::Title { link, field } => {
                    self.field(entity, *link)?;
                    if let FieldType::Link { to, .. } | FieldType::User { to, .. } = &self.catalog.entity(entity).field(*link).ty {
                        self.field(*to, *field)?;
                    }
                }
                SortBy::Value(typed) => self.expression(entity, typed)?,
            }
        }
        Ok(())
    }

    fn expression(&self, entity: EntityIx, typed: &Typed) -> Outcome {
        self.inner(entity, &mut Vec::new(), typed)
    }

    fn inner(&self, entity: EntityIx, rows: &mut Vec<EntityIx>, typed: &Typed) -> Outcome {
        match &typed.node {
            Node::Path(path) | Node::Changed(path) | Node::Has { set: path, .. } => self.path(entity, rows, path)?,
            Node::Quantifier { over, .. } | Node::Aggregate { over, .. } => {
                self.over(entity, rows, over)?;
                rows.push(over.rows.entity());
                let below = typed.children().into_iter().try_for_each(|child| self.inner(entity, rows, child));
                rows.pop();
                return below;
            }
            _ => {}
        }
        typed.children().into_iter().try_for_each(|child| self.inner(entity, rows, child))
    }

    fn path(&self, entity: EntityIx, rows: &[EntityIx], path: &Path) -> Outcome {
        let end = self.hops(start(entity, rows, path.root), &path.hops)?;
        self.field(end, path.field)
    }

    fn over(&self, entity: EntityIx, rows: &[EntityIx], over: &Over) -> Outcome {
        let owner = self.hops(start(entity, rows, over.root), &over.hops)?;
        self.field(owner, over.field)
    }

    fn hops(&self, mut at: EntityIx, hops: &[Hop]) -> Result<EntityIx, AccessError> {
        for hop in hops {
            self.field(at, hop.field)?;
            at = hop.to;
        }
        Ok(at)
    }
}

fn start(entity: EntityIx, rows: &[EntityIx], root: Root) -> EntityIx {
    match root {
        Root::Record | Root::Old => entity,
        Root::Row(level) => rows.get(usize::from(level)).copied().unwrap_or(entity),
    }
}
