//! The search index: tokens cut by `base::text`, the same on both databases.

use std::sync::Arc;

use super::{Dialect, Sql, StoreError, Tx};
use crate::base::text::{index_tokens, query_tokens};
use crate::base::{Cell, RecordId};
use crate::schema::catalog::ColumnKind;

/// The tokens of a search text, as the index takes them.
pub fn tokens(search_text: &str) -> String {
    index_tokens(search_text).join(" ")
}

/// Writes the [`tokens`] of a record, in its transaction. `is_new` spares looking for former ones.
pub async fn put_tokens(tx: &mut Tx, record: RecordId, tokens: &Arc<str>, is_new: bool) -> Result<(), StoreError> {
    if tokens.is_empty() {
        return if is_new { Ok(()) } else { remove(tx, record).await };
    }
    tx.put_search(record.0, Some(tokens.clone()), is_new).await
}

/// Writes the search text of a record: [`put_tokens`] of its tokens.
pub async fn put(tx: &mut Tx, record: RecordId, search_text: &str, is_new: bool) -> Result<(), StoreError> {
    put_tokens(tx, record, &tokens(search_text).into(), is_new).await
}

/// Takes a record out of the index.
pub async fn remove(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    tx.put_search(record.0, None, false).await
}

/// Forgets the whole index, before it is built anew.
pub async fn clear(tx: &mut Tx) -> Result<(), StoreError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => Sql::new("INSERT INTO sys_search (sys_search) VALUES ('delete-all')"),
        Dialect::Postgres => Sql::new("DELETE FROM sys_search"),
    };
    tx.run(sql).await?;
    Ok(())
}

/// A subquery in parentheses that gives the ids of all records in which every token of `query` is found, for use as
/// `id IN <this>`. `None` when the text has no token: such a search finds nothing.
pub fn matching(dialect: Dialect, query: &str) -> Option<Sql> {
    let tokens = query_tokens(query);
    if tokens.is_empty() {
        return None;
    }
    let terms: Vec<String> = tokens.iter().map(|(token, is_prefix)| term(dialect, token, *is_prefix)).collect();
    let (text, mut sql) = match dialect {
        Dialect::Sqlite => (terms.join(" AND "), Sql::new("(SELECT rowid FROM sys_search WHERE sys_search MATCH ")),
        Dialect::Postgres => (terms.join(" & "), Sql::new("(SELECT id FROM sys_search WHERE tokens @@ ")),
    };
    sql.bind(ColumnKind::Text, Cell::Text(text));
    sql.push(match dialect {
        Dialect::Sqlite => ")",
        Dialect::Postgres => "::text::tsquery)",
    });
    Some(sql)
}

/// One token as the dialect's query language has it. Two or more Latin letters also stand for pinyin initials.
/// Tokens hold letters and digits only, so that quoting them is enough.
fn term(dialect: Dialect, token: &str, is_prefix: bool) -> String {
    let initials = is_prefix && token.len() >= 2 && token.bytes().all(|byte| byte.is_ascii_alphabetic());
    match dialect {
        Dialect::Sqlite => {
            let star = if is_prefix { " *" } else { "" };
            if initials { format!("(\"{token}\"{star} OR \"p{token}\"{star})") } else { format!("\"{token}\"{star}") }
        }
        Dialect::Postgres => {
            let star = if is_prefix { ":*" } else { "" };
            if initials { format!("('{token}'{star} | 'p{token}'{star})") } else { format!("'{token}'{star}") }
        }
    }
}
