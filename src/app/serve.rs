//! The server: one process over one workspace.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::door::Door;
use super::{AppError, Config, Workspace, control};
use crate::base::system::OpenFiles;
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
    fit_open_files(&mut web_config);
    if let Some(tls) = web_config.tls.clone() {
        tokio::spawn(follow_certificate(tls, stopped.clone()));
    }
    if config.listen.ends_with(":0")
        && let Ok(address) = listener.local_addr()
    {
        // The system chose the port: links must name it.
        let scheme = if web_config.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", address.port());
        web_config.public_url = web::PublicUrl::parse(&url).unwrap_or(web_config.public_url);
    }
    if matches!(config.target, Target::Sqlite { .. }) {
        control::listen(workspace.clone(), web_config.public_url.clone(), &config.data, stopped.clone())
            .await
            .map_err(|error| AppError::File { path: config.data.display().to_string(), reason: error.to_string() })?;
    }
    let follower = tokio::spawn(workspace.clone().follow(stopped.clone()));
    let anchors =
        config.audit_anchors.clone().map(|path| tokio::spawn(super::audit::keep_anchors(workspace.store.clone(), path, stopped.clone())));
    let runner = workspace.runner.clone();
    let until = stopped.clone();
    let jobs = tokio::spawn(async move { runner.run(until).await });
    let chores = tokio::spawn(workspace.clone().queue_chores_hourly(stopped.clone()));
    let pauses = tokio::spawn(workspace.clone().look_at_pauses(stopped.clone()));
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
    let _ = chores.await;
    let _ = pauses.await;
    if let Some(anchors) = anchors {
        let _ = anchors.await;
    }
    follower.abort();
    workspace.store.close().await?;
    say("stopped");
    Ok(())
}

/// Open files beside connections: database, its log, files being sent, outgoing requests.
pub(super) const OTHER_FILES: u64 = 512;

/// Raises the limit on open files as far as the system lets us; where that is not enough, fewer connections are kept.
fn fit_open_files(config: &mut web::WebConfig) {
    let wanted = config.max_connections as u64 + OTHER_FILES;
    let limit = OpenFiles::ask();
    if limit.now >= wanted {
        return;
    }
    // Root may raise the second limit too.
    if !OpenFiles::set(wanted, limit.most.max(wanted)) {
        OpenFiles::set(wanted.min(limit.most), limit.most);
    }
    let has = OpenFiles::ask().now;
    if has < wanted {
        let fits = usize::try_from(has.saturating_sub(OTHER_FILES).max(has / 2)).unwrap_or(usize::MAX);
        tracing::warn!(
            open_files = has,
            needed = wanted,
            connections = fits,
            "the system allows too few open files: fewer connections are kept (LimitNOFILE= of systemd or `ulimit -n` raises it)"
        );
        config.max_connections = fits.max(1);
    }
}

/// Reads the certificate again on SIGHUP and once a minute, so that a renewed one is used without a restart.
async fn follow_certificate(tls: web::Tls, mut stopped: watch::Receiver<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    let mut complained = false;
    loop {
        tokio::select! {
            _ = hangup.recv() => complained = false,
            () = tokio::time::sleep(std::time::Duration::from_secs(60)) => {}
            _ = stopped.changed() => return,
        }
        match tls.reload() {
            Ok(true) => tracing::info!("the new certificate is in use"),
            Ok(false) => complained = false,
            Err(reason) if !complained => {
                tracing::error!(error = %reason, "the certificate cannot be read again; the former one is used on");
                complained = true;
            }
            Err(_) => {}
        }
    }
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
