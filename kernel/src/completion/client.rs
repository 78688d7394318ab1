//! Completion and inspection, as the session calls them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, oneshot};

use super::columns::{self, Purpose};
use super::commands::{command_at, is_command_line};
use super::cursor::{byte_offset, code_points, identifier_at};
use super::library::Library;
use super::literal::Literal;
use super::process::Process;
use super::protocol::{Answer, Ask, Completions, Inspection, Match, PATIENCE, Question};
use super::standard::Standard;
use super::{context, declared, files, names, variable};
use crate::commands::COMMANDS;
use crate::text::escape;
use crate::view::SessionView;
use swath_wire::{CompleteReply, InspectReply};

/// How long to wait before restarting an analyzer that ended before it was ready.
/// The wait doubles each time, up to [`LONGEST_REST`].
const REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Answers questions with rust-analyzer, or without it where that takes too long.
#[derive(Clone)]
pub(crate) struct Analyzer(Arc<Inner>);

struct Inner {
    state: Mutex<ClientState>,
    stopped: AtomicBool,
    /// If false, only questions that need no analyzer are answered.
    enabled: bool,
}

#[derive(Default)]
struct ClientState {
    process: Option<Process>,
    /// How many processes in a row ended before they were ready.
    failures: u32,
    /// No new process starts before this time.
    rest_until: Option<Instant>,
}

impl ClientState {
    /// Records that a process ended. A process that had been ready was killed or
    /// ran out of memory: the next may do better. A process that never became ready
    /// will probably fail again.
    fn ended(&mut self, was_ready: bool) {
        self.process = None;
        self.failures = if was_ready { 0 } else { self.failures + 1 };
        self.rest_until = (!was_ready).then(|| {
            let doubled = 1 << (self.failures - 1).min(16);
            Instant::now() + (REST * doubled).min(LONGEST_REST)
        });
    }

    fn rests(&self) -> bool {
        self.rest_until.is_some_and(|until| Instant::now() < until)
    }
}

impl Analyzer {
    /// Returns an analyzer whose process starts when it is first needed.
    pub(crate) fn new() -> Self {
        Self::with_process(true)
    }

    /// Returns an analyzer that never starts a process if `enabled` is false.
    pub(crate) fn with_process(enabled: bool) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            stopped: AtomicBool::new(false),
            enabled,
        }))
    }

    /// Completes `code` at code point `cursor`, or at its end if there is no
    /// cursor.
    pub(crate) async fn complete(
        &self,
        view: impl FnOnce() -> SessionView,
        code: &str,
        cursor: Option<usize>,
    ) -> CompleteReply {
        let position = cursor.map_or(code.len(), |cursor| byte_offset(code, cursor));
        let completions = if is_command_line(code, position) {
            complete_command(code, position)
        } else {
            let view = view();
            let rust = context::rust(code);
            let fallback = if let Some(literal) = Literal::at(&rust, position) {
                match columns::purpose(&view, &rust[..position], &literal) {
                    Purpose::Format => {
                        names::in_format(&view, &rust, position, literal.written_at(0))
                    }
                    Purpose::Column(columns) => {
                        let found = columns::complete(columns, code, &literal);
                        return to_complete_reply(code, found);
                    }
                    Purpose::Unknown => {
                        let found = complete_path(view.folder, code, literal).await;
                        return to_complete_reply(code, found);
                    }
                }
            } else {
                names::complete(&view, &rust, position)
            };
            // In comments and literals the analyzer has nothing to offer either.
            let Some(fallback) = fallback else {
                return to_complete_reply(code, Completions::none(position));
            };
            let wait = Wait::unless(!fallback.matches.is_empty());
            let question = Question::Complete;
            match self.ask(question, view, code, position, wait).await {
                Some(Answer::Completions(found)) if !found.matches.is_empty() => found,
                _ => fallback,
            }
        };
        to_complete_reply(code, completions)
    }

    /// Explains the name at code point `cursor` of `code`, or at its end if there
    /// is no cursor.
    pub(crate) async fn inspect(
        &self,
        view: impl FnOnce() -> SessionView,
        code: &str,
        cursor: Option<usize>,
    ) -> InspectReply {
        let position = cursor.map_or(code.len(), |cursor| byte_offset(code, cursor));
        if let Some(range) = command_at(code, position) {
            let command = &code[range];
            let purpose = COMMANDS.iter().find(|(name, _)| *name == command);
            return to_inspect_reply(purpose.map(|(name, purpose)| Inspection {
                plain: format!("{name}\n{purpose}"),
                html: format!("<p><code>{name}</code></p><p>{}</p>", escape(purpose)),
            }));
        }
        // The cursor may be behind the parenthesis of a call or the `!` of a macro.
        let end = code[..position]
            .trim_end_matches(['(', '[', '!', ' '])
            .len();
        let Some(range) = identifier_at(code, position).or_else(|| identifier_at(code, end)) else {
            return to_inspect_reply(None);
        };
        let view = view();
        let is_field = code[..range.start].trim_end().ends_with('.');
        let is_path = code[..range.start].trim_end().ends_with("::");
        if !is_field && !is_path {
            let name = &code[range.clone()];
            if let Some(variable) = view.variables.iter().find(|known| known.name == name) {
                return to_inspect_reply(Some(variable::inspection(variable)));
            }
        }
        let declared = declared::inspect(&view, &context::rust(code), range.end);
        let wait = Wait::unless(declared.is_some());
        let question = Question::Inspect;
        let found = match self.ask(question, view, code, range.end, wait).await {
            Some(Answer::Inspection(found)) => found,
            _ => None,
        };
        to_inspect_reply(found.or(declared))
    }

    /// Starts the process, so that the first completion does not wait for it, and
    /// reads the sources that completion without it uses.
    pub(crate) async fn warm_up(&self) {
        tokio::task::spawn_blocking(|| (Library::runtime(), Standard::get()));
        if self.0.enabled {
            let mut state = self.0.state.lock().await;
            self.ensure_process(&mut state);
        }
    }

    /// Ends the process for good.
    pub(crate) async fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
        let process = self.0.state.lock().await.process.take();
        if let Some(process) = process {
            process.stop().await;
        }
    }

    async fn ask(
        &self,
        question: Question,
        view: SessionView,
        code: &str,
        position: usize,
        wait: Wait,
    ) -> Option<Answer> {
        if !self.0.enabled {
            return None;
        }
        let ask = Ask {
            id: 0,
            question,
            view,
            code: code.to_owned(),
            position,
        };
        let answer = {
            let mut state = self.0.state.lock().await;
            let process = self.ensure_process(&mut state)?;
            // Ask even if it is not ready: that is how it learns that somebody
            // waits.
            let asked = process
                .ask(ask)
                .inspect_err(|error| tracing::warn!(%error, "cannot ask the analyzer"));
            if wait == Wait::IfReady && !process.is_ready() {
                return None;
            }
            asked.ok()?
        };
        tokio::time::timeout(PATIENCE, answer).await.ok()?.ok()
    }

    /// Returns the process; starts it if it does not run.
    fn ensure_process<'a>(&self, state: &'a mut ClientState) -> Option<&'a mut Process> {
        if self.0.stopped.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(process) = &mut state.process
            && !process.is_alive()
        {
            let was_ready = process.is_ready();
            tracing::debug!(was_ready, "the analyzer has ended");
            state.ended(was_ready);
        }
        if state.process.is_none() && !state.rests() {
            match Process::start() {
                Ok((process, ended)) => {
                    state.process = Some(process);
                    tokio::spawn(revive(Arc::downgrade(&self.0), ended));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot start the analyzer: completion is limited");
                    state.ended(false);
                }
            }
        }
        state.process.as_mut()
    }
}

/// Whether to wait for an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Always,
    /// Do not wait while the analyzer loads.
    IfReady,
}

impl Wait {
    /// If some answer `is_known`, returning it at once is better than a fuller one
    /// after seconds.
    fn unless(is_known: bool) -> Self {
        match is_known {
            true => Self::IfReady,
            false => Self::Always,
        }
    }
}

/// Starts the next process when one has ended, so that no question has to wait for
/// it.
async fn revive(inner: Weak<Inner>, ended: oneshot::Receiver<()>) {
    let _ = ended.await;
    loop {
        let rest_until = {
            let Some(inner) = inner.upgrade() else { return };
            let analyzer = Analyzer(inner);
            let mut state = analyzer.0.state.lock().await;
            if analyzer.ensure_process(&mut state).is_some() {
                return;
            }
            state.rest_until
        };
        match rest_until {
            Some(until) => tokio::time::sleep_until(until.into()).await,
            // Stopped.
            None => return,
        }
    }
}

/// Completes a path, if the file system answers in time.
async fn complete_path(folder: Option<PathBuf>, code: &str, literal: Literal) -> Completions {
    let folder = folder.or_else(|| std::env::current_dir().ok());
    let found = tokio::task::spawn_blocking({
        let code = code.to_owned();
        move || files::complete(&folder.unwrap_or_default(), &code, &literal)
    });
    match tokio::time::timeout(PATIENCE, found).await {
        Ok(Ok(found)) => found,
        _ => Completions::default(),
    }
}

/// Completes the name of a command.
fn complete_command(code: &str, position: usize) -> Completions {
    let Some(range) = command_at(code, position) else {
        return Completions::none(position);
    };
    let typed = &code[range.start..position];
    Completions {
        start: range.start,
        end: range.end,
        matches: COMMANDS
            .iter()
            .filter(|(name, _)| name.starts_with(typed))
            .map(|(name, purpose)| Match {
                text: (*name).to_owned(),
                kind: "magic".to_owned(),
                signature: (*purpose).to_owned(),
            })
            .collect(),
    }
}

fn to_complete_reply(code: &str, completions: Completions) -> CompleteReply {
    let start = code_points(code, completions.start);
    let end = code_points(code, completions.end);
    let types: Vec<Value> = completions
        .matches
        .iter()
        .map(|found| {
            json!({
                "text": found.text,
                "type": found.kind,
                "signature": found.signature,
                "start": start,
                "end": end,
            })
        })
        .collect();
    let mut metadata = Map::new();
    metadata.insert("_jupyter_types_experimental".to_owned(), json!(types));
    CompleteReply {
        matches: completions
            .matches
            .into_iter()
            .map(|found| found.text)
            .collect(),
        cursor_start: start,
        cursor_end: end,
        metadata,
        status: "ok",
    }
}

fn to_inspect_reply(found: Option<Inspection>) -> InspectReply {
    let mut reply = InspectReply {
        status: "ok",
        ..InspectReply::default()
    };
    if let Some(Inspection { plain, html }) = found {
        reply.found = true;
        reply.data.insert("text/plain".to_owned(), json!(plain));
        reply.data.insert("text/html".to_owned(), json!(html));
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Variable;
    use swath_channel::Description;

    fn view() -> SessionView {
        SessionView {
            variables: vec![Variable {
                name: "größe".to_owned(),
                type_name: "Vec<i32>".to_owned(),
                mutable: true,
                description: Arc::new(Description {
                    shape: "3 elements".to_owned(),
                    nbytes: Some(12),
                    columns: vec![("a \"b\"".to_owned(), "str".to_owned())],
                    ..Description::default()
                }),
                ..Variable::default()
            }],
            ..SessionView::default()
        }
    }

    /// Completes and inspects without a process, in a folder with a few files; `|`
    /// is the cursor.
    async fn both(marked: &str) -> (CompleteReply, InspectReply) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data.csv"), "").unwrap();
        let view = || SessionView {
            folder: Some(folder.path().to_owned()),
            ..view()
        };
        let at = marked.find('|').unwrap();
        let code = marked.replace('|', "");
        let cursor = Some(marked[..at].chars().count());
        let analyzer = Analyzer::with_process(false);
        (
            analyzer.complete(view, &code, cursor).await,
            analyzer.inspect(view, &code, cursor).await,
        )
    }

    #[tokio::test]
    async fn commands_need_no_analyzer() {
        let (completed, inspected) = both("let é = 1;\n:de|").await;
        assert_eq!(completed.matches, [":dep"]);
        assert_eq!((completed.cursor_start, completed.cursor_end), (11, 14));
        assert!(!inspected.found);
        assert!(both(":vars|").await.1.found);
        assert_eq!(both(":dep reg|").await.0.matches, [""; 0]);
    }

    #[tokio::test]
    async fn strings_need_no_analyzer() {
        let (completed, _) = both(":vars\nlet größe = read_csv(\"da|ta.csv\")").await;
        assert_eq!(completed.matches, ["data/", "data.csv"]);
        assert_eq!((completed.cursor_start, completed.cursor_end), (28, 36));
        let (completed, _) = both("\"é\"; größe.select(\"a|").await;
        assert_eq!(completed.matches, ["a \\\"b\\\""]);
        let told = &completed.metadata["_jupyter_types_experimental"][0];
        assert_eq!(
            (&told["type"], &told["signature"]),
            (&json!("column"), &json!("str"))
        );
        assert_eq!((completed.cursor_start, completed.cursor_end), (19, 20));
    }

    #[tokio::test]
    async fn variables_need_no_analyzer() {
        let (completed, _) = both("\"é\"; grö|").await;
        assert_eq!(completed.matches, ["größe"]);
        assert_eq!((completed.cursor_start, completed.cursor_end), (5, 8));
        let (completed, inspected) = both("let 🦀 = 1; let zebra = 2; zeb|").await;
        assert_eq!(completed.matches, ["zebra"]);
        assert_eq!((completed.cursor_start, completed.cursor_end), (26, 29));
        assert!(!inspected.found);
        assert!(both("let zebra = 2; zebra|").await.1.found);
        assert_eq!(
            both(":vars\nlet grün = 1; gr|").await.0.matches,
            ["grün", "größe"]
        );
        assert_eq!(both("x.grö|").await.0.matches, [""; 0]);
        assert_eq!(both("// grö|").await.0.matches, [""; 0]);
        assert_eq!(both("println!(\"grö|").await.0.matches, [""; 0]);
        let (completed, _) = both("println!(\"é {grö|").await;
        assert_eq!(completed.matches, ["größe"]);
        assert_eq!((completed.cursor_start, completed.cursor_end), (13, 16));
        assert!(both("größe(|").await.1.found);
        let (_, inspected) = both("grö|ße.len()").await;
        assert_eq!(
            inspected.data["text/plain"],
            "mut größe: Vec<i32>\nShape: 3 elements\nBytes: 12 B"
        );
    }
}
