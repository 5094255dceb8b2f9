//! Bringing records in from a file: looked through first, then imported.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::page::Page;
use super::post::Post;
use crate::access::AccessError;
use crate::record::{is_reason, may_pass_over};
use crate::render::Arg;
use crate::render::context::{Choice, ImportPage, ImportReport};
use crate::schema::catalog::{Entity, Unique};
use crate::transfer::{FailedRow, Report};
use crate::web::Problem;
use crate::web::importing::{self, Order};

/// Rows and values that are told one by one.
const TOLD: usize = 100;

/// `GET /records/{entity}/import`
pub(super) async fn form(page: Page, Path(slug): Path<String>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    expect_allowed(&page, entity)?;
    import_page(&page, entity, StatusCode::OK, None, None, None)
}

/// `POST /records/{entity}/import`: the file is looked through, or imported.
pub(super) async fn import(page: Page, Path(slug): Path<String>, mut post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    expect_allowed(&page, entity)?;
    let Some(file) = post.uploads.pop() else {
        let told = page.say("import-no-file", &[]);
        return import_page(&page, entity, StatusCode::UNPROCESSABLE_ENTITY, Some(&post), None, Some(told));
    };
    let matched = post.get("match").split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let reason = Some(post.get("reason").trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_deref().is_some_and(|reason| !is_reason(reason)) {
        let told = page.say("move-reason-needed", &[]);
        return import_page(&page, entity, StatusCode::UNPROCESSABLE_ENTITY, Some(&post), None, Some(told));
    }
    let order = Order {
        matched,
        keeps: post.get("existing") == "keep",
        dry_run: post.get("do") != "import",
        reason,
        allow_duplicates: post.get("duplicates") == "keep",
    };
    let is_rehearsal = order.dry_run;
    match importing::run(&page.state, &page.actor, &page.catalog, entity, file.bytes, order).await {
        Ok((report, _)) => {
            let told = page.import_report(entity, &report, is_rehearsal);
            import_page(&page, entity, StatusCode::OK, Some(&post), Some(told), None)
        }
        Err(refused) if refused.code.starts_with("TRF") => {
            import_page(&page, entity, StatusCode::UNPROCESSABLE_ENTITY, Some(&post), None, Some(page.refusal(&refused)))
        }
        Err(refused) => Err(refused),
    }
}

/// The rows between two records, and what nobody may import, have no such page.
fn expect_allowed(page: &Page, entity: &Entity) -> Result<(), Problem> {
    if page.requester.identity()?.viewer.is_some() {
        return Err(AccessError::OnlyLooks.into());
    }
    importing::expect_allowed(&page.catalog, &page.actor, entity)
}

fn import_page(
    page: &Page,
    entity: &Entity,
    status: StatusCode,
    post: Option<&Post>,
    report: Option<ImportReport>,
    error: Option<String>,
) -> Result<Response, Problem> {
    let chosen = |name: &str| post.map_or("", |post| post.get(name));
    let context = ImportPage {
        shell: page.shell(&page.say("action-import", &[]), &entity.slug, vec![page.entity_crumb(entity)]),
        entity: page.head(entity),
        href: format!("/records/{}", entity.slug),
        matches: page.matches(entity, chosen("match")),
        keeps: chosen("existing") == "keep",
        may_pass_over: may_pass_over(&page.actor, entity),
        reason: chosen("reason").to_owned(),
        warns_of_duplicates: entity.duplicates.iter().any(|rule| !rule.refuses),
        allows_duplicates: chosen("duplicates") == "keep",
        report,
        error,
    };
    page.html(status, "page/import", &context)
}

impl Page {
    /// What records can be found by: uniques of which every field can be read.
    fn matches(&self, entity: &Entity, chosen: &str) -> Vec<Choice> {
        let names = |unique: &Unique| unique.fields.iter().map(|field| entity.field(*field).name.as_str()).collect::<Vec<_>>().join(",");
        let labels = |unique: &Unique| unique.fields.iter().map(|field| self.label(entity.field(*field))).collect::<Vec<_>>().join(", ");
        let fits = |unique: &&Unique| unique.fields.iter().all(|field| !entity.field(*field).is_hidden && !entity.field(*field).read_only);
        let none = Choice { label: self.say("import-match-none", &[]), ..Choice::default() };
        let found = entity.uniques.iter().filter(fits).map(|unique| {
            let value = names(unique);
            Choice { selected: value == chosen, value, label: labels(unique), ..Choice::default() }
        });
        std::iter::once(none).chain(found).collect()
    }

    fn import_report(&self, entity: &Entity, report: &Report, is_rehearsal: bool) -> ImportReport {
        let count = |name: &'static str, count: u64| (name, Arg::Count(i64::try_from(count).unwrap_or(i64::MAX)));
        let failed = report.failed.len();
        let counts = [
            count("rows", report.rows),
            count("created", report.created),
            count("updated", report.updated),
            count("unchanged", report.unchanged),
            count("failed", failed as u64),
        ];
        let field = |name: &str| entity.find_field(name).map_or_else(|| name.to_owned(), |field| self.label(field));
        let more = failed.saturating_sub(TOLD);
        let differences = report.differences.iter().take(TOLD);
        ImportReport {
            is_rehearsal,
            summary: self.say(if is_rehearsal { "import-would" } else { "import-did" }, &counts),
            has_failed: failed > 0,
            failures: report.failed.iter().take(TOLD).map(|row| (row.line, self.row_reason(entity, row))).collect(),
            more_failures: if more > 0 { self.say("import-more", &[count("count", more as u64)]) } else { String::new() },
            unused: report.unused.join(", "),
            differences: differences.map(|one| (one.line, field(&one.field), one.kept.clone(), one.found.clone())).collect(),
        }
    }

    /// Why nothing of a row was kept, in the reader's language as far as it is known there.
    fn row_reason(&self, entity: &Entity, row: &FailedRow) -> String {
        let told = row.faults.iter().map(|fault| {
            let head = fault.path.split('/').nth(1).unwrap_or("");
            match entity.find_field(head) {
                Some(field) => {
                    self.say("import-fault", &[("field", Arg::Text(&self.label(field))), ("why", Arg::Text(&self.fault_text(fault)))])
                }
                None => self.fault_text(fault),
            }
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { row.reason.clone() } else { told.join(" ") }
    }

    /// Why a file could not be read at all.
    fn refusal(&self, refused: &Problem) -> String {
        match refused.code {
            "TRF002" => self.say("import-no-column", &[("why", Arg::Text(&refused.detail))]),
            _ => self.say("import-unreadable", &[("why", Arg::Text(&refused.detail))]),
        }
    }
}
