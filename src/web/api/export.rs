//! Taking records out as a file: every record a list finds, page after page, as far as it may be read and exported.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::mpsc;

use super::head::EntityHead;
use crate::access::entities_of_list;
use crate::base::Value;
use crate::query::{self, ListRequest, Params};
use crate::record::{Page, RecordError, RowRef};
use crate::schema::catalog::{Catalog, FieldType};
use crate::schema::field_type;
use crate::store::StoreError;
use crate::store::audit::{self, Entry};
use crate::store::compile::{Output, What};
use crate::web::Problem;

/// Records of one statement.
const AT_ONCE: &str = "500";
/// Pieces that wait for a slow reader.
const WAITING: usize = 2;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Names of fields, then a line for each record with values as people read them.
    Csv,
    /// A JSON object a line, as the API gives them.
    Lines,
}

/// `GET /records/{entity}/export`
pub(super) async fn export(head: EntityHead) -> Result<Response, Problem> {
    let params = head.params(&["filter", "select", "sort", "q", "deleted", "format"])?;
    let format = match params.get("format") {
        None | Some("csv") => Format::Csv,
        Some("jsonl") => Format::Lines,
        Some(_) => {
            return Err(Problem::new("QRY003", "`format` must be `csv` or `jsonl`").with_fault(
                "format",
                "QRY003",
                "must be `csv` or `jsonl`",
                json!({}),
            ));
        }
    };
    let mut asked = Params(params.0.iter().filter(|(name, _)| name != "format").cloned().collect());
    asked.0.push(("limit".to_owned(), AT_ONCE.to_owned()));
    let request = parse(&head, &asked, None)?;
    head.requester.may_read(&head.catalog, entities_of_list(&head.catalog, &request))?;
    let first = head.state.records.export(&head.actor, &head.catalog, request).await?;
    let entity = head.entity();
    let word = if format == Format::Csv { "csv" } else { "jsonl" };
    let entry = Entry::new("records.export")
        .of(&entity.id)
        .fact("format", word)
        .fact("filtered", asked.get("filter").is_some() || asked.get("q").is_some());
    audit::note(head.state.records.store(), entry).await.map_err(failed)?;
    let kind = if format == Format::Csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" };
    let name = format!("attachment; filename=\"{}.{word}\"", entity.slug);
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(Writer { head, asked, format, sender }.run(first));
    let mut response = Response::new(Body::new(Pieces(receiver)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn parse(head: &EntityHead, asked: &Params, cursor: Option<&str>) -> Result<ListRequest, Problem> {
    let mut params = Params(asked.0.clone());
    params.0.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor.to_owned())));
    Ok(query::parse_list(&head.catalog, head.state.records.cursor_key(), head.entity().ix, &params)?)
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}

/// Writes page after page while somebody reads.
struct Writer {
    head: EntityHead,
    asked: Params,
    format: Format,
    sender: mpsc::Sender<Result<Bytes, Cut>>,
}

impl Writer {
    async fn run(self, first: Page) {
        let mut page = first;
        let mut text = String::new();
        if self.format == Format::Csv {
            // Spreadsheets take a file for UTF-8 by this mark alone.
            text.push('\u{feff}');
            let names: Vec<String> = page.rows.plan.shape.outputs.iter().map(|output| output.name.clone()).collect();
            line(&mut text, names.into_iter());
        }
        loop {
            let whole = self.head.catalog.whole();
            for row in page.iter() {
                self.write(&whole, &row, &mut text);
            }
            if self.sender.send(Ok(std::mem::take(&mut text).into())).await.is_err() {
                return;
            }
            let Some(cursor) = page.next_cursor.take() else { return };
            let next = match parse(&self.head, &self.asked, Some(&cursor)) {
                Ok(request) => self.head.state.records.export(&self.head.actor, &self.head.catalog, request).await.map_err(Problem::from),
                Err(problem) => Err(problem),
            };
            match next {
                Ok(next) => page = next,
                Err(problem) => {
                    tracing::warn!(code = problem.code, "an export could not be finished");
                    // A file that ends early must not look whole.
                    let _ = self.sender.send(Err(Cut)).await;
                    return;
                }
            }
        }
    }

    fn write(&self, catalog: &Arc<Catalog>, row: &RowRef<'_>, text: &mut String) {
        if self.format == Format::Lines {
            row.write_json(text);
            text.push('\n');
            return;
        }
        line(text, row.shape().outputs.iter().map(|output| self.cell(catalog, row, output)));
    }

    /// A value as people read it; of links the titles that were selected, else the ids.
    fn cell(&self, catalog: &Arc<Catalog>, row: &RowRef<'_>, output: &Output) -> String {
        let title = |row: RowRef<'_>| row.title().unwrap_or_else(|| row.id().display(&row.shape().prefix));
        match &output.what {
            What::Title(_) => row.title().unwrap_or_default(),
            What::One { field, .. } => row.one(*field).map(title).unwrap_or_default(),
            What::Many { field, .. } => row.many(*field).map(title).collect::<Vec<_>>().join("; "),
            What::Value { field, .. } => {
                let field = catalog.entity(row.shape().entity).field(*field);
                let value = row.value_of(output);
                let shown = field_type::to_text(catalog, field, &value, self.head.requester.locale, &self.head.actor.time_zone);
                // A text that a spreadsheet would take for a formula is kept a text.
                let is_free = matches!(value, Value::Text(_)) && !matches!(field.ty, FieldType::Phone);
                if is_free && shown.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{shown}") } else { shown }
            }
            What::Own { .. } => String::new(),
        }
    }
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (position, cell) in cells.enumerate() {
        if position > 0 {
            text.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

/// The answer could not be finished: the connection is cut, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
#[error("the export could not be finished")]
struct Cut;

/// The answer's body.
struct Pieces(mpsc::Receiver<Result<Bytes, Cut>>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
