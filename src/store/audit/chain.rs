//! The chain: each entry is signed, with a key that is not in the database, together with the signature before it.
//!
//! Who can write to the database but does not have the key can change, remove, add or reorder nothing without it being
//! seen. The end of the table can be cut off unseen, up to the last anchor that was put down elsewhere.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Line;
use crate::base::text::{from_hex, hex};
use crate::store::keys::Key;

/// Bytes of a signature.
const MAC_BYTES: usize = 32;
/// What is signed begins with this, so that another layout can never be taken for it.
const FORMAT: &[u8] = b"relata-audit/1";

/// A signature; the one before the first entry is all zero.
pub type Signature = [u8; MAC_BYTES];

/// The signature of an entry that follows one with the signature `before`.
pub fn sign(key: &Key, before: &Signature, line: &Line) -> Signature {
    let mut mac = begin(key);
    mac.update(FORMAT);
    mac.update(before);
    for number in [line.seq, line.at.0, line.actor] {
        mac.update(&number.to_be_bytes());
    }
    // Each text with its length, so that no byte can move from one column to the next.
    let texts = [
        Some(&line.actor_kind),
        Some(&line.action),
        line.entity.as_ref(),
        line.field.as_ref(),
        Some(&line.origin),
        Some(&line.request),
        Some(&line.detail),
    ];
    for text in texts {
        match text {
            Some(text) => {
                mac.update(&(text.len() as u64 + 1).to_be_bytes());
                mac.update(text.as_bytes());
            }
            None => mac.update(&0_u64.to_be_bytes()),
        }
    }
    match line.record {
        Some(record) => {
            mac.update(&[1]);
            mac.update(&record.to_be_bytes());
        }
        None => mac.update(&[0]),
    }
    mac.finalize().into_bytes().into()
}

/// What the database may know of the key: enough to notice another one.
pub(super) fn fingerprint(key: &Key) -> String {
    let mut mac = begin(key);
    mac.update(b"relata audit key");
    hex(mac.finalize().into_bytes().get(..16).unwrap_or_default())
}

fn begin(key: &Key) -> Hmac<Sha256> {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(&key.0).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()))
}

/// What one looks for: where the chain breaks, or that it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Break {
    /// Entries are missing before this one, or it stands at another place than it was written at.
    Gap { after: i64, found: i64 },
    /// The entry is not what was written, or it was not written by us.
    Changed { seq: i64 },
    /// An anchor tells of an entry that is not there: the end was cut off, or the table replaced.
    CutOff { seq: i64, last: i64 },
    /// The entry is not the one that the anchor tells of.
    NotAnchored { seq: i64 },
}

impl std::fmt::Display for Break {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gap { after, found } => write!(f, "entry {after} is followed by entry {found}: entries are missing or out of order"),
            Self::Changed { seq } => write!(f, "entry {seq} is not what was written"),
            Self::CutOff { seq, last } => write!(f, "an anchor tells of entry {seq}, but the last entry is {last}: the end was cut off"),
            Self::NotAnchored { seq } => write!(f, "entry {seq} is not the one that an anchor tells of"),
        }
    }
}

/// A signature put down elsewhere: `relata-audit/1 <seq> <signature>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub seq: i64,
    pub signature: Signature,
}

impl Anchor {
    /// Reads a line of an anchor file; what follows the signature is for people.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        if words.next()? != "relata-audit/1" {
            return None;
        }
        let seq = words.next()?.parse().ok().filter(|seq| *seq > 0)?;
        Some(Self { seq, signature: from_hex(words.next()?)?.try_into().ok()? })
    }
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "relata-audit/1 {} {}", self.seq, hex(&self.signature))
    }
}

/// Follows the chain entry by entry.
#[derive(Debug)]
pub struct Follower<'a> {
    key: &'a Key,
    anchors: Vec<Anchor>,
    seq: i64,
    signature: Signature,
}

impl<'a> Follower<'a> {
    pub fn new(key: &'a Key, anchors: Vec<Anchor>) -> Self {
        Self { key, anchors, seq: 0, signature: [0; MAC_BYTES] }
    }

    /// # Errors
    /// Where the chain breaks.
    pub fn follow(&mut self, line: &Line) -> Result<(), Break> {
        if line.seq != self.seq + 1 {
            return Err(Break::Gap { after: self.seq, found: line.seq });
        }
        let signature = sign(self.key, &self.signature, line);
        let stored: Option<Signature> = from_hex(&line.mac).and_then(|bytes| bytes.try_into().ok());
        // Exactly as it was written: hex in capitals is a change too.
        if stored.is_none_or(|stored| !bool::from(stored.ct_eq(&signature))) || line.mac != hex(&signature) {
            return Err(Break::Changed { seq: line.seq });
        }
        if self.anchors.iter().any(|anchor| anchor.seq == line.seq && anchor.signature != signature) {
            return Err(Break::NotAnchored { seq: line.seq });
        }
        self.seq = line.seq;
        self.signature = signature;
        Ok(())
    }

    /// The end of the chain, as an anchor (`None` when it is empty).
    ///
    /// # Errors
    /// When an anchor tells of a later entry.
    pub fn end(self) -> Result<Option<Anchor>, Break> {
        match self.anchors.iter().map(|anchor| anchor.seq).max() {
            Some(seq) if seq > self.seq => Err(Break::CutOff { seq, last: self.seq }),
            _ => Ok((self.seq > 0).then_some(Anchor { seq: self.seq, signature: self.signature })),
        }
    }
}
