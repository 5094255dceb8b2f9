//! Secrets people and programs carry: session cookies, API tokens, one-time links. Only their hashes are stored.

use sha2::{Digest, Sha256};

use crate::base::Random;

/// Crockford's base32 in lower case: no look-alikes, safe in URLs, headers and cookies.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TOKEN_PREFIX: &str = "rl_";
/// 256 bits are 52 characters.
const BODY: usize = 52;
const CHECKSUM: usize = 6;

/// What is stored for a secret.
pub(super) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// [`digest`] in lower-case hex, as the database has it.
pub(super) fn hex(digest: &[u8; 32]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// 256 random bits as text.
pub(super) fn new_secret(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    base32(&bytes)
}

/// A new API token: `rl_`, 256 random bits, a checksum that tells a mistyped or cut token without asking the database.
pub(super) fn new_token(random: &dyn Random) -> String {
    let body = new_secret(random);
    let sum = checksum(&body);
    format!("{TOKEN_PREFIX}{body}{sum}")
}

/// Whether a text can be a token of ours.
pub(super) fn is_token(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(TOKEN_PREFIX) else { return false };
    rest.is_ascii() && rest.len() == BODY + CHECKSUM && checksum(&rest[..BODY]) == rest[BODY..]
}

/// Whether a text can be a secret made by [`new_secret`].
pub(super) fn is_secret(text: &str) -> bool {
    text.len() == BODY && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

fn checksum(body: &str) -> String {
    let mut text = base32(&Sha256::digest(body.as_bytes())[..4]);
    text.truncate(CHECKSUM);
    text
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[((buffer >> bits) & 31) as usize]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[((buffer << (5 - bits)) & 31) as usize]));
    }
    text
}
