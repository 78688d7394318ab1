//! Defines the arguments that methods accept as columns, and adds a few ways to write an
//! expression.

use polars::prelude::{AnyValue, Expr, NamedFrom, PlSmallStr, Selector, Series, col, lit};

/// A type that converts into one expression: a column's name, or an expression.
pub trait IntoExpr {
    /// Converts into the expression.
    fn into_expr(self) -> Expr;
}

/// One or several expressions: `"a"`, `["a", "b"]`, `col("a")`, `[col("a"), col("b")]`, a `Vec`, or
/// Polars' selectors.
///
/// ```
/// use swath::frame::DataFrame;
/// use swath::polars::df;
/// use swath::polars::prelude::{all, cols};
/// let people = DataFrame::from_polars(df!("age" => [24, 53], "sex" => ["M", "F"])?, 1);
/// assert_eq!(people.select(all()).columns()?, ["age", "sex"]);
/// assert_eq!(people.select(cols(["sex"])).columns()?, ["sex"]);
/// # Ok::<(), swath::Error>(())
/// ```
pub trait IntoExprs {
    /// Converts into the expressions.
    fn into_exprs(self) -> Vec<Expr>;
}

/// One or several names of columns.
pub trait IntoNames {
    /// Converts into the names.
    fn into_names(self) -> Vec<String>;
}

impl IntoExpr for Expr {
    fn into_expr(self) -> Expr {
        self
    }
}

impl IntoExprs for Expr {
    fn into_exprs(self) -> Vec<Expr> {
        vec![self]
    }
}

impl IntoExpr for Selector {
    fn into_expr(self) -> Expr {
        self.as_expr()
    }
}

impl IntoExprs for Selector {
    fn into_exprs(self) -> Vec<Expr> {
        vec![self.as_expr()]
    }
}

macro_rules! names {
    ($($name:ty),*) => {$(
        impl IntoExpr for $name {
            fn into_expr(self) -> Expr {
                col(&*self)
            }
        }
        impl IntoExprs for $name {
            fn into_exprs(self) -> Vec<Expr> {
                vec![col(&*self)]
            }
        }
        impl IntoNames for $name {
            fn into_names(self) -> Vec<String> {
                vec![self.to_string()]
            }
        }
    )*};
}
names!(&str, String, &String);

impl<T: IntoExpr, const N: usize> IntoExprs for [T; N] {
    fn into_exprs(self) -> Vec<Expr> {
        self.into_iter().map(T::into_expr).collect()
    }
}

impl<T: IntoExpr> IntoExprs for Vec<T> {
    fn into_exprs(self) -> Vec<Expr> {
        self.into_iter().map(T::into_expr).collect()
    }
}

impl<T: IntoExpr + Clone> IntoExprs for &[T] {
    fn into_exprs(self) -> Vec<Expr> {
        self.iter().cloned().map(T::into_expr).collect()
    }
}

impl<T: Into<String>, const N: usize> IntoNames for [T; N] {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(T::into).collect()
    }
}

impl<T: Into<String>> IntoNames for Vec<T> {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(T::into).collect()
    }
}

impl<T: Into<String> + Clone> IntoNames for &[T] {
    fn into_names(self) -> Vec<String> {
        self.iter().cloned().map(T::into).collect()
    }
}

/// A value that a list in an expression may hold.
pub trait ListItem {
    /// Converts into Polars' type of value.
    fn into_any(self) -> AnyValue<'static>;
}

macro_rules! list_items {
    ($($native:ty => $variant:ident),*) => {$(
        impl ListItem for $native {
            fn into_any(self) -> AnyValue<'static> {
                AnyValue::$variant(self)
            }
        }
        impl ListItem for &$native {
            fn into_any(self) -> AnyValue<'static> {
                AnyValue::$variant(*self)
            }
        }
    )*};
}
list_items!(i64 => Int64, i32 => Int32, u64 => UInt64, u32 => UInt32, f64 => Float64, f32 => Float32, bool => Boolean);

macro_rules! list_texts {
    ($($text:ty),*) => {$(
        impl ListItem for $text {
            fn into_any(self) -> AnyValue<'static> {
                let text: &str = &self;
                AnyValue::StringOwned(text.into())
            }
        }
    )*};
}
list_texts!(&str, &&str, String, &String);

/// Additional methods for expressions.
///
/// ```
/// use swath::frame::{DataFrame, ExprExt};
/// use swath::polars::{df, prelude::col};
/// use swath::Collection;
/// let movies = DataFrame::from_polars(
///     df!("id" => [1, 2, 3], "title" => ["Star Wars (1977)", "Heat (1995)", "Lone Star (1996)"])?,
///     2,
/// );
/// let stars = movies.filter(col("title").str_contains("Star")).filter(col("id").is_in_values([1, 2]));
/// assert_eq!(stars.compute()?.height(), 1);
/// # Ok::<(), swath::Error>(())
/// ```
#[allow(
    clippy::wrong_self_convention,
    reason = "expressions are taken and returned, as Polars does"
)]
pub trait ExprExt {
    /// Returns whether the value is one of `values`: `col("id").is_in_values([1, 2])`.
    #[doc(alias("isin", "is_in"))]
    fn is_in_values<T: ListItem>(self, values: impl IntoIterator<Item = T>) -> Expr;

    /// Returns whether the text contains another text, literally (not as a regular expression).
    #[doc(alias = "contains")]
    fn str_contains(self, text: &str) -> Expr;

    /// Returns whether a regular expression matches somewhere in the text.
    #[doc(alias("match", "contains"))]
    fn str_matches(self, regex: &str) -> Expr;
}

impl ExprExt for Expr {
    fn is_in_values<T: ListItem>(self, values: impl IntoIterator<Item = T>) -> Expr {
        is_in(self, values.into_iter().map(T::into_any).collect())
    }

    fn str_contains(self, text: &str) -> Expr {
        self.str().contains_literal(lit(text))
    }

    fn str_matches(self, regex: &str) -> Expr {
        self.str().contains(lit(regex), true)
    }
}

fn is_in(expression: Expr, values: Vec<AnyValue<'static>>) -> Expr {
    if values.is_empty() {
        // Without values, Polars would compare with values of the null type.
        return expression.is_null().and(lit(false));
    }
    let values = Series::new(PlSmallStr::EMPTY, values);
    expression.is_in(lit(values).implode(true), false)
}
