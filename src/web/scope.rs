//! What a token that is limited to scopes may knock at, by method and path. A handler looks once more at what its body or its
//! parameters name: other entities that are expanded, filtered by or written inside a record.

use axum::http::Method;

use super::Problem;
use super::error::is_safe;
use crate::access::{AccessError, Scopes};
use crate::schema::catalog::Catalog;

/// # Errors
/// `ACL003` naming the scope that is missing.
pub(super) fn check(catalog: &Catalog, scopes: &Scopes, method: &Method, path: &str) -> Result<(), Problem> {
    let needed = |scope: &str| Err(AccessError::OutOfScope { needed: scope.to_owned() }.into());
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("files"), ..) | (Some("api"), Some("v1"), Some("schema" | "openapi.json")) => return Ok(()),
        // The handlers look which entity a claim or a survey is about; a message is judged by its signature alone.
        (Some("api"), Some("v1"), Some("registrations" | "surveys" | "received")) => return Ok(()),
        (Some("api"), Some("v1"), Some("files")) if is_safe(method) => return Ok(()),
        (Some("api"), Some("v1"), Some("files" | "batch")) => return if scopes.may_write_any() { Ok(()) } else { needed("write") },
        (Some("api"), Some("v1"), Some("changes")) => return if scopes.may_read_all() { Ok(()) } else { needed("read") },
        (Some("api"), Some("v1"), Some("records" | "pools")) => {}
        _ => return needed("admin"),
    }
    let Some(entity) = parts.next().and_then(|slug| catalog.by_slug.get(slug)).map(|ix| catalog.entity(*ix)) else {
        // The handler says that there is none.
        return Ok(());
    };
    let reads =
        is_safe(method) || (*method == Method::POST && matches!(parts.next(), Some("query" | "aggregate")) && parts.next().is_none());
    match reads {
        true if !scopes.may_read(&entity.id) => needed(&format!("read:{}", entity.id)),
        false if !scopes.may_write(&entity.id) => needed(&format!("write:{}", entity.id)),
        _ => Ok(()),
    }
}
