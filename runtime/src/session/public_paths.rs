//! Public names of types that are defined in private modules.
//!
//! A variable's type is reported by the path of its definition
//! (`std::collections::hash::map::HashMap`), which the next cell may not be
//! able to write. This table has paths that can be written. The compiler fills
//! in where each type is defined, so the table is right for every version.

/// Returns pairs of the path where a type is defined and a public path.
pub(super) fn table() -> Vec<(String, String)> {
    let mut table = Vec::new();
    macro_rules! public {
        ($($type:ty => $public:literal),* $(,)?) => {$(
            add(&mut table, std::any::type_name::<$type>(), $public);
        )*};
    }
    public! {
        std::collections::HashMap<(), ()> => "std::collections::HashMap",
        std::collections::HashSet<()> => "std::collections::HashSet",
        std::collections::BTreeMap<(), ()> => "std::collections::BTreeMap",
        std::collections::BTreeSet<()> => "std::collections::BTreeSet",
        std::collections::VecDeque<()> => "std::collections::VecDeque",
        std::collections::BinaryHeap<()> => "std::collections::BinaryHeap",
        std::collections::LinkedList<()> => "std::collections::LinkedList",
        std::hash::RandomState => "std::hash::RandomState",
        std::ops::Range<()> => "std::ops::Range",
        std::ops::RangeInclusive<()> => "std::ops::RangeInclusive",
        std::ops::RangeFrom<()> => "std::ops::RangeFrom",
        std::ops::RangeTo<()> => "std::ops::RangeTo",
        dyn Fn() => "std::ops::Fn",
        dyn FnMut() => "std::ops::FnMut",
        dyn FnOnce() => "std::ops::FnOnce",
        dyn Iterator<Item = ()> => "std::iter::Iterator",
        std::iter::Rev<()> => "std::iter::Rev",
        std::iter::Peekable<std::vec::IntoIter<()>> => "std::iter::Peekable",
        std::iter::Enumerate<()> => "std::iter::Enumerate",
        std::iter::Zip<(), ()> => "std::iter::Zip",
        std::iter::Chain<(), ()> => "std::iter::Chain",
        std::iter::Skip<()> => "std::iter::Skip",
        std::iter::Take<()> => "std::iter::Take",
        std::iter::StepBy<()> => "std::iter::StepBy",
        std::iter::Cycle<()> => "std::iter::Cycle",
        std::iter::Cloned<()> => "std::iter::Cloned",
        std::iter::Copied<()> => "std::iter::Copied",
        std::vec::IntoIter<()> => "std::vec::IntoIter",
        std::slice::Iter<'static, ()> => "std::slice::Iter",
        std::str::Chars<'static> => "std::str::Chars",
        std::str::Lines<'static> => "std::str::Lines",
        std::str::SplitWhitespace<'static> => "std::str::SplitWhitespace",
        std::sync::Mutex<()> => "std::sync::Mutex",
        std::sync::RwLock<()> => "std::sync::RwLock",
        std::sync::OnceLock<()> => "std::sync::OnceLock",
        std::sync::Condvar => "std::sync::Condvar",
        std::sync::atomic::AtomicUsize => "std::sync::atomic::AtomicUsize",
        std::sync::mpsc::Sender<()> => "std::sync::mpsc::Sender",
        std::sync::mpsc::Receiver<()> => "std::sync::mpsc::Receiver",
        std::cell::RefCell<()> => "std::cell::RefCell",
        std::cell::Cell<()> => "std::cell::Cell",
        std::cell::OnceCell<()> => "std::cell::OnceCell",
        std::num::NonZero<u32> => "std::num::NonZero",
        std::num::Wrapping<u32> => "std::num::Wrapping",
        std::thread::JoinHandle<()> => "std::thread::JoinHandle",
        std::time::Instant => "std::time::Instant",
        std::time::SystemTime => "std::time::SystemTime",
        std::time::Duration => "std::time::Duration",
        std::io::Error => "std::io::Error",
        std::io::BufReader<std::fs::File> => "std::io::BufReader",
        std::io::BufWriter<std::fs::File> => "std::io::BufWriter",
        std::num::ParseIntError => "std::num::ParseIntError",
        std::num::ParseFloatError => "std::num::ParseFloatError",
        polars::prelude::Expr => "swath::polars::prelude::Expr",
        polars::prelude::LazyFrame => "swath::polars::prelude::LazyFrame",
        polars::prelude::LazyGroupBy => "swath::polars::prelude::LazyGroupBy",
        polars::prelude::DataFrame => "swath::polars::prelude::DataFrame",
        polars::prelude::Series => "swath::polars::prelude::Series",
        polars::prelude::Column => "swath::polars::prelude::Column",
        polars::prelude::DataType => "swath::polars::prelude::DataType",
        polars::prelude::Schema => "swath::polars::prelude::Schema",
        polars::prelude::PlSmallStr => "swath::polars::prelude::PlSmallStr",
        polars::prelude::ChunkedArray<polars::prelude::Int64Type> => "swath::polars::prelude::ChunkedArray",
        polars::prelude::Int8Type => "swath::polars::prelude::Int8Type",
        polars::prelude::Int16Type => "swath::polars::prelude::Int16Type",
        polars::prelude::Int32Type => "swath::polars::prelude::Int32Type",
        polars::prelude::Int64Type => "swath::polars::prelude::Int64Type",
        polars::prelude::UInt8Type => "swath::polars::prelude::UInt8Type",
        polars::prelude::UInt16Type => "swath::polars::prelude::UInt16Type",
        polars::prelude::UInt32Type => "swath::polars::prelude::UInt32Type",
        polars::prelude::UInt64Type => "swath::polars::prelude::UInt64Type",
        polars::prelude::Float32Type => "swath::polars::prelude::Float32Type",
        polars::prelude::Float64Type => "swath::polars::prelude::Float64Type",
        polars::prelude::BooleanType => "swath::polars::prelude::BooleanType",
        polars::prelude::StringType => "swath::polars::prelude::StringType",
        polars::prelude::PolarsError => "swath::polars::prelude::PolarsError",
        polars::prelude::AnyValue<'static> => "swath::polars::prelude::AnyValue",
        ndarray::ArrayBase<ndarray::OwnedRepr<f64>, ndarray::Ix1> => "swath::ndarray::ArrayBase",
        ndarray::OwnedRepr<f64> => "swath::ndarray::OwnedRepr",
        ndarray::OwnedArcRepr<f64> => "swath::ndarray::OwnedArcRepr",
        ndarray::ViewRepr<&'static f64> => "swath::ndarray::ViewRepr",
        ndarray::CowRepr<'static, f64> => "swath::ndarray::CowRepr",
        ndarray::Dim<[usize; 1]> => "swath::ndarray::Dim",
        ndarray::IxDynImpl => "swath::ndarray::IxDynImpl",
        ndarray::Axis => "swath::ndarray::Axis",
        serde_json::Value => "swath::serde_json::Value",
        serde_json::Map<String, serde_json::Value> => "swath::serde_json::Map",
        rand::rngs::StdRng => "swath::rand::rngs::StdRng",
    }
    table
}

fn add(table: &mut Vec<(String, String)>, type_name: &str, public: &str) {
    let path = type_name.strip_prefix("dyn ").unwrap_or(type_name);
    let end = path
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(path.len());
    let path = &path[..end];
    if path != public {
        table.push((path.to_owned(), public.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn private_paths_have_public_names() {
        let table = super::table();
        let public = |path: &str| {
            table
                .iter()
                .find(|(from, _)| from == path)
                .map(|(_, to)| &**to)
        };
        let defined = std::any::type_name::<std::collections::HashMap<(), ()>>();
        let defined = defined.split('<').next().expect("split has a first part");
        assert_eq!(public(defined), Some("std::collections::HashMap"));
        assert_eq!(public("core::ops::function::Fn"), Some("std::ops::Fn"));
    }
}
