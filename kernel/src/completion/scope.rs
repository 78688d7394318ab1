//! The names of a cell's own text that are in scope at a place, as far as
//! syntax shows: they are bound by the nodes around the place, or before it.

use ra_ap_syntax::ast::{self, HasLoopBody as _, HasName as _};
use ra_ap_syntax::{AstNode as _, AstToken as _, SyntaxKind, SyntaxNode, SyntaxToken};

use super::place::{is_cell, is_mark};
use super::protocol::Match;
use crate::syntax;

/// A name and its declaration.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The text shown beside it.
    pub(super) signature: String,
    /// The source of its type.
    pub(super) value: Value,
    /// The node that declares it.
    pub(super) declared: SyntaxNode,
}

/// The kind of thing that a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A variable, or `self`.
    Variable,
    /// A constant or a static.
    Constant,
    Function,
    Macro,
    Type,
    Module,
}

/// The source of the type of a name.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Unknown,
    Typed(ast::Type),
    Made(ast::Expr),
    /// `self` in an `impl` of this type.
    Of(ast::Type),
}

impl Kind {
    /// Returns JupyterLab's name for this kind.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Variable | Self::Constant => "instance",
            Self::Function | Self::Macro => "function",
            Self::Type => "class",
            Self::Module => "module",
        }
    }
}

impl Binding {
    fn new(name: String, kind: Kind, declared: &SyntaxNode) -> Self {
        Self {
            name,
            kind,
            signature: String::new(),
            value: Value::Unknown,
            declared: declared.clone(),
        }
    }

    fn with(mut self, value: Value) -> Self {
        if let Value::Typed(of) = &value {
            self.signature = one_line(of.syntax());
        }
        self.value = value;
        self
    }

    pub(super) fn to_match(&self) -> Match {
        let mark = if self.kind == Kind::Macro { "!" } else { "" };
        Match {
            text: format!("{}{mark}", self.name),
            kind: self.kind.word().to_owned(),
            signature: self.signature.clone(),
        }
    }
}

/// The names in scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Nearest first; the first binding of a name wins.
    pub(super) bindings: Vec<Binding>,
    /// Whether the variables of earlier cells are in scope. Inside an item,
    /// only other items are.
    pub(super) sees_variables: bool,
}

impl Scope {
    /// Returns the names in scope at `place`.
    pub(super) fn at(place: &SyntaxToken) -> Self {
        let mut scope = Self {
            bindings: Vec::new(),
            sees_variables: true,
        };
        let Some(mut inner) = place.parent() else {
            return scope;
        };
        while let Some(outer) = inner.parent() {
            scope.enter(&outer, &inner);
            inner = outer;
        }
        scope
    }

    /// Adds the names that `outer` binds for its child `inner`.
    fn enter(&mut self, outer: &SyntaxNode, inner: &SyntaxNode) {
        match outer.kind() {
            SyntaxKind::STMT_LIST | SyntaxKind::SOURCE_FILE | SyntaxKind::ITEM_LIST => {
                self.enter_list(inner);
            }
            SyntaxKind::FN => self.enter_function(outer, inner),
            SyntaxKind::CLOSURE_EXPR => {
                if let Some(closure) = ast::ClosureExpr::cast(outer.clone())
                    && inner.kind() != SyntaxKind::PARAM_LIST
                {
                    self.add_parameters(closure.param_list());
                }
            }
            SyntaxKind::FOR_EXPR => {
                if let Some(expression) = ast::ForExpr::cast(outer.clone())
                    && expression
                        .loop_body()
                        .is_some_and(|body| body.syntax() == inner)
                {
                    self.add_pattern(expression.pat(), &Value::Unknown);
                }
            }
            SyntaxKind::MATCH_ARM => {
                if let Some(arm) = ast::MatchArm::cast(outer.clone())
                    && !ast::Pat::can_cast(inner.kind())
                {
                    // A guard may bind more names.
                    if let Some(guard) = arm.guard()
                        && guard.syntax() != inner
                    {
                        self.add_conditions(guard.syntax(), None);
                    }
                    self.add_pattern(arm.pat(), &Value::Unknown);
                }
            }
            SyntaxKind::IF_EXPR => {
                if let Some(expression) = ast::IfExpr::cast(outer.clone())
                    && expression
                        .then_branch()
                        .is_some_and(|branch| branch.syntax() == inner)
                    && let Some(condition) = expression.condition()
                {
                    self.add_conditions(condition.syntax(), None);
                }
            }
            SyntaxKind::WHILE_EXPR => {
                if let Some(expression) = ast::WhileExpr::cast(outer.clone())
                    && expression
                        .loop_body()
                        .is_some_and(|body| body.syntax() == inner)
                    && let Some(condition) = expression.condition()
                {
                    self.add_conditions(condition.syntax(), None);
                }
            }
            // `if let Some(x) = a && x`
            SyntaxKind::BIN_EXPR => self.add_conditions(outer, Some(inner)),
            SyntaxKind::IMPL | SyntaxKind::TRAIT => {
                let name = Binding::new("Self".to_owned(), Kind::Type, outer);
                self.bindings.push(name);
                self.add_generics(outer);
                self.hide_variables();
            }
            SyntaxKind::STRUCT | SyntaxKind::ENUM | SyntaxKind::UNION | SyntaxKind::TYPE_ALIAS => {
                self.add_generics(outer);
                self.hide_variables();
            }
            SyntaxKind::MODULE | SyntaxKind::CONST | SyntaxKind::STATIC => self.hide_variables(),
            _ => {}
        }
    }

    /// Adds the bindings of a list: statements bind for later ones, items for
    /// all.
    fn enter_list(&mut self, inner: &SyntaxNode) {
        for before in inner.siblings(ra_ap_syntax::Direction::Prev).skip(1) {
            if let Some(statement) = ast::LetStmt::cast(before.clone()) {
                let value = match (statement.ty(), statement.initializer()) {
                    (Some(of), _) => Value::Typed(of),
                    (None, Some(made)) => Value::Made(made),
                    (None, None) => Value::Unknown,
                };
                self.add_pattern(statement.pat(), &value);
            } else {
                self.bindings.extend(items(&before));
            }
        }
        // Include its own name: a function may call itself.
        self.bindings
            .extend(items(inner).into_iter().filter(|own| !is_mark(&own.name)));
    }

    fn enter_function(&mut self, outer: &SyntaxNode, inner: &SyntaxNode) {
        let Some(function) = ast::Fn::cast(outer.clone()) else {
            return;
        };
        if is_cell(&function) {
            return;
        }
        if inner.kind() == SyntaxKind::BLOCK_EXPR && self.sees_variables {
            let list = function.param_list();
            if list
                .as_ref()
                .is_some_and(|list| list.self_param().is_some())
            {
                let mut own = Binding::new("self".to_owned(), Kind::Variable, outer);
                if let Some(of) = outer
                    .ancestors()
                    .find_map(ast::Impl::cast)
                    .and_then(|of| of.self_ty())
                {
                    own = own.with(Value::Of(of));
                }
                self.bindings.push(own);
            }
            self.add_parameters(list);
        }
        self.add_generics(outer);
        self.hide_variables();
    }

    /// Hides the variables around an item: they are not in scope inside it.
    fn hide_variables(&mut self) {
        self.sees_variables = false;
    }

    fn add_parameters(&mut self, list: Option<ast::ParamList>) {
        for parameter in list.iter().flat_map(ast::ParamList::params) {
            let value = parameter.ty().map_or(Value::Unknown, Value::Typed);
            self.add_pattern(parameter.pat(), &value);
        }
    }

    fn add_generics(&mut self, item: &SyntaxNode) {
        let list = item.children().find_map(ast::GenericParamList::cast);
        for parameter in list.iter().flat_map(ast::GenericParamList::generic_params) {
            let (name, kind) = match &parameter {
                ast::GenericParam::TypeParam(of) => (of.name(), Kind::Type),
                ast::GenericParam::ConstParam(of) => (of.name(), Kind::Constant),
                ast::GenericParam::LifetimeParam(_) => (None, Kind::Type),
            };
            if let Some(name) = name {
                let name = name.text().to_string();
                self.bindings
                    .push(Binding::new(name, kind, parameter.syntax()));
            }
        }
    }

    /// Adds the bindings of `let` in a condition; with `until`, only those
    /// before that part of it.
    fn add_conditions(&mut self, condition: &SyntaxNode, until: Option<&SyntaxNode>) {
        let mut waiting = vec![condition.clone()];
        while let Some(node) = waiting.pop() {
            if Some(&node) == until {
                continue;
            }
            match node.kind() {
                SyntaxKind::LET_EXPR => {
                    let Some(tested) = ast::LetExpr::cast(node) else {
                        continue;
                    };
                    let is_before = until.is_none_or(|until| {
                        tested.syntax().text_range().end() <= until.text_range().start()
                    });
                    if is_before {
                        self.add_pattern(tested.pat(), &Value::Unknown);
                    }
                }
                SyntaxKind::BIN_EXPR | SyntaxKind::PAREN_EXPR | SyntaxKind::MATCH_GUARD => {
                    waiting.extend(node.children());
                }
                _ => {}
            }
        }
    }

    /// Adds the names in a pattern; `value` is the value of the whole pattern.
    fn add_pattern(&mut self, pattern: Option<ast::Pat>, value: &Value) {
        if let Some(pattern) = pattern.filter(|_| self.sees_variables) {
            self.bindings.extend(bound(&pattern, value));
        }
    }
}

/// Returns the variables that a pattern binds.
fn bound(pattern: &ast::Pat, value: &Value) -> Vec<Binding> {
    let is_whole = matches!(pattern, ast::Pat::IdentPat(whole) if whole.pat().is_none());
    syntax::variables(pattern)
        .filter(|(name, _)| !is_mark(name))
        .map(|(name, ident)| {
            let binding = Binding::new(name, Kind::Variable, ident.syntax());
            match is_whole {
                true => binding.with(value.clone()),
                false => binding,
            }
        })
        .collect()
}

/// Returns the names that an item declares, or a call of one of the macros that
/// define statics.
pub(super) fn items(node: &SyntaxNode) -> Vec<Binding> {
    let named = |name: Option<ast::Name>, kind| {
        let name = name.map(|name| name.text().to_string());
        name.map(|name| Binding::new(name, kind, node))
    };
    let Some(item) = ast::Item::cast(node.clone()) else {
        return Vec::new();
    };
    let binding = match item {
        ast::Item::Const(item) => {
            let value = item.ty().map_or(Value::Unknown, Value::Typed);
            named(item.name(), Kind::Constant).map(|binding| binding.with(value))
        }
        ast::Item::Static(item) => {
            let value = item.ty().map_or(Value::Unknown, Value::Typed);
            named(item.name(), Kind::Constant).map(|binding| binding.with(value))
        }
        ast::Item::Fn(item) => {
            // Skip a method: its `impl` precedes the text.
            let takes_self = item
                .param_list()
                .is_some_and(|of| of.self_param().is_some());
            let binding = named(item.name(), Kind::Function).filter(|_| !takes_self);
            binding.map(|mut binding| {
                binding.signature = head(item.syntax());
                binding
            })
        }
        ast::Item::Enum(item) => named(item.name(), Kind::Type),
        ast::Item::Struct(item) => named(item.name(), Kind::Type),
        ast::Item::Union(item) => named(item.name(), Kind::Type),
        ast::Item::Trait(item) => named(item.name(), Kind::Type),
        ast::Item::TypeAlias(item) => named(item.name(), Kind::Type),
        ast::Item::Module(item) => named(item.name(), Kind::Module),
        ast::Item::MacroRules(item) => named(item.name(), Kind::Macro),
        ast::Item::ExternCrate(item) => {
            let name = match item.rename() {
                Some(rename) => rename.name().map(|name| name.text().to_string()),
                None => item.name_ref().map(|name| name.text().to_string()),
            };
            name.map(|name| Binding::new(name, Kind::Module, node))
        }
        ast::Item::MacroCall(call) => return statics(&call),
        ast::Item::Use(item) => {
            let trees = item.syntax().descendants().filter_map(ast::UseTree::cast);
            return trees
                .filter_map(|tree| imported(&tree))
                .filter(|name| !is_mark(name))
                .map(|name| Binding::new(name.clone(), kind_of(&name), node))
                .collect();
        }
        _ => None,
    };
    binding.into_iter().collect()
}

/// Returns the statics in a `thread_local!` or a `lazy_static!`.
fn statics(call: &ast::MacroCall) -> Vec<Binding> {
    let tokens = call.syntax().descendants_with_tokens();
    let words: Vec<SyntaxToken> = tokens
        .filter_map(|element| element.into_token())
        .filter(|token| !token.kind().is_trivia())
        .collect();
    words
        .windows(3)
        .filter(|words| words[0].kind() == SyntaxKind::STATIC_KW)
        .filter_map(|words| {
            let mut names = words[1..]
                .iter()
                .skip_while(|word| word.kind() != SyntaxKind::IDENT);
            let name = names.next()?.text().to_owned();
            Some(Binding::new(name, Kind::Constant, call.syntax()))
        })
        .collect()
}

/// Returns the name that a part of a `use` brings into scope, if it names a
/// single item.
pub(super) fn imported(tree: &ast::UseTree) -> Option<String> {
    if tree.use_tree_list().is_some() || tree.star_token().is_some() {
        return None;
    }
    if let Some(rename) = tree.rename() {
        return Some(rename.name()?.text().to_string());
    }
    let path = tree.path()?;
    let name = path.segment()?.name_ref()?.text().to_string();
    if name != "self" {
        return Some(name);
    }
    // `a::{self}` is `a`.
    let outer = tree
        .syntax()
        .ancestors()
        .skip(1)
        .find_map(ast::UseTree::cast)?;
    Some(outer.path()?.segment()?.name_ref()?.text().to_string())
}

/// Guesses the kind of a name: capitalized is a type, all capitals a constant,
/// otherwise a function.
pub(super) fn kind_of(name: &str) -> Kind {
    let is_constant = name.len() > 1 && !name.contains(char::is_lowercase);
    match name.starts_with(char::is_uppercase) {
        true if is_constant => Kind::Constant,
        true => Kind::Type,
        false => Kind::Function,
    }
}

/// Returns the text before an item's body, without documentation and
/// attributes.
pub(super) fn head(item: &SyntaxNode) -> String {
    let parts = item.children_with_tokens().filter(|part| {
        !matches!(
            part.kind(),
            SyntaxKind::ATTR | SyntaxKind::COMMENT | SyntaxKind::BLOCK_EXPR
        )
    });
    let text: String = parts.map(|part| part.to_string()).collect();
    words(&text)
}

/// Returns a node's text in one line.
pub(super) fn one_line(node: &SyntaxNode) -> String {
    words(&node.text().to_string())
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the doc comments of a node.
pub(super) fn documentation(node: &SyntaxNode) -> String {
    let comments = node
        .children_with_tokens()
        .filter_map(|part| ast::Comment::cast(part.into_token()?));
    let lines: Vec<String> = comments
        .filter_map(|comment| Some(comment.doc_comment()?.0.to_owned()))
        .collect();
    lines
        .iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}
