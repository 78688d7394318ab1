//! user_expressions: evaluated one by one after a cell that succeeded.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#execution-results>

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use crate::display::MimeBundle;
use crate::execution::{CellError, Outcome};

/// The expressions of one request.
pub(super) struct Expressions {
    /// The names and code of the waiting expressions.
    waiting: VecDeque<(String, String)>,
    /// The name of the current expression, and its value once available.
    current: Option<(String, MimeBundle)>,
    /// By name: a bundle with status "ok", or an error.
    results: Map<String, Value>,
}

impl Expressions {
    /// Returns the expressions in `requested`; values that are not strings become
    /// errors.
    pub(super) fn new(requested: &Map<String, Value>) -> Self {
        let mut expressions = Self {
            waiting: VecDeque::new(),
            current: None,
            results: Map::new(),
        };
        for (name, code) in requested {
            match code.as_str() {
                Some(code) => expressions
                    .waiting
                    .push_back((name.clone(), code.to_owned())),
                None => {
                    let error = CellError {
                        ename: "TypeError".to_owned(),
                        evalue: format!("user expression `{name}` is {code}, expected a string"),
                        traceback: Vec::new(),
                    };
                    expressions.results.insert(name.clone(), failure(&error));
                }
            }
        }
        expressions
    }

    /// Returns the code of the next expression.
    pub(super) fn next(&mut self) -> Option<String> {
        let (name, code) = self.waiting.pop_front()?;
        self.current = Some((name, MimeBundle::default()));
        Some(code)
    }

    /// Sets the value of the current expression.
    pub(super) fn result(&mut self, bundle: MimeBundle) {
        if let Some((_, value)) = &mut self.current {
            *value = bundle;
        }
    }

    /// Records that the current expression has been evaluated.
    pub(super) fn finished(&mut self, outcome: Outcome) {
        let Some((name, bundle)) = self.current.take() else {
            return;
        };
        let result = match outcome {
            Outcome::Ok => json!({
                "status": "ok",
                "data": bundle.data,
                "metadata": bundle.metadata,
            }),
            Outcome::Error(error) => failure(&error),
        };
        self.results.insert(name, result);
    }

    /// Cancels the waiting expressions.
    pub(super) fn interrupt(&mut self) {
        let error = CellError {
            ename: "Interrupted".to_owned(),
            evalue: "interrupted before it was evaluated".to_owned(),
            traceback: Vec::new(),
        };
        for (name, _) in self.waiting.drain(..) {
            self.results.insert(name, failure(&error));
        }
    }

    /// Returns all results.
    pub(super) fn take_results(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.results)
    }
}

fn failure(error: &CellError) -> Value {
    json!({
        "status": "error",
        "ename": error.ename,
        "evalue": error.evalue,
        "traceback": error.traceback,
    })
}
