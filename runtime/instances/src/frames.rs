//! Instances for partitioned data frames.

use super::used;
use swath::frame::{Frame, FrameScalar, GroupedFrame};
use swath::prelude::*;
use swath::session::cell::Failure;

used! { handle:
    partitioned: DataFrame,
    column: Series,
    groups: GroupedFrame,
    number: FrameScalar<f64>,
    any_value: FrameScalar<Datum>,
    size: FrameScalar<usize>,
    cluster: LocalCluster,
    client: Client,
}

used! { take:
    value: Datum,
    frame_or_error: swath::Result<Frame>,
    dataframe_or_error: swath::Result<DataFrame>,
}

/// Reads files and queries frames.
pub fn computed(client: &Client) -> Result<Frame, Failure> {
    let columns = ["user_id", "age", "sex", "occupation", "zip_code"];
    let people = read_csv("people.csv")
        .separator('|')
        .names(columns)
        .partitions(4)
        .load()?;
    let grouped = people.group_by(["sex"]).mean().compute()?;
    let other = read_csv("other.csv").names(["a", "b", "c", "d"]).load()?;
    let encoded = read_csv("x.csv").encoding(Encoding::Latin1).load()?;
    let people = client.persist(&people)?;
    let other = client.persist(&other)?;
    progress(&[&people, &other, &encoded])?;
    let mean = people.column("rating").mean();
    let picked = people
        .filter(col("title").str_contains("Star"))
        .select(["movie_id", "title"])
        .compute()?;
    let some = people
        .filter(
            col("movie_id")
                .eq(lit(3i64))
                .and(col("rating").gt_eq(lit(4))),
        )
        .column("user_id")
        .compute()?;
    let mut ids: Vec<i64> = some.i64()?.iter().flatten().collect();
    ids.sort();
    let ids2: Vec<i64> = picked.column("movie_id")?.i64()?.iter().flatten().collect();
    let liked = people.filter(
        col("user_id")
            .is_in_values(ids.clone())
            .and(col("rating").gt_eq(lit(4))),
    );
    let pictures = (liked.visualize()?, people.visualize()?);
    drop((
        pictures,
        ids2,
        grouped,
        mean.compute()?,
        people.len().compute()?,
    ));
    println!("{} rows", picked.height());
    let joined = liked
        .group_by(["movie_id"])
        .agg([len().alias("count"), col("rating").mean().alias("mean")])
        .join(
            &people.select(["movie_id", "title"]),
            ["movie_id"],
            JoinType::Inner,
        )
        .sort("count", Descending)
        .with_column("x", col("a") + col("b") * lit(2.0));
    Ok(joined.head(10)?)
}
