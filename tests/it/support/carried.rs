//! What requests and answers of tests carry that no log may hold: parameters, parts of paths, headers, bodies, cookies, secrets.

use axum::http::{HeaderMap, Uri, header};
use serde_json::Value;

/// Headers that say nothing of anybody.
const PLAIN: [&str; 14] = [
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "connection",
    "host",
    "origin",
    "sec-fetch-site",
    "sec-fetch-mode",
    "prefer",
    "if-match",
    "if-none-match",
    "range",
    "hx-request",
];
/// Members of answers that are secrets of whoever asked.
const SECRET: [&str; 7] = ["secret", "token", "password", "codes", "cookie", "link", "seed"];

/// Values of a request.
pub fn of_request(uri: &Uri, headers: &HeaderMap, body: &[u8], put: &mut dyn FnMut(&str)) {
    let put = &mut |value: &str| {
        if !is_of_the_program(value) {
            put(value);
        }
    };
    // Parts of routes are told; all else in a path is somebody's.
    let is_of_a_route = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.'));
    for part in uri.path().split('/').filter(|part| !is_of_a_route(part)) {
        both(part, put);
    }
    if let Some(query) = uri.query() {
        pairs(query, put);
    }
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        match name.as_str() {
            "cookie" => value.split(';').filter_map(|pair| pair.split_once('=')).for_each(|(_, secret)| put(secret.trim())),
            "authorization" => value.split(' ').for_each(&mut *put),
            name if PLAIN.contains(&name) => {}
            _ => put(value),
        }
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(body) else { return };
    if kind.contains("urlencoded") {
        pairs(text, put);
    } else if let Ok(body) = serde_json::from_str::<Value>(text) {
        strings(&body, put);
    } else if kind.starts_with("multipart/") {
        text.lines().flat_map(|line| line.split('"')).filter(|part| !part.starts_with("Content-")).for_each(put);
    } else {
        text.lines().for_each(put);
    }
}

/// Secrets that an answer tells whoever asked.
pub fn of_answer(headers: &HeaderMap, body: &[u8], put: &mut dyn FnMut(&str)) {
    for cookie in headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
        if let Some((_, secret)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
            put(secret);
        }
    }
    let place = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).and_then(|place| place.split_once('?'));
    if let Some((_, query)) = place {
        pairs(query, &mut |value| {
            if !is_of_the_program(value) {
                put(value);
            }
        });
    }
    if let Ok(body) = serde_json::from_slice::<Value>(body) {
        secrets(&body, put);
    }
}

/// Parameters or fields of a form, as they were sent and as they are read.
fn pairs(text: &str, put: &mut dyn FnMut(&str)) {
    for (name, value) in text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))) {
        both(name, put);
        both(value, put);
    }
}

fn both(text: &str, put: &mut dyn FnMut(&str)) {
    put(text);
    if text.contains(['%', '+']) {
        put(&decoded(text));
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
                out.push(digits.unwrap_or(b'%'));
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn strings(body: &Value, put: &mut dyn FnMut(&str)) {
    match body {
        Value::String(text) => put(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, put)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            put(name);
            strings(value, put);
        }),
        _ => {}
    }
}

fn secrets(body: &Value, put: &mut dyn FnMut(&str)) {
    match body {
        Value::Array(items) => items.iter().for_each(|item| secrets(item, put)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| if SECRET.contains(&name.as_str()) { strings(value, put) } else { secrets(value, put) })
        }
        _ => {}
    }
}

/// Names of definitions, routes and media types, ids, moments and plain numbers: the log may hold them, or holds them by chance.
fn is_of_the_program(value: &str) -> bool {
    let is_word = || {
        let is_route = value.starts_with('/');
        value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.' | b'/' | b'{' | b'}') || (is_route && byte == b'-'))
    };
    let is_number = || value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b':' | b'T' | b'Z' | b','));
    // `deal_` and 13 letters and digits.
    let is_id = || {
        let id = value.rsplit_once('_').filter(|(prefix, _)| prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        id.is_some_and(|(_, id)| id.len() == 13 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let moment = value.split_once(['+']).map_or(value, |(moment, _)| moment);
    let is_moment =
        || moment.len() >= 19 && moment.as_bytes()[10] == b'T' && moment.bytes().take(10).all(|b| b.is_ascii_digit() || b == b'-');
    is_word() || is_number() || is_id() || is_moment()
}

#[test]
fn what_is_sent_in_any_way_is_noted() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("cookie", "a=b; relata=zq-cookie-1"),
        ("authorization", "Bearer rl_zqtoken2"),
        ("user-agent", "zq agent 3"),
        ("accept", "application/vnd.api+json"),
        ("content-type", "application/json"),
    ] {
        headers.insert(name, value.parse().expect("a value"));
    }
    let noted = |uri: &str, headers: &HeaderMap, body: &str| {
        let mut found = Vec::new();
        of_request(&uri.parse().expect("an address"), headers, body.as_bytes(), &mut |value| found.push(value.to_owned()));
        found.retain(|value| value.len() >= super::needles::SHORTEST);
        found
    };
    let uri = "/api/v1/records/memo/memo_0000000000001?q=zq%20search+4&filter=name%3D%27zq5%27";
    let body = r#"{"name": {"given": "zq given 6"}, "phone": "+4930123456", "at": "2026-11-21T08:00:00+08:00", "amount": "12345678.00"}"#;
    assert_eq!(
        noted(uri, &headers, body),
        [
            "zq%20search+4",
            "zq search 4",
            "name%3D%27zq5%27",
            "name='zq5'",
            "zq-cookie-1",
            "rl_zqtoken2",
            "zq agent 3",
            "zq given 6",
            "+4930123456"
        ]
        .map(str::to_owned)
    );
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().expect("a value"));
    headers.remove("cookie");
    headers.remove("authorization");
    headers.remove("user-agent");
    assert_eq!(noted("/", &headers, "email=zq%40example.com&password=zq+pass"), ["zq%40example.com", "zq@example.com"]);
    headers.insert("content-type", "multipart/form-data; boundary=b".parse().expect("a value"));
    let upload = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"zq-file.txt\"\r\n\r\nzq content\r\n--b--\r\n";
    assert!(["zq-file.txt", "zq content"].iter().all(|value| noted("/", &headers, upload).contains(&(*value).to_owned())));
    let mut answer = HeaderMap::new();
    answer.insert("set-cookie", "relata=zq-new-7; Path=/".parse().expect("a value"));
    answer.insert("location", "/invitation?token=zq-new-8".parse().expect("a value"));
    let mut found = Vec::new();
    of_answer(&answer, br#"{"data": [{"secret": "zq-new-9", "name": "x"}]}"#, &mut |value| found.push(value.to_owned()));
    assert!(["zq-new-7", "zq-new-8", "zq-new-9"].iter().all(|value| found.contains(&(*value).to_owned())), "{found:?}");
}
