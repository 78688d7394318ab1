//! Keeps functions and iterators whose types have no name as values of types that
//! have one.
//!
//! A closure's type cannot be written, so a later cell could not take it out of
//! the store. It is kept behind a trait object in a type of this module, or in a
//! `Box`, and the later cell turns it into a closure again.
//!
//! The caller specifies how a value can be called. The compiler knows what a
//! closure does with its captures only after it has seen all of the surrounding
//! code. The other properties of a value, and the number of a function's
//! arguments, are found by method resolution, as for the value of a cell
//! ([`crate::display::probe`]).

use super::cell;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// Puts a variable whose type may have no name into the store:
/// `keep_unnameable!(shared, "f", f);`.
///
/// The first argument says how a function can be called: threads can share it
/// (`shared`), or not (`local`), it changes its captures (`changing`), or it can
/// be called `once`.
#[doc(hidden)]
#[macro_export]
macro_rules! keep_unnameable {
    ($calls:ident, $name:expr, $variable:expr) => {{
        #[allow(
            unused_imports,
            reason = "which of them a value needs is what the compiler finds out"
        )]
        use $crate::session::closures::via::{ViaIterator as _, ViaItself as _, $calls::*};
        (&&&&$crate::session::closures::Unnameable::new($variable)).keep($name);
    }};
}

/// A value whose type may have no name.
pub struct Unnameable<T>(Cell<Option<T>>);

impl<T> Unnameable<T> {
    /// Takes the value.
    pub fn new(value: T) -> Self {
        Self(Cell::new(Some(value)))
    }

    fn take(&self) -> T {
        self.0.take().expect("invariant: it is kept once")
    }
}

/// Returns whether a value's type has no name. This is the case for closures, and
/// for functions, which consist only of their type.
fn has_no_name<T>() -> bool {
    std::any::type_name::<T>().contains("{{") || size_of::<T>() == 0
}

macro_rules! functions {
    ($($shared:ident $local:ident $via_shared:ident $via_local:ident $via_mut:ident $via_once:ident ($($argument:ident $parameter:ident),*);)*) => {
        $(
            /// A function that threads can share.
            pub struct $shared<$($parameter,)* R>(Arc<dyn Fn($($parameter),*) -> R + Send + Sync>);
            /// A function.
            pub struct $local<$($parameter,)* R>(Rc<dyn Fn($($parameter),*) -> R>);

            impl<$($parameter: 'static,)* R: 'static> $shared<$($parameter,)* R> {
                /// Returns the function as a callable value.
                pub fn into_fn(self) -> impl Fn($($parameter),*) -> R + Clone + Send + Sync + 'static {
                    let function = self.0;
                    move |$($argument: $parameter),*| function($($argument),*)
                }
            }

            impl<$($parameter: 'static,)* R: 'static> $local<$($parameter,)* R> {
                /// Returns the function as a callable value.
                pub fn into_fn(self) -> impl Fn($($parameter),*) -> R + Clone + 'static {
                    let function = self.0;
                    move |$($argument: $parameter),*| function($($argument),*)
                }
            }

            impl<$($parameter,)* R> Clone for $shared<$($parameter,)* R> {
                fn clone(&self) -> Self {
                    Self(self.0.clone())
                }
            }

            impl<$($parameter,)* R> Clone for $local<$($parameter,)* R> {
                fn clone(&self) -> Self {
                    Self(self.0.clone())
                }
            }
        )*

        /// The ways to keep a value.
        pub mod via {
            use super::*;

            #[doc(hidden)]
            pub mod shared {
                use super::*;
                $(
                    pub trait $via_shared<$($parameter,)* R> {
                        fn keep(&self, name: &str);
                    }

                    impl<T, $($parameter: 'static,)* R: 'static> $via_shared<$($parameter,)* R> for &&&Unnameable<T>
                    where
                        T: Fn($($parameter),*) -> R + Send + Sync + 'static,
                    {
                        fn keep(&self, name: &str) {
                            match has_no_name::<T>() {
                                true => cell::put(name, $shared(Arc::new(self.take()))),
                                false => cell::put(name, self.take()),
                            }
                        }
                    }
                )*
            }

            #[doc(hidden)]
            pub mod local {
                use super::*;
                $(
                    pub trait $via_local<$($parameter,)* R> {
                        fn keep(&self, name: &str);
                    }

                    impl<T, $($parameter: 'static,)* R: 'static> $via_local<$($parameter,)* R> for &&&Unnameable<T>
                    where
                        T: Fn($($parameter),*) -> R + 'static,
                    {
                        fn keep(&self, name: &str) {
                            match has_no_name::<T>() {
                                true => cell::put(name, $local(Rc::new(self.take()))),
                                false => cell::put(name, self.take()),
                            }
                        }
                    }
                )*
            }

            #[doc(hidden)]
            pub mod changing {
                use super::*;
                $(
                    pub trait $via_mut<$($parameter,)* R> {
                        fn keep(&self, name: &str);
                    }

                    impl<T, $($parameter: 'static,)* R: 'static> $via_mut<$($parameter,)* R> for &&&Unnameable<T>
                    where
                        T: FnMut($($parameter),*) -> R + 'static,
                    {
                        fn keep(&self, name: &str) {
                            match has_no_name::<T>() {
                                true => cell::put::<Box<dyn FnMut($($parameter),*) -> R>>(name, Box::new(self.take())),
                                false => cell::put(name, self.take()),
                            }
                        }
                    }
                )*
            }

            #[doc(hidden)]
            pub mod once {
                use super::*;
                $(
                    pub trait $via_once<$($parameter,)* R> {
                        fn keep(&self, name: &str);
                    }

                    impl<T, $($parameter: 'static,)* R: 'static> $via_once<$($parameter,)* R> for &&&Unnameable<T>
                    where
                        T: FnOnce($($parameter),*) -> R + 'static,
                    {
                        fn keep(&self, name: &str) {
                            match has_no_name::<T>() {
                                true => cell::put::<Box<dyn FnOnce($($parameter),*) -> R>>(name, Box::new(self.take())),
                                false => cell::put(name, self.take()),
                            }
                        }
                    }
                )*
            }

            #[doc(hidden)]
            pub trait ViaIterator {
                fn keep(&self, name: &str);
            }

            impl<T: Iterator + 'static> ViaIterator for &&Unnameable<T> {
                fn keep(&self, name: &str) {
                    match has_no_name::<T>() {
                        true => cell::put::<Box<dyn Iterator<Item = T::Item>>>(name, Box::new(self.take())),
                        false => cell::put(name, self.take()),
                    }
                }
            }

            #[doc(hidden)]
            pub trait ViaItself {
                fn keep(&self, name: &str);
            }

            impl<T: 'static> ViaItself for &Unnameable<T> {
                fn keep(&self, name: &str) {
                    cell::put(name, self.take());
                }
            }
        }
    };
}

functions! {
    SharedFn0 LocalFn0 ViaShared0 ViaLocal0 ViaMut0 ViaOnce0 ();
    SharedFn1 LocalFn1 ViaShared1 ViaLocal1 ViaMut1 ViaOnce1 (a A);
    SharedFn2 LocalFn2 ViaShared2 ViaLocal2 ViaMut2 ViaOnce2 (a A, b B);
    SharedFn3 LocalFn3 ViaShared3 ViaLocal3 ViaMut3 ViaOnce3 (a A, b B, c C);
    SharedFn4 LocalFn4 ViaShared4 ViaLocal4 ViaMut4 ViaOnce4 (a A, b B, c C, d D);
}

#[cfg(test)]
mod tests {
    use crate::session::{cell, variables};

    fn type_of(name: &str) -> String {
        let all = variables::list();
        let found = all.into_iter().find(|one| one.name == name);
        found.expect("it is kept").type_name
    }

    fn square(n: i32) -> i32 {
        n * n
    }

    #[test]
    fn functions_are_kept_as_what_can_be_called() {
        let (offset, rc) = (10, std::rc::Rc::new(1));
        keep_unnameable!(shared, "add", move |x: i32| x + offset);
        keep_unnameable!(local, "local", move |x: i32, y: i32| x + y + *rc);
        keep_unnameable!(shared, "square", square);
        let mut n = 0;
        keep_unnameable!(changing, "count", move || {
            n += 1;
            n
        });
        let text = String::from("once");
        keep_unnameable!(once, "once", move || text);
        assert_eq!(
            type_of("add"),
            "swath::session::closures::SharedFn1<i32, i32>"
        );
        assert_eq!(
            type_of("local"),
            "swath::session::closures::LocalFn2<i32, i32, i32>"
        );
        let add = cell::handle::<super::SharedFn1<i32, i32>>("add").into_fn();
        let again = add.clone();
        assert_eq!(add(1) + again(2), 23);
        let square = cell::handle::<super::SharedFn1<i32, i32>>("square").into_fn();
        assert_eq!(square(3), 9);
        let mut count = cell::take::<Box<dyn FnMut() -> i32>>("count");
        assert_eq!((count(), count()), (1, 2));
        assert_eq!(cell::take::<Box<dyn FnOnce() -> String>>("once")(), "once");
    }

    #[test]
    fn other_values_are_kept_as_they_are() {
        keep_unnameable!(shared, "doubled", vec![1, 2].into_iter().map(|x| x * 2));
        keep_unnameable!(shared, "numbers", vec![1, 2].into_iter());
        keep_unnameable!(
            shared,
            "boxed",
            Box::new(|x: i32| x) as Box<dyn Fn(i32) -> i32>
        );
        keep_unnameable!(shared, "text", String::from("a"));
        let doubled = cell::take::<Box<dyn Iterator<Item = i32>>>("doubled");
        assert_eq!(doubled.collect::<Vec<_>>(), [2, 4]);
        assert!(type_of("numbers").starts_with("alloc::vec::into_iter::IntoIter<"));
        assert!(type_of("boxed").starts_with("alloc::boxed::Box<dyn "));
        assert_eq!(type_of("text"), "alloc::string::String");
    }
}
