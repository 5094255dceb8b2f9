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
    /// What counts beyond that; `None` within a session.
    around: Option<Around>,
}

#[derive(Debug, Clone)]
struct Around {
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
        let pair = format!("account:{name} {address}");
        let usual = format!("{}{name} {address}", throttle::USUAL);
        Self { pair, around: Some(Around { usual, account: format!("account:{name}"), address }) }
    }

    /// The password once more of someone who is signed in: only what this very session tries counts, so that nobody else
    /// behind the same address can hold them up.
    pub fn within(session_hash: &str) -> Self {
        Self { pair: format!("session:{session_hash}"), around: None }
    }

    /// After a success: the slips are forgotten, the address is remembered. What others tried elsewhere still counts.
    pub async fn succeed(&self, tx: &mut Tx) -> Result<(), AuthError> {
        throttle::clear(tx, &self.pair).await?;
        if let Some(around) = &self.around {
            throttle::mark(tx, &around.usual).await?;
        }
        Ok(())
    }
}

impl Auth {
    /// Refuses an attempt that comes too soon after failed ones.
    pub(super) async fn admit(&self, attempt: &Attempt) -> Result<(), AuthError> {
        self.refuse_blocked(&[&attempt.pair]).await?;
        let Some(around) = &attempt.around else { return Ok(()) };
        self.refuse_blocked(&[&around.address]).await?;
        if self.is_usual(around).await? { Ok(()) } else { self.refuse_blocked(&[&around.account]).await }
    }

    /// Counts a failed attempt.
    pub(super) async fn note_failed(&self, attempt: Attempt) -> Result<(), AuthError> {
        let is_usual = match &attempt.around {
            Some(around) => self.is_usual(around).await?,
            None => true,
        };
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    throttle::note_failure(tx, &attempt.pair, Policy::SIGN_IN).await?;
                    let Some(around) = &attempt.around else { return Ok(()) };
                    throttle::note_failure(tx, &around.address, PER_ADDRESS).await?;
                    if !is_usual {
                        throttle::note_failure(tx, &around.account, PER_ACCOUNT).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn is_usual(&self, around: &Around) -> Result<bool, AuthError> {
        let since = DateTime(self.clock.now().0 - USUAL_MICROS);
        Ok(throttle::is_marked(&self.store, &around.usual, since).await?)
    }
}
