//! What a browser says about a passkey (W3C Web Authentication, level 2), checked. No attestation is asked for: which make of
//! device someone uses is no concern of ours, so that a new key is as good as the session that adds it.

use ring::digest::{SHA256, digest};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::jwt::decode;

/// Someone was there, and proved to the device who they are (section 6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;

/// DER of `SubjectPublicKeyInfo` before the point of a P-256 key, and before an Ed25519 key (RFC 5480, RFC 8410).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
const ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// `rsaEncryption` with its parameters (RFC 3279).
const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The site a passkey belongs to.
#[derive(Debug, Clone)]
pub struct Site {
    /// The host, which keys are bound to.
    pub host: String,
    /// As the browser says it: `https://crm.example.com`.
    pub origin: String,
}

/// The challenge a browser answered, if the rest of what it says of the ceremony is right.
pub(super) fn challenge_of(client_data: &[u8], ceremony: &str, site: &Site) -> Option<String> {
    let data: Value = serde_json::from_slice(client_data).ok()?;
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let is_ours = text("type") == Some(ceremony) && text("origin") == Some(site.origin.as_str());
    let is_framed = data.get("crossOrigin") == Some(&Value::Bool(true));
    if !is_ours || is_framed {
        return None;
    }
    String::from_utf8(decode(text("challenge")?)?).ok()
}

/// The device's counter, if what it says is about this site and someone proved to it who they are.
pub(super) fn counter_of(device_data: &[u8], site: &Site) -> Option<u32> {
    let (host, rest) = device_data.split_at_checked(32)?;
    let expected = digest(&SHA256, site.host.as_bytes());
    let (flags, rest) = rest.split_first()?;
    let counter: [u8; 4] = rest.get(..4)?.try_into().ok()?;
    let is_right = bool::from(host.ct_eq(expected.as_ref())) && flags & PRESENT != 0 && flags & VERIFIED != 0;
    is_right.then(|| u32::from_be_bytes(counter))
}

/// Whether a key is of a kind that signatures can be checked with.
pub(super) fn is_known_key(key: &[u8]) -> bool {
    split(key).is_some()
}

/// Whether the key has signed what the device and the browser say.
pub(super) fn is_signed(key: &[u8], device_data: &[u8], client_data: &[u8], tag: &[u8]) -> bool {
    let Some((algorithm, bare)) = split(key) else { return false };
    let signed = [device_data, digest(&SHA256, client_data).as_ref()].concat();
    UnparsedPublicKey::new(algorithm, bare).verify(&signed, tag).is_ok()
}

/// The algorithm of a `SubjectPublicKeyInfo`, and the key as ring takes it.
fn split(key: &[u8]) -> Option<(&'static dyn VerificationAlgorithm, &[u8])> {
    if let Some(point) = key.strip_prefix(&P256).filter(|point| point.len() == 65) {
        return Some((&signature::ECDSA_P256_SHA256_ASN1, point));
    }
    if let Some(bare) = key.strip_prefix(&ED25519).filter(|bare| bare.len() == 32) {
        return Some((&signature::ED25519, bare));
    }
    let inside = element(key, 0x30)?;
    let bits = element(inside.strip_prefix(&RSA)?, 0x03)?;
    // No unused bits; what follows is the RSAPublicKey.
    Some((&signature::RSA_PKCS1_2048_8192_SHA256, bits.strip_prefix(&[0])?))
}

/// The content of a DER element that fills the whole input.
fn element(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (length, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, content) = match length {
        short @ 0..=0x7f => (usize::from(*short), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), rest.get(2..)?),
        _ => return None,
    };
    (content.len() == length).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    fn site() -> Site {
        Site { host: "crm.example.com".into(), origin: "https://crm.example.com".into() }
    }

    fn device_data(host: &str, flags: u8, counter: u32) -> Vec<u8> {
        [digest(&SHA256, host.as_bytes()).as_ref(), &[flags], &counter.to_be_bytes()].concat()
    }

    #[test]
    fn what_a_browser_says_counts_only_for_this_site_and_ceremony() {
        let challenge = URL_SAFE_NO_PAD.encode("abc");
        let good = json!({ "type": "webauthn.get", "origin": "https://crm.example.com", "challenge": challenge, "crossOrigin": false });
        let read = |data: &Value| challenge_of(data.to_string().as_bytes(), "webauthn.get", &site());
        assert_eq!(read(&good).as_deref(), Some("abc"));
        for (name, value) in [
            ("type", json!("webauthn.create")),
            ("origin", json!("https://crm.example.com.evil.example")),
            ("origin", json!("http://crm.example.com")),
            ("crossOrigin", json!(true)),
            ("challenge", json!("!")),
            ("challenge", Value::Null),
        ] {
            let mut wrong = good.clone();
            wrong[name] = value;
            assert_eq!(read(&wrong), None, "{wrong}");
        }
        assert_eq!(challenge_of(b"", "webauthn.get", &site()), None);
    }

    #[test]
    fn a_device_must_name_this_host_and_have_asked_who_is_there() {
        assert_eq!(counter_of(&device_data("crm.example.com", 0x05, 7), &site()), Some(7));
        for (host, flags) in [("evil.example", 0x05), ("crm.example.com", 0x01), ("crm.example.com", 0x04), ("crm.example.com", 0)] {
            assert_eq!(counter_of(&device_data(host, flags, 7), &site()), None, "{host} {flags}");
        }
        for length in 0..37 {
            assert_eq!(counter_of(&device_data("crm.example.com", 0x05, 7)[..length], &site()), None);
        }
    }

    #[test]
    fn keys_of_other_shapes_check_nothing() {
        // The point of RFC 7515, appendix A.3.
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let x = part("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        let y = part("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let key = [&P256[..], &[4], &x, &y].concat();
        let data = device_data("crm.example.com", 0x05, 1);
        assert!(is_known_key(&key) && !is_signed(&key, &data, b"client", &[0; 70]));
        for length in 0..key.len() {
            assert!(!is_known_key(&key[..length]) && !is_signed(&key[..length], &data, b"client", &[0; 70]), "{length}");
        }
        let rsa = [&[0x30, 0x14][..], &RSA, &[0x03, 0x03, 0x00, 0x01, 0x02]].concat();
        assert!(is_known_key(&rsa) && !is_signed(&rsa, &data, b"client", &[0; 256]));
        assert!(!is_known_key(&[&rsa[..], &[0]].concat()));
    }
}
