//! The table of hints: an error's kind, a type, words, and the hint for them.
//!
//! Every hint suggests code that compiles today: `tests/test_hints.py` runs the
//! suggestions.

use crate::bundled::BUNDLED_CRATES;

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An unknown method; the word is its name.
    Method,
    /// A method that exists only for other element types: `sqrt` of whole numbers.
    Elements,
    /// An unknown associated function: `Array::from_array`.
    Associated,
    /// An unknown field.
    Field,
    /// A method without its parentheses.
    MethodAsField,
    /// `df["a"]`; the word is the form of the index, `text`, optionally with the
    /// operation on it, `text =`, or the type of the index, `by i64`.
    Index,
    /// An operator on a type, `>`, optionally with the type behind it, `+ i64`; in
    /// a call, `> in filter`, or in an index, `[>`.
    Operator,
    /// An operator with the type on its right side.
    OperatorBehind,
    /// `!`, `-`.
    Unary,
    /// `x ** 2`.
    Power,
    /// `x as f64`; the word is the target type.
    Cast,
    /// A type is expected; the word is the type found, optionally with the call.
    Expected,
    /// A type is found; the word is the type expected.
    Found,
    /// A trait that a type lacks; the word is the trait, optionally with the call,
    /// `Iterator in sort`, or the method, `Ord of sort`.
    Bound,
    /// A call of something that is not a function.
    Call,
    /// A variable that was moved; the word is its name.
    Moved,
    /// A variable that is set again; the word is its name. The type is `mut` if it
    /// would have to be mutable.
    Assigned,
    /// A type that cannot be inferred; the word is the expression of that type.
    Inference,
    /// A wrong number of arguments; the word is the called function.
    Arguments,
    /// The name of an argument: `axis=`, or `sum(axis=)`; the type is that of the
    /// variable whose method is called.
    Argument,
    /// An unknown name or path: `np.zeros`, `np.*` for any other, `use dask`.
    Name,
    /// An unknown type.
    Type,
    /// The parser's whole message.
    Message,
    /// A syntax error, by the brackets around it; the type is that of the indexed
    /// variable.
    Syntax,
    /// A syntax error, by the word before its place.
    Behind,
    /// A syntax error, by the text at its place.
    At,
}

/// The type that a row is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// Any, or none.
    Any,
    /// One of the runtime's types.
    Swath(&'static str),
    /// One of Polars' types.
    Polars(&'static str),
    /// ndarray's array.
    NdArray,
    /// A whole number.
    Whole,
    /// The runtime's array of whole numbers.
    WholeArray,
    /// A `Result` with the runtime's error.
    Failing,
    /// One of the standard library's types.
    Std(&'static str),
    /// `&str`, `String`.
    Text,
    /// Exactly this text, as the compiler prints it.
    Exactly(&'static str),
    /// Defined in a file whose path contains this.
    File(&'static str),
}

impl Of {
    /// Returns whether a printed type is this type; `is_own` returns whether the
    /// user defined a name.
    pub(super) fn fits(self, printed: &str, is_own: &dyn Fn(&str) -> bool) -> bool {
        let path = printed
            .trim_start_matches('&')
            .trim_start_matches("'static ");
        let path = path.trim_start_matches("mut ");
        let path = path.split('<').next().unwrap_or_default();
        let is_named =
            |name: &str| path.rsplit("::").next() == Some(name) && (path != name || !is_own(name));
        // The runtime re-exports the crates that it consists of:
        // `swath::polars::…`.
        let ours = path.strip_prefix("swath::");
        let crate_name = ours.and_then(|rest| rest.split("::").next());
        let is_held = crate_name.is_some_and(|name| BUNDLED_CRATES.contains(&name));
        match self {
            Self::Any => true,
            Self::Swath(name) => is_named(name) && (path == name || ours.is_some() && !is_held),
            Self::Polars(name) => {
                let is_theirs = is_held || path.starts_with("polars");
                // The prelude re-exports it under the same name.
                is_named(name) && (path == name || is_theirs || ours == Some("prelude::Expr"))
            }
            Self::NdArray => is_named("ArrayBase"),
            Self::Whole => WHOLE.contains(&printed),
            Self::WholeArray => {
                let element = printed.split('<').nth(1).unwrap_or_default();
                ARRAY.fits(printed, is_own) && WHOLE.contains(&element.trim_end_matches('>'))
            }
            Self::Failing => {
                path.ends_with("Result")
                    && (["swath::Error>", "PolarsError>"]
                        .iter()
                        .any(|error| printed.ends_with(error))
                        || printed.ends_with(" Error>") && !is_own("Error"))
            }
            Self::Std(name) => is_named(name) && (path == name || path.starts_with("std::")),
            Self::Text => path == "str" || Self::Std("String").fits(printed, is_own),
            Self::Exactly(name) => printed == name,
            Self::File(part) => printed.contains(part),
        }
    }
}

/// The types of whole numbers, as the compiler prints them.
const WHOLE: [&str; 11] = [
    "{integer}",
    "i8",
    "i16",
    "i32",
    "i64",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
];

/// The hint for some words.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) what: What,
    pub(super) of: Of,
    pub(super) words: &'static [&'static str],
    /// The hint; `{word}` stands for the word. If it is empty, there is no hint.
    pub(super) hint: &'static str,
}

macro_rules! rows {
    ($($what:ident $of:expr => { $($($word:literal)|+ => $hint:expr;)+ })+) => {
        &[$($(
            Row {
                what: What::$what,
                of: $of,
                words: &[$($word),+],
                hint: $hint,
            },
        )+)+]
    };
}

const ARRAY: Of = Of::Swath("Array");
const SCALAR: Of = Of::Swath("Scalar");
const FRAME: Of = Of::Swath("DataFrame");
const SERIES: Of = Of::Swath("Series");
const VALUE: Of = Of::Swath("FrameScalar");
const GROUPS: Of = Of::Swath("GroupedFrame");
const DELAYED: Of = Of::Swath("Delayed");
const FUNCTION: Of = Of::Swath("Function");
const READER: Of = Of::Swath("CsvReader");
const CLIENT: Of = Of::Swath("Client");
const EXPR: Of = Of::Polars("Expr");
const TEXTS: Of = Of::Polars("StringNameSpace");
const DATUM: Of = Of::Swath("Datum");
/// Types of computed values.
const TABLES: Of = Of::Polars("DataFrame");
const COLUMN: Of = Of::Polars("Column");
const VEC: Of = Of::Std("Vec");

const COMPUTE: &str = "it is not computed yet: `.compute()?` makes a number";
const COMPUTE_ARRAY: &str =
    "an array is not computed yet: `.compute()?` makes an array of ndarray, which has elements";
const TRY: &str = "it may fail: `?` after it returns the value, `x.sum().compute()?`";
const LOAD: &str =
    "`read_csv(…)` only describes how to read files: `.load()?` after it makes a frame";
const LIT: &str = "numbers and strings in expressions need `lit`: `col(\"a\") + lit(1)`";
const COMPARE: &str = "compare expressions by methods: `col(\"a\").gt(lit(30))`, likewise `lt`, `gt_eq`, `lt_eq`, `eq`, `neq`";
const EQUAL: &str = "`==` tests whether two expressions are identical: a comparison in a frame is `col(\"a\").eq(lit(\"x\"))`, or `.neq(…)`";
const LOGIC: &str = "combine expressions by methods: `col(\"a\").gt(lit(1)).and(col(\"b\").lt(lit(2)))`, likewise `.or(…)`, `.not()`";
const BY_COLUMN: &str =
    "change columns by expressions: `df.with_column(\"b\", col(\"a\") * lit(2))`";
const CSV: &str = "Polars writes computed frames: `use polars::prelude::{CsvWriter, SerWriter}; CsvWriter::new(std::fs::File::create(\"a.csv\")?).finish(&mut df.compute()?)?`";
const PARQUET: &str = "Polars writes computed frames: `polars::prelude::ParquetWriter::new(std::fs::File::create(\"a.parquet\")?).finish(&mut df.compute()?)?`";
const SORT: &str = "`.sort(\"a\", Ascending)`, or `Descending`; by several columns `.sort([\"a\", \"b\"], [Ascending, Descending])`";
const JOIN: &str =
    "`.join(&other, [\"id\"], JoinType::Inner)`, or `Left`, `Right`, `Full`, `Semi`, `Anti`";
const ROWS: &str = "`.head(5)?` and `.tail(5)?` are the first and last rows, `.filter(col(\"a\").eq(lit(1)))` those with a value, `.compute()?.slice(10, 5)` those at a position";
const LENGTH: &str =
    "`.len().compute()?` is the number of rows, `.columns()?.len()` the number of columns";
const AXIS: &str = "along an axis there is a separate method: `x.sum_axis(0)`, from the end `x.mean_axis(-1)`, `x.std_axis(0, 0.0)`";
const KEEPDIMS: &str = "use `Axes`: `x.sum_axis(Axes::of(0).keepdims())`";
const ACROSS: &str = "across columns it is an expression: `df.with_column(\"c\", polars::prelude::sum_horizontal([col(\"a\"), col(\"b\")], true)?)`, likewise `mean_horizontal`";
const DROP: &str = "`.drop([\"a\"])` removes a column, `.drop([\"a\", \"b\"])` several; rows are chosen by `.filter(…)`";
const WITH_COLUMN: &str =
    "`let df = df.with_column(\"b\", col(\"a\") * lit(2));` is the frame with a new column";
const TO_DATE: &str = "`col(\"date\").str().to_date(Default::default())`, or `.str().to_datetime(None, None, Default::default(), lit(\"raise\"))`";
const DATE_FORMAT: &str = "`.to_date(Default::default())` detects the format; to set another one, use `polars::prelude::StrptimeOptions { format: Some(\"%Y-%m-%d\".into()), ..Default::default() }`";
const CAST: &str = "`.cast(DataType::Float64)`, `DataType::Int64`, `DataType::String`";
const QUANTILE: &str =
    "`.agg([col(\"a\").quantile(lit(0.5), polars::prelude::QuantileMethod::Linear)])`";
const ROLLING: &str = "`.rolling_mean(polars::prelude::RollingOptionsFixedWindow { window_size: 3, ..Default::default() })`, likewise `rolling_sum`, `rolling_max`";
const FILL: &str = "`.fill_null_with_strategy(polars::prelude::FillNullStrategy::Forward(None))`, or `Backward(None)`";
const MAP: &str = "`.map(|column| Ok(column), |_, field| Ok(field.clone()))` is for functions of whole columns; expressions are shorter and faster";
const CORR: &str = "`df.agg([polars::prelude::pearson_corr(col(\"a\"), col(\"b\"))])` is the correlation of two columns";
const UNPIVOT: &str = "Polars does it with computed frames: `use polars::prelude::UnpivotDF; df.compute()?.unpivot(Some([\"a\", \"b\"]), [\"id\"])?`";
const ROW_INDEX: &str = "Polars does it with computed frames: `use polars::prelude::IntoLazy; df.compute()?.lazy().with_row_index(\"i\", None).collect()?`";
const JSON: &str = "Polars writes computed frames: `use polars::prelude::{JsonWriter, SerWriter}; JsonWriter::new(std::fs::File::create(\"a.json\")?).finish(&mut df.compute()?)?`";
const READ_OTHERS: &str =
    "CSV and Parquet are read: `read_csv(\"a.csv\").load()?`, `read_parquet(\"a.parquet\")?`";
const PLOT: &str = "`plot::line(&values)` draws a `Vec` or an array of ndarray, `plot::histogram(&values, 10)` a `Vec`: `df.column(\"a\").to_vec::<f64>()?` is one";
const GROUPS_FIRST: &str =
    "groups are aggregated first: `.agg([col(\"b\").mean()])`, or `.mean()`, `.len()`";
const VALUES: &str = "`.to_vec::<f64>()?` are the values";
const DATUM_TO: &str = "it may be a number, a string or a date: `m.to::<f64>()?` is the number";
const LAZY: &str = "`use polars::prelude::IntoLazy; frame.lazy().select([col(\"a\")]).collect()?` is Polars' own, for a frame in memory, likewise `with_columns`, `filter`, `group_by`";
const OF_COLUMN: &str = "`frame[\"a\"].as_materialized_series().mean()` is for a frame in memory, likewise `sum::<f64>()?`, `max::<f64>()?`, `std(1)`";
const COLUMN_VALUES: &str = "`frame[\"a\"].i32()?.to_vec()` are the values of a frame in memory, or `f64()`, `str()`, depending on the type";
const SORT_TABLE: &str = "for a frame in memory: `.sort([\"a\"], Default::default())?`";
const COMPUTED: &str = "it is computed already";
const MASK: &str = "a mask selects elements: `x.get(&x.gt(0.5))`";
const ELEMENTS: &str = "an element is `x.compute()?[[0, 0]]`, a part of several axes `x.compute()?.slice(ndarray::s![0..2, ..])`; uncomputed, `x.slice_axis(Axis(0), 0..2)` is a range";
const OF_COMPUTED: &str = "an element is `arr[[0, 0]]`, a part `arr.slice(ndarray::s![0..2, ..])`";
const WHOLE_ELEMENTS: &str = "the elements are whole numbers: `x.astype::<f64>() + 1.0` has floats";
const ARRAYS: &str = "both arrays have one element type: `x.astype::<f64>() + &y`";
const MIXED: &str = "whole numbers and floats are not mixed: `n as f64 / 2.0`";
const ORDER: &str = "sort the elements after computing: `let mut v = x.compute()?.into_raw_vec_and_offset().0; v.sort_by(f64::total_cmp);`, the median is `v[v.len() / 2]`";
const CUMSUM: &str = "cumulative sums need a computed array: `let mut c = x.compute()?; c.accumulate_axis_inplace(Axis(0), |&previous, current| *current += previous);`";
const MATRICES: &str = "the product of arrays is `x.dot(&y.t()).compute()?`; for arrays of ndarray, first fix the number of axes of both: `let a = x.compute()?.into_dimensionality::<ndarray::Ix2>()?;`";
const RESHAPE: &str = "`x.compute()?.into_shape_with_order((2, 3))?` is for computed arrays";
const POWERS: &str = "powers are methods: `x.powi(2)`, `x.powf(0.5)` for floats and arrays, `n.pow(2)` for integers, `col(\"a\").pow(2)` for expressions";
const FORMAT: &str =
    "strings are built by `format!(\"n = {n}\")`, printed by `println!(\"n = {n}\")`";
const TYPES: &str =
    "`f32`, `f64`, `i32`, `i64` are types of numbers: `2.5 as f32`, `x.astype::<f32>()`";
const RAND: &str = "a line `:dep rand` at the top of a cell adds it: `rand::random::<f64>()`, `rand::random_range(0..10)`";
const TOLD_TYPE: &str = "write the element type: `Array::<f64>::{word}(…)`";
const NO_TRY: &str =
    "this only describes, and cannot fail: put `?` after the method that computes, `.compute()?`";
const CHUNKS: &str =
    "chunks are required as well: `Array::<f64>::{word}((1000, 1000), (100, 1000))`";
const RANDOM: &str =
    "chunks and a seed are required as well: `Array::random((1000, 1000), (100, 1000), 42)`";
const ELEMENT: &str =
    "both sides have one element type: `x + 1.0` for `f64`, `x.astype::<i64>() + 1` for `i64`";
const PLACES: &str = "indices are `usize`: `xs[n as usize]`";
const PARTS: &str = "a part is `xs[0..2]`, or `&xs[0..2]` where the size must be known; the last one is `xs[xs.len() - 1]`";
const SLICE: &str = "`x.slice_axis(Axis(0), 0..10)` is a range along an axis, `x.index_axis(Axis(0), 3)` one index of it";
const NO_NAMES: &str = "arguments have no names here: they are identified by position";
const LIST: &str = "pass several columns as a list: `[\"a\", \"b\"]`, `[col(\"a\"), col(\"b\")]`";
const NUMPY: &str = "create arrays with `Array::<f64>::zeros((100, 100), (10, 100))` and the like, and operations on them are methods: `x.sqrt().mean()`";
const PANDAS: &str = "frames are in scope already: `read_csv(\"a.csv\").load()?`, `read_parquet(\"a.parquet\")?`, `DataFrame::from(df!(\"a\" => [1, 2])?)`";
const POLARS: &str =
    "Polars' `col`, `lit`, `when`, `len` are in scope already, the rest is in `polars::prelude`";
const DASK: &str =
    "Dask's names are in scope already: `Array`, `read_csv`, `delayed`, `compute`, `Client`";
const NO_BAGS: &str = "there are no bags: use a `Vec` of delayed values, `items.into_iter().map(|item| delayed(f).call(item)).collect::<Vec<_>>()`";
const IN_SCOPE: &str = "nothing needs to be imported: arrays and frames are in scope. `:dep name` at the top of a cell adds another crate, `use name::thing;` imports a name from it";
const DO_RUST: &str = "blocks are in braces: `for i in 0..10 { … }`, `if x > 1 { … } else { … }`";
const FROM_NDARRAY: &str = "`Array::<f64>::from_ndarray(vec![1.0, 2.0, 3.0], 2)` splits a `Vec` or an array of ndarray into chunks";
const CALL: &str = "call a delayed function with `.call`: `delayed(f).call(1.0)`";
const TEXT_OF_ROWS: &str = "the values of a column are `.column(\"a\").to_vec::<f64>()?`";

pub(super) const TABLE: &[Row] = rows! {
    // ---- frames ----
    Method FRAME => {
        "groupby" | "groupBy" => "`.group_by([\"a\"])` makes groups: follow it by `.mean()` and the like, or `.agg([col(\"b\").mean()])`";
        "merge" | "merge_asof" | "left_join" | "inner_join" | "full_join" | "outer_join" | "semi_join" | "anti_join" | "crossJoin" => JOIN;
        "sort_values" | "sort_by" | "order_by" | "orderBy" => SORT;
        "to_csv" | "write_csv" | "sink_csv" => CSV;
        "to_parquet" | "write_parquet" | "sink_parquet" => PARQUET;
        "to_pandas" | "to_polars" | "collect" | "fetch" | "toPandas" => "`.compute()?` makes a frame of Polars, in memory";
        "lazy" => "a frame is lazy already: its methods describe, `.compute()?` runs them";
        "dropna" | "drop_nulls" => "`.filter(col(\"a\").is_not_null())` leaves out rows without a value in a column";
        "fillna" | "fill_null" | "fill_nan" | "ffill" | "bfill" | "fillNa" => "`.with_column(\"a\", col(\"a\").fill_null(lit(0)))` fills a column";
        "isna" | "isnull" | "is_null" => "`col(\"a\").is_null()` tests a column, in `.filter(…)` or `.with_column(\"b\", …)`; `df.agg([all().as_expr().null_count()])` counts missing values";
        "notna" | "notnull" | "is_not_null" => "`col(\"a\").is_not_null()` tests a column, in `.filter(…)` or `.with_column(\"b\", …)`";
        "isin" | "is_in" => "`.filter(col(\"a\").is_in_values([1, 2]))`";
        "apply" | "applymap" | "map" | "transform" | "pipe" | "map_rows" =>
            "change columns by expressions: `.with_column(\"b\", col(\"a\") * lit(2))`; for a function of whole partitions use `.map_partitions(|partition| Ok(partition))`";
        "map_batches" | "map_elements" => "`.map_partitions(|partition| Ok(partition))` calls a function for each partition";
        "astype" | "cast" => "`.with_column(\"a\", col(\"a\").cast(DataType::Float64))` changes the type of a column";
        "unwrap" | "expect" => NO_TRY;
        "value_counts" => "it is a method of a column: `.column(\"a\").value_counts()`";
        "query" | "where_" | "mask" => "`.filter(col(\"a\").gt(lit(1)))` selects the rows for which an expression is true";
        "assign" | "mutate" | "insert" | "insert_column" | "withColumn" => "`.with_column(\"b\", col(\"a\") * lit(2))` adds a column, or sets one";
        "aggregate" => "`.agg([col(\"a\").mean()])`";
        "mean" | "sum" | "min" | "max" | "median" | "std" | "var" | "count" =>
            "for a column: `.column(\"a\").{word}()`; for several: `.agg([…])` with expressions such as `col(\"a\").mean()`";
        "nunique" | "n_unique" => "for a column: `.column(\"a\").n_unique()`";
        "quantile" => QUANTILE;
        "corr" | "cov" => CORR;
        "null_count" => "`.agg([all().as_expr().null_count()])` counts missing values, of each column";
        "cumsum" | "cum_sum" | "shift" | "diff" | "round" | "abs" | "replace" | "clip" | "eval" | "rank" | "pct_change" => BY_COLUMN;
        "rolling" => "`.with_column(\"b\", col(\"a\").rolling_mean(polars::prelude::RollingOptionsFixedWindow { window_size: 3, ..Default::default() }))`";
        "first" | "last" | "slice" | "iloc" => ROWS;
        "pop" => DROP;
        "with_row_index" | "with_row_count" => ROW_INDEX;
        "melt" | "unpivot" => UNPIVOT;
        "transpose" => "`.compute()?.transpose(None, None)?` is Polars' own, for a computed frame";
        "to_json" | "write_json" | "write_ndjson" => JSON;
        "plot" | "hist" | "boxplot" => PLOT;
        "limit" | "take" => "`.head(5)?` computes the first rows";
        "sample" => "`.compute()?.sample_n_literal(5, false, None, None)?` takes random rows of a computed frame";
        "nlargest" | "top_k" => "`.sort(\"a\", Descending).head(5)?`";
        "nsmallest" | "bottom_k" => "`.sort(\"a\", Ascending).head(5)?`";
        "iterrows" | "itertuples" | "iter_rows" | "rows" | "items" | "to_dict" | "to_dicts" | "to_list" | "tolist" => TEXT_OF_ROWS;
        "to_numpy" | "to_ndarray" | "to_array" => "`.compute()?.to_ndarray::<polars::prelude::Float64Type>(polars::prelude::IndexOrder::C)?` is an array of ndarray";
        "shape" | "height" | "n_rows" | "width" | "n_cols" => LENGTH;
        "is_empty" | "isEmpty" => "`.len().compute()? == 0`";
        "dtypes" | "dtype" | "info" | "collect_schema" | "printSchema" => "`.schema()?` has the columns' names and types";
        "keys" | "get_columns" | "get_column_names" => "`.columns()?` are the columns' names";
        "get" | "get_column" | "col" | "select_column" | "to_series" => "`.column(\"a\")` is a column";
        "concat" | "append" | "vstack" | "union" | "unionAll" | "extend" => "`DataFrame::concat([&df, &other])` stacks frames vertically";
        "cache" => "`.persist()?` keeps the computed values";
        "set_index" | "reset_index" | "sort_index" | "reindex" => "frames have no index: `.sort`, `.filter` and `.join` take columns";
        "print" => "a cell shows its last expression: write the variable's name alone, or `display(&df);`";
        "copy" => "`.clone()`: a frame is a description, and copying it costs nothing";
        "dropDuplicates" => "`.unique_by([\"a\"])`, or `.unique()` for whole rows";
        "add_suffix" | "set_axis" | "rename_columns" | "withColumnRenamed" => "`.rename([\"a\"], [\"b\"])` gives columns other names";
    }
    Field FRAME => {
        "plot" => PLOT;
        "T" | "str" | "dt" | "style" | "attrs" | "at" | "iat" | "axes" | "sparse" | "plan" | "divisions" | "map" => "";
        "shape" | "size" => LENGTH;
        "dtypes" => "`.schema()?` has the columns' names and types";
        "index" => "frames have no index: `.sort`, `.filter` and `.join` take columns";
        "iloc" | "loc" => ROWS;
        "values" => TEXT_OF_ROWS;
        "empty" => "`.len().compute()? == 0`";
        "*" => "`.column(\"{word}\")` is the column, and in expressions `col(\"{word}\")`";
    }
    MethodAsField FRAME => {
        "columns" | "schema" | "npartitions" => "it is a method: `.{word}()?`";
        "compute" | "persist" => "it is a method: `.{word}()?`";
        "describe" | "unique" | "drop_duplicates" | "len" => "it is a method: `.{word}()`";
        "head" | "tail" => "the number of rows is required: `.{word}(5)?`";
    }
    Index FRAME => {
        "text =" => WITH_COLUMN;
        "text >" | "text <" | "text >=" | "text <=" | "text ==" | "text !=" => COMPARE;
        "text" => "`.column({word})` is a column, and in expressions `col({word})`";
        "list" => "`.select({word})` selects columns";
        "range" | "number" => ROWS;
        "other" => "`.column(name)` is a column, `.filter(col(\"a\").gt(lit(1)))` selects rows";
    }
    Associated FRAME => {
        "new" | "from_dict" | "from_pandas" | "from_records" | "from_vec" | "from_df" =>
            "`DataFrame::from(df!(\"a\" => [1, 2, 3], \"b\" => [\"x\", \"y\", \"z\"])?)` makes a frame of columns";
        "read_csv" | "scan_csv" => "`read_csv(\"a.csv\").load()?`";
        "read_parquet" | "scan_parquet" => "`read_parquet(\"a.parquet\")?`";
    }
    Arguments Of::File("src/frame/dataframe.rs") => {
        "head" | "tail" => "the number of rows is required: `.{word}(5)?`";
        "sort" => SORT;
        "join" => JOIN;
        "rename" => "`.rename([\"a\"], [\"b\"])`: from, to";
        "select" | "with_columns" | "group_by" | "agg" => LIST;
        "drop" => DROP;
        "filter" => LOGIC;
        "with_column" => "a name, then values: `.with_column(\"b\", col(\"a\") * lit(2))`";
        "unique" | "drop_duplicates" => "for some columns only: `.unique_by([\"a\"])`";
        "DataFrame::from_polars" => "the number of partitions is required: `DataFrame::from_polars(frame, 4)`, or `DataFrame::from(frame)`";
        "DataFrame::concat" => "pass frames as a list: `DataFrame::concat([&df, &other])`";
    }

    // ---- groups ----
    Method GROUPS => {
        "aggregate" | "apply" | "map" | "map_groups" => "`.agg([col(\"b\").mean(), len()])` aggregates groups, by expressions";
        "nunique" => "`.n_unique()`";
        "column" | "select" | "get" | "col" => "`.agg([col(\"b\").mean()])` aggregates a column";
        "compute" | "collect" | "persist" | "head" | "tail" | "describe" | "nth" | "value_counts" | "cumsum" | "shift" | "rank" | "sort" | "filter" => GROUPS_FIRST;
        "quantile" => QUANTILE;
        "transform" => "`df.with_column(\"c\", col(\"b\").mean().over([\"a\"])?)` assigns each row its group's value";
        "get_group" => "`df.filter(col(\"a\").eq(lit(1)))` are the rows of a group";
        "agg_list" | "prod" | "all" => "`.agg([…])` takes expressions: `col(\"b\").mean()`";
    }
    Field GROUPS => {
        "ngroups" | "groups" | "frame" | "keys" | "indices" | "grouper" => "";
        "*" => "`.agg([col(\"{word}\").mean()])` aggregates a column";
    }
    Index GROUPS => {
        "text" => "`.agg([col({word}).mean()])` aggregates a column";
        "list" | "other" => "`.agg([col(\"b\").mean(), col(\"c\").sum()])` aggregates columns";
    }
    Arguments Of::File("src/frame/groupby.rs") => {
        "mean" | "sum" | "min" | "max" | "median" | "count" | "first" | "last" | "n_unique" => "for some columns only: `.agg([col(\"b\").{word}()])`";
        "std" | "var" => "for some columns only: `.agg([col(\"b\").{word}(1)])`";
        "agg" => LIST;
    }

    // ---- columns ----
    Method SERIES => {
        "isin" | "is_in" | "apply" | "map" | "map_elements" | "astype" | "fillna" | "fill_null" | "isna" | "isnull" | "is_null" |
        "replace" | "abs" | "round" | "clip" | "rolling" | "shift" | "diff" | "rank" | "cumsum" | "cum_sum" | "between" | "cast" => BY_COLUMN;
        "gt" | "lt" | "eq" | "ne" | "ge" | "le" | "gt_eq" | "lt_eq" | "neq" =>
            "expressions compare: `df.filter(col(\"a\").gt(lit(30)))`";
        "dropna" | "drop_nulls" => "`.filter(col(\"a\").is_not_null())`, with the column's name";
        "to_list" | "tolist" | "to_numpy" | "values" | "iter" | "into_iter" | "collect" | "to_dict" => VALUES;
        "unwrap" | "expect" => NO_TRY;
        "nunique" => "`.n_unique()`";
        "drop_duplicates" => "`.unique()`";
        "sort_values" => "`.sort(Ascending)`, or `Descending`";
        "shape" | "size" | "is_empty" => "`.len().compute()?` is the number of values";
        "describe" => "`.to_frame().describe()`";
        "limit" => "`.head(5)?`";
        "str" | "dt" => "it is a method of an expression: `col(\"a\").{word}()`, in `df.with_column(\"b\", …)` or `df.filter(…)`";
        "quantile" => "`df.agg([col(\"a\").quantile(lit(0.9), polars::prelude::QuantileMethod::Linear)])`";
        "corr" | "cov" => CORR;
        "plot" | "hist" => PLOT;
    }
    Associated SERIES => { "new" | "from_vec" => "`DataFrame::from(df!(\"a\" => [1, 2, 3])?).column(\"a\")` makes a column"; }
    Field SERIES => {
        "str" | "dt" => "it is a method of an expression: `col(\"a\").{word}()`, in `df.with_column(\"b\", …)` or `df.filter(…)`";
        "values" => VALUES;
        "shape" | "size" => "`.len().compute()?` is the number of values";
    }
    Index SERIES => {
        "number" => "`.to_vec::<f64>()?` are the values, with indices; `.head(5)?` the first ones";
        "range" => "`.head(5)?` are the first values, `.compute()?.slice(10, 5)` those at a position";
    }
    Operator SERIES => {
        ">" | "<" | ">=" | "<=" | "==" | "!=" => "expressions compare: `df.filter(col(\"a\").gt(lit(30)))`, likewise `lt`, `gt_eq`, `lt_eq`, `eq`, `neq`";
        "+" | "-" | "*" | "/" | "%" => BY_COLUMN;
    }
    Arguments Of::File("src/frame/series.rs") => {
        "head" | "tail" => "the number of values is required: `.{word}(5)?`";
        "sort" => "`.sort(Ascending)`, or `Descending`";
    }

    // ---- single values ----
    Operator VALUE => { "+" | "-" | "*" | "/" | "%" | ">" | "<" | ">=" | "<=" | "==" | "!=" => COMPUTE; }
    OperatorBehind VALUE => { "+" | "-" | "*" | "/" | "%" => COMPUTE; }
    Method VALUE => { "round" | "sqrt" | "abs" | "floor" | "ceil" | "item" | "unwrap" | "powi" | "value" | "get" => COMPUTE; }
    Found VALUE => { "f64" | "f32" | "i64" | "i32" | "u64" | "u32" | "usize" | "bool" | "String" => COMPUTE; }
    Cast VALUE => { "f64" | "f32" | "i64" | "i32" | "u64" | "u32" | "usize" => COMPUTE; }
    Operator SCALAR => {
        "+ {integer}" | "- {integer}" | "* {integer}" | "/ {integer}" | "+ i64" | "- i64" | "* i64" | "/ i64" | "+ usize" | "- usize" | "* usize" | "/ usize" =>
            "both sides have one element type: `x.sum() / 2.0`, `x.sum() / n as f64`";
        "+ {float}" | "- {float}" | "* {float}" | "/ {float}" | "+ f64" | "- f64" | "* f64" | "/ f64" =>
            "whole numbers and floats are not mixed: `x.sum().compute()? as f64 / 2.0`";
    }
    Operator SCALAR => { ">" | "<" | ">=" | "<=" | "==" | "!=" => COMPUTE; }
    Method SCALAR => { "item" | "unwrap" | "value" | "get" | "gt" | "lt" => COMPUTE; }
    Found SCALAR => { "f64" | "f32" | "i64" | "i32" | "u64" | "u32" | "usize" | "bool" => COMPUTE; }
    Cast SCALAR => { "f64" | "f32" | "i64" | "i32" | "u64" | "u32" | "usize" => COMPUTE; }
    Method DATUM => { "sqrt" | "round" | "abs" | "powi" | "floor" | "ceil" | "unwrap" | "item" | "as_f64" => DATUM_TO; }
    Found DATUM => { "f64" | "f32" | "i64" | "i32" | "u64" | "u32" | "usize" | "String" => DATUM_TO; }
    Cast DATUM => { "f64" | "f32" | "i64" | "i32" | "u64" | "u32" | "usize" => DATUM_TO; }

    // ---- expressions ----
    Operator EXPR => {
        ">" | "<" | ">=" | "<=" => COMPARE;
        "&" | "|" | "^" => LOGIC;
    }
    OperatorBehind EXPR => {
        "+ {integer}" | "+ {float}" | "- {integer}" | "- {float}" | "* {integer}" | "* {float}" | "/ {integer}" | "/ {float}" |
        "+ f64" | "- f64" | "* f64" | "/ f64" | "+ i64" | "- i64" | "* i64" | "/ i64" | "+ i32" | "- i32" | "* i32" | "/ i32" |
        "+ &str" => LIT;
        ">" | "<" | ">=" | "<=" => COMPARE;
    }
    Unary EXPR => { "!" => LOGIC; }
    Power Of::Any => {
        "**" => POWERS;
    }
    Expected EXPR => {
        "== bool" | "!= bool" => EQUAL;
        "integer beside ==" | "&str beside ==" | "floating-point number beside ==" | "i64 beside ==" | "f64 beside ==" |
        "integer beside !=" | "&str beside !=" | "floating-point number beside !=" | "i64 beside !=" | "f64 beside !=" => EQUAL;
        "bool in filter" => COMPARE;
        "list in filter" => LOGIC;
        "&str in filter" => "a condition is an expression: `.filter(col(\"a\").gt(lit(1)))`";
        "closure in filter" => "a condition is an expression: `.filter(col(\"a\").gt(lit(1)))`";
        "&str" => "in expressions a column is `col(\"a\")`, a string `lit(\"x\")`";
        "integer" | "floating-point number" | "i64" | "f64" | "i32" => LIT;
        "Expr in ne" => "`.neq(lit(1))`";
        "Series" => "an expression is expected here: `col(\"a\")`";
    }
    Found EXPR => {
        "bool" => LOGIC;
        "&ChunkedArray<BooleanType>" => "`use polars::prelude::IntoLazy; frame.lazy().filter(col(\"a\").gt(lit(1))).collect()?` is Polars' own, for a frame in memory";
    }
    Expected Of::Polars("RollingOptionsFixedWindow") => { "integer" => "`.{word}(polars::prelude::RollingOptionsFixedWindow { window_size: 3, ..Default::default() })`"; }
    Expected Of::Polars("StrptimeOptions") => { "&str" => DATE_FORMAT; }
    Bound Of::Polars("PlSmallStr") => {
        "From<char>" => "strings are in double quotes: `col(\"a\")`";
        "From in col" => LIST;
    }
    Bound Of::Polars("DataTypeExpr") => { "From<&str>" => CAST; }
    Bound EXPR => {
        "IntoNames in sort" => SORT;
        "IntoNames" => DROP;
        "AsRef of select" => LAZY;
    }
    Bound Of::Text => { "From<Expr>" => DROP; }
    Associated Of::Polars("DataType") => { "Float" | "Double" | "Int" | "Integer" | "Long" | "Utf8" | "Str" | "Text" | "Bool" => CAST; }
    Method EXPR => {
        "isin" => "`.is_in_values([1, 2])`";
        "isnull" | "isna" => "`.is_null()`";
        "notnull" | "notna" => "`.is_not_null()`";
        "fillna" => "`.fill_null(lit(0))`";
        "forward_fill" | "ffill" | "backward_fill" | "bfill" => FILL;
        "ln" => "`.log(lit(std::f64::consts::E))`";
        "log10" | "log2" => "the base is required: `.log(lit(10.0))`";
        "suffix" | "prefix" | "add_suffix" => "`.alias(\"m\")`";
        "map_elements" | "map_batches" | "applymap" => MAP;
        "to_datetime" | "to_date" | "strptime" => TO_DATE;
        "dropna" => "`.drop_nulls()`";
        "astype" => "`.cast(DataType::Float64)`";
        "ge" | "gte" | "geq" => "`.gt_eq(lit(1))`";
        "le" | "lte" | "leq" => "`.lt_eq(lit(1))`";
        "not_eq" => "`.neq(lit(1))`";
        "contains" => "`.str_contains(\"x\")` is for a literal text, `.str_matches(\"^x\")` for a regular expression";
        "startswith" | "starts_with" => "`.str().starts_with(lit(\"x\"))`";
        "endswith" | "ends_with" => "`.str().ends_with(lit(\"x\"))`";
        "upper" | "to_uppercase" => "`.str().to_uppercase()`";
        "lower" | "to_lowercase" => "`.str().to_lowercase()`";
        "nunique" => "`.n_unique()`";
        "cumsum" => "`.cum_sum(false)`";
        "between" => "`.is_between(lit(1), lit(2), polars::prelude::ClosedInterval::Both)`";
        "as_" | "label" | "rename" | "named" => "`.alias(\"b\")`";
        "to_list" | "tolist" | "collect" | "compute" | "to_vec" => "an expression is computed in a frame: `df.select([col(\"a\")]).compute()?`, `df.column(\"a\").to_vec::<f64>()?`";
        "year" | "month" | "day" | "hour" | "minute" | "second" | "weekday" => "`.dt().{word}()`";
        "desc" | "asc" => SORT;
        "prod" => "`.product()`";
    }
    MethodAsField EXPR => {
        "str" | "dt" => "it is a method: `col(\"a\").{word}()`";
    }
    Method TEXTS => {
        "upper" => "`.to_uppercase()`";
        "lower" => "`.to_lowercase()`";
        "len" | "length" => "`.len_chars()`";
        "startswith" => "`.starts_with(lit(\"x\"))`";
        "endswith" => "`.ends_with(lit(\"x\"))`";
        "strip" | "trim" => "`.strip_chars(lit(\" \"))`";
    }
    Arguments Of::File("polars-plan") => {
        "col" => LIST;
        "all" => "for a `Vec` it is a method: `xs.iter().all(|x| *x > 0.0)`";
        "len" => "`len()` is Polars' expression for the number of rows: the length of a value is a method, `x.len()`, `df.len().compute()?`";
        "when" => "`when(col(\"a\").gt(lit(1))).then(lit(1)).otherwise(lit(0))`";
    }
    Arguments Of::File("src/dsl/statistics.rs") => {
        "std" | "var" => "the divisor is required: `.{word}(1)` as in pandas, `.{word}(0)` as in NumPy";
    }
    Arguments Of::File("src/dsl/string.rs") => {
        "contains" => "`col(\"a\").str_contains(\"x\")` is for a literal text, `.str_matches(\"^x\")` for a regular expression";
        "replace" | "replace_all" => "`.{word}(lit(\"M\"), lit(\"x\"), true)`; `false` for a regular expression";
        "slice" => "`.slice(lit(0), lit(1))`";
        "strptime" | "to_datetime" => TO_DATE;
    }
    Arguments Of::File("src/dsl/list.rs") => { "get" => "`.get(lit(0), true)`"; }
    Arguments Of::File("src/dsl/mod.rs") => {
        "is_in" => "`.is_in_values([1, 2])` takes a list";
        "round" => "`.round(2, polars::prelude::RoundMode::HalfToEven)`";
        "cum_sum" | "cum_prod" | "cum_min" | "cum_max" | "cum_count" => "the direction is required: `.{word}(false)`";
        "is_between" => "`.is_between(lit(1), lit(2), polars::prelude::ClosedInterval::Both)`";
        "map" | "apply" => MAP;
        "name" => "`.alias(\"m\")`";
        "diff" => "`.diff(lit(1), Default::default())`";
        "rank" => "`.rank(Default::default(), None)`";
        "log" => "the base is required: `.log(lit(std::f64::consts::E))`";
        "clip" => "`.clip(lit(0), lit(30))`";
        "quantile" => "`.quantile(lit(0.5), polars::prelude::QuantileMethod::Linear)`";
        "interpolate" => "`.interpolate(polars::prelude::InterpolationMethod::Linear)`";
        "rolling" => ROLLING;
    }

    // ---- arrays ----
    Method ARRAY => {
        "reshape" | "squeeze" => RESHAPE;
        "ravel" | "flatten" => "`x.compute()?.flatten()` is for computed arrays";
        "log" => "`.ln()` is the natural logarithm; there are also `.log10()` and `.log2()`";
        "ln_1p" => "`.log1p()`";
        "exp_m1" => "`.expm1()`";
        "asin" => "`.arcsin()`";
        "acos" => "`.arccos()`";
        "atan" => "`.arctan()`";
        "atan2" => "`y.arctan2(&x)`";
        "is_finite" => "`.isfinite()`";
        "is_infinite" | "is_inf" => "`.isinf()`";
        "signum" => "`.sign()`";
        "rint" | "around" => "`.round()`";
        "fix" => "`.trunc()`";
        "floordiv" | "div_floor" | "div_euclid" => "`.floor_divide(2.0)`";
        "pow" | "power" => "`.powi(2)`, or `.powf(0.5)`";
        "square" => "`.powi(2)`";
        "absolute" | "fabs" => "`.abs()`";
        "isnan" => "`.is_nan()`";
        "clamp" => "`.clip(0.0, 1.0)`";
        "copy" => "`.clone()`: an array is a description, and copying it costs nothing";
        "tolist" | "to_list" | "to_vec" | "into_vec" => "`.compute()?.into_raw_vec_and_offset().0` are the elements, row by row";
        "to_numpy" | "numpy" | "values" | "to_ndarray" | "to_array" | "view" => "`.compute()?` makes an array of ndarray";
        "iter" | "into_iter" | "indexed_iter" | "for_each" => COMPUTE_ARRAY;
        "item" | "unwrap" => "`.compute()?` computes an array; `.into_scalar().compute()?` converts an array without axes to a number";
        "size" => "`.len()` is the number of elements";
        "matmul" | "mm" => "`.dot(&y)`";
        "slice" | "s" | "take" => SLICE;
        "compress" | "extract" | "masked_select" => MASK;
        "swapaxes" | "moveaxis" | "permute" => "`.transpose([1, 0])` orders the axes";
        "flipud" => "`.flip(0)`";
        "fliplr" => "`.flip(1)`";
        "flatnonzero" => "`.nonzero()`, or `.argwhere()`: a row for each place";
        "T" => "`.t()`";
        "any" | "all" => "this is a method of masks: `x.gt(0.0).{word}()`";
        "where_" => "a mask selects: `mask.select(&x, 0.0)`, as in `x.gt(0.0).select(&x, 0.0)`";
        "cast" | "to" | "as_type" => "`.astype::<f32>()`";
        "average" => "`.mean()`";
        "amax" => "`.max()`";
        "amin" => "`.min()`";
        "median" | "quantile" | "percentile" | "sort" | "argsort" | "topk" => ORDER;
        "cumsum" | "cumprod" => CUMSUM;
        "plot" | "hist" | "histogram" => PLOT;
        "norm" => "`.powi(2).sum().compute()?.sqrt()`";
        "fillna" | "nan_to_num" => "`.is_nan().select(0.0, &x)` replaces NaN by a number";
        "diff" => "`x.slice_axis(Axis(0), 1..4) - x.slice_axis(Axis(0), 0..3)`";
        "gte" | "greater_equal" | "gt_eq" => "`.ge(0.5)`";
        "lte" | "less_equal" | "lt_eq" => "`.le(0.5)`";
        "greater" => "`.gt(0.5)`";
        "less" => "`.lt(0.5)`";
        "equal" | "equals" => "`.eq(0.5)`";
        "neq" | "not_equal" => "`.ne(0.5)`";
        "expand_dims" | "unsqueeze" => "`.insert_axis(Axis(0))`";
        "product" => "`.prod()`";
        "collect" => "`.compute()?`";
    }
    Field ARRAY => {
        "T" => "`.t()`";
        "size" => "`.len()` is the number of elements";
        "numblocks" | "chunksize" => "`.chunks()` returns the sizes of the chunks";
        "values" => "`.compute()?` makes an array of ndarray";
    }
    MethodAsField ARRAY => {
        "shape" | "ndim" | "dtype" | "nbytes" | "chunks" | "npartitions" => "it is a method: `.{word}()`";
        "t" | "len" => "it is a method: `.{word}()`";
        "compute" | "persist" => "it is a method: `.{word}()?`";
    }
    Index ARRAY => {
        "number" => "`.index_axis(Axis(0), {word})` is one index along an axis; `.compute()?` has elements: `x.compute()?[[0, 0]]`";
        "range" => SLICE;
        "list" => "elements exist only after computing: `x.compute()?[{word}]`";
        "other" => "a mask selects elements, `x.get(&mask)`; `x.index_axis(Axis(0), 3)` is one index along an axis, `x.slice_axis(Axis(0), 0..10)` a range of them";
        "list =" | "number =" | "range =" | "other =" => "arrays are not changed in place: `mask.select(0.0, &x)` sets elements, or `let mut a = x.compute()?; a[[0, 0]] = 5.0;`";
    }
    Operator Of::WholeArray => {
        "+ {float}" | "- {float}" | "* {float}" | "/ {float}" | "+ f64" | "- f64" | "* f64" | "/ f64" => WHOLE_ELEMENTS;
    }
    OperatorBehind Of::WholeArray => {
        "+ {float}" | "- {float}" | "* {float}" | "/ {float}" | "+ f64" | "- f64" | "* f64" | "/ f64" => WHOLE_ELEMENTS;
    }
    Elements Of::WholeArray => { "*" => "this is a method of floats: `x.astype::<f64>().{word}(…)`"; }
    Operator ARRAY => {
        "[>" | "[<" | "[>=" | "[<=" | "[==" | "[!=" => MASK;
        "+ Array" | "- Array" | "* Array" | "/ Array" => ARRAYS;
        "^ {integer}" | "^ {float}" => POWERS;
        ">" => "a comparison of arrays is a method: `x.gt(0.5)`";
        "<" => "a comparison of arrays is a method: `x.lt(0.5)`";
        ">=" => "a comparison of arrays is a method: `x.ge(0.5)`";
        "<=" => "a comparison of arrays is a method: `x.le(0.5)`";
        "==" => "a comparison of arrays is a method: `x.eq(0.5)`";
        "!=" => "a comparison of arrays is a method: `x.ne(0.5)`";
        "+=" | "-=" | "*=" | "/=" => "arrays are not changed in place: `let x = x + 1.0;`";
        "+ {integer}" | "- {integer}" | "* {integer}" | "/ {integer}" | "% {integer}" |
        "+ {float}" | "- {float}" | "* {float}" | "/ {float}" | "% {float}" |
        "+ i64" | "- i64" | "* i64" | "/ i64" | "+ i32" | "- i32" | "* i32" | "/ i32" |
        "+ f64" | "- f64" | "* f64" | "/ f64" | "+ usize" | "- usize" | "* usize" | "/ usize" => ELEMENT;
        "+ Vec<f64>" | "- Vec<f64>" | "* Vec<f64>" | "/ Vec<f64>" => FROM_NDARRAY;
        "&" | "|" => "`&`, `|` and `!` are for masks: `x.gt(0.0) & x.lt(1.0)`";
    }
    OperatorBehind ARRAY => {
        "+ {integer}" | "- {integer}" | "* {integer}" | "/ {integer}" |
        "+ i64" | "- i64" | "* i64" | "/ i64" | "+ f64" | "- f64" | "* f64" | "/ f64" | "+ usize" | "* usize" => ELEMENT;
    }
    Expected Of::Exactly("i64") => {
        "list in roll" => "one axis at a time: `.roll(2, 0).roll(1, 1)` rolls by 2 along axis 0 and by 1 along axis 1";
    }
    Bound Of::Swath("Axes") => {
        "From<Option<_>>" => "over all axes there is a separate method, `x.sum()`; `x.sum_axis(Axes::all().keepdims())` keeps them";
    }
    Bound Of::Swath("Other") => { "From<{integer}>" | "From<i64>" | "From<i32>" | "From<usize>" => "both sides have one element type: `x.clip(0.0, 1.0)`, `x.gt(0.0)`"; }
    Found ARRAY => {
        "bool" => "a mask is many truth values: `&`, `|` and `!` join masks, `mask.any().compute()?` or `.all()` reduce one to a single value";
        "f64" | "f32" | "i64" | "i32" => "`.sum().compute()?` and the like reduce an array to a number";
    }
    Cast ARRAY => { "f64" | "f32" | "i64" | "i32" | "u8" => "`.astype::<f32>()` changes the element type"; }
    Bound ARRAY => { "Iterator" => COMPUTE_ARRAY; "Display" => "a cell shows its last expression; `{x:?}` describes an array in a text, `x.compute()?` has elements"; }
    Bound FRAME => { "Display" => "a cell shows its last expression; `{df:?}` describes a frame in a text, `{}` shows the rows of `df.head(5)?`"; "Iterator" => TEXT_OF_ROWS; }
    Bound SERIES => { "Display" => "a cell shows its last expression; `{ages:?}` describes a column in a text"; "Iterator" => VALUES; }
    Bound SCALAR => { "Display" => COMPUTE; }
    Bound ARRAY => { "Try" => NO_TRY; }
    Bound FRAME => { "Try" => NO_TRY; }
    Bound SERIES => { "Try" => NO_TRY; }
    Bound VALUE => { "Try" => NO_TRY; }
    Bound SCALAR => { "Try" => NO_TRY; }
    Bound GROUPS => { "Try" | "Iterator" => GROUPS_FIRST; }
    Bound READER => { "Try" => LOAD; }
    Bound FRAME => { "From" => "`DataFrame::from(df!(\"a\" => [1, 2, 3], \"b\" => [\"x\", \"y\", \"z\"])?)` makes a frame of columns"; }
    Bound Of::Any => {
        "IntoOrders" => "the order is named: `Ascending`, `Descending`";
        "IntoArguments" => "pass the arguments as a tuple: `client.submit(f, (1,))?`";
        "Together" => "pass several as a tuple: `compute((&x, &y))?`; one alone is `x.compute()?`";
        "Iterator in is_in_values" => "`.is_in_values([\"M\"])` takes a list";
        "Iterator in names" => "`.names([\"a\", \"b\"])` takes a list";
        "Iterator in sort" => SORT_TABLE;
        "Iterator in extend" => "`.push(1.0)` appends a value, `.extend([1.0, 2.0])` several";
        "Item in concat" => "pass references to frames as a list: `DataFrame::concat([&df, &other])`";
        "NdIndex" => "an index along several axes is a list: `x.compute()?[[0, 0]]`";
        "DataShared" => "`.into_shape_with_order((2, 3))?` changes the shape, `.flatten()` reduces it to one axis";
        "Ord of sort" | "Ord of sort_unstable" => "floats are ordered by `xs.sort_by(f64::total_cmp)`";
        "Ord of max" | "Ord of min" => "for floats: `xs.iter().copied().fold(f64::NAN, f64::max)`, or `f64::min`";
    }
    Expected ARRAY => { "Vec" => FROM_NDARRAY; }
    Expected Of::Swath("JoinType") => { "&str in join" => JOIN; }
    Expected Of::Exactly("&str") => { "integer in column" => "columns have names: `df.columns()?` are all of them"; }
    Expected VEC => { "(_, _)" | "(_, _, _)" => "destructure a `Vec` by its indices: `let places = x.nonzero(); let (rows, columns) = (&places[0], &places[1]);`"; }
    Expected VEC => { "integer in append" | "floating-point number in append" | "String in append" | "f64 in append" | "i64 in append" => "`.push(1.0)` appends a value; `.append(&mut more)` another `Vec`"; }
    Syntax FRAME => {
        "[:" => ROWS;
        "[," => "`.filter(col(\"a\").gt(lit(1))).select([\"b\"])` selects rows, and columns of them";
    }
    Syntax TABLES => { "[:" => "`.slice(0, 5)` are the rows at a position, `.head(Some(5))` the first ones"; }
    Syntax SERIES => { "[:" => "`.head(5)?` are the first values, `.compute()?.slice(10, 5)` those at a position"; }
    Syntax ARRAY => { "[:" => SLICE; "[," => ELEMENTS; }
    Syntax Of::NdArray => { "[:" | "[," => OF_COMPUTED; }
    Syntax VEC => { "[:" => PARTS; "[," => "a place of rows in rows is `xs[0][1]`"; }
    Syntax Of::Text => { "[:" => PARTS; }
    Index Of::Text => { "by {integer}" | "by usize" | "by i64" => "letters are accessed by `text.chars().nth(0)`, a part is `&text[0..2]`"; }
    Index Of::Any => { "by i64" | "by i32" | "by u64" | "by u32" => PLACES; }
    Operator Of::Text => {
        "> in filter" | "< in filter" | ">= in filter" | "<= in filter" => COMPARE;
        "+" => FORMAT;
        "*" => "`\"a\".repeat(3)`";
    }
    Expected Of::Text => { "integer beside +" | "floating-point number beside +" | "i64 beside +" | "f64 beside +" | "i32 beside +" | "usize beside +" => FORMAT; }
    Operator Of::Whole => {
        "+ {float}" | "- {float}" | "* {float}" | "/ {float}" | "% {float}" | "+ f64" | "- f64" | "* f64" | "/ f64" => MIXED;
        "^ {float}" => POWERS;
    }
    OperatorBehind Of::Whole => { "+ {float}" | "- {float}" | "* {float}" | "/ {float}" | "+ f64" | "- f64" | "* f64" | "/ f64" => MIXED; }
    Method Of::Whole => { "sqrt" | "exp" | "ln" | "sin" | "cos" | "powf" | "powi" | "round" | "floor" | "ceil" => "this is a method of floats: `(n as f64).{word}(…)`"; }
    Inference Of::Exactly("{float}") => { "*" => "write the type after the number: `2.0_f64`"; }
    Inference Of::Exactly("{integer}") => { "*" => "write the type after the number: `2_i64`"; }
    Inference Of::Any => {
        "| in filter" => COMPARE;
        "sum" | "product" => "write the type of the result: `.{word}::<f64>()`";
    }
    Assigned Of::Exactly("mut") => { "*" => "`let mut {word} = …;` makes a variable that can be set again, `let {word} = …;` another one with this name"; }
    Assigned Of::Exactly("") => { "*" => "`let` makes a variable of the same name again: `let {word} = …;`"; }
    Operator VEC => { "+" | "-" | "*" | "/" => "compute with the elements one by one: `xs.iter().map(|x| x * 2.0).collect::<Vec<_>>()`, or in an array: `Array::<f64>::from_ndarray(xs, 2)`"; }

    // ---- what is computed ----
    Method Of::NdArray => {
        "to_vec" | "tolist" | "to_list" => "`.into_raw_vec_and_offset().0` are the elements, row by row";
        "max" | "min" => "`.iter().copied().fold(f64::NAN, f64::{word})`";
        "argmax" | "argmin" => "`.indexed_iter().max_by(|a, b| a.1.total_cmp(b.1))` is the place of the greatest element, and the element";
        "sort" | "median" | "quantile" | "percentile" => "`let mut v = arr.into_raw_vec_and_offset().0; v.sort_by(f64::total_cmp);` sorts the elements";
        "cumsum" | "cumprod" => "cumulative sums: `let mut c = arr.clone(); c.accumulate_axis_inplace(Axis(0), |&previous, current| *current += previous);`";
        "compute" | "persist" => COMPUTED;
        "astype" => "`.mapv(|element| element as f32)` changes the element type";
        "transpose" => "`.t()`";
        "numpy" | "to_numpy" => COMPUTED;
    }
    Field Of::NdArray => { "T" => "`.t()`"; "size" => "`.len()` is the number of elements"; }
    // The compiler stops searching for it, and prints no type.
    Method Of::Exactly("") => { "dot" => MATRICES; }
    Method TABLES => {
        "with_columns" | "agg" | "groupBy" => LAZY;
        "sort_values" | "sort_by" | "order_by" => SORT_TABLE;
        "to_csv" | "write_csv" => "`use polars::prelude::{CsvWriter, SerWriter}; CsvWriter::new(std::fs::File::create(\"a.csv\")?).finish(&mut frame.clone())?` writes a frame in memory";
        "to_parquet" | "write_parquet" => "`polars::prelude::ParquetWriter::new(std::fs::File::create(\"a.parquet\")?).finish(&mut frame.clone())?` writes a frame in memory";
        "compute" | "collect" | "persist" | "load" => COMPUTED;
        "len" | "count" => "`.height()` is the number of rows of a frame in memory";
        "describe" | "value_counts" | "mean" | "sum" | "median" | "std" | "var" | "min" | "max" => "`DataFrame::from(frame)` has the methods of Swath's frames: `.describe()`, `.column(\"a\").{word}()`";
        "to_numpy" | "values" => "`.to_ndarray::<polars::prelude::Float64Type>(polars::prelude::IndexOrder::C)?` is an array of ndarray";
    }
    Index TABLES => { "list" => "`.select({word})?` selects columns of a frame in memory"; }
    Field TABLES => {
        "iloc" | "loc" => "`.slice(0, 5)` are the rows at a position, `.head(Some(5))` the first ones";
        "*" => "`frame[\"{word}\"]` is the column of a frame in memory";
    }
    Method Of::Polars("GroupBy") => { "agg" | "mean" | "sum" => LAZY; }
    Expected Of::Polars("SortMultipleOptions") => { "Order" => "`Default::default()`, or `polars::prelude::SortMultipleOptions::default().with_order_descending(true)`"; }
    Method COLUMN => {
        "sum" | "mean" | "max" | "min" | "std" | "var" | "median" => OF_COLUMN;
        "to_vec" | "to_list" | "tolist" | "iter" | "values" | "to_numpy" => COLUMN_VALUES;
        "value_counts" => "`DataFrame::from(frame)` has the methods of Swath's frames: `.column(\"a\").value_counts()`";
    }
    Operator COLUMN => { ">" | "<" | ">=" | "<=" => "`use polars::prelude::IntoLazy; frame.lazy().filter(col(\"a\").gt(lit(1))).collect()?` is Polars' own, for a frame in memory"; }
    Moved COLUMN => { "*" => "`&{word}` in place of `{word}` does not move it"; }
    Elements COLUMN => { "sum" | "mean" | "max" | "min" => OF_COLUMN; }
    Method VEC => {
        "plot" | "hist" => PLOT;
        "sum" => "`.iter().sum::<f64>()`";
        "mean" | "average" => "`xs.iter().sum::<f64>() / xs.len() as f64`";
        "size" | "length" | "shape" | "count" => "`.len()`";
        "max" | "min" => "`.iter().copied().fold(f64::NAN, f64::{word})` for floats, `.iter().{word}()` for integers";
        "add" => "`.push(1.0)` appends a value";
    }
    Method Of::Text => {
        "upper" => "`.to_uppercase()`";
        "lower" => "`.to_lowercase()`";
        "strip" => "`.trim()`";
        "startswith" => "`.starts_with(\"x\")`";
        "endswith" => "`.ends_with(\"x\")`";
        "format" => "names are written directly in the string: `format!(\"hello {x}\")`";
        "join" => "it is a method of the list: `[\"a\", \"b\"].join(\", \")`";
    }
    Call FUNCTION => { "*" => CALL; }
    Call ARRAY => { "*" => SLICE; }
    Call FRAME => { "*" => "`.column(\"a\")` is a column, and in expressions `col(\"a\")`"; }
    Call DELAYED => { "*" => "`.compute()?` is the value"; }
    Arguments Of::File("src/array/") => {
        "sum" | "mean" | "prod" | "min" | "max" | "any" | "all" | "nansum" | "nanmean" | "nanprod" | "nanmin" | "nanmax" |
        "argmin" | "argmax" | "nanargmin" | "nanargmax" | "count_nonzero" => "along an axis: `.{word}_axis(0)`, from the end `.{word}_axis(-1)`, along several `.{word}_axis([0, 1])`";
        "std" | "var" | "nanstd" | "nanvar" => "along an axis: `.{word}_axis(0, 0.0)`; with a divisor of n − 1: `.{word}_ddof(1.0)`";
        "std_axis" | "var_axis" | "nanstd_axis" | "nanvar_axis" => "the divisor is required: `.{word}(0, 0.0)` as in NumPy, `1.0` for n − 1";
        "sum_axis" | "mean_axis" | "prod_axis" | "min_axis" | "max_axis" => "pass several axes as a list, `.{word}([0, 1])`; `.{word}(Axes::of(0).keepdims())` keeps them";
        "flip" => "`.flip(0)` reverses an axis, `.flip([0, 1])` several";
        "roll" => "distance and axis: `.roll(2, 0)`, along several axes one after the other: `.roll(2, 0).roll(1, 1)`";
        "round" => "to whole numbers; to two decimals: `(x * 100.0).round() / 100.0`";
        "transpose" => "`.t()` reverses the axes, `.transpose([1, 0])` orders them";
        "rechunk" => "pass the sizes as a tuple: `.rechunk((100, 100))`";
        "astype" => "write the type in angle brackets: `.astype::<f32>()`";
        "Array::zeros" | "Array::ones" => CHUNKS;
        "Array::eye" | "Array::arange" => "`Array::<f64>::{word}(1000, 100)`: length, chunks";
        "Array::full" => "`Array::full((1000, 1000), 1.0, (100, 1000))`: shape, element, chunks";
        "Array::random" | "Array::random_normal" => RANDOM;
        "Array::random_integers" => "a range, chunks and a seed: `Array::random_integers(0..10, 1000, 100, 42)`";
        "Array::linspace" => "chunks are required as well: `Array::linspace(0.0, 1.0, 11, 5)`";
        "Array::from_ndarray" => FROM_NDARRAY;
        "concatenate" | "stack" => "an axis, then the arrays: `{word}(Axis(0), &[x, y])`";
    }
    Associated ARRAY => {
        "from_array" | "from_vec" | "from_numpy" | "new" | "array" | "asarray" | "from_slice" => FROM_NDARRAY;
        "rand" | "uniform" | "random_sample" => RANDOM;
        "normal" | "randn" | "standard_normal" => "`Array::random_normal((1000, 1000), (100, 1000), 42)`: shape, chunks, seed";
        "randint" | "integers" => "`Array::random_integers(0..10, 1000, 100, 42)`: a range, shape, chunks, seed";
        "empty" => "`Array::<f64>::zeros((1000, 1000), (100, 1000))`: shape, chunks";
        "range" => "`Array::<f64>::arange(1000, 100)`: length, chunks";
        "concatenate" | "concat" | "stack" => "they are functions: `concatenate(Axis(0), &[x, y])`, `stack(Axis(0), &[x, y])`";
        "identity" => "`Array::<f64>::eye(100, 10)`: length, chunks";
    }
    Moved ARRAY => { "*" => "`&{word}` in place of `{word}` does not move it, and `{word}.clone()` costs nothing: an array is a description"; }
    Moved SCALAR => { "*" => "`&{word}` in place of `{word}` does not move it, and `{word}.clone()` costs nothing: it is a description"; }
    Moved FRAME => { "*" => "`&{word}` in place of `{word}` does not move it, and `{word}.clone()` costs nothing: a frame is a description"; }
    Moved EXPR => { "*" => "`{word}.clone()`: methods of an expression consume it"; }
    Inference ARRAY => {
        "Array::zeros" | "Array::ones" | "Array::arange" | "Array::eye" => TOLD_TYPE;
    }
    Expected Of::Swath("Axis") => { "integer" | "usize" | "i64" => "axes have a type of their own: `Axis(0)`"; }

    // ---- what is read ----
    Method READER => {
        "head" | "tail" | "filter" | "select" | "column" | "columns" | "group_by" | "groupby" | "compute" | "persist" | "with_column" |
        "with_columns" | "sort" | "join" | "merge" | "describe" | "len" | "agg" | "drop" | "rename" | "unique" | "collect" |
        "finish" | "npartitions" | "repartition" | "map_partitions" | "unwrap" | "sort_values" | "value_counts" | "shape" | "mean" => LOAD;
        "sep" | "delimiter" => "`.separator(';')`";
        "header" => "`.has_header(false)`";
        "dtype" | "dtypes" | "schema_overrides" => "`.with_dtype(\"a\", DataType::Int64)`";
        "na_values" => "`.null_values([\"NA\"])`";
        "skiprows" => "`.skip_rows(1)`";
        "comment" => "`.comment_prefix(\"#\")`";
        "usecols" => "select columns of the frame: `.load()?.select([\"a\", \"b\"])`";
        "nrows" | "n_rows" | "limit" => "take rows of the frame: `.load()?.head(100)?`";
        "chunksize" => "`.blocksize(64 << 20)` in bytes, or `.partitions(8)`";
    }
    Index READER => { "text" | "list" => LOAD; }
    Field READER => { "columns" | "shape" => LOAD; }
    Arguments Of::File("src/io/csv/mod.rs") => {
        "read_csv" => "settings are methods: `read_csv(\"a.csv\").separator(';').has_header(false).load()?`";
    }
    Method Of::Failing => { "*" => TRY; }
    Field Of::Failing => { "*" => TRY; }
    Index Of::Failing => { "text" | "range" | "list" | "number" | "other" => TRY; }
    Operator Of::Failing => { "+" | "-" | "*" | "/" | "%" | ">" | "<" | ">=" | "<=" | "==" | "!=" => TRY; }
    OperatorBehind Of::Failing => { "+" | "-" | "*" | "/" | "%" => TRY; }
    Bound Of::Failing => { "Display" => TRY; }
    Cast Of::Failing => { "f64" | "f32" | "i64" | "i32" | "u64" | "usize" => TRY; }
    Found Of::Failing => { "f64" | "f32" | "i64" | "i32" | "u64" | "usize" | "bool" | "String" => TRY; }
    Method TABLES => { "groupby" => "`use polars::prelude::IntoLazy; frame.lazy().group_by([col(\"a\")]).agg([col(\"b\").mean()]).collect()?` is Polars' own, for a frame in memory"; }

    Arguments Of::File("polars-core") => {
        "head" | "tail" => "for a frame in memory: `.{word}(Some(5))`";
        "with_column" => LAZY;
        "sort" => SORT_TABLE;
    }
    Arguments Of::File("ndarray-") => {
        "sum" | "mean" | "product" => "along an axis: `.{word}_axis(Axis(0))`";
        "std" | "var" => "the divisor is required: `.{word}(0.0)` as in NumPy, `.{word}(1.0)` for n − 1";
    }
    Arguments Of::File("src/io/csv/mod.rs") => { "names" => "`.names([\"a\", \"b\"])` takes a list"; }

    // ---- delayed values and clients ----
    Bound DELAYED => {
        "Iterator" => "pass several delayed values as a list: `client.gather([&task])?`";
        "Future" => "`.compute()?` waits for the value";
    }
    Method Of::Swath("TaskGraph") => { "compute" | "run" => "`graph.get::<f64>(\"key\")?` computes the value of a key"; }
    Method DELAYED => {
        "result" | "unwrap" | "get" | "item" | "value" | "collect" => "`.compute()?` is the value";
        "then" | "add_done_callback" | "and_then" => "`.map(|value| value + 1.0)` is the next task";
    }
    Operator DELAYED => { "+" | "-" | "*" | "/" | "%" | ">" | "<" | "==" | "!=" => "use a delayed value in tasks, `task.map(|value| value + 1.0)`, or compute it, `task.compute()?`"; }
    Method FUNCTION => { "compute" | "apply_async" | "submit" => CALL; }
    Bound DELAYED => { "Display" => "`.compute()?` is the value"; }
    Method CLIENT => {
        "map" => "one by one: `(0..10).map(|n| client.submit(f, (n,))).collect::<SwathResult<Vec<_>>>()?`";
        "close" | "shutdown" => "`drop(client)` ends it";
        "scheduler_info" | "nthreads" | "who_has" => "`.info()` shows the state of the cluster";
        "get" | "result" => "`client.compute(&value)?` is the value, `client.gather([&value])?` several";
    }
    Field CLIENT => { "dashboard_link" => "there is no dashboard; progress bars show the state of computations, and `.info()` that of the cluster"; }
    Arguments Of::File("src/cluster/") => {
        "Client::new" => "`Client::new(&LocalCluster::new())`";
        "LocalCluster::new" => "`LocalCluster::builder().threads(2).build()`";
        "submit" => "pass the arguments as a tuple: `client.submit(f, (1,))?`";
    }
    Name Of::Any => {
        // ---- modules of Python's ----
        "np.array" | "np.asarray" | "da.from_array" | "da.array" | "da.asarray" | "numpy.array" => FROM_NDARRAY;
        "np.zeros" | "np.ones" | "np.full" | "np.eye" | "np.empty" | "da.zeros" | "da.ones" | "da.full" | "da.eye" | "da.empty" |
        "zeros()" | "ones()" | "dask.array" | "np.identity" => NUMPY;
        "np.arange" | "da.arange" | "arange()" => "`Array::<f64>::arange(1000, 100)`: length, chunks";
        "np.linspace" | "da.linspace" | "linspace()" => "`Array::linspace(0.0, 1.0, 11, 5)`: from, to, length, chunks";
        "np.random" | "da.random" => "`Array::random((1000, 1000), (100, 1000), 42)`: shape, chunks, seed; there are also `Array::random_normal`, and `Array::random_integers(0..10, 1000, 100, 42)`";
        "np.concatenate" | "da.concatenate" | "np.vstack" | "np.hstack" => "`concatenate(Axis(0), &[x, y])`";
        "np.stack" | "da.stack" => "`stack(Axis(0), &[x, y])`";
        "np.pi" | "math.pi" => "`std::f64::consts::PI`";
        "np.e" | "math.e" => "`std::f64::consts::E`";
        "np.nan" | "math.nan" => "`f64::NAN`";
        "np.inf" | "math.inf" => "`f64::INFINITY`";
        "np.log" | "da.log" | "math.log" | "log()" => "functions of numbers and arrays are methods: `x.ln()`, `x.log10()`, `x.log2()`";
        "np.sum" | "np.mean" | "np.prod" | "np.max" | "np.min" | "np.any" | "np.all" | "np.argmax" | "np.argmin" | "np.nansum" | "np.nanmean" |
        "np.nanprod" | "np.nanmax" | "np.nanmin" | "np.nanargmax" | "np.nanargmin" | "np.count_nonzero" =>
            "it is a method: `x.{word}().compute()?`, along an axis `x.{word}_axis(0)`";
        "np.std" | "np.var" | "np.nanstd" | "np.nanvar" => "it is a method: `x.{word}().compute()?`, along an axis `x.{word}_axis(0, 0.0)`";
        "np.sqrt" | "np.cbrt" | "np.exp" | "np.expm1" | "np.log1p" | "np.log10" | "np.log2" | "np.sin" | "np.cos" | "np.tan" | "np.arcsin" |
        "np.arccos" | "np.arctan" | "np.sinh" | "np.cosh" | "np.tanh" | "np.floor" | "np.ceil" | "np.trunc" | "np.round" | "np.abs" |
        "np.sign" | "np.isfinite" | "np.isinf" | "np.unique" | "np.nonzero" | "np.argwhere" => "it is a method: `x.{word}()`";
        "np.isnan" => "it is a method: `x.is_nan()`";
        "np.dot" | "np.matmul" => "it is a method: `x.dot(&y)`";
        "np.maximum" | "np.minimum" | "np.hypot" | "np.arctan2" => "it is a method: `x.{word}(&y)`";
        "np.clip" => "it is a method: `x.clip(0.0, 1.0)`";
        "np.power" | "np.square" => POWERS;
        "np.flip" => "it is a method: `x.flip(0)`";
        "np.roll" => "it is a method: `x.roll(2, 0)`";
        "np.transpose" => "it is a method: `x.t()`, or `x.transpose([1, 0])`";
        "np.reshape" | "np.ravel" => RESHAPE;
        "np.median" | "np.percentile" | "np.quantile" | "np.sort" | "np.argsort" => ORDER;
        "np.cumsum" | "np.cumprod" => CUMSUM;
        "np.linalg.norm" => "`x.powi(2).sum().compute()?.sqrt()`";
        "np.save" | "np.savetxt" | "np.load" | "np.loadtxt" => "there are no `.npy` files: `std::fs::write(\"x.json\", serde_json::to_string(&x.compute()?)?)?` writes an array as JSON";
        "np.float32" | "np.float64" | "np.int32" | "np.int64" | "np.uint8" => TYPES;
        "np.*" | "np" | "numpy.*" => NUMPY;
        "math.*" | "sqrt()" | "exp()" | "sin()" | "cos()" => "functions of numbers and arrays are methods: `x.sqrt()`, `x.exp()`, `x.sin()`";
        "pow()" => "powers are methods: `x.powi(2)`, `x.powf(0.5)` for floats and arrays, `n.pow(2)` for integers";
        "pd.read_csv" | "dd.read_csv" | "pl.read_csv" | "pl.scan_csv" | "scan_csv()" => "`read_csv(\"a.csv\").load()?`; a pattern is a path too: `\"data/*.csv\"`";
        "pd.read_parquet" | "dd.read_parquet" | "pl.read_parquet" | "pl.scan_parquet" | "scan_parquet()" => "`read_parquet(\"a.parquet\")?`; a pattern is a path too: `\"data/*.parquet\"`";
        "pd.DataFrame" | "pl.DataFrame" | "pd.Series" | "pl.Series" => "`DataFrame::from(df!(\"a\" => [1, 2, 3], \"b\" => [\"x\", \"y\", \"z\"])?)` makes a frame of columns";
        "pd.concat" | "dd.concat" | "pl.concat" => "`DataFrame::concat([&df, &other])`";
        "pd.merge" | "dd.merge" => "`df.join(&other, [\"id\"], JoinType::Inner)`";
        "dd.from_pandas" | "from_pandas()" => "`DataFrame::from_polars(frame, 4)`: a frame of Polars, the number of partitions";
        "pd.to_datetime" => TO_DATE;
        "pd.to_numeric" => "an expression's cast: `col(\"a\").cast(DataType::Float64)`";
        "pd.read_json" | "pd.read_excel" | "pl.read_json" | "pl.read_excel" | "read_json()" | "read_excel()" => READ_OTHERS;
        "pl.Float64" | "pl.Float32" | "pl.Int64" | "pl.Int32" | "pl.Utf8" | "pl.String" | "pl.Boolean" | "pl.Date" |
        "Float64 in cast" | "Int64 in cast" | "String in cast" | "Utf8 in cast" => CAST;
        "pd.*" | "pd" | "pandas.*" => PANDAS;
        "pl.col" | "pl.lit" | "pl.when" | "pl.len" | "pl.*" => POLARS;
        "plt.*" | "plt" | "plot()" | "hist()" | "sns.*" => PLOT;
        "concat_str()" => "`polars::prelude::concat_str([col(\"a\"), col(\"b\")], \"-\", true)`";
        "count()" | "row_number()" => "`len()` is the number of rows";
        "avg()" | "n_unique()" | "countDistinct()" => "it is an expression's method: `col(\"a\").mean()`, `col(\"a\").n_unique()`";
        "Series()" => "`DataFrame::from(df!(\"a\" => [1, 2, 3])?).column(\"a\")` makes a column";
        "Array()" => FROM_NDARRAY;
        "DataFrame()" => "`DataFrame::from(df!(\"a\" => [1, 2, 3], \"b\" => [\"x\", \"y\", \"z\"])?)` makes a frame of columns";
        "compared in filter" => COMPARE;
        "use dask" => DASK;
        "use pandas" | "use numpy as np" => IN_SCOPE;
        // ---- Python's own modules ----
        "json.loads" | "json.load" => "`serde_json::from_str::<serde_json::Value>(\"{}\")?`";
        "json.dumps" | "json.dump" => "`serde_json::to_string(&n)?`";
        "os.listdir" => "`std::fs::read_dir(\".\")?.map(|file| Ok(file?.path())).collect::<std::io::Result<Vec<_>>>()?`";
        "os.path.exists" => "`std::path::Path::new(\"a\").exists()`";
        "os.getcwd" => "`std::env::current_dir()?`";
        "os.environ" => "`std::env::var(\"HOME\")?`";
        "random.*" | "random()" => RAND;
        "datetime.*" => "`std::time::SystemTime::now()` is the time; a line `:dep chrono` at the top of a cell adds dates: `chrono::Local::now()`";
        "db.from_sequence" | "db.read_text" => NO_BAGS;
        "dask.delayed" => "`delayed(f).call(1.0)`: a call of it is a task";
        "dask.compute" => "`compute((&x, &y))?` computes several at once";
        "dask.visualize" | "visualize()" => "`x.visualize()?`";
        "dask.persist" | "persist()" => "`x.persist()?`";
        "dask.*" => DASK;
        "ProgressBar()" => "`progress(&x)?` shows the progress of a persisted collection; computations longer than a second show it automatically";
        "from_array()" | "array()" => FROM_NDARRAY;
        // ---- functions of Python's ----
        "print" | "print()" => "`display(&x);` shows a value, `println!(\"{x}\")` prints a number or a text, `println!(\"{x:?}\")` anything; a cell shows its last expression by itself";
        "range()" => "a range is `0..10`: `for i in 0..10 { … }`";
        "enumerate()" => "`for (i, x) in xs.iter().enumerate() { … }`";
        "zip()" => "`for (a, b) in xs.iter().zip(&ys) { … }`";
        "sum()" => "it is a method: `x.sum()`, `xs.iter().sum::<f64>()`, `col(\"a\").sum()`";
        "mean()" => "it is a method: `x.mean()`, `col(\"a\").mean()`";
        "max()" | "min()" => "it is a method: `a.max(b)`, `x.max()`; `xs.iter().max()` for integers";
        "abs()" | "round()" => "it is a method: `x.abs()`, `x.round()`";
        "sorted()" => "`xs.sort_by(f64::total_cmp)` sorts a `Vec` of floats in place, `xs.sort()` one of other values";
        "reversed()" => "`xs.iter().rev()`";
        "map()" => "`xs.iter().map(|x| x * 2.0).collect::<Vec<_>>()`";
        "filter()" => "`xs.iter().filter(|x| **x > 1.0).collect::<Vec<_>>()`";
        "any()" => "it is a method: `xs.iter().any(|x| *x > 0.0)`, of masks `x.gt(0.0).any()`";
        "set()" => "`std::collections::HashSet::from([1, 2, 3])`";
        "tuple()" => "a tuple is in parentheses: `(1, \"a\")`";
        "help()" | "dir()" => "`?x` in a cell of its own describes a name; Tab after `x.` lists the methods";
        "pass" => "an empty block is `{}`";
        "list()" => "`.collect::<Vec<_>>()`, or `vec![1, 2, 3]`";
        "dict()" => "`std::collections::HashMap::from([(\"a\", 1)])`";
        "str()" => "`x.to_string()`";
        "int()" => "`x as i64`; for a string `x.parse::<i64>()?`";
        "float()" => "`x as f64`; for a string `x.parse::<f64>()?`";
        "isinstance()" => "`?x` in a cell of its own describes a variable and its type";
        "f64()" | "i64()" | "f32()" | "i32()" | "usize()" => "`x as f64`; for a string `x.parse::<f64>()?`";
        "concat()" => "`DataFrame::concat([&df, &other])` of frames, `concatenate(Axis(0), &[x, y])` of arrays";
        "Client()" => "`Client::new(&LocalCluster::new())`";
        "LocalCluster()" => "`LocalCluster::new()`, or `LocalCluster::builder().threads(2).build()`";
        "Desc in sort" | "Asc in sort" | "descending in sort" | "ascending in sort" | "desc in sort" | "asc in sort" => "the order is named: `Ascending`, `Descending`";
        "Left in join" | "Right in join" | "Inner in join" | "Outer in join" | "Full in join" => "`JoinType::Inner`, or `Left`, `Right`, `Full`, `Semi`, `Anti`";
        "exit()" | "quit()" => "`:restart` restarts the session";
        "open()" => "`std::fs::read_to_string(\"a.txt\")?`, `std::fs::File::open(\"a.txt\")?`";
        "time.time" | "time.sleep" | "time.perf_counter" => "`std::time::Instant::now()` and `.elapsed()` measure, `:timing` shows how long each cell takes; `sleep(…)?` waits";
        "True" => "`true`";
        "False" => "`false`";
        "none" | "nil" | "null" | "NULL" => "`None`, of an `Option`; find missing values of columns with `col(\"a\").is_null()`";
        "nan" => "`f64::NAN`";
    }
    Type Of::Any => {
        "int" => "`i64`, or `i32`, `usize`";
        "float" => "`f64`, or `f32`";
        "string" => "`String`, or `&str`";
        "list" => "`Vec<f64>`, with the type of its elements";
        "dict" => "`std::collections::HashMap<String, f64>`, with the types of its keys and values";
    }
    Associated Of::Swath("JoinType") => {
        "Outer" | "FullOuter" => "`JoinType::Full`";
        "Cross" => "";
    }
    Associated Of::Swath("Order") => {
        "Asc" | "Desc" => "`Ascending`, `Descending`";
    }
    Argument FRAME => { "sum(axis=)" | "mean(axis=)" | "min(axis=)" | "max(axis=)" => ACROSS; }
    Argument Of::Any => {
        "drop(axis=)" => DROP;
        "keepdims=" => KEEPDIMS;
        "sum(axis=)" | "mean(axis=)" | "prod(axis=)" | "min(axis=)" | "max(axis=)" | "std(axis=)" | "var(axis=)" | "any(axis=)" | "all(axis=)" | "sum(dim=)" => AXIS;
        "axis=" => "an axis is a positional argument: `x.argmax_axis(0)`, `x.slice_axis(Axis(0), 0..10)`";
        "read_csv(sep=)" | "read_csv(delimiter=)" | "read_csv(header=)" | "read_csv(names=)" | "read_csv(dtype=)" | "read_csv(usecols=)" | "read_csv(blocksize=)" =>
            "settings are methods: `read_csv(\"a.csv\").separator(';').has_header(false).load()?`";
        "sort(ascending=)" | "sort(descending=)" | "sort(reverse=)" | "sort_values(by=)" | "sort_values(ascending=)" | "sort(by=)" => SORT;
        "join(on=)" | "join(how=)" | "join(left_on=)" | "join(right_on=)" | "merge(on=)" | "merge(how=)" => JOIN;
        "rename(columns=)" => "`.rename([\"a\"], [\"b\"])`: from, to";
        "drop(columns=)" => "`.drop([\"a\", \"b\"])`";
        "rechunk(chunks=)" => "`.rechunk((100, 100))`";
        "groupby(by=)" => "`.group_by([\"a\"])`";
        "astype(type)" => "write the type in angle brackets: `.astype::<f32>()`";
        "cast(type)" => CAST;
        "col()" => "a column's name is a text: `col(\"{word}\")`";
        "*" => NO_NAMES;
    }

    // ---- words that Rust does not have ----
    Message Of::Any => {
        "prefix `f` is unknown" => "names are written directly in the string: `format!(\"hello {x}\")`, `println!(\"hello {x}\")`";
        "`and` is not a logical operator" | "`or` is not a logical operator" =>
            "`&&` and `||` are for truth values; expressions of columns have `.and(…)` and `.or(…)`, masks of arrays `&` and `|`";
        "`~` cannot be used as a unary operator" =>
            "expressions have `.not()`: `col(\"a\").is_null().not()`; put `!` before masks of arrays and truth values";
        "cannot find macro `s` in this scope" => "for a computed array: `x.compute()?.slice(ndarray::s![0..2, ..])`";
        "cannot find macro `array` in this scope" => "`ndarray::array![1.0, 2.0, 3.0]` is an array of ndarray, `Array::<f64>::from_ndarray(vec![1.0, 2.0, 3.0], 2)` one of Swath";
        "character literal may only contain one codepoint" => "strings are in double quotes: `\"hello\"`; single quotes are for one character";
    }
    Syntax Of::Any => {
        ":\n" => DO_RUST;
        "loc[:" | "iloc[:" => ROWS;
        "loc[," | "iloc[," => "`.filter(col(\"a\").gt(lit(1))).select([\"b\"])` selects rows, and columns of them";
        "[:" => "a range is `0..10`: `xs[0..10]` of a `Vec`, `x.slice_axis(Axis(0), 0..10)` along an axis of an array, `.head(10)?` of a frame";
        "[," => ELEMENTS;
        "df(:" | "df({:" => "`df!(\"a\" => [1, 2], \"b\" => [\"x\", \"y\"])?`";
        "println(+" | "print(+" | "format(+" => FORMAT;
        "use ." => IN_SCOPE;
        "@delayed" => "a function becomes a task where it is called: `delayed(f).call(1.0)`";
        "rename({:" => "`.rename([\"a\"], [\"b\"])`: from, to";
        "agg({:" | "aggregate({:" => "`.agg([col(\"a\").mean(), col(\"b\").max()])`";
        "astype({:" | "cast({:" => "`.with_column(\"a\", col(\"a\").cast(DataType::Float64))`";
        "DataFrame({:" => "`DataFrame::from(df!(\"a\" => [1, 2, 3], \"b\" => [\"x\", \"y\", \"z\"])?)` makes a frame of columns";
        "{:" => "`std::collections::HashMap::from([(\"a\", 1), (\"b\", 2)])` is a dictionary";
    }
    Behind Of::Any => {
        "#" => "comments begin with `//`";
        "import" | "from" => IN_SCOPE;
        "def" => "a function is `fn f(x: f64) -> f64 { x + 1.0 }`";
        "lambda" => "a function without a name is `|x| x + 1.0`";
        "class" => "a type is `struct Point { x: f64, y: f64 }`, its methods are in `impl Point { … }`";
        "del" => "`drop(x)` frees a value's memory";
        "raise" => "`panic!(\"message\")` ends the cell; functions return an `Err`";
        "assert" => "`assert!(x == 1)`, or `assert_eq!(x, 1)`";
        "elif" => "`else if`";
        "not" => "`!` negates: `!is_done`; expressions of columns have `.not()`: `col(\"a\").is_null().not()`";
        "type" => "`?x` in a cell of its own describes a variable and its type";
        "with" => "a file is closed when its variable is dropped: `let file = std::fs::File::open(\"a.txt\")?;`";
        "global" => "a cell's variables are available in later cells; functions take them as arguments";
        "\"\"" => "a string over several lines is in ordinary quotes, or in `r#\"…\"#`";
    }
    At Of::Any => {
        "is" => "`==` compares, `.is_none()` tests an `Option`, `.is_null()` an expression";
        "in" | "not" => "`.contains(&x)` tests whether a value is in a `Vec`, `.is_in_values([1, 2])` in a column";
        "if" => "`if` is an expression: `let x = if a { 1 } else { 2 };`";
        "for" => "`(0..3).map(|i| i * 2).collect::<Vec<_>>()` makes a list";
        "@" => "the matrix product is `x.dot(&y)`";
        "%" => "`:timing` shows how long each cell takes, `:help` lists the other commands";
        "where" => "a mask selects: `mask.select(&x, 0.0)`, `x.get(&mask)`; rows are selected by `df.filter(col(\"a\").gt(lit(1)))`";
        "type" => "`?x` in a cell of its own describes a variable and its type";
        "try" => "`?` after a call passes an error on; `match f() { Ok(value) => …, Err(error) => … }` handles it";
    }
};
