//! A plan as a person reads it.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::plan::{Plan, Risk, Step};
use crate::schema::{Op, OpKind};

/// The plan as lines: `+` adds, `~` changes, `-` hides, `!` blocked or widening what somebody may; at the end the sums and what is needed.
pub fn text(plan: &Plan) -> String {
    if plan.is_empty() {
        return format!("No changes: the workspace is at version {} and matches its definitions.\n", plan.base);
    }
    let mut out = String::new();
    let _ = writeln!(out, "Plan {}  base v{}  target {}", plan.id, plan.base, &plan.target_digest[..plan.target_digest.len().min(12)]);
    let created: HashSet<&str> =
        plan.steps.iter().filter(|step| matches!(step.op.kind, OpKind::CreateEntity { .. })).map(|step| step.op.entity.as_str()).collect();
    // What belongs to a new entity comes with it: one line says so.
    let shown: Vec<&Step> = plan
        .steps
        .iter()
        .filter(|step| {
            step.blocked.is_some() || matches!(step.op.kind, OpKind::CreateEntity { .. }) || !created.contains(step.op.entity.as_str())
        })
        .collect();
    let subjects: Vec<String> = shown.iter().map(|step| subject(&step.op)).collect();
    let width = subjects.iter().map(|subject| subject.chars().count()).max().unwrap_or(0).min(56);
    for (step, subject) in shown.into_iter().zip(&subjects) {
        let sign = if step.blocked.is_some() || step.risk == Risk::WideningAccess { '!' } else { sign(&step.op.kind) };
        let pad = " ".repeat(width.saturating_sub(subject.chars().count()));
        let _ = writeln!(out, "  {sign} {subject}{pad}  {:<14}  {}", step.risk.word(), step.effect.text());
        details(step, &mut out);
    }
    let count = |wanted: char| plan.steps.iter().filter(|step| sign(&step.op.kind) == wanted).count();
    let _ = writeln!(out, "{} to add, {} to change, {} to hide.", count('+'), count('~'), count('-'));
    for sentence in plan.blocked() {
        let _ = writeln!(out, "Blocked: {sentence}");
    }
    for confirmation in &plan.confirmations {
        let _ = writeln!(out, "Needs --accept {}  ({})", confirmation.name, confirmation.reason);
    }
    out
}

fn details(step: &Step, out: &mut String) {
    for change in &step.op.changes {
        let _ = writeln!(out, "      {}: {} -> {}", change.property, short(&change.old), short(&change.new));
    }
}

fn short(value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::Null => "(none)".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= 60 {
        return text;
    }
    let cut: String = text.chars().take(57).collect();
    format!("{cut}…")
}

fn sign(kind: &OpKind) -> char {
    match kind {
        OpKind::CreateEntity { .. }
        | OpKind::RestoreEntity { .. }
        | OpKind::CreateField { .. }
        | OpKind::RestoreField { .. }
        | OpKind::CreateOption { .. }
        | OpKind::RestoreOption { .. }
        | OpKind::CreateUnique { .. }
        | OpKind::CreateIndex { .. }
        | OpKind::CreatePart { .. } => '+',
        OpKind::RetireEntity { .. }
        | OpKind::RetireField { .. }
        | OpKind::RetireOption { .. }
        | OpKind::DropUnique { .. }
        | OpKind::DropIndex { .. }
        | OpKind::RemovePart { .. } => '-',
        OpKind::RenameEntity { .. }
        | OpKind::ChangeEntity { .. }
        | OpKind::RenameField { .. }
        | OpKind::ChangeField { .. }
        | OpKind::ChangeOption { .. }
        | OpKind::ChangePart { .. } => '~',
    }
}

/// The kind of change as one stable word.
pub fn kind_word(kind: &OpKind) -> &'static str {
    match kind {
        OpKind::CreateEntity { .. } => "create_entity",
        OpKind::RetireEntity { .. } => "retire_entity",
        OpKind::RestoreEntity { .. } => "restore_entity",
        OpKind::RenameEntity { .. } => "rename_entity",
        OpKind::ChangeEntity { .. } => "change_entity",
        OpKind::CreateField { .. } => "create_field",
        OpKind::RetireField { .. } => "retire_field",
        OpKind::RestoreField { .. } => "restore_field",
        OpKind::RenameField { .. } => "rename_field",
        OpKind::ChangeField { .. } => "change_field",
        OpKind::CreateOption { .. } => "create_option",
        OpKind::RetireOption { .. } => "retire_option",
        OpKind::RestoreOption { .. } => "restore_option",
        OpKind::ChangeOption { .. } => "change_option",
        OpKind::CreateUnique { .. } => "create_unique",
        OpKind::DropUnique { .. } => "drop_unique",
        OpKind::CreateIndex { .. } => "create_index",
        OpKind::DropIndex { .. } => "drop_index",
        OpKind::CreatePart { .. } => "create_part",
        OpKind::RemovePart { .. } => "remove_part",
        OpKind::ChangePart { .. } => "change_part",
    }
}

/// What a line is about: `crm.deal.budget`, `crm.deal option lost`, `view mine`.
pub fn subject(op: &Op) -> String {
    let of = |word: &str| if op.entity.is_empty() { format!("{word} {}", op.name) } else { format!("{} {word} {}", op.entity, op.name) };
    match &op.kind {
        OpKind::CreateEntity { .. } | OpKind::RetireEntity { .. } | OpKind::RestoreEntity { .. } | OpKind::ChangeEntity { .. } => {
            op.entity.clone()
        }
        OpKind::RenameEntity { from, .. } => format!("{from} -> {}", op.entity),
        OpKind::RenameField { from, .. } => format!("{}.{from} -> {}", op.entity, op.name),
        OpKind::CreateField { .. } | OpKind::RetireField { .. } | OpKind::RestoreField { .. } | OpKind::ChangeField { .. } => {
            format!("{}.{}", op.entity, op.name)
        }
        OpKind::CreateOption { .. } | OpKind::RetireOption { .. } | OpKind::RestoreOption { .. } | OpKind::ChangeOption { .. } => {
            of("option")
        }
        OpKind::CreateUnique { .. } | OpKind::DropUnique { .. } => of("unique"),
        OpKind::CreateIndex { .. } | OpKind::DropIndex { .. } => of("index"),
        OpKind::CreatePart { part } | OpKind::RemovePart { part } | OpKind::ChangePart { part } => of(&format!("{part:?}").to_lowercase()),
    }
}
