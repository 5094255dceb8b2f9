//! Surveys: the fields the program keeps in their answers, then their questions.

use std::collections::BTreeMap;

use serde_json::json;

use super::automations::{given_about, seconds, spoken};
use super::drafts::{FieldDraft, add_field};
use super::expressions::condition;
use super::pipelines::roles;
use super::{Declared, Work, labels, layers};
use crate::base::{EntityIx, FieldIx, Labels};
use crate::expr::{Typed, needs};
use crate::schema::catalog::{Field, FieldClass, FieldType, Given, Language, Question, QuestionKind, Survey, SurveyFields, SurveyPause};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::intake::Document;
use crate::schema::node::{Key, Node};
use crate::schema::source::Place;

/// For how long a link is open where nothing is said.
const OPEN: &str = "30d";
const MOST_QUESTIONS: usize = 50;

fn documents<'w>(work: &Work<'w>) -> impl Iterator<Item = &'w Document> + use<'w> {
    work.intake.documents.iter().filter(|document| document.kind.name == "survey")
}

/// Adds the fields in which answers say what they answer, to each entity whose records are answers.
pub(super) fn complete(work: &mut Work) {
    let mut found: BTreeMap<u32, Vec<(&Document, String)>> = BTreeMap::new();
    for document in documents(work) {
        let package = package_of(document);
        let entity = document.node.text("answers").and_then(|name| work.lookup_entity(name, &package));
        if let (Some(entity), Some(id)) = (entity, document.node.text("id")) {
            let surveys = found.entry(entity.0).or_default();
            // What is defined twice is told where it is read.
            if surveys.iter().all(|(_, known)| known != id) {
                surveys.push((document, id.to_owned()));
            }
        }
    }
    for (ix, surveys) in found {
        let Some(place) = surveys.first().and_then(|(document, _)| document.node.get("answers")).map(|node| node.place.clone()) else {
            continue;
        };
        let package = surveys.first().map(|(document, _)| package_of(document)).unwrap_or_default();
        let options: Vec<_> = surveys
            .iter()
            .map(|(document, id)| json!({"key": id, "label": labels::of(document.node.get("label")).unwrap_or_else(|| labels::from_name(id)).0}))
            .collect();
        for (name, field) in SurveyFields::NAMES.into_iter().zip(fields(&options)) {
            let key = Key { text: name.to_owned(), place: place.clone() };
            let node = Node::from_json(&field, &place);
            add_field(work, EntityIx(ix), FieldDraft { key, node, package: package.clone(), uid: String::new(), is_made: true });
        }
    }
}

/// In the order of their names.
fn fields(surveys: &[serde_json::Value]) -> [serde_json::Value; 5] {
    [
        json!({"type": "select", "index": true, "label": {"en": "Survey", "zh-CN": "调查", "zh-TW": "調查"}, "options": surveys}),
        json!({"type": "select", "label": {"en": "Answer", "zh-CN": "答复状态", "zh-TW": "答覆狀態"}, "options": [
            {"key": "asked", "hue": 5, "label": {"en": "Asked", "zh-CN": "已邀请", "zh-TW": "已邀請"}},
            {"key": "answered", "hue": 4, "label": {"en": "Answered", "zh-CN": "已答复", "zh-TW": "已答覆"}},
        ]}),
        json!({"type": "datetime", "label": {"en": "Link open until", "zh-CN": "链接有效期至", "zh-TW": "連結有效期至"}}),
        json!({"type": "datetime", "label": {"en": "Answered at", "zh-CN": "答复时间", "zh-TW": "答覆時間"}}),
        json!({"type": "select", "label": {"en": "Language", "zh-CN": "语言", "zh-TW": "語言"}, "options": [
            {"key": "en", "label": {"en": "English", "zh-CN": "英语", "zh-TW": "英語"}},
            {"key": "zh-CN", "label": {"en": "Chinese (simplified)", "zh-CN": "简体中文", "zh-TW": "簡體中文"}},
            {"key": "zh-TW", "label": {"en": "Chinese (traditional)", "zh-CN": "繁体中文", "zh-TW": "繁體中文"}},
        ]}),
    ]
}

fn package_of(document: &Document) -> String {
    document.package.clone().unwrap_or_else(|| layers::SITE.to_owned())
}

pub(super) fn build(work: &mut Work) {
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for document in documents(work) {
        survey(work, document, &mut seen);
    }
}

fn survey(work: &mut Work, document: &Document, seen: &mut BTreeMap<String, Place>) {
    let node = &document.node;
    let Some(Declared { id, package, name, id_node, entity }) = work.declared(document, seen) else { return };
    let Some(target) = node.get("answers") else { return };
    let Some(answers) = work.find_entity(target, &package) else { return };
    if let Some(other) = work.catalog.surveys.iter().find(|other| other.answers == answers && other.key == name) {
        let message = format!("answers of `{id}` and of `{}` could not be told apart", other.id);
        work.fault(
            Diagnostic::error("DEF201", &id_node.place, message).hint("give one of the two another id, or another entity for its answers"),
        );
        return;
    }
    let Some(about) = about(work, node, target, entity, answers) else { return };
    let named = |name: &str| work.entity(answers).by_name.get(name).copied().filter(|at| work.entity(answers).field(*at).read_only);
    let [Some(survey), Some(state), Some(expires_at), Some(answered_at), Some(language)] = SurveyFields::NAMES.map(named) else { return };
    // Which language somebody speaks goes with them.
    work.entity_mut(answers).fields[language.0 as usize].class = Some(FieldClass::Personal);
    let when = condition(work, node.get("when"), entity, false);
    if let (Some(place), true) = (node.get("when").map(|node| node.place.clone()), when.as_ref().is_some_and(|when| needs(when).uses_me)) {
        let fault = Diagnostic::error("DEF443", &place, "whether anybody is asked about a record cannot depend on who asks");
        work.fault(fault.hint("an automation asks too, and is nobody: compare fields of the record, `when: \"status = 'solved'\"`"));
    }
    let values = match node.get("values") {
        Some(values) => given_about(work, values, entity, answers),
        None => Some(Vec::new()),
    };
    let several = |given: &Given| matches!(work.entity(answers).field(given.field).ty, FieldType::AnyLink { .. });
    if let (true, Some((key, _))) = (values.iter().flatten().any(several), node.entry("values")) {
        let fault = Diagnostic::error(
            "DEF363",
            &key.place.clone(),
            "a link to records of several entities has no value that an answer could be given",
        );
        work.fault(fault.hint("use a link to one entity"));
    }
    let spoken = match node.get("language") {
        Some(node) => spoken(work, node, entity),
        None => Some(Language::Usual),
    };
    let open = node.text("expires").unwrap_or(OPEN);
    let open_seconds = seconds(open);
    if let (None, Some(written)) = (open_seconds, node.get("expires")) {
        let fault = Diagnostic::error("DEF369", &written.place, format!("`{open}` is no time"));
        work.fault(fault.hint("write days, hours or minutes: `14d`, `48h`"));
    }
    let pause = pause(work, node, answers, about, values.as_deref().unwrap_or_default());
    let run_as = roles(work, node.get("run_as"));
    let written: Vec<Node> = node.get("questions").map(|list| list.items().to_vec()).unwrap_or_default();
    if written.is_empty() || written.len() > MOST_QUESTIONS {
        let place = node.entry("questions").map_or(&node.place, |(key, _)| &key.place).clone();
        let message = if written.is_empty() { "a survey that asks nothing" } else { "more questions than one survey may have" };
        work.fault(
            Diagnostic::error("DEF113", &place, message)
                .hint(format!("give it 1 to {MOST_QUESTIONS} questions: `questions: [{{field: score}}]`")),
        );
    }
    let mut questions: Vec<Question> = Vec::new();
    for one in &written {
        let Some(question) = question(work, one, answers) else { continue };
        if questions.iter().any(|known| known.field == question.field) {
            let fault = Diagnostic::error("DEF442", &one.place, "this is asked twice");
            work.fault(fault.hint("each question has a field of its own: take one of the two out"));
            continue;
        }
        questions.push(question);
    }
    needless(work, target, answers);
    let uid = format!("survey/{id}");
    work.places.insert(uid.clone(), id_node.place.clone());
    let (Some(values), Some(spoken), Some(open_seconds)) = (values, spoken, open_seconds) else { return };
    let text = |key: &str| labels::of(node.get(key)).unwrap_or_default();
    let label = labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(name));
    work.catalog.surveys.push(Survey {
        uid,
        id,
        key: name.to_owned(),
        title: labels::of(node.get("title")).unwrap_or_else(|| label.clone()),
        label,
        entity,
        answers,
        about,
        when,
        values,
        intro: text("intro"),
        thanks: text("thanks"),
        language: spoken,
        open_seconds,
        pause,
        edit: node.flag("edit").unwrap_or(false),
        run_as,
        questions,
        fields: SurveyFields { survey, state, expires_at, answered_at, language },
    });
}

/// How long nobody is asked again, and whom that holds for.
fn pause(work: &mut Work, node: &Node, answers: EntityIx, about: FieldIx, values: &[Given]) -> Option<SurveyPause> {
    let Some(written) = node.get("again_after") else {
        if let Some((key, _)) = node.entry("per") {
            let fault = Diagnostic::error("DEF448", &key.place.clone(), "`per` says whom `again_after` holds for, which is not there");
            work.fault(fault.hint("say how long nobody is asked again: `again_after: 30d`"));
        }
        return None;
    };
    let text = written.as_text().unwrap_or_default();
    let found = seconds(text);
    if found.is_none() {
        let fault = Diagnostic::error("DEF369", &written.place, format!("`{text}` is no time"));
        work.fault(fault.hint("write days, hours or minutes: `30d`, `12h`"));
    }
    let per = match node.get("per") {
        Some(per) => asked_per(work, per, answers, |field| field == about || values.iter().any(|given| given.field == field))?,
        None => about,
    };
    Some(SurveyPause { seconds: found?, per })
}

/// The link that says who is asked.
fn asked_per(work: &mut Work, node: &Node, answers: EntityIx, is_filled: impl Fn(FieldIx) -> bool) -> Option<FieldIx> {
    let field = work.find_field(node, node.as_text()?, answers)?;
    let definition = work.entity(answers).field(field);
    let hint = match definition.ty {
        FieldType::Link { .. } | FieldType::User { .. } if is_filled(field) => return Some(field),
        FieldType::Link { .. } | FieldType::User { .. } => {
            format!("fill it when somebody is asked: `values: {{{}: \"=…\"}}`", definition.name)
        }
        _ => "name a field of type `link` or `user`".to_owned(),
    };
    let fault = Diagnostic::error("DEF448", &node.place, format!("`{}` does not say who is asked", definition.name));
    work.fault(fault.hint(hint));
    None
}

/// The link from an answer to what is asked about.
fn about(work: &mut Work, node: &Node, target: &Node, entity: EntityIx, answers: EntityIx) -> Option<FieldIx> {
    let leads = |field: &Field| matches!(&field.ty, FieldType::Link { to, .. } if *to == entity);
    let links: Vec<String> = work.entity(answers).fields.iter().filter(|field| leads(field)).map(|field| field.name.clone()).collect();
    let slug = work.entity(entity).slug.clone();
    let (name, place) = match node.get("about") {
        Some(written) => (written.as_text()?.to_owned(), written.place.clone()),
        None if links.len() == 1 => (links[0].clone(), target.place.clone()),
        None => {
            let (message, hint) = match links.is_empty() {
                true => (
                    format!("`{}` has no link to `{slug}`", work.entity(answers).id),
                    format!("give it one: `{slug}: {{type: link, to: {slug}}}`"),
                ),
                false => ("several links lead to what is asked about".to_owned(), format!("say which one: `about: {}`", links[0])),
            };
            work.fault(Diagnostic::error("DEF440", &target.place, message).hint(hint));
            return None;
        }
    };
    if links.contains(&name) {
        return work.entity(answers).by_name.get(&name).copied();
    }
    let fault = Diagnostic::error("DEF440", &place, format!("`{name}` is no link of `{}` to `{slug}`", work.entity(answers).id))
        .near(nearest(&name, links.iter().map(String::as_str)))
        .hint("name a field of type `link` that leads to the entity of `for`");
    work.fault(fault);
    None
}

fn question(work: &mut Work, node: &Node, answers: EntityIx) -> Option<Question> {
    let written = node.get("field")?;
    let field = work.find_field(written, written.as_text()?, answers)?;
    let found = work.entity(answers).field(field).clone();
    let kind = kind(work, node, written, &found)?;
    let when = own(work, node.get("when"), answers);
    if node.get("when").is_some() && when.is_none() {
        return None;
    }
    if kind.scale().is_none()
        && let Some((key, _)) = node.entry("low").or(node.entry("high"))
    {
        let fault =
            Diagnostic::error("DEF441", &key.place.clone(), format!("`{}` has no meaning for a question that is no scale", key.text));
        work.fault(fault.hint("a scale is a field of type `rating`, or an `integer` with `kind: nps` or `kind: csat`"));
    }
    let text = |key: &str| labels::of(node.get(key)).unwrap_or_default();
    let asked = text("label");
    Some(Question {
        field,
        kind,
        label: if asked == Labels::default() { found.label } else { asked },
        help: text("help"),
        low: text("low"),
        high: text("high"),
        required: node.flag("required").unwrap_or(false),
        when,
    })
}

/// How a question is answered: what `kind` says, or what the field's type means.
fn kind(work: &mut Work, node: &Node, written: &Node, field: &Field) -> Option<QuestionKind> {
    let usual = QuestionKind::of(field).filter(|_| !field.read_only && !field.is_system && !field.is_secret());
    let named = match node.text("kind") {
        Some("nps") => Some(QuestionKind::Nps),
        Some("csat") => Some(QuestionKind::Csat),
        _ => None,
    };
    let found = match (named, &field.ty) {
        (None, FieldType::Integer { .. }) => {
            let fault = Diagnostic::error("DEF441", &written.place, format!("how is `{}` asked for?", field.name));
            work.fault(fault.hint("a number is `kind: nps` (0 to 10) or `kind: csat` (1 to 5)"));
            return None;
        }
        (None, _) => usual,
        (Some(kind), FieldType::Integer { min, max }) if !field.read_only => {
            let (low, high) = kind.scale().unwrap_or_default();
            (min.is_none_or(|min| min <= low) && max.is_none_or(|max| max >= high)).then_some(kind)
        }
        (Some(QuestionKind::Csat), FieldType::Rating { max: 5 }) => Some(QuestionKind::Csat),
        _ => None,
    };
    if found.is_none() {
        let message = match named {
            Some(kind) => format!("`{}` cannot hold the answers of `{}`", field.name, kind.word()),
            None => format!("a survey cannot ask for `{}`", field.name),
        };
        let hint = "ask for a `rating`, `boolean`, `select`, `multi_select`, `text` or `long_text`; `nps` and `csat` are an `integer` that may hold 0 to 10, or 1 to 5";
        work.fault(Diagnostic::error("DEF441", &written.place, message).hint(hint));
    }
    found
}

/// A condition on the answers themselves: it is looked at before they are saved.
fn own(work: &mut Work, node: Option<&Node>, answers: EntityIx) -> Option<Typed> {
    let node = node?;
    let found = condition(work, Some(node), answers, false)?;
    let needed = needs(&found);
    let is_asked = |field: &FieldIx| {
        QuestionKind::of(work.entity(answers).field(*field)).is_some()
            || matches!(work.entity(answers).field(*field).ty, FieldType::Integer { .. })
    };
    if needed.paths.is_empty() && needed.children.is_empty() && !needed.uses_now && !needed.uses_me && needed.fields.iter().all(is_asked) {
        return Some(found);
    }
    let fault = Diagnostic::error("DEF443", &node.place, "whether something is asked can only depend on other answers");
    work.fault(fault.hint("compare fields that the survey asks for: `when: \"score <= 3\"`"));
    None
}

/// Refuses what keeps an answer from being saved before anybody has answered.
fn needless(work: &mut Work, target: &Node, answers: EntityIx) {
    let entity = work.entity(answers);
    let is_in_the_way = |field: &&Field| {
        field.required
            && !field.is_system
            && field.default.is_none()
            && !matches!(field.ty, FieldType::Link { .. } | FieldType::User { .. })
    };
    let Some(name) = entity.fields.iter().find(is_in_the_way).map(|field| field.name.clone()) else { return };
    let message = format!("`{}.{name}` is required, but an answer is saved empty when somebody is asked", entity.id);
    let fault = Diagnostic::error("DEF444", &target.place, message);
    work.fault(fault.hint("take `required` out of the field and say it in the question: `{field: score, required: true}`"));
}
