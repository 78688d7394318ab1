//! Comms: messages between code in a cell and a client of the notebook: a
//! widget in the page, an extension, another program.
//!
//! Messages from clients are delivered on a separate thread, in order, also
//! while a cell runs. Jupyter's documentation calls the two ends of a comm its
//! *kernel side* and *front end side*:
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages>

use super::channel;
use crate::error::{Error, Result};
use crate::panics;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, mpsc};
use swath_channel::{Buffer, CommAction, FromRuntime};

/// One end of a comm. Clones refer to the same end.
///
/// In a notebook:
///
/// ```no_run
/// use swath::prelude::*;
///
/// // Clients may open comms to us …
/// comm_target("adder", |comm, _| {
///     let answers = comm.clone();
///     comm.on_message(move |message| {
///         let sum = message.data["a"].as_i64().unwrap_or(0) + message.data["b"].as_i64().unwrap_or(0);
///         answers.send(json!({ "sum": sum })).ok();
///     });
/// });
/// // … and we to them.
/// let comm = Comm::open("my-extension", json!({ "rows": 3 }))?;
/// comm.send(json!({ "done": 1 }))?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone)]
pub struct Comm(Arc<Inner>);

/// A message on a comm. Created from `json!(…)` if there are no buffers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommMessage {
    /// The data, in a form that the two ends agree on.
    pub data: Value,
    /// The message's metadata.
    pub metadata: Map<String, Value>,
    /// Additional raw data, which would be too large in JSON.
    pub buffers: Vec<Vec<u8>>,
}

type OnMessage = Box<dyn FnMut(CommMessage) + Send>;
type OnClose = Box<dyn FnOnce(CommMessage) + Send>;
type OnOpen = Arc<dyn Fn(Comm, CommMessage) + Send + Sync>;

struct Inner {
    id: String,
    target: String,
    is_open: AtomicBool,
    handlers: Mutex<Handlers>,
}

#[derive(Default)]
struct Handlers {
    message: Option<OnMessage>,
    close: Option<OnClose>,
    /// The messages that arrived before there was a handler.
    waiting: VecDeque<CommMessage>,
}

/// The targets and open comms of this process.
#[derive(Default)]
struct Registry {
    targets: HashMap<String, OnOpen>,
    open: HashMap<String, Comm>,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

/// Registers a target: comms that clients open to the target `name` are passed
/// to `on_open`, which sets their handlers.
///
/// A second call replaces the earlier handler. Comms to unregistered targets
/// are closed at once.
pub fn comm_target(
    name: impl Into<String>,
    on_open: impl Fn(Comm, CommMessage) + Send + Sync + 'static,
) {
    let name = name.into();
    REGISTRY
        .lock()
        .targets
        .insert(name.clone(), Arc::new(on_open));
    channel::send(&FromRuntime::CommTarget { name, exists: true });
}

/// Stops accepting comms to the target `name`. Open comms remain open.
pub fn remove_comm_target(name: &str) {
    if REGISTRY.lock().targets.remove(name).is_some() {
        let name = name.to_owned();
        channel::send(&FromRuntime::CommTarget {
            name,
            exists: false,
        });
    }
}

impl Comm {
    /// Opens a comm to a target that clients know.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no notebook.
    pub fn open(target: impl Into<String>, message: impl Into<CommMessage>) -> Result<Self> {
        if !channel::is_connected() {
            return Err(Error::Argument(
                "cannot open a comm: this code does not run in a notebook, so there is no other end".to_owned(),
            ));
        }
        let target = target.into();
        let comm = Self::new(uuid::Uuid::new_v4().simple().to_string(), target.clone());
        // Registered before it is announced, because an answer may come at once.
        REGISTRY.lock().open.insert(comm.0.id.clone(), comm.clone());
        comm.report(CommAction::Open { target }, message.into());
        Ok(comm)
    }

    fn new(id: String, target: String) -> Self {
        Self(Arc::new(Inner {
            id,
            target,
            is_open: AtomicBool::new(true),
            handlers: Mutex::default(),
        }))
    }

    /// Returns the comm's id.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns the target that it was opened to.
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// Returns whether neither end has closed it.
    pub fn is_open(&self) -> bool {
        self.0.is_open.load(Ordering::Acquire)
    }

    /// Sends a message to the other end.
    ///
    /// # Errors
    /// [`Error::Argument`] if the comm is closed.
    pub fn send(&self, message: impl Into<CommMessage>) -> Result<()> {
        if !self.is_open() {
            return Err(Error::Argument(format!(
                "cannot send on the comm to `{}`: it is closed",
                self.target()
            )));
        }
        self.report(CommAction::Message, message.into());
        Ok(())
    }

    /// Sets the handler of messages from the other end. It is called for one
    /// message after the other, also while a cell runs, and also for messages
    /// that arrived earlier. A panic in it is printed.
    pub fn on_message(&self, handler: impl FnMut(CommMessage) + Send + 'static) {
        self.0.handlers.lock().message = Some(Box::new(handler));
        DELIVERY.send(Delivery::Waiting(self.clone()));
    }

    /// Calls `handler` when the other end closes the comm.
    pub fn on_close(&self, handler: impl FnOnce(CommMessage) + Send + 'static) {
        self.0.handlers.lock().close = Some(Box::new(handler));
    }

    /// Closes the comm if it is open.
    pub fn close(&self, message: impl Into<CommMessage>) {
        if self.forget() {
            self.report(CommAction::Close, message.into());
        }
    }

    /// Unregisters the comm. Returns whether it was open.
    fn forget(&self) -> bool {
        REGISTRY.lock().open.remove(&self.0.id);
        self.0.is_open.swap(false, Ordering::AcqRel)
    }

    fn report(&self, action: CommAction, message: CommMessage) {
        channel::send(&FromRuntime::Comm(swath_channel::Comm {
            id: self.0.id.clone(),
            action,
            data: message.data,
            metadata: message.metadata,
            buffers: message.buffers.into_iter().map(Buffer).collect(),
        }));
    }

    /// Delivers the waiting messages while there is a handler.
    fn deliver(&self) {
        loop {
            let (mut handler, message) = {
                let mut handlers = self.0.handlers.lock();
                let Some(handler) = handlers.message.take() else {
                    return;
                };
                let Some(message) = handlers.waiting.pop_front() else {
                    handlers.message = Some(handler);
                    return;
                };
                (handler, message)
            };
            guarded(self.target(), || handler(message));
            // Unless the handler has set another one.
            self.0.handlers.lock().message.get_or_insert(handler);
        }
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comm")
            .field("target", &self.target())
            .field("id", &self.id())
            .field("is_open", &self.is_open())
            .finish()
    }
}

impl From<Value> for CommMessage {
    fn from(data: Value) -> Self {
        Self {
            data,
            ..Self::default()
        }
    }
}

impl From<()> for CommMessage {
    fn from((): ()) -> Self {
        Self::from(json!({}))
    }
}

/// A task for the thread that calls handlers.
enum Delivery {
    /// A client's action.
    Of(Box<swath_channel::Comm>),
    /// A handler was set; there may be waiting messages for it.
    Waiting(Comm),
}

/// The sender to that thread.
struct Sender(Mutex<mpsc::Sender<Delivery>>);

static DELIVERY: LazyLock<Sender> = LazyLock::new(|| {
    let (sender, deliveries) = mpsc::channel();
    std::thread::Builder::new()
        .name("swath-comms".to_owned())
        .spawn(move || deliveries.into_iter().for_each(deliver))
        .expect("invariant: a process that runs cells can start a thread");
    Sender(Mutex::new(sender))
});

impl Sender {
    fn send(&self, delivery: Delivery) {
        // The thread lives as long as the process.
        let _ = self.0.lock().send(delivery);
    }
}

/// Receives a client's action.
pub(super) fn receive(comm: swath_channel::Comm) {
    DELIVERY.send(Delivery::Of(Box::new(comm)));
}

fn deliver(delivery: Delivery) {
    let comm = match delivery {
        Delivery::Waiting(comm) => return comm.deliver(),
        Delivery::Of(comm) => *comm,
    };
    let message = CommMessage {
        data: comm.data,
        metadata: comm.metadata,
        buffers: comm
            .buffers
            .into_iter()
            .map(|Buffer(bytes)| bytes)
            .collect(),
    };
    match comm.action {
        CommAction::Open { target } => {
            let opened = Comm::new(comm.id.clone(), target.clone());
            let on_open = {
                let mut registry = REGISTRY.lock();
                registry.open.insert(comm.id, opened.clone());
                registry.targets.get(&target).cloned()
            };
            match on_open {
                Some(on_open) => guarded(&target, || on_open(opened, message)),
                // The target was removed in the meantime.
                None => opened.close(()),
            }
        }
        CommAction::Message => {
            if let Some(comm) = find(&comm.id) {
                comm.0.handlers.lock().waiting.push_back(message);
                comm.deliver();
            }
        }
        CommAction::Close => {
            if let Some(comm) = find(&comm.id) {
                comm.forget();
                let on_close = comm.0.handlers.lock().close.take();
                if let Some(on_close) = on_close {
                    guarded(comm.target(), || on_close(message));
                }
            }
        }
    }
}

fn find(id: &str) -> Option<Comm> {
    REGISTRY.lock().open.get(id).cloned()
}

/// Calls a handler; a panic in it is printed.
fn guarded(target: &str, handler: impl FnOnce()) {
    if let Err(error) = panics::catch(handler) {
        eprintln!("the handler of the comm to `{target}` failed: {error}");
    }
}
