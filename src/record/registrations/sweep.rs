//! What becomes of claims as time goes by: protections end, and whoever filed them is told before.

use std::sync::Arc;

use super::super::error::RecordError;
use super::super::options::Source;
use super::super::pools::later;
use super::super::service::Records;
use super::super::unit::RecordTx;
use crate::access::Actor;
use crate::store::registrations::{self, Claim};

/// Claims of one unit of work.
const STRIDE: u32 = 100;
/// Units in one run; the next run goes on.
const MOST_STRIDES: usize = 1_000;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClaimsDone {
    pub expired: u64,
    pub warned: u64,
}

impl Records {
    /// Looks after all claims.
    ///
    /// # Errors
    /// The database.
    pub async fn look_after_claims(&self) -> Result<ClaimsDone, RecordError> {
        let mut done = ClaimsDone::default();
        for _ in 0..MOST_STRIDES {
            let found = registrations::ending(self.store(), self.clock().now(), STRIDE).await?;
            if found.is_empty() {
                break;
            }
            done.expired += self.each_claim(found, true).await?;
        }
        let catalog = self.catalog();
        for entity in &catalog.entities {
            for registration in &entity.registrations {
                let Some(seconds) = registration.warn_seconds else { continue };
                for _ in 0..MOST_STRIDES {
                    let soon = later(self.clock().now(), seconds);
                    let found = registrations::untold(self.store(), (&entity.uid, &registration.id), soon, STRIDE).await?;
                    if found.is_empty() {
                        break;
                    }
                    done.warned += self.each_claim(found, false).await?;
                }
            }
        }
        Ok(done)
    }

    async fn each_claim(&self, found: Vec<Claim>, ends: bool) -> Result<u64, RecordError> {
        let found = Arc::new(found);
        self.unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
            let found = found.clone();
            Box::pin(async move { tx.each_claim(&found, ends).await })
        })
        .await
    }
}

impl RecordTx<'_> {
    async fn each_claim(&mut self, found: &[Claim], ends: bool) -> Result<u64, RecordError> {
        let mut done = 0;
        for claim in found {
            let went = match ends {
                true => registrations::end(self.store, claim.id, "expired", 0, None).await?,
                false => registrations::warn(self.store, claim.id).await?,
            };
            if went {
                let key = if ends { "notification-registration-expired" } else { "notification-registration-soon" };
                self.tell_of_claim(claim, vec![claim.filer.0], &[], key).await?;
                done += 1;
            }
        }
        Ok(done)
    }
}
