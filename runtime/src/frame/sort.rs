//! Sorts rows and drops duplicates.

use super::dataframe::check_names;
use super::partitions::Partitions;
use super::shuffle::{Target, shuffle};
use super::step::{NamedStep, SortBy, Step};
use crate::error::{Error, Result};

/// The order of values.
#[doc(alias = "ascending")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The least value first.
    Ascending,
    /// The greatest value first.
    #[doc(alias = "reverse")]
    Descending,
}

/// One order for all columns, or one for each.
pub trait IntoOrders {
    /// Returns the orders.
    fn into_orders(self) -> Vec<Order>;
}

impl IntoOrders for Order {
    fn into_orders(self) -> Vec<Order> {
        vec![self]
    }
}

impl<const N: usize> IntoOrders for [Order; N] {
    fn into_orders(self) -> Vec<Order> {
        self.into()
    }
}

impl IntoOrders for Vec<Order> {
    fn into_orders(self) -> Vec<Order> {
        self
    }
}

/// Sorts rows by some columns. A shuffle brings the rows into partitions
/// between bounds, which it derives from samples; then each partition is
/// sorted. No task sees the whole frame.
pub(super) fn sort(plan: &Partitions, columns: Vec<String>, order: &[Order]) -> Result<Partitions> {
    check_names(&plan.schema, &columns, " in sort")?;
    if columns.is_empty() || !(order.len() == 1 || order.len() == columns.len()) {
        return Err(Error::Argument(format!(
            "cannot sort by {} columns in {} orders: expected at least one column, and one order for all columns or one for each",
            columns.len(),
            order.len()
        )));
    }
    let descending = (0..columns.len())
        .map(|at| order[at % order.len()] == Order::Descending)
        .collect();
    let by = SortBy {
        columns,
        descending,
    };
    let gathered = if plan.npartitions() == 1 {
        plan.clone()
    } else {
        shuffle(plan, Target::Order(by.clone()), plan.npartitions())?
    };
    Ok(gathered.each(Step::Sort(by), plan.schema.clone()))
}

/// Keeps the first of the rows that are equal in some columns.
pub(super) fn unique(plan: &Partitions, columns: Vec<String>) -> Result<Partitions> {
    check_names(&plan.schema, &columns, " in unique")?;
    let schema = plan.schema.clone();
    let step = Step::Unique(columns);
    let combine = NamedStep {
        name: "unique-combine".to_owned(),
        step: step.clone(),
    };
    if plan.npartitions() == 1 {
        return Ok(plan.each(step, schema));
    }
    let chunk = NamedStep {
        name: "unique-chunk".to_owned(),
        step: step.clone(),
    };
    Ok(plan
        .each(chunk, schema.clone())
        .tree(combine, schema.clone(), step, schema))
}
