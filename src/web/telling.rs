//! What streams tell, worked out once for those that tell the same: whose eyes are alike, from the same position.
//!
//! Each is told by rights that were looked at after it asked: who comes while it is being worked out for others waits, and has
//! a part in the next time.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;

use crate::access::Alike;
use crate::record::RecordError;

/// What is told of a stretch of the feed.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// Server-sent events; empty when there is nothing to tell.
    pub text: Bytes,
    /// Everything up to here was told.
    pub next: i64,
}

/// What is being worked out, by whose eyes and from where.
#[derive(Debug, Default)]
pub(super) struct Telling(Mutex<HashMap<(Alike, i64), Arc<Round>>>);

#[derive(Debug, Default)]
struct Round {
    /// Streams that asked so far.
    came: AtomicU64,
    /// What was worked out last, after so many had asked.
    last: tokio::sync::Mutex<Option<(u64, Told)>>,
}

impl Telling {
    /// What `work` gives, or what it gave to another one that asked for the same and began after this one asked.
    pub async fn once(
        &self,
        alike: Alike,
        after: i64,
        work: impl Future<Output = Result<Told, RecordError>> + Send,
    ) -> Result<Told, RecordError> {
        let key = (alike, after);
        let round = self.lock().entry(key.clone()).or_default().clone();
        let number = round.came.fetch_add(1, Ordering::AcqRel) + 1;
        let mut last = round.last.lock().await;
        let told = match &*last {
            Some((covers, told)) if *covers >= number => Ok(told.clone()),
            _ => {
                let covers = round.came.load(Ordering::Acquire);
                let told = work.await;
                if let Ok(told) = &told {
                    *last = Some((covers, told.clone()));
                }
                told
            }
        };
        drop(last);
        let mut rounds = self.lock();
        // The last one leaves nothing behind.
        if Arc::strong_count(&round) == 2 {
            rounds.remove(&key);
        }
        told
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(Alike, i64), Arc<Round>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Actor;
    use crate::schema::catalog::Catalog;
    use crate::schema::{Bindings, SourceFile, load};

    /// Definitions of nothing at all.
    fn nothing() -> Catalog {
        let core = SourceFile { path: "core.yaml".into(), text: "kind: entity\nid: core.user\nfields: {name: {type: text}}\n".into() };
        load(&[core], &Bindings::default()).expect("definitions").catalog
    }

    fn told(next: i64) -> Told {
        Told { text: Bytes::from_static(b"x"), next }
    }

    #[tokio::test]
    async fn those_who_wait_share_one_look_that_begins_after_they_asked() {
        let telling = Arc::new(Telling::default());
        let alike = Actor::system().alike(&nothing()).expect("the program");
        let looks = Arc::new(AtomicU64::new(0));
        let (begin, begun) = tokio::sync::oneshot::channel::<()>();
        let (go, goes) = tokio::sync::oneshot::channel::<()>();
        let first = {
            let (telling, alike) = (telling.clone(), alike.clone());
            tokio::spawn(async move {
                let work = async {
                    let _ = begin.send(());
                    let _ = goes.await;
                    Ok(told(1))
                };
                telling.once(alike, 0, work).await.expect("told").next
            })
        };
        begun.await.expect("the first one looks");
        let others: Vec<_> = (0..50)
            .map(|_| {
                let (telling, alike, looks) = (telling.clone(), alike.clone(), looks.clone());
                let work = async move {
                    looks.fetch_add(1, Ordering::Relaxed);
                    Ok(told(2))
                };
                tokio::spawn(async move { telling.once(alike, 0, work).await.expect("told").next })
            })
            .collect();
        tokio::task::yield_now().await;
        let _ = go.send(());
        assert_eq!(first.await.expect("ended"), 1);
        for other in others {
            assert_eq!(other.await.expect("ended"), 2, "what was looked up before one asked is not for one");
        }
        assert_eq!(looks.load(Ordering::Relaxed), 1);
        assert!(telling.lock().is_empty());
    }

    #[tokio::test]
    async fn a_failed_look_is_nobody_elses() {
        let telling = Telling::default();
        let alike = Actor::system().alike(&nothing()).expect("the program");
        let refused = telling.once(alike.clone(), 0, async { Err(RecordError::NotKept { since: 0, oldest: 1 }) }).await;
        assert!(refused.is_err());
        assert_eq!(telling.once(alike, 0, async { Ok(told(3)) }).await.expect("told").next, 3);
    }
}
