//! The grammar of `select`: `id,name,account(id,_title),lines(product(name),total;sort=pos;limit=20)`.
//!
//! `*` stands for every field but children. After the fields of a to-many expansion `;filter=…`, `;sort=…` and
//! `;limit=…` may follow.

use std::collections::HashSet;

use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::{Catalog, Entity, FieldType};

use super::error::{Kind, Place, QueryError};
use super::fields::{find, names};
use super::parse_sort::parse_sort;
use super::select::{Expand, Item, Select, default_select};
use super::{DEFAULT_CHILDREN, MAX_CHILDREN, MAX_DEPTH, MAX_EMBEDS, MAX_SELECT_BYTES, parse};

/// Reads a selection of an entity's fields. `at` is the parameter or pointer for messages.
pub(super) fn parse_select(catalog: &Catalog, entity: EntityIx, text: &str, at: &str, faults: &mut Vec<QueryError>) -> Select {
    if text.len() > MAX_SELECT_BYTES {
        faults.push(QueryError::new(Kind::TooLong { bytes: text.len(), limit: MAX_SELECT_BYTES }, Place::new(at)));
        return Select { entity, items: Vec::new() };
    }
    let mut parser = Parser { catalog, text, at, pos: 0, embeds: 0, faults };
    let mut selects = parser.items(&[catalog.entity(entity)], None, 0);
    if parser.faults.is_empty() && parser.pos < text.len() {
        parser.syntax("`,` or the end");
    }
    selects.pop().unwrap_or(Select { entity, items: Vec::new() })
}

struct Parser<'a, 'f> {
    catalog: &'a Catalog,
    text: &'a str,
    at: &'a str,
    pos: usize,
    embeds: usize,
    faults: &'f mut Vec<QueryError>,
}

impl<'a> Parser<'a, '_> {
    /// Items up to `;`, `)` or the end, for one or (any_link) several entities at once.
    fn items(&mut self, entities: &[&'a Entity], junction: Option<&'a Entity>, depth: usize) -> Vec<Select> {
        let mut selects: Vec<Select> = entities.iter().map(|entity| Select { entity: entity.ix, items: Vec::new() }).collect();
        let mut seen: HashSet<&str> = HashSet::new();
        // What `*` brought may be asked for once more, then by its own words: `*,account(id,_title)`.
        let mut by_star: HashSet<&str> = HashSet::new();
        loop {
            self.spaces();
            let start = self.pos;
            if self.eat('*') {
                for (select, entity) in selects.iter_mut().zip(entities) {
                    for item in default_select(entity).items {
                        let Item::Field(field) = &item else { continue };
                        let name = entity.field(*field).name.as_str();
                        if !seen.contains(name) {
                            by_star.insert(name);
                            select.items.push(item);
                        }
                    }
                }
                seen.extend(&by_star);
            } else {
                let name = self.name();
                if name.is_empty() {
                    self.syntax("a field name");
                    return selects;
                }
                if by_star.remove(name) {
                    seen.remove(name);
                    for (select, entity) in selects.iter_mut().zip(entities) {
                        select.items.retain(|item| !matches!(item, Item::Field(field) if entity.field(*field).name == name));
                    }
                }
                if !self.item(name, start, entities, junction, depth, &mut selects) {
                    return selects;
                }
                if !seen.insert(name) {
                    self.fault(Kind::RepeatedField { name: name.to_owned() }, start);
                }
            }
            self.spaces();
            if !self.eat(',') {
                return selects;
            }
        }
    }

    /// One item after its name; false when the text cannot be read on.
    fn item(
        &mut self,
        name: &'a str,
        start: usize,
        entities: &[&'a Entity],
        junction: Option<&'a Entity>,
        depth: usize,
        selects: &mut [Select],
    ) -> bool {
        self.spaces();
        let opens = self.text[self.pos..].starts_with('(');
        if name == "_title" && !opens {
            selects.iter_mut().for_each(|select| select.items.push(Item::Title));
            return true;
        }
        let found: Vec<Option<FieldIx>> = entities.iter().map(|entity| find(entity, name)).collect();
        if found.iter().all(Option::is_none) {
            return self.missing(name, start, entities, junction, opens, selects);
        }
        if opens {
            let [entity] = entities else {
                self.fault(Kind::NotARelation { name: name.to_owned() }, start);
                return self.skip_parentheses();
            };
            let Some(field) = found[0] else { return self.skip_parentheses() };
            return match self.expand(entity, field, start, depth) {
                Some(expand) => {
                    selects[0].items.push(Item::Expand(Box::new(expand)));
                    true
                }
                None => false,
            };
        }
        for ((select, entity), field) in selects.iter_mut().zip(entities).zip(found) {
            let Some(field) = field else { continue };
            if matches!(entity.field(field).ty, FieldType::Children { .. }) {
                self.fault(Kind::NeedsSelection { name: name.to_owned() }, start);
                return true;
            }
            select.items.push(Item::Field(field));
        }
        true
    }

    /// A name that is no field of the entity: an own field of the junction, or a fault.
    fn missing(
        &mut self,
        name: &'a str,
        start: usize,
        entities: &[&'a Entity],
        junction: Option<&'a Entity>,
        opens: bool,
        selects: &mut [Select],
    ) -> bool {
        if let Some(own) = junction.and_then(|junction| find(junction, name)).filter(|_| !opens) {
            selects[0].items.push(Item::Own(own));
            return true;
        }
        let known = entities.iter().flat_map(|entity| names(entity)).chain(["_title"]);
        let kind = Kind::UnknownField { entity: entities[0].slug.clone(), name: name.to_owned() };
        self.faults.push(QueryError::new(kind, Place::byte(self.at, start)).near(name, known));
        !opens || self.skip_parentheses()
    }

    fn expand(&mut self, entity: &'a Entity, field: FieldIx, start: usize, depth: usize) -> Option<Expand> {
        let definition = entity.field(field);
        let (targets, junction, many): (Vec<EntityIx>, Option<EntityIx>, bool) = match &definition.ty {
            FieldType::Link { to, .. } | FieldType::User { to, .. } => (vec![*to], None, false),
            FieldType::AnyLink { to, .. } => (to.clone(), None, false),
            FieldType::Children { of, .. } => (vec![*of], None, true),
            FieldType::Links { to, through, .. } => (vec![*to], Some(*through), true),
            _ => {
                self.fault(Kind::NotARelation { name: definition.name.clone() }, start);
                return if self.skip_parentheses() { Some(Expand::nothing(field)) } else { None };
            }
        };
        self.embeds += 1;
        if self.embeds > MAX_EMBEDS {
            self.fault(Kind::TooManyExpansions { limit: MAX_EMBEDS }, start);
            return None;
        }
        if depth >= MAX_DEPTH {
            self.fault(Kind::TooDeep { limit: MAX_DEPTH }, start);
            return None;
        }
        self.eat('(');
        let entities: Vec<&Entity> = targets.iter().map(|target| self.catalog.entity(*target)).collect();
        let junction = junction.map(|junction| self.catalog.entity(junction));
        let before = self.faults.len();
        let selects = self.items(&entities, junction, depth + 1);
        let mut expand = Expand { field, targets: selects, filter: None, sort: Vec::new(), limit: DEFAULT_CHILDREN, many };
        while self.eat(';') {
            self.option(&mut expand, entities[0])?;
        }
        if !self.eat(')') {
            if self.faults.len() == before {
                self.syntax("`,` or `)`");
            }
            return None;
        }
        Some(expand)
    }

    /// `filter=…`, `sort=…` or `limit=…` of an expansion.
    fn option(&mut self, expand: &mut Expand, entity: &'a Entity) -> Option<()> {
        self.spaces();
        let start = self.pos;
        let name = self.name();
        if !expand.many && matches!(name, "filter" | "sort" | "limit") {
            self.fault(Kind::BadValue { value: name.to_owned(), expected: "allowed where only one record can be".to_owned() }, start);
            return None;
        }
        if !self.eat('=') {
            self.syntax("`filter=`, `sort=` or `limit=`");
            return None;
        }
        let from = self.pos;
        let value = self.value();
        match name {
            "filter" => expand.filter = parse::check_filter(self.catalog, entity.ix, value, self.at, from, self.faults),
            "sort" => expand.sort = parse_sort(self.catalog, entity.ix, value, self.at, from, self.faults),
            "limit" => match value.trim().parse::<u32>() {
                Ok(limit) if (1..=MAX_CHILDREN).contains(&limit) => expand.limit = limit,
                _ => self.fault(Kind::BadValue { value: value.to_owned(), expected: format!("a number from 1 to {MAX_CHILDREN}") }, from),
            },
            _ => {
                let fault = QueryError::new(
                    Kind::BadValue { value: name.to_owned(), expected: "`filter`, `sort` or `limit`".to_owned() },
                    Place::byte(self.at, start),
                );
                self.faults.push(fault.near(name, ["filter", "sort", "limit"]));
            }
        }
        Some(())
    }

    /// Text up to `;` or the closing parenthesis, minding quotes and inner parentheses.
    fn value(&mut self) -> &'a str {
        let start = self.pos;
        let mut depth = 0;
        let mut quote = None;
        for (offset, c) in self.text[start..].char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '(') => depth += 1,
                (None, ')') if depth > 0 => depth -= 1,
                (None, ')' | ';') if depth == 0 => {
                    self.pos = start + offset;
                    return &self.text[start..self.pos];
                }
                _ => {}
            }
        }
        self.pos = self.text.len();
        &self.text[start..]
    }

    /// Steps over `( … )` so that the faults behind it are found too.
    fn skip_parentheses(&mut self) -> bool {
        self.eat('(');
        loop {
            self.value();
            if self.eat(')') {
                return true;
            }
            if !self.eat(';') {
                return false;
            }
        }
    }

    fn name(&mut self) -> &'a str {
        let rest = &self.text[self.pos..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.pos += end;
        &rest[..end]
    }

    fn spaces(&mut self) {
        let rest = &self.text[self.pos..];
        self.pos += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.spaces();
        let found = self.text[self.pos..].starts_with(wanted);
        if found {
            self.pos += wanted.len_utf8();
        }
        found
    }

    fn syntax(&mut self, expected: &'static str) {
        let found: String = self.text[self.pos..].chars().take(12).collect();
        self.fault(Kind::Syntax { found, expected }, self.pos);
    }

    fn fault(&mut self, kind: Kind, at: usize) {
        self.faults.push(QueryError::new(kind, Place::byte(self.at, at)));
    }
}
