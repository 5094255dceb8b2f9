//! Converting a record: what it becomes is shown with its values, which can be changed, and beside what is there already.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::form_model::{Drawn, read_input, way_out, whole_message};
use super::page::Page;
use super::post::Post;
use super::uniting::last_part;
use crate::base::{FieldIx, RecordId};
use crate::record::{
    Choice, ConvertRequest, ConvertedInto, ErrorKind, FieldFault, Input, Offer, OfferedTarget, RecordError, Source, WriteOptions, parse_id,
};
use crate::render::context::{
    ButtonLink, Choice as RecordChoice, ConvertChoice, ConvertPage, ConvertTarget, ConvertedBanner, ConvertedLink, Crumb, FieldInput,
    FormFault, Stamp,
};
use crate::render::{Arg, FormTexts};
use crate::schema::catalog::{Conversion, ConversionTarget, Entity, Existing, FieldType, Origin};
use crate::web::Problem;

/// What a form brought that was refused.
#[derive(Default)]
struct Asked<'a> {
    post: Option<&'a Post>,
    faults: Vec<FieldFault>,
    message: Option<String>,
    may_save_anyway: bool,
    status: StatusCode,
}

/// `GET /records/{entity}/{id}/convert`: `conversion` names one of several.
pub(super) async fn ask(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    let conversion = page.params.get("conversion").unwrap_or("").to_owned();
    show(&page, &slug, &id_text, &conversion, Asked { status: StatusCode::OK, ..Asked::default() }).await
}

async fn show(page: &Page, slug: &str, id_text: &str, conversion: &str, asked: Asked<'_>) -> Result<Response, Problem> {
    let entity = page.entity(slug)?;
    let id = parse_id(&page.catalog, entity.ix, id_text).ok_or_else(Problem::not_found)?;
    let title = page.titles(std::iter::once(id_text)).await?.remove(id_text).ok_or_else(Problem::not_found)?;
    let href = format!("/records/{slug}/{id_text}");
    let offers = page.state.records.offers(&page.actor, &page.catalog, entity.ix, id).await?;
    let is_asked =
        |offer: &&Offer| (conversion.is_empty() || offer.conversion == conversion) && entity.find_conversion(&offer.conversion).is_some();
    let offered = offers.iter().find(is_asked).and_then(|offer| Some((offer, entity.find_conversion(&offer.conversion)?)));
    // It was converted meanwhile, or is not offered any more: its page says what it is now.
    let Some((offer, known)) = offered else { return Ok(page.go(&href)) };
    let row = page.state.records.get_url(&page.actor, &page.catalog, entity.ix, id, "select=id,version").await?;
    let mut targets = Vec::new();
    for offered in &offer.targets {
        let Some(target) = known.targets.iter().find(|target| target.id == offered.target) else { continue };
        if page.catalog.entity(target.entity).may.is_any() {
            targets.push(page.convert_target(target, offered, offer, &asked).await?);
        }
    }
    let mut faults: Vec<FormFault> = asked.faults.iter().map(|fault| page.convert_fault((entity, href.as_str()), known, fault)).collect();
    if asked.post.is_none() {
        // What is wrong with the record itself cannot be filled in here.
        let own = offer.faults.iter().filter(|fault| !fault.path.starts_with("/targets/"));
        faults.extend(own.map(|fault| page.convert_fault((entity, href.as_str()), known, fault)));
    }
    let label = known.label.get(page.ui.locale).to_owned();
    let version = match asked.post {
        Some(post) if asked.message.is_none() => post.get("_version").to_owned(),
        _ => row.ok_or_else(Problem::not_found)?.version().to_string(),
    };
    let context = ConvertPage {
        shell: page.shell(&label, slug, vec![page.entity_crumb(entity), Crumb { label: title.clone(), href: Some(href.clone()) }]),
        heading: page.say("convert-heading", &[("label", Arg::Text(&label)), ("title", Arg::Text(&title))]),
        action: format!("{href}/convert"),
        conversion: known.id.clone(),
        version,
        idempotency_key: page.empty_form(entity, String::new()).idempotency_key,
        targets,
        faults,
        message: asked.message,
        may_save_anyway: asked.may_save_anyway,
        carries: !known.carry.is_empty(),
        save_label: label,
        cancel_href: href,
    };
    page.html(asked.status, "page/convert", &context)
}

/// `POST /records/{entity}/{id}/convert`
pub(super) async fn convert(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let known = entity.find_conversion(post.get("_conversion")).ok_or_else(Problem::not_found)?;
    let conversion = known.id.clone();
    let (request, faults) = page.convert_request(known, &post);
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if !faults.is_empty() {
        return show(&page, &slug, &id_text, &conversion, Asked { post: Some(&post), faults, status: unprocessable, ..Asked::default() })
            .await;
    }
    let key = post.get("_key");
    let options = WriteOptions {
        if_match: post.get("_version").parse().ok(),
        idempotency_key: (key.len() == 32 && key.is_ascii()).then(|| format!("form-{key}")),
        source: Source::Form,
        allow_duplicates: post.get("_duplicates") == "keep",
        ..WriteOptions::default()
    };
    let error = match page.state.records.convert(&page.actor, &page.catalog, entity.ix, id, request, options).await {
        // Of a record that goes on as it is, what was made is looked at.
        Ok(done) => {
            let made = done.targets.iter().find(|target| known.is_repeated && target.is_new).map(|target| {
                let entity = page.catalog.entity(target.entity);
                format!("/records/{}/{}?done=created", entity.slug, target.record.display(&entity.prefix))
            });
            return Ok(page.go(&made.unwrap_or_else(|| format!("/records/{slug}/{id_text}?done=converted"))));
        }
        Err(error) => error,
    };
    let mut asked = Asked { post: Some(&post), faults: error.faults(), status: unprocessable, ..Asked::default() };
    match &error {
        RecordError::Duplicate { found, .. } => {
            asked.may_save_anyway = found.iter().all(|one| !one.refuses);
            let text = if asked.may_save_anyway { "convert-similar" } else { "duplicate-refused" };
            asked.message = Some(page.say(text, &[]));
            asked.status = StatusCode::CONFLICT;
        }
        RecordError::Stale { .. } => asked.message = Some(page.say("merge-stale", &[])),
        RecordError::Access(refused) => asked.message = Some(refused.to_string()),
        other if asked.faults.is_empty() => match whole_message(&page, other) {
            Some(message) => asked.message = Some(message),
            None => return Err(error.into()),
        },
        _ => {}
    }
    if error.kind() == ErrorKind::Forbidden {
        asked.status = StatusCode::FORBIDDEN;
    }
    show(&page, &slug, &id_text, &conversion, asked).await
}

impl Page {
    /// What a form says of each target, and what of it cannot be read.
    fn convert_request(&self, conversion: &Conversion, post: &Post) -> (ConvertRequest, Vec<FieldFault>) {
        let (mut targets, mut faults) = (Vec::new(), Vec::new());
        for target in &conversion.targets {
            let entity = self.catalog.entity(target.entity);
            let said = post.get(&format!("_use.{}", target.id));
            let no_record = || FieldFault::at(&target.id, "no_record", "names no record").below("/targets");
            let choice = match said {
                "" if !has_values(post, target) => continue,
                "leave" => Choice::Leave,
                "" | "new" => {
                    let (input, found) = read_input(self, entity, &own_pairs(post, target));
                    faults.extend(found.into_iter().map(|fault| fault.below(&format!("/targets/{}", target.id))));
                    Choice::Make(input)
                }
                "other" => match parse_id(&self.catalog, entity.ix, last_part(post.get(&format!("_other.{}", target.id)))) {
                    Some(id) => Choice::Use(id),
                    None => {
                        faults.push(no_record());
                        continue;
                    }
                },
                id => match parse_id(&self.catalog, entity.ix, id) {
                    Some(id) => Choice::Use(id),
                    None => {
                        faults.push(no_record());
                        continue;
                    }
                },
            };
            targets.push((target.id.clone(), choice));
        }
        (ConvertRequest { conversion: conversion.id.clone(), targets }, faults)
    }

    async fn convert_target(
        &self,
        target: &ConversionTarget,
        offered: &OfferedTarget,
        offer: &Offer,
        asked: &Asked<'_>,
    ) -> Result<ConvertTarget, Problem> {
        let entity = self.catalog.entity(target.entity);
        let prefix = format!("{}.", target.id);
        let place = format!("/targets/{}", target.id);
        let own_faults = |faults: &[FieldFault]| -> Vec<FieldFault> {
            let of_it = faults.iter().filter_map(|fault| {
                let path = fault.path.strip_prefix(&place).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
                Some(FieldFault { path: path.to_owned(), ..fault.clone() })
            });
            of_it.collect()
        };
        let faults = own_faults(&asked.faults);
        let input = match asked.post {
            Some(post) => read_input(self, entity, &own_pairs(post, target)).0,
            None => {
                let mut input = Input::new();
                for (field, value) in offered.input.values.iter().filter(|(field, _)| !entity.field(*field).is_hidden) {
                    input.set(*field, value.clone());
                }
                input
            }
        };
        let state = self.state.records.form_state(&self.actor, &self.catalog, target.entity, None, &input).await?;
        // What is given, what is missing, and what was at fault.
        let wanted = own_faults(&offer.faults);
        let named = wanted.iter().chain(&faults).filter_map(|fault| entity.find_field(fault.path.split('/').nth(1)?)).map(|field| field.ix);
        let required = state.fields.iter().filter(|field| field.required && field.value.is_null()).map(|field| field.field);
        let mut asks: Vec<FieldIx> = target.values.iter().map(|value| value.field).chain(required).chain(named).collect();
        asks.sort_unstable();
        asks.dedup();
        // Links between what is made are made by the conversion.
        let is_linked =
            |ix: &FieldIx| target.links.iter().any(|(field, origin)| field == ix && matches!(origin, Origin::Target(_) | Origin::Record));
        asks.retain(|ix| !is_linked(ix) && is_typed_in(entity, *ix));
        let mut texts = FormTexts::default();
        match asked.post {
            Some(post) => post
                .pairs
                .iter()
                .filter(|(name, _)| name.starts_with(&prefix))
                .for_each(|(name, text)| texts.add(name.clone(), text.clone())),
            None => {
                for field in state.fields.iter().filter(|field| asks.contains(&field.field)) {
                    let definition = entity.field(field.field);
                    let json = crate::schema::field_type::to_json(&self.catalog, definition, &field.value);
                    texts.write(definition, &format!("{prefix}{}", definition.name), &json, &self.ui);
                }
            }
        }
        let drawn = Drawn { entity, id: None, texts: &texts, state: &state, faults: &faults, prefix: &prefix };
        let fields = if entity.may.create { self.draw_fields(drawn, &asks).await? } else { Vec::new() };
        let said = asked.post.map(|post| post.get(&format!("_use.{}", target.id)).to_owned()).filter(|said| !said.is_empty());
        let head = self.head(entity);
        let mut choices = Vec::new();
        let similar = self.similar(entity, &offered.similar);
        let found = similar.map(|similar| similar.rows).unwrap_or_default();
        let takes_first = target.existing == Existing::Use && found.len() == 1;
        if entity.may.create {
            let label = self.say("convert-new", &[("entity", Arg::Text(&head.label))]);
            choices.push(ConvertChoice { value: "new".to_owned(), label, ..ConvertChoice::default() });
        }
        for row in found {
            let note = format!("{} · {}", row.why, row.likeness);
            choices.push(ConvertChoice { value: row.id, label: row.title, note, href: row.href, is_chosen: false });
        }
        if target.is_optional {
            choices.push(ConvertChoice { value: "leave".to_owned(), label: self.say("convert-leave", &[]), ..ConvertChoice::default() });
        }
        let names_other = target.existing != Existing::Never;
        let takes_other = said.as_deref() == Some("other");
        let at = choices.iter().position(|choice| Some(choice.value.as_str()) == said.as_deref()).unwrap_or(usize::from(takes_first));
        if let Some(choice) = choices.get_mut(at).filter(|_| !takes_other) {
            choice.is_chosen = true;
        }
        if choices.len() == 1 && !names_other && choices[0].value == "new" {
            choices.clear();
        }
        let rows = offered.input.children.iter().filter(|(field, _)| !entity.field(*field).is_hidden).map(|(field, nested)| {
            let label = self.label(entity.field(*field));
            self.say(
                "convert-rows",
                &[("label", Arg::Text(&label)), ("count", Arg::Count(i64::try_from(nested.items.len()).unwrap_or(i64::MAX)))],
            )
        });
        Ok(ConvertTarget {
            id: target.id.clone(),
            label: target.label.get(self.ui.locale).to_owned(),
            icon: entity.icon.clone(),
            choices,
            other: if names_other { Some(self.other_record(entity, target, asked).await?) } else { None },
            takes_other,
            rows: rows.collect(),
            fields,
            errors: faults.iter().filter(|fault| fault.path.is_empty()).map(|fault| self.fault_text(fault)).collect(),
        })
    }

    /// Where any other record is named.
    async fn other_record(&self, entity: &Entity, target: &ConversionTarget, asked: &Asked<'_>) -> Result<FieldInput, Problem> {
        let name = format!("_other.{}", target.id);
        let id = asked.post.map(|post| last_part(post.get(&name)).to_owned()).unwrap_or_default();
        let choices = match parse_id(&self.catalog, entity.ix, &id) {
            Some(_) => {
                let label = self.titles(std::iter::once(id.as_str())).await?.remove(&id).unwrap_or_else(|| id.clone());
                vec![RecordChoice { value: id, label, selected: true, ..RecordChoice::default() }]
            }
            None => Vec::new(),
        };
        Ok(FieldInput {
            id: format!("f-other-{}", target.id),
            label: self.say("convert-other", &[]),
            widget: "link".to_owned(),
            source: format!("/records/{}/choices", entity.slug),
            choices,
            name,
            ..FieldInput::default()
        })
    }

    /// A fault of the summary on top, led to its control.
    fn convert_fault(&self, (entity, href): (&Entity, &str), conversion: &Conversion, fault: &FieldFault) -> FormFault {
        let mut parts = fault.path.split('/').skip(1);
        let message = self.fault_text(fault);
        let (head, second, third) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next());
        let target = conversion.targets.iter().find(|target| head == "targets" && target.id == second);
        match (target, third) {
            (Some(target), third) => {
                let of = self.catalog.entity(target.entity);
                let name = target.label.get(self.ui.locale);
                match third.and_then(|name| of.find_field(name)) {
                    Some(field) => FormFault {
                        target: format!("f-{}-{}", target.id, field.name),
                        label: format!("{name} · {}", self.label(field)),
                        message,
                        ..FormFault::default()
                    },
                    None => FormFault { target: format!("target-{}", target.id), label: name.to_owned(), message, ..FormFault::default() },
                }
            }
            (None, _) => {
                let label = entity.find_field(second).filter(|_| head == "record").map(|field| self.label(field)).unwrap_or_default();
                FormFault { label, message, way: way_out(fault, href), ..FormFault::default() }
            }
        }
    }

    /// The conversions offered for a record on its page.
    pub(super) fn convert_links(&self, entity: &Entity, href: &str, state: Option<&crate::record::FormState>) -> Vec<ButtonLink> {
        let offered = entity.conversions.iter().filter(|conversion| state.is_some() && self.is_visible(conversion.when.as_ref(), state));
        let link = |conversion: &Conversion| ButtonLink {
            label: conversion.label.get(self.ui.locale).to_owned(),
            href: format!("{href}/convert?conversion={}", conversion.id),
        };
        offered.map(link).collect()
    }

    /// What a record was converted into, for its page.
    pub(super) async fn converted_banner(&self, entity: &Entity, into: &ConvertedInto) -> Result<ConvertedBanner, Problem> {
        let ids: Vec<String> =
            into.targets.iter().map(|target| target.record.display(&self.catalog.entity(target.entity).prefix)).collect();
        let mut titles = self.titles(ids.iter().map(String::as_str)).await?;
        let conversion = entity.find_conversion(&into.conversion);
        let link = |(target, id): (&crate::record::ConvertedTarget, &String)| {
            let of = self.catalog.entity(target.entity);
            let known = conversion.and_then(|conversion| conversion.targets.iter().find(|known| known.id == target.target));
            ConvertedLink {
                label: known.map_or(&of.label, |known| &known.label).get(self.ui.locale).to_owned(),
                href: format!("/records/{}/{id}", of.slug),
                title: titles.remove(id).unwrap_or_else(|| id.clone()),
            }
        };
        let targets = into.targets.iter().zip(&ids).map(link).collect();
        let by = match into.by {
            Some(by) => self.person_name(by).await?,
            None => String::new(),
        };
        Ok(ConvertedBanner { stamp: Stamp::new(into.at, &self.ui, self.messages()), by, targets })
    }

    /// How a record was converted; none where its entity has no conversions.
    pub(super) async fn converted(&self, entity: &Entity, id: RecordId) -> Result<Option<ConvertedInto>, Problem> {
        if self.catalog.whole().entity(entity.ix).conversions.is_empty() {
            return Ok(None);
        }
        Ok(self.state.records.converted_into(&self.actor, &self.catalog, entity.ix, id).await?)
    }
}

/// The controls of a target as its entity names them.
fn own_pairs(post: &Post, target: &ConversionTarget) -> Vec<(String, String)> {
    let prefix = format!("{}.", target.id);
    post.pairs.iter().filter_map(|(name, text)| Some((name.strip_prefix(&prefix)?.to_owned(), text.clone()))).collect()
}

fn has_values(post: &Post, target: &ConversionTarget) -> bool {
    let prefix = format!("{}.", target.id);
    post.pairs.iter().any(|(name, _)| name.starts_with(&prefix))
}

/// What a control of this page can hold.
fn is_typed_in(entity: &Entity, ix: FieldIx) -> bool {
    let field = entity.field(ix);
    let has_control =
        !matches!(field.ty, FieldType::Children { .. } | FieldType::Links { .. } | FieldType::File { .. } | FieldType::Image { .. });
    has_control && !field.read_only && !field.is_hidden && (!field.is_system || field.name == "owner")
}
