//! Live bars for collections that are computed in the background.
//!
//! A persisted layer counts its own tasks ([`Source::progress`]); here they are
//! only looked at, a few times a second, and drawn. The display ends complete,
//! so a saved notebook shows what happened.

use crate::compute::Collection;
use crate::display::Bundle;
use crate::display::palette;
use crate::display::style;
use crate::display::text::{bytes, counted, duration};
use crate::error::{Error, Result};
use crate::graph::{Layer, Source, SourceProgress, Tasks};
use crate::schedule::{cancel, checkpoint};
use crate::session::output;
use maud::html;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A collection whose progress can be shown: every [`Collection`].
pub trait Progressed {
    /// The layer that is computed.
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
pub trait ProgressSet {
    /// The layers that are computed.
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

/// Shows a bar for each collection that is persisted, until all are there.
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
pub fn progress<S: ProgressSet>(collections: S) -> Result<()> {
    show(collections.layers()?, &[])
}

/// As [`progress`](progress()), under the names that the collections have in
/// the cell: `progress!(users, ratings)?`.
#[macro_export]
macro_rules! progress {
    ($($(&)? $collection:ident),+ $(,)?) => {
        $crate::diagnostics::progress::named(&[$(
            (::std::stringify!($collection), &$collection as &dyn $crate::diagnostics::Progressed)
        ),+])
    };
}

/// What [`crate::progress!`] calls.
///
/// # Errors
/// As [`progress`](progress()).
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
    // A terminal gets the end only, not every step on a line of its own.
    let live = output::has_sink();
    watch(&bars(&layers, names), live, &mut |bundle, update| {
        output::display(bundle, Some(&id), update && live);
    })
}

/// A collection that is looked at.
struct Bar {
    name: String,
    layer: Arc<Layer>,
}

/// How a bar stands.
enum Stand {
    /// Nobody computes it.
    NotPersisted,
    /// It was there from the beginning.
    InMemory(usize),
    Computed(SourceProgress),
}

fn bars(layers: &[Arc<Layer>], names: &[String]) -> Vec<Bar> {
    let operation = |layer: &Arc<Layer>| match layer.grid().is_empty() {
        true => layer.name().to_string(),
        false => layer.operation_name(0).to_owned(),
    };
    let operations: Vec<String> = layers.iter().map(operation).collect();
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
            Bar {
                name,
                layer: layer.clone(),
            }
        })
        .collect()
}

impl Bar {
    fn stand(&self) -> Stand {
        match self.layer.tasks() {
            Tasks::Values(source) => match Source::progress(&**source) {
                Some(progress) => Stand::Computed(progress),
                None => Stand::InMemory(self.layer.grid().len()),
            },
            _ => Stand::NotPersisted,
        }
    }
}

/// Looks at the bars until nothing runs any more. `put` is called once with a
/// new display, and then with updates of it.
fn watch(bars: &[Bar], live: bool, put: &mut dyn FnMut(&Bundle, bool)) -> Result<()> {
    /// Between two looks, and between two updates.
    const LOOK: Duration = Duration::from_millis(20);
    const UPDATE: Duration = Duration::from_millis(150);
    let mut shown: Option<(Instant, Bundle)> = None;
    loop {
        let interrupted = checkpoint().is_err();
        let stands: Vec<Stand> = bars.iter().map(Bar::stand).collect();
        let ended = interrupted || !stands.iter().any(Stand::runs);
        let due = shown
            .as_ref()
            .is_none_or(|(last, _)| last.elapsed() >= UPDATE);
        if ended || (due && live) {
            let bundle = draw(bars, &stands, interrupted);
            if shown.as_ref().is_none_or(|(_, last)| *last != bundle) {
                put(&bundle, shown.is_some());
                shown = Some((Instant::now(), bundle));
            }
        }
        if interrupted {
            return Err(Error::Interrupted);
        }
        if ended {
            return stands.into_iter().try_for_each(|stand| match stand {
                Stand::Computed(SourceProgress {
                    outcome: Some(outcome),
                    ..
                }) => outcome,
                _ => Ok(()),
            });
        }
        // Seen at the beginning of the next round.
        let _ = cancel::sleep(LOOK);
    }
}

impl Stand {
    fn runs(&self) -> bool {
        matches!(self, Self::Computed(progress) if progress.outcome.is_none())
    }
}

/// A bar in words.
struct Row<'a> {
    name: &'a str,
    part: f64,
    colour: &'static str,
    count: String,
    note: String,
}

fn draw(bars: &[Bar], stands: &[Stand], interrupted: bool) -> Bundle {
    let rows: Vec<Row<'_>> = bars
        .iter()
        .zip(stands)
        .map(|(bar, stand)| row(&bar.name, stand, interrupted))
        .collect();
    let page = html! {
        table.swath-table.swath-plain {
            tbody {
                @for row in &rows {
                    @let percent = (row.part * 100.0).floor();
                    tr {
                        th { (row.name) }
                        td.swath-wide {
                            div.swath-bar role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=(percent) {
                                span style={ "width:" (percent) "%;background:" (row.colour) } {}
                            }
                        }
                        td.swath-right { (percent) " %" }
                        td.swath-right { (row.count) }
                        td.swath-wrap { (row.note) }
                    }
                }
            }
        }
    };
    Bundle::text(text(&rows)).with("text/html", style::page(&page))
}

fn text(rows: &[Row<'_>]) -> String {
    const CELLS: usize = 24;
    let widest = |of: &dyn Fn(&Row<'_>) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (name, count) = (
        widest(&|row| row.name.chars().count()),
        widest(&|row| row.count.chars().count()),
    );
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            // Eighths of a cell, so that a long run is seen moving.
            let eighths = (row.part * (CELLS * 8) as f64).floor() as usize;
            let mut bar = "█".repeat(eighths / 8);
            if eighths / 8 < CELLS {
                bar.push([' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8]);
                bar.push_str(&" ".repeat(CELLS - eighths / 8 - 1));
            }
            let line = format!(
                "{:name$} ▕{bar}▏ {:>3.0} %  {:>count$}  {}",
                row.name,
                (row.part * 100.0).floor(),
                row.count,
                row.note,
            );
            line.trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

fn row<'a>(name: &'a str, stand: &Stand, interrupted: bool) -> Row<'a> {
    let progress = match stand {
        Stand::NotPersisted => {
            return Row {
                name,
                part: 0.0,
                colour: palette::ACCENT,
                count: String::new(),
                note: "not persisted: nothing runs; take what persist() returns".to_owned(),
            };
        }
        Stand::InMemory(chunks) => {
            return Row {
                name,
                part: 1.0,
                colour: palette::DONE,
                count: counted(*chunks, "value"),
                note: "in memory".to_owned(),
            };
        }
        Stand::Computed(progress) => progress,
    };
    let (done, total) = (progress.done.min(progress.total), progress.total);
    let part = match &progress.outcome {
        Some(Ok(())) => 1.0,
        // Only the end is 100 %.
        _ => (done as f64 / total.max(1) as f64).min(0.999),
    };
    let seconds = progress.elapsed.as_secs_f64();
    let mut notes = vec![duration(progress.elapsed)];
    let colour = match &progress.outcome {
        Some(Ok(())) => {
            if progress.nbytes > 0 {
                notes.push(bytes(progress.nbytes));
            }
            palette::DONE
        }
        Some(Err(Error::Interrupted)) => {
            notes.push("interrupted".to_owned());
            palette::FAILED
        }
        Some(Err(error)) => {
            notes.push(format!("failed: {error}"));
            palette::FAILED
        }
        None if interrupted => {
            notes.push("interrupted".to_owned());
            palette::FAILED
        }
        None => {
            if done > 0 && seconds > 0.5 {
                let rate = done as f64 / seconds;
                notes.push(if rate >= 10.0 {
                    format!("{rate:.0} tasks/s")
                } else {
                    format!("{rate:.1} tasks/s")
                });
                notes.push(format!(
                    "{} left",
                    duration(Duration::from_secs_f64((total - done) as f64 / rate))
                ));
            }
            if progress.nbytes > 0 {
                notes.push(bytes(progress.nbytes));
            }
            palette::ACCENT
        }
    };
    Row {
        name,
        part,
        colour,
        count: format!(
            "{} of {}",
            crate::display::text::grouped(done),
            counted(total, "task")
        ),
        note: notes.join(" · "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Arguments, Block, Data, Grid, LayerId, Operation, Value};
    use crate::schedule::{Options, Persisted};
    use parking_lot::Mutex;

    /// Waits until it may go on, or fails.
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

    /// What was put: the text, and whether it was an update.
    fn watched(
        layers: &[Arc<Layer>],
        names: &[&str],
        gate: Option<parking_lot::MutexGuard<'_, ()>>,
    ) -> (Result<()>, Vec<(String, bool)>) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut puts = Vec::new();
        let mut gate = gate;
        let result = watch(&bars(layers, &names), true, &mut |bundle, update| {
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
