//! Joins.

use super::dataframe::check_names;
use super::engine::{dtype, empty, resolve};
use super::partitions::Partitions;
use super::shuffle::{Target, both, shuffle};
use super::step::{JoinOn, Step};
use crate::error::{Error, Result};
use crate::graph::{Grid, Layer};
use polars::prelude::{
    DataType, Expr, JoinArgs, JoinCoalesce, JoinType as PolarsJoin, MaintainOrderJoin, Schema, col,
};
use polars_core::utils::try_get_supertype;
use serde::{Deserialize, Serialize};

/// Which rows a join keeps.
#[doc(alias = "how")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinType {
    /// Rows that match.
    Inner,
    /// All rows of the left frame.
    Left,
    /// All rows of the right frame.
    Right,
    /// All rows of both frames.
    #[doc(alias = "outer")]
    Full,
    /// Rows of the left frame that match, without the right one's columns.
    Semi,
    /// Rows of the left frame that do not match.
    Anti,
}

impl JoinType {
    pub(super) fn args(self) -> JoinArgs {
        let (how, order) = match self {
            Self::Inner => (PolarsJoin::Inner, MaintainOrderJoin::LeftRight),
            Self::Left => (PolarsJoin::Left, MaintainOrderJoin::LeftRight),
            Self::Right => (PolarsJoin::Right, MaintainOrderJoin::RightLeft),
            Self::Full => (PolarsJoin::Full, MaintainOrderJoin::LeftRight),
            Self::Semi => (PolarsJoin::Semi, MaintainOrderJoin::Left),
            Self::Anti => (PolarsJoin::Anti, MaintainOrderJoin::Left),
        };
        let mut args = JoinArgs::new(how);
        args.maintain_order = order;
        if self == Self::Full {
            // Keep one column for each key, as in the other joins.
            args.coalesce = JoinCoalesce::CoalesceColumns;
        }
        args
    }

    /// Returns whether each partition of the left frame can be joined with the whole
    /// right one.
    fn is_by_left_row(self) -> bool {
        !matches!(self, Self::Right | Self::Full)
    }
}

/// A right frame of at most this many bytes is copied to each partition of the left
/// one. Otherwise both are shuffled.
const BROADCAST: u64 = 64 << 20;

pub(super) fn join(
    left: &Partitions,
    right: &Partitions,
    columns: Vec<String>,
    how: JoinType,
) -> Result<Partitions> {
    if columns.is_empty() {
        return Err(Error::Argument(
            "cannot join on no columns: pass at least one".to_owned(),
        ));
    }
    check_names(&left.schema, &columns, " in the left frame of join")?;
    check_names(&right.schema, &columns, " in the right frame of join")?;
    for name in &columns {
        let of = |schema: &Schema| schema.get(name).cloned().unwrap_or(DataType::Null);
        let (left, right) = (of(&left.schema), of(&right.schema));
        let apart = |a: &DataType, b: &DataType| *a == DataType::UInt64 && b.is_signed_integer();
        if apart(&left, &right) || apart(&right, &left) {
            return Err(Error::Type {
                subject: format!("the key \"{name}\" of join"),
                found: format!(
                    "{left} in the left frame and {right} in the right one, and no 64-bit integer type holds both"
                ),
                expected: format!(
                    "the same type in both: cast one of them, with_column(\"{name}\", col(\"{name}\").strict_cast(DataType::Int64))"
                ),
            });
        }
    }
    let on = JoinOn { columns, how };
    let schema = resolve(
        on.query(empty(&left.schema), empty(&right.schema)),
        " in join",
        &[],
        &left.schema,
    )?;
    let small = right.npartitions() == 1 || right.nbytes.is_some_and(|nbytes| nbytes <= BROADCAST);
    let alone = left.npartitions() == 1 && right.npartitions() == 1;
    let (left, right, inputs) = if alone || (small && how.is_by_left_row()) {
        let right = if right.npartitions() == 1 {
            right.clone()
        } else {
            right.whole(Step::Concat, right.schema.clone())
        };
        let inputs = vec![left.same(0), right.first(1)];
        (left.clone(), right, inputs)
    } else {
        let into = left.npartitions().max(right.npartitions());
        let keys = keys(&on.columns, &left.schema, &right.schema)?;
        let left = shuffle(left, Target::Hash(keys.clone()), into)?;
        let right = shuffle(right, Target::Hash(keys), into)?;
        let inputs = both(&left, &right);
        (left, right, inputs)
    };
    let layer = Layer::blockwise(
        Step::Join(on),
        Grid::new([left.npartitions()]),
        inputs,
        vec![left.layer.clone(), right.layer.clone()],
    );
    Ok(Partitions {
        layer,
        schema,
        partitionwise: left.partitionwise && right.partitionwise,
        nbytes: None,
    })
}

/// Returns the keys cast to a common type, so that equal keys have equal hashes.
fn keys(columns: &[String], left: &Schema, right: &Schema) -> Result<Vec<Expr>> {
    columns
        .iter()
        .map(|name| {
            let key = col(name.as_str());
            let of = |schema: &Schema| dtype(&key, schema).unwrap_or(DataType::Null);
            let common = try_get_supertype(&of(left), &of(right))?;
            Ok(key.clone().cast(common))
        })
        .collect()
}
