//! Reading for whoever asks: pages, single records, groups. What is shown is authorised before and noted afterwards.

use std::sync::Arc;

use serde_json::Value as Json;

use super::error::RecordError;
use super::row::{Page, Row};
use super::sealing::{Reader, open_rows};
use super::service::Records;
use crate::access::{Actor, Authorised, authorise_aggregate, authorise_export, authorise_get, authorise_list};
use crate::base::{EntityIx, RecordId};
use crate::query::{AggregateRequest, GetRequest, ListRequest, Select};
use crate::schema::catalog::Catalog;
use crate::store::Statement;
use crate::store::compile::{self, RowPlan, RowSet, Source as From};

impl Records {
    /// A page. Runs one statement for each level of the selection (and one for the count); see [`compile`].
    ///
    /// `catalog` is the one the request was parsed with.
    pub async fn list(&self, actor: &Actor, catalog: &Arc<Catalog>, request: ListRequest) -> Result<Page, RecordError> {
        let catalog = &catalog.whole();
        self.authorised_page(actor, catalog, authorise_list(catalog, actor, request)?).await
    }

    /// [`Records::list`] for taking records out: only those that may be exported.
    ///
    /// # Errors
    /// As [`Records::list`]; `ACL005` where no role lets records of the entity be exported.
    pub async fn export(&self, actor: &Actor, catalog: &Arc<Catalog>, request: ListRequest) -> Result<Page, RecordError> {
        let catalog = &catalog.whole();
        self.authorised_page(actor, catalog, authorise_export(catalog, actor, request)?).await
    }

    /// [`Records::list`] for the parameters of a URL: what was asked before is not parsed and compiled again.
    pub async fn list_url(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, query: &str) -> Result<Page, RecordError> {
        let (request, plan) = {
            let context = self.context(catalog, actor);
            self.plans().list(&catalog.whole(), self.store().dialect(), self.cursor_key(), actor, entity, query, &context)?
        };
        let page = compile::fetch_list_at(&mut From::Store(self.store()), &plan, self.cursor_key()).await?;
        self.shown_page(actor, catalog, &request, page).await
    }

    async fn authorised_page(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        authorised: Authorised<ListRequest>,
    ) -> Result<Page, RecordError> {
        let plan = compile::list(catalog, self.store().dialect(), &authorised, &self.context(catalog, actor));
        let page = compile::fetch_list(&mut From::Store(self.store()), &plan, self.cursor_key()).await?;
        self.shown_page(actor, catalog, authorised.request(), page).await
    }

    /// A page, noted as shown.
    async fn shown_page(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        request: &ListRequest,
        mut page: compile::Page,
    ) -> Result<Page, RecordError> {
        open_rows(&mut From::Store(self.store()), &mut page.rows, Reader::Person).await?;
        let compiled = self.compiled(&catalog.whole());
        self.witness_list(actor, &compiled, request).await?;
        self.witness(actor, &compiled, &page.rows).await?;
        Ok(Page::of(page))
    }

    /// One record; `None` where there is none (or it is not to be read). One statement, and one for each to-many expansion.
    pub async fn get(&self, actor: &Actor, catalog: &Arc<Catalog>, request: GetRequest) -> Result<Option<Row>, RecordError> {
        let (entity, id) = (request.entity, request.id);
        let catalog = &catalog.whole();
        let authorised = authorise_get(catalog, actor, request)?;
        let plan = compile::get(catalog, self.store().dialect(), &authorised, &self.context(catalog, actor));
        self.fetch_one(actor, catalog, entity, (&plan.statement(id), &plan.rows, &plan.select)).await
    }

    /// [`Records::get`] for the parameters of a URL (`select`, `deleted`).
    pub async fn get_url(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        query: &str,
    ) -> Result<Option<Row>, RecordError> {
        let plan = self.get_plan(actor, catalog, entity, id, query)?;
        self.fetch_one(actor, catalog, entity, (&plan.statement(id), plan.rows(), plan.select())).await
    }

    /// How one record is read for the parameters of a URL.
    pub(super) fn get_plan(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        query: &str,
    ) -> Result<compile::At<compile::GetPlan>, RecordError> {
        let context = self.context(catalog, actor);
        Ok(self.plans().get(&catalog.whole(), self.store().dialect(), actor, entity, id, query, &context)?)
    }

    async fn fetch_one(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        (statement, rows, select): (&Statement, &Arc<RowPlan>, &Select),
    ) -> Result<Option<Row>, RecordError> {
        let mut source = From::Store(self.store());
        let mut set = compile::fetch_rows(&mut source, statement, rows).await?;
        if set.is_empty() {
            return Ok(None);
        }
        open_rows(&mut source, &mut set, Reader::Person).await?;
        Ok(Some(self.shown(actor, catalog, entity, select, set).await?))
    }

    /// The one record of a set, noted as shown.
    pub(super) async fn shown(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        select: &Select,
        set: RowSet,
    ) -> Result<Row, RecordError> {
        let compiled = self.compiled(&catalog.whole());
        self.witness_select(actor, &compiled, select).await?;
        self.witness(actor, &compiled, &set).await?;
        let version = catalog.entity(entity).find_field("version").map(|field| field.ix);
        let version = version.and_then(|field| set.row(0)?.value(field)?.as_int()).unwrap_or(0);
        Ok(Row { set, version })
    }

    /// Groups and measures: one JSON object a row, by output name.
    pub async fn aggregate(&self, actor: &Actor, catalog: &Arc<Catalog>, request: AggregateRequest) -> Result<Vec<Json>, RecordError> {
        let catalog = &catalog.whole();
        let authorised = authorise_aggregate(catalog, actor, request)?;
        let plan = compile::aggregate(catalog, self.store().dialect(), &authorised, &self.context(catalog, actor));
        let (rows, _) = compile::fetch_aggregate(&mut From::Store(self.store()), &plan).await?;
        self.witness_groups(actor, &self.compiled(catalog), authorised.request(), rows.len()).await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            let mut object = serde_json::Map::new();
            for column in plan.columns.iter() {
                let mut text = String::new();
                compile::json::write_value(&column.codec, row.get(column.at..).unwrap_or_default(), &mut text);
                object.insert(column.name.clone(), crate::base::json::parse(text.as_bytes()).unwrap_or(Json::Null));
            }
            out.push(Json::Object(object));
        }
        Ok(out)
    }
}
