//! Uploaded files: received in pieces with a limit, typed by their content, sent back so that a browser never runs them.
//!
//! Shared by the API and the pages.

use std::io::Cursor;

use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use image::{ImageFormat, ImageReader, Limits};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::{Problem, Requester, State};
use crate::access::AccessError;
use crate::base::RecordId;
use crate::store::StoreError;
use crate::store::files::{self, Content, StoredFile, Upload};

/// Ids of files look like `file_…`.
pub const FILE_PREFIX: &str = "file";
/// A browser shows these itself; everything else is saved to disk.
const SHOWN: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
/// Widest and highest picture that is decoded, and the memory it may take.
const MOST_PIXELS: u32 = 12_000;
const MOST_DECODED_BYTES: u64 = 256 * 1024 * 1024;
/// Sizes a preview may have.
pub const PREVIEWS: [u32; 3] = [64, 256, 1024];

/// Receives one file. `pieces` is the body; more than `limit` bytes are refused with 413.
pub async fn receive(
    state: &State,
    requester: &Requester,
    name: &str,
    entity_uid: &str,
    body: Body,
    limit: usize,
) -> Result<StoredFile, Problem> {
    use axum::body::HttpBody;
    let identity = requester.identity()?;
    let name = clean_name(name)?;
    let store = state.records.store();
    let mut upload = Upload::begin(store).await.map_err(failed)?;
    let mut head = Vec::with_capacity(64);
    let mut body = std::pin::pin!(body);
    loop {
        let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
        let piece = match frame {
            None => break,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(piece) => piece,
                Err(_) => continue,
            },
            Some(Err(_)) => {
                upload.abandon().await;
                return Err(Problem::new("WEB408", "the file did not arrive in time"));
            }
        };
        if upload.size_bytes() + piece.len() as u64 > limit as u64 {
            upload.abandon().await;
            return Err(Problem::new("WEB413", format!("the file has more than {limit} bytes")));
        }
        if head.len() < 64 {
            head.extend(piece.iter().take(64 - head.len()));
        }
        upload.write(&piece).await.map_err(failed)?;
    }
    if upload.size_bytes() == 0 {
        upload.abandon().await;
        return Err(Problem::new("WEB422", "the file is empty"));
    }
    let content = upload.finish().await.map_err(failed)?;
    let media_type = sniff(&head, &name);
    let size = if SHOWN.contains(&media_type) { dimensions(state, &content).await } else { None };
    let file = StoredFile {
        id: store.mint().next().0,
        sha256: content.sha256,
        name,
        media_type: media_type.to_owned(),
        size_bytes: i64::try_from(content.size_bytes).unwrap_or(i64::MAX),
        width: size.map(|(width, _)| i64::from(width)),
        height: size.map(|(_, height)| i64::from(height)),
        entity_uid: entity_uid.to_owned(),
        created_at: state.clock.now(),
        created_by: identity.user.0,
    };
    let row = file.clone();
    store.write::<_, StoreError>(move |tx| Box::pin(async move { files::create(tx, &row).await })).await.map_err(failed)?;
    Ok(file)
}

/// The file as the API tells it.
pub fn to_json(file: &StoredFile) -> Value {
    let id = RecordId(file.id).display(FILE_PREFIX);
    json!({ "id": id, "name": file.name, "size": file.size_bytes, "type": file.media_type, "url": format!("/files/{id}") })
}

/// The file with this id, for whoever brought it or may read a record it is attached to.
pub async fn find(state: &State, requester: &Requester, id: &str) -> Result<StoredFile, Problem> {
    requester.identity()?;
    let id = RecordId::parse(id).filter(|(prefix, _)| *prefix == FILE_PREFIX).map(|(_, id)| id.0).ok_or_else(Problem::not_found)?;
    let found = files::load(state.records.store(), &[id]).await.map_err(failed)?;
    let file = found.into_iter().next().ok_or_else(Problem::not_found)?;
    if let Some(scopes) = requester.limits().filter(|scopes| !scopes.may_read_all()) {
        let catalog = state.catalog();
        let owner = catalog.entities.iter().find(|entity| entity.uid == file.entity_uid);
        if !owner.is_some_and(|entity| scopes.may_read(&entity.id)) {
            return Err(AccessError::OutOfScope { needed: "read".into() }.into());
        }
    }
    let actor = requester.actor(&state.catalog());
    if actor.user_id() == file.created_by || state.records.reads_file(&actor, RecordId(file.id)).await? {
        return Ok(file);
    }
    Err(Problem::not_found())
}

/// Sends a file's content: pictures to be looked at, everything else to be saved; never as a page of ours.
pub async fn send(state: &State, file: &StoredFile, headers: &HeaderMap) -> Result<Response, Problem> {
    let tag = format!("\"{}\"", &file.sha256.get(..32).unwrap_or(&file.sha256));
    if is_known(headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let path = files::content_path(state.records.store(), &file.sha256);
    let opened = tokio::fs::File::open(&path).await.map_err(|error| {
        tracing::error!(file.id = file.id, error = %error, "the content of a file is missing");
        Problem::not_found()
    })?;
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(opened, 64 * 1024)));
    set_content_headers(response.headers_mut(), file, &file.media_type, &tag);
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(u64::try_from(file.size_bytes).unwrap_or(0)));
    Ok(response)
}

/// Sends a smaller picture, decoded and encoded anew, so that nothing but pixels passes.
pub async fn send_preview(state: &State, file: &StoredFile, size: u32, headers: &HeaderMap) -> Result<Response, Problem> {
    let shown = SHOWN.contains(&file.media_type.as_str()) && PREVIEWS.contains(&size);
    if !shown {
        return Err(Problem::not_found());
    }
    let tag = format!("\"{}-{size}\"", &file.sha256.get(..32).unwrap_or(&file.sha256));
    if is_known(headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let bytes = read_all(state, &file.sha256).await?;
    let _slot = state.picture_slots.acquire().await.map_err(|error| Problem::internal(&error))?;
    let made = tokio::task::spawn_blocking(move || preview(&bytes, size)).await.map_err(|error| Problem::internal(&error))?;
    let picture = made.ok_or_else(|| Problem::new("WEB422", "this picture cannot be read"))?;
    let mut response = Response::new(Body::from(picture));
    set_content_headers(response.headers_mut(), file, "image/png", &tag);
    Ok(response)
}

fn set_content_headers(headers: &mut HeaderMap, file: &StoredFile, media_type: &str, tag: &str) {
    let is_shown = SHOWN.contains(&media_type);
    let shown_as = if is_shown { media_type } else { "application/octet-stream" };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(shown_as).unwrap_or(HeaderValue::from_static("application/octet-stream")));
    let how = if is_shown { "inline" } else { "attachment" };
    let plain: String =
        file.name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in file.name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    if let Ok(value) = HeaderValue::from_str(&format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(HeaderName::from_static("x-download-options"), HeaderValue::from_static("noopen"));
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let texts = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag)
}

fn not_modified(tag: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    if let Ok(value) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

fn failed(error: StoreError) -> Problem {
    Problem::explain(&error)
}

/// A file name without folders and control characters, at most 255 bytes.
fn clean_name(name: &str) -> Result<String, Problem> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or("");
    let clean: String = last.chars().filter(|c| !c.is_control()).collect();
    let clean = clean.trim().trim_matches('.').trim();
    if clean.is_empty() || clean.len() > 255 {
        return Err(Problem::new("WEB422", "the file needs a name of at most 255 bytes").with_fault(
            "name",
            "bad_name",
            "must be a file name of at most 255 bytes",
            json!({ "max": 255 }),
        ));
    }
    Ok(clean.to_owned())
}

async fn read_all(state: &State, sha256: &str) -> Result<Vec<u8>, Problem> {
    let path = files::content_path(state.records.store(), sha256);
    let mut bytes = Vec::new();
    let opened = tokio::fs::File::open(&path).await.map_err(|_| Problem::not_found())?;
    opened.take(64 * 1024 * 1024).read_to_end(&mut bytes).await.map_err(|error| Problem::internal(&error))?;
    Ok(bytes)
}

/// Width and height of a picture; `None` when it is none or too large to be decoded.
async fn dimensions(state: &State, content: &Content) -> Option<(u32, u32)> {
    let path = files::content_path(state.records.store(), &content.sha256);
    let read = tokio::task::spawn_blocking(move || ImageReader::open(path).ok()?.with_guessed_format().ok()?.into_dimensions().ok());
    read.await.ok().flatten().filter(|(width, height)| *width <= MOST_PIXELS && *height <= MOST_PIXELS)
}

/// A PNG of at most `size` pixels either way.
fn preview(bytes: &[u8], size: u32) -> Option<Vec<u8>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_PIXELS);
    limits.max_image_height = Some(MOST_PIXELS);
    limits.max_alloc = Some(MOST_DECODED_BYTES);
    reader.limits(limits);
    let small = reader.decode().ok()?.thumbnail(size, size);
    let mut out = Cursor::new(Vec::new());
    small.write_to(&mut out, ImageFormat::Png).ok()?;
    Some(out.into_inner())
}

/// The media type by content; the name decides only among types that cannot do harm when they are saved.
fn sniff(head: &[u8], name: &str) -> &'static str {
    const MAGIC: [(&[u8], &str); 12] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"\x1f\x8b", "application/gzip"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
        (b"Rar!\x1a\x07", "application/vnd.rar"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (b"ID3", "audio/mpeg"),
        (b"OggS", "application/ogg"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
    ];
    if let Some((_, media_type)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return media_type;
    }
    let extension = name.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return "image/webp";
    }
    if head.get(4..8) == Some(b"ftyp") {
        return "video/mp4";
    }
    if head.starts_with(b"PK\x03\x04") {
        return match extension.as_str() {
            "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            _ => "application/zip",
        };
    }
    let is_text = !head.contains(&0) && std::str::from_utf8(head).map_or_else(|error| error.valid_up_to() + 4 > head.len(), |_| true);
    match (is_text, extension.as_str()) {
        (true, "csv") => "text/csv",
        (true, "json") => "application/json",
        (true, _) => "text/plain",
        (false, _) => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_that_of_the_content() {
        for (head, name, expected) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], "evil.html", "image/png"),
            (b"<html><script>", "page.html", "text/plain"),
            (b"<svg onload=...>", "a.svg", "text/plain"),
            (b"a,b\n1,2", "rows.csv", "text/csv"),
            (b"PK\x03\x04....", "offer.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            (b"PK\x03\x04....", "offer.html", "application/zip"),
            (b"\x00\x01\x02", "x", "application/octet-stream"),
            ("合同".as_bytes(), "合同.txt", "text/plain"),
        ] {
            assert_eq!(sniff(head, name), expected, "{name}");
        }
    }

    #[test]
    fn names_lose_folders_and_control_characters() {
        assert_eq!(clean_name("../../etc/passwd").ok().as_deref(), Some("passwd"));
        assert_eq!(clean_name("C:\\temp\\报价.pdf").ok().as_deref(), Some("报价.pdf"));
        assert_eq!(clean_name("a\r\nb.txt").ok().as_deref(), Some("ab.txt"));
        for bad in ["", "..", "/", "\u{7}", &"x".repeat(256)] {
            assert!(clean_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_picture_becomes_a_small_png_and_rubbish_none() {
        let mut out = Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(300, 200).write_to(&mut out, ImageFormat::Png).expect("encoded");
        let small = preview(&out.into_inner(), 64).expect("a picture");
        let read = image::load_from_memory(&small).expect("a picture");
        assert_eq!((read.width(), read.height()), (64, 43));
        assert!(preview(b"\x89PNG\r\n\x1a\nrubbish", 64).is_none());
    }
}
