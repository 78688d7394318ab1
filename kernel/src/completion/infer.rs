//! Infers the type of an expression from the text alone: from written types,
//! the paths of constructors, and the signatures of known methods.

use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode as _, SyntaxToken};

use super::library::Library;
use super::members::{Member, Types};
use super::scope::{Scope, Value, one_line};
use super::standard::{Standard, is_iterator};
use crate::view::SessionView;

/// How many steps are followed from one expression to the next.
const DEPTH: usize = 16;

/// The sources of type information.
pub(super) struct Known<'a> {
    pub(super) view: &'a SessionView,
    /// The types of this cell and of earlier ones.
    pub(super) own: &'a Types,
    pub(super) library: &'a Library,
    pub(super) standard: &'a Standard,
}

/// A type as source text, and the origin of that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    text: String,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Cell,
    /// A method of the runtime: may also name types outside the prelude.
    Runtime,
    Standard,
}

impl Type {
    fn in_cell(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            origin: Origin::Cell,
        }
    }

    fn standard(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            origin: Origin::Standard,
        }
    }

    fn with(&self, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            origin: self.origin,
        }
    }

    /// Returns the path without references and arguments; `[]` for arrays and
    /// slices.
    fn path(&self) -> &str {
        let mut text = self.text.trim_start();
        while let Some(rest) = text.strip_prefix('&') {
            let rest = rest.trim_start();
            let lifetime = rest
                .strip_prefix('\'')
                .and_then(|rest| rest.split_once(' '));
            text = lifetime.map_or(rest, |(_, rest)| rest);
            text = text.strip_prefix("mut ").unwrap_or(text).trim_start();
        }
        if text.starts_with('[') {
            return "[]";
        }
        let end = text.find(['<', ' ', '(', '[']).unwrap_or(text.len());
        text[..end].trim_end_matches(':')
    }

    /// Returns the last part of the path.
    fn name(&self) -> &str {
        let path = self.path();
        path.rsplit("::").next().unwrap_or(path)
    }

    /// Returns the first argument of an `Option` or a `Result`.
    fn inner(&self) -> Option<Self> {
        let (path, arguments) = self.text.split_once('<')?;
        let name = path.rsplit("::").next().unwrap_or(path).trim();
        if !["Option", "Result", "SwathResult"].contains(&name) {
            return None;
        }
        let arguments = arguments.trim_end().strip_suffix('>')?;
        let mut depth = 0;
        let end = arguments.find(|character| {
            match character {
                '<' | '(' | '[' => depth += 1,
                '>' | ')' | ']' => depth -= 1,
                _ => {}
            }
            character == ',' && depth == 0
        });
        Some(self.with(arguments[..end.unwrap_or(arguments.len())].trim()))
    }
}

impl Known<'_> {
    /// Returns the members of a type.
    pub(super) fn members(&self, of: &Type) -> Vec<&Member> {
        self.members_from(of).0
    }

    /// Returns the members of a type, and the origin of the types in them.
    fn members_from(&self, of: &Type) -> (Vec<&Member>, Origin) {
        let (path, name) = (of.path(), of.name());
        let standard = |name| (self.standard.types.members(name), Origin::Standard);
        let library = |name| (self.library.types.members(name), Origin::Runtime);
        match of.origin {
            Origin::Runtime if self.library.types.has(name) => return library(name),
            Origin::Standard => return standard(name),
            Origin::Runtime | Origin::Cell => {}
        }
        let own = self.own.members(name);
        let is_own = !path.contains("::") || path.starts_with("self") || path.starts_with("crate");
        if is_own && self.own.has(name) {
            return (own, Origin::Cell);
        }
        if let Some(name) = self.library.type_at(path) {
            return library(name);
        }
        if let Some(name) = self.standard.type_at(path) {
            // Traits defined in the session may add more.
            let (mut all, origin) = standard(name);
            all.extend(own);
            return (all, origin);
        }
        (own, Origin::Cell)
    }

    /// Returns the type that a path names.
    pub(super) fn named(&self, path: &ast::Path) -> Type {
        let text = one_line(path.syntax());
        if text == "Self"
            && let Some(of) = path.syntax().ancestors().find_map(ast::Impl::cast)
            && let Some(of) = of.self_ty()
        {
            return Type::in_cell(one_line(of.syntax()));
        }
        Type::in_cell(text)
    }

    /// Returns the type of an expression.
    pub(super) fn type_of(&self, expression: &ast::Expr) -> Option<Type> {
        self.follow(expression, DEPTH)
    }

    fn follow(&self, expression: &ast::Expr, depth: usize) -> Option<Type> {
        let depth = depth.checked_sub(1)?;
        match expression {
            ast::Expr::ParenExpr(inner) => self.follow(&inner.expr()?, depth),
            ast::Expr::RefExpr(inner) => self.follow(&inner.expr()?, depth),
            ast::Expr::PrefixExpr(inner) => self.follow(&inner.expr()?, depth),
            ast::Expr::TryExpr(inner) => self.follow(&inner.expr()?, depth)?.inner(),
            ast::Expr::RecordExpr(record) => Some(self.named(&record.path()?)),
            ast::Expr::CastExpr(cast) => Some(Type::in_cell(one_line(cast.ty()?.syntax()))),
            ast::Expr::PathExpr(path) => self.of_path(&path.path()?, depth),
            ast::Expr::Literal(literal) => match literal.kind() {
                ast::LiteralKind::String(_) => Some(Type::standard("str")),
                _ => None,
            },
            ast::Expr::ArrayExpr(_) => Some(Type::standard("[]")),
            ast::Expr::RangeExpr(_) => Some(Type::standard("Iterator")),
            // `vec![…]`, whose `!` is a blank here.
            ast::Expr::IndexExpr(index) => {
                let base = index.base()?.syntax().text().to_string();
                (base.trim() == "vec").then(|| Type::standard("Vec"))
            }
            ast::Expr::CallExpr(call) => match call.expr()? {
                ast::Expr::PathExpr(path) => self.of_call(&path.path()?),
                _ => None,
            },
            ast::Expr::MethodCallExpr(call) => {
                let of = self.follow(&call.receiver()?, depth)?;
                let name = call.name_ref()?.text().to_string();
                let inner = match &name[..] {
                    "unwrap" | "expect" | "unwrap_or" | "unwrap_or_default" => of.inner(),
                    _ => None,
                };
                inner
                    .or_else(|| self.of_member(&of, &name))
                    .or_else(|| ["clone", "to_owned"].contains(&&name[..]).then_some(of))
            }
            ast::Expr::FieldExpr(field) => {
                let of = self.follow(&field.expr()?, depth)?;
                let name = field.name_ref()?.text().to_string();
                self.of_member(&of, &name)
            }
            // Arithmetic is on arrays and numbers; the result is assumed to
            // have the type of an operand.
            ast::Expr::BinExpr(binary) => match binary.op_kind()? {
                ast::BinaryOp::ArithOp(_) => {
                    let left = binary.lhs().and_then(|left| self.follow(&left, depth));
                    left.or_else(|| self.follow(&binary.rhs()?, depth))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the type of a variable, or of an associated constant.
    fn of_path(&self, path: &ast::Path, depth: usize) -> Option<Type> {
        if let Some(qualifier) = path.qualifier() {
            let name = path.segment()?.name_ref()?.text().to_string();
            return self.of_member(&self.named(&qualifier), &name);
        }
        let name = path.segment()?.syntax().text().to_string();
        let place: SyntaxToken = path.syntax().first_token()?;
        let scope = Scope::at(&place);
        if let Some(binding) = scope.bindings.iter().find(|binding| binding.name == name) {
            return match &binding.value {
                Value::Unknown => None,
                Value::Typed(of) | Value::Of(of) => Some(Type::in_cell(one_line(of.syntax()))),
                Value::Made(made) => self.follow(made, depth),
            };
        }
        let variables = self.view.variables.iter();
        let variable = variables
            .filter(|_| scope.sees_variables)
            .find(|variable| variable.name == name)?;
        Some(Type::in_cell(&variable.type_name[..]))
    }

    /// Returns the type of a call of an associated or free function.
    fn of_call(&self, path: &ast::Path) -> Option<Type> {
        let name = path.segment()?.name_ref()?.text().to_string();
        if let Some(qualifier) = path.qualifier() {
            let of = self.named(&qualifier);
            if let Some(result) = self.of_member(&of, &name) {
                return Some(result);
            }
        }
        if let Some(result) = self.own.result(&name) {
            return Some(Type::in_cell(result));
        }
        if self.library.prelude.contains(&name) {
            return Some(Type {
                text: self.library.types.result(&name)?.to_owned(),
                origin: Origin::Runtime,
            });
        }
        let standard = match &name[..] {
            "format" => "String",
            "Some" => "Option",
            "Err" | "Ok" => "Result",
            _ => "",
        };
        if !standard.is_empty() {
            return Some(Type::standard(standard));
        }
        // `Point(1, 2)`
        self.own.has(&name).then(|| Type::in_cell(name))
    }

    fn of_member(&self, of: &Type, name: &str) -> Option<Type> {
        let (members, origin) = self.members_from(of);
        let member = members.iter().find(|member| member.name == name)?;
        let result = &member.result[..];
        let text = match origin {
            Origin::Standard if is_iterator(result) => "Iterator".to_owned(),
            // Keep generic arguments: those of an `Option` are needed later.
            _ if result == "Self" => of.text.clone(),
            _ => with_self(result, of.name()),
        };
        Some(Type { text, origin })
    }
}

/// Replaces `Self` in a type by its name.
fn with_self(text: &str, own: &str) -> String {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("Self") {
        let (before, after) = (&rest[..at], &rest[at + "Self".len()..]);
        // `Self::Output` is another type.
        let is_own = !before.ends_with(is_part)
            && !after.starts_with(is_part)
            && !after.trim_start().starts_with("::");
        replaced.push_str(before);
        replaced.push_str(if is_own { own } else { "Self" });
        rest = after;
    }
    replaced + rest
}
