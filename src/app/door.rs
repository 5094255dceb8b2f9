//! What the web asks of rooms it must not know.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Value as Json, json};

use super::operation::plan_answer;
use super::{AppError, Workspace};
use crate::base::Explain;
use crate::deploy::{self, DeployError};
use crate::schema::diagnostic;
use crate::store;
use crate::web::{DefinitionsDoor, Gauge, Problem, Readiness, SourceFile};

/// Definitions of one workspace.
pub struct Door {
    pub workspace: Workspace,
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send + 'a>>;

impl Door {
    fn files(&self, files: Vec<SourceFile>) -> Result<Vec<crate::schema::SourceFile>, AppError> {
        if files.is_empty() {
            return Ok(deploy::read(&self.workspace.folders)?);
        }
        Ok(files.into_iter().map(|file| crate::schema::SourceFile::new(file.path, file.text)).collect())
    }
}

impl DefinitionsDoor for Door {
    fn check(&self, files: Vec<SourceFile>) -> Answer<'_, Json> {
        Box::pin(async move {
            let files = self.files(files).map_err(|error| problem(&error))?;
            let bindings =
                deploy::current(&self.workspace.store).await.map_err(|error| problem(&error.into()))?.map(|loaded| loaded.bindings);
            Ok(match deploy::check(&files, &bindings.unwrap_or_default()) {
                Ok(loaded) => json!({"ok": true, "diagnostics": diagnostic::to_json(&loaded.warnings)}),
                Err(faults) => json!({"ok": false, "diagnostics": diagnostic::to_json(&faults)}),
            })
        })
    }

    fn plan(&self, files: Vec<SourceFile>) -> Answer<'_, Json> {
        Box::pin(async move {
            let files = self.files(files).map_err(|error| problem(&error))?;
            let plan = deploy::plan(&self.workspace.store, &files).await.map_err(|error| problem(&error.into()))?;
            super::audit::note_plan(&self.workspace, &plan).await.map_err(|error| problem(&error))?;
            Ok(plan_answer(&plan).object)
        })
    }

    fn apply(&self, files: Vec<SourceFile>, plan_id: Option<String>, accept: Vec<String>, by: i64) -> Answer<'_, Json> {
        Box::pin(async move {
            let files = self.files(files).map_err(|error| problem(&error))?;
            let applied = self.workspace.apply(&files, plan_id.as_deref(), &accept, by).await.map_err(|error| problem(&error))?;
            Ok(json!({"version": applied.version, "changes": applied.changes, "text": applied.text}))
        })
    }

    fn versions(&self) -> Answer<'_, Json> {
        Box::pin(async move {
            let versions = store::catalog::list_versions(&self.workspace.store, 100).await.map_err(|error| problem(&error.into()))?;
            let list: Vec<Json> =
                versions.iter().map(|v| json!({"version": v.version, "digest": v.digest, "at": v.at.to_string(), "by": v.by})).collect();
            Ok(Json::Array(list))
        })
    }

    fn fault(&self) -> Option<String> {
        self.workspace.fault.load().as_ref().clone()
    }
}

impl Readiness for Door {
    fn ready(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async move { store::measure::alive(&self.workspace.store).await.map_err(|error| error.to_string()) })
    }

    fn gauges(&self) -> Pin<Box<dyn Future<Output = Vec<Gauge>> + Send + '_>> {
        Box::pin(super::gauges::measure(&self.workspace))
    }
}

/// A refusal as a problem document; faults of definitions one by one.
fn problem(error: &AppError) -> Problem {
    let mut problem = Problem::new(error.code(), error.to_string());
    problem.hint = error.hint();
    if let AppError::Deploy(DeployError::Faults(faults)) = error {
        for fault in faults {
            let place = format!("{}:{}:{}", fault.file, fault.line, fault.column);
            problem = problem.with_fault(place, fault.code, fault.message.clone(), json!({"hint": fault.full_hint()}));
        }
    }
    problem
}
