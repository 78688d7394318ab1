"""The cells whose time is measured. Data only.

They run in order, like the cells of a notebook, and repeatedly. Each may use the
definitions of those above, and leaves the session as the next round needs it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    name: str
    kind: str
    code: str


# evcxr's kernel needs them added first; Swath includes them.
ARRAY_CRATE = ':dep ndarray = "0.17"'
POLARS_CRATE = ':dep polars = { version = "0.55", features = ["lazy", "csv", "strings", "is_in"] }'

TYPICAL = [
    Cell("use, two collections", "use", "use std::collections::{BTreeMap, HashMap};"),
    Cell("use, a trait and a module", "use", "use std::fmt::{self, Display};"),
    Cell("1 + 1", "expression", "1 + 1"),
    Cell("a text in capitals", "expression", '"a text".to_uppercase()'),
    Cell("sum of squares, by iterators", "expression", "(1..=100u64).filter(|n| n % 3 == 0).map(|n| n * n).sum::<u64>()"),
    Cell("format!", "expression", 'format!("{:.3} {:?} {:>6}", 2f64.sqrt(), Some("x"), 42)'),
    Cell("a vector of pairs", "expression", "vec![(1, 'a'), (2, 'b'), (3, 'c')]"),
    Cell("if as a value", "expression", 'if std::mem::size_of::<usize>() == 8 { "64 bits" } else { "others" }'),
    Cell("let, a number", "let", "let n = 42;"),
    Cell("let, words of a text", "let", 'let words: Vec<_> = "the quick brown fox jumps over the lazy dog".split(\' \').collect();'),
    Cell("let, collected lengths", "let", "let lengths = words.iter().map(|word| word.len()).collect::<Vec<_>>();"),
    Cell("let, a tuple taken apart", "let", 'let (ratio, label) = (1.5, "two");'),
    Cell("let, a hash map", "let", 'let mut ages = HashMap::new(); ages.insert("Ada", 36); ages.insert("Alan", 41);'),
    Cell("let, parsed with ?", "let", 'let parsed: i64 = "1234".parse()?;'),
    Cell("a change to a map", "statement", 'ages.insert("Grace", 85);'),
    Cell("variables of earlier cells", "expression", "(words.len(), lengths.iter().sum::<usize>(), n)"),
    Cell("let, a boxed closure", "closure", "let add: Box<dyn Fn(i64) -> i64> = Box::new(move |n| n + parsed);"),
    Cell("a boxed closure called", "closure", "add(8)"),
    Cell("a struct with derives", "struct", "#[derive(Debug, Clone, PartialEq)]\nstruct Point { x: f64, y: f64 }"),
    Cell("its methods", "struct", "impl Point {\n    fn norm(&self) -> f64 { self.x.hypot(self.y) }\n    fn scaled(&self, k: f64) -> Point { Point { x: k * self.x, y: k * self.y } }\n}"),
    Cell("let, a struct", "struct", "let point = Point { x: 3.0, y: 4.0 };"),
    Cell("a method called", "struct", "(point.norm(), point.scaled(2.0))"),
    Cell("an enum with Display", "struct", "enum Side { Left, Right }\nimpl Display for Side {\n    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n        f.write_str(match self { Side::Left => \"left\", Side::Right => \"right\" })\n    }\n}"),
    Cell("a recursive function", "function", "fn fibonacci(n: u32) -> u64 {\n    if n < 2 { n as u64 } else { fibonacci(n - 1) + fibonacci(n - 2) }\n}"),
    Cell("a function called", "function", "(1..15).map(fibonacci).collect::<Vec<_>>()"),
    Cell("a generic function", "function", "fn largest<T: PartialOrd + Copy>(items: &[T]) -> Option<T> {\n    items.iter().copied().reduce(|a, b| if b > a { b } else { a })\n}"),
    Cell("a loop that prints", "loop", 'for (name, age) in &ages.iter().collect::<BTreeMap<_, _>>() { println!("{name}: {age}"); }'),
    Cell("a while loop", "loop", "let mut at = 27u64;\nlet mut steps = 0;\nwhile at != 1 {\n    at = if at % 2 == 0 { at / 2 } else { 3 * at + 1 };\n    steps += 1;\n}\nsteps"),
    Cell("let, an ndarray", "array", "let grid = ndarray::Array2::<f64>::from_shape_fn((4, 4), |(row, column)| (row * 4 + column) as f64);"),
    Cell("an ndarray's product", "array", "grid.t().dot(&grid).sum()"),
]

# The same text runs in both kernels: Polars as written in its own guide.
POLARS = [
    Cell("use polars", "polars", "use polars::prelude::{IntoLazy, NamedFrom};"),
    Cell("a data frame", "polars", 'let table = polars::df!("name" => ["a", "b", "a", "c"], "value" => [1i64, 2, 3, 4])?;'),
    Cell("a data frame shown", "polars", "table.clone()"),
    Cell("group, aggregate, sort", "polars", 'table.clone().lazy()\n    .group_by([polars::prelude::col("name")])\n    .agg([polars::prelude::col("value").sum(), polars::prelude::col("value").mean().alias("mean")])\n    .sort(["name"], Default::default())\n    .collect()?'),
    Cell("filter and select", "polars", 'table.clone().lazy()\n    .filter(polars::prelude::col("value").gt(polars::prelude::lit(1)))\n    .select([polars::prelude::col("name"), (polars::prelude::col("value") * polars::prelude::lit(2)).alias("double")])\n    .collect()?'),
    Cell("a series", "polars", 'let series = polars::prelude::Series::new("s".into(), [1.5f64, 2.5, 3.5]);'),
    Cell("a series' sum", "polars", "series.sum::<f64>()?"),
    Cell("a join", "polars", 'let colors = polars::df!("name" => ["a", "b"], "color" => ["red", "blue"])?;\ntable.clone().lazy()\n    .join(colors.lazy(), [polars::prelude::col("name")], [polars::prelude::col("name")], polars::prelude::JoinArgs::new(polars::prelude::JoinType::Inner))\n    .collect()?'),
]
