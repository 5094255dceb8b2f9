//! [`Ast`] to normalised text: `==` becomes `=`, `&&` becomes `and`, only needed parentheses stay.

use super::ast::{Ast, AstKind, HasWord, Name};
use super::lexer::RESERVED;
use super::tree::{ArithmeticOp, CompareOp, MatchKind};

/// The normalised text; parsing it gives the same tree.
pub fn print(ast: &Ast) -> String {
    let mut out = String::new();
    write(ast, 0, &mut out);
    out
}

/// How tightly a node binds: a part that binds looser than its place allows stands in parentheses.
fn strength(ast: &Ast) -> u8 {
    match &ast.kind {
        AstKind::Or(_) => 1,
        AstKind::And(_) => 2,
        AstKind::Not(_) => 3,
        AstKind::Compare { .. }
        | AstKind::In { .. }
        | AstKind::Between { .. }
        | AstKind::IsNull { .. }
        | AstKind::Match { .. }
        | AstKind::Has { .. } => 4,
        AstKind::Arithmetic { op: ArithmeticOp::Add | ArithmeticOp::Sub, .. } => 5,
        AstKind::Arithmetic { .. } => 6,
        AstKind::Negate(_) => 7,
        _ => 8,
    }
}

fn write(ast: &Ast, at_least: u8, out: &mut String) {
    if strength(ast) < at_least {
        out.push('(');
        write(ast, 0, out);
        out.push(')');
        return;
    }
    match &ast.kind {
        AstKind::Null => out.push_str("null"),
        AstKind::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        AstKind::Number(digits) => out.push_str(digits),
        AstKind::Text(text) => {
            out.push('\'');
            out.push_str(&text.replace('\'', "''"));
            out.push('\'');
        }
        AstKind::Path(names) => write_path(names, out),
        AstKind::Or(items) => write_joined(items, " or ", 2, out),
        AstKind::And(items) => write_joined(items, " and ", 3, out),
        AstKind::Not(inner) => {
            out.push_str("not ");
            write(inner, 3, out);
        }
        AstKind::Negate(inner) => {
            out.push('-');
            write(inner, 7, out);
        }
        AstKind::Compare { op, left, right } => write_infix(left, compare_sign(*op), right, 5, 5, out),
        AstKind::Arithmetic { op, left, right } => {
            let own = strength(ast);
            write_infix(left, arithmetic_sign(*op), right, own, own + 1, out);
        }
        AstKind::In { item, list, negated } => {
            write(item, 5, out);
            if let [Ast { kind: AstKind::Call { name, .. }, .. }] = &list[..]
                && super::parse::is_own_list(&name.text)
            {
                out.push_str(if *negated { " not in " } else { " in " });
                return write(&list[0], 5, out);
            }
            out.push_str(if *negated { " not in (" } else { " in (" });
            write_joined(list, ", ", 5, out);
            out.push(')');
        }
        AstKind::Between { item, low, high, negated } => {
            write(item, 5, out);
            out.push_str(if *negated { " not between " } else { " between " });
            write_infix(low, "and", high, 5, 5, out);
        }
        AstKind::IsNull { item, negated } => {
            write(item, 5, out);
            out.push_str(if *negated { " is not null" } else { " is null" });
        }
        AstKind::Match { kind, item, pattern, negated } => {
            write(item, 5, out);
            out.push_str(if *negated { " not " } else { " " });
            out.push_str(match_word(*kind));
            out.push(' ');
            write(pattern, 5, out);
        }
        AstKind::Has { kind, item, keys } => write_has(*kind, item, keys, out),
        AstKind::Call { name, args, filter } => {
            out.push_str(&name.text);
            out.push('(');
            write_joined(args, ", ", 0, out);
            if let Some(filter) = filter {
                out.push_str(if args.is_empty() { "where " } else { " where " });
                write(filter, 0, out);
            }
            out.push(')');
        }
        AstKind::Case { arms, otherwise } => write_case(arms, otherwise.as_deref(), out),
    }
}

fn write_path(names: &[Name], out: &mut String) {
    for (position, name) in names.iter().enumerate() {
        if position > 0 {
            out.push('.');
        }
        if position == 0 && RESERVED.iter().any(|word| name.text.eq_ignore_ascii_case(word)) {
            out.push('`');
            out.push_str(&name.text);
            out.push('`');
        } else {
            out.push_str(&name.text);
        }
    }
}

fn write_joined(items: &[Ast], separator: &str, at_least: u8, out: &mut String) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push_str(separator);
        }
        write(item, at_least, out);
    }
}

fn write_infix(left: &Ast, sign: &str, right: &Ast, left_least: u8, right_least: u8, out: &mut String) {
    write(left, left_least, out);
    out.push(' ');
    out.push_str(sign);
    out.push(' ');
    write(right, right_least, out);
}

fn write_has(kind: HasWord, item: &Ast, keys: &[Ast], out: &mut String) {
    write(item, 5, out);
    if kind == HasWord::Has
        && let [key] = keys
    {
        out.push_str(" has ");
        // A list in parentheses may follow `has`; a key in parentheses would be read as one.
        write(key, 8, out);
        return;
    }
    out.push_str(match kind {
        HasWord::Has => " has (",
        HasWord::HasAny => " has_any (",
        HasWord::HasAll => " has_all (",
    });
    write_joined(keys, ", ", 5, out);
    out.push(')');
}

fn write_case(arms: &[(Ast, Ast)], otherwise: Option<&Ast>, out: &mut String) {
    out.push_str("case");
    for (condition, value) in arms {
        out.push_str(" when ");
        write(condition, 0, out);
        out.push_str(" then ");
        write(value, 0, out);
    }
    if let Some(otherwise) = otherwise {
        out.push_str(" else ");
        write(otherwise, 0, out);
    }
    out.push_str(" end");
}

/// The sign of a comparison as it is printed.
pub(super) fn compare_sign(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "=",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

/// The sign of an operation as it is printed.
pub(super) fn arithmetic_sign(op: ArithmeticOp) -> &'static str {
    match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Sub => "-",
        ArithmeticOp::Mul => "*",
        ArithmeticOp::Div => "/",
        ArithmeticOp::Mod => "%",
    }
}

/// The word of a text match as it is printed.
pub(super) fn match_word(kind: MatchKind) -> &'static str {
    match kind {
        MatchKind::Contains => "contains",
        MatchKind::StartsWith => "starts_with",
        MatchKind::EndsWith => "ends_with",
        MatchKind::Like => "like",
    }
}
