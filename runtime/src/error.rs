//! The one error type of the runtime.
//!
//! A message says what could not be done, what was found, what was expected
//! and, if there is one, how to fix it. [`Error::kind`] is the name that the
//! notebook shows in front of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The runtime's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a task, or of a user's function in it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Any error of the runtime. Cheap to clone: causes are shared.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Shapes, axes or chunks that do not fit each other.
    #[error("{0}")]
    Shape(String),
    /// A column that a frame does not have.
    #[error("no column \"{name}\"{context}: the columns are {}{}", list(available), as_text(name, *may_be_text))]
    Column {
        /// The column asked for.
        name: String,
        /// Where the column was asked for, with a leading space, or empty.
        context: String,
        /// The columns that exist.
        available: Vec<String>,
        /// Whether the user may have meant a text value: `col("sex").eq("M")`.
        may_be_text: bool,
    },
    /// A file could not be opened, read or written.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// The attempted action: `open`, `read`, `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: Arc<std::io::Error>,
    },
    /// A text file whose content does not have the expected form.
    #[error("{}{}: {reason}", path.display(), at_line(*line))]
    Csv {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, if known.
        line: Option<usize>,
        /// What was found, what was expected, how to fix it.
        reason: String,
    },
    /// Polars rejected an expression or a query.
    #[error("{}", with_mend(.0))]
    Polars(Arc<polars::error::PolarsError>),
    /// Two tasks under one key.
    #[error(
        "two tasks under the key \"{key}\": a key names one task, choose another name for one of them"
    )]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A key that no task has.
    #[error(
        "no task under the key \"{key}\"{needed_by}: the keys are {}",
        list(available)
    )]
    MissingKey {
        /// The key asked for.
        key: String,
        /// The task that needs it, with a leading space, or empty.
        needed_by: String,
        /// The keys that exist.
        available: Vec<String>,
    },
    /// Tasks that depend on each other in a cycle.
    #[error("the graph has a cycle: {}", path.join(" → "))]
    Cycle {
        /// The keys along the cycle, the first one repeated at the end.
        path: Vec<String>,
    },
    /// A value of another type than the one asked for.
    #[error("{subject} is {found}, expected {expected}")]
    Type {
        /// What has the wrong type.
        subject: String,
        /// Its type.
        found: String,
        /// The type asked for.
        expected: String,
    },
    /// An argument outside of what the function accepts.
    #[error("{0}")]
    Argument(String),
    /// A result that its integer type cannot hold.
    #[error("{0}")]
    Overflow(String),
    /// A task failed.
    #[error("task {key} ({operation}) failed: {cause}{}", given(inputs))]
    Task {
        /// The task's key.
        key: String,
        /// The operation's name.
        operation: String,
        /// One line for each input.
        inputs: Vec<String>,
        /// The error that the task failed with.
        cause: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A user's function returned an error.
    #[error("{type_name}: {message}")]
    Function {
        /// The error's type.
        type_name: String,
        /// The error's text.
        message: String,
    },
    /// A task's function panicked.
    #[error("panicked: {message}{}", at(location))]
    Panic {
        /// The panic's message.
        message: String,
        /// Source file, line and column, where known.
        location: Option<String>,
    },
    /// A value could not be moved to disk, or read back.
    #[error(
        "memory is short, and Swath cannot {action} in {}: {cause}; free space there, choose another folder with set_spill_folder, or raise the limit with set_memory_limit",
        folder.display()
    )]
    Spill {
        /// The attempted action: `write`, `read`, `make a file`.
        action: &'static str,
        /// The folder of the file.
        folder: PathBuf,
        /// The operating system's error.
        cause: Arc<std::io::Error>,
    },
    /// A rule of the optimiser produced layers that cannot be planned.
    #[error(
        "bug in the optimiser: layer {layer} must {requirement}{}; please report it",
        takes.as_ref().map(|layer| format!(" (it depends on {layer})")).unwrap_or_default()
    )]
    Rule {
        /// The layer.
        layer: String,
        /// The violated requirement, as a verb phrase after "must".
        requirement: String,
        /// The dependency that the requirement is about, if any.
        takes: Option<String>,
    },
    /// The user interrupted the computation.
    #[error("interrupted: the computation was cancelled, every variable is kept")]
    Interrupted,
    /// A value or an operation that has no encoding.
    #[error("cannot encode {0}")]
    Encode(String),
    /// Bytes that are not a valid encoding.
    #[error("cannot decode {0}")]
    Decode(String),
    /// An encoding could not be written or read because of its storage: a full
    /// disk.
    #[error("cannot {action} an encoded value: {cause}")]
    Transfer {
        /// The attempted action: `read`, `write`.
        action: &'static str,
        /// The operating system's error.
        cause: Arc<std::io::Error>,
    },
}

impl Error {
    /// Returns the error's kind, as the notebook names it.
    ///
    /// ```
    /// use swath::Error;
    /// assert_eq!(Error::Shape("axis 2 of a 2-d array".into()).kind(), "ShapeError");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Shape(_) => "ShapeError",
            Self::Column { .. } => "ColumnError",
            Self::Io { .. } | Self::Transfer { .. } => "IoError",
            Self::Csv { .. } => "CsvError",
            Self::Polars(_) => "PolarsError",
            Self::DuplicateKey { .. } | Self::MissingKey { .. } => "KeyError",
            Self::Cycle { .. } => "CycleError",
            Self::Type { .. } => "TypeError",
            Self::Argument(_) => "ArgumentError",
            Self::Overflow(_) => "OverflowError",
            Self::Task { .. } | Self::Function { .. } => "TaskError",
            Self::Panic { .. } => "Panic",
            Self::Spill { .. } => "SpillError",
            Self::Rule { .. } => "RuleError",
            Self::Interrupted => "Interrupted",
            Self::Encode(_) => "EncodeError",
            Self::Decode(_) => "DecodeError",
        }
    }

    /// Returns the key of the task that failed, if one did.
    pub(crate) fn task_key(&self) -> Option<&str> {
        match self {
            Self::Task { key, .. } => Some(key),
            _ => None,
        }
    }

    /// Wraps the error as the error of a task.
    ///
    /// Two kinds stay as they are: the error of a task in a nested computation
    /// already has a key, and an interrupt is not a failure of the task.
    pub(crate) fn of_task(
        self,
        key: impl FnOnce() -> String,
        operation: &str,
        inputs: impl FnOnce() -> Vec<String>,
    ) -> Self {
        match self {
            error @ (Self::Interrupted | Self::Task { .. }) => error,
            cause => Self::Task {
                key: key(),
                operation: operation.to_owned(),
                inputs: inputs(),
                cause: Arc::new(cause),
            },
        }
    }

    /// Raises the error as a panic whose payload is the error itself, so that
    /// the notebook shows it as an error of its kind. For operators, which
    /// cannot return a `Result`.
    #[track_caller]
    pub fn raise(self) -> ! {
        std::panic::panic_any(self)
    }
}

impl From<polars::error::PolarsError> for Error {
    fn from(error: polars::error::PolarsError) -> Self {
        Self::Polars(Arc::new(error))
    }
}

/// Returns a hint on how to write a text value, if a column's name may have been
/// meant as one.
fn as_text(name: &str, may_be_text: bool) -> String {
    match may_be_text {
        true => format!("; for a text value, write `lit(\"{name}\")`"),
        false => String::new(),
    }
}

/// Returns Polars' message, with a hint on how to fix the error if there is one.
fn with_mend(error: &polars::error::PolarsError) -> String {
    let mut text = error.to_string();
    if text.contains("'date/datetime/time' to a string") {
        text += ": write a date as `lit(\"2024-01-31\").str().to_date(Default::default())`";
    }
    text
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 30;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text += &format!(", and {} more", names.len() - SHOWN);
    }
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}"))
        .unwrap_or_default()
}

fn at(location: &Option<String>) -> String {
    location
        .as_ref()
        .map(|location| format!(" (at {location})"))
        .unwrap_or_default()
}

fn given(inputs: &[String]) -> impl fmt::Display {
    if inputs.is_empty() {
        String::new()
    } else {
        format!("; its inputs: {}", inputs.join(", "))
    }
}
