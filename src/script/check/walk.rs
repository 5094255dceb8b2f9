//! The walk through one function.

use rhai::{AST, ASTFlags, Expr, FlowControl, FnCallExpr, Position, ScriptFuncDef, Stmt, StmtBlock};

use super::types::{self, Ty};
use super::{Found, calls, names};
use crate::base::EntityIx;
use crate::schema::catalog::{Catalog, Field, FieldType};
use crate::script::compile::ScriptSource;

/// What the walk knows at a place.
pub(super) struct Walk<'a> {
    pub source: &'a ScriptSource<'a>,
    pub catalog: &'a Catalog,
    /// The script's own functions.
    pub own: &'a [&'a ScriptFuncDef],
    pub faults: &'a mut Vec<Found>,
    /// Types of variables in sight, innermost last.
    scope: Vec<(String, Ty)>,
}

/// Checks one function of the script.
pub(super) fn function(
    ast: &AST,
    function: &ScriptFuncDef,
    own: &[&ScriptFuncDef],
    source: &ScriptSource<'_>,
    catalog: &Catalog,
    faults: &mut Vec<Found>,
) {
    let is_run = function.name == "run" && function.params.len() == 3;
    let is_closure = function.name.starts_with("anon$");
    let record = || source.entity.map_or(Ty::Nothing, Ty::Record);
    let mut scope = Vec::new();
    for (position, name) in function.params.iter().enumerate() {
        // Parameters of `run` by their place; those of helpers by their customary names.
        let ty = match (is_run, position, name.as_str()) {
            (true, 0 | 1, _) => record(),
            (true, 2, _) => Ty::Parts(types::CTX),
            (false, _, "rec" | "old") if !is_closure => record(),
            (false, _, "ctx") if !is_closure => Ty::Parts(types::CTX),
            _ => Ty::Unknown,
        };
        scope.push((name.to_string(), ty));
    }
    let mut walk = Walk { source, catalog, own, faults, scope };
    super::each_statement(ast, &function.name, function.params.len(), &mut |statement| walk.statement(statement));
}

impl<'a> Walk<'a> {
    pub fn fault(&mut self, position: Position, code: &'static str, message: impl Into<String>, hint: Option<String>) {
        self.faults.push(Found::at(position, code, message, hint));
    }

    fn block(&mut self, block: &StmtBlock) {
        let depth = self.scope.len();
        for statement in block.statements() {
            self.statement(statement);
        }
        self.scope.truncate(depth);
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Var(parts, _, _) => {
                let ty = self.expression(&parts.1);
                self.scope.push((parts.0.name.to_string(), ty));
            }
            Stmt::Assignment(parts) => self.assignment(&parts.1),
            Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, _, _) => self.flow(flow),
            Stmt::For(parts, _) => {
                let list = self.expression(&parts.2.expr);
                let depth = self.scope.len();
                let item = if let Ty::Records(entity) = list { Ty::Record(entity) } else { Ty::Unknown };
                self.scope.push((parts.0.name.to_string(), item));
                if let Some(counter) = &parts.1 {
                    self.scope.push((counter.name.to_string(), Ty::Number));
                }
                self.block(&parts.2.body);
                self.scope.truncate(depth);
            }
            Stmt::Switch(parts, _) => {
                self.expression(&parts.0);
                for case in &parts.1.expressions {
                    self.expression(&case.lhs);
                    self.expression(&case.rhs);
                }
            }
            Stmt::TryCatch(flow, _) => {
                self.block(&flow.body);
                let depth = self.scope.len();
                if let Expr::Variable(name, _, _) = &flow.expr {
                    self.scope.push((name.1.to_string(), Ty::Unknown));
                }
                self.block(&flow.branch);
                self.scope.truncate(depth);
            }
            Stmt::FnCall(call, position) => {
                calls::check(self, call, *position, None);
            }
            Stmt::Block(block) => self.block(block),
            Stmt::Expr(expression) => {
                self.expression(expression);
            }
            Stmt::BreakLoop(Some(value), _, _) | Stmt::Return(Some(value), _, _) => {
                self.expression(value);
            }
            _ => {}
        }
    }

    fn flow(&mut self, flow: &FlowControl) {
        self.expression(&flow.expr);
        self.block(&flow.body);
        self.block(&flow.branch);
    }

    /// `target = value`, `target += value`.
    fn assignment(&mut self, parts: &rhai::BinaryExpr) {
        let value = self.expression(&parts.rhs);
        let target = self.expression(&parts.lhs);
        if let Expr::Variable(name, _, _) = &parts.lhs {
            if let Some(known) = self.scope.iter_mut().rev().find(|(known, _)| *known == name.1.as_str())
                && known.1 != value
            {
                known.1 = Ty::Unknown;
            }
            return;
        }
        self.option_text(&target, &parts.rhs);
        if let Some((owner, entity, name, position)) = self.assigned_field(&parts.lhs) {
            self.assigned(owner, entity, &name, position);
        }
    }

    /// For `x.field = …` with a record `x`: the variable's name, the entity, the field's name and place.
    fn assigned_field<'e>(&mut self, target: &'e Expr) -> Option<(&'e str, EntityIx, String, Position)> {
        let (Expr::Dot(parts, ..) | Expr::Index(parts, ..)) = target else { return None };
        let Expr::Variable(variable, ..) = &parts.lhs else { return None };
        let Ty::Record(entity) = self.variable(&variable.1) else { return None };
        let (Expr::Dot(inner, ..) | Expr::Index(inner, ..)) = &parts.rhs else {
            return self.name_of(&parts.rhs).map(|(name, position)| (variable.1.as_str(), entity, name, position));
        };
        self.name_of(&inner.lhs).map(|(name, position)| (variable.1.as_str(), entity, name, position))
    }

    fn name_of(&self, expression: &Expr) -> Option<(String, Position)> {
        match expression {
            Expr::Property(parts, position) => Some((parts.2.to_string(), *position)),
            Expr::StringConstant(text, position) => Some((text.to_string(), *position)),
            _ => None,
        }
    }

    fn assigned(&mut self, owner: &str, entity: EntityIx, name: &str, position: Position) {
        let Some(field) = self.catalog.entity(entity).find_field(name) else { return };
        if owner == "old" {
            self.fault(position, "AUT131", "`old` is the former record: it cannot be changed", Some(format!("assign to `rec.{name}`")));
        } else if owner != "rec" || !self.source.kind.may_change_rec() {
            let kind = self.source.kind.word();
            let message =
                if owner == "rec" { format!("a {kind} script cannot assign to `rec`") } else { format!("`{owner}` is read only") };
            self.fault(
                position,
                "AUT131",
                message,
                Some(format!(
                    "write `update({owner}, #{{{name}: …}})`{}",
                    if self.source.kind.may_write() { "" } else { " in an after_write script" }
                )),
            );
        } else if matches!(field.ty, FieldType::Children { .. }) {
            let hint = Some("change the records one by one in an after_write script".to_owned());
            self.fault(position, "AUT132", format!("`{name}` holds other records: it cannot be set"), hint);
        } else if field.read_only && name != "owner" {
            self.fault(position, "AUT132", format!("`{name}` is computed or kept by the system: it cannot be set"), None);
        }
    }

    /// Checks an expression and says what is known of its value.
    pub fn expression(&mut self, expression: &Expr) -> Ty {
        match expression {
            Expr::Variable(name, _, _) => self.variable(&name.1),
            Expr::Dot(parts, _, _) => {
                let left = self.expression(&parts.lhs);
                self.step(left, &parts.rhs)
            }
            Expr::Index(parts, flags, _) => {
                let left = self.expression(&parts.lhs);
                self.index(left, &parts.rhs, *flags)
            }
            Expr::FnCall(call, position) | Expr::MethodCall(call, position) => calls::check(self, call, *position, None),
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                for part in parts.iter() {
                    self.expression(part);
                }
                Ty::Bool
            }
            Expr::Coalesce(parts, _) => {
                let types: Vec<Ty> = parts.iter().map(|part| self.expression(part)).collect();
                types.into_iter().next().unwrap_or(Ty::Unknown)
            }
            Expr::InterpolatedString(parts, _) => {
                for part in parts.iter() {
                    self.expression(part);
                }
                Ty::Text
            }
            Expr::Array(items, _) => {
                for item in items.iter() {
                    self.expression(item);
                }
                Ty::Unknown
            }
            Expr::Map(parts, _) => {
                for (_, value) in &parts.0 {
                    self.expression(value);
                }
                Ty::Unknown
            }
            Expr::Stmt(block) => {
                self.block(block);
                Ty::Unknown
            }
            Expr::StringConstant(..) => Ty::Text,
            Expr::IntegerConstant(..) | Expr::DynamicConstant(..) => Ty::Number,
            Expr::BoolConstant(..) => Ty::Bool,
            _ => Ty::Unknown,
        }
    }

    fn variable(&self, name: &str) -> Ty {
        self.scope.iter().rev().find(|(known, _)| known == name).map_or(Ty::Unknown, |(_, ty)| ty.clone())
    }

    /// One step of a chain: what follows a dot.
    fn step(&mut self, left: Ty, right: &Expr) -> Ty {
        match right {
            Expr::Property(parts, position) => self.property(&left, &parts.2, *position),
            Expr::MethodCall(call, position) | Expr::FnCall(call, position) => calls::check(self, call, *position, Some(left)),
            Expr::Dot(parts, _, _) => {
                let middle = self.step(left, &parts.lhs);
                self.step(middle, &parts.rhs)
            }
            Expr::Index(parts, flags, _) => {
                let middle = self.step(left, &parts.lhs);
                self.index(middle, &parts.rhs, *flags)
            }
            other => self.expression(other),
        }
    }

    /// What stands between brackets; the chain goes on inside unless it breaks here.
    fn index(&mut self, left: Ty, right: &Expr, flags: ASTFlags) -> Ty {
        if !flags.contains(ASTFlags::BREAK) {
            match right {
                Expr::Dot(parts, _, _) => {
                    let middle = self.indexed(left, &parts.lhs);
                    return self.step(middle, &parts.rhs);
                }
                Expr::Index(parts, inner, _) => {
                    let middle = self.indexed(left, &parts.lhs);
                    return self.index(middle, &parts.rhs, *inner);
                }
                _ => {}
            }
        }
        self.indexed(left, right)
    }

    fn indexed(&mut self, left: Ty, index: &Expr) -> Ty {
        if let (Ty::Record(_) | Ty::Parts(_), Expr::StringConstant(name, position)) = (&left, index) {
            return self.property(&left, name, *position);
        }
        self.expression(index);
        if let Ty::Records(entity) = left { Ty::Record(entity) } else { Ty::Unknown }
    }

    /// `left.name`
    fn property(&mut self, left: &Ty, name: &str, position: Position) -> Ty {
        match left {
            Ty::Record(entity) => match self.field(*entity, name, position) {
                Some(field) => types::of_field(self.catalog, *entity, field),
                None => Ty::Unknown,
            },
            Ty::Id(entity) => {
                let slug = &self.catalog.entity(*entity).slug;
                let message = format!("this is the id of a {slug}, a text: it has no `{name}`");
                self.fault(position, "AUT124", message, Some(format!("read the record first: `get(\"{slug}\", …).{name}`")));
                Ty::Unknown
            }
            Ty::Records(entity) => {
                let slug = &self.catalog.entity(*entity).slug;
                if name == "len" {
                    return Ty::Number;
                }
                let hint = Some("go through it with `for`, or take one with `[0]`".to_owned());
                self.fault(position, "AUT123", format!("this is a list of {slug} records: it has no `{name}`"), hint);
                Ty::Unknown
            }
            Ty::Nothing => {
                self.fault(position, "AUT125", "a schedule has no record", Some("look for records with `find`".to_owned()));
                Ty::Unknown
            }
            known => {
                if let Some(names) = types::properties(known)
                    && !names.contains(&name)
                {
                    let message = format!("{} has no `{name}`", types::word(known));
                    self.fault(position, "AUT123", message, names::one_of(name, names));
                    return Ty::Unknown;
                }
                types::of_property(known, name)
            }
        }
    }

    /// A field by name, or a fault.
    pub fn field(&mut self, entity: EntityIx, name: &str, position: Position) -> Option<&'a Field> {
        let catalog: &'a Catalog = self.catalog;
        let entity = catalog.entity(entity);
        let found = entity.find_field(name);
        if found.is_none() {
            let hint = names::near(name, entity.fields.iter().map(|field| field.name.as_str()));
            self.fault(position, "AUT121", format!("`{}` has no field `{name}`", entity.slug), hint);
        }
        found
    }

    /// A literal text that stands where a select's key must stand.
    pub fn option_text(&mut self, ty: &Ty, expression: &Expr) {
        let (Ty::Option(entity, field), Expr::StringConstant(text, position)) = (ty, expression) else { return };
        let Some(options) = types::options(self.catalog, *entity, *field) else { return };
        let known: Vec<&str> = options.list.options.iter().map(|option| option.key.as_str()).collect();
        if text.is_empty() || known.contains(&text.as_str()) {
            return;
        }
        let name = &self.catalog.entity(*entity).field(*field).name;
        let hint = names::one_of(text, &known);
        self.fault(*position, "AUT126", format!("`{name}` has no option `{text}`"), hint);
    }

    /// The fields named by a map literal, for an entity.
    pub fn field_map(&mut self, entity: EntityIx, map: &Expr) {
        let Expr::Map(parts, _) = map else { return };
        for (name, value) in &parts.0 {
            let Some(field) = self.field(entity, &name.name, name.pos) else { continue };
            let (read_only, ix, ty) = (field.read_only && field.name != "owner", field.ix, matches!(field.ty, FieldType::Select(_)));
            if read_only {
                self.fault(name.pos, "AUT132", format!("`{}` is computed or kept by the system: it cannot be set", name.name), None);
            }
            if ty {
                self.option_text(&Ty::Option(entity, ix), value);
            }
        }
    }

    pub fn call_name_is_own(&self, call: &FnCallExpr) -> bool {
        self.own.iter().any(|function| function.name == call.name)
    }
}
