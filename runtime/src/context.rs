//! The state of one session, where a process has several.
//!
//! A [`Context`] holds the state that the computations of a session share and that other sessions
//! must not see: limits, caches, persisted values, observers. Each part of it is a [`PerContext`].
//! The module that owns it uses it like a static; every context has its own value of it.
//!
//! A thread is in one context at a time: the context of the process, unless it has
//! [entered](Context::enter) another one. A run remembers the context that started it. Its tasks
//! are in that context, on whatever thread they run, and so are the threads that the run starts.
//!
//! State that belongs to the machine or to the process remains a plain static: the pool's queue,
//! the bytes that values occupy, the tables of types.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

/// The maximum number of [`PerContext`] statics.
const SLOTS: usize = 32;

type Slot = OnceLock<Box<dyn Any + Send + Sync>>;

/// The shared state of one session's computations. Clones are the same context.
///
/// The process has a context from the beginning, and a notebook needs no other. A second context
/// isolates a computation: it has its own memory limit, cache, persisted values, observers, clients
/// and interrupts.
///
/// ```
/// use swath::context::Context;
/// use swath::prelude::*;
///
/// let before = swath::memory_limit();
/// let small = Context::new();
/// small.run(|| swath::set_memory_limit("64 MiB"))?;
/// assert_eq!(small.run(swath::memory_limit), 64 << 20);
/// assert_eq!(swath::memory_limit(), before);
///
/// let x = Array::random((1000, 1000), (100, 1000), 1);
/// assert!(small.run(|| x.sum().compute())? > 0.0);
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone)]
pub struct Context(Arc<[Slot; SLOTS]>);

thread_local! {
    /// The context that this thread has entered.
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Returns the process's own context.
fn main() -> &'static Context {
    static MAIN: LazyLock<Context> = LazyLock::new(Context::new);
    &MAIN
}

impl Context {
    /// Creates a context with the defaults of a new process.
    #[expect(clippy::new_without_default, reason = "a context is made on purpose")]
    pub fn new() -> Self {
        Self(Arc::new([const { Slot::new() }; SLOTS]))
    }

    /// Returns the context of this thread.
    pub fn current() -> Self {
        CURRENT
            .with_borrow(Clone::clone)
            .unwrap_or_else(|| main().clone())
    }

    /// Runs code in this context.
    pub fn run<T>(&self, code: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        code()
    }

    /// Moves this thread into the context until the guard is dropped.
    #[must_use = "the thread leaves the context when this is dropped"]
    pub fn enter(&self) -> Entered {
        Entered {
            before: CURRENT.replace(Some(self.clone())),
            _of_thread: PhantomData,
        }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// A thread's stay in a context. It ends when this is dropped.
#[derive(Debug)]
pub struct Entered {
    before: Option<Context>,
    /// It must be dropped on its own thread.
    _of_thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// A static that has a separate value in every context, created at its first use.
pub(crate) struct PerContext<T> {
    slot: OnceLock<usize>,
    make: fn() -> T,
}

impl<T: Send + Sync + 'static> PerContext<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self {
            slot: OnceLock::new(),
            make,
        }
    }

    /// Returns the value of this thread's context.
    pub(crate) fn get(&'static self) -> Arc<T> {
        self.with(Arc::clone)
    }

    /// Calls code with the value of this thread's context. The code must not leave the context.
    /// This is cheaper than [`get`](Self::get).
    pub(crate) fn with<R>(&'static self, code: impl FnOnce(&Arc<T>) -> R) -> R {
        CURRENT.with_borrow(|entered| code(self.within(entered.as_ref().unwrap_or_else(|| main()))))
    }

    fn within<'a>(&self, context: &'a Context) -> &'a Arc<T> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let slot = *self
            .slot
            .get_or_init(|| NEXT.fetch_add(1, Ordering::Relaxed));
        context.0[slot]
            .get_or_init(|| Box::new(Arc::new((self.make)())))
            .downcast_ref()
            .expect("invariant: a slot holds the value of one static")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Array;
    use crate::cancel::{CancelToken, interrupt};
    use crate::compute::{Collection, default_options, set_default_options};
    use crate::delayed::delayed;
    use crate::schedule::{Event, Listener, Observer, Options, Plan, observe};
    use crate::schedule::{memory_limit, set_memory_limit};
    use crate::shown::{self, Bundle, Sink};
    use parking_lot::Mutex;
    use std::sync::atomic::AtomicBool;

    static COUNT: PerContext<AtomicUsize> = PerContext::new(|| AtomicUsize::new(10));

    #[test]
    fn each_context_has_its_own_value() {
        let (one, other) = (Context::new(), Context::new());
        let next = || COUNT.get().fetch_add(1, Ordering::Relaxed);
        assert_eq!(
            [one.run(next), one.run(next), other.run(next)],
            [10, 11, 10]
        );
        let inner = one.run(|| other.run(next));
        assert_eq!((inner, one.run(next)), (11, 12));
        // Another thread is in the process's context.
        let elsewhere = one.run(|| std::thread::spawn(Context::current).join().unwrap());
        assert!(!Arc::ptr_eq(&elsewhere.0, &one.0));
    }

    #[test]
    fn tasks_are_in_the_context_of_their_run_on_every_thread() {
        for synchronous in [true, false] {
            let context = Context::new();
            let counted = context.run(|| {
                let x = Array::<f64>::ones(64, 1).map(|v: f64| {
                    COUNT.get().fetch_add(1, Ordering::Relaxed);
                    // A run within a task is in it, too.
                    let nested = delayed(|| COUNT.get().fetch_add(1, Ordering::Relaxed)).call();
                    v + nested.compute().unwrap() as f64 * 0.0
                });
                let options = Options {
                    synchronous,
                    ..Options::default()
                };
                assert_eq!(x.sum().compute_with(&options).unwrap(), 64.0);
                let kept = x.persist().unwrap();
                kept.sum().compute().unwrap();
                COUNT.get().load(Ordering::Relaxed)
            });
            assert_eq!(counted, 10 + 4 * 64);
        }
    }

    #[test]
    fn limits_and_options_are_the_contexts() {
        let (one, other) = (Context::new(), Context::new());
        one.run(|| {
            set_memory_limit(1 << 30).unwrap();
            set_default_options(Options {
                threads: Some(1),
                ..Options::default()
            });
        });
        assert_eq!(one.run(memory_limit), 1 << 30);
        assert_ne!(other.run(memory_limit), 1 << 30);
        assert_eq!(one.run(default_options).threads, Some(1));
        assert_eq!(other.run(default_options).threads, None);
    }

    #[test]
    fn what_is_persisted_is_found_in_its_context_alone() {
        let (one, other) = (Context::new(), Context::new());
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = runs.clone();
        let x = Array::<f64>::ones(4, 1).map(move |v: f64| {
            counter.fetch_add(1, Ordering::Relaxed);
            v
        });
        let kept = one.run(|| x.persist().unwrap());
        let sum = || x.sum().compute().unwrap();
        assert_eq!([one.run(sum), one.run(sum)], [4.0, 4.0]);
        assert_eq!(runs.load(Ordering::Relaxed), 4);
        assert_eq!(other.run(sum), 4.0);
        assert_eq!(runs.load(Ordering::Relaxed), 8);
        drop(kept);
    }

    #[test]
    fn an_interrupt_stops_its_own_context() {
        let (one, other) = (Context::new(), Context::new());
        let tokens = [&one, &other].map(|context| context.run(CancelToken::register));
        one.run(interrupt);
        assert_eq!(
            tokens.each_ref().map(CancelToken::is_cancelled),
            [true, false]
        );
        let sum = || Array::<f64>::ones(4, 1).sum().compute();
        assert!(one.run(sum).is_err());
        assert_eq!(other.run(sum).unwrap(), 4.0);
        one.run(crate::cancel::begin);
        assert_eq!(one.run(sum).unwrap(), 4.0);
    }

    #[derive(Default)]
    struct Saw(AtomicBool, Mutex<Vec<Bundle>>);

    impl Observer for Saw {
        fn listener(self: Arc<Self>, _: &Arc<Plan>) -> Arc<dyn Listener> {
            self
        }
    }

    impl Listener for Saw {
        fn event(&self, _: &Event) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    impl Sink for Saw {
        fn display(&self, _: Option<u64>, bundle: &Bundle, _: Option<&str>, _: bool) {
            self.1.lock().push(bundle.clone());
        }

        fn cell(&self) -> Option<u64> {
            None
        }

        fn clear(&self, _: bool) {}
    }

    #[test]
    fn observers_and_sinks_see_their_own_context() {
        let contexts = [Context::new(), Context::new()];
        let saw = contexts.each_ref().map(|context| {
            let saw = Arc::new(Saw::default());
            context.run(|| {
                observe(&saw);
                shown::set_sink(saw.clone());
            });
            saw
        });
        contexts[0].run(|| {
            Array::<f64>::ones(4, 1).sum().compute().unwrap();
            shown::display(&Bundle::text("here"), None, false);
        });
        let seen = saw
            .each_ref()
            .map(|saw| (saw.0.load(Ordering::Relaxed), saw.1.lock().len()));
        assert_eq!(seen, [(true, 1), (false, 0)]);
    }
}
