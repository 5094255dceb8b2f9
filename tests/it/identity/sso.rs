//! Single sign-on: a code that is worth something only to the browser that set out, a token that is checked in every part, an
//! account that is joined only by the local password.

use std::sync::{Arc, Mutex};

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use relata::auth::Provider;
use relata::outbound::{HttpAnswer, HttpMethod, Recorder};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::{PASSWORD, new_cookie, post_form, signed_in};
use crate::support::{Answer, TestApp};

const ISSUER: &str = "https://login.example.com";
const SECRET: &str = "a secret of the two";

/// What the provider answers next.
#[derive(Clone)]
struct Says {
    claims: Value,
    info: Value,
    signed: bool,
    configuration: Value,
}

struct World {
    app: TestApp,
    says: Arc<Mutex<Says>>,
    http: Arc<Recorder>,
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

impl World {
    async fn new(change: impl FnOnce(&mut Provider)) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).expect("a key");
        let point = pair.public_key().as_ref().to_vec();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        let keys = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "k1", "alg": "ES256", "use": "sig" }] });
        let configuration = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": "https://keys.example.com/jwks",
            "userinfo_endpoint": format!("{ISSUER}/me"),
        });
        let says = Arc::new(Mutex::new(Says { claims: json!({}), info: Value::Null, signed: true, configuration }));
        let heard = says.clone();
        let http = Arc::new(Recorder::new(move |request| {
            let says = heard.lock().expect("the provider").clone();
            Ok(match request.url.as_str() {
                "https://login.example.com/.well-known/openid-configuration" => HttpAnswer::json(200, &says.configuration),
                "https://keys.example.com/jwks" => HttpAnswer::json(200, &keys),
                "https://login.example.com/me" => HttpAnswer::json(200, &says.info),
                "https://login.example.com/token" if request.method == HttpMethod::Post => {
                    let body = String::from_utf8_lossy(&request.body).into_owned();
                    if !body.contains("code=good") || !body.contains("code_verifier=") {
                        return Ok(HttpAnswer::json(400, &json!({ "error": "invalid_grant" })));
                    }
                    let signed = format!("{}.{}", encode(&json!({ "alg": "ES256", "kid": "k1" })), encode(&says.claims));
                    let mut tag = pair.sign(&random, signed.as_bytes()).expect("signed").as_ref().to_vec();
                    if !says.signed {
                        tag[7] ^= 1;
                    }
                    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
                    HttpAnswer::json(200, &json!({ "id_token": token, "access_token": "access", "token_type": "Bearer" }))
                }
                other => panic!("nobody may be asked for {other}"),
            })
        }));
        let mut provider = Provider {
            name: "Login".into(),
            issuer: ISSUER.into(),
            client_id: "relata".into(),
            client_secret: SECRET.into(),
            hosts: vec!["keys.example.com".into()],
            roles_claim: "groups".into(),
            roles: Default::default(),
            creates_people: false,
        };
        change(&mut provider);
        let app = TestApp::with_provider(provider, http.clone()).await;
        Self { app, says, http }
    }

    /// Sets out: the state and the nonce of the address, and the cookie.
    async fn set_out(&self) -> (String, String, String) {
        let answer = post_form(&self.app, "x=y", "/sign-in/sso", "next=%2Frecords%2Fdeal").await.expect_status(200);
        let url = answer.header("refresh").trim_start_matches("0;url=").to_owned();
        assert!(url.starts_with("https://login.example.com/authorize?response_type=code&client_id=relata&"), "{url}");
        assert!(url.contains("code_challenge_method=S256") && url.contains("scope=openid"), "{url}");
        let param = |name: &str| url.split(&format!("{name}=")).nth(1).and_then(|rest| rest.split('&').next()).unwrap_or("").to_owned();
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or("").to_owned();
        assert!(answer.header("set-cookie").contains("HttpOnly") && answer.header("set-cookie").contains("Path=/sign-in/sso/callback"));
        (param("state"), param("nonce"), cookie)
    }

    /// What a good token says.
    fn claims(&self, nonce: &str) -> Value {
        let now = relata::base::Clock::now(self.app.clock.as_ref()).0 / 1_000_000;
        json!({
            "iss": ISSUER, "sub": "248289761001", "aud": "relata", "exp": now + 300, "iat": now, "nonce": nonce,
            "email": "Bo@example.com", "email_verified": true, "name": "Bo", "groups": ["crm"],
        })
    }

    async fn back(&self, state: &str, cookie: &str, code: &str) -> Answer {
        let path = format!("/sign-in/sso/callback?code={code}&state={state}");
        self.app.request(Method::GET, &path).session(cookie).send().await
    }

    /// A whole way with claims made of the good ones.
    async fn sign_in(&self, change: impl FnOnce(&mut Value)) -> Answer {
        let (state, nonce, cookie) = self.set_out().await;
        let mut claims = self.claims(&nonce);
        change(&mut claims);
        self.says.lock().expect("the provider").claims = claims;
        self.back(&state, &cookie, "good").await
    }
}

fn hidden(page: &str, name: &str) -> String {
    let from = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no `{name}` in {page}"));
    from.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_account_is_joined_by_the_local_password_once_and_then_signs_in_alone() {
    let world = World::new(|_| {}).await;
    signed_in(&world.app, "bo@example.com", false).await;
    let asked = world.sign_in(|_| {}).await.expect_status(200);
    assert!(!asked.header("set-cookie").contains("relata="), "no session before the password");
    let page = asked.text();
    assert!(page.contains("bo@example.com"), "{page}");
    let challenge = hidden(&page, "challenge");
    let form = |password: &str| format!("challenge={challenge}&password={password}&next=%2F");
    post_form(&world.app, "x=y", "/sign-in/sso/join", &form("wrong")).await.expect_status(422);
    let done = post_form(&world.app, "x=y", "/sign-in/sso/join", &form("correct+horse+battery")).await.expect_status(303);
    assert_eq!(done.header("location"), "/records/deal");
    new_cookie(&done);
    post_form(&world.app, "x=y", "/sign-in/sso/join", &form("correct+horse+battery")).await.expect_status(422);
    let again = world.sign_in(|claims| claims["email"] = "other@example.com".into()).await.expect_status(303);
    let cookie =
        again.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).find(|text| text.starts_with("relata="));
    let cookie = cookie.expect("a session").to_owned();
    let sessions = world.app.request(Method::GET, "/api/v1/sessions").session(&cookie).send().await.expect_status(200);
    assert!(sessions.text().contains("\"own\":true"));
    let token = world.http.seen().into_iter().find(|request| request.url.ends_with("/token")).expect("asked");
    let basic = token.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.clone()).expect("a header");
    assert!(basic.starts_with("Basic ") && !String::from_utf8_lossy(&token.body).contains("secret"));
    // Deactivated here, the provider's word is worth nothing.
    let bo = world.app.get("/api/v1/records/user?filter=email%20%3D%20%27bo%40example.com%27").await.json()["data"][0]["id"].clone();
    let path = format!("/api/v1/records/user/{}", bo.as_str().expect("an id"));
    world.app.patch(&path, json!({ "active": false })).await.expect_status(200);
    world.sign_in(|_| {}).await.expect_status(403);
    assert_eq!(PASSWORD.len(), 21);
}

#[tokio::test]
async fn a_token_that_is_wrong_in_any_part_lets_nobody_in() {
    let world = World::new(|provider| provider.creates_people = true).await;
    let now = relata::base::Clock::now(world.app.clock.as_ref()).0 / 1_000_000;
    let wrong: Vec<(&str, Value)> = vec![
        ("iss", json!("https://login.example.com/")),
        ("iss", json!("https://evil.example")),
        ("aud", json!("another")),
        ("aud", json!(["relata", "another"])),
        ("azp", json!("another")),
        ("exp", json!(now - 61)),
        ("exp", Value::Null),
        ("iat", json!(now + 3600)),
        ("nbf", json!(now + 3600)),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("sub", json!("")),
        ("sub", json!(7)),
    ];
    for (name, value) in wrong {
        let told = world.sign_in(|claims| claims[name] = value.clone()).await;
        assert_eq!(told.status.as_u16(), 422, "{name}: {value}");
        assert!(told.text().contains("Single sign-on did not work"), "{name}");
    }
    world.says.lock().expect("the provider").signed = false;
    world.sign_in(|_| {}).await.expect_status(422);
    world.says.lock().expect("the provider").signed = true;
    for unverified in [json!(false), json!("true"), Value::Null] {
        world.sign_in(|claims| claims["email_verified"] = unverified).await.expect_status(403);
    }
    assert!(world.app.get("/api/v1/records/user").await.json()["data"].as_array().is_some_and(|people| people.len() == 1));
}

#[tokio::test]
async fn only_the_browser_that_set_out_comes_back_and_once() {
    let world = World::new(|provider| provider.creates_people = true).await;
    let (state, nonce, cookie) = world.set_out().await;
    let (other_state, _, other_cookie) = world.set_out().await;
    world.says.lock().expect("the provider").claims = world.claims(&nonce);
    for (state, cookie, code) in [
        (state.as_str(), "x=y", "good"),
        (state.as_str(), other_cookie.as_str(), "good"),
        (other_state.as_str(), cookie.as_str(), "good"),
        ("", "relata_sso=", "good"),
    ] {
        world.back(state, cookie, code).await.expect_status(422);
    }
    world.back(&state, &cookie, "bad").await.expect_status(422);
    world.back(&state, &cookie, "good").await.expect_status(422);
    let (state, nonce, cookie) = world.set_out().await;
    world.says.lock().expect("the provider").claims = world.claims(&nonce);
    world.app.clock.advance_ms(11 * 60 * 1000);
    world.back(&state, &cookie, "good").await.expect_status(422);
    world.app.request(Method::GET, "/sign-in/sso").anonymous().send().await.expect_status(405);
}

#[tokio::test]
async fn groups_become_roles_at_each_sign_in_and_strangers_are_made_only_where_it_is_said() {
    let closed = World::new(|_| {}).await;
    closed.sign_in(|_| {}).await.expect_status(403);
    let world = World::new(|provider| {
        provider.creates_people = true;
        provider.roles = [("crm".to_owned(), "user".to_owned()), ("bosses".to_owned(), "admin".to_owned())].into();
    })
    .await;
    world.sign_in(|claims| claims["groups"] = json!(["other"])).await.expect_status(403);
    world.sign_in(|_| {}).await.expect_status(303);
    let person =
        || async { world.app.get("/api/v1/records/user?filter=email%20%3D%20%27bo%40example.com%27").await.json()["data"][0].clone() };
    assert_eq!(person().await["roles"], json!(["user"]));
    world.sign_in(|claims| claims["groups"] = json!(["bosses", "crm"])).await.expect_status(303);
    assert_eq!(person().await["roles"], json!(["admin", "user"]));
    // The particulars may come from the other address, if they are of the same person.
    world.says.lock().expect("the provider").info = json!({ "sub": "248289761001", "groups": ["crm"] });
    world.sign_in(|claims| claims["groups"] = Value::Null).await;
    let drop_groups = |claims: &mut Value| {
        claims.as_object_mut().expect("claims").remove("groups");
    };
    world.sign_in(drop_groups).await.expect_status(303);
    assert_eq!(person().await["roles"], json!(["user"]));
    world.says.lock().expect("the provider").info = json!({ "sub": "someone else", "groups": ["bosses"] });
    world.sign_in(drop_groups).await.expect_status(303);
    assert_eq!(person().await["roles"], json!([]));
}

#[tokio::test]
async fn a_provider_that_names_foreign_hosts_or_another_issuer_is_not_followed() {
    for (name, value) in [
        ("issuer", json!("https://evil.example")),
        ("token_endpoint", json!("https://evil.example/token")),
        ("token_endpoint", json!("http://login.example.com/token")),
        ("jwks_uri", json!("http://keys.example.com/jwks")),
        ("userinfo_endpoint", json!("https://login.example.com.evil.example/me")),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("token_endpoint", Value::Null),
    ] {
        let world = World::new(|_| {}).await;
        world.says.lock().expect("the provider").configuration[name] = value.clone();
        let told = post_form(&world.app, "x=y", "/sign-in/sso", "next=%2F").await;
        assert_eq!(told.status.as_u16(), 503, "{name}: {value}");
        let hosts = world.http.seen();
        assert!(hosts.iter().all(|request| !request.url.contains("evil")), "{hosts:?}");
    }
    let app = TestApp::crm().await;
    let page = app.request(Method::GET, "/sign-in").anonymous().send().await.expect_status(200).text();
    assert!(!page.contains("/sign-in/sso"));
    post_form(&app, "x=y", "/sign-in/sso", "").await.expect_status(422);
}
