//! Looking at everything an operator can get wrong.

use std::path::Path;

use serde_json::json;

use super::{AppError, Config, control};
use crate::base::Explain;
use crate::base::system::OpenFiles;
use crate::cli::print::Printer;
use crate::cli::{Definitions, Globals, exit};
use crate::deploy;
use crate::schema::Bindings;
use crate::store::{self, Store, StoreError};

/// One thing looked at.
struct Finding {
    name: &'static str,
    ok: bool,
    text: String,
    hint: Option<String>,
}

impl Finding {
    fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, ok: true, text: text.into(), hint: None }
    }

    fn bad(name: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, ok: false, text: text.into(), hint: Some(hint.into()) }
    }
}

/// Prints the configuration with its sources, then what was found.
///
/// # Errors
/// A configuration that cannot be read at all.
pub async fn doctor(globals: &Globals, args: &Definitions, printer: Printer) -> Result<i32, AppError> {
    let config = Config::load(globals, None, args)?;
    let mut findings = vec![definitions(&config)];
    findings.push(data_folder(&config.data));
    findings.push(open_files(&config));
    findings.extend(database(&config).await);
    let sound = findings.iter().all(|finding| finding.ok);
    let mut text = String::from("configuration");
    if let Some(file) = &config.file {
        text.push_str(&format!(" (file: {})", file.display()));
    }
    text.push('\n');
    for (key, value, source) in &config.shown {
        let value = if value.is_empty() { "(none)" } else { value };
        text.push_str(&format!("  {key:<22} {value}  [{source}]\n"));
    }
    text.push_str("findings\n");
    for finding in &findings {
        text.push_str(&format!("  {}  {}: {}\n", if finding.ok { "ok " } else { "BAD" }, finding.name, finding.text));
        if let Some(hint) = &finding.hint {
            text.push_str(&format!("       hint: {hint}\n"));
        }
    }
    let object = json!({
        "ok": sound,
        "configuration": config.shown.iter().map(|(key, value, source)| json!({"key": key, "value": value, "source": source})).collect::<Vec<_>>(),
        "findings": findings.iter().map(|f| json!({"name": f.name, "ok": f.ok, "text": f.text, "hint": f.hint})).collect::<Vec<_>>(),
    });
    printer.result(&text, &object);
    Ok(if sound { exit::OK } else { exit::ERROR })
}

fn definitions(config: &Config) -> Finding {
    match deploy::read(&config.folders) {
        Ok(files) => match deploy::check(&files, &Bindings::default()) {
            Ok(loaded) => Finding::good("definitions", format!("{} files, {} entities", files.len(), loaded.catalog.entities.len())),
            Err(faults) => Finding::bad("definitions", format!("{} faults", faults.len()), "run `relata check`"),
        },
        Err(error) => Finding::bad("definitions", error.to_string(), error.hint().unwrap_or_default()),
    }
}

fn data_folder(data: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let Ok(meta) = std::fs::metadata(data) else {
        return Finding::good("data folder", format!("{} is made at the first start", data.display()));
    };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        return Finding::bad(
            "data folder",
            format!("{} can be read by everyone ({mode:o})", data.display()),
            format!("chmod 700 {}", data.display()),
        );
    }
    Finding::good("data folder", format!("{} ({mode:o})", data.display()))
}

fn open_files(config: &Config) -> Finding {
    let needed = config.web.max_connections as u64 + super::serve::OTHER_FILES;
    let most = OpenFiles::ask().most;
    if most >= needed {
        return Finding::good("open files", format!("{most} allowed, {needed} needed"));
    }
    // The server keeps fewer connections then: worth knowing, no fault.
    Finding {
        hint: Some("raise it (LimitNOFILE= of systemd, `ulimit -n`), or set max_connections lower".into()),
        ..Finding::good("open files", format!("the system allows {most}, {} connections need {needed}", config.web.max_connections))
    }
}

async fn database(config: &Config) -> Vec<Finding> {
    let refused = |error: &StoreError| vec![Finding::bad("database", error.to_string(), error.hint().unwrap_or_default())];
    let store = match Store::open(config.options().store()).await {
        Ok(store) => store,
        Err(StoreError::Locked { .. }) if control::is_running(&config.data).await => {
            return vec![Finding::good("database", "in use by a running server, which answers")];
        }
        Err(error) => return refused(&error),
    };
    let facts = store::doctor::facts(&store).await;
    let _ = store.close().await;
    match facts {
        Ok(facts) => facts.into_iter().map(|fact| Finding { name: fact.name, ok: fact.is_good, text: fact.value, hint: None }).collect(),
        Err(error) => refused(&error),
    }
}
