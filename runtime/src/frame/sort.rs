//! Rows in order, and rows without those that came before.

use super::dataframe::check_names;
use super::plan::Plan;
use super::shuffle::{Target, shuffle};
use super::step::{NamedStep, SortBy, Step};
use crate::error::{Error, Result};

/// Which values come first.
#[doc(alias = "ascending")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The least.
    Ascending,
    /// The greatest.
    #[doc(alias = "reverse")]
    Descending,
}

/// One order for all columns, or one for each.
pub trait IntoOrders {
    /// The orders.
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

/// Rows in the order of some columns. Rows are brought into partitions by
/// bounds between them, which samples tell, and then each is sorted: no task
/// sees the whole frame.
pub(super) fn sort(plan: &Plan, columns: Vec<String>, order: &[Order]) -> Result<Plan> {
    check_names(&plan.schema, &columns, " in sort")?;
    if columns.is_empty() || !(order.len() == 1 || order.len() == columns.len()) {
        return Err(Error::Argument(format!(
            "cannot sort by {} columns in {} orders: expected at least one column, and one order for all or one for each",
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

/// The first of the rows that are equal in some columns.
pub(super) fn unique(plan: &Plan, columns: Vec<String>) -> Result<Plan> {
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
