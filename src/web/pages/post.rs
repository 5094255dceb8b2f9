//! The body of a posted form: `application/x-www-form-urlencoded` or `multipart/form-data`.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use axum::http::header;

use crate::query::Params;
use crate::web::{Problem, Requester, State};

/// A file of a form, held in memory up to the limit of an upload.
pub(super) struct Upload {
    /// Name of the control without `.upload`.
    pub field: String,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Largest form of a visitor who is not signed in.
const VISITOR_LIMIT_BYTES: usize = 16 * 1024;

/// Names and texts in order, and files.
pub(super) struct Post {
    pub pairs: Vec<(String, String)>,
    pub uploads: Vec<Upload>,
}

impl Post {
    /// The last text of a name.
    pub fn get(&self, name: &str) -> &str {
        self.pairs.iter().rev().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }
}

impl FromRequest<State> for Post {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").to_ascii_lowercase();
        // A visitor who is not signed in sends an e-mail address and a password, nothing that fills the memory.
        let is_known = request.extensions().get::<Requester>().is_some_and(|requester| requester.identity.is_some());
        if !is_known && kind.starts_with("multipart/form-data") {
            return Err(Problem::new("WEB415", "this form is not sent with files"));
        }
        let limit = if is_known { state.config.body_limit_bytes } else { VISITOR_LIMIT_BYTES };
        let post = if kind.starts_with("multipart/form-data") { multipart(request, state).await? } else { plain(request, limit).await? };
        if post.pairs.iter().any(|(name, text)| name.contains('\0') || text.contains('\0')) {
            return Err(Problem::new("WEB400", "the form contains a null character"));
        }
        Ok(post)
    }
}

async fn plain(request: Request, limit: usize) -> Result<Post, Problem> {
    let bytes = axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| too_large())?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| Problem::new("WEB400", "the form is not UTF-8"))?;
    Ok(Post { pairs: Params::parse(&text).0, uploads: Vec::new() })
}

async fn multipart(request: Request, state: &State) -> Result<Post, Problem> {
    let limit = state.config.upload_limit_bytes;
    let mut form = Multipart::from_request(request, state).await.map_err(|_| Problem::new("WEB400", "the form cannot be read"))?;
    let mut post = Post { pairs: Vec::new(), uploads: Vec::new() };
    let mut all_bytes = 0;
    while let Some(mut part) = form.next_field().await.map_err(|fault| refused(fault.status()))? {
        let name = part.name().unwrap_or("").to_owned();
        let file = part.file_name().map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(piece) = part.chunk().await.map_err(|fault| refused(fault.status()))? {
            bytes.extend_from_slice(&piece);
            all_bytes += piece.len();
            if all_bytes > limit.saturating_mul(4) || bytes.len() > if file.is_some() { limit } else { state.config.body_limit_bytes } {
                return Err(too_large());
            }
        }
        match (file, name.strip_suffix(".upload")) {
            (Some(file), Some(field)) if !bytes.is_empty() => post.uploads.push(Upload { field: field.to_owned(), name: file, bytes }),
            (Some(_), _) => {}
            (None, _) => {
                let text = String::from_utf8(bytes).map_err(|_| Problem::new("WEB400", "the form is not UTF-8"))?;
                post.pairs.push((name, text));
            }
        }
    }
    Ok(post)
}

fn refused(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE { too_large() } else { Problem::new("WEB400", "the form cannot be read") }
}

fn too_large() -> Problem {
    Problem::new("WEB413", "the form is too large")
}
