//! Password hashes: argon2id on a bounded pool, so that sign-ins cannot use up memory or the runtime's threads.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::AuthError;
use crate::base::Random;

/// OWASP's figures for argon2id (Password Storage Cheat Sheet, 2025): 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// Hashes computed at the same time.
const AT_ONCE: usize = 2;
/// Shortest and longest password, in bytes. Nothing is cut off.
const SHORTEST: usize = 10;
const LONGEST: usize = 256;

/// Computes and checks hashes, a few at a time.
#[derive(Debug)]
pub(super) struct Passwords {
    slots: Arc<Semaphore>,
    random: Arc<dyn Random>,
    /// Checked when there is no account, so that the answer takes the same time.
    dummy: String,
}

impl Passwords {
    pub(super) fn new(random: Arc<dyn Random>) -> Self {
        let dummy = encode(MEMORY_KIB, PASSES, LANES, &[7; SALT_BYTES], &[0; HASH_BYTES]);
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)), random, dummy }
    }

    /// A PHC string for a new password.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AuthError> {
        let mut salt = [0; SALT_BYTES];
        self.random.fill(&mut salt);
        let hash = self.compute(password.to_owned(), salt.to_vec(), MEMORY_KIB, PASSES, LANES).await?;
        Ok(encode(MEMORY_KIB, PASSES, LANES, &salt, &hash))
    }

    /// Whether the password belongs to the hash; without a hash the same work is done and the answer is no.
    pub(super) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, AuthError> {
        let known = stored.and_then(decode);
        let is_known = known.is_some();
        let Some(parsed) = known.or_else(|| decode(&self.dummy)) else { return Ok(false) };
        let hash = self.compute(password.to_owned(), parsed.salt, parsed.memory, parsed.passes, parsed.lanes).await?;
        Ok(bool::from(hash.as_slice().ct_eq(&parsed.hash)) && is_known)
    }

    /// Whether a stored hash was made with weaker figures than today's.
    pub(super) fn is_outdated(stored: &str) -> bool {
        decode(stored).is_none_or(|parsed| parsed.memory < MEMORY_KIB || parsed.passes < PASSES)
    }

    async fn compute(&self, password: String, salt: Vec<u8>, memory: u32, passes: u32, lanes: u32) -> Result<Vec<u8>, AuthError> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| AuthError::Internal("the hashing pool is closed".into()))?;
        let work = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let params = Params::new(memory, passes, lanes, Some(HASH_BYTES)).map_err(|error| error.to_string())?;
            let mut hash = vec![0; HASH_BYTES];
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(password.as_bytes(), &salt, &mut hash)
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(hash)
        });
        work.await.map_err(|error| AuthError::Internal(error.to_string()))?.map_err(AuthError::Internal)
    }
}

/// Refuses passwords that are too short, too long or among the first that anyone would try.
///
/// # Errors
/// `ATH005`.
pub(super) fn check_strength(password: &str, email: &str) -> Result<(), AuthError> {
    if password.len() < SHORTEST {
        return Err(AuthError::WeakPassword("the password must have at least 10 characters"));
    }
    if password.len() > LONGEST {
        return Err(AuthError::WeakPassword("the password must have at most 256 bytes"));
    }
    let lower = password.to_lowercase();
    let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
    let local = email.split('@').next().unwrap_or("").to_lowercase();
    let is_email = lower == email.to_lowercase() || (local.len() >= 4 && lower.trim_matches(|c: char| !c.is_alphabetic()) == local);
    if distinct.len() < 4 || COMMON.iter().any(|common| lower.starts_with(common) && lower.len() <= common.len() + 4) || is_email {
        return Err(AuthError::WeakPassword("this password is among the first that anyone would try"));
    }
    Ok(())
}

/// Beginnings of the commonest passwords of ten characters and more in published breach lists.
const COMMON: [&str; 24] = [
    "password",
    "1234567890",
    "123456789",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r5t",
    "iloveyou",
    "abcdefghij",
    "abc123456",
    "letmein",
    "welcome",
    "admin123",
    "administrator",
    "changeme",
    "passw0rd",
    "p@ssw0rd",
    "sunshine",
    "princess",
    "football",
    "0987654321",
    "1qaz2wsx",
    "asdfghjkl",
    "zxcvbnm",
    "relata",
];

struct Parsed {
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (PHC string format).
fn encode(memory: u32, passes: u32, lanes: u32, salt: &[u8], hash: &[u8]) -> String {
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}", STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash))
}

fn decode(text: &str) -> Option<Parsed> {
    let rest = text.strip_prefix("$argon2id$v=19$")?;
    let mut parts = rest.split('$');
    let mut figures = parts.next()?.split(',');
    let mut figure = |name: &str| figures.next()?.strip_prefix(name)?.parse::<u32>().ok();
    let (memory, passes, lanes) = (figure("m=")?, figure("t=")?, figure("p=")?);
    let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
    let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
    (hash.len() == HASH_BYTES && memory <= 1024 * 1024).then_some(Parsed { memory, passes, lanes, salt, hash })
}
