//! Where a page ended: signed, so that nobody can make one up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::Cell;

/// The sort values and the id of a page's last row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// One cell per sort key.
    pub values: Vec<Cell>,
    pub id: i64,
}

/// The workspace's key for cursors.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

/// Why a text is no cursor for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorFault {
    Bad,
    Foreign,
}

const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;
/// Longest text value a cursor carries; a longer one is cut, see [`Cursor::encode`].
const MAX_TEXT: usize = 1024;

impl CursorKey {
    /// Any secret of the workspace will do: it is hashed with a name of its own.
    pub fn from_secret(secret: &[u8]) -> Self {
        use sha2::Digest;
        let mut hash = Sha256::new();
        hash.update(b"relata cursor v1");
        hash.update(secret);
        Self(hash.finalize().into())
    }

    fn sign(&self, payload: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(payload);
        let full = mac.finalize().into_bytes();
        let mut short = [0; MAC_BYTES];
        short.copy_from_slice(&full[..MAC_BYTES]);
        short
    }
}

impl Cursor {
    /// The text for the next page; `None` when a sort value is too long to be carried (the caller then gives no
    /// cursor and the reader pages by number).
    pub fn encode(&self, key: &CursorKey, digest: [u8; 8]) -> Option<String> {
        let mut payload = vec![VERSION];
        payload.extend_from_slice(&digest);
        payload.extend_from_slice(&self.id.to_le_bytes());
        payload.push(u8::try_from(self.values.len()).ok()?);
        for value in &self.values {
            match value {
                Cell::Null => payload.push(0),
                Cell::Bool(flag) => payload.extend_from_slice(&[1, u8::from(*flag)]),
                Cell::Int(number) => {
                    payload.push(2);
                    payload.extend_from_slice(&number.to_le_bytes());
                }
                Cell::Text(text) if text.len() <= MAX_TEXT => {
                    payload.push(3);
                    payload.extend_from_slice(&u16::try_from(text.len()).ok()?.to_le_bytes());
                    payload.extend_from_slice(text.as_bytes());
                }
                Cell::Text(_) => return None,
            }
        }
        let mac = key.sign(&payload);
        payload.extend_from_slice(&mac);
        Some(URL_SAFE_NO_PAD.encode(payload))
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// `Bad` for a text this key did not sign, `Foreign` for one signed for another request.
    pub fn decode(text: &str, key: &CursorKey, digest: [u8; 8]) -> Result<Self, CursorFault> {
        if text.len() > 16 * 1024 {
            return Err(CursorFault::Bad);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorFault::Bad)?;
        let split = bytes.len().checked_sub(MAC_BYTES).ok_or(CursorFault::Bad)?;
        let (payload, mac) = bytes.split_at(split);
        use subtle::ConstantTimeEq;
        if !bool::from(key.sign(payload).as_slice().ct_eq(mac)) {
            return Err(CursorFault::Bad);
        }
        let mut reader = Reader(payload);
        if reader.take::<1>()? != [VERSION] {
            return Err(CursorFault::Foreign);
        }
        if reader.take::<8>()? != digest {
            return Err(CursorFault::Foreign);
        }
        let id = i64::from_le_bytes(reader.take()?);
        let [count] = reader.take::<1>()?;
        let values = (0..count).map(|_| reader.cell()).collect::<Result<_, _>>()?;
        Ok(Self { values, id })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], CursorFault> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(CursorFault::Bad)?;
        self.0 = rest;
        Ok(*head)
    }

    fn cell(&mut self) -> Result<Cell, CursorFault> {
        Ok(match self.take::<1>()? {
            [0] => Cell::Null,
            [1] => Cell::Bool(self.take::<1>()? == [1]),
            [2] => Cell::Int(i64::from_le_bytes(self.take()?)),
            [3] => {
                let length = usize::from(u16::from_le_bytes(self.take()?));
                let (head, rest) = self.0.split_at_checked(length).ok_or(CursorFault::Bad)?;
                self.0 = rest;
                Cell::Text(String::from_utf8(head.to_vec()).map_err(|_| CursorFault::Bad)?)
            }
            _ => return Err(CursorFault::Bad),
        })
    }
}
