//! Finds the variable to which a failed task belongs: a key names a layer, and
//! variables hold the collections that need it.

use super::recoverable::kind_of;
use super::variables;
use crate::graph::{Layer, topological};
use std::sync::Arc;

/// Returns the variable for which a task is computed: one whose collection ends
/// with the task's layer, or else the one with the fewest layers that needs it.
///
/// Returns `None` for tasks of a custom graph, whose keys are the user's own.
pub(super) fn variable_of(key: &str) -> Option<String> {
    let id = layer_of(key)?;
    let mut found: Option<(usize, String)> = None;
    variables::each(|name, _, value| {
        let layers = kind_of(value).and_then(|kind| kind.layers(value).ok());
        let Some(distance) = layers.and_then(|layers| distance(id, &layers)) else {
            return;
        };
        if found.as_ref().is_none_or(|(least, _)| distance < *least) {
            found = Some((distance, name.to_owned()));
        }
    });
    found.map(|(_, name)| name)
}

/// Returns the part of the layer's identity in a key such as
/// `mean-8d1f2c3b4a596877[0, 1]`.
fn layer_of(key: &str) -> Option<u64> {
    const DIGITS: usize = 16;
    let name = match key.strip_suffix(']') {
        Some(inner) => inner.rsplit_once('[')?.0,
        None => key,
    };
    let (_, digits) = name.rsplit_once('-')?;
    (digits.len() == DIGITS)
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}

/// Returns `None` if no collection needs the layer, and zero if one ends with it.
fn distance(id: u64, collections: &[Arc<Layer>]) -> Option<usize> {
    let is_it = |layer: &Arc<Layer>| layer.id().quick() == id;
    if collections.iter().any(is_it) {
        return Some(0);
    }
    let layers = topological(collections);
    layers.iter().any(is_it).then_some(layers.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::prelude::*;
    use std::any::Any;

    fn put<T: Any>(name: &str, value: T) {
        variables::put(name, std::any::type_name::<T>(), Box::new(value));
    }

    fn failed<T>(result: Result<T, Error>) -> String {
        match result {
            Err(Error::Task { key, .. }) => key,
            Err(error) => panic!("not a task's error: {error}"),
            Ok(_) => panic!("no error"),
        }
    }

    fn broken(x: &Array<f64>) -> Array<f64> {
        x.map(|_| -> f64 { panic!("on purpose") })
    }

    #[test]
    fn a_tasks_variable_is_the_one_that_ends_with_it() {
        let x = Array::<f64>::ones([4], 2);
        let y = broken(&x);
        put("x", x);
        put("all", vec![(&y + 1.0).sum(), (&y + 2.0).sum()]);
        put("y", y.clone());
        assert_eq!(variable_of(&failed(y.compute())).as_deref(), Some("y"));
    }

    #[test]
    fn else_the_one_that_needs_it_with_the_fewest_layers() {
        // Fused into the sum of each chunk, which no variable ends with.
        let sum = broken(&Array::ones([4], 2)).sum();
        put("far", (&sum * 2.0) + 1.0);
        put("total", sum.clone());
        let key = failed(sum.compute());
        assert_eq!(variable_of(&key).as_deref(), Some("total"), "{key}");
    }

    #[test]
    fn a_frames_variable_is_found() {
        let frame = DataFrame::from_polars(df!("a" => [1, 2]).unwrap(), 2);
        let y = frame.map_partitions(|_| Err(Error::Argument("on purpose".to_owned())));
        put("frame", frame);
        put("y", y.clone());
        assert_eq!(variable_of(&failed(y.compute())).as_deref(), Some("y"));
        // Also if the computed collection depends on it.
        let key = failed(y.column("a").mean().compute());
        assert_eq!(variable_of(&key).as_deref(), Some("y"), "{key}");
    }

    #[test]
    fn nobodys_task_has_none() {
        put("x", Array::<f64>::ones([4], 2));
        let key = failed(broken(&Array::ones([4], 2)).compute());
        assert_eq!(variable_of(&key), None, "{key}");
        for key in [
            "store",
            "load-data",
            "",
            "x-1[0]",
            "]",
            "é-0123456789abcdeé",
        ] {
            assert_eq!(variable_of(key), None, "{key}");
        }
    }
}
