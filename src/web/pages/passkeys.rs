//! Passkeys: adding one on the account page, signing in with one. The browser's dialogue needs a script; everything else is an
//! ordinary form.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::account;
use super::entry::{begin, sign_in_refused, unkept};
use super::page::Page;
use super::post::Post;
use crate::auth::{AuthError, NewPasskey, PasskeyProof, Site};
use crate::web::Problem;

fn site(page: &Page) -> Site {
    let url = &page.state.config.public_url;
    Site { host: url.host.clone(), origin: url.origin.clone() }
}

/// What the page's script reads.
fn told(status: StatusCode, value: &Value) -> Response {
    let mut response = (status, value.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    unkept(response)
}

/// `POST /account/passkeys/begin`
pub(super) async fn begin_new(mut page: Page, post: Post) -> Result<Response, Problem> {
    if let Some(why) = page.confirm(&post).await? {
        return Ok(told(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": why })));
    }
    let identity = page.requester.identity()?;
    match page.state.auth.begin_passkey(identity).await {
        Ok((challenge, known)) => {
            let user = URL_SAFE_NO_PAD.encode(identity.user.0.to_be_bytes());
            let value = json!({
                "challenge": challenge, "known": known, "host": site(&page).host, "site": page.catalog.settings.name,
                "user": user, "email": identity.email, "name": identity.name,
            });
            Ok(told(StatusCode::OK, &value))
        }
        Err(AuthError::PasskeyRefused) => Ok(told(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": page.say("passkey-refused", &[]) }))),
        Err(fault) => Err(fault.into()),
    }
}

/// `POST /account/passkeys`
pub(super) async fn finish_new(page: Page, post: Post) -> Result<Response, Problem> {
    let text = |name: &str| post.get(name).to_owned();
    let name = match post.get("name").trim() {
        "" => page.say("passkey-default-name", &[]),
        name => name.to_owned(),
    };
    let new = NewPasskey {
        name,
        id: text("id"),
        client_data: text("client_data"),
        device_data: text("device_data"),
        public_key: text("public_key"),
    };
    match page.state.auth.add_passkey(page.requester.identity()?, new, &site(&page)).await {
        Ok(()) => Ok(page.go("/account?done=passkey-added")),
        Err(AuthError::PasskeyRefused) => account::refused_factor(&page, page.say("passkey-refused", &[])).await,
        Err(fault) => Err(fault.into()),
    }
}

/// `POST /account/passkeys/{id}/remove`
pub(super) async fn remove(mut page: Page, Path(id): Path<String>, post: Post) -> Result<Response, Problem> {
    if let Some(why) = page.confirm(&post).await? {
        return account::refused_factor(&page, why).await;
    }
    page.state.auth.remove_passkey(page.requester.identity()?, &id).await?;
    Ok(page.go("/account?done=passkey-removed"))
}

/// `POST /sign-in/passkey/begin`
pub(super) async fn begin_use(page: Page) -> Result<Response, Problem> {
    let challenge = page.state.auth.begin_passkey_sign_in().await?;
    Ok(told(StatusCode::OK, &json!({ "challenge": challenge, "host": site(&page).host })))
}

/// `POST /sign-in/passkey`
pub(super) async fn finish_use(page: Page, post: Post) -> Result<Response, Problem> {
    let text = |name: &str| post.get(name).to_owned();
    let proof =
        PasskeyProof { id: text("id"), client_data: text("client_data"), device_data: text("device_data"), signature: text("signature") };
    match page.state.auth.sign_in_with_passkey(&proof, &site(&page), &page.requester.caller()).await {
        Ok(start) => Ok(begin(&page, &start, post.get("next"))),
        Err(AuthError::PasskeyRefused) => sign_in_refused(&page, StatusCode::UNPROCESSABLE_ENTITY, page.say("passkey-refused", &[])),
        Err(AuthError::Throttled { .. }) => sign_in_refused(&page, StatusCode::TOO_MANY_REQUESTS, page.say("sign-in-throttled", &[])),
        Err(fault) => Err(fault.into()),
    }
}
