//! E-mails: whom a step writes to, and what it says to each of them in their language. Values are those that the rights of the
//! run let be read, looked up outside of the step's transaction; the messages are written down inside of it.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::bridge::Automation;
use super::jobs::ScriptJobs;
use super::steps::About;
use crate::access::Actor;
use crate::base::{EntityIx, Locale, RecordId, Value};
use crate::expr::Typed;
use crate::outbound::mail::{Mailer, is_address};
use crate::query::{Deleted, GetRequest, default_select};
use crate::record::{Delivery, Hindrance, RecordError, RecordTx, Records, survey_token};
use crate::render::mail::{self, Facts, Named, Written};
use crate::render::show::{ShowContext, Titles};
use crate::render::{Messages, Ui};
use crate::schema::catalog::{Catalog, Language, Recipient, Step, Survey, Template};
use crate::schema::field_type;
use crate::store::mails::{self, Content, NewMail};

/// People that one step writes to.
const MOST: usize = 50;

/// How e-mail leaves this workspace.
#[derive(Default)]
pub struct Post {
    /// `None`: no server is named.
    pub mailer: Option<Arc<Mailer>>,
    /// Without a server e-mails are written down all the same, as from this domain: tests look at them.
    kept_for: Option<String>,
    /// Where people find this workspace, without a slash at the end.
    public_url: String,
    messages: OnceLock<Messages>,
}

impl Post {
    pub fn new(mailer: Option<Arc<Mailer>>, public_url: String) -> Self {
        Self { mailer, public_url, ..Self::default() }
    }

    /// E-mails are written down, and never go out.
    pub fn kept(domain: &str) -> Self {
        Self { kept_for: Some(domain.to_owned()), public_url: format!("https://{domain}"), ..Self::default() }
    }

    /// What stands behind the `@` of a `Message-ID`; `None` where nothing can be written.
    fn domain(&self) -> Option<&str> {
        self.mailer.as_ref().map(|mailer| mailer.domain()).or(self.kept_for.as_deref())
    }

    /// The same for another workspace: it writes the same letters.
    pub fn again(&self) -> Self {
        Self { kept_for: self.kept_for.clone(), ..Self::new(self.mailer.clone(), self.public_url.clone()) }
    }

    fn messages(&self) -> &Messages {
        self.messages.get_or_init(Messages::new)
    }

    /// A message of the program.
    pub(super) fn say(&self, locale: Locale, key: &str) -> String {
        self.messages().text(locale, key, &[])
    }
}

/// Whom a step writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addressee {
    /// A person of this workspace.
    person: Option<RecordId>,
    /// Empty where it is a person's.
    address: String,
    holder: Option<RecordId>,
    locale: Locale,
}

/// What a step says to everybody, made before it is done.
#[derive(Debug, Clone)]
pub(super) struct Letters {
    step: String,
    letters: Vec<(NewMail, Option<Invitation>)>,
    /// Whose rights invitations to a survey are made with.
    identity: Option<Actor>,
    /// Who has no address, or may not sign in any more.
    left_out: usize,
}

/// The invitation to a survey that a letter has the link of.
#[derive(Debug, Clone, Copy)]
struct Invitation {
    answer: RecordId,
    locale: Locale,
}

/// What a step has written: in which step, from which template, and the survey it invites to.
#[derive(Debug, Clone)]
pub(super) struct Writing {
    pub step: String,
    pub template: String,
    pub survey: Option<String>,
}

impl Letters {
    pub fn are_of(&self, step: &Step) -> bool {
        self.step == step.id
    }
}

/// Whom a step writes to, each of them once.
pub(super) async fn addressees(
    tx: &mut RecordTx<'_>,
    to: &[Recipient],
    language: &Language,
    about: &About<'_>,
) -> Result<Vec<Addressee>, RecordError> {
    let usual = tx.catalog().settings.locale;
    let locale = match language {
        Language::Usual => usual,
        Language::Fixed(locale) => *locale,
        Language::Expr(expr) => {
            let given = tx.value(expr, about.record, about.old).await?;
            given.as_text().and_then(Locale::from_tag).unwrap_or(usual)
        }
    };
    let mut found: Vec<Addressee> = Vec::new();
    for recipient in to {
        let one = match recipient {
            Recipient::Address(address) => Addressee { person: None, address: address.clone(), holder: None, locale },
            Recipient::Expr { value, holder } => {
                let holder = match holder {
                    Some(holder) => link(tx.value(holder, about.record, about.old).await?),
                    None => None,
                };
                match tx.value(value, about.record, about.old).await? {
                    Value::Link(person) => Addressee { person: Some(person), address: String::new(), holder: Some(person), locale },
                    Value::Text(address) if !address.trim().is_empty() => {
                        Addressee { person: None, address: address.trim().to_owned(), holder, locale }
                    }
                    _ => continue,
                }
            }
        };
        if !found.iter().any(|known| known.person == one.person && known.address.eq_ignore_ascii_case(&one.address)) {
            found.push(one);
        }
    }
    if found.len() > MOST {
        let what = "people that one step writes to".to_owned();
        return Err(RecordError::TooMany { what, got: found.len() as u64, limit: MOST as u64 });
    }
    Ok(found)
}

fn link(value: Value) -> Option<RecordId> {
    match value {
        Value::Link(id) => Some(id),
        _ => None,
    }
}

/// Writes the messages down; they go out after the commit. Gives what the log says of it: neither addresses nor names.
pub(super) async fn send(
    tx: &mut RecordTx<'_>,
    step: &Step,
    template: &str,
    letters: &Letters,
    about: &About<'_>,
) -> Result<(Json, Json), RecordError> {
    let mut queued = Vec::new();
    for (letter, _) in &letters.letters {
        queued.push(queue(tx, step, letter, about).await?);
    }
    Ok((json!({ "template": template }), json!({ "queued": queued, "left_out": letters.left_out })))
}

fn survey_of<'c>(catalog: &'c Catalog, survey: &str) -> Result<&'c Survey, RecordError> {
    let missing = || RecordError::State { message: format!("there is no survey `{survey}`") };
    catalog.surveys.iter().find(|known| known.id == survey).ok_or_else(missing)
}

/// Whether a step asks anybody: before letters are written, and once more by [`ask`] when they are.
pub(super) async fn may_ask(tx: &mut RecordTx<'_>, survey: &str, about: &About<'_>) -> Result<bool, RecordError> {
    let catalog = tx.catalog().clone();
    Ok(tx.hindrance(survey_of(&catalog, survey)?, about.record).await?.is_none())
}

pub(super) fn unwritten() -> RecordError {
    RecordError::State { message: "the e-mail is not written".to_owned() }
}

/// Makes an invitation to a survey for each letter and writes the letter down, likewise. Nobody is asked where something is in the way.
pub(super) async fn ask(
    tx: &mut RecordTx<'_>,
    step: &Step,
    (survey, template): (&str, &str),
    letters: Option<&Letters>,
    about: &About<'_>,
) -> Result<(Json, Json), RecordError> {
    let catalog = tx.catalog().clone();
    let known = survey_of(&catalog, survey)?;
    let input = json!({ "survey": survey, "template": template });
    let why = match tx.hindrance(known, about.record).await? {
        None => None,
        Some(Hindrance::Condition) => Some("the survey's `when` does not hold".to_owned()),
        Some(Hindrance::Lately { until }) => Some(format!("they were asked lately, and are not asked again before {until}")),
    };
    if let Some(why) = why {
        return Ok((input, json!({ "asked": [], "queued": [], "not_asked": why })));
    }
    let letters = letters.ok_or_else(unwritten)?;
    let prefix = &catalog.entity(known.answers).prefix;
    let (mut queued, mut asked) = (Vec::new(), Vec::new());
    for (letter, invitation) in &letters.letters {
        let (Some(invitation), Some(identity)) = (invitation, &letters.identity) else { continue };
        let made = tx.invite(known, about.record, (invitation.answer, invitation.locale), identity).await?;
        asked.push(made.answer.display(prefix));
        queued.push(queue(tx, step, letter, about).await?);
    }
    let output = json!({ "asked": asked, "queued": queued, "left_out": letters.left_out });
    Ok((input, output))
}

async fn queue(tx: &mut RecordTx<'_>, step: &Step, letter: &NewMail, about: &About<'_>) -> Result<String, RecordError> {
    let new = NewMail { step: Some((about.run, step.id.clone())), ..letter.clone() };
    Ok(mails::add(tx.store(), &new).await?.to_string())
}

impl ScriptJobs {
    /// What a step says to these people.
    pub(super) async fn letters(
        &self,
        actor: &Actor,
        delivery: &Delivery,
        name: &str,
        Writing { step, template, survey }: Writing,
        to: Vec<Addressee>,
    ) -> Result<Letters, RecordError> {
        let catalog = self.records.catalog();
        let unknown = || RecordError::UnknownEntity { name: delivery.entity.clone(), near: None };
        let entity = catalog.find_entity(&delivery.entity).ok_or_else(unknown)?.ix;
        let survey = survey.and_then(|id| catalog.surveys.iter().find(|known| known.id == id));
        let identity = survey.map(|survey| self.records.actor_with(&survey.run_as));
        let mut letters = Letters { step, letters: Vec::new(), identity, left_out: 0 };
        for one in to {
            let answer = survey.map(|_| self.records.mint());
            let token = answer.and_then(|answer| survey_token(&catalog, answer)).unwrap_or_default();
            let Some((reader, written)) =
                self.automation.written_to(&self.records, actor, &catalog, (&template, &token), (entity, delivery.id), &one).await?
            else {
                letters.left_out += 1;
                continue;
            };
            let domain = self.automation.post.domain().ok_or_else(no_server)?;
            let invitation = answer.map(|answer| Invitation { answer, locale: reader.locale });
            let letter = NewMail {
                domain: domain.to_owned(),
                source: name.to_owned(),
                template: Some(template.clone()),
                about: Some((catalog.entity(entity).uid.clone(), delivery.id.0)),
                holder: one.holder.map(|holder| holder.0),
                content: content(reader, written),
                ..NewMail::default()
            };
            letters.letters.push((letter, invitation));
        }
        Ok(letters)
    }
}

fn no_server() -> RecordError {
    RecordError::State { message: "no mail server is named (`mail_host` in the configuration)".to_owned() }
}

fn content(reader: Reader, written: Written) -> Content {
    Content { name: reader.name, address: reader.address, subject: written.subject, text: written.text, html: written.html }
}

/// Somebody who reads an e-mail.
struct Reader {
    name: String,
    address: String,
    locale: Locale,
    zone: TimeZone,
}

impl Automation {
    /// `None`: they cannot be written to.
    async fn written_to(
        &self,
        records: &Records,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        (template, token): (&str, &str),
        about: (EntityIx, RecordId),
        to: &Addressee,
    ) -> Result<Option<(Reader, Written)>, RecordError> {
        let reader = match to.person {
            Some(person) => reader_of(records, catalog, person).await?,
            None => Some(Reader {
                name: String::new(),
                address: to.address.clone(),
                locale: to.locale,
                zone: catalog.settings.time_zone.clone(),
            }),
        };
        let Some(reader) = reader.filter(|reader| is_address(&reader.address)) else { return Ok(None) };
        let missing = || RecordError::State { message: format!("there is no template `{template}`") };
        let template = catalog.templates.iter().find(|known| known.id == template).ok_or_else(missing)?;
        let written = self.write_mail(records, actor, catalog, (template, token), about, &reader).await?;
        Ok(Some((reader, written)))
    }

    /// What a template says about a record in a language, with what `actor` may read: for looking at it.
    ///
    /// # Errors
    /// `REC002` for a record that is not there, `REC013` where the template does not fit the values.
    pub async fn preview_mail(
        &self,
        records: &Records,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        template: &Template,
        record: RecordId,
        locale: Locale,
    ) -> Result<Written, RecordError> {
        let reader = Reader { name: String::new(), address: String::new(), locale, zone: catalog.settings.time_zone.clone() };
        self.write_mail(records, actor, catalog, (template, "preview"), (template.entity, record), &reader).await
    }

    async fn write_mail(
        &self,
        records: &Records,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        (template, token): (&Template, &str),
        (entity, id): (EntityIx, RecordId),
        reader: &Reader,
    ) -> Result<Written, RecordError> {
        let definition = catalog.entity(entity);
        let shown_id = id.display(&definition.prefix);
        let broken = |message: String| RecordError::State { message: format!("the template `{}`: {message}", template.id) };
        let named = mail::needs(catalog, template)
            .map_err(|faults| broken(faults.first().map(|fault| fault.message.clone()).unwrap_or_default()))?;
        let wanted: Vec<Typed> = named.iter().map(|one| one.typed.clone()).collect();
        let values = records.values_told(actor, catalog, entity, id, &wanted).await?;
        let values = values.ok_or_else(|| RecordError::NotFound { entity: definition.slug.clone(), id: shown_id.clone() })?;
        let titles = titles(records, actor, catalog, entity, &named, &values).await?;
        let messages = self.post.messages();
        let ui = Ui { locale: reader.locale, zone: reader.zone.clone(), now: records.clock().now() };
        let context = ShowContext { catalog, ui: &ui, messages, titles: &titles };
        let texts: Vec<(String, String)> =
            named.iter().zip(&values).map(|(one, value)| (one.name.clone(), mail::text(context, entity, &one.typed, value))).collect();
        let link = format!("{}/records/{}/{shown_id}", self.post.public_url, definition.slug);
        let survey_link = if token.is_empty() { String::new() } else { format!("{}/survey/{token}", self.post.public_url) };
        let facts = Facts { recipient: &reader.name, link: &link, workspace: &catalog.settings.name, survey_link: &survey_link };
        mail::write(template, reader.locale, facts, &texts).map_err(broken)
    }
}

/// A person as they are written to; `None` for somebody who may not sign in.
async fn reader_of(records: &Records, catalog: &Arc<Catalog>, person: RecordId) -> Result<Option<Reader>, RecordError> {
    let Some(people) = catalog.find_entity("core.user") else { return Ok(None) };
    if records.actor_of(person).await?.is_none() {
        return Ok(None);
    }
    let request = GetRequest { entity: people.ix, id: person, select: default_select(people), deleted: Deleted::Live };
    let Some(row) = records.get(&Actor::system(), catalog, request).await? else { return Ok(None) };
    let text = |name: &str| people.find_field(name).and_then(|field| row.value(field.ix).as_text().map(str::to_owned)).unwrap_or_default();
    Ok(Some(Reader {
        name: text("name"),
        address: text("email"),
        locale: Locale::from_tag(&text("locale")).unwrap_or(catalog.settings.locale),
        zone: TimeZone::get(&text("time_zone")).unwrap_or_else(|_| catalog.settings.time_zone.clone()),
    }))
}

/// Titles of the records that values lead to, as far as `actor` may read them.
async fn titles(
    records: &Records,
    actor: &Actor,
    catalog: &Arc<Catalog>,
    entity: EntityIx,
    named: &[Named],
    values: &[Value],
) -> Result<Titles, RecordError> {
    let mut wanted: HashMap<String, (EntityIx, RecordId)> = HashMap::new();
    for (one, value) in named.iter().zip(values) {
        for text in ids_in(catalog, entity, &one.typed, value) {
            if let Some((prefix, id)) = RecordId::parse(&text)
                && let Some(entity) = catalog.by_prefix.get(prefix)
            {
                wanted.insert(text.clone(), (*entity, id));
            }
        }
    }
    if wanted.is_empty() {
        return Ok(Titles::new());
    }
    let ids: Vec<(EntityIx, RecordId)> = wanted.values().copied().collect();
    let found = records.titles(actor, &ids).await?;
    Ok(wanted.into_iter().filter_map(|(text, (_, id))| Some((text, found.get(&id)?.clone()))).collect())
}

/// Ids of records in a value, as the API writes them.
fn ids_in(catalog: &Catalog, entity: EntityIx, typed: &Typed, value: &Value) -> Vec<String> {
    use crate::expr::{Node, Path, Type};
    match (&typed.node, &typed.ty, value) {
        (Node::Path(Path { hops, field, part: None, .. }), Type::Json, value) => {
            let entity = hops.last().map_or(entity, |hop| hop.to);
            match field_type::to_json(catalog, catalog.entity(entity).field(*field), value) {
                Json::String(text) => vec![text],
                Json::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
                _ => Vec::new(),
            }
        }
        (_, Type::Link(entities), Value::Link(id)) => entities.iter().map(|entity| id.display(&catalog.entity(*entity).prefix)).collect(),
        _ => Vec::new(),
    }
}
