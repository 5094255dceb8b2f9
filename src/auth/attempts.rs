//! What attempts to sign in are counted by: so that guessing is slow, and nobody elsewhere can lock a person out.

use std::net::IpAddr;

use super::session::{PER_ADDRESS, address_key};
use super::{Auth, AuthError};
use crate::base::DateTime;
use crate::store::Tx;
use crate::store::throttle::{self, Policy};

/// An account guessed at from many addresses: the addresses its person signs in from are not held by it.
const PER_ACCOUNT: Policy = Policy { allowed: 50, ..Policy::SIGN_IN };
/// How long an address stays usual for an account after a sign-in from it.
pub(super) const USUAL_MICROS: i64 = 90 * 24 * 3600 * 1_000_000;

/// One attempt for an account from an address.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// This account from this address: after a few failures it waits.
    pair: String,
    address: String,
    /// The account from anywhere it is not usually used from.
    account: String,
    /// Remembers that the person signed in from this address.
    usual: String,
}

impl Attempt {
    pub fn new(email: &str, from: IpAddr) -> Self {
        let name: String = crate::base::text::fold(email.trim()).chars().take(254).collect();
        let address = address_key(from);
        Self {
            pair: format!("account:{name} {address}"),
            usual: format!("{}{name} {address}", throttle::USUAL),
            account: format!("account:{name}"),
            address,
        }
    }

    /// After a success: the slips are forgotten, the address is remembered. What others tried elsewhere still counts.
    pub async fn succeed(&self, tx: &mut Tx) -> Result<(), AuthError> {
        throttle::clear(tx, &self.pair).await?;
        Ok(throttle::mark(tx, &self.usual).await?)
    }
}

impl Auth {
    /// Refuses an attempt that comes too soon after failed ones.
    pub(super) async fn admit(&self, attempt: &Attempt) -> Result<(), AuthError> {
        self.refuse_blocked(&[&attempt.pair, &attempt.address]).await?;
        if self.is_usual(attempt).await? { Ok(()) } else { self.refuse_blocked(&[&attempt.account]).await }
    }

    /// Counts a failed attempt.
    pub(super) async fn note_failed(&self, attempt: Attempt) -> Result<(), AuthError> {
        let is_usual = self.is_usual(&attempt).await?;
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    throttle::note_failure(tx, &attempt.pair, Policy::SIGN_IN).await?;
                    throttle::note_failure(tx, &attempt.address, PER_ADDRESS).await?;
                    if !is_usual {
                        throttle::note_failure(tx, &attempt.account, PER_ACCOUNT).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn is_usual(&self, attempt: &Attempt) -> Result<bool, AuthError> {
        let since = DateTime(self.clock.now().0 - USUAL_MICROS);
        Ok(throttle::is_marked(&self.store, &attempt.usual, since).await?)
    }
}
