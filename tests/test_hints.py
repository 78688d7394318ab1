"""Who writes pandas', NumPy's, Polars' or Dask's words gets the error, and one line with what to write here.

The cases are data: a cell, what the line says, and a cell that does what it says. They share a kernel and its
variables. Which line is for which of the compiler's errors is tested in kernel/src/execution/neighbours/tests.rs.
"""

import re

import pytest

SETUP = """
let x = Array::random((4, 6), (2, 3), 42);
let y = Array::random((4, 6), (2, 3), 7);
let mask = x.gt(0.5);
let total = x.sum();
let df = DataFrame::from_polars(df!("id" => [1, 2, 3], "age" => [24, 53, 23], "sex" => ["M", "F", "M"])?, 2);
let other = DataFrame::from_polars(df!("id" => [2, 3], "city" => ["Kyoto", "Lagos"])?, 1);
let ages = df.column("age");
let groups = df.group_by(["sex"]);
let frame = df.compute()?;
let task = delayed(|v: f64| v + 1.0).call(1.0);
let client = Client::new(&LocalCluster::builder().threads(2).build());
let numbers = vec![1.0, 2.0, 3.0];
let n = 5_i64;
let half = 0.5;
std::fs::write("a.csv", "a;b\\n1;x\\n2;y\\n")?;
"""

# A cell, what the line says, a cell that does so (None: the line has no code, or it needs other data).
CASES = [
    # Expressions.
    ('df.filter(col("age") > 30)', '`col("a").gt(lit(30))`', 'df.filter(col("age").gt(lit(30))).head(5)?'),
    ('df.filter(col("age") <= 30)', "`lt`, `gt_eq`, `lt_eq`", 'df.filter(col("age").lt_eq(lit(30))).head(5)?'),
    ('df.filter(col("sex") == "M")', '`col("a").eq(lit("x"))`', 'df.filter(col("sex").eq(lit("M"))).head(5)?'),
    ('df.filter(col("sex") == lit("M"))', '`col("a").eq(lit("x"))`', 'df.filter(col("sex").neq(lit("M"))).head(5)?'),
    ('df.with_column("next", col("age") + 1)', '`col("a") + lit(1)`', 'df.with_column("next", col("age") + lit(1)).head(5)?'),
    ('df.with_column("next", 1 + col("age"))', "stand in `lit`", 'df.with_column("next", lit(1) + col("age")).head(5)?'),
    (
        'df.filter(col("age").gt(lit(20)) & col("sex").eq(lit("M")))',
        ".and(col",
        'df.filter(col("age").gt(lit(20)).and(col("sex").eq(lit("M")))).head(5)?',
    ),
    (
        'df.filter(col("age").gt(lit(20)) && col("sex").eq(lit("M")))',
        ".and(col",
        'df.filter(col("age").gt(lit(20)).or(col("sex").eq(lit("M")))).head(5)?',
    ),
    ('df.filter(col("age").isin([24, 53]))', "`.is_in_values([1, 2])`", 'df.filter(col("age").is_in_values([24, 53])).head(5)?'),
    ('df.filter(col("age").isnull())', "`.is_null()`", 'df.filter(col("age").is_null()).head(5)?'),
    ('df.with_column("age", col("age").fillna(0))', "`.fill_null(lit(0))`", 'df.with_column("age", col("age").fill_null(lit(0))).head(5)?'),
    ('df.with_column("age", col("age").astype(f64))', "angle brackets", 'df.with_column("age", col("age").cast(DataType::Float64)).head(5)?'),
    ('df.filter(col("sex").str.contains("M"))', '`col("a").str()`', 'df.filter(col("sex").str_contains("M")).head(5)?'),
    ('df.with_column("sex", col("sex").str().lower())', "`.to_lowercase()`", 'df.with_column("sex", col("sex").str().to_lowercase()).head(5)?'),
    ('df.agg([col("age").std()])', "`.std(1)`", 'df.agg([col("age").std(1)]).head(5)?'),
    ("df.select([col(age)])", '`col("age")`', 'df.select([col("age")]).head(5)?'),
    # Frames.
    ('df["age"]', '`.column("age")`', 'df.column("age").mean().compute()?'),
    ('df[["age", "sex"]]', '`.select(["age", "sex"])`', 'df.select(["age", "sex"]).head(5)?'),
    ("df.age", '`.column("age")`', 'df.column("age").max().compute()?'),
    ("df.shape", "`.len().compute()?`", "(df.len().compute()?, df.columns()?.len())"),
    ("df.columns", "`.columns()?`", "df.columns()?"),
    ("df.dtypes", "`.schema()?`", "df.schema()?"),
    ("df.iloc[0]", "`.head(5)?`", "df.compute()?.slice(1, 1)"),
    ("df.head()", "`.head(5)?`", "df.head(5)?"),
    ("df.tail()", "`.tail(5)?`", "df.tail(5)?"),
    ('df.groupby("sex")', '`.group_by(["a"])`', 'df.group_by(["sex"]).agg([col("age").mean()]).head(5)?'),
    ('df.merge(&other, "id")', '`.join(&other, ["id"], JoinType::Inner)`', 'df.join(&other, ["id"], JoinType::Inner).head(5)?'),
    ('df.join(&other, "id")', '`.join(&other, ["id"], JoinType::Inner)`', 'df.join(&other, ["id"], JoinType::Left).head(5)?'),
    ('df.join(&other, "id", JoinType::Outer)', "`JoinType::Full`", 'df.join(&other, ["id"], JoinType::Full).head(5)?'),
    ('df.sort_values("age")', '`.sort("a", Ascending)`', 'df.sort("age", Ascending).head(5)?'),
    ('df.sort("age")', '`.sort("a", Ascending)`', 'df.sort(["sex", "age"], [Ascending, Descending]).head(5)?'),
    ('df.sort("age", true)', "`Ascending`, `Descending`", 'df.sort("age", Descending).head(5)?'),
    ('df.sort("age", ascending=false)', '`.sort("a", Ascending)`', None),
    (
        'df.to_csv("out.csv")',
        "CsvWriter::new",
        'use polars::prelude::{CsvWriter, SerWriter}; CsvWriter::new(std::fs::File::create("out.csv")?).finish(&mut df.compute()?)?;',
    ),
    (
        'df.to_parquet("out.parquet")',
        "ParquetWriter::new",
        'polars::prelude::ParquetWriter::new(std::fs::File::create("out.parquet")?).finish(&mut df.compute()?)?;',
    ),
    ("df.collect()", "`.compute()?`", "df.compute()?"),
    ("df.dropna()", '`.filter(col("a").is_not_null())`', 'df.filter(col("age").is_not_null()).head(5)?'),
    ("df.fillna(0)", '`.with_column("a", col("a").fill_null(lit(0)))`', None),
    ("df.apply(|row| row)", "`.map_partitions(|partition| Ok(partition))`", "df.map_partitions(|partition| Ok(partition)).head(5)?"),
    ('df.astype("f64")', "`.with_column(", 'df.with_column("age", col("age").cast(DataType::Float64)).head(5)?'),
    ("df.value_counts()", '`.column("a").value_counts()`', 'df.column("sex").value_counts().head(5)?'),
    ('df.query("age > 30")', '`.filter(col("a").gt(lit(1)))`', None),
    ('df.filter("age > 30")', '`.filter(col("a").gt(lit(1)))`', None),
    ('df.assign(col("age"))', '`.with_column("b", col("a") * lit(2))`', 'df.with_column("double", col("age") * lit(2)).head(5)?'),
    ('df.drop_duplicates("sex")', '`.unique_by(["a"])`', 'df.unique_by(["sex"]).head(5)?'),
    ('df.rename(columns="age")', '`.rename(["a"], ["b"])`', 'df.rename(["age"], ["years"]).head(5)?'),
    ('df.rename(columns={"age": "years"})', '`.rename(["a"], ["b"])`', None),
    ('df.select("age", "sex")', '`["a", "b"]`', None),
    ("df.mean()", '`.column("a").mean()`', 'df.agg([col("age").mean()]).head(5)?'),
    ('df.nlargest(2, "age")', '`.sort("a", Descending).head(5)?`', 'df.sort("age", Descending).head(2)?'),
    ("df.sample(2)", "`.compute()?.sample_n_literal(5, false, None, None)?`", "df.compute()?.sample_n_literal(2, false, None, None)?"),
    (
        'df.select(["id", "age"]).to_numpy()',
        "`.compute()?.to_ndarray::<",
        'df.select(["id", "age"]).compute()?.to_ndarray::<polars::prelude::Float64Type>(polars::prelude::IndexOrder::C)?',
    ),
    ("df.append(&other)", "`DataFrame::concat([&df, &other])`", "DataFrame::concat([&df, &df]).len().compute()?"),
    ('df.get("age")', '`.column("a")`', None),
    ("df.head(5).height()", "`?` behind it", "df.head(5)?.height()"),
    ("DataFrame::new(numbers)", "`DataFrame::from(df!(", 'DataFrame::from(df!("a" => [1, 2, 3], "b" => ["x", "y", "z"])?).head(5)?'),
    ("groups.nunique()", "`.n_unique()`", "groups.n_unique().head(5)?"),
    ('groups["age"]', '`.agg([col("age").mean()])`', 'groups.agg([col("age").mean()]).head(5)?'),
    ('groups.transform("mean")', ".over([", 'df.with_column("mean", col("age").mean().over(["sex"])?).head(5)?'),
    # Columns and their values.
    ("ages > 30", '`df.filter(col("a").gt(lit(30)))`', None),
    ("ages.tolist()", "`.to_vec::<f64>()?`", "ages.to_vec::<f64>()?"),
    ("ages[0]", "`.to_vec::<f64>()?`", None),
    ("ages.nunique()", "`.n_unique()`", "ages.n_unique().compute()?"),
    ("ages.sort_values()", "`.sort(Ascending)`", "ages.sort(Ascending).head(5)?"),
    ("ages.mean() + 1.0", "`.compute()?` makes a number", "ages.mean().compute()? + 1.0"),
    ("df.filter(ages.gt(30))", '`df.filter(col("a").gt(lit(30)))`', None),
    # Arrays.
    ("x[0]", "`.index_axis(Axis(0), 0)`", "x.index_axis(Axis(0), 0).compute()?"),
    ("x[1..3]", "`x.slice_axis(Axis(0), 0..10)`", "x.slice_axis(Axis(0), 1..3).compute()?"),
    ("x[[0, 0]]", "`x.compute()?[[0, 0]]`", "x.compute()?[[0, 0]]"),
    ("x[1:3]", "`x.slice_axis(Axis(0), 0..10)`", None),
    ("x[:, 0]", "`x.slice_axis(Axis(0), 0..10)`", None),
    ("x.sum(0)", "`.sum_axis(Axis(0))`", "x.sum_axis(Axis(0)).compute()?"),
    ("x.sum(axis=0)", "`x.sum_axis(Axis(0))`", "x.mean_axis(Axis(0)).compute()?"),
    ("x.sum_axis(0)", "`Axis(0)`", None),
    ("x.std(0)", "`.std_axis(Axis(0), 0.0)`", "x.std_axis(Axis(0), 0.0).compute()?"),
    ("x.T", "`.t()`", "x.t().shape()"),
    ("x.shape", "`.shape()`", "x.shape()"),
    ("&x > 0.5", "`x.gt(0.5)`", None),
    ("x > 0.5", "`x.gt(0.5)`", "x.gt(0.5).any().compute()?"),
    ("x == 0.0", "`x.eq(0.5)`", "x.eq(0.0).all().compute()?"),
    ("mask && mask", "`&`, `|` and `!` join masks", "(&mask & &mask).any().compute()?"),
    ("x ** 2", "`x.powi(2)`", "x.powi(2).sum().compute()?"),
    ("x + 1", "one element type", "(&x + 1.0).sum().compute()?"),
    ("x + n", "one element type", "(x.astype::<i64>() + 1).sum().compute()?"),
    ("x += 1.0", "not changed in place", None),
    ("x.log()", "`.ln()`", "x.ln().sum().compute()?"),
    ("x.clamp(0.2, 0.8)", "`.clip(0.0, 1.0)`", "x.clip(0.2, 0.8).max().compute()?"),
    ("x.reshape((6, 4))", "into_shape_with_order", "x.compute()?.into_shape_with_order((6, 4))?"),
    ("x.flatten()", "`x.compute()?.flatten()`", "x.compute()?.flatten()"),
    ("x.tolist()", "into_raw_vec_and_offset", "x.compute()?.into_raw_vec_and_offset().0"),
    ("x.astype(f32)", "`.astype::<f32>()`", "x.astype::<f32>().sum().compute()?"),
    ("x.where(0.0, 1.0)", "mask.select(&x, 0.0)", "mask.select(&x, 0.0).sum().compute()?"),
    ("x.round(2)", "`(x * 100.0).round() / 100.0`", "((&x * 100.0).round() / 100.0).max().compute()?"),
    ("for v in x { }", "`.compute()?`", "for v in x.compute()? { }"),
    ("total > 3.0", "`.compute()?` makes a number", "total.compute()? > 3.0"),
    ("total.compute() + 1.0", "`?` behind it", "total.compute()? + 1.0"),
    ("let v: f64 = total;", "`.compute()?` makes a number", "let v: f64 = total.compute()?;"),
    ('println!("{}", total.compute());', "`?` behind it", 'println!("{}", total.compute()?);'),
    ("Array::zeros((4, 4), 2)", "`Array::<f64>::zeros(", "Array::<f64>::zeros((4, 4), 2).sum().compute()?"),
    ("Array::<f64>::zeros((4, 4))", "chunks are told", None),
    ("Array::from_array(numbers)", "`Array::<f64>::from_ndarray(", "Array::<f64>::from_ndarray(vec![1.0, 2.0, 3.0], 2).sum().compute()?"),
    ("concatenate(&[x, y])", "`concatenate(Axis(0), &[x, y])`", "concatenate(Axis(0), &[x.clone(), y.clone()]).shape()"),
    # Modules that are not there.
    ('pd.read_csv("a.csv")', '`read_csv("a.csv").load()?`', 'read_csv("a.csv").separator(\';\').load()?.head(5)?'),
    ('pl.col("a")', "in scope as they are", None),
    ("np.array([1, 2])", "`Array::<f64>::from_ndarray(", None),
    ("np.zeros((3, 3))", "`Array::<f64>::zeros(", "Array::<f64>::zeros((100, 100), (10, 100)).sum().compute()?"),
    ("np.arange(10)", "`Array::<f64>::arange(1000, 100)`", "Array::<f64>::arange(1000, 100).sum().compute()?"),
    ("np.random.rand(3)", "`Array::random(", "Array::random_integers(0..10, 1000, 100, 42).max().compute()?"),
    ("da.from_array(numbers)", "`Array::<f64>::from_ndarray(", None),
    ('dd.read_csv("*.csv")', '`read_csv("a.csv").load()?`', None),
    ("db.from_sequence(numbers)", "no bags", "numbers.iter().map(|v| delayed(|v: f64| v + 1.0).call(*v)).collect::<Vec<_>>()"),
    ("dask.delayed(n)", "`delayed(f).call(1.0)`", None),
    ("client.submit(|v: i64| v, 1)", "`client.submit(f, (1,))?`", "client.submit(|v: i64| v, (1,))?.compute()?"),
    ("task.result()", "`.compute()?`", "task.compute()?"),
    ("task + 1.0", "task.map(", "task.map(|value| value + 1.0).compute()?"),
    # Files.
    ('read_csv("a.csv").head(5)', "`.load()?` behind it", None),
    ("read_csv(\"a.csv\").sep(';')", "`.separator(';')`", None),
    ('read_csv("a.csv", sep=";")', "settings are methods", None),
    # Python's own words.
    ("print(n)", '`println!("{x}")`', 'println!("{n}")'),
    ("len(x)", "`x.len()`", "x.len()"),
    ("let flag = True;", "`true`", "let flag = true;"),
    ("let whole: int = 5;", "`i64`", "let whole: i64 = 5;"),
    ("for i in range(3) { }", "`0..10`", "for i in 0..3 { }"),
    ("for i in range(3):\n    print(i)", "in braces", None),
    ("import numpy as np", "nothing has to be imported", None),
    ("def f(v): return v + 1", "`fn f(x: f64) -> f64 { x + 1.0 }`", "fn f(x: f64) -> f64 { x + 1.0 }\nf(1.0)"),
    ("let f = lambda v: v + 1;", "`|x| x + 1.0`", "(|x: f64| x + 1.0)(1.0)"),
    ("if n > 1 and n < 9 { }", "`&&` and `||`", "if n > 1 && n < 9 { }"),
    ("if not true { }", "`!` negates", "if !true { }"),
    ('let s = f"n is {n}";', '`format!("hello {x}")`', 'let s = format!("n is {n}");'),
    ("let s = 'hello';", "double quotes", 'let s = "hello";'),
    ("# a comment\n1 + 1", "comments begin with `//`", "// a comment\n1 + 1"),
    ("let m = 1; # a comment", "comments begin with `//`", None),
    ("let squares = [v * v for v in 0..3];", "collect::<Vec<_>>()", "(0..3).map(|v| v * v).collect::<Vec<_>>()"),
    ('let d = {"a": 1};', "HashMap::from", 'std::collections::HashMap::from([("a", 1)])'),
    ("x @ y", "`x.dot(&y)`", "x.dot(&y.t()).shape()"),
]

# What has other reasons, or means something of the user's own: no line.
WITHOUT = [
    ("struct Table;\nTable.groupby(1)", ".group_by(["),
    ('struct DataFrame;\nDataFrame.sort_values("a")', ".sort("),
    ("struct Array;\nArray[0]", "index_axis"),
    ('frame.sort_values("age")', "Ascending"),
    ("numbers.groupby(1)", ".group_by(["),
    ("numbers.iter().sum(0)", "sum_axis"),
    ("use ndarray::Array2;\nlet a = Array2::zeros((2, 2));", "Array::<f64>"),
    ("df.T", 'column("T")'),
    ("df.groupby", 'column("groupby")'),
    ("undefined_name", "`Array"),
    ("let v = list;", "Vec<f64>"),
    ("db.query(1)", "bags"),
    ('let b: i32 = "text";', "`lit`"),
    ("numbers + 1.0", "element type"),
    ("#derive(Debug)\nstruct P;", "comments begin"),
    ("let type = 5;", "`?x`"),
    ("numbers\nfor v in 0..3 { }", "collect::<Vec"),
]

@pytest.fixture(scope="module", autouse=True)
def variables(kernel):
    kernel.ok(SETUP)


@pytest.fixture(autouse=True)
def every_variable_is_kept(kernel):
    yield
    kernel.ok("(x.shape(), y.shape(), df.columns()?, ages.name(), numbers.len(), n)")


@pytest.mark.parametrize(("cell", "says"), [case[:2] for case in CASES], ids=[case[0] for case in CASES])
def test_the_line(kernel, cell, says):
    result = kernel.fails(cell)
    helps = [line for line in result.error.splitlines() if re.match(r"\s*(= )?help:", line)]
    assert any(says in line for line in helps), f"no {says!r} in\n{result.error}"


MENDED = [case[2] for case in CASES if case[2]]


@pytest.mark.parametrize("cell", MENDED, ids=MENDED)
def test_what_the_line_says_works(kernel, cell):
    kernel.ok(cell)


@pytest.mark.parametrize(("cell", "says"), WITHOUT, ids=[case[0] for case in WITHOUT])
def test_no_line_where_it_would_be_wrong(kernel, cell, says):
    result = kernel.fails(cell)
    assert says not in result.error, f"{says!r} in\n{result.error}"


def test_a_variable_that_is_gone_has_its_own_reason(kernel):
    kernel.ok("let np = String::new();\ndrop(np);")
    result = kernel.fails("np.zeros(3)", "np")
    assert "Array::" not in result.error


def test_an_own_type_of_an_earlier_cell_has_no_line(own_kernel):
    own_kernel.ok("struct DataFrame { rows: usize }\nlet own = DataFrame { rows: 1 };")
    result = own_kernel.fails('own.groupby("a")', "groupby")
    assert ".group_by([" not in result.error


def test_a_failed_task_names_its_variable(kernel):
    kernel.ok('let broken = x.map(|v| -> f64 { panic!("on purpose: {v}") });')
    kernel.fails("broken.compute()?", "in `broken`: task map-", "on purpose")
    kernel.fails("broken.compute()", "in `broken`: task map-")
    kernel.ok("let least = broken.min();")
    kernel.fails("least.compute()?", "in `(least|broken)`: task")
