//! Shows the last expression of a cell, of any type.
//!
//! A cell is compiled once, without knowing that type in advance. So method
//! resolution decides: every way to show a value is a trait with the same
//! method, implemented for [`Probe`] behind a number of references. The compiler
//! chooses the implementation behind most references whose bounds hold ("autoref
//! specialisation", on stable Rust, also for types that borrow).
//!
//! The order is: a user's own `fn evcxr_display(&self)`, which prints its
//! output; for a `Result`, the failure, or otherwise its value; [`Show`]; `()`,
//! which shows nothing; `Debug`; the name of the type.

use super::{Bundle, Show, show};
use crate::error::Error;
use crate::graph::short_type_name;
use std::fmt::{Debug, Display};

/// The error of a cell's last expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellFailure {
    /// The error's type, which the notebook shows before the message.
    pub kind: String,
    /// The error's text, including its causes.
    pub message: String,
    /// The key of the failed task, if it is a task's error.
    pub task: Option<String>,
}

impl From<&Error> for CellFailure {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().to_owned(),
            message: error.to_string(),
            task: error.task_key().map(str::to_owned),
        }
    }
}

/// The result of showing a value: its representations, or `None` if there is
/// nothing to show.
pub type Shown = Result<Option<Bundle>, CellFailure>;

/// Shows the value of an expression of any type:
/// `show_value!(&expression) -> Result<Option<Bundle>, CellFailure>`.
#[macro_export]
macro_rules! show_value {
    ($value:expr) => {
        match $value {
            // The user's expression stays outside the block with the traits.
            value => {
                #[allow(
                    unused_imports,
                    reason = "the compiler decides which of them a value needs"
                )]
                use $crate::display::probe::{
                    Defined as _, EvcxrDisplay as _, FromErr as _, FromErrDebug as _,
                    FromErrError as _, FromOther as _, FromSwath as _, Probe, ViaDebug as _,
                    ViaName as _, ViaNothing as _, ViaShow as _,
                };
                #[allow(
                    unused_must_use,
                    reason = "the result of a user's evcxr_display does not matter"
                )]
                if (*value).evcxr_display().defined() {
                    ::std::result::Result::Ok(::std::option::Option::None)
                } else {
                    match (&&&&&Probe(value)).swath_value() {
                        ::std::result::Result::Ok(probe) => (&&&&probe).swath_shown(),
                        ::std::result::Result::Err(failure) => ::std::result::Result::Err(failure),
                    }
                }
            }
        }
    };
}

/// Displays a value of any type, as `display` does for values that implement
/// [`Show`]: `show!(&value)`.
///
/// # Panics
/// Panics with the error of a `Result`, which becomes the cell's error.
#[macro_export]
macro_rules! show {
    ($value:expr) => {
        $crate::display::probe::display_shown($crate::show_value!($value))
    };
}

/// Displays what [`crate::show!`] found.
#[doc(hidden)]
#[track_caller]
pub fn display_shown(shown: Shown) {
    match shown {
        Ok(Some(bundle)) => crate::shown::display(&bundle, None, false),
        Ok(None) => {}
        Err(failure) => Error::Argument(format!("{}: {}", failure.kind, failure.message)).raise(),
    }
}

/// A value whose type decides how it is shown.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

// ---- evcxr's own way ----

/// Gives every type an `evcxr_display` method, which a type's own method hides.
pub trait EvcxrDisplay {
    /// Reports that the type has no method of its own.
    fn evcxr_display(&self) -> NotDefined {
        NotDefined
    }
}
impl<T: ?Sized> EvcxrDisplay for T {}

/// A type without an `evcxr_display` of its own.
pub struct NotDefined;

impl NotDefined {
    /// Returns `false`.
    pub fn defined(&self) -> bool {
        false
    }
}

/// Recognises a type that has its own `evcxr_display`, because that returned
/// something else.
pub trait Defined {
    /// Returns `true`.
    fn defined(&self) -> bool {
        true
    }
}
impl<T: ?Sized> Defined for T {}

// ---- Result: its value, or the failure ----

/// A `Result` of the runtime.
pub trait FromSwath<'a> {
    /// The value's type.
    type Value: ?Sized;
    /// Returns the value, or the failure.
    ///
    /// # Errors
    /// Returns the error of the `Result`.
    fn swath_value(&self) -> Result<Probe<'a, Self::Value>, CellFailure>;
}

impl<'a, T> FromSwath<'a> for &&&&Probe<'a, Result<T, Error>> {
    type Value = T;
    fn swath_value(&self) -> Result<Probe<'a, T>, CellFailure> {
        self.0.as_ref().map(Probe).map_err(CellFailure::from)
    }
}

macro_rules! from_result {
    ($(#[$doc:meta] $name:ident, $error:path, $kind:ty, $message:expr;)*) => {$(
        #[$doc]
        pub trait $name<'a> {
            /// The value's type.
            type Value: ?Sized;
            /// Returns the value, or the failure.
            ///
            /// # Errors
            /// Returns the error of the `Result`.
            fn swath_value(&self) -> Result<Probe<'a, Self::Value>, CellFailure>;
        }

        impl<'a, T, E: $error> $name<'a> for $kind {
            type Value = T;
            fn swath_value(&self) -> Result<Probe<'a, T>, CellFailure> {
                self.0.as_ref().map(Probe).map_err(|error| failure(std::any::type_name::<E>(), $message(error)))
            }
        }
    )*};
}

from_result! {
    /// A `Result` whose error has causes.
    FromErrError, std::error::Error, &&&Probe<'a, Result<T, E>>, |error: &E| chain(&error);
    /// A `Result` whose error implements `Display`.
    FromErr, Display, &&Probe<'a, Result<T, E>>, |error: &E| error.to_string();
    /// A `Result` whose error implements only `Debug`.
    FromErrDebug, Debug, &Probe<'a, Result<T, E>>, |error: &E| show::pretty(error);
}

/// Any other value stands for itself.
pub trait FromOther<'a> {
    /// The value's type.
    type Value: ?Sized;
    /// Returns the value.
    ///
    /// # Errors
    /// Never fails.
    fn swath_value(&self) -> Result<Probe<'a, Self::Value>, CellFailure>;
}

impl<'a, T: ?Sized> FromOther<'a> for Probe<'a, T> {
    type Value = T;
    fn swath_value(&self) -> Result<Probe<'a, T>, CellFailure> {
        Ok(Probe(self.0))
    }
}

/// Returns an error's text, with the texts of its causes that it does not
/// contain itself.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message += "; caused by: ";
            message += &text;
        }
        cause = error.source();
    }
    message
}

fn failure(type_name: &str, message: String) -> CellFailure {
    let short = short_type_name(type_name);
    // The type of a text or of a boxed error says nothing.
    let kind = if short.contains("dyn ") || matches!(&*short, "String" | "&str") {
        "Error".to_owned()
    } else {
        short
    };
    CellFailure {
        kind,
        message,
        task: None,
    }
}

// ---- the value ----

/// A value that implements [`Show`].
pub trait ViaShow {
    /// Shows the value.
    ///
    /// # Errors
    /// Returns the error of [`Show::show`].
    fn swath_shown(&self) -> Shown;
}

impl<T: Show + ?Sized> ViaShow for &&&Probe<'_, T> {
    fn swath_shown(&self) -> Shown {
        of_show(self.0.show())
    }
}

fn of_show(shown: crate::error::Result<Bundle>) -> Shown {
    match shown {
        Ok(bundle) => Ok((!bundle.is_empty()).then_some(bundle)),
        Err(error) => Err(CellFailure::from(&error)),
    }
}

/// `()`, which shows nothing.
pub trait ViaNothing {
    /// Returns nothing.
    ///
    /// # Errors
    /// Never fails.
    fn swath_shown(&self) -> Shown;
}

impl ViaNothing for &&Probe<'_, ()> {
    fn swath_shown(&self) -> Shown {
        Ok(None)
    }
}

/// A value that implements only `Debug`.
pub trait ViaDebug {
    /// Shows the value's `Debug` text.
    ///
    /// # Errors
    /// Never fails.
    fn swath_shown(&self) -> Shown;
}

impl<T: Debug + ?Sized> ViaDebug for &Probe<'_, T> {
    fn swath_shown(&self) -> Shown {
        Ok(Some(Bundle::text(show::pretty(&self.0))))
    }
}

/// A value of which only the type is known.
pub trait ViaName {
    /// Shows the name of the type.
    ///
    /// # Errors
    /// Never fails.
    fn swath_shown(&self) -> Shown;
}

impl<T: ?Sized> ViaName for Probe<'_, T> {
    fn swath_shown(&self) -> Shown {
        Ok(Some(nameless(std::any::type_name::<T>())))
    }
}

fn nameless(type_name: &str) -> Bundle {
    let name = short_type_name(type_name);
    Bundle::text(format!(
        "a value of type {name} (it has no Debug: derive or implement it to see the value)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn text(shown: Shown) -> String {
        let bundle = shown.unwrap().unwrap();
        bundle.get("text/plain").unwrap().to_owned()
    }

    fn failed(shown: Shown) -> (String, String) {
        let failure = shown.unwrap_err();
        (failure.kind, failure.message)
    }

    struct Shows;
    impl Show for Shows {
        fn show(&self) -> crate::Result<Bundle> {
            Ok(Bundle::text("shown").with("text/html", "<b>shown</b>"))
        }
    }

    #[derive(Debug)]
    struct Broken;
    impl Show for Broken {
        fn show(&self) -> crate::Result<Bundle> {
            Err(Error::Shape("no such axis".to_owned()))
        }
    }

    struct Opaque;

    #[derive(Debug)]
    #[expect(dead_code, reason = "read by Debug")]
    struct Debugs<'a>(&'a str);

    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    struct OnlyDisplay;
    impl Display for OnlyDisplay {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("only displayed")
        }
    }

    #[derive(Default)]
    struct Own(Cell<u32>);
    impl Own {
        fn evcxr_display(&self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn what_shows_itself_does() {
        assert_eq!(show_value!(&Shows).unwrap().unwrap().data.len(), 2);
        assert_eq!(text(show_value!(&&Shows)), "shown");
        assert_eq!(text(show_value!(&&mut Shows)), "shown");
        assert_eq!(
            failed(show_value!(&Broken)),
            ("ShapeError".into(), "no such axis".into())
        );
        assert_eq!(text(show_value!(&2.5)), "2.5");
        let shows: Box<dyn Show> = Box::new(Shows);
        assert_eq!(text(show_value!(&*shows)), "shown");
    }

    #[test]
    fn unit_shows_nothing() {
        assert_eq!(show_value!(&()), Ok(None));
        assert_eq!(show_value!(&Ok::<(), Error>(())), Ok(None));
    }

    #[test]
    fn debug_and_nothing_at_all() {
        let owned = String::from("text");
        assert_eq!(text(show_value!(&Debugs(&owned))), "Debugs(\"text\")");
        assert_eq!(text(show_value!(&Some(1))), "Some(1)");
        assert_eq!(text(show_value!(&(1, "a"))), "(1, \"a\")");
        assert_eq!(text(show_value!("a str")), "\"a str\"");
        assert_eq!(text(show_value!(&[1, 2][..])), "[1, 2]");
        let debugs: &dyn Debug = &Some(1);
        assert_eq!(text(show_value!(debugs)), "Some(1)");
        assert_eq!(
            text(show_value!(&Opaque)),
            "a value of type Opaque (it has no Debug: derive or implement it to see the value)"
        );
        assert!(text(show_value!(&|| 1)).starts_with("a value of type "));
        assert!(text(show_value!(&vec![Opaque])).starts_with("a value of type Vec<Opaque>"));
        assert!(text(show_value!(&Some(Opaque))).starts_with("a value of type Option<Opaque>"));
    }

    #[test]
    fn a_result_is_its_value_or_a_failure() {
        assert_eq!(text(show_value!(&Ok::<_, Error>(Shows))), "shown");
        assert_eq!(text(show_value!(&Ok::<_, String>(7))), "7");
        assert!(
            text(show_value!(&Ok::<_, Opaque>(7)))
                .starts_with("a value of type Result<i32, Opaque>")
        );
        assert!(text(show_value!(&Ok::<_, String>(Opaque))).starts_with("a value of type Opaque"));
        let error = || std::io::Error::other("disk on fire");
        assert_eq!(
            failed(show_value!(&Err::<i32, _>(Error::Shape("bad".into())))),
            ("ShapeError".into(), "bad".into())
        );
        assert_eq!(
            failed(show_value!(&Err::<i32, _>(error()))),
            ("Error".into(), "disk on fire".into())
        );
        assert_eq!(
            failed(show_value!(&Err::<i32, _>(Outer(error())))),
            ("Outer".into(), "outer; caused by: disk on fire".into())
        );
        assert_eq!(
            failed(show_value!(&Err::<Opaque, _>(OnlyDisplay))),
            ("OnlyDisplay".into(), "only displayed".into())
        );
        assert_eq!(
            failed(show_value!(&Err::<i32, _>("text"))),
            ("Error".into(), "text".into())
        );
        assert_eq!(
            failed(show_value!(&Err::<i32, Box<dyn std::error::Error>>(
                Box::new(error())
            ))),
            ("Error".into(), "disk on fire".into())
        );
        assert_eq!(
            failed(show_value!(&Err::<i32, _>(Some(3)))),
            ("Option<i32>".into(), "Some(3)".into())
        );
    }

    #[test]
    fn a_borrowed_error_is_fine() {
        let owned = String::from("borrowed");
        let result: Result<i32, &str> = Err(&owned);
        assert_eq!(failed(show_value!(&result)).1, "borrowed");
    }

    #[test]
    fn evcxr_display_comes_first() {
        let own = Own::default();
        assert_eq!(show_value!(&own), Ok(None));
        let borrowed = &own;
        assert_eq!(show_value!(&borrowed), Ok(None));
        assert_eq!(own.0.get(), 2);
    }

    #[test]
    fn polars_and_ndarray_are_tables_and_arrays() {
        use polars::prelude::*;
        let frame = df!("a" => [1]).unwrap();
        assert!(
            show_value!(&Ok::<_, PolarsError>(frame))
                .unwrap()
                .unwrap()
                .get("text/html")
                .is_some()
        );
        assert!(text(show_value!(&ndarray::arr1(&[1, 2]))).ends_with("shape (2,), i32"));
    }
}
