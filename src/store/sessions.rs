//! Sessions of signed-in people, by the hash of their secret.

use super::audit::{self, Entry};
use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Rows, Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Hex hash of the secret in the cookie.
    pub hash: String,
    pub user_id: i64,
    /// The user's epoch when it began.
    pub epoch: i64,
    pub created_at: DateTime,
    pub seen_at: DateTime,
    /// When the password was last given.
    pub stepped_up_at: DateTime,
    pub expires_at: DateTime,
    pub ip: String,
    pub agent: String,
    /// The person its own person looks through the eyes of.
    pub viewing: Option<i64>,
}

/// The entity whose records people are.
pub(super) const PERSON: &str = "core.user";

const COLUMNS: [crate::schema::catalog::ColumnKind; 10] = [TEXT, INT, INT, AT, AT, AT, AT, TEXT, TEXT, INT];

pub async fn create(tx: &mut Tx, session: &Session) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_session (hash, user_id, epoch, created_at, seen_at, stepped_up_at, expires_at, ip, agent) \
         VALUES (?, ?, COALESCE((SELECT epoch FROM sys_credential WHERE user_id = ?), 0), ?, ?, ?, ?, ?, ?)",
        [
            text(session.hash.as_str()),
            int(session.user_id),
            int(session.user_id),
            at(session.created_at),
            at(session.seen_at),
            at(session.stepped_up_at),
            at(session.expires_at),
            text(session.ip.as_str()),
            text(session.agent.as_str()),
        ],
    ))
    .await?;
    audit::append(tx, Entry::new("session.begin").by(session.user_id, "person").on(PERSON, session.user_id)).await?;
    Ok(())
}

/// The session with this hash, if it is not over and the user's epoch is still the one it began with.
pub async fn find(store: &Store, hash: &str, now: DateTime) -> Result<Option<Session>, StoreError> {
    let sql = Sql::template(
        "SELECT s.hash, s.user_id, s.epoch, s.created_at, s.seen_at, s.stepped_up_at, s.expires_at, s.ip, s.agent, s.viewing \
         FROM sys_session AS s LEFT JOIN sys_credential AS c ON c.user_id = s.user_id \
         WHERE s.hash = ? AND s.expires_at > ? AND s.epoch = COALESCE(c.epoch, 0)",
        [text(hash), at(now)],
    );
    let rows = store.rows(sql, &COLUMNS).await?;
    Ok(rows.first().map(session))
}

/// Live sessions of a user, the one used last first.
pub async fn list(store: &Store, user_id: i64, now: DateTime) -> Result<Vec<Session>, StoreError> {
    let sql = Sql::template(
        "SELECT s.hash, s.user_id, s.epoch, s.created_at, s.seen_at, s.stepped_up_at, s.expires_at, s.ip, s.agent, s.viewing \
         FROM sys_session AS s LEFT JOIN sys_credential AS c ON c.user_id = s.user_id \
         WHERE s.user_id = ? AND s.expires_at > ? AND s.epoch = COALESCE(c.epoch, 0) ORDER BY s.seen_at DESC, s.hash",
        [int(user_id), at(now)],
    );
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(session).collect())
}

/// Notes that the session was used; callers do so at most once a minute.
pub async fn touch(tx: &mut Tx, hash: &str, expires_at: DateTime) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template("UPDATE sys_session SET seen_at = ?, expires_at = ? WHERE hash = ?", [at(now), at(expires_at), text(hash)]))
        .await?;
    Ok(())
}

/// Ends one session; `false` when there is none.
pub async fn delete(tx: &mut Tx, hash: &str) -> Result<bool, StoreError> {
    tx.identity_changed().await?;
    let sql = Sql::template("DELETE FROM sys_session WHERE hash = ? RETURNING user_id, viewing", [text(hash)]);
    let ended = tx.rows(sql, &[INT, INT]).await?;
    let Some(user_id) = ended.one_int() else { return Ok(false) };
    end_views(tx, &ended).await?;
    audit::append(tx, Entry::new("session.end").on(PERSON, user_id)).await?;
    Ok(true)
}

/// Ends the sessions of a user, all but the one to be kept; gives how many.
pub async fn delete_all(tx: &mut Tx, user_id: i64, but: Option<&str>) -> Result<u64, StoreError> {
    tx.identity_changed().await?;
    let all = "DELETE FROM sys_session WHERE user_id = ? AND hash <> ? RETURNING user_id, viewing";
    let rows = tx.rows(Sql::template(all, [int(user_id), text(but.unwrap_or(""))]), &[INT, INT]).await?;
    let ended = rows.len() as u64;
    if ended > 0 {
        end_views(tx, &rows).await?;
        audit::append(tx, Entry::new("session.end").on(PERSON, user_id).fact("sessions", ended)).await?;
    }
    Ok(ended)
}

/// Puts a session under another secret: the former one is worth nothing from then on.
pub async fn rotate(tx: &mut Tx, hash: &str, new_hash: &str) -> Result<bool, StoreError> {
    tx.identity_changed().await?;
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_session SET hash = ?, stepped_up_at = ?, seen_at = ? WHERE hash = ? RETURNING user_id",
        [text(new_hash), at(now), at(now), text(hash)],
    );
    let Some(user_id) = tx.rows(sql, &[INT]).await?.one_int() else { return Ok(false) };
    audit::append(tx, Entry::new("session.confirm").on(PERSON, user_id)).await?;
    Ok(true)
}

/// From now on the session looks through the eyes of somebody, or through its own person's again; `false` when there is none.
pub async fn view(tx: &mut Tx, hash: &str, user_id: Option<i64>) -> Result<bool, StoreError> {
    tx.identity_changed().await?;
    let sql = Sql::template("SELECT user_id, viewing FROM sys_session WHERE hash = ?", [text(hash)]);
    let rows = tx.rows(sql, &[INT, INT]).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    let (own, before) = (read::int(row, 0), read::opt_int(row, 1));
    tx.run(Sql::template("UPDATE sys_session SET viewing = ? WHERE hash = ?", [int(user_id), text(hash)])).await?;
    let entry = match (user_id, before) {
        (Some(user), _) => Entry::new("view.begin").on(PERSON, user),
        (None, Some(user)) => Entry::new("view.end").on(PERSON, user),
        (None, None) => return Ok(true),
    };
    audit::append(tx, entry.by(own, "person")).await?;
    Ok(true)
}

/// How many live sessions each user has, and when the last of them was used.
pub async fn count_by_user(store: &Store, now: DateTime) -> Result<Vec<(i64, i64, DateTime)>, StoreError> {
    let sql = Sql::template(
        "SELECT s.user_id, count(*), max(s.seen_at) FROM sys_session AS s LEFT JOIN sys_credential AS c ON c.user_id = s.user_id \
         WHERE s.expires_at > ? AND s.epoch = COALESCE(c.epoch, 0) GROUP BY s.user_id ORDER BY s.user_id",
        [at(now)],
    );
    Ok(store.rows(sql, &[INT, INT, AT]).await?.iter().map(|row| (read::int(row, 0), read::int(row, 1), read::at(row, 2))).collect())
}

/// Deletes sessions that are over.
pub async fn prune(tx: &mut Tx) -> Result<u64, StoreError> {
    let now = tx.now();
    let looking = "DELETE FROM sys_session WHERE expires_at <= ? AND viewing IS NOT NULL RETURNING user_id, viewing";
    let looking = tx.rows(Sql::template(looking, [at(now)]), &[INT, INT]).await?;
    let others = tx.run(Sql::template("DELETE FROM sys_session WHERE expires_at <= ?", [at(now)])).await?;
    end_views(tx, &looking).await?;
    Ok(others + looking.len() as u64)
}

/// Looking through somebody's eyes ends with the session. `ended` has the sessions' `user_id` and `viewing`.
async fn end_views(tx: &mut Tx, ended: &Rows) -> Result<(), StoreError> {
    for row in ended.iter() {
        if let Some(user) = read::opt_int(row, 1) {
            audit::append(tx, Entry::new("view.end").by(read::int(row, 0), "person").on(PERSON, user)).await?;
        }
    }
    Ok(())
}

fn session(row: &[crate::base::Cell]) -> Session {
    Session {
        hash: read::text(row, 0),
        user_id: read::int(row, 1),
        epoch: read::int(row, 2),
        created_at: read::at(row, 3),
        seen_at: read::at(row, 4),
        stepped_up_at: read::at(row, 5),
        expires_at: read::at(row, 6),
        ip: read::text(row, 7),
        agent: read::text(row, 8),
        viewing: read::opt_int(row, 9),
    }
}
