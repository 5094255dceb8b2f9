//! A request body that must keep coming.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::timed::stalled;

/// Fails when the next piece does not come within the header time, and when the whole comes slower than the least rate:
/// a body may take the header time and then a second for each `least_rate` bytes that have come.
pub(super) struct StallGuard {
    body: Incoming,
    patience: Duration,
    least_rate: u32,
    /// Runs out when the next piece is late.
    piece: Option<Pin<Box<Sleep>>>,
    /// Runs out when the whole is late; set when the body is first waited for.
    whole: Option<Pin<Box<Sleep>>>,
    /// Bytes that the time of the whole was not yet prolonged for.
    unpaid: u64,
}

impl StallGuard {
    pub(super) fn new(body: Incoming, patience: Duration, least_rate: u32) -> Self {
        Self { body, patience, least_rate, piece: None, whole: None, unpaid: 0 }
    }

    /// Whether the body as a whole is slower than allowed. What has come earns more time only when it is asked for, so that
    /// a fast body sets no timer.
    fn is_slow(&mut self, cx: &mut Context<'_>) -> bool {
        let patience = self.patience;
        let whole = self.whole.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        while whole.as_mut().poll(cx).is_ready() {
            if self.unpaid == 0 {
                return true;
            }
            let earned = Duration::from_millis((self.unpaid * 1000 / u64::from(self.least_rate.max(1))).max(1));
            self.unpaid = 0;
            let until = whole.deadline() + earned;
            whole.as_mut().reset(until);
        }
        false
    }
}

impl Body for StallGuard {
    type Data = <Incoming as Body>::Data;
    type Error = axum::BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.piece = None;
            if let Some(Ok(frame)) = &frame {
                self.unpaid += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = self.patience;
        let piece = self.piece.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if piece.as_mut().poll(cx).is_ready() || self.is_slow(cx) {
            return Poll::Ready(Some(Err(stalled().into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
