//! Records in which words are found: by the search index, and for whoever may not read every searched field by what they read
//! of the records the index gives.

use crate::access::Mask;
use crate::base::text::{WORD_BOUNDARIES, query_tokens};
use crate::schema::catalog::{ColumnKind, Entity};
use crate::store::{Dialect, Sql, search};

use super::columns::{column_sql, id_column};
use super::expr::{self, ExprSql};

/// All words are found in the record's search text.
///
/// The search text holds what some may not read. For them each word must also begin a word of a searched field they may read:
/// whatever does so is in the index too, so that no hidden value decides what is found.
pub(super) fn found(with: ExprSql<'_>, entity: &Entity, words: Option<&str>) -> Option<Sql> {
    let words = words?;
    let Some(ids) = search::matching(with.dialect, words) else { return Some(Sql::new("1 = 0")) };
    let mut sql = column_sql("t", id_column(entity));
    sql.push(" IN ").append(ids);
    if !with.rows.masks(entity.ix).any(|(field, _)| entity.field(field).search) {
        return Some(sql);
    }
    let readable = entity
        .fields
        .iter()
        .filter(|field| field.search && field.fold_column.is_some() && with.rows.mask(entity.ix, field.ix) != Some(&Mask::Hidden));
    let texts: Vec<Sql> = readable.map(|field| expr::folded(with.about(entity.ix), "t", field.ix)).collect();
    if texts.is_empty() {
        return Some(Sql::new("1 = 0"));
    }
    for (word, is_beginning) in query_tokens(words) {
        sql.push(" AND (");
        for (position, text) in texts.iter().enumerate() {
            sql.push(if position == 0 { "" } else { " OR " }).append(holds(with.dialect, text.clone(), &word, is_beginning));
        }
        sql.push(")");
    }
    Some(sql)
}

/// Whether a folded text holds a token: a character or a pair of them anywhere, a word where one begins.
fn holds(dialect: Dialect, text: Sql, token: &str, is_beginning: bool) -> Sql {
    let mut sql = Sql::new(match (dialect, is_beginning) {
        (Dialect::Sqlite, true) => "rl_begins_word(",
        (Dialect::Sqlite, false) => "instr(",
        (Dialect::Postgres, true) => "(",
        (Dialect::Postgres, false) => "strpos(",
    });
    sql.append(text);
    match (dialect, is_beginning) {
        // Tokens are letters and digits alone, so that nothing in one means something to the pattern.
        (Dialect::Postgres, true) => sql.push(") ~ ").bind(ColumnKind::Text, format!("(^|[{}]){token}", boundary_class())),
        (_, true) => sql.push(", ").bind(ColumnKind::Text, token.to_owned()).push(")"),
        (_, false) => sql.push(", ").bind(ColumnKind::Text, token.to_owned()).push(") > 0"),
    };
    sql
}

/// The characters after which a word begins, for PostgreSQL: ranges of code points, whatever the database's collation.
fn boundary_class() -> String {
    let point = |c: char| format!("\\U{:08x}", u32::from(c));
    WORD_BOUNDARIES.iter().map(|(first, last)| format!("{}-{}", point(*first), point(*last))).collect()
}
