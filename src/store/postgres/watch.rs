//! Notices definitions applied by other processes: NOTIFY at once, a look every two seconds as the fallback (NOTIFY
//! fails behind some poolers).

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use sqlx::{Executor, Row};

use crate::store::signals::Signals;

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Runs until it is aborted.
pub(in crate::store) async fn run(pool: PgPool, signals: Arc<Signals>) {
    let mut listener = listen(&pool).await;
    loop {
        match &mut listener {
            Some(ear) => {
                // A notification of any schema is a hint to look; a lost connection is mended below.
                if let Ok(Err(_)) = tokio::time::timeout(LOOK_EVERY, ear.recv()).await {
                    listener = None;
                }
            }
            None => {
                tokio::time::sleep(LOOK_EVERY).await;
                listener = listen(&pool).await;
            }
        }
        if let Ok(row) = pool.fetch_one("SELECT version FROM sys_schema").await
            && let Ok(version) = row.try_get::<i64, _>(0)
        {
            signals.tell_catalog(version);
        }
    }
}

async fn listen(pool: &PgPool) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(pool).await.ok()?;
    listener.listen("relata_schema").await.ok()?;
    Some(listener)
}
