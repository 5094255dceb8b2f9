//! The writer's connection as a unit of work sees it.

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
}

#[derive(Debug)]
struct SearchWrite {
    record: i64,
    /// `None` deletes.
    tokens: Option<String>,
    is_new: bool,
    /// Written, and not undone since.
    is_written: bool,
    /// Written at least once: whether it was undone is not known for sure, so it is written over.
    was_written: bool,
}

impl SqliteLink {
    pub fn new(connection: Connection) -> Self {
        Self { connection, search: Vec::new() }
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

    pub fn put_search(&mut self, record: i64, tokens: Option<String>, is_new: bool) -> Result<(), StoreError> {
        self.search.push(SearchWrite { record, tokens, is_new, is_written: false, was_written: false });
        if self.search.len() > MOST_HELD_BACK { self.write_search() } else { Ok(()) }
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
    }

    /// The transaction is over.
    pub fn clear_search(&mut self) {
        self.search.clear();
    }

    fn write_search_if_named(&mut self, statement: &Statement) -> Result<(), StoreError> {
        if !self.search.is_empty() && statement.sql.contains("sys_search") { self.write_search() } else { Ok(()) }
    }

    /// Writes what waits.
    pub fn write_search(&mut self) -> Result<(), StoreError> {
        for write in self.search.iter_mut().filter(|write| !write.is_written) {
            let text = match (&write.tokens, write.is_new && !write.was_written) {
                (Some(_), true) => "INSERT INTO sys_search (rowid, tokens) VALUES (?, ?)",
                (Some(_), false) => "INSERT OR REPLACE INTO sys_search (rowid, tokens) VALUES (?, ?)",
                (None, _) => "DELETE FROM sys_search WHERE rowid = ?",
            };
            let mut prepared = self.connection.prepare_cached(text).map_err(translate)?;
            match &write.tokens {
                Some(tokens) => prepared.execute(params![write.record, tokens]).map_err(translate)?,
                None => prepared.execute(params![write.record]).map_err(translate)?,
            };
            write.is_written = true;
            write.was_written = true;
        }
        Ok(())
    }
}
