//! Where each request of a connection begins and ends, for one purpose: a head that gives both a `Content-Length` and a
//! `Transfer-Encoding` is refused. hyper lets the encoding win and drops the length; a proxy before us that believes the
//! length would see other requests than we do.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest part of a line that is looked at: long enough for the two headers and the size of a chunk.
const KEPT: usize = 64;

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Lines of a head.
    Head,
    /// So many bytes of a body, or of a chunk with its line end.
    Body(u64),
    Chunk(u64),
    /// The line that tells a chunk's size.
    Size,
    /// Lines after the last chunk.
    Trailer,
    /// hyper refuses what came: nothing behind it is a request.
    Over,
}

/// Follows the bytes of one connection as hyper reads them.
#[derive(Debug)]
struct Framing {
    place: Place,
    /// The beginning of the line that is being read.
    line: Vec<u8>,
    /// The head has had a line that is not empty.
    has_begun: bool,
    length: Option<u64>,
    /// `Some(true)`: chunked.
    encoding: Option<bool>,
}

impl Default for Framing {
    fn default() -> Self {
        Self { place: Place::Head, line: Vec::with_capacity(KEPT), has_begun: false, length: None, encoding: None }
    }
}

impl Framing {
    /// Looks at the bytes that came. A head with both headers is spoilt at its last byte, so that hyper answers 400 and closes.
    fn follow(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                Place::Over => return,
                Place::Body(left) | Place::Chunk(left) => {
                    let step = left.min((bytes.len() - at) as u64);
                    at += usize::try_from(step).unwrap_or(usize::MAX);
                    self.place = match (self.place, left - step) {
                        (Place::Body(_), 0) => Place::Head,
                        (Place::Body(_), rest) => Place::Body(rest),
                        (_, 0) => Place::Size,
                        (_, rest) => Place::Chunk(rest),
                    };
                }
                Place::Head | Place::Size | Place::Trailer => {
                    let rest = &bytes[at..];
                    let end = rest.iter().position(|byte| *byte == b'\n');
                    let part = &rest[..end.unwrap_or(rest.len())];
                    self.line.extend_from_slice(&part[..part.len().min(KEPT.saturating_sub(self.line.len()))]);
                    at += part.len() + usize::from(end.is_some());
                    if end.is_some() && !self.end_line() {
                        bytes[at - 1] = 0;
                        self.place = Place::Over;
                    }
                }
            }
        }
    }

    /// A line is complete. `false`: it ends a head that must be refused.
    fn end_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        match self.place {
            Place::Head if !text.is_empty() => {
                self.header(text);
                self.has_begun = true;
            }
            Place::Head if self.has_begun => {
                if self.length.is_some() && self.encoding.is_some() {
                    return false;
                }
                self.place = match (self.encoding, self.length) {
                    (Some(true), _) => Place::Size,
                    (Some(false), _) => Place::Over,
                    (None, None | Some(0)) => Place::Head,
                    (None, Some(length)) => Place::Body(length),
                };
                (self.has_begun, self.length, self.encoding) = (false, None, None);
            }
            Place::Size => {
                let digits: &[u8] = text.split(|byte| matches!(byte, b';' | b' ' | b'\t')).next().unwrap_or(text);
                let size = std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
                self.place = match size {
                    Some(0) => Place::Trailer,
                    Some(size) => Place::Chunk(size.saturating_add(2)),
                    None => Place::Over,
                };
            }
            Place::Trailer if text.is_empty() => self.place = Place::Head,
            _ => {}
        }
        self.line = line;
        self.line.clear();
        true
    }

    fn header(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let number = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
            self.length = Some(number.unwrap_or(0));
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let last = value.rsplit(|byte| *byte == b',').next().unwrap_or(value);
            self.encoding = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        }
    }
}

/// A stream whose reader is followed.
pub(super) struct Framed<S> {
    stream: S,
    framing: Framing,
}

impl<S> Framed<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, framing: Framing::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(context, buffer);
        if matches!(outcome, Poll::Ready(Ok(()))) {
            this.framing.follow(&mut buffer.filled_mut()[before..]);
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the bytes are refused, fed in pieces of every size.
    fn is_refused(text: &str) -> bool {
        let outcomes: Vec<bool> = (1..=text.len())
            .map(|size| {
                let mut framing = Framing::default();
                let mut bytes = text.as_bytes().to_vec();
                bytes.chunks_mut(size).for_each(|piece| framing.follow(piece));
                bytes != text.as_bytes()
            })
            .collect();
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{text:?}: {outcomes:?}");
        outcomes[0]
    }

    #[test]
    fn a_request_with_both_lengths_is_refused_wherever_it_stands() {
        let both = "POST / HTTP/1.1\r\nContent-Length: 3\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(is_refused(both));
        assert!(is_refused("POST / HTTP/1.1\nTransfer-Encoding:chunked\ncontent-length:0\n\n"));
        assert!(is_refused("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nContent-Length: x\r\n\r\n"));
        for before in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\na\r\n\r\n".to_owned(),
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\na\nb\r\n10\r\n0123456789abcdef\r\n0\r\nDigest: x\r\n\r\n"
                .to_owned(),
            format!("GET /{} HTTP/1.1\r\nX-Long: {}\r\n\r\n", "a".repeat(200), "content-length: ".repeat(20)),
        ] {
            assert!(!is_refused(&before), "{before:?}");
            assert!(is_refused(&format!("{before}{both}")), "{before:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_head_is_left_alone() {
        let inner = "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(!is_refused(&format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{inner}", inner.len())));
        let chunk = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
        assert!(!is_refused(&format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}")));
        assert!(!is_refused("GET / HTTP/1.1\r\nX-Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    }
}
