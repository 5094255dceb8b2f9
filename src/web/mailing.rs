//! E-mail that people of the web room ask for: trying a template, a test, an invitation.

use std::sync::Arc;

use super::{Problem, State};
use crate::access::Actor;
use crate::base::{Locale, RecordId};
use crate::jobs::mails as sending;
use crate::outbound::mail::Mailer;
use crate::record::RecordError;
use crate::render::{Arg, Messages};
use crate::schema::catalog::{Catalog, Template};
use crate::store::mails::{Content, NewMail};

/// What sends invitations.
const INVITATION: &str = "invitation";

/// # Errors
/// `REC013` where no mail server is named.
pub(super) fn mailer(state: &State) -> Result<&Arc<Mailer>, Problem> {
    let missing = || RecordError::State { message: "no mail server is named (`mail_host` in the configuration)".to_owned() };
    state.automation.post().mailer.as_ref().ok_or_else(|| missing().into())
}

/// What a template says about a record, with what `actor` may read.
pub(super) async fn written(
    state: &State,
    actor: &Actor,
    catalog: &Arc<Catalog>,
    template: &Template,
    record: RecordId,
    locale: Locale,
) -> Result<Content, RecordError> {
    let written = state.automation.preview_mail(&state.records, actor, catalog, template, record, locale).await?;
    Ok(Content { subject: written.subject, text: written.text, html: written.html, ..Content::default() })
}

/// A message that says nothing, for trying the server.
pub(super) fn test(messages: &Messages, catalog: &Catalog, locale: Locale) -> Content {
    let args = [("workspace", Arg::Text(&catalog.settings.name))];
    Content {
        subject: messages.text(locale, "mail-test-subject", &args),
        text: messages.text(locale, "mail-test-text", &args),
        ..Content::default()
    }
}

/// Sends somebody the link that lets them in, where a mail server is named; gives whether it is on its way. The link is kept
/// nowhere once it is sent.
pub(super) async fn invite(state: &State, person: RecordId, link: &str) -> Result<bool, Problem> {
    let Some(mailer) = &state.automation.post().mailer else { return Ok(false) };
    let Some((name, address)) = state.auth.name_and_email(person).await? else { return Ok(false) };
    let catalog = state.catalog();
    let locale = catalog.settings.locale;
    let args = [("workspace", Arg::Text(catalog.settings.name.as_str())), ("name", Arg::Text(&name)), ("link", Arg::Text(link))];
    let messages = state.messages();
    let new = NewMail {
        domain: mailer.domain().to_owned(),
        source: INVITATION.to_owned(),
        holder: Some(person.0),
        is_secret: true,
        content: Content {
            subject: messages.text(locale, "mail-invitation-subject", &args),
            text: messages.text(locale, "mail-invitation-text", &args),
            name: name.clone(),
            address,
            html: None,
        },
        ..NewMail::default()
    };
    let sent = sending::send(state.records.store(), new).await.map_err(RecordError::from)?;
    Ok(sent.is_some())
}
