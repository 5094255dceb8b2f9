//! The writer's connection as a unit of work sees it.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::fault::{name_index, translate};
use super::run;
use crate::store::{Rows, Statement, StoreError};

/// More search writes than this are not held back.
const MOST_HELD_BACK: usize = 4096;

/// The writing connection with the search writes that wait for the commit.
#[derive(Debug)]
pub(in crate::store) struct SqliteLink {
    pub connection: Connection,
    /// Writes to the search index of all units of the batch so far, in order.
    search: Vec<SearchWrite>,
    /// All before this position are written.
    search_done: usize,
}

#[derive(Debug)]
struct SearchWrite {
    record: i64,
    /// `None` deletes.
    tokens: Option<Arc<str>>,
    is_new: bool,
    /// Written, and not undone since.
    is_written: bool,
    /// Written at least once: whether it was undone is not known for sure, so it is written over.
    was_written: bool,
}

impl SqliteLink {
    pub fn new(connection: Connection) -> Self {
        Self { connection, search: Vec::new(), search_done: 0 }
    }

    pub fn query(&mut self, statement: &Statement) -> Result<Rows, StoreError> {
        self.write_search_if_named(statement)?;
        run::query(&self.connection, statement).map_err(|error| name_index(&self.connection, error))
    }

    pub fn execute(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        self.write_search_if_named(statement)?;
        run::execute(&self.connection, statement).map_err(|error| name_index(&self.connection, error))
    }

    /// Runs statements of one text, prepared once.
    pub fn execute_each(&mut self, statements: &[&Statement]) -> Result<(), StoreError> {
        run::execute_each(&self.connection, statements).map_err(|error| name_index(&self.connection, error))
    }

    /// Runs a fixed statement such as `SAVEPOINT unit`.
    pub fn command(&mut self, text: &'static str) -> Result<(), StoreError> {
        let mut prepared = self.connection.prepare_cached(text).map_err(translate)?;
        prepared.raw_execute().map_err(translate)?;
        Ok(())
    }

    pub fn put_search(&mut self, record: i64, tokens: Option<Arc<str>>, is_new: bool) -> Result<(), StoreError> {
        self.search.push(SearchWrite { record, tokens, is_new, is_written: false, was_written: false });
        if self.search.len() - self.search_done >= MOST_HELD_BACK { self.write_search() } else { Ok(()) }
    }

    /// Where the list of search writes ends now.
    pub fn search_mark(&self) -> usize {
        self.search.len()
    }

    /// The savepoint of this mark was rolled back: later writes are forgotten, and earlier ones may have been undone with
    /// it when they were written inside.
    pub fn forget_search(&mut self, mark: usize) {
        self.search.truncate(mark);
        for write in &mut self.search {
            write.is_written = false;
        }
        self.search_done = 0;
    }

    /// The transaction is over.
    pub fn clear_search(&mut self) {
        self.search.clear();
        self.search_done = 0;
    }

    fn write_search_if_named(&mut self, statement: &Statement) -> Result<(), StoreError> {
        if self.search_done < self.search.len() && statement.sql.contains("sys_search") { self.write_search() } else { Ok(()) }
    }

    /// Writes what waits.
    pub fn write_search(&mut self) -> Result<(), StoreError> {
        let Some(waiting) = self.search.get_mut(self.search_done..).filter(|waiting| !waiting.is_empty()) else { return Ok(()) };
        // Most are new: that statement is prepared once.
        let mut insert = self.connection.prepare_cached("INSERT INTO sys_search (rowid, tokens) VALUES (?, ?)").map_err(translate)?;
        for write in waiting.iter_mut().filter(|write| !write.is_written) {
            match (&write.tokens, write.is_new && !write.was_written) {
                (Some(tokens), true) => insert.execute(params![write.record, &**tokens]),
                (Some(tokens), false) => self
                    .connection
                    .prepare_cached("INSERT OR REPLACE INTO sys_search (rowid, tokens) VALUES (?, ?)")
                    .and_then(|mut replace| replace.execute(params![write.record, &**tokens])),
                (None, _) => self
                    .connection
                    .prepare_cached("DELETE FROM sys_search WHERE rowid = ?")
                    .and_then(|mut delete| delete.execute(params![write.record])),
            }
            .map_err(translate)?;
            write.is_written = true;
            write.was_written = true;
        }
        self.search_done = self.search.len();
        Ok(())
    }
}
