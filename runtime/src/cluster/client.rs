//! Clients, which run computations on a cluster.

use super::{ClusterInfo, LocalCluster};
use crate::compute::{Collection, default_options, set_default_options};
use crate::context::{Context, PerContext};
use crate::delayed::argument::IntoArguments;
use crate::delayed::{Callable, Delayed, delayed};
use crate::error::Result;
use crate::schedule::{self, Options, Persisted};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs computations on a cluster.
///
/// As long as a client exists, and no newer one does, every computation runs on its
/// cluster, even one that was not started through the client. A clone is the same
/// client.
#[derive(Clone)]
pub struct Client {
    cluster: LocalCluster,
    /// Shared by the clones, and dropped with the last one.
    _living: Arc<Living>,
}

/// Registers a client until it is dropped.
struct Living {
    number: u64,
    context: Context,
}

/// The registered clients, and the default options from before the first of them.
#[derive(Default)]
struct Clients {
    before: Option<Options>,
    living: Vec<(u64, Options)>,
}

static CLIENTS: PerContext<Mutex<Clients>> = PerContext::new(Mutex::default);

impl Clients {
    fn apply(&mut self) {
        let newest = self.living.last().map(|(_, options)| options.clone());
        if let Some(options) = newest.or_else(|| self.before.take()) {
            set_default_options(options);
        }
    }
}

impl Client {
    /// Creates a client of a cluster.
    pub fn new(cluster: &LocalCluster) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let context = Context::current();
        let clients = CLIENTS.get();
        let mut clients = clients.lock();
        if clients.living.is_empty() {
            clients.before = Some(default_options());
        }
        clients.living.push((number, cluster.options()));
        clients.apply();
        Self {
            cluster: cluster.clone(),
            _living: Arc::new(Living { number, context }),
        }
    }

    /// Returns the cluster.
    pub fn cluster(&self) -> &LocalCluster {
        &self.cluster
    }

    /// Returns the cluster's current state.
    pub fn info(&self) -> ClusterInfo {
        self.cluster.info()
    }

    /// Computes a collection.
    ///
    /// # Errors
    /// The same as for [`Collection::compute`].
    pub fn compute<C: Collection>(&self, collection: &C) -> Result<C::Output> {
        collection.compute_with(&self.cluster.options())
    }

    /// Starts computing a collection's chunks in the background; see
    /// [`Collection::persist`].
    ///
    /// # Errors
    /// Returns the error in the collection's description.
    pub fn persist<C: Collection>(&self, collection: &C) -> Result<C> {
        let layer = Persisted::start(&collection.layer()?, self.cluster.options());
        Ok(collection.with_layer(layer))
    }

    /// Starts calling a function in the background.
    ///
    /// The arguments are a tuple of the arguments of a delayed call. To get the value, use
    /// [`compute`](Self::compute) or [`gather`](Self::gather).
    ///
    /// # Errors
    /// None at present: the error of a function is returned when its value is computed.
    pub fn submit<F, Args, R>(
        &self,
        function: F,
        arguments: impl IntoArguments<Args>,
    ) -> Result<Delayed<R>>
    where
        F: Callable<Args, Output = R>,
        R: Clone + Send + Sync + 'static,
    {
        self.persist(&delayed(function).apply(arguments))
    }

    /// Computes several delayed values together and returns their values.
    ///
    /// # Errors
    /// The same as for [`Collection::compute`].
    pub fn gather<'a, T: Clone + Send + Sync + 'static>(
        &self,
        values: impl IntoIterator<Item = &'a Delayed<T>>,
    ) -> Result<Vec<T>> {
        let values: Vec<&Delayed<T>> = values.into_iter().collect();
        let layers: Vec<_> = values
            .iter()
            .map(|value| value.layer())
            .collect::<Result<_>>()?;
        let chunks = schedule::run(&layers, &self.cluster.options())?;
        values
            .iter()
            .zip(chunks)
            .map(|(value, chunks)| value.assemble(chunks))
            .collect()
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let _entered = self.context.enter();
        let clients = CLIENTS.get();
        let mut clients = clients.lock();
        clients.living.retain(|(number, _)| *number != self.number);
        clients.apply();
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.cluster)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
