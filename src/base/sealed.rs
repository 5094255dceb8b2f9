//! Encrypted values as text, and blind indexes: what tells equal values of one field apart from others without the values.
//!
//! Here is the form alone; `store::vault` holds the keys.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::text::hex;

/// What an encrypted value begins with.
const MARK: &str = "sealed1:";
/// In the place of a value that is never shown.
pub const HIDDEN: &str = "••••••••";
/// Bytes of a blind index: enough that two values do not meet, too few to be taken for a hash of the value alone.
const BLIND_BYTES: usize = 16;

/// The parts of an encrypted value: `sealed1:<blind index>:<record whose key it is>:<bytes>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub blind: String,
    /// The record with whose key it is encrypted.
    pub holder: i64,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl Sealed {
    /// `None` for a text that is no encrypted value.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(MARK)?.splitn(3, ':');
        let blind = parts.next()?.to_owned();
        let holder = parts.next()?.parse().ok()?;
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        Some(Self { blind, holder, bytes })
    }

    pub fn text(&self) -> String {
        let mut text = format!("{MARK}{}:", self.blind);
        let _ = write!(text, "{}:{}", self.holder, URL_SAFE_NO_PAD.encode(&self.bytes));
        text
    }
}

/// The key of blind indexes. It is never shown.
#[derive(Clone)]
pub struct Blind(std::sync::Arc<[u8; 32]>);

impl std::fmt::Debug for Blind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blind(…)")
    }
}

impl Blind {
    pub fn new(key: [u8; 32]) -> Self {
        Self(std::sync::Arc::new(key))
    }

    /// The blind index of a value of a field, as hex. Texts that differ in case alone have the same, those of two fields never.
    pub fn of(&self, field_uid: &str, text: &str) -> String {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
        mac.update(b"relata blind index/1");
        mac.update(&(field_uid.len() as u64).to_be_bytes());
        mac.update(field_uid.as_bytes());
        mac.update(super::text::fold(text).as_bytes());
        hex(mac.finalize().into_bytes().get(..BLIND_BYTES).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_only_looks_like_an_encrypted_value_is_none() {
        for text in ["", "sealed1:", "sealed1:ab:cd:ef", "sealed1:ab:1:!!", "wang@example.com"] {
            assert_eq!(Sealed::parse(text), None, "{text}");
        }
        let sealed = Sealed { blind: "ab".to_owned(), holder: -7, bytes: vec![0, 255, 1] };
        assert_eq!(Sealed::parse(&sealed.text()), Some(sealed));
    }

    #[test]
    fn blind_indexes_differ_by_field_and_key_not_by_case() {
        let (one, other) = (Blind::new([1; 32]), Blind::new([2; 32]));
        assert_eq!(one.of("f", "Wang@Example.com"), one.of("f", "wang@example.com"));
        assert_ne!(one.of("f", "wang@example.com"), one.of("g", "wang@example.com"));
        assert_ne!(one.of("f", "wang@example.com"), other.of("f", "wang@example.com"));
    }
}
