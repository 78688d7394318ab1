//! Instances for Polars' own frames and expressions.

use super::used;
use polars::prelude::*;
use swath::session::cell::Failure;

used! { handle:
    frame: DataFrame,
    lazy: LazyFrame,
    expression: Expr,
    series: Series,
    column: Column,
}

used! { take:
    frame_or_error: PolarsResult<DataFrame>,
    lists: Vec<Series>,
}

/// Creates frames from arrays and queries them.
pub fn from_arrays() -> Result<DataFrame, Failure> {
    let frame = df!("a" => [1, 2, 3], "b" => ["x", "y", "x"], "c" => [1.0, 2.0, 3.0])?;
    let longs = df!("a" => [1i64, 2], "b" => [true, false])?;
    let vectors = df!("a" => vec![1.0, 2.0], "b" => vec!["x", "y"], "c" => vec![1, 2])?;
    let owned = df!("a" => vec![1i64, 2], "b" => vec!["x".to_string()])?;
    drop((longs, vectors, owned));
    let series = Series::new("a".into(), [1, 2, 3]);
    let floats = Series::new("a".into(), vec![1.0, 2.0]);
    println!("{} {:?}", series.sum::<i32>()?, floats.mean());
    let sums: Option<f64> = frame.column("c")?.f64()?.sum();
    let values: Vec<i32> = frame.column("a")?.i32()?.into_no_null_iter().collect();
    println!("{sums:?} {values:?} {:?} {}", frame.shape(), frame.height());
    let head = frame.head(Some(5)).sort(["a"], Default::default())?;
    drop((head, frame.clone()));
    let grouped = frame
        .lazy()
        .filter(col("a").gt(lit(1)).and(col("c").lt(lit(2.5))))
        .with_columns([(col("a") * lit(2)).alias("d")])
        .group_by([col("b")])
        .agg([col("a").sum(), col("c").mean().alias("mean"), len()])
        .sort(["b"], Default::default())
        .collect()?;
    Ok(grouped)
}

/// Reads a file with options.
pub fn from_file() -> Result<DataFrame, Failure> {
    let columns = ["user_id", "age", "sex", "occupation", "zip_code"];
    let mut table = CsvReadOptions::default()
        .with_has_header(false)
        .with_parse_options(CsvParseOptions::default().with_separator(b'|'))
        .try_into_reader_with_file_path(Some("people.csv".into()))?
        .finish()?;
    table.set_column_names(&columns)?;
    let shown = table
        .lazy()
        .select([col("a"), col("b")])
        .group_by([col("sex")])
        .agg([col("user_id").mean(), col("age").mean()])
        .sort(["sex"], Default::default())
        .collect()?;
    Ok(shown)
}

/// Joins lazy frames.
pub fn joined(left: LazyFrame, right: LazyFrame) -> Result<DataFrame, Failure> {
    let args = JoinArgs::new(JoinType::Inner);
    Ok(left.join(right, [col("a")], [col("a")], args).collect()?)
}
