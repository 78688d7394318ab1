//! Describes Rust's own types: numbers, texts, and types that hold several of
//! them.
//!
//! The element types are those in the lists here.

use super::brief::{Brief, brief};
use super::{Describe, PREVIEW, Table};
use crate::display::brief::{LINE, debugged, listed};
use crate::display::text::grouped;
use crate::error::Error;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::mem::needs_drop;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant, SystemTime};
use swath_channel::Description;

/// The largest number of characters that are shown of an element.
const ELEMENT: usize = 60;

pub(super) fn add_to(table: &mut Table) {
    macro_rules! values {
        ($($type:ty)*) => {$(
            table.add::<$type>();
            table.add::<Vec<$type>>();
            table.add::<Option<$type>>();
            table.add::<Box<$type>>();
            table.add::<[$type; 2]>();
            table.add::<[$type; 3]>();
        )*};
    }
    values!(
        bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 String &'static str
    );
    macro_rules! common_values {
        ($($type:ty)*) => {$( hold::<$type>(table); )*};
    }
    common_values!(bool char i32 i64 u8 u32 u64 usize f32 f64 String &'static str);
    macro_rules! keys {
        ($($key:ty)*) => {$(
            maps::<$key>(table);
            table.add::<HashSet<$key>>();
            table.add::<BTreeSet<$key>>();
        )*};
    }
    keys!(char i32 i64 u32 u64 usize String &'static str);
    macro_rules! firsts {
        ($($first:ty)*) => {$(
            pairs::<$first>(table);
            table.add::<($first, $first, $first)>();
        )*};
    }
    firsts!(char i32 i64 u64 usize f64 String &'static str);
    macro_rules! others {
        ($($type:ty)*) => {$( table.add::<$type>(); )*};
    }
    others!(() Duration Instant SystemTime PathBuf Box<str> Arc<str> Rc<str>);
}

/// Adds the types that hold values of a type.
fn hold<T: Describe + Brief>(table: &mut Table) {
    table.add::<VecDeque<T>>();
    table.add::<Box<[T]>>();
    table.add::<Arc<[T]>>();
    table.add::<[T; 4]>();
    table.add::<[T; 5]>();
    table.add::<Vec<Vec<T>>>();
    table.add::<Vec<Option<T>>>();
    table.add::<Option<Vec<T>>>();
    table.add::<Result<T, String>>();
    table.add::<Result<T, Error>>();
    table.add::<Arc<T>>();
    table.add::<Rc<T>>();
    table.add::<Arc<Vec<T>>>();
    table.add::<Arc<Mutex<T>>>();
    table.add::<Arc<RwLock<T>>>();
    table.add::<Arc<Mutex<Vec<T>>>>();
    table.add::<Range<T>>();
}

/// Adds the maps with keys of a type.
fn maps<K: Any + Brief>(table: &mut Table) {
    macro_rules! values {
        ($($value:ty)*) => {$(
            table.add::<HashMap<K, $value>>();
            table.add::<BTreeMap<K, $value>>();
        )*};
    }
    values!(bool char i32 i64 u32 u64 usize f64 String &'static str Vec<i32> Vec<f64> Vec<String>);
}

/// Adds the pairs whose first element is of a type.
fn pairs<A: Any + Brief>(table: &mut Table) {
    macro_rules! seconds {
        ($($second:ty)*) => {$(
            table.add::<(A, $second)>();
            table.add::<Vec<(A, $second)>>();
        )*};
    }
    seconds!(bool char i32 i64 u64 usize f64 String &'static str);
}

/// Describes a value as a whole.
fn whole(value: &dyn Brief, nbytes: Option<usize>) -> Description {
    let summary = brief(value, LINE);
    let is_cut = summary.ends_with('…');
    Description {
        preview: if is_cut {
            brief(value, PREVIEW)
        } else {
            String::new()
        },
        summary,
        nbytes: nbytes.map(|nbytes| nbytes as u64),
        ..Description::default()
    }
}

/// Returns the bytes of `count` values, unless they own memory elsewhere.
fn flat<T>(count: usize) -> Option<usize> {
    (!needs_drop::<T>()).then_some(count * size_of::<T>())
}

macro_rules! plain {
    ($($type:ty)*) => {$(
        impl Describe for $type {
            fn describe(&self) -> Description {
                whole(self, Some(size_of::<$type>()))
            }
        }
    )*};
}
plain!(
    () bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64
    Duration Instant SystemTime
);

macro_rules! texts {
    ($($type:ty, $nbytes:expr;)*) => {$(
        impl Describe for $type {
            fn describe(&self) -> Description {
                let nbytes: fn(&Self) -> usize = $nbytes;
                whole(self, Some(nbytes(self)))
            }
        }
    )*};
}
texts! {
    String, |text| text.capacity();
    &'static str, |text| text.len();
    Box<str>, |text| text.len();
    Arc<str>, |text| text.len();
    Rc<str>, |text| text.len();
    PathBuf, |path| path.capacity();
}

/// Describes a sequence by its first elements.
fn sequence(
    texts: &mut dyn Iterator<Item = String>,
    count: usize,
    (open, close, what): (&str, &str, &str),
    nbytes: Option<usize>,
) -> Description {
    let (summary, preview) = listed(texts, count, (open, close));
    Description {
        shape: match (count, what) {
            (1, what) => format!("1 {what}"),
            (count, "entry") => format!("{} entries", grouped(count)),
            (count, what) => format!("{} {what}s", grouped(count)),
        },
        summary,
        preview,
        nbytes: nbytes.map(|nbytes| nbytes as u64),
        ..Description::default()
    }
}

fn element<T: Brief>(value: &T) -> String {
    brief(value, ELEMENT)
}

const LIST: (&str, &str, &str) = ("[", "]", "element");
const SET: (&str, &str, &str) = ("{", "}", "element");
const MAP: (&str, &str, &str) = ("{", "}", "entry");

macro_rules! sequences {
    ($(($parameter:ident $(, $const:ident)?) $type:ty, $brackets:expr, $held:expr;)*) => {$(
        impl<$parameter: Brief + 'static $(, const $const: usize)?> Describe for $type {
            fn describe(&self) -> Description {
                let held: fn(&Self) -> usize = $held;
                let nbytes = flat::<$parameter>(held(self));
                sequence(&mut self.iter().map(element), self.len(), $brackets, nbytes)
            }
        }
    )*};
}
sequences! {
    (T) Vec<T>, LIST, |values| values.capacity();
    (T) VecDeque<T>, LIST, |values| values.capacity();
    (T, N) [T; N], LIST, |values| values.len();
    (T) Box<[T]>, LIST, |values| values.len();
    (T) Arc<[T]>, LIST, |values| values.len();
    (T) HashSet<T>, SET, |values| values.capacity();
    (T) BTreeSet<T>, SET, |values| values.len();
}

/// Describes a list of collections by what `Debug` writes of each.
pub(super) fn list<C: Debug>(list: Option<&Vec<C>>) -> Description {
    let list = list.map_or(&[][..], Vec::as_slice);
    let mut shown = list.iter().map(|one| debugged(one, ELEMENT));
    sequence(&mut shown, list.len(), LIST, None)
}

fn entry<K: Brief, V: Brief>((key, value): (&K, &V)) -> String {
    format!("{}: {}", brief(key, ELEMENT), brief(value, ELEMENT))
}

impl<K: Brief + 'static, V: Brief + 'static> Describe for HashMap<K, V> {
    fn describe(&self) -> Description {
        let nbytes = flat::<(K, V)>(self.capacity());
        sequence(&mut self.iter().map(entry), self.len(), MAP, nbytes)
    }
}

impl<K: Brief + 'static, V: Brief + 'static> Describe for BTreeMap<K, V> {
    fn describe(&self) -> Description {
        let nbytes = flat::<(K, V)>(self.len());
        sequence(&mut self.iter().map(entry), self.len(), MAP, nbytes)
    }
}

macro_rules! holders {
    ($(($($parameter:ident),*) $type:ty;)*) => {$(
        impl<$($parameter: Brief + 'static),*> Describe for $type {
            fn describe(&self) -> Description {
                whole(self, flat::<$type>(1))
            }
        }
    )*};
}
holders! {
    (T) Option<T>;
    (T, E) Result<T, E>;
    (T) Mutex<T>;
    (T) RwLock<T>;
    (T) Range<T>;
    (A, B) (A, B);
    (A, B, C) (A, B, C);
}

macro_rules! pointers {
    ($($type:ident)*) => {$(
        impl<T: Describe> Describe for $type<T> {
            fn describe(&self) -> Description {
                (**self).describe()
            }
        }
    )*};
}
pointers!(Box Arc Rc);
