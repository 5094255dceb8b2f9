//! E-mail: the server it leaves through, and who it is from.

use super::{AppError, Source, bad, is_local, secret_file};
use crate::outbound::mail::{MailOptions, Security};

/// What is said of e-mail; `None` where no server is named.
pub(super) fn read(source: &mut Source) -> Result<Option<MailOptions>, AppError> {
    let host = source.text("mail_host", None, "")?;
    let security = source.text("mail_security", None, "starttls")?;
    let security = match security.as_str() {
        "starttls" => Security::StartTls,
        "tls" => Security::Tls,
        "none" => Security::Plain,
        other => return Err(bad("mail_security", format!("`{other}` protects nothing"), "write starttls, tls or none")),
    };
    let usual: u16 = match security {
        Security::StartTls => 587,
        Security::Tls => 465,
        Security::Plain => 25,
    };
    let port = source.number("mail_port", usize::from(usual), 1, 65_535)?;
    let user = source.text("mail_user", None, "")?;
    let password = secret_file("mail_password_file", &source.text("mail_password_file", None, "")?, 1)?;
    let from = source.text("mail_from", None, "")?;
    let reply_to = source.text("mail_reply_to", None, "")?;
    let per_minute = source.number("mail_per_minute", 60, 1, 100_000)?;
    if host.is_empty() {
        return Ok(None);
    }
    if host.contains([':', '/', '@', ' ']) {
        return Err(bad("mail_host", format!("`{host}` is no name of a server"), "write the name alone, the port under `mail_port`"));
    }
    if from.is_empty() {
        return Err(bad("mail_from", "it is missing", "write who e-mail is from: Sales <crm@example.com>"));
    }
    let credentials = match (user.as_str(), password) {
        ("", None) => None,
        ("", Some(_)) => return Err(bad("mail_user", "a password is given without it", "name both, or none")),
        (_, None) => {
            return Err(bad(
                "mail_password_file",
                "a user is given without it",
                "name the file with the password, which nobody else can read",
            ));
        }
        (user, Some(password)) => Some((user.to_owned(), password)),
    };
    if credentials.is_some() && security == Security::Plain && !is_local(&format!("{host}:")) {
        return Err(bad("mail_security", "the password would be readable by everyone on the way", "write starttls or tls"));
    }
    let options = MailOptions {
        host,
        port: u16::try_from(port).unwrap_or(usual),
        security,
        credentials,
        from,
        reply_to: Some(reply_to).filter(|text| !text.is_empty()),
        per_minute: u32::try_from(per_minute).unwrap_or(60),
    };
    Ok(Some(options))
}
