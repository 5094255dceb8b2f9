//! `GET /changes` as a stream of server-sent events. Before each batch it is asked anew who listens and what they may read:
//! rights of a moment ago show nothing, and whoever may no longer be here hears no more.
//!
//! The feed is read once for all streams, and what of it may be told once for all whose eyes are alike. A stream that is far
//! behind reads alone until it has caught up.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::mpsc;

use super::head::Head;
use super::{locate, read};
use crate::access::{Actor, Alike};
use crate::record::{ChangesPage, RecordError, Stretch};
use crate::schema::catalog::Catalog;
use crate::web::Problem;
use crate::web::middleware::identify;
use crate::web::streams::Place;
use crate::web::telling::Told;

/// Events of one batch.
const AT_ONCE: u32 = 200;
/// Pieces that wait for a slow listener.
const WAITING: usize = 4;

/// Whether a client wants a stream.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepts = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("text/event-stream"));
    headers.get_all(header::ACCEPT).iter().any(accepts)
}

/// Opens a stream: after `since`, else after `Last-Event-ID`, else with what happens from now on.
pub(super) async fn open(head: Head) -> Result<Response, Problem> {
    let params = head.params(&["since"])?;
    let since = match (params.get("since"), head.headers.get("last-event-id")) {
        (Some(_), _) => Some(locate::number(&params, "since", 0, 0..=i64::MAX)?),
        (None, Some(last)) => {
            let position = last.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok()).filter(|position| *position >= 0);
            Some(position.ok_or_else(|| Problem::new("WEB400", "`Last-Event-ID` is not the id of an event of this stream"))?)
        }
        (None, None) => None,
    };
    let person = head.requester.identity()?.user.0;
    let after = match since {
        Some(since) => {
            // What is no longer kept is told before the stream begins.
            head.state.records.changes(&head.actor, Some(since), 1).await?;
            since
        }
        None => head.state.records.newest_change().await?,
    };
    let place = head.state.config.streams.enter(person)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(Stream { head, after, sender, place }.run());
    let mut response = Response::new(Body::new(Pieces(receiver)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// One listener.
struct Stream {
    head: Head,
    /// Everything up to here was told.
    after: i64,
    sender: mpsc::Sender<Bytes>,
    place: Place,
}

/// Who listens, with the rights they have now.
struct Listener {
    actor: Actor,
    catalog: Arc<Catalog>,
    alike: Alike,
}

/// Why a stream ends.
enum End {
    /// Nobody listens any more, or the server stops.
    Quiet,
    /// The client is told why.
    Told(Problem),
}

impl<E: Into<Problem>> From<E> for End {
    fn from(error: E) -> Self {
        End::Told(error.into())
    }
}

impl Stream {
    async fn run(mut self) {
        if let End::Told(problem) = self.tell_all().await {
            let document = json!({ "code": problem.code, "detail": problem.detail });
            let _ = self.sender.send(format!("event: end\ndata: {document}\n\n").into()).await;
        }
    }

    async fn tell_all(&mut self) -> End {
        match self.tell_until_end().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn tell_until_end(&mut self) -> Result<Infallible, End> {
        let state = self.head.state.clone();
        let mut recent = state.config.streams.recent(&state.records);
        let mut stopped = state.config.streams.stopped();
        // A quiet stream says now and then that it is there, well before a quiet connection is closed.
        let mut beat = tokio::time::interval((state.config.keep_alive / 4).max(Duration::from_millis(1)));
        beat.reset();
        self.say("retry: 2000\n\n".into()).await?;
        loop {
            if *stopped.borrow() {
                return Err(End::Quiet);
            }
            let mut listener = self.who_listens().await?;
            let stretch = recent.borrow_and_update().clone();
            while stretch.to() > self.after && self.tell_batch(&listener, &stretch).await? {
                beat.reset();
                listener = self.who_listens().await?;
            }
            tokio::select! {
                changed = recent.changed() => {
                    if changed.is_err() {
                        return Err(End::Quiet);
                    }
                    let is_news = recent.borrow().to() > self.after;
                    if is_news {
                        tokio::time::sleep(self.place.turn(&listener.alike)).await;
                    }
                }
                _ = beat.tick() => self.say(":\n\n".into()).await?,
                () = self.sender.closed() => return Err(End::Quiet),
                _ = stopped.changed() => {}
            }
        }
    }

    async fn who_listens(&mut self) -> Result<Listener, End> {
        let head = &mut self.head;
        head.requester.identity = None;
        identify(&head.state, &head.headers, &mut head.requester).await?;
        head.requester.identity()?;
        let whole = head.state.catalog();
        let actor = head.requester.actor(&whole);
        let alike = actor.alike(&whole).map_err(Problem::from)?;
        let catalog = actor.sees(&whole);
        Ok(Listener { actor, catalog, alike })
    }

    /// Tells the next events; whether it came any further. The place after the last one is told even where none may be seen, so
    /// that a client that comes back does not begin too early.
    async fn tell_batch(&mut self, listener: &Listener, stretch: &Stretch) -> Result<bool, End> {
        let (state, after) = (&self.head.state, self.after);
        let told = if stretch.covers(after) {
            let work = async {
                let page = state.records.told(&listener.actor, stretch, after, AT_ONCE).await?;
                Ok(told(&listener.catalog, &page, after))
            };
            state.config.streams.telling().once(listener.alike.clone(), after, work).await
        } else {
            state.records.changes(&listener.actor, Some(after), AT_ONCE).await.map(|page| told(&listener.catalog, &page, after))
        };
        let told = match told {
            Ok(told) => told,
            Err(error @ RecordError::NotKept { .. }) => return Err(error.into()),
            Err(error) => {
                tracing::debug!(error = %error, "a stream could not go on");
                return Err(End::Quiet);
            }
        };
        self.after = told.next.max(after);
        if !told.text.is_empty() {
            self.say(told.text).await?;
        }
        Ok(self.after > after)
    }

    async fn say(&self, text: Bytes) -> Result<(), End> {
        self.sender.send(text).await.map_err(|_| End::Quiet)
    }
}

/// A page of the feed as server-sent events.
fn told(catalog: &Catalog, page: &ChangesPage, after: i64) -> Told {
    let mut text = String::new();
    for event in &page.events {
        let _ = write!(text, "id: {}\nevent: change\ndata: {}\n\n", event.seq, read::change_event(catalog, event));
    }
    if page.next > after && page.events.last().is_none_or(|event| event.seq < page.next) {
        let _ = write!(text, "id: {}\n\n", page.next);
    }
    Told { text: text.into(), next: page.next }
}

/// The answer's body.
struct Pieces(mpsc::Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
