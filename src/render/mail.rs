//! E-mails from templates: what their texts need, and what they say to one person in their language. A text gets values as
//! people read them, nothing else; in HTML they are escaped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use minijinja::value::Object;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value};

use super::format;
use super::show::{ShowContext, show};
use crate::base::{EntityIx, Labels, Locale, Value as Cell};
use crate::expr::{self, Expected, Hop, Node, Path, Root, Type, Typed};
use crate::schema::catalog::{Catalog, Field, FieldType, Template};
use crate::schema::diagnostic::nearest;
use crate::schema::field_type;
use crate::schema::scope::CatalogScope;

/// What every text may name beside the record's own fields: who is written to, the address of the record's page, the workspace,
/// and, where a survey is sent, its link.
pub const OWN: [&str; 4] = ["recipient", "link", "workspace", "survey_link"];
/// What the language of templates brings.
const FUNCTIONS: [&str; 4] = ["range", "dict", "namespace", "loop"];
/// Instructions one text may take, and its longest result.
const FUEL: u64 = 1_000_000;
const LONGEST: usize = 256 * 1024;
/// Longest subject, characters.
const LONGEST_SUBJECT: usize = 250;

/// A value that texts of a template name.
#[derive(Debug, Clone)]
pub struct Named {
    /// `account.name`.
    pub name: String,
    pub typed: Typed,
}

/// A fault of a template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFault {
    pub code: &'static str,
    /// Uid of the template; `subject`, `text` or `html`; the language.
    pub template: String,
    pub part: &'static str,
    pub language: String,
    /// Line of the text, from 1.
    pub line: u32,
    pub message: String,
    pub hint: Option<String>,
}

/// An e-mail as one person gets it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Written {
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

/// It says something of somebody.
impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written(…)")
    }
}

/// What the texts of a template need, in all languages.
///
/// # Errors
/// All faults: what cannot be read, names that are not known.
pub fn needs(catalog: &Catalog, template: &Template) -> Result<Vec<Named>, Vec<TextFault>> {
    let (mut found, mut faults): (BTreeMap<String, Typed>, Vec<TextFault>) = (BTreeMap::new(), Vec::new());
    let environment = environment();
    for (part, texts) in template.texts() {
        for (language, source) in &texts.0 {
            let fault = |code, line, message: String, hint| TextFault {
                code,
                template: template.uid.clone(),
                part,
                language: language.clone(),
                line,
                message,
                hint,
            };
            let names = match environment.template_from_named_str(file_of(part), source) {
                Ok(read) => read.undeclared_variables(true),
                Err(error) => {
                    let hint = Some("values are written `{{ name }}`, conditions `{% if name %}…{% endif %}`".to_owned());
                    faults.push(fault("DEF463", line_of(&error), told(&error), hint));
                    continue;
                }
            };
            let mut is_sound = true;
            for name in names.iter().collect::<BTreeSet<_>>() {
                if is_own(name) || found.contains_key(name.as_str()) {
                    continue;
                }
                match value(catalog, template, name) {
                    Ok(typed) => {
                        found.insert(name.clone(), typed);
                    }
                    Err((message, hint)) => {
                        is_sound = false;
                        let line = source.lines().position(|line| line.contains(name.as_str())).unwrap_or(0) + 1;
                        faults.push(fault("DEF464", u32::try_from(line).unwrap_or(1), message, hint));
                    }
                }
            }
            // What no reading finds: filters and other texts that are not there.
            let named = || names.iter().filter(|name| !FUNCTIONS.contains(&name.as_str()));
            let shown: Vec<(String, String)> = named().map(|name| (name.clone(), "1".to_owned())).collect();
            for values in [shown.as_slice(), &[]].into_iter().filter(|_| is_sound) {
                if let Err(error) = fill(&environment, part, source, named(), values) {
                    faults.push(fault(
                        "DEF463",
                        line_of(&error),
                        told(&error),
                        Some("values are texts here, as people read them".to_owned()),
                    ));
                    break;
                }
            }
        }
    }
    if faults.is_empty() { Ok(found.into_iter().map(|(name, typed)| Named { name, typed }).collect()) } else { Err(faults) }
}

fn is_own(name: &str) -> bool {
    OWN.contains(&name) || FUNCTIONS.contains(&name)
}

/// What a name stands for: a value of the template, a field of the record, a field over links, a part of one.
fn value(catalog: &Catalog, template: &Template, name: &str) -> Result<Typed, (String, Option<String>)> {
    if let Some((_, typed)) = template.values.iter().find(|(known, _)| known == name) {
        return Ok(typed.clone());
    }
    if let Some((hops, field)) = reached(catalog, template.entity, name) {
        let why = match &field.ty {
            FieldType::Children { .. } => Some("is a list of records"),
            _ if field.encrypted || field.is_secret() => Some("is kept secret"),
            _ => None,
        };
        if let Some(why) = why {
            return Err((format!("`{name}` {why}: it cannot be written in an e-mail"), Some("name another field".to_owned())));
        }
        let path = Path { root: Root::Record, hops, field: field.ix, part: None };
        return Ok(Typed::new(Type::Json, Node::Path(path), 0..0));
    }
    expr::compile(name, &CatalogScope::new(catalog), template.entity, &Expected::Any).map_err(|_| {
        let fields = catalog.entity(template.entity).fields.iter().map(|field| field.name.as_str());
        let known = fields.chain(template.values.iter().map(|(name, _)| name.as_str())).chain(OWN);
        let near = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        let hint = near.unwrap_or_else(|| format!("it is neither a field, nor one of `values`, nor one of {}", OWN.join(", ")));
        (format!("`{}` has no field `{name}`", catalog.entity(template.entity).id), Some(hint))
    })
}

/// The field at the end of names with dots between them, where all before it lead to one record.
fn reached<'c>(catalog: &'c Catalog, entity: EntityIx, name: &str) -> Option<(Vec<Hop>, &'c Field)> {
    let mut hops = Vec::new();
    let mut at = entity;
    let mut parts = name.split('.').peekable();
    loop {
        let field = catalog.entity(at).find_field(parts.next()?)?;
        if parts.peek().is_none() {
            return Some((hops, field));
        }
        let (FieldType::Link { to, .. } | FieldType::User { to, .. }) = &field.ty else { return None };
        hops.push(Hop { field: field.ix, to: *to });
        at = *to;
    }
}

/// A value as people read it.
pub fn text(context: ShowContext<'_>, entity: EntityIx, typed: &Typed, value: &Cell) -> String {
    let (catalog, locale) = (context.catalog, context.ui.locale);
    if let (Node::Path(Path { hops, field, part: None, .. }), Type::Json) = (&typed.node, &typed.ty) {
        let entity = hops.last().map_or(entity, |hop| hop.to);
        let field = catalog.entity(entity).field(*field);
        // Plain text of what people format.
        let json = field_type::to_json(catalog, field, value);
        match (&field.ty, value) {
            (FieldType::Boolean, Cell::Bool(false)) => return String::new(),
            (FieldType::RichText { .. }, Cell::Text(html)) => return plain(html),
            _ => {}
        }
        let shown = show(context, field, &json);
        return if shown.text.is_empty() {
            shown.items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>().join(", ")
        } else {
            shown.text
        };
    }
    match value {
        Cell::Int(number) => format::integer(*number),
        Cell::Decimal(number) => format::decimal(*number),
        Cell::Money(money) => format::money(money.amount, money.currency, locale),
        Cell::Text(text) => text.clone(),
        Cell::Bool(is) => if *is { "1" } else { "" }.to_owned(),
        Cell::Date(date) => format::date(*date, locale),
        Cell::DateTime(at) => format::datetime(*at, context.ui),
        Cell::Time(time) => format::time(*time),
        Cell::Link(id) => match &typed.ty {
            Type::Link(entities) => {
                let shown = entities.iter().map(|entity| id.display(&catalog.entity(*entity).prefix));
                shown.into_iter().find_map(|id| context.titles.get(&id).cloned()).unwrap_or_default()
            }
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// The text of HTML.
fn plain(html: &str) -> String {
    let text = ammonia::Builder::empty().clean(html).to_string();
    [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .into_iter()
        .fold(text, |text, (written, read)| text.replace(written, read))
}

/// What everybody's e-mails have in them.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Name of who is written to; empty where it is not known.
    pub recipient: &'a str,
    /// Address of the record's page.
    pub link: &'a str,
    pub workspace: &'a str,
    /// Address of the page on which a survey is answered; empty where none is sent.
    pub survey_link: &'a str,
}

/// Writes an e-mail in a language with values as texts, by their names.
///
/// # Errors
/// What went wrong, without any value.
pub fn write(template: &Template, locale: Locale, facts: Facts<'_>, values: &[(String, String)]) -> Result<Written, String> {
    let environment = environment();
    let mut values = values.to_vec();
    values.extend(
        [("recipient", facts.recipient), ("link", facts.link), ("workspace", facts.workspace), ("survey_link", facts.survey_link)]
            .map(|(name, text)| (name.to_owned(), text.to_owned())),
    );
    let one = |part: &'static str, texts: &Labels| {
        let filled =
            fill(&environment, part, texts.get(locale), values.iter().map(|(name, _)| name), &values).map_err(|error| told(&error))?;
        if filled.len() > LONGEST { Err(format!("the e-mail is longer than {LONGEST} bytes")) } else { Ok(filled) }
    };
    let subject: String = one("subject", &template.subject)?.split_whitespace().collect::<Vec<_>>().join(" ");
    let html = if template.html.is_empty() { None } else { Some(one("html", &template.html)?) };
    Ok(Written { subject: subject.chars().take(LONGEST_SUBJECT).collect(), text: one("text", &template.text)?, html })
}

fn file_of(part: &str) -> &'static str {
    if part == "html" { "mail.html" } else { "mail.txt" }
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(50);
    // The message of a fault is logged: it must not hold what the e-mail says.
    env.set_debug(false);
    env
}

fn fill<'n>(
    environment: &Environment<'_>,
    part: &str,
    source: &str,
    names: impl Iterator<Item = &'n String>,
    values: &[(String, String)],
) -> Result<String, Error> {
    let mut root = Tree::default();
    names.for_each(|name| root.put(name, ""));
    values.iter().for_each(|(name, text)| root.put(name, text));
    environment.template_from_named_str(file_of(part), source)?.render(root.into_context())
}

fn line_of(error: &Error) -> u32 {
    error.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(1)
}

/// A fault without the name of a file that there is not.
fn told(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// A value with what lies below it: `account` and `account.name`.
#[derive(Debug, Default)]
struct Tree {
    text: String,
    below: BTreeMap<String, Tree>,
}

impl Tree {
    fn put(&mut self, name: &str, text: &str) {
        let mut at = self;
        for part in name.split('.') {
            at = at.below.entry(part.to_owned()).or_default();
        }
        text.clone_into(&mut at.text);
    }

    fn into_context(self) -> Value {
        self.below.into_iter().map(|(name, tree)| (name, tree.into_value())).collect::<BTreeMap<_, _>>().into()
    }

    fn into_value(self) -> Value {
        if self.below.is_empty() {
            return Value::from(self.text);
        }
        let below = self.below.into_iter().map(|(name, tree)| (name, tree.into_value())).collect();
        Value::from_object(Both { text: self.text, below })
    }
}

/// A value that is read as a text and has others below it.
#[derive(Debug)]
struct Both {
    text: String,
    below: BTreeMap<String, Value>,
}

impl Object for Both {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.below.get(key.as_str()?).cloned()
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.text.is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
