//! Whom a step writes to, what, and in which language.

use crate::base::{EntityIx, Labels, Locale};
use crate::expr::{Expected, Node as Tree, Path, Type, Typed};
use crate::schema::catalog::{Act, Language, Recipient};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::Node;
use crate::schema::resolve::Work;
use crate::schema::resolve::expressions::value;

use super::steps::List;

/// What the link of a survey is called in the texts of an e-mail.
const SURVEY_LINK: &str = "survey_link";

/// Where a text asks first whether there is one.
const IF_SURVEY_LINK: &str = "if survey_link";

impl List {
    /// Writes to people; no survey is asked, so that no text may rely on the link of one.
    pub(super) fn email(&self, work: &mut Work, item: &Node) -> Option<Act> {
        let found = self.letter(work, item)?;
        let Act::Email { template, .. } = &found else { return None };
        let written = work.catalog.templates.iter().find(|known| known.id == *template)?;
        let relies = |texts: &Labels| {
            let relying = |text: &str| text.contains(SURVEY_LINK) && !text.contains(IF_SURVEY_LINK);
            texts.0.iter().find(|(_, text)| relying(text)).map(|(tag, _)| tag.clone())
        };
        if let Some(language) = relies(&written.text).or_else(|| relies(&written.html)) {
            let place = item.get("template").map_or(&item.place, |node| &node.place).clone();
            let message = format!("the text in `{language}` has the link of a survey, and this step asks none");
            let hint = "ask with `do: survey`, or write `{% if survey_link %}…{% endif %}` around what is said of the survey";
            work.fault(Diagnostic::error("DEF467", &place, message).hint(hint));
            return None;
        }
        Some(found)
    }

    fn letter(&self, work: &mut Work, item: &Node) -> Option<Act> {
        let node = item.get("to")?;
        let items: Vec<Node> = node.one_or_many().into_iter().cloned().collect();
        if items.is_empty() {
            work.fault(Diagnostic::error("DEF113", &node.place, "nobody is written to").hint("say who: `to: \"=owner\"`"));
            return None;
        }
        let to: Vec<Recipient> = items.iter().filter_map(|item| self.recipient(work, item)).collect();
        let template = self.template(work, item.get("template")?);
        let language = match item.get("language") {
            None => Some(Language::Usual),
            Some(node) => self.language(work, node),
        };
        (to.len() == items.len()).then_some(())?;
        Some(Act::Email { to, template: template?, language: language? })
    }

    /// Asks people by an e-mail, which must hold the link of the survey.
    pub(super) fn survey(&self, work: &mut Work, item: &Node) -> Option<Act> {
        let Act::Email { to, template, language } = self.letter(work, item)? else { return None };
        let survey = find_survey(work, item.get("survey")?, self.entity, &self.in_package(item.text("survey")?))?;
        let written = work.catalog.templates.iter().find(|known| known.id == template)?;
        let lacks = |texts: &Labels| texts.0.iter().find(|(_, text)| !text.contains(SURVEY_LINK)).map(|(tag, _)| tag.clone());
        if let Some(language) = lacks(&written.text).or_else(|| lacks(&written.html)) {
            let place = item.get("template").map_or(&item.place, |node| &node.place).clone();
            let fault = Diagnostic::error("DEF446", &place, format!("nobody can answer: the text in `{language}` does not have the link"));
            work.fault(fault.hint("write `{{ survey_link }}` into each text of the template"));
            return None;
        }
        let language = match (item.get("language"), language) {
            (None, _) => work.catalog.surveys.iter().find(|known| known.id == survey)?.language.clone(),
            (_, said) => said,
        };
        Some(Act::Survey { survey, to, template, language })
    }

    /// An address as it is written, or an expression that gives one or a person.
    fn recipient(&self, work: &mut Work, item: &Node) -> Option<Recipient> {
        let text = item.as_text()?;
        if !text.starts_with('=') {
            if text
                .split_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !text.contains([' ', '<', ',']))
            {
                return Some(Recipient::Address(text.to_owned()));
            }
            let fault = Diagnostic::error("DEF461", &item.place, format!("`{text}` is no address of an e-mail"))
                .hint("write an address, or an expression that gives a person or an address: `=owner`, `=contact.email`");
            work.fault(fault);
            return None;
        }
        let typed = value(work, item, self.entity, &Expected::Any)?;
        let people = work.lookup_entity("core.user", "core");
        let fits = match &typed.ty {
            Type::Text => true,
            Type::Link(entities) => people.is_some_and(|people| *entities == [people]),
            _ => false,
        };
        if !fits {
            let fault = Diagnostic::error("DEF461", &item.place, "this gives nobody who could be written to")
                .hint("name a person of this workspace (`=owner`) or an address (`=contact.email`)");
            work.fault(fault);
            return None;
        }
        Some(Recipient::Expr { holder: holder(&typed).map(Box::new), value: Box::new(typed) })
    }

    fn template(&self, work: &mut Work, node: &Node) -> Option<String> {
        let name = node.as_text()?;
        let id = self.in_package(name);
        let fits = |template: &&crate::schema::catalog::Template| template.entity == self.entity;
        if work.catalog.templates.iter().filter(fits).any(|template| template.id == id) {
            return Some(id);
        }
        let known: Vec<String> = work.catalog.templates.iter().filter(fits).map(|template| template.id.clone()).collect();
        let entity = work.entity(self.entity).id.clone();
        let fault = Diagnostic::error("DEF462", &node.place, format!("`{entity}` has no template `{name}`"))
            .near(nearest(&id, known.iter().map(String::as_str)))
            .hint("it is a document of its own, `kind: template`, for the same entity");
        work.fault(fault);
        None
    }

    pub(super) fn language(&self, work: &mut Work, node: &Node) -> Option<Language> {
        let text = node.as_text()?;
        if text.starts_with('=') {
            return value(work, node, self.entity, &Expected::Value(Type::Text)).map(Language::Expr);
        }
        let found = Locale::of_tag(text).map(Language::Fixed);
        if found.is_none() {
            let known = Locale::ALL.map(Locale::tag);
            let fault = Diagnostic::error("DEF460", &node.place, format!("nobody is written to in `{text}`"))
                .near(nearest(text, known))
                .hint(format!("languages: {}", known.join(", ")));
            work.fault(fault);
        }
        found
    }
}

/// The full id of a survey about an entity.
pub(super) fn find_survey(work: &mut Work, node: &Node, entity: EntityIx, id: &str) -> Option<String> {
    let known: Vec<String> = work.catalog.surveys.iter().filter(|survey| survey.entity == entity).map(|survey| survey.id.clone()).collect();
    if known.iter().any(|known| known == id) {
        return Some(id.to_owned());
    }
    let slug = work.entity(entity).id.clone();
    let fault =
        Diagnostic::error("DEF445", &node.place, format!("there is no survey `{}` about `{slug}`", node.as_text().unwrap_or_default()))
            .near(nearest(id, known.iter().map(String::as_str)))
            .hint("it is a document of its own, `kind: survey`, for the same entity");
    work.fault(fault);
    None
}

/// The language that a text names, or that an expression about a record of `entity` gives.
pub(in crate::schema::resolve) fn spoken(work: &mut Work, node: &Node, entity: EntityIx) -> Option<Language> {
    List::new(entity, String::new(), String::new(), false).language(work, node)
}

/// The record at the end of a path: an address belongs to it.
fn holder(typed: &Typed) -> Option<Typed> {
    let Tree::Path(path) = &typed.node else { return None };
    let (last, before) = path.hops.split_last()?;
    let to = Path { root: path.root, hops: before.to_vec(), field: last.field, part: None };
    Some(Typed::new(Type::Link(vec![last.to]), Tree::Path(to), 0..0))
}
