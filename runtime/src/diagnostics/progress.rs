//! Live bars for collections that are computed in the background.
//!
//! A persisted layer counts its own tasks ([`ValueSource::progress`]). This module
//! only reads the counts a few times a second, and draws them. The display ends
//! in its complete state, so a saved notebook shows what happened.

use super::bar::{self, Bar, BarKind};
use crate::cancel::{self, checkpoint};
use crate::compute::Collection;
use crate::display::Bundle;
use crate::error::{Error, Result};
use crate::graph::{Layer, Progress, Tasks, ValueSource};
use crate::shown;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A collection whose progress can be shown: every [`Collection`].
pub trait Progressed {
    /// Returns the layer that is computed.
    ///
    /// # Errors
    /// What was wrong when the collection was described.
    fn progress_layer(&self) -> Result<Arc<Layer>>;
}

impl<C: Collection> Progressed for C {
    fn progress_layer(&self) -> Result<Arc<Layer>> {
        self.layer()
    }
}

/// One collection or several: `&x`, `&[&x, &y]`, `(&x, &y)`, `&[&x as &dyn Progressed]`.
#[diagnostic::on_unimplemented(
    message = "`progress` takes collections, and `{Self}` is not a collection",
    note = "collections are passed by reference: `progress((&users, &ratings))?`",
    note = "a loop gets a bar from its iterator: `for item in items.progress() {{ … }}`"
)]
pub trait ProgressSet {
    /// Returns the layers that are computed.
    ///
    /// # Errors
    /// What was wrong when a collection was described.
    fn layers(&self) -> Result<Vec<Arc<Layer>>>;
}

impl<C: Collection> ProgressSet for &C {
    fn layers(&self) -> Result<Vec<Arc<Layer>>> {
        Ok(vec![self.progress_layer()?])
    }
}

impl<P: Progressed + ?Sized> ProgressSet for &[&P] {
    fn layers(&self) -> Result<Vec<Arc<Layer>>> {
        self.iter().map(|part| part.progress_layer()).collect()
    }
}

impl<P: Progressed + ?Sized, const N: usize> ProgressSet for &[&P; N] {
    fn layers(&self) -> Result<Vec<Arc<Layer>>> {
        self.as_slice().layers()
    }
}

impl<P: Progressed + ?Sized, const N: usize> ProgressSet for [&P; N] {
    fn layers(&self) -> Result<Vec<Arc<Layer>>> {
        self.as_slice().layers()
    }
}

macro_rules! tuples {
    ($($name:ident $at:tt),*) => {
        impl<$($name: Progressed + ?Sized),*> ProgressSet for ($(&$name,)*) {
            fn layers(&self) -> Result<Vec<Arc<Layer>>> {
                Ok(vec![$(self.$at.progress_layer()?),*])
            }
        }
    };
}
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);

/// Shows a bar for each persisted collection until all of them are computed.
///
/// One collection or several: `progress(&users)?`, `progress((&users, &ratings))?`.
/// `progress!(users, ratings)?` names the bars as the variables are called.
///
/// # Errors
/// The first collection's failure; [`Error::Interrupted`].
///
/// ```
/// use swath::prelude::*;
///
/// let x = Array::<f64>::random([1000, 100], (100, 100), 1).persist()?;
/// progress(&x)?;
/// # Ok::<(), swath::Error>(())
/// ```
#[doc(alias = "ProgressBar")]
pub fn progress<S: ProgressSet>(collections: S) -> Result<()> {
    show(collections.layers()?, &[])
}

/// Does the same as [`progress`](progress()), under the names that the
/// collections have in the cell: `progress!(users, ratings)?`.
#[macro_export]
macro_rules! progress {
    ($($(&)? $collection:ident),+ $(,)?) => {
        $crate::diagnostics::progress::named(&[$(
            (::std::stringify!($collection), &$collection as &dyn $crate::diagnostics::Progressed)
        ),+])
    };
}

/// The function that [`crate::progress!`] calls.
///
/// # Errors
/// Those of [`progress`](progress()).
#[doc(hidden)]
pub fn named(collections: &[(&str, &dyn Progressed)]) -> Result<()> {
    let layers: Result<Vec<_>> = collections
        .iter()
        .map(|(_, collection)| collection.progress_layer())
        .collect();
    let names: Vec<String> = collections
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    show(layers?, &names)
}

fn show(layers: Vec<Arc<Layer>>, names: &[String]) -> Result<()> {
    let id = uuid::Uuid::new_v4().simple().to_string();
    // A terminal gets only the end, not every step on a separate line.
    let live = shown::has_sink();
    watch(&tracked(&layers, names), live, &mut |bundle, update| {
        shown::display(bundle, Some(&id), update && live);
    })
}

/// A collection whose progress is displayed.
struct TrackedLayer {
    name: String,
    layer: Arc<Layer>,
}

/// The state of a bar.
enum Stand {
    /// The collection is not being computed.
    NotPersisted,
    /// The values were available from the beginning.
    InMemory(usize),
    Computed(Progress),
}

fn tracked(layers: &[Arc<Layer>], names: &[String]) -> Vec<TrackedLayer> {
    let operations: Vec<String> = layers.iter().map(|layer| layer.label()).collect();
    layers
        .iter()
        .enumerate()
        .map(|(at, layer)| {
            let own = &operations[at];
            let same = |until: usize| {
                operations[..until]
                    .iter()
                    .filter(|other| *other == own)
                    .count()
            };
            let name = match names.get(at) {
                Some(name) => name.clone(),
                None if same(operations.len()) > 1 => format!("{own} {}", same(at) + 1),
                None => own.clone(),
            };
            TrackedLayer {
                name,
                layer: layer.clone(),
            }
        })
        .collect()
}

impl TrackedLayer {
    fn stand(&self) -> Stand {
        match self.layer.tasks() {
            Tasks::Values(source) => match ValueSource::progress(&**source) {
                Some(progress) => {
                    source.is_shown();
                    Stand::Computed(progress)
                }
                None => Stand::InMemory(self.layer.grid().len()),
            },
            _ => Stand::NotPersisted,
        }
    }
}

/// Updates the bars until nothing runs any more. `put` is called once with a new
/// display, and then with updates of it.
fn watch(shown: &[TrackedLayer], live: bool, put: &mut dyn FnMut(&Bundle, bool)) -> Result<()> {
    /// The times between two checks, and between two updates.
    const LOOK: Duration = Duration::from_millis(20);
    const UPDATE: Duration = Duration::from_millis(150);
    let mut last: Option<(Instant, Bundle)> = None;
    loop {
        let interrupted = checkpoint().is_err();
        let mut stands: Vec<Stand> = shown.iter().map(TrackedLayer::stand).collect();
        let ended = interrupted || !stands.iter().any(Stand::runs);
        if interrupted {
            stands.iter_mut().for_each(Stand::interrupt);
        }
        let due = last.as_ref().is_none_or(|(at, _)| at.elapsed() >= UPDATE);
        if ended || (due && live) {
            let bars: Vec<Bar> = shown.iter().zip(&stands).map(TrackedLayer::bar).collect();
            let bundle = bar::draw(&bars);
            if last.as_ref().is_none_or(|(_, last)| *last != bundle) {
                put(&bundle, last.is_some());
                last = Some((Instant::now(), bundle));
            }
        }
        if interrupted {
            return Err(Error::Interrupted);
        }
        if ended {
            return stands.into_iter().try_for_each(|stand| match stand {
                Stand::Computed(Progress {
                    outcome: Some(outcome),
                    ..
                }) => outcome,
                _ => Ok(()),
            });
        }
        // An interrupt is noticed at the beginning of the next round.
        let _ = cancel::sleep(LOOK);
    }
}

impl TrackedLayer {
    fn bar((Self { name, layer: _ }, stand): (&Self, &Stand)) -> Bar {
        match stand {
            Stand::NotPersisted => Bar::not_persisted(name),
            Stand::InMemory(chunks) => Bar::in_memory(name, *chunks),
            Stand::Computed(progress) => Bar::of(name, progress, BarKind::TASKS),
        }
    }
}

impl Stand {
    fn runs(&self) -> bool {
        matches!(self, Self::Computed(progress) if progress.outcome.is_none())
    }

    /// Marks a running computation as interrupted: nobody waits for it any more.
    fn interrupt(&mut self) {
        if let Self::Computed(progress) = self {
            progress.outcome.get_or_insert(Err(Error::Interrupted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Arguments, Block, Data, Grid, LayerId, Operation, Value};
    use crate::schedule::{Options, Persisted};
    use parking_lot::Mutex;

    /// A task that waits at the gate, and may then fail.
    struct Step {
        gate: Arc<Mutex<()>>,
        fails: bool,
    }

    impl Operation for Step {
        fn name(&self) -> &str {
            "step"
        }
        fn arguments(&self) -> Arguments {
            Arguments::Unique
        }
        fn run(&self, _: &Block<'_>, _: Vec<Value>) -> Result<Value> {
            drop(self.gate.lock());
            match self.fails {
                true => Err(Error::Argument("no".to_owned())),
                false => Ok(Value::opaque(1u64)),
            }
        }
    }

    fn steps(gate: &Arc<Mutex<()>>, fails: bool) -> Arc<Layer> {
        Layer::blockwise(
            Step {
                gate: gate.clone(),
                fails,
            },
            Grid::new([8]),
            vec![],
            vec![],
        )
    }

    #[derive(Clone)]
    struct Steps(Arc<Layer>);
    impl Collection for Steps {
        type Output = ();
        fn layer(&self) -> Result<Arc<Layer>> {
            Ok(self.0.clone())
        }
        fn with_layer(&self, layer: Arc<Layer>) -> Self {
            Self(layer)
        }
        fn assemble(&self, _: Vec<Value>) -> Result<()> {
            Ok(())
        }
    }

    /// Returns what was displayed: the text, and whether it was an update.
    fn watched(
        layers: &[Arc<Layer>],
        names: &[&str],
        gate: Option<parking_lot::MutexGuard<'_, ()>>,
    ) -> (Result<()>, Vec<(String, bool)>) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut puts = Vec::new();
        let mut gate = gate;
        let result = watch(&tracked(layers, &names), true, &mut |bundle, update| {
            puts.push((bundle.get("text/plain").unwrap().to_owned(), update));
            gate.take();
        });
        (result, puts)
    }

    fn without_times(text: &str) -> String {
        text.split("  ")
            .map(|part| if part.contains(" s") { "TIME" } else { part })
            .collect::<Vec<_>>()
            .join("  ")
    }

    #[test]
    fn a_bar_begins_empty_and_ends_full_once() {
        let gate = Arc::new(Mutex::new(()));
        let closed = gate.lock();
        let layer = Persisted::start(&steps(&gate, false), Options::default());
        let (result, puts) = watched(&[layer], &["users"], Some(closed));
        result.unwrap();
        assert!(
            puts[0]
                .0
                .starts_with("users ▕                        ▏   0 %  0 of 8 tasks"),
            "{}",
            puts[0].0
        );
        assert_eq!(puts.iter().filter(|(_, update)| !update).count(), 1);
        assert_eq!(
            puts.iter()
                .filter(|(text, _)| text.contains("100 %"))
                .count(),
            1
        );
        let last = &puts.last().unwrap().0;
        assert_eq!(
            without_times(last),
            "users ▕████████████████████████▏ 100 %  8 of 8 tasks  TIME"
        );
        assert!(last.ends_with(" · 64 B"), "{last}");
    }

    #[test]
    fn what_is_there_already_is_displayed_once() {
        let values: Vec<Value> = (0..3).map(|_| Value::opaque(())).collect();
        let data = Layer::values(
            LayerId::of("data"),
            Grid::new([3]),
            Data::new("data", values),
        );
        let gate = Arc::default();
        let layers = [data, steps(&gate, false), steps(&gate, false)];
        let (result, puts) = watched(&layers, &[], None);
        result.unwrap();
        assert_eq!(puts.len(), 1);
        insta::assert_snapshot!(puts[0].0);
    }

    #[test]
    fn a_failure_is_shown_and_returned() {
        let gate = Arc::default();
        let layer = Persisted::start(&steps(&gate, true), Options::default());
        let (result, puts) = watched(&[layer], &["users"], None);
        assert_eq!(result.unwrap_err().kind(), "TaskError");
        assert!(puts.last().unwrap().0.contains("failed: task step-"));
    }

    #[test]
    #[expect(
        clippy::needless_borrows_for_generic_args,
        reason = "each form is what somebody writes"
    )]
    fn every_form_of_several_collections() {
        let gate = Arc::default();
        let [a, b] = [0; 2].map(|_| Steps(steps(&gate, false)).persist().unwrap());
        progress(&a).unwrap();
        progress((&a, &b)).unwrap();
        progress(&[&a, &b]).unwrap();
        progress([&a, &b]).unwrap();
        progress(&[&a as &dyn Progressed, &b]).unwrap();
        progress(&vec![&a, &b][..]).unwrap();
        crate::progress!(a, &b).unwrap();
    }
}
