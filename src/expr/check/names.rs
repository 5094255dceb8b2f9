//! Resolves names: fields, links, parts, rows of quantifiers.

use crate::base::EntityIx;

use super::super::ast::Name;
use super::super::error::ExprErrorKind;
use super::super::scope::{FieldInfo, FieldKind};
use super::super::tree::{Hop, Node, Over, Path, Root, Rows, Span, Type, Typed};
use super::{Checked, Checker};

/// Links one path may follow.
const MAX_HOPS: usize = 4;

/// Where a path stands while it is followed.
struct Cursor {
    root: Root,
    hops: Vec<Hop>,
    entity: EntityIx,
    /// The rest of the names.
    at: usize,
}

impl Checker<'_> {
    /// The whole path as a value.
    pub(super) fn path(&mut self, names: &[Name], span: &Span) -> Option<Checked> {
        let mut cursor = self.start(names, span)?;
        loop {
            let name = &names[cursor.at];
            let info = self.field(&mut cursor, name)?;
            let rest = &names[cursor.at + 1..];
            if rest.is_empty() {
                return self.value(cursor, info, name, span);
            }
            match &info.kind {
                FieldKind::Value(Type::Money(scale)) => {
                    let parts = vec![("amount", Type::Decimal(*scale)), ("currency", Type::Text), ("base", Type::Decimal(*scale))];
                    return self.part(cursor, &info, &parts, name, rest, span);
                }
                FieldKind::Parts(parts) => return self.part(cursor, &info, parts, name, rest, span),
                _ => self.follow(&mut cursor, &info, name)?,
            }
        }
    }

    /// The rows of a to-many path, and the names after it.
    pub(super) fn over<'n>(&mut self, names: &'n [Name], span: &Span) -> Option<(Over, &'n [Name])> {
        let mut cursor = self.start(names, span)?;
        loop {
            let name = &names[cursor.at];
            let info = self.field(&mut cursor, name)?;
            if let FieldKind::Many(rows) = info.kind {
                let over = Over { root: cursor.root, hops: cursor.hops, field: info.ix, rows };
                return Some((over, &names[cursor.at + 1..]));
            }
            if cursor.at + 1 == names.len() {
                return self.fault(ExprErrorKind::NotToMany(joined(names)), span);
            }
            self.follow(&mut cursor, &info, name)?;
        }
    }

    /// Where the first name belongs: `old.`, `record.`, the row of the innermost quantifier, or the record.
    fn start(&mut self, names: &[Name], span: &Span) -> Option<Cursor> {
        let innermost = self.rows.last().map_or(self.entity, Rows::entity);
        let first = names[0].text.as_str();
        let is_root = names.len() > 1 && self.scope.field(innermost, first).is_none();
        if is_root && first == "old" {
            if !self.scope.has_old() {
                return self.fault(ExprErrorKind::NoOld, &names[0].span);
            }
            return Some(Cursor { root: Root::Old, hops: Vec::new(), entity: self.entity, at: 1 });
        }
        if is_root && first == "record" {
            return Some(Cursor { root: Root::Record, hops: Vec::new(), entity: self.entity, at: 1 });
        }
        let root = match u8::try_from(self.rows.len()) {
            Ok(0) => Root::Record,
            Ok(depth) => Root::Row(depth - 1),
            Err(_) => return self.fault(ExprErrorKind::Limit { what: "deep", limit: 255 }, span),
        };
        Some(Cursor { root, hops: Vec::new(), entity: innermost, at: 0 })
    }

    /// Looks a field up. In rows of a `links` field a name that the junction does not have itself (system fields never
    /// count) is the linked record's: the cursor takes the hop there.
    fn field(&mut self, cursor: &mut Cursor, name: &Name) -> Option<FieldInfo> {
        let found = self.scope.field(cursor.entity, &name.text);
        if let (Root::Row(level), true) = (cursor.root, cursor.hops.is_empty())
            && let Some(Rows::Links { far, to, .. }) = self.rows.get(usize::from(level))
            && found.as_ref().is_none_or(|info| info.is_system)
            && let Some(info) = self.scope.field(*to, &name.text)
        {
            cursor.hops.push(Hop { field: *far, to: *to });
            cursor.entity = *to;
            return Some(info);
        }
        if found.is_some() {
            return found;
        }
        let near = nearest(&name.text, self.scope.field_names(cursor.entity));
        let is_row = !self.rows.is_empty() && cursor.hops.is_empty() && matches!(cursor.root, Root::Row(_));
        let record_has = is_row && near.is_none() && self.scope.field(self.entity, &name.text).is_some();
        let entity = self.scope.entity_name(cursor.entity);
        self.fault(ExprErrorKind::UnknownField { entity, field: name.text.clone(), near, record_has }, &name.span)
    }

    fn follow(&mut self, cursor: &mut Cursor, info: &FieldInfo, name: &Name) -> Option<()> {
        let targets = match &info.kind {
            FieldKind::Link(targets) | FieldKind::Value(Type::Link(targets)) => targets,
            FieldKind::Many(_) => return self.fault(ExprErrorKind::ToMany(name.text.clone()), &name.span),
            _ => return self.fault(ExprErrorKind::NotALink(name.text.clone()), &name.span),
        };
        let [target] = targets[..] else {
            return self.fault(ExprErrorKind::AmbiguousLink(name.text.clone()), &name.span);
        };
        if cursor.hops.len() == MAX_HOPS {
            return self.fault(ExprErrorKind::Limit { what: "far-reaching (links)", limit: MAX_HOPS }, &name.span);
        }
        cursor.hops.push(Hop { field: info.ix, to: target });
        cursor.entity = target;
        cursor.at += 1;
        Some(())
    }

    fn value(&mut self, cursor: Cursor, info: FieldInfo, name: &Name, span: &Span) -> Option<Checked> {
        let mut options = None;
        let ty = match info.kind {
            FieldKind::Value(ty) => ty,
            FieldKind::Select(keys) => {
                options = Some((name.text.clone(), keys));
                Type::Text
            }
            FieldKind::Set(_) | FieldKind::Opaque => Type::Set,
            FieldKind::Link(targets) => Type::Link(targets),
            FieldKind::Parts(parts) => {
                let parts = parts.iter().map(|(part, _)| *part).collect();
                return self.fault(ExprErrorKind::Unusable { field: name.text.clone(), parts }, &name.span);
            }
            FieldKind::Many(_) => return self.fault(ExprErrorKind::ToMany(name.text.clone()), &name.span),
        };
        let path = Path { root: cursor.root, hops: cursor.hops, field: info.ix, part: None };
        let is_foldable = info.foldable && ty == Type::Text;
        Some(Checked { typed: Typed::new(ty, Node::Path(path), span.clone()), options, is_foldable })
    }

    fn part(
        &mut self,
        cursor: Cursor,
        info: &FieldInfo,
        parts: &[(&'static str, Type)],
        name: &Name,
        rest: &[Name],
        span: &Span,
    ) -> Option<Checked> {
        let wanted = &rest[0];
        let found = parts.iter().find(|(part, _)| *part == wanted.text);
        let Some((part, ty)) = found.filter(|_| rest.len() == 1) else {
            let last = &rest[rest.len() - 1];
            let known: Vec<&'static str> = parts.iter().map(|(part, _)| *part).collect();
            let near = nearest(&last.text, known.iter().map(|part| (*part).to_owned()));
            let kind = ExprErrorKind::UnknownPart { field: name.text.clone(), part: last.text.clone(), parts: known, near };
            return self.fault(kind, &last.span);
        };
        let path = Path { root: cursor.root, hops: cursor.hops, field: info.ix, part: Some(part) };
        Some(Typed::new(ty.clone(), Node::Path(path), span.clone()).into())
    }

    /// The keys of a set field, for `has`.
    pub(super) fn set_keys(&self, path: &Path, names: &[Name]) -> Option<Vec<String>> {
        let entity = match (path.hops.last(), path.root) {
            (Some(hop), _) => hop.to,
            (None, Root::Row(level)) => self.rows.get(usize::from(level))?.entity(),
            (None, _) => self.entity,
        };
        match self.scope.field(entity, &names.last()?.text)?.kind {
            FieldKind::Set(keys) => keys,
            _ => None,
        }
    }
}

/// The known name closest to a mistyped one, if any is close.
pub(super) fn nearest(name: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let scored = known.into_iter().map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_ascii_lowercase()), candidate));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
    best.filter(|(score, _)| *score >= 0.8).map(|(_, candidate)| candidate)
}

fn joined(names: &[Name]) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}
