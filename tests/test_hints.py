"""Words of pandas, NumPy, Polars or Dask give the compiler's error and one line that says what to write here.

The cases are data: a cell, a part of the line, and a cell that follows its advice. They share a kernel and its
variables. The mapping from the compiler's errors to lines is tested in kernel/src/execution/neighbours/tests.rs.
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
let z = Array::random_integers(0..10, (4, 6), (2, 3), 1);
let arr = x.compute()?;
let text = String::from("abc");
let dates = DataFrame::from(df!("date" => ["2024-01-02", "2024-05-06"], "v" => [1.5, 2.5])?);
std::fs::write("a.csv", "a;b\\n1;x\\n2;y\\n")?;
"""

# A cell, a part of the line, a cell that follows its advice (None: the line has no code, or needs other data).
CASES = [
    # Expressions.
    ('df.filter(col("age") > 30)', '`col("a").gt(lit(30))`', 'df.filter(col("age").gt(lit(30))).head(5)?'),
    ('df.filter(col("age") <= 30)', "`lt`, `gt_eq`, `lt_eq`", 'df.filter(col("age").lt_eq(lit(30))).head(5)?'),
    ('df.filter(col("sex") == "M")', '`col("a").eq(lit("x"))`', 'df.filter(col("sex").eq(lit("M"))).head(5)?'),
    ('df.filter(col("sex") == lit("M"))', '`col("a").eq(lit("x"))`', 'df.filter(col("sex").neq(lit("M"))).head(5)?'),
    ('df.with_column("next", col("age") + 1)', '`col("a") + lit(1)`', 'df.with_column("next", col("age") + lit(1)).head(5)?'),
    ('df.with_column("next", 1 + col("age"))', "need `lit`", 'df.with_column("next", lit(1) + col("age")).head(5)?'),
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
    ('df.filter(df["age"] > 30)', '`col("a").gt(lit(30))`', None),
    ("df.filter(age > 30)", '`col("a").gt(lit(30))`', None),
    ('df.filter("age" > 30)', '`col("a").gt(lit(30))`', None),
    ('df.filter(30 < col("age"))', '`col("a").gt(lit(30))`', None),
    ("df.filter(|row| row.age > 30)", '`col("a").gt(lit(30))`', None),
    ('df.filter([col("age").gt(lit(1))])', ".and(col", None),
    ('df.filter(col("age").gt(lit(1)), col("age").lt(lit(3)))', ".and(col", None),
    ('df.filter(~col("age").is_null())', '`col("a").is_null().not()`', 'df.filter(col("age").is_null().not()).head(5)?'),
    ('df.filter(not col("age").is_null())', '`col("a").is_null().not()`', None),
    ('col("sex").is_in_values("M")', '`.is_in_values(["M"])`', 'df.filter(col("sex").is_in_values(["M"])).head(5)?'),
    ('df.select([col("age", "sex")])', '`["a", "b"]`', None),
    ('df.select([col(["age", "sex"])])', '`["a", "b"]`', None),
    ('col("age").ffill()', "FillNullStrategy::Forward(None)", 'df.with_column("b", col("age").fill_null_with_strategy(polars::prelude::FillNullStrategy::Forward(None))).compute()?'),
    ('col("age").diff()', "`.diff(lit(1), Default::default())`", 'df.with_column("b", col("age").diff(lit(1), Default::default())).compute()?'),
    ('col("age").rank()', "`.rank(Default::default(), None)`", 'df.with_column("b", col("age").rank(Default::default(), None)).compute()?'),
    ('col("age").ln()', "`.log(lit(std::f64::consts::E))`", 'df.with_column("b", col("age").log(lit(std::f64::consts::E))).compute()?'),
    (
        'col("age").rolling_mean(3)',
        "`.rolling_mean(polars::prelude::RollingOptionsFixedWindow { window_size: 3, ..Default::default() })`",
        'df.with_column("b", col("age").rolling_mean(polars::prelude::RollingOptionsFixedWindow { window_size: 3, ..Default::default() })).compute()?',
    ),
    ('col("age").clip(0, 30)', "`.clip(lit(0), lit(30))`", 'df.with_column("b", col("age").clip(lit(0), lit(30))).compute()?'),
    ('col("age").quantile(0.5)', "`.quantile(lit(0.5), ", 'df.agg([col("age").quantile(lit(0.5), polars::prelude::QuantileMethod::Linear)]).compute()?'),
    ('dates.agg([col("v").interpolate()])', "InterpolationMethod::Linear", 'dates.with_column("b", col("v").interpolate(polars::prelude::InterpolationMethod::Linear)).compute()?'),
    ('col("sex").str().replace("M", "x")', '`.replace(lit("M"), lit("x"), true)`', 'df.with_column("b", col("sex").str().replace(lit("M"), lit("x"), true)).compute()?'),
    ('col("sex").str().slice(0, 1)', "`.slice(lit(0), lit(1))`", 'df.with_column("b", col("sex").str().slice(lit(0), lit(1))).compute()?'),
    ('concat_str([col("sex"), col("age")])', "`polars::prelude::concat_str(", 'df.with_column("b", polars::prelude::concat_str([col("sex"), col("sex")], "-", true)).compute()?'),
    (
        'col("date").str().to_date("%Y-%m-%d")',
        'StrptimeOptions { format: Some("%Y-%m-%d".into()), ..Default::default() }`',
        'dates.with_column("d", col("date").str().to_date(polars::prelude::StrptimeOptions { format: Some("%Y-%m-%d".into()), ..Default::default() })).compute()?',
    ),
    (
        'col("date").str().to_datetime("%Y")',
        '`.str().to_datetime(None, None, Default::default(), lit("raise"))`',
        'dates.with_column("d", col("date").str().to_datetime(None, None, Default::default(), lit("raise"))).compute()?',
    ),
    ('col("date").to_datetime()', '`col("date").str().to_date(Default::default())`', 'dates.with_column("d", col("date").str().to_date(Default::default())).compute()?'),
    ('col("date").str().split(lit("-")).list().get(0)', "`.get(lit(0), true)`", 'dates.with_column("y", col("date").str().split(lit("-")).list().get(lit(0), true)).compute()?'),
    ('col("age").cast(pl.Float64)', "`.cast(DataType::Float64)`", None),
    ('col("age").cast(DataType::Int)', "`.cast(DataType::Float64)`", None),
    ('col("age").suffix("_mean")', '`.alias("m")`', 'df.select([col("age").alias("m")]).head(5)?'),
    ("df.agg([count()])", "`len()`", "df.agg([len()]).compute()?"),
    ('df.agg([avg("age")])', '`col("a").mean()`', None),
    ('col("age").map_elements(|v| v)', "`.map(|column| Ok(column), ", None),
    # Frames.
    ('df["age"]', '`.column("age")`', 'df.column("age").mean().compute()?'),
    ('df[["age", "sex"]]', '`.select(["age", "sex"])`', 'df.select(["age", "sex"]).head(5)?'),
    ("df.age", '`.column("age")`', 'df.column("age").max().compute()?'),
    ("df.shape", "`.len().compute()?`", "(df.len().compute()?, df.columns()?.len())"),
    ("df.columns", "`.columns()?`", "df.columns()?"),
    ("df.dtypes", "`.schema()?`", "df.schema()?"),
    ("df.iloc[0]", "`.head(5)?`", "df.compute()?.slice(1, 1)"),
    ("df.iloc[0:5]", "`.head(5)?`", None),
    ('df.loc[:, "age"]', "`.head(5)?`", None),
    ("df[0:5]", "`.head(5)?`", None),
    ('df.loc[df.age > 30, "sex"]', '.select(["b"])`', 'df.filter(col("age").gt(lit(30))).select(["sex"]).head(5)?'),
    ('df["next"] = df["age"] * 2;', '`let df = df.with_column("b", col("a") * lit(2));`', 'let next = df.with_column("next", col("age") * lit(2));'),
    ('df.drop("age", axis=1)', '`.drop(["a"])`', 'df.drop(["age"]).head(5)?'),
    ('df.drop(col("age"))', '`.drop(["a"])`', None),
    ("df.sum(axis=1)", "polars::prelude::sum_horizontal(", 'df.with_column("c", polars::prelude::sum_horizontal([col("id"), col("age")], true)?).head(5)?'),
    ("df.head", "`.head(5)?`", None),
    ("df.quantile(0.5)", "`.agg([col(\"a\").quantile(", None),
    ("df.corr()", "polars::prelude::pearson_corr(", 'df.agg([polars::prelude::pearson_corr(col("age"), col("id"))]).compute()?'),
    ("df.null_count()", "`.agg([all().as_expr().null_count()])`", "df.agg([all().as_expr().null_count()]).compute()?"),
    ("df.shift(1)", '`df.with_column("b", col("a") * lit(2))`', None),
    ('df.with_row_index("i")', '.lazy().with_row_index("i", None)', 'use polars::prelude::IntoLazy; df.compute()?.lazy().with_row_index("i", None).collect()?'),
    ('df.melt("id")', '.unpivot(Some(["a", "b"]), ["id"])?`', 'use polars::prelude::UnpivotDF; df.select(["id", "age"]).compute()?.unpivot(Some(["age"]), ["id"])?'),
    (
        'df.to_json("a.json")',
        "JsonWriter::new",
        'use polars::prelude::{JsonWriter, SerWriter}; JsonWriter::new(std::fs::File::create("out.json")?).finish(&mut df.compute()?)?;',
    ),
    ("df.hist()", "`plot::histogram(&values, 10)`", 'plot::histogram(&df.column("age").to_vec::<f64>()?, 10)'),
    ("df.transpose()", "`.compute()?.transpose(None, None)?`", "df.compute()?.transpose(None, None)?"),
    ('df.groupBy("sex")', '`.group_by(["a"])`', None),
    ('df.withColumn("b", col("age"))', '`.with_column("b", col("a") * lit(2))`', None),
    ('df.orderBy("age")', '`.sort("a", Ascending)`', None),
    ("df.toPandas()", "`.compute()?`", None),
    ("df.printSchema()", "`.schema()?`", None),
    ('df.left_join(&other, col("id"), col("id"))', '`.join(&other, ["id"], JoinType::Inner)`', None),
    ('df.join(&other, left_on="id", right_on="id")', '`.join(&other, ["id"], JoinType::Inner)`', None),
    ("DataFrame::concat([df, other])", "`DataFrame::concat([&df, &other])`", None),
    ('df!("a": [1, 2])', '`df!("a" => [1, 2], "b" => ["x", "y"])?`', 'df!("a" => [1, 2], "b" => ["x", "y"])?'),
    ('Series::new("a", [1, 2])', '.column("a")`', 'DataFrame::from(df!("a" => [1, 2, 3])?).column("a")'),
    ('for g in df.group_by(["sex"]) { }', "groups are aggregated first", None),
    ("groups.describe()", "groups are aggregated first", None),
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
    ("df.head(5).height()", "`?` after it", "df.head(5)?.height()"),
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
    ("let k: f64 = ages.max().compute()?;", "`m.to::<f64>()?`", "ages.max().compute()?.to::<f64>()?"),
    ("ages.hist()", "`plot::histogram(&values, 10)`", None),
    # Computed values.
    ('frame["age"].mean()', '`frame["a"].as_materialized_series().mean()`', 'frame["age"].as_materialized_series().mean()'),
    ('frame["age"].sum()', "`sum::<f64>()?`", 'frame["age"].as_materialized_series().sum::<f64>()?'),
    ('frame["age"] > 30', "frame.lazy().filter(", None),
    ('frame["age"] + 1', '`&frame["age"]`', '&frame["age"] + 1'),
    ('frame.select([col("age")])', "frame.lazy().select(", 'use polars::prelude::IntoLazy; frame.lazy().select([col("age")]).collect()?'),
    ('frame.with_columns([col("age")])', "`with_columns`", 'use polars::prelude::IntoLazy; frame.lazy().with_columns([col("age")]).collect()?'),
    ('frame.sort("age")', '`.sort(["a"], Default::default())?`', 'frame.sort(["age"], Default::default())?'),
    ('frame.column("age")?.to_vec()', '`frame["a"].i32()?.to_vec()`', 'frame["age"].i32()?.to_vec()'),
    ('frame[["age", "sex"]]', '`.select(["age", "sex"])?`', 'frame.select(["age", "sex"])?'),
    ("frame.age", '`frame["age"]`', 'frame["age"].len()'),
    ("frame[0:2]", "`.slice(0, 5)`", "frame.slice(0, 2)"),
    ('frame.write_csv("a.csv")', "CsvWriter::new", 'use polars::prelude::{CsvWriter, SerWriter}; CsvWriter::new(std::fs::File::create("out.csv")?).finish(&mut frame.clone())?;'),
    (
        'frame.to_parquet("a.parquet")',
        "ParquetWriter::new",
        'polars::prelude::ParquetWriter::new(std::fs::File::create("out.parquet")?).finish(&mut frame.clone())?;',
    ),
    ("frame.compute()?", "computed already", None),
    ("frame.len()", "`.height()`", "frame.height()"),
    ("frame.describe()", "`DataFrame::from(frame)`", "DataFrame::from(frame).describe().compute()?"),
    # Arrays.
    ("x[0]", "`.index_axis(Axis(0), 0)`", "x.index_axis(Axis(0), 0).compute()?"),
    ("x[1..3]", "`x.slice_axis(Axis(0), 0..10)`", "x.slice_axis(Axis(0), 1..3).compute()?"),
    ("x[[0, 0]]", "`x.compute()?[[0, 0]]`", "x.compute()?[[0, 0]]"),
    ("x[1:3]", "`x.slice_axis(Axis(0), 0..10)`", None),
    ("x[0, 0]", "`x.compute()?[[0, 0]]`", "x.compute()?.slice(ndarray::s![0..2, ..])"),
    ("arr[0, 0]", "`arr[[0, 0]]`", "arr.slice(ndarray::s![0..2, ..])"),
    ("x[s![0, ..]]", "`x.compute()?.slice(ndarray::s![0..2, ..])`", None),
    ("x.compute()?[(0, 0)]", "`x.compute()?[[0, 0]]`", None),
    ("x[mask]", "`x.get(&mask)`", "x.get(&mask).compute()?"),
    ("x[x > 0.5]", "`x.get(&x.gt(0.5))`", "x.get(&x.gt(0.5)).sum().compute()?"),
    ("x[[0, 0]] = 1.0;", "`mask.select(0.0, &x)`", "mask.select(0.0, &x).sum().compute()?"),
    ("x[:, 0]", "`x.slice_axis(Axis(0), 0..10)`", None),
    ("x.sum(0)", "`.sum_axis(0)`", "x.sum_axis(0).compute()?"),
    ("x.roll([2, 1], [0, 1])", "`.roll(2, 0).roll(1, 1)`", "x.roll(2, 0).roll(1, 1).compute()?"),
    ("x.sum_axis(None)", "`x.sum_axis(Axes::all().keepdims())`", "x.sum_axis(Axes::all().keepdims()).compute()?"),
    (
        "let (rows, columns) = x.nonzero();",
        "let (rows, columns) = (&places[0], &places[1]);",
        "let places = x.nonzero(); let (rows, columns) = (&places[0], &places[1]); rows.compute()?",
    ),
    ("x.sum(axis=0)", "`x.sum_axis(0)`", "x.mean_axis(-1).compute()?"),
    ("x.sum((0, 1))", "`.sum_axis([0, 1])`", "x.sum_axis([0, 1]).compute()?"),
    ("x.sum(axis=0, keepdims=true)", "`x.sum_axis(Axes::of(0).keepdims())`", "x.sum_axis(Axes::of(0).keepdims()).shape()"),
    ("x.argmax(0)", "`.argmax_axis(0)`", "(x.argmax().compute()?, x.argmin_axis(0).compute()?)"),
    ("x.slice_axis(0, 1..3)", "`Axis(0)`", None),
    ("x.std(0)", "`.std_axis(0, 0.0)`", "x.std_axis(0, 0.0).compute()?"),
    ("x.T", "`.t()`", "x.t().shape()"),
    ("x.shape", "`.shape()`", "x.shape()"),
    ("&x > 0.5", "`x.gt(0.5)`", None),
    ("x > 0.5", "`x.gt(0.5)`", "x.gt(0.5).any().compute()?"),
    ("x == 0.0", "`x.eq(0.5)`", "x.eq(0.0).all().compute()?"),
    ("mask && mask", "`&`, `|` and `!` join masks", "(&mask & &mask).any().compute()?"),
    ("x ** 2", "`x.powi(2)`", "x.powi(2).sum().compute()?"),
    ("x ^ 2", "`x.powi(2)`", None),
    ("z + 1.0", "`x.astype::<f64>() + 1.0`", "(z.astype::<f64>() + 1.0).sum().compute()?"),
    ("1.0 * &z", "`x.astype::<f64>() + 1.0`", "(1.0 + z.astype::<f64>()).sum().compute()?"),
    ("z + x", "`x.astype::<f64>() + &y`", "(z.astype::<f64>() + &x).sum().compute()?"),
    ("z.sqrt()", "`x.astype::<f64>().sqrt(…)`", "z.astype::<f64>().sqrt().sum().compute()?"),
    ("n / 2.0", "`n as f64 / 2.0`", "n as f64 / 2.0"),
    ("n.sqrt()", "`(n as f64).sqrt(…)`", "(n as f64).sqrt()"),
    ("x.sum() / 2", "`x.sum() / 2.0`", "(x.sum() / 2.0).compute()?"),
    ("z.sum() / 2.0", "`x.sum().compute()? as f64 / 2.0`", "z.sum().compute()? as f64 / 2.0"),
    ("x.clip(0, 1)", "`x.clip(0.0, 1.0)`", None),
    ("x.swapaxes(0, 1)", "`.transpose([1, 0])`", "x.transpose([1, 0]).shape()"),
    ("x.median()", "`let mut v = x.compute()?.into_raw_vec_and_offset().0; v.sort_by(f64::total_cmp);`", "let mut v = x.compute()?.into_raw_vec_and_offset().0; v.sort_by(f64::total_cmp); v[v.len() / 2]"),
    ("x.cumsum(0)", "c.accumulate_axis_inplace(", "let mut c = x.compute()?; c.accumulate_axis_inplace(Axis(0), |&previous, current| *current += previous);"),
    ("x.norm()", "`.powi(2).sum().compute()?.sqrt()`", "x.powi(2).sum().compute()?.sqrt()"),
    ("x.nan_to_num()", "`.is_nan().select(0.0, &x)`", "x.is_nan().select(0.0, &x).sum().compute()?"),
    ("x.diff()", "`x.slice_axis(Axis(0), 1..4) - x.slice_axis(Axis(0), 0..3)`", "(x.slice_axis(Axis(0), 1..4) - x.slice_axis(Axis(0), 0..3)).shape()"),
    ("x.plot()", "`plot::line(&values)`", "plot::line(&x.compute()?)"),
    ("x.flip()", "`.flip(0)`", "x.flip(0).shape()"),
    ("x.roll()", "`.roll(2, 0)`", "x.roll(2, 0).shape()"),
    ("arr.dot(&arr)", "`x.dot(&y.t()).compute()?`", "x.dot(&y.t()).compute()?"),
    ("arr.T", "`.t()`", "arr.t().shape()"),
    ("arr.reshape((6, 4))", "`.into_shape_with_order((2, 3))?`", "arr.clone().into_shape_with_order((6, 4))?"),
    ("arr.to_vec()", "`.into_raw_vec_and_offset().0`", "arr.clone().into_raw_vec_and_offset().0"),
    ("arr.max()", "`.iter().copied().fold(f64::NAN, f64::max)`", "arr.iter().copied().fold(f64::NAN, f64::max)"),
    ("arr.argmax()", "`.indexed_iter().max_by(|a, b| a.1.total_cmp(b.1))`", "arr.indexed_iter().max_by(|a, b| a.1.total_cmp(b.1))"),
    ("arr.std()", "`.std(0.0)`", "arr.std(0.0)"),
    ("arr.astype(n)", "`.mapv(|element| element as f32)`", "arr.mapv(|element| element as f32).sum()"),
    ("arr.compute()", "computed already", None),
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
    ("total.compute() + 1.0", "`?` after it", "total.compute()? + 1.0"),
    ("let v: f64 = total;", "`.compute()?` makes a number", "let v: f64 = total.compute()?;"),
    ('println!("{}", total.compute());', "`?` after it", 'println!("{}", total.compute()?);'),
    ("Array::zeros((4, 4), 2)", "`Array::<f64>::zeros(…)`", "Array::<f64>::zeros((4, 4), 2).sum().compute()?"),
    ("Array::ones((3, 3), (2, 2)).sum()", "`Array::<f64>::ones(…)`", "Array::<f64>::ones((3, 3), (2, 2)).sum().compute()?"),
    ("Array::<f64>::zeros((4, 4))", "chunks are required", None),
    ("Array::eye(3)", "`Array::<f64>::eye(1000, 100)`", "Array::<f64>::eye(1000, 100).shape()"),
    ("Array::full((2, 2), 1.0)", "`Array::full((1000, 1000), 1.0, (100, 1000))`", "Array::full((1000, 1000), 1.0, (100, 1000)).shape()"),
    ("Array([1.0, 2.0])", "`Array::<f64>::from_ndarray(", None),
    ("array![1.0, 2.0]", "`ndarray::array![1.0, 2.0, 3.0]`", "ndarray::array![1.0, 2.0, 3.0]"),
    ("Array::from_array(numbers)", "`Array::<f64>::from_ndarray(", "Array::<f64>::from_ndarray(vec![1.0, 2.0, 3.0], 2).sum().compute()?"),
    ("concatenate(&[x, y])", "`concatenate(Axis(0), &[x, y])`", "concatenate(Axis(0), &[x.clone(), y.clone()]).shape()"),
    # Modules that do not exist.
    ('pd.read_csv("a.csv")', '`read_csv("a.csv").load()?`', 'read_csv("a.csv").separator(\';\').load()?.head(5)?'),
    ('pl.col("a")', "in scope already", None),
    ("use dask::array;", "Dask's names are in scope", None),
    ("use numpy as np;", "nothing needs to be imported", None),
    ("use dask.array as da;", "nothing needs to be imported", None),
    ('pd.to_datetime("2024-01-02")', '`col("date").str().to_date(Default::default())`', None),
    ('pd.read_json("a.json")', "CSV and Parquet are read", None),
    ("np.argmax(x)", "`x.argmax().compute()?`", None),
    ("da.sum(x)", "`x.sum().compute()?`", "x.sum().compute()?"),
    ("np.unique(x)", "`x.unique()`", "x.unique().compute()?"),
    ("np.nansum(x)", "`x.nansum().compute()?`", "x.nansum().compute()?"),
    ("np.median(x)", "v.sort_by(f64::total_cmp)", None),
    ("np.cumsum(x)", "c.accumulate_axis_inplace(", None),
    ("np.var(x)", "`x.var_axis(0, 0.0)`", "x.var_axis(0, 0.0).compute()?"),
    ("np.maximum(x, y)", "`x.maximum(&y)`", "x.maximum(&y).sum().compute()?"),
    ("np.float32(1.0)", "`f32`", None),
    ('np.save("x.npy", x)', "std::fs::write(", 'std::fs::write("x.json", serde_json::to_string(&x.compute()?)?)?;'),
    ("plt.plot(numbers)", "`plot::line(&values)`", "plot::line(&numbers)"),
    ("plot(&numbers)", "`plot::histogram(&values, 10)`", "plot::histogram(&numbers, 10)"),
    ('json.loads("{}")', "`serde_json::from_str::<serde_json::Value>(\"{}\")?`", 'serde_json::from_str::<serde_json::Value>("{}")?'),
    ("json.dumps(n)", "`serde_json::to_string(&n)?`", "serde_json::to_string(&n)?"),
    ('os.listdir(".")', 'std::fs::read_dir(".")?', 'std::fs::read_dir(".")?.map(|file| Ok(file?.path())).collect::<std::io::Result<Vec<_>>>()?'),
    ('os.path.exists("a")', '`std::path::Path::new("a").exists()`', 'std::path::Path::new("a").exists()'),
    ("os.getcwd()", "`std::env::current_dir()?`", "std::env::current_dir()?"),
    ('os.environ["HOME"]', '`std::env::var("HOME")?`', 'std::env::var("HOME")?'),
    ("random.random()", "`:dep rand`", ":dep rand\nrand::random::<f64>()"),
    ("datetime.now()", "`std::time::SystemTime::now()`", "std::time::SystemTime::now()"),
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
    ('read_csv("a.csv").head(5)', "`.load()?` after it", None),
    ("read_csv(\"a.csv\").sep(';')", "`.separator(';')`", None),
    ('read_csv("a.csv", sep=";")', "settings are methods", None),
    # Python's own syntax.
    ("print(n)", '`println!("{x}")`', 'println!("{n}")'),
    ("print(x)", "`display(&x);`", "display(&x);"),
    ("sorted(numbers)", "`xs.sort_by(f64::total_cmp)`", "let mut xs = numbers.clone(); xs.sort_by(f64::total_cmp);"),
    ("numbers.sort()", "`xs.sort_by(f64::total_cmp)`", None),
    ("numbers.iter().max()", "f64::max)`", "numbers.iter().copied().fold(f64::NAN, f64::max)"),
    ("numbers.iter().sum()", "`.sum::<f64>()`", "numbers.iter().sum::<f64>()"),
    ("numbers * 2.0", "`xs.iter().map(|x| x * 2.0).collect::<Vec<_>>()`", "numbers.iter().map(|x| x * 2.0).collect::<Vec<_>>()"),
    ("numbers[0:2]", "`&xs[0..2]`", "&numbers[0..2]"),
    ("text[0:2]", "`&xs[0..2]`", "&text[0..2]"),
    ("numbers[n]", "`xs[n as usize]`", "numbers[(n - 5) as usize]"),
    ("text[0]", "`text.chars().nth(0)`", "text.chars().nth(0)"),
    ('"n = " + n', '`format!("n = {n}")`', 'format!("n = {n}")'),
    ('println!("n = " + n)', '`println!("n = {n}")`', 'println!("n = {n}")'),
    ('"a" * 3', '`"a".repeat(3)`', '"a".repeat(3)'),
    ("n = 5.0", "`let n = …;`", None),
    ("2.0.sqrt()", "`2.0_f64`", "2.0_f64.sqrt()"),
    ("reversed(numbers)", "`xs.iter().rev()`", "numbers.iter().rev().collect::<Vec<_>>()"),
    ("any(numbers)", "`xs.iter().any(|x| *x > 0.0)`", "numbers.iter().any(|x| *x > 0.0)"),
    ("all(numbers)", "`xs.iter().all(|x| *x > 0.0)`", "numbers.iter().all(|x| *x > 0.0)"),
    ("filter(numbers)", "`xs.iter().filter(", "numbers.iter().filter(|x| **x > 1.0).collect::<Vec<_>>()"),
    ("set(numbers)", "HashSet::from", "std::collections::HashSet::from([1, 2, 3])"),
    ("help(x)", "`?x`", None),
    ("for i in 0..3 { pass }", "`{}`", "for i in 0..3 {}"),
    ("@delayed\ndef f(v): return v", "`delayed(f).call(1.0)`", None),
    ("len(x)", "`x.len()`", "x.len()"),
    ("let flag = True;", "`true`", "let flag = true;"),
    ("let whole: int = 5;", "`i64`", "let whole: i64 = 5;"),
    ("for i in range(3) { }", "`0..10`", "for i in 0..3 { }"),
    ("for i in range(3):\n    print(i)", "in braces", None),
    ("import numpy as np", "nothing needs to be imported", None),
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

# Errors with other reasons, or about the user's own names, get no line.
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
    ("numbers.iter().filter(|v| limit < **v)", "col("),
    # Wrong guesses of the compiler, which the line replaces.
    ("x.median()", "similar name"),
    ('df.filter(df["age"] > 30)', "Into::into"),
    ('df.filter(~col("age").is_null())', "use `!`"),
    ("use dask::array;", ":dep dask"),
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


def test_a_text_among_expressions_is_told_where_the_cell_runs(kernel):
    kernel.fails('df.filter(col("sex").eq("M")).head(5)?', r'no column "M" in filter.*for a text value, write `lit\("M"\)`')
    assert "lit(" not in kernel.fails('df.filter(col("agee").gt(lit(1))).head(5)?', 'no column "agee"').error.splitlines()[0]
    kernel.fails(
        'dates.with_column("d", col("date").str().to_date(Default::default())).filter(col("d").gt(lit("2024-01-31"))).head(5)?',
        r'write a date as `lit\("2024-01-31"\)\.str\(\)\.to_date\(Default::default\(\)\)`',
    )


def test_a_selector_selects(kernel):
    assert kernel.ok("df.select(all()).columns()?").result == kernel.ok("df.columns()?").result
    kernel.ok('df.select(cols(["age", "sex"])).head(5)?')


def test_a_name_of_one_letter_is_suggested(own_kernel):
    own_kernel.fails("let a = 1;\nb", "a local variable with a similar name exists: `a`")


def test_a_closures_own_parameter_is_not_a_variable_that_is_gone(own_kernel):
    own_kernel.run("let q: String = 5;")
    result = own_kernel.fails("vec![1_i64].iter().map(|q| q.cbrt()).count()", "cbrt")
    assert "is not set" not in result.error
