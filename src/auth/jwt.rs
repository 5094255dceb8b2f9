//! Signed tokens of an identity provider (RFC 7515, 7517, 7519): checked with the algorithms we name, never with the one the
//! token would like.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

/// The algorithms taken. `none` and everything with a shared secret is refused by not being here.
const RSA: &str = "RS256";
const CURVE: &str = "ES256";
/// The longest token read.
const LONGEST: usize = 64 * 1024;

/// The claims of a token whose signature is right. `Ok(None)`: no key of the set has made it, perhaps a newer one has.
///
/// # Errors
/// What is wrong with the token, for the log.
pub(super) fn verify(token: &str, keys: &Value) -> Result<Option<Value>, &'static str> {
    let mut parts = token.split('.');
    let (Some(head), Some(body), Some(tag), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("it has not three parts");
    };
    if token.len() > LONGEST {
        return Err("it is too long");
    }
    let header = object(head).ok_or("its header is unreadable")?;
    let algorithm =
        header.get("alg").and_then(Value::as_str).filter(|alg| [RSA, CURVE].contains(alg)).ok_or("its algorithm is not taken")?;
    if header.get("crit").is_some() {
        return Err("it has critical extensions");
    }
    let tag = decode(tag).ok_or("its signature is unreadable")?;
    let signed = token.get(..head.len() + 1 + body.len()).ok_or("it is unreadable")?;
    let wanted = header.get("kid").and_then(Value::as_str);
    let keys = keys.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let fits = |key: &&Value| {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        (wanted.is_none() || text("kid") == wanted)
            && text("use").is_none_or(|purpose| purpose == "sig")
            && text("alg").is_none_or(|alg| alg == algorithm)
    };
    let is_right = keys.iter().filter(fits).take(8).any(|key| is_signed(algorithm, key, signed.as_bytes(), &tag));
    if !is_right {
        return Ok(None);
    }
    object(body).map(Some).ok_or("its claims are unreadable")
}

fn is_signed(algorithm: &str, key: &Value, signed: &[u8], tag: &[u8]) -> bool {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let part = |name: &str| text(name).and_then(decode);
    match (algorithm, text("kty"), text("crv")) {
        (RSA, Some("RSA"), _) => {
            let (Some(n), Some(e)) = (part("n"), part("e")) else { return false };
            // ring takes 2048 bits and more.
            RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, tag).is_ok()
        }
        (CURVE, Some("EC"), Some("P-256")) => {
            let (Some(x), Some(y)) = (part("x"), part("y")) else { return false };
            if x.len() != 32 || y.len() != 32 {
                return false;
            }
            let point = [&[4][..], &x, &y].concat();
            UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(signed, tag).is_ok()
        }
        _ => false,
    }
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn object(part: &str) -> Option<Value> {
    serde_json::from_slice(&decode(part)?).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::verify;
    use serde_json::{Value, json};

    /// RFC 7515, appendix A.3: the key, and the token made with it.
    const KEY: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    /// RFC 7515, appendix A.2.
    const RSA_KEY: &str = r#"{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}"#;
    const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    fn keys(text: &str) -> Value {
        serde_json::from_str(text).expect("keys")
    }

    #[test]
    fn the_tokens_of_the_standard_are_right_and_no_changed_one_is() {
        for (key, token) in [(KEY, TOKEN), (RSA_KEY, RSA_TOKEN)] {
            let claims = verify(token, &keys(key)).expect("readable").expect("signed");
            assert_eq!(claims["iss"], "joe");
            for at in 0..token.len() {
                let mut bytes = token.as_bytes().to_vec();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(bytes).expect("ASCII");
                let known = verify(&changed, &keys(key));
                // The last character of a part may hold bits that are not used.
                assert!(!matches!(known, Ok(Some(_))) || changed == token, "position {at}");
            }
        }
        assert_eq!(verify(TOKEN, &keys(RSA_KEY)), Ok(None));
        assert_eq!(verify(TOKEN, &json!({})), Ok(None));
    }

    #[test]
    fn no_token_chooses_its_own_algorithm() {
        use base64::Engine;
        let encode = |text: &str| super::URL_SAFE_NO_PAD.encode(text);
        let body = encode(r#"{"iss":"joe"}"#);
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"RS1"}"#, r#"{}"#, r#"[]"#, r#"{"alg":"ES256","crit":["x"]}"#] {
            for tag in ["", "AAAA"] {
                assert!(verify(&format!("{}.{body}.{tag}", encode(header)), &keys(KEY)).is_err(), "{header}");
            }
        }
        for broken in ["", ".", "..", "a.b", "a.b.c.d", "!.!.!"] {
            assert!(verify(broken, &keys(KEY)).is_err(), "{broken}");
        }
    }
}
