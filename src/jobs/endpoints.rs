//! Endpoints as administrators manage them: what they may say, making, changing, another secret, sending once more. Audited.

use serde_json::json;

use super::webhooks::body;
use crate::base::{DateTime, Explain};
use crate::outbound::{check_address, webhook};
use crate::schema::catalog::Catalog;
use crate::schema::diagnostic::nearest;
use crate::store::audit::{self, Entry};
use crate::store::webhooks::{self, Edit, Wanted, Webhook};
use crate::store::{Store, StoreError};

/// The kinds of events.
pub const EVENTS: [&str; 4] = ["created", "updated", "deleted", "restored"];
/// How long messages are signed with a former secret too.
const FORMER_US: i64 = 86_400 * 1_000_000;
/// Endpoints there may be.
const MOST: usize = 100;
const LONGEST_NAME: usize = 60;
const LONGEST_URL: usize = 2_000;
const MOST_EVENTS: usize = 100;

/// What is wrong with what was asked, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `name`, `url`, `events`.
    pub field: &'static str,
    pub message: String,
}

/// What an endpoint shall be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub name: String,
    pub url: String,
    /// `deal.created`, `deal.*`, `*.deleted`, `*`.
    pub events: Vec<String>,
    pub is_active: bool,
}

/// # Errors
/// The first thing that is wrong.
pub fn check(catalog: &Catalog, asked: &Asked) -> Result<Edit, Fault> {
    let name = asked.name.trim();
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_word) {
        let message = format!("must be 1 to {LONGEST_NAME} lower-case letters, digits, `_` and `-`: automations call it by this name");
        return Err(Fault { field: "name", message });
    }
    let url = asked.url.trim();
    if url.len() > LONGEST_URL {
        return Err(Fault { field: "url", message: format!("must have at most {LONGEST_URL} characters") });
    }
    check_address(url).map_err(|error| {
        let hint = error.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
        Fault { field: "url", message: format!("{error}{hint}") }
    })?;
    if asked.events.len() > MOST_EVENTS {
        return Err(Fault {
            field: "events",
            message: format!("at most {MOST_EVENTS}; `deal.*` stands for all of an entity, `*` for all there are"),
        });
    }
    let events = asked.events.iter().map(|word| wanted(catalog, word.trim())).collect::<Result<Vec<_>, _>>()?;
    Ok(Edit { name: name.to_owned(), url: url.to_owned(), events, is_active: asked.is_active })
}

fn wanted(catalog: &Catalog, word: &str) -> Result<Wanted, Fault> {
    if word == "*" {
        return Ok((None, None));
    }
    let fault = |message: String| Fault { field: "events", message };
    let Some((entity, kind)) = word.rsplit_once('.') else {
        return Err(fault(format!("`{word}` is no event: write `deal.created`, `deal.*`, `*.deleted` or `*`")));
    };
    let kind = match kind {
        "*" => None,
        kind if EVENTS.contains(&kind) => Some(kind.to_owned()),
        other => return Err(fault(format!("`{other}` does not happen to records: {}", EVENTS.join(", ")))),
    };
    if entity == "*" {
        return Ok((None, kind));
    }
    match catalog.find_entity(entity) {
        Some(found) => Ok((Some(found.uid.clone()), kind)),
        None => {
            let near = nearest(entity, catalog.by_slug.keys().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(fault(format!("there is no entity `{entity}`{near}")))
        }
    }
}

/// The events of an endpoint as people write them; what is gone from the definitions is left out.
pub fn words(catalog: &Catalog, events: &[Wanted]) -> Vec<String> {
    let word = |(entity, kind): &Wanted| {
        let entity = match entity {
            None => "*",
            Some(uid) => catalog.entities.iter().find(|entity| entity.uid == *uid)?.slug.as_str(),
        };
        Some(match (entity, kind) {
            ("*", None) => "*".to_owned(),
            (entity, kind) => format!("{entity}.{}", kind.as_deref().unwrap_or("*")),
        })
    };
    events.iter().filter_map(word).collect()
}

/// How making or changing an endpoint ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made<T> {
    Done(T),
    /// Another one has this name.
    Taken,
    Gone,
    /// There are as many as there may be.
    TooMany,
}

/// Makes an endpoint; gives its id and its secret, which is told this once.
///
/// # Errors
/// The database.
pub async fn make(store: &Store, edit: Edit, by: i64) -> Result<Made<(i64, String)>, StoreError> {
    if webhooks::list(store).await?.len() >= MOST {
        return Ok(Made::TooMany);
    }
    let secret = webhook::new_secret(store.random().as_ref());
    let given = secret.clone();
    let made = store.write(move |tx| {
        Box::pin(async move {
            let made = webhooks::make(tx, &edit, &given, by).await?;
            if made.is_some() {
                webhooks::follow(tx).await?;
                audit::append(tx, Entry::new("webhook.make").fact("webhook", edit.name).fact("url", host(&edit.url))).await?;
            }
            Ok::<_, StoreError>(made)
        })
    });
    Ok(made.await?.map_or(Made::Taken, |id| Made::Done((id, secret))))
}

/// # Errors
/// The database.
pub async fn change(store: &Store, id: i64, edit: Edit) -> Result<Made<()>, StoreError> {
    let changed = store.write(move |tx| {
        Box::pin(async move {
            let changed = webhooks::change(tx, id, &edit).await?;
            if changed == Some(true) {
                webhooks::follow(tx).await?;
                let entry =
                    Entry::new("webhook.change").fact("webhook", edit.name).fact("url", host(&edit.url)).fact("active", edit.is_active);
                audit::append(tx, entry).await?;
            }
            Ok::<_, StoreError>(changed)
        })
    });
    Ok(match changed.await? {
        Some(true) => Made::Done(()),
        Some(false) => Made::Taken,
        None => Made::Gone,
    })
}

/// Gives an endpoint another secret, which is told this once; the former one is good for a day more.
///
/// # Errors
/// The database.
pub async fn rotate(store: &Store, endpoint: &Webhook) -> Result<Made<String>, StoreError> {
    let secret = webhook::new_secret(store.random().as_ref());
    let (id, name, given) = (endpoint.id, endpoint.name.clone(), secret.clone());
    let done = store.write(move |tx| {
        Box::pin(async move {
            let until = DateTime(tx.now().0.saturating_add(FORMER_US));
            let done = webhooks::rotate(tx, id, &given, until).await?;
            if done {
                audit::append(tx, Entry::new("webhook.rotate").fact("webhook", name)).await?;
            }
            Ok::<_, StoreError>(done)
        })
    });
    Ok(if done.await? { Made::Done(secret) } else { Made::Gone })
}

/// Removes an endpoint with all that was sent to it.
///
/// # Errors
/// The database.
pub async fn delete(store: &Store, endpoint: &Webhook) -> Result<bool, StoreError> {
    let (id, name) = (endpoint.id, endpoint.name.clone());
    store
        .write(move |tx| {
            Box::pin(async move {
                let done = webhooks::delete(tx, id).await?;
                if done {
                    webhooks::follow(tx).await?;
                    audit::append(tx, Entry::new("webhook.delete").fact("webhook", name)).await?;
                }
                Ok(done)
            })
        })
        .await
}

/// Sends a message that says nothing, for trying an endpoint; gives its id.
///
/// # Errors
/// The database.
pub async fn test(store: &Store, id: i64) -> Result<i64, StoreError> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let text = body("webhook.test", tx.now(), &json!({}));
                webhooks::send(tx, id, "webhook.test", &text, None).await
            })
        })
        .await
}

/// Sends a message once more, with the same id. `Some(false)`: it is on its way; `None`: there is none.
///
/// # Errors
/// The database.
pub async fn send_again(store: &Store, endpoint: i64, id: i64) -> Result<Option<bool>, StoreError> {
    store.write(move |tx| Box::pin(async move { webhooks::send_again(tx, endpoint, id).await })).await
}

/// The part of an address that holds no secret.
fn host(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().split('/').take(3).collect::<Vec<_>>().join("/")
}
