//! One run of a script on the calling thread.

use rhai::{Dynamic, EvalAltResult, Map, Position, Scope};

use super::call::{Call, within};
use super::compile::Compiled;
use super::engine::Engine;
use super::error::{Cause, ScriptError};
use super::host::ScriptHost;
use super::input::{Context, Input, Outcome};
use super::types::Record;
use super::types::record::Standing;
use super::value;

/// Runs a script to its end or to a limit. Call it on a [`super::Pool`] thread: it blocks, and it needs a deep stack.
///
/// # Errors
/// With the place in the script's file.
pub fn run(script: &Compiled, input: Input, host: Box<dyn ScriptHost>) -> Result<Outcome, ScriptError> {
    let engine = Engine::shared();
    let Input { catalog, record, old, context } = input;
    let entity = record.as_ref().map(|data| data.entity);
    let standing = if script.kind.may_change_rec() { Standing::Open } else { Standing::Stored };
    let rec = record.map(|data| Record::new(&catalog, data, standing));
    let old = match (old, entity) {
        (Some(data), _) => Some(Record::new(&catalog, data, Standing::Former)),
        (None, Some(entity)) => Some(Record::absent(&catalog, entity)),
        (None, None) => None,
    };
    let arguments = [rec.clone().map_or(Dynamic::UNIT, Dynamic::from), old.map_or(Dynamic::UNIT, Dynamic::from), context_map(&context)];
    let call = Call::new(catalog, &script.id, context, script.kind, script.limits, host);
    let work = || {
        let mut scope = Scope::new();
        for (name, argument) in script.parameters.iter().zip(arguments) {
            scope.push_dynamic(name.as_ref(), argument);
        }
        let result = engine.rhai.eval_ast_with_scope::<Dynamic>(&mut scope, &script.ast);
        result.and_then(|answer| value::to_json(&answer).or(Ok(serde_json::Value::Null)))
    };
    let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| within(call, work)));
    let (result, call) = match attempt {
        Ok((result, Some(call))) => (result, call),
        Ok((_, None)) | Err(_) => return Err(at(script, Position::NONE, "the script engine broke off".to_owned(), Cause::Panic)),
    };
    match result {
        // Some functions (`sort`) swallow the errors of the closures they call.
        Ok(_) if call.limit.is_some() => {
            let limit = call.limit.unwrap_or_default();
            Err(at(script, Position::NONE, format!("the script reached its limit of {limit}"), Cause::Limit(limit)))
        }
        Ok(answer) => Ok(Outcome {
            changed: rec.map(|rec| rec.changed()).unwrap_or_default(),
            rejects: call.rejects,
            warnings: call.warnings,
            answer,
            operations: call.operations,
            host_calls: call.host_calls,
        }),
        Err(error) => Err(explain(script, &error, call)),
    }
}

/// `ctx` in the script.
fn context_map(context: &Context) -> Dynamic {
    let chain: rhai::Array = context.chain.iter().map(|link| link.as_str().into()).collect();
    let user = if context.user.is_empty() { Dynamic::UNIT } else { context.user.as_str().into() };
    Dynamic::from_map(Map::from([
        ("now".into(), Dynamic::from(context.now)),
        ("today".into(), Dynamic::from(context.now.date_in(&context.time_zone))),
        ("user".into(), user),
        ("event".into(), context.event.as_str().into()),
        ("is_new".into(), (context.event == "create").into()),
        ("chain".into(), Dynamic::from_array(chain)),
        ("payload".into(), value::from_json(&context.payload)),
        ("currency".into(), context.currency.code().into()),
    ]))
}

fn at(script: &Compiled, position: Position, message: String, cause: Cause) -> ScriptError {
    let number = |part: Option<usize>| part.and_then(|part| u32::try_from(part).ok());
    let (line, column) = match (number(position.line()), number(position.position())) {
        (Some(line), column) => (line, column.unwrap_or(1)),
        (None, _) => script.run_place,
    };
    ScriptError { script: script.id.to_string(), file: script.file.to_string(), line, column, message, cause }
}

/// The innermost error with its place.
fn explain(script: &Compiled, error: &EvalAltResult, call: Call) -> ScriptError {
    let mut inner = error;
    let mut position = error.position();
    while let EvalAltResult::ErrorInFunctionCall(_, _, next, _) = inner {
        inner = next;
        if !inner.position().is_none() {
            position = inner.position();
        }
    }
    let limit = call.limit.or(limit_of(inner));
    let cause = match (limit, call.refusal) {
        (Some(limit), _) => Cause::Limit(limit),
        (None, Some(refusal)) if message(inner) == refusal.message => Cause::Host(refusal),
        _ => Cause::Runtime,
    };
    at(script, position, message(inner), cause)
}

/// rhai's own limits.
fn limit_of(error: &EvalAltResult) -> Option<&'static str> {
    match error {
        EvalAltResult::ErrorTooManyOperations(_) => Some("operations"),
        EvalAltResult::ErrorTooManyVariables(_) => Some("variables"),
        EvalAltResult::ErrorStackOverflow(_) => Some("call_depth"),
        EvalAltResult::ErrorDataTooLarge(..) => Some("size"),
        EvalAltResult::ErrorTooManyModules(_) => Some("modules"),
        _ => None,
    }
}

/// The message in plain words.
fn message(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorRuntime(value, _) | EvalAltResult::ErrorTerminated(value, _) => {
            let text = value.to_string();
            if text.is_empty() { "the script gave up".to_owned() } else { text }
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => match signature.split_once(" (") {
            Some((name, arguments)) if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                format!(
                    "`{name}` does not work with {}",
                    arguments.trim_end_matches(')').replace("()", "nothing (a field without a value)")
                )
            }
            _ => format!("no function fits the call `{signature}`"),
        },
        EvalAltResult::ErrorPropertyNotFound(name, _) => format!("there is no property `{name}`"),
        EvalAltResult::ErrorDotExpr(text, _) => {
            let text = lower_first(text);
            if text.contains("for type '()'") { format!("{text}: the value is nothing (a field without a value)") } else { text }
        }
        EvalAltResult::ErrorStackOverflow(_) => "the script's functions call each other too deeply".to_owned(),
        EvalAltResult::ErrorDataTooLarge(what, _) => format!("{} is too large", what.to_lowercase()),
        EvalAltResult::ErrorTooManyVariables(_) => "the script holds too many variables".to_owned(),
        other => {
            let mut unplaced = other.to_string();
            if let Some(end) = unplaced.rfind(" (line ") {
                unplaced.truncate(end);
            }
            lower_first(&unplaced)
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + chars.as_str())
}
