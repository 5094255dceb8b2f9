//! Style sheets, scripts and icons, embedded in the program. Their address holds the digest of them all, so they may
//! be kept for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::web::Problem;

#[derive(RustEmbed)]
#[folder = "src/web/assets"]
struct Assets;

static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Assets::iter().collect();
    names.sort();
    let mut digest = Sha256::new();
    for name in names {
        digest.update(name.as_bytes());
        if let Some(file) = Assets::get(&name) {
            digest.update(file.metadata.sha256_hash());
        }
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
});

/// The folder pages name.
pub(super) fn base() -> String {
    format!("/assets/{}", *HASH)
}

/// `GET /assets/{hash}/{file}`: another hash is answered too (a page of the former version may still be open), but not kept.
pub(super) async fn serve(Path((hash, file)): Path<(String, String)>) -> Result<Response, Problem> {
    let found = Assets::get(&file).ok_or_else(Problem::not_found)?;
    let kept = if hash == *HASH { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = (StatusCode::OK, found.data.into_owned()).into_response();
    let headers = response.headers_mut();
    let media_type = match file.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    Ok(response)
}
