//! The server: one process over one workspace.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::door::Door;
use super::{AppError, Config, Workspace, control};
use crate::cli::{Log, LogFormat};
use crate::store::Target;
use crate::web::{self, Services};

/// What `serve` was asked besides the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Serve,
    /// Apply definitions as they are saved.
    Dev,
    /// Print a sign-in link for the demo's administrator.
    Demo,
}

/// Starts the log on standard error.
pub fn start_log(log: &Log) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start in one process (tests) keeps the first.
    let _ = match log.format {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

/// Serves until a signal comes.
///
/// # Errors
/// An address in use, a database that does not open.
pub async fn serve(
    config: &Config,
    workspace: Workspace,
    mode: Mode,
    say: impl Fn(&str) + Send + Sync + Clone + 'static,
) -> Result<(), AppError> {
    let listener = TcpListener::bind(&config.listen)
        .await
        .map_err(|error| AppError::Listen { address: config.listen.clone(), reason: error.to_string() })?;
    let (stop, stopped) = watch::channel(false);
    let mut web_config = config.web.clone();
    if config.listen.ends_with(":0")
        && let Ok(address) = listener.local_addr()
    {
        // The system chose the port: links must name it.
        let url = format!("http://localhost:{}", address.port());
        web_config.public_url = web::PublicUrl::parse(&url).unwrap_or(web_config.public_url);
    }
    if matches!(config.target, Target::Sqlite { .. }) {
        control::listen(workspace.clone(), web_config.public_url.clone(), &config.data, stopped.clone())
            .await
            .map_err(|error| AppError::File { path: config.data.display().to_string(), reason: error.to_string() })?;
    }
    let follower = tokio::spawn(workspace.clone().follow(stopped.clone()));
    let runner = workspace.runner.clone();
    let until = stopped.clone();
    let jobs = tokio::spawn(async move { runner.run(until).await });
    if mode == Mode::Dev {
        super::watch::watch(workspace.clone(), stopped.clone(), say.clone()).await?;
    }
    let router = web::router(services(&workspace, web_config.clone()));
    announce(&workspace, &web_config, mode, &say).await?;
    let shutdown = async move {
        signal().await;
        let _ = stop.send(true);
    };
    web::serve(listener, router, &web_config, shutdown).await.map_err(|error| AppError::Start(error.to_string()))?;
    let _ = jobs.await;
    follower.abort();
    workspace.store.close().await?;
    say("stopped");
    Ok(())
}

/// The rooms as the web wants them.
pub fn services(workspace: &Workspace, config: web::WebConfig) -> Services {
    let door = Arc::new(Door { workspace: workspace.clone() });
    Services {
        catalog: workspace.catalog.clone(),
        records: workspace.records.clone(),
        automation: workspace.automation.clone(),
        auth: workspace.auth.clone(),
        definitions: door.clone(),
        readiness: door,
        clock: workspace.clock.clone(),
        random: workspace.random.clone(),
        config,
    }
}

async fn announce(workspace: &Workspace, config: &web::WebConfig, mode: Mode, say: &(impl Fn(&str) + Sync)) -> Result<(), AppError> {
    let url = &config.public_url;
    say(&format!("Relata {} serves {}", env!("CARGO_PKG_VERSION"), url.join("/")));
    if mode == Mode::Demo {
        let link = workspace.auth.create_sign_in_link(super::demo::ADMIN).await?;
        say(&format!("Sign in (once, within ten minutes): {}", url.join(&link)));
        say(&format!("Later: {} with the password {}", super::demo::ADMIN, super::demo::PASSWORD_NOTE));
    } else if let Some(token) = workspace.auth.begin_setup().await? {
        say(&format!("Nobody can sign in yet. Make the first administrator: {}", url.join(&format!("/setup?token={token}"))));
    }
    Ok(())
}

/// Ctrl-C or a service manager's stop.
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(interrupt.await),
    }
}
