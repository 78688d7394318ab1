//! The synchronous runner, which runs all tasks on the calling thread.

use super::Outcome;
use super::event::emit_transition;
use super::memory::{self, Candidate, Holder};
use super::task::RunContext;
use crate::cancel;
use crate::error::{Error, Result};
use crate::graph::Value;
use parking_lot::Mutex;
use std::sync::Arc;
use swath_scheduler::{State, Transition, Unfinished};

/// A run on one thread. The lock is needed because other threads may spill its
/// values.
struct SyncRun {
    context: Arc<RunContext>,
    state: Mutex<State<Value>>,
}

/// Runs a plan.
pub(super) fn run(context: &Arc<RunContext>) -> Outcome {
    let graph = context.plan.topology();
    context.emit_begin();
    let run = Arc::new(SyncRun {
        context: context.clone(),
        state: Mutex::new(State::new(graph, context.has_listeners())),
    });
    memory::register(&run);
    let ended = run.run_all();
    super::pool::settle();
    context.emit_end(ended.as_ref().err());
    let mut state = run.state.lock();
    match ended {
        Ok(()) => Ok(state.take_outputs(graph)),
        Err(failure) => Err(Unfinished {
            failure,
            held: state.abandon(),
        }),
    }
}

impl SyncRun {
    fn run_all(&self) -> Result<()> {
        let Self { context, state } = self;
        let graph = context.plan.topology();
        let mut transition = Transition::default();
        let mut failure = None;
        loop {
            if context.token.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let mut inputs = Vec::new();
            let task = {
                let mut state = state.lock();
                let Some(task) = state.next() else {
                    return failure.map_or(Ok(()), Err);
                };
                state.start(graph, task, &mut inputs);
                task
            };
            let inside = cancel::enter(&context.token);
            let result = context.run(task, inputs, 0);
            drop(inside);
            transition.clear();
            match result {
                Ok(value) => state.lock().finish(graph, task, value, &mut transition),
                Err(error) if context.goes_on_after(&error) => {
                    state.lock().fail(graph, task, &mut transition);
                    failure.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
            emit_transition(&context.listeners, &transition);
            context.pressure.relieve(&context.listeners)?;
        }
    }
}

impl Holder for SyncRun {
    fn candidates(&self, tell: &mut dyn FnMut(Candidate)) {
        memory::results(&self.context.plan, &self.state.lock(), tell);
    }

    fn replace(&self, place: u32, spilled: Value) -> bool {
        memory::replace_result(&mut self.state.lock(), place, spilled)
    }
}
