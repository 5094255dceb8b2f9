//! Where a page ended: encrypted, since it carries the last row's values and stands in addresses that are seen and kept
//! elsewhere, and so that nobody can make one up.
//!
//! AES-256-GCM. The nonce is a keyed hash of what is encrypted: the same place has the same cursor, nothing random is
//! needed, and no nonce serves two different texts.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

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
pub struct CursorKey(Arc<Keys>);

struct Keys {
    cipher: LessSafeKey,
    /// Makes nonces.
    hash: Hmac<Sha256>,
}

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

/// The first byte, authenticated with the rest. Cursors of version 1 were signed and could be read.
const VERSION: u8 = 2;
/// What is encrypted is filled up to a multiple of this, so that its length tells little of the values.
const BLOCK: usize = 32;
/// Longest text value a cursor carries; a longer one is cut, see [`Cursor::encode`].
const MAX_TEXT: usize = 1024;

impl CursorKey {
    /// Any secret of the workspace will do: it is hashed with names of its own.
    pub fn from_secret(secret: &[u8]) -> Self {
        let named = |name: &[u8]| -> [u8; 32] { Sha256::new().chain_update(name).chain_update(secret).finalize().into() };
        let key = UnboundKey::new(&AES_256_GCM, &named(b"relata cursor v2 cipher")).expect("a key of 32 bytes");
        let hash = Hmac::<Sha256>::new_from_slice(&named(b"relata cursor v2 nonce")).expect("HMAC takes a key of any length");
        Self(Arc::new(Keys { cipher: LessSafeKey::new(key), hash }))
    }

    /// Version, nonce, ciphertext, tag.
    fn close(&self, mut plain: Vec<u8>) -> Option<Vec<u8>> {
        let hash = self.0.hash.clone().chain_update(&plain).finalize().into_bytes();
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&hash[..NONCE_LEN]);
        let tag = self.0.cipher.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from([VERSION]), &mut plain).ok()?;
        let mut out = Vec::with_capacity(1 + NONCE_LEN + plain.len() + tag.as_ref().len());
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.append(&mut plain);
        out.extend_from_slice(tag.as_ref());
        Some(out)
    }

    fn open(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = bytes.strip_prefix(&[VERSION])?.split_first_chunk::<NONCE_LEN>()?;
        let mut rest = rest.to_vec();
        let length = self.0.cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from([VERSION]), &mut rest).ok()?.len();
        rest.truncate(length);
        Some(rest)
    }
}

impl Cursor {
    /// The text for the next page; `None` when a sort value is too long to be carried (the caller then gives no
    /// cursor and the reader pages by number).
    pub fn encode(&self, key: &CursorKey, digest: [u8; 8]) -> Option<String> {
        let mut payload = Vec::with_capacity(2 * BLOCK);
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
        payload.resize(payload.len().next_multiple_of(BLOCK), 0);
        Some(URL_SAFE_NO_PAD.encode(key.close(payload)?))
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// `Bad` for a text this key did not make, `Foreign` for one made for another request.
    pub fn decode(text: &str, key: &CursorKey, digest: [u8; 8]) -> Result<Self, CursorFault> {
        if text.len() > 16 * 1024 {
            return Err(CursorFault::Bad);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorFault::Bad)?;
        let payload = key.open(&bytes).ok_or(CursorFault::Bad)?;
        let mut reader = Reader(&payload);
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
