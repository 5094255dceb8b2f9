//! Paths: columns of the record, of records reached over links, and fields without a column.

use crate::base::{EntityIx, FieldIx};
use crate::expr::{Hop, Node, Path, Root, Type, Typed};
use crate::schema::catalog::{Entity, Field, FieldType};
use crate::store::Sql;

use super::money::Part;
use super::{Compiler, Frame};
use crate::store::compile::columns::{column_sql, id_column, masked, visible};

impl<'a> Compiler<'a> {
    fn frame(&self, root: Root) -> &Frame {
        match root {
            Root::Row(level) => &self.frames[(usize::from(level) + 1).min(self.frames.len() - 1)],
            Root::Record | Root::Old => &self.frames[0],
        }
    }

    /// The value a path leads to; of money the amount.
    pub(super) fn path(&self, path: &Path) -> Sql {
        self.reach(path.root, &path.hops, &|frame| self.field_at(frame, path.field, path.part))
    }

    /// The folded shadow column of a text.
    pub(super) fn folded(&self, path: &Path) -> Sql {
        self.reach(path.root, &path.hops, &|frame| {
            let field = self.entity(frame).field(path.field);
            self.masked(frame, path.field, column_sql(&frame.alias, field.fold_column.as_deref().unwrap_or("id")))
        })
    }

    /// A value as far as it may be read.
    fn masked(&self, frame: &Frame, field: FieldIx, sql: Sql) -> Sql {
        masked(self.with, &frame.alias, frame.entity, field, sql)
    }

    /// The id of the record that hops lead to, where its `field` may be read.
    pub(super) fn holder_id(&self, root: Root, hops: &[Hop], field: FieldIx) -> Sql {
        self.reach(root, hops, &|frame| self.masked(frame, field, column_sql(&frame.alias, id_column(self.entity(frame)))))
    }

    pub(super) fn entity(&self, frame: &Frame) -> &'a Entity {
        self.with.catalog.entity(frame.entity)
    }

    /// Follows hops and gives what `end` makes of the record they lead to, as one scalar.
    pub(super) fn reach(&self, root: Root, hops: &[Hop], end: &dyn Fn(&Frame) -> Sql) -> Sql {
        let frame = self.frame(root);
        let Some((first, rest)) = hops.split_first() else { return end(frame) };
        // The linked record of a `links` row is already joined.
        if let Some((far, alias)) = &frame.far
            && *far == first.field
        {
            let frame = Frame { entity: first.to, alias: alias.clone(), far: None };
            return self.follow(&frame, rest, end);
        }
        self.follow(frame, hops, end)
    }

    /// A correlated subquery: one row at most, found by primary keys.
    fn follow(&self, from: &Frame, hops: &[Hop], end: &dyn Fn(&Frame) -> Sql) -> Sql {
        let Some((first, rest)) = hops.split_first() else { return end(from) };
        let mut frame = Frame { entity: first.to, alias: self.alias(), far: None };
        let mut tables = Sql::default();
        tables.ident(&self.entity(&frame).table).push(" AS ").ident(&frame.alias);
        let mut conditions = vec![self.is_linked(from, first, &frame)];
        conditions.extend(self.reachable(&frame));
        for hop in rest {
            let next = Frame { entity: hop.to, alias: self.alias(), far: None };
            tables.push(" JOIN ").ident(&self.entity(&next).table).push(" AS ").ident(&next.alias);
            tables.push(" ON ").append(self.is_linked(&frame, hop, &next));
            conditions.extend(self.reachable(&next));
            frame = next;
        }
        let mut sql = Sql::new("(SELECT ");
        sql.append(end(&frame)).push(" FROM ").append(tables).push(" WHERE ").join(" AND ", conditions).push(")");
        sql
    }

    /// What every record that is not the statement's own must meet: it is live, and the access rule of its entity holds.
    pub(super) fn reachable(&self, frame: &Frame) -> Vec<Sql> {
        visible(self.with, self.entity(frame), &frame.alias)
    }

    fn is_linked(&self, from: &Frame, hop: &Hop, to: &Frame) -> Sql {
        let mut sql = column_sql(&to.alias, id_column(self.entity(to)));
        sql.push(" = ").append(self.link_column(from, hop.field, hop.to));
        sql
    }

    /// The column of a link that points to `target`.
    pub(super) fn link_column(&self, from: &Frame, link: FieldIx, target: EntityIx) -> Sql {
        let field = self.entity(from).field(link);
        let position = match &field.ty {
            FieldType::AnyLink { to, .. } => to.iter().position(|entity| *entity == target).unwrap_or(0),
            _ => 0,
        };
        let column = field.columns.get(position).map_or_else(|| Sql::new("NULL"), |column| column_sql(&from.alias, &column.name));
        self.masked(from, link, column)
    }

    /// A field's value at a record of the statement, also of a virtual field.
    fn field_at(&self, frame: &Frame, field: FieldIx, part: Option<&'static str>) -> Sql {
        self.masked(frame, field, self.open_field_at(frame, field, part))
    }

    fn open_field_at(&self, frame: &Frame, field: FieldIx, part: Option<&'static str>) -> Sql {
        let field = self.entity(frame).field(field);
        if field.columns.is_empty() || self.with.rows.is_live(frame.entity, field.ix) {
            return self.virtual_field(frame, field, part);
        }
        if let FieldType::AnyLink { .. } = &field.ty {
            let columns = field.columns.iter().map(|column| column_sql(&frame.alias, &column.name));
            return super::call("COALESCE(", columns.chain([Sql::new("NULL")]));
        }
        let wanted = part.filter(|part| *part != "amount").unwrap_or("");
        let column = field.columns.iter().find(|column| column.part == wanted);
        column.map_or_else(|| Sql::new("NULL"), |column| column_sql(&frame.alias, &column.name))
    }

    /// Formulas and rollups that are not stored are computed in place, lookups are read through their link.
    fn virtual_field(&self, frame: &Frame, field: &Field, part: Option<&'static str>) -> Sql {
        self.with.in_zone_of(field, |with| {
            let mut inner = self.at(Frame { far: None, ..frame.clone() });
            inner.with = with.about(frame.entity);
            if field.exposes {
                inner.with = inner.with.open();
            }
            match &field.ty {
                FieldType::Formula { expr: typed, .. } | FieldType::Rollup { aggregate: typed, .. } => inner.part_of(typed, part),
                FieldType::Lookup { via, field: target, .. } => {
                    let (FieldType::Link { to, .. } | FieldType::User { to, .. }) = &self.entity(frame).field(*via).ty else {
                        return Sql::new("NULL");
                    };
                    let hops = [Hop { field: *via, to: *to }];
                    inner.reach(Root::Record, &hops, &|frame| self.field_at(frame, *target, part))
                }
                _ => Sql::new("NULL"),
            }
        })
    }

    /// A part of a computed money, or the plain value. A money without an amount (it did not fit) has no parts.
    fn part_of(&self, typed: &Typed, part: Option<&'static str>) -> Sql {
        let part = match (&typed.ty, part) {
            (Type::Money(_), Some("currency")) => Part::Currency,
            (Type::Money(_), Some("base")) => Part::Base,
            _ => return self.value(typed),
        };
        let mut sql = Sql::new("CASE WHEN ");
        sql.append(self.money(typed, Part::Amount)).push(" IS NOT NULL THEN ").append(self.money(typed, part)).push(" END");
        sql
    }

    /// The side table of a set field and the condition that its rows belong to the record the path leads to.
    pub(super) fn side_rows(&self, set: &Path, alias: &str) -> Option<(Sql, Sql)> {
        let owner = match set.hops.last() {
            Some(hop) => hop.to,
            None => self.frame(set.root).entity,
        };
        let field = self.with.catalog.entity(owner).field(set.field);
        let mut table = Sql::default();
        table.ident(field.side_table.as_deref()?).push(" AS ").ident(alias);
        let mut belongs = column_sql(alias, "rec");
        belongs.push(" = ").append(self.holder_id(set.root, &set.hops, set.field));
        Some((table, belongs))
    }

    /// `changed(…)`: only the former record is in memory, so the column is compared with its bound value.
    pub(super) fn changed(&self, typed: &Typed, path: &Path) -> Sql {
        let Some(_) = self.with.context.old else { return Sql::new(if self.is_sqlite() { "1" } else { "TRUE" }) };
        let former = Path { root: Root::Old, ..path.clone() };
        // The type of the field is not known here: the kind of its column is.
        let owner = path.hops.last().map_or(self.frame(path.root).entity, |hop| hop.to);
        let kind = self.with.catalog.entity(owner).field(path.field).columns.first().map(|column| column.kind);
        let value = crate::expr::eval::constant(&Typed::new(Type::Null, Node::Path(former), typed.span.clone()), self.with.context);
        let field = self.with.catalog.entity(owner).field(path.field);
        if field.encrypted {
            let mut sql = self.folded(path);
            sql.push(" IS DISTINCT FROM ").append(self.literal(&value, &Type::Sealed(owner, field.ix)));
            return super::wrapped(sql);
        }
        let mut sql = self.path(path);
        sql.push(" IS DISTINCT FROM ");
        sql.bind(kind.unwrap_or(crate::schema::catalog::ColumnKind::Int), super::cell(&value, &natural_type(&value)));
        super::wrapped(sql)
    }
}

fn natural_type(value: &crate::base::Value) -> Type {
    match value {
        crate::base::Value::Decimal(number) => Type::Decimal(number.scale),
        crate::base::Value::Money(money) => Type::Money(money.amount.scale),
        _ => Type::Null,
    }
}
