//! The columns of a statement's answer and the joins they need: what a selection reads.

use std::collections::HashMap;
use std::sync::Arc;

use crate::access::Mask;
use crate::base::{EntityIx, FieldIx};
use crate::expr::{Hop, Node, Path, Root, Type, Typed};
use crate::query::{Item, Select};
use crate::schema::catalog::{Catalog, ColumnKind, Entity, Field, FieldType, MoneyCurrency, ScalarType, TitlePart};
use crate::schema::expr_type;
use crate::store::{Dialect, Sql};

use super::children;
use super::expr::{self, ExprSql};
use super::shape::{Codec, Output, PartPlan, Shape, TitleBit, What};
use crate::base::json::write_text;

/// Titles follow links this far: an order line's title may name its product, no further.
const TITLE_DEPTH: usize = 2;

/// Collects the columns of one statement while shapes are made.
pub(super) struct Columns<'a, 'p> {
    pub with: ExprSql<'a>,
    pub found: Vec<(Sql, ColumnKind)>,
    pub joins: Sql,
    /// Parts of the whole plan, shared by all its statements; filled in when their statement is made.
    pub parts: &'p mut Vec<Option<PartPlan>>,
    /// The part this statement is of; `None` for the page.
    own_part: Option<usize>,
    /// First cell of a field of an alias.
    known: HashMap<(String, FieldIx), usize>,
    /// Alias of the record a link of an alias leads to.
    joined: HashMap<(String, FieldIx, EntityIx), String>,
    files_as_ids: bool,
}

impl<'a, 'p> Columns<'a, 'p> {
    pub fn new(with: ExprSql<'a>, parts: &'p mut Vec<Option<PartPlan>>, own_part: Option<usize>) -> Self {
        Self {
            with,
            found: Vec::new(),
            joins: Sql::default(),
            parts,
            own_part,
            known: HashMap::new(),
            joined: HashMap::new(),
            files_as_ids: false,
        }
    }

    /// Files are read as their ids alone: what a unit of work compares.
    pub fn with_plain_files(mut self) -> Self {
        self.files_as_ids = true;
        self
    }

    /// Appends a column; its position.
    pub fn push(&mut self, sql: Sql, kind: ColumnKind) -> usize {
        self.found.push((sql, kind));
        self.found.len() - 1
    }

    /// The list after `SELECT`.
    pub fn list(&self) -> Sql {
        let mut sql = Sql::default();
        sql.join(", ", self.found.iter().map(|(column, _)| column.clone()));
        sql
    }

    pub fn kinds(&self) -> Vec<ColumnKind> {
        self.found.iter().map(|(_, kind)| *kind).collect()
    }

    /// The shape of an entity's records standing under `alias`; `junction` is the alias and entity of the row between.
    pub fn shape(&mut self, alias: &str, select: &Select, junction: Option<(&str, &'a Entity)>) -> Shape {
        let entity = self.with.catalog.entity(select.entity);
        let id = self.field(alias, entity, &entity.fields[id_field(entity).0 as usize]).0;
        let outputs = select.items.iter().filter_map(|item| self.output(alias, entity, item, id, junction)).collect();
        Shape { entity: entity.ix, prefix: entity.prefix.as_str().into(), id, outputs }
    }

    fn output(&mut self, alias: &str, entity: &'a Entity, item: &Item, id: usize, junction: Option<(&str, &'a Entity)>) -> Option<Output> {
        match item {
            Item::Field(field) => {
                let field = entity.field(*field);
                let (at, codec) = self.field(alias, entity, field);
                Some(named(&field.name, What::Value { field: field.ix, at, codec }))
            }
            Item::Own(field) => {
                let (alias, junction) = junction?;
                let field = junction.field(*field);
                let (at, codec) = self.field(alias, junction, field);
                Some(named(&field.name, What::Own { entity: junction.ix, field: field.ix, at, codec }))
            }
            Item::Title => Some(named("_title", What::Title(self.title(alias, entity, 0)))),
            Item::Expand(expand) => {
                let field = entity.field(expand.field);
                if expand.many {
                    let id = match self.with.rows.mask(entity.ix, field.ix) {
                        None => id,
                        // Where the field may not be read there is nobody whose rows could be looked for.
                        Some(_) => {
                            self.push(masked(self.with, alias, entity.ix, field.ix, column_sql(alias, id_column(entity))), ColumnKind::Int)
                        }
                    };
                    let part = children::part(self, self.own_part, id, entity, field, expand);
                    return Some(named(&field.name, What::Many { field: field.ix, part }));
                }
                let each = expand.targets.iter().enumerate().map(|(position, target)| {
                    let joined = self.join(alias, entity, field, target.entity, position);
                    self.shape(&joined, target, None)
                });
                let targets = each.collect();
                let is_any = matches!(field.ty, FieldType::AnyLink { .. });
                Some(named(&field.name, What::One { field: field.ix, targets, is_any }))
            }
        }
    }

    /// First cell of a field's value, and how to read it.
    pub fn field(&mut self, alias: &str, entity: &'a Entity, field: &'a Field) -> (usize, Codec) {
        let codec = self.codec(field);
        let key = (alias.to_owned(), field.ix);
        if let Some(at) = self.known.get(&key) {
            return (*at, codec);
        }
        let at = self.found.len();
        if field.columns.is_empty() || self.with.rows.is_live(entity.ix, field.ix) {
            self.computed(alias, field);
        } else {
            for column in field.columns.iter().take(codec.width()) {
                self.push(column_sql(alias, &column.name), column.kind);
            }
        }
        if self.with.rows.mask(entity.ix, field.ix).is_some() {
            for (column, _) in &mut self.found[at..] {
                *column = masked(self.with, alias, entity.ix, field.ix, std::mem::take(column));
            }
        }
        self.known.insert(key, at);
        (at, codec)
    }

    fn codec(&self, field: &Field) -> Codec {
        match &field.ty {
            FieldType::File { .. } | FieldType::Image { .. } if self.files_as_ids => Codec::Ids { prefix: file_prefix(self.with.catalog) },
            _ => codec_of(self.with.catalog, field),
        }
    }

    /// Values without a column: side tables, ids of links, virtual formulas, rollups and lookups.
    fn computed(&mut self, alias: &str, field: &'a Field) {
        match &field.ty {
            FieldType::MultiSelect { .. } | FieldType::Tags { .. } => {
                let keys = side_list(self.with.dialect, alias, field);
                self.push(keys, ColumnKind::Json);
            }
            FieldType::File { .. } | FieldType::Image { .. } => {
                let files =
                    if self.files_as_ids { side_list(self.with.dialect, alias, field) } else { file_list(self.with.dialect, alias, field) };
                self.push(files, ColumnKind::Json);
            }
            FieldType::Links { to, through, near, far } => {
                let ids = children::link_ids(self.with, alias, *to, *through, *near, *far);
                self.push(ids, ColumnKind::Json);
            }
            FieldType::Formula { returns, expr, .. } => self.value(alias, field, expr, *returns),
            FieldType::Rollup { returns, aggregate, .. } => self.value(alias, field, aggregate, *returns),
            FieldType::Lookup { via, field: target, returns } => self.lookup(alias, field, *via, *target, *returns),
            // Children have no value of their own, and everything else has columns.
            _ => {
                self.push(Sql::new("NULL"), ColumnKind::Int);
            }
        }
    }

    fn value(&mut self, alias: &str, field: &Field, typed: &Typed, returns: ScalarType) {
        let with = owner_of(self.with.catalog, field).map_or(self.with, |owner| self.with.about(owner.ix));
        let with = if field.exposes { with.open() } else { with };
        let cells: Vec<(Sql, ColumnKind)> = with.in_zone_of(field, |with| match returns {
            ScalarType::Money { .. } => {
                let [amount, currency, base] = expr::money(with, alias, typed);
                vec![(amount, ColumnKind::Int), (currency, ColumnKind::Text), (base, ColumnKind::Int)]
            }
            returns => vec![(expr::value(with, alias, typed), scalar_kind(returns))],
        });
        for (sql, kind) in cells {
            self.push(sql, kind);
        }
    }

    fn lookup(&mut self, alias: &str, field: &Field, via: FieldIx, target: FieldIx, returns: ScalarType) {
        let Some(owner) = owner_of(self.with.catalog, field) else {
            self.push(Sql::new("NULL"), ColumnKind::Int);
            return;
        };
        let (FieldType::Link { to, .. } | FieldType::User { to, .. }) = &owner.field(via).ty else {
            self.push(Sql::new("NULL"), ColumnKind::Int);
            return;
        };
        let path = Path { root: Root::Record, hops: vec![Hop { field: via, to: *to }], field: target, part: None };
        self.value(alias, field, &Typed::new(expr_type(returns), Node::Path(path), 0..0), returns);
    }

    /// The alias of the record a link leads to, joined when it is live and may be seen. `position` is the target's of an
    /// any_link.
    pub fn join(&mut self, alias: &str, owner: &Entity, field: &Field, target: EntityIx, position: usize) -> String {
        let key = (alias.to_owned(), field.ix, target);
        if let Some(joined) = self.joined.get(&key) {
            return joined.clone();
        }
        let joined = format!("j{}", self.joined.len() + 1);
        let entity = self.with.catalog.entity(target);
        let link = field.columns.get(position);
        let link = link.map(|column| masked(self.with, alias, owner.ix, field.ix, column_sql(alias, &column.name)));
        let sql = &mut self.joins;
        sql.push("\nLEFT JOIN ").ident(&entity.table).push(" AS ").ident(&joined);
        sql.push(" ON ").append(column_sql(&joined, id_column(entity))).push(" = ");
        match link {
            Some(column) => sql.append(column),
            None => sql.push("NULL"),
        };
        for condition in visible(self.with, entity, &joined) {
            sql.push(" AND ").append(condition);
        }
        self.joined.insert(key, joined.clone());
        joined
    }

    fn title(&mut self, alias: &str, entity: &'a Entity, depth: usize) -> Vec<TitleBit> {
        let bits = entity.title.parts.iter().map(|part| match part {
            TitlePart::Text(text) => TitleBit::Text(text.clone()),
            TitlePart::Field(field) => {
                let field = entity.field(*field);
                match &field.ty {
                    FieldType::Link { to, .. } | FieldType::User { to, .. } if depth + 1 < TITLE_DEPTH => {
                        let joined = self.join(alias, entity, field, *to, 0);
                        TitleBit::Linked(self.title(&joined, self.with.catalog.entity(*to), depth + 1))
                    }
                    _ => {
                        let (at, codec) = self.field(alias, entity, field);
                        TitleBit::Value { at, codec }
                    }
                }
            }
        });
        bits.collect()
    }
}

fn named(name: &str, what: What) -> Output {
    let mut key = String::with_capacity(name.len() + 3);
    write_text(name, &mut key);
    key.push(':');
    Output { name: name.to_owned(), key, what }
}

/// `"alias"."column"`.
pub(super) fn column_sql(alias: &str, column: &str) -> Sql {
    let mut sql = Sql::default();
    sql.ident(alias).push(".").ident(column);
    sql
}

/// The conditions a record met by a hop must meet: it is live, and the rule of its entity holds.
pub(super) fn visible(with: ExprSql<'_>, entity: &Entity, alias: &str) -> Vec<Sql> {
    let mut conditions = Vec::new();
    if let Some(column) = deleted_column(entity) {
        let mut sql = column_sql(alias, column);
        sql.push(" IS NULL");
        conditions.push(sql);
    }
    conditions.extend(with.rows.of(entity.ix).map(|rule| expr::condition(with.open().about(entity.ix), alias, rule)));
    conditions
}

/// What may be read of a value that stands in `sql`: nothing where its mask does not hold. The type stays the same.
pub(super) fn masked(with: ExprSql<'_>, alias: &str, entity: EntityIx, field: FieldIx, sql: Sql) -> Sql {
    let Some(condition) = unmasked(with, alias, entity, field) else { return sql };
    let mut guarded = Sql::new("(CASE WHEN ");
    guarded.append(condition).push(" THEN ").append(sql).push(" END)");
    guarded
}

/// The condition under which a field of the record under `alias` may be read; `None` means always.
pub(super) fn unmasked(with: ExprSql<'_>, alias: &str, entity: EntityIx, field: FieldIx) -> Option<Sql> {
    Some(match with.rows.mask(entity, field)? {
        Mask::Hidden => Sql::new("1 = 0"),
        Mask::Where(condition) => expr::condition(with.open().about(entity), alias, condition),
    })
}

/// The column that says since when a record is in the recycle bin.
pub(super) fn deleted_column(entity: &Entity) -> Option<&str> {
    if !entity.features.soft_delete {
        return None;
    }
    let field = entity.find_field("deleted_at").filter(|field| field.is_system)?;
    field.columns.first().map(|column| column.name.as_str())
}

pub(super) fn id_field(entity: &Entity) -> FieldIx {
    entity.fields.iter().find(|field| matches!(field.ty, FieldType::Id)).map_or(FieldIx(0), |field| field.ix)
}

/// The primary key; always called `id`.
pub(super) fn id_column(entity: &Entity) -> &str {
    let field = entity.fields.get(id_field(entity).0 as usize);
    field.and_then(|field| field.columns.first()).map_or("id", |column| column.name.as_str())
}

fn owner_of<'a>(catalog: &'a Catalog, field: &Field) -> Option<&'a Entity> {
    catalog.entities.iter().find(|entity| entity.fields.get(field.ix.0 as usize).is_some_and(|own| std::ptr::eq(own, field)))
}

/// How the cells of a field are read.
pub(super) fn codec_of(catalog: &Catalog, field: &Field) -> Codec {
    let prefix = |entity: EntityIx| -> Arc<str> { catalog.entity(entity).prefix.as_str().into() };
    if field.encrypted {
        return Codec::Sealed { field: field.uid.as_str().into(), is_secret: field.is_secret() };
    }
    match &field.ty {
        FieldType::Id => Codec::Id { prefix: owner_of(catalog, field).map_or_else(|| "".into(), |entity| entity.prefix.as_str().into()) },
        FieldType::Integer { .. } | FieldType::Rating { .. } | FieldType::Duration { .. } => Codec::Int,
        FieldType::Decimal { scale, .. } | FieldType::Percent { scale, .. } => Codec::Decimal { scale: *scale },
        FieldType::Money { scale, currency, .. } => {
            let fixed = match currency {
                MoneyCurrency::Fixed(code) => Some(*code),
                MoneyCurrency::Record => None,
            };
            let part = |name: &str| field.columns.iter().position(|column| column.part == name);
            Codec::Money { scale: *scale, fixed, currency: part("currency"), base: part("base"), width: field.columns.len() }
        }
        FieldType::Boolean => Codec::Bool,
        FieldType::Date { .. } => Codec::Date,
        FieldType::DateTime => Codec::DateTime,
        FieldType::Time => Codec::Time,
        FieldType::MultiSelect { .. } | FieldType::Tags { .. } => Codec::Keys,
        FieldType::Link { to, .. } | FieldType::User { to, .. } => Codec::Id { prefix: prefix(*to) },
        FieldType::Links { to, .. } => Codec::Ids { prefix: prefix(*to) },
        FieldType::AnyLink { to, .. } => Codec::AnyId { prefixes: to.iter().map(|to| prefix(*to)).collect() },
        FieldType::Address | FieldType::PersonName => Codec::Parts(field.columns.iter().map(|column| (column.part, Codec::Text)).collect()),
        FieldType::Geo => Codec::Parts(field.columns.iter().map(|column| (column.part, Codec::Decimal { scale: 6 })).collect()),
        FieldType::Json { .. } => Codec::Json,
        FieldType::File { .. } | FieldType::Image { .. } => Codec::Files { prefix: file_prefix(catalog) },
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => {
            scalar_codec(catalog, *returns)
        }
        FieldType::Children { .. } => Codec::Json,
        // The formatted number; its counter is nobody's business.
        FieldType::AutoNumber { .. } => Codec::Text,
        FieldType::Text { .. }
        | FieldType::LongText { .. }
        | FieldType::RichText { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Color
        | FieldType::Select(_) => Codec::Text,
    }
}

pub(super) fn scalar_codec(_catalog: &Catalog, scalar: ScalarType) -> Codec {
    match scalar {
        ScalarType::Text => Codec::Text,
        ScalarType::Integer | ScalarType::Duration => Codec::Int,
        ScalarType::Decimal { scale } | ScalarType::Percent { scale } => Codec::Decimal { scale },
        ScalarType::Money { scale } => Codec::Money { scale, fixed: None, currency: Some(1), base: Some(2), width: 3 },
        ScalarType::Boolean => Codec::Bool,
        ScalarType::Date => Codec::Date,
        ScalarType::DateTime => Codec::DateTime,
        ScalarType::Time => Codec::Time,
    }
}

fn scalar_kind(scalar: ScalarType) -> ColumnKind {
    match scalar {
        ScalarType::Text => ColumnKind::Text,
        ScalarType::Boolean => ColumnKind::Bool,
        ScalarType::Date => ColumnKind::Date,
        ScalarType::DateTime => ColumnKind::DateTime,
        _ => ColumnKind::Int,
    }
}

/// The kind of the column an expression's value comes in.
pub(super) fn type_kind(ty: &Type) -> ColumnKind {
    match ty {
        Type::Bool => ColumnKind::Bool,
        Type::Text | Type::Sealed(..) | Type::Secret => ColumnKind::Text,
        Type::Date => ColumnKind::Date,
        Type::DateTime => ColumnKind::DateTime,
        Type::Json | Type::Set => ColumnKind::Json,
        Type::Null | Type::Int | Type::Decimal(_) | Type::Time | Type::Duration | Type::Money(_) | Type::Link(_) => ColumnKind::Int,
    }
}

/// The same expression with one part of its money.
pub(super) fn part_of(typed: &Typed, part: &'static str) -> Typed {
    let Node::Path(path) = &typed.node else { return typed.clone() };
    let ty = match (&typed.ty, part) {
        (_, "currency") => Type::Text,
        (Type::Money(scale), _) => Type::Decimal(*scale),
        (other, _) => other.clone(),
    };
    Typed::new(ty, Node::Path(Path { part: Some(part), ..path.clone() }), typed.span.clone())
}

fn file_prefix(catalog: &Catalog) -> Arc<str> {
    catalog.find_entity("core.file").map_or("file", |entity| entity.prefix.as_str()).into()
}

/// The keys in a side table as one JSON array.
fn side_list(dialect: Dialect, alias: &str, field: &Field) -> Sql {
    let mut sql = Sql::new("(SELECT ");
    sql.push(aggregate(dialect)).push("(\"x\".\"opt\" ORDER BY \"x\".\"pos\") FROM ");
    sql.ident(field.side_table.as_deref().unwrap_or_default());
    sql.push(" AS \"x\" WHERE \"x\".\"rec\" = ").append(column_sql(alias, "id")).push(")");
    sql
}

/// The files in a side table as one JSON array of `[id, name, size, type]`.
fn file_list(dialect: Dialect, alias: &str, field: &Field) -> Sql {
    let mut sql = Sql::new("(SELECT ");
    sql.push(aggregate(dialect));
    sql.push(match dialect {
        Dialect::Sqlite => "(json_array",
        Dialect::Postgres => "(jsonb_build_array",
    });
    sql.push("(\"f\".\"id\", \"f\".\"name\", \"f\".\"size_bytes\", \"f\".\"media_type\") ORDER BY \"x\".\"pos\") FROM ");
    sql.ident(field.side_table.as_deref().unwrap_or_default());
    sql.push(" AS \"x\" JOIN \"sys_file\" AS \"f\" ON \"f\".\"id\" = \"x\".\"opt\" WHERE \"x\".\"rec\" = ");
    sql.append(column_sql(alias, "id")).push(")");
    sql
}

/// The aggregate that makes a JSON array.
pub(super) fn aggregate(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "json_group_array",
        Dialect::Postgres => "jsonb_agg",
    }
}
