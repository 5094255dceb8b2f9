//! Making a workspace in a folder.

use std::fs;
use std::path::Path;

use super::AppError;
use crate::base::{Currency, Locale};
use crate::cli::InitArgs;
use crate::deploy;

/// What `init` wrote.
#[derive(Debug, Default)]
pub struct Made {
    pub files: usize,
    pub templates: Vec<String>,
    pub plugins: Vec<String>,
}

/// Writes `relata.yaml`, the templates and plugins asked for. Files that exist are left alone.
///
/// # Errors
/// An unknown template, plugin, currency, language or zone; a folder that cannot be written.
pub fn init(args: &InitArgs) -> Result<Made, AppError> {
    let currency = args.currency.as_deref().unwrap_or("USD");
    if Currency::parse(currency).is_none() {
        return Err(input(format!("`{currency}` is no currency"), "write three capital letters, for example CNY"));
    }
    let language = args.language.as_deref().unwrap_or("en");
    if Locale::from_tag(language).is_none() {
        return Err(input(format!("`{language}` is no language of Relata"), "write en, zh-CN or zh-TW"));
    }
    let zone = args.time_zone.as_deref().unwrap_or("UTC");
    if jiff::tz::TimeZone::get(zone).is_err() {
        return Err(input(format!("`{zone}` is no time zone"), "write an IANA name, for example Asia/Shanghai"));
    }
    let known = deploy::package_ids();
    if let Some(unknown) = args.template.iter().find(|name| !known.contains(name)) {
        return Err(deploy::DeployError::NoSuchPackage { name: unknown.clone(), known }.into());
    }
    let templates = deploy::with_needs(&args.template);
    let plugins = wanted_plugins(args, &templates)?;
    let folder = &args.folder;
    let mut made = Made { templates: templates.clone(), plugins: plugins.clone(), ..Made::default() };
    create(&folder.join("definitions"))?;
    let name = args.name.as_deref().unwrap_or("My workspace");
    let settings = format!(
        "# The workspace: its name and what holds for all of it.\nname: {}\ncurrency: {currency}\nlocale: {language}\ntime_zone: {zone}\n",
        serde_json::Value::from(name)
    );
    made.files += write_new(&folder.join("relata.yaml"), &settings)?;
    made.files += write_new(&folder.join(".gitignore"), "/relata-data/\n/.relata/\n")?;
    made.files += deploy::write_package("core", &folder.join("definitions"))?;
    for template in &templates {
        made.files += deploy::write_package(template, &folder.join("definitions"))?;
    }
    for plugin in &plugins {
        made.files += deploy::write_plugin(plugin, &folder.join("plugins"))?;
    }
    Ok(made)
}

/// `all` are the plugins whose packages are there.
fn wanted_plugins(args: &InitArgs, templates: &[String]) -> Result<Vec<String>, AppError> {
    let known = deploy::plugin_ids();
    if args.plugins.iter().any(|name| name == "all") {
        let fits = |id: &String| deploy::plugin_needs(id).iter().all(|need| need == "core" || templates.contains(need));
        return Ok(known.into_iter().filter(fits).collect());
    }
    match args.plugins.iter().find(|name| !known.contains(name)) {
        Some(unknown) => Err(deploy::DeployError::NoSuchPackage { name: unknown.clone(), known }.into()),
        None => Ok(args.plugins.clone()),
    }
}

fn create(folder: &Path) -> Result<(), AppError> {
    fs::create_dir_all(folder).map_err(|error| AppError::File { path: folder.display().to_string(), reason: error.to_string() })
}

fn write_new(path: &Path, text: &str) -> Result<usize, AppError> {
    if path.exists() {
        return Ok(0);
    }
    fs::write(path, text).map_err(|error| AppError::File { path: path.display().to_string(), reason: error.to_string() })?;
    Ok(1)
}

fn input(message: String, hint: &str) -> AppError {
    AppError::Input { message, hint: hint.into() }
}
