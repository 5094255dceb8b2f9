//! Files over the API.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, RawQuery, Request, State as Shared};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;

use super::answer;
use super::body::{expect_media_type, media_type};
use super::head::Head;
use super::locate;
use crate::base::RecordId;
use crate::schema::catalog::Catalog;
use crate::web::files::{self, PREVIEWS};
use crate::web::{Problem, Requester, State};

const RAW: &[&str] = &["application/octet-stream"];

/// `POST /files?name=…&entity=…`: the raw bytes, or one part of a multipart form (which names itself).
pub(super) async fn upload(
    Shared(state): Shared<State>,
    requester: Requester,
    RawQuery(raw): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let params = locate::only_params(raw.as_deref(), &["name", "entity"])?;
    let whole = state.catalog();
    let catalog = requester.actor(&whole).sees(&whole);
    let entity_uid = entity_uid(&catalog, params.get("entity"))?;
    let limit = state.config.upload_limit_bytes;
    let told = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<u64>().ok());
    if told.is_some_and(|bytes| bytes > limit as u64 + 4096) {
        return Err(Problem::new("WEB413", format!("the file has more than {limit} bytes")));
    }
    let file = if media_type(request.headers()) == "multipart/form-data" {
        multipart(&state, &requester, params.get("name"), &entity_uid, request, limit).await?
    } else {
        expect_media_type(request.headers(), RAW)?;
        let name = params.get("name").unwrap_or("file");
        files::receive(&state, &requester, name, &entity_uid, request.into_body(), limit).await?
    };
    Ok(answer::json(StatusCode::CREATED, &files::to_json(&file)))
}

fn entity_uid(catalog: &Catalog, slug: Option<&str>) -> Result<String, Problem> {
    match slug {
        None => Ok(String::new()),
        Some(slug) => Ok(locate::entity(catalog, slug)?.uid.clone()),
    }
}

async fn multipart(
    state: &State,
    requester: &Requester,
    name: Option<&str>,
    entity_uid: &str,
    request: Request,
    limit: usize,
) -> Result<crate::store::files::StoredFile, Problem> {
    let unreadable = || Problem::new("WEB400", "the multipart form cannot be read").with_hint("send one part with a file name");
    let mut form = Multipart::from_request(request, state).await.map_err(|_| unreadable())?;
    while let Some(part) = form.next_field().await.map_err(|_| unreadable())? {
        let Some(own_name) = part.file_name().map(str::to_owned) else { continue };
        // A part cannot leave its form, so it is read whole; the form's limit holds.
        let bytes = part.bytes().await.map_err(|_| Problem::new("WEB413", format!("the file has more than {limit} bytes")))?;
        return files::receive(state, requester, name.unwrap_or(&own_name), entity_uid, Body::from(bytes), limit).await;
    }
    Err(unreadable())
}

/// `GET /files/{id}` and `GET /api/v1/files/{id}`; `?preview=256` gives a smaller picture of an image.
pub(super) async fn download(head: Head) -> Result<Response, Problem> {
    let params = head.params(&["preview"])?;
    let size = match params.get("preview") {
        None => None,
        Some(text) => match text.parse::<u32>().ok().filter(|size| PREVIEWS.contains(size)) {
            Some(size) => Some(size),
            None => {
                return Err(Problem::new("QRY003", "`preview` must be 64, 256 or 1024").with_fault(
                    "preview",
                    "QRY003",
                    "must be 64, 256 or 1024",
                    serde_json::json!({ "allowed": PREVIEWS }),
                ));
            }
        },
    };
    let file = files::find(&head.state, &head.requester, head.part("id")).await?;
    head.state.records.witness_file(&head.actor, RecordId(file.id)).await?;
    match size {
        Some(size) => files::send_preview(&head.state, &file, size, &head.headers).await,
        None => files::send(&head.state, &file, &head.headers).await,
    }
}
