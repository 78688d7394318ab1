//! The analyzer process: answers questions on stdin until stdin ends.
//!
//! evcxr's context holds rust-analyzer; nothing is ever executed in it but
//! the `42` with which evcxr itself begins.

use std::fs::{self, File};
use std::io::{BufRead as _, Write as _};
use std::os::fd::FromRawFd as _;
use std::os::unix::fs::symlink;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use evcxr::CommandContext;

use super::SessionView;
use super::context::{is_internal, preamble, runtime_sources};
use super::outline::outline;
use super::protocol::{Answer, Ask, Completions, Inspection, Match, Question, Told};

/// How long the question at hand may take when stdin has ended.
const LAST_MOMENT: Duration = Duration::from_millis(300);

/// The process's main function: its exit code.
pub(crate) fn analyze() -> i32 {
    let mut told = match take_stdout() {
        Ok(file) => file,
        Err(error) => {
            tracing::error!(%error, "no stdout");
            return 1;
        }
    };
    let asks = listen();
    let directory = std::env::var_os("EVCXR_TMPDIR").unwrap_or_else(|| std::env::temp_dir().into());
    if let Err(error) = find_std_sources(Path::new(&directory)) {
        tracing::debug!(%error, "completion without the sources of std");
    }
    let mut context = match CommandContext::new() {
        Ok((context, _outputs)) => context,
        Err(error) => {
            tell(&mut told, &Told::Failed(error.to_string()));
            return 1;
        }
    };
    let runtime = runtime_sources().and_then(|sources| {
        outline(&sources, &Path::new(&directory).join("outline"))
            .inspect_err(|error| tracing::warn!(%error, "completion without the runtime"))
            .ok()
    });
    // Loads std and the runtime, so that the first question needn't.
    let warm_up = Ask {
        id: 0,
        question: Question::Complete,
        view: SessionView::default(),
        code: "std::".to_owned(),
        position: "std::".len(),
    };
    // One after the other: together they leave 200 MB more behind.
    answer(&mut context, &warm_up, None);
    answer(&mut context, &warm_up, runtime.as_deref());
    return_memory();
    tell(&mut told, &Told::Ready);
    for ask in asks {
        let answered = std::panic::catch_unwind(AssertUnwindSafe(|| {
            answer(&mut context, &ask, runtime.as_deref())
        }));
        let Ok(answer) = answered else {
            // What rust-analyzer left behind is not to be trusted: the kernel
            // starts another process.
            return 101;
        };
        tell(&mut told, &Told::Answer { id: ask.id, answer });
    }
    0
}

/// Gives back what only loading needed: the allocator keeps it otherwise.
fn return_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim has no preconditions.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Keeps stdout for answers: whatever else prints, prints on stderr.
fn take_stdout() -> std::io::Result<File> {
    // SAFETY: dup takes any descriptor and reports a bad one.
    let kept = unsafe { libc::dup(libc::STDOUT_FILENO) };
    // SAFETY: dup2 takes any descriptors and reports bad ones.
    let redirected = unsafe { libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) };
    if kept < 0 || redirected < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: `kept` is a new descriptor that nobody else owns.
    Ok(unsafe { File::from_raw_fd(kept) })
}

/// Reads questions. When stdin ends, the kernel has gone: the process follows,
/// even from within a question.
fn listen() -> mpsc::Receiver<Ask> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(ask) => {
                    if sender.send(ask).is_err() {
                        break;
                    }
                }
                Err(error) => tracing::warn!(%error, "the kernel's line does not parse"),
            }
        }
        drop(sender);
        std::thread::sleep(LAST_MOMENT);
        std::process::exit(0);
    });
    receiver
}

fn tell(told: &mut File, message: &Told) {
    let written = serde_json::to_vec(message)
        .map_err(std::io::Error::from)
        .and_then(|mut line| {
            line.push(b'\n');
            told.write_all(&line)
        });
    if let Err(error) = written {
        tracing::warn!(%error, "the kernel does not listen");
    }
}

/// Points rust-analyzer to the sources of std, where they are installed.
///
/// Not to where they are installed, which may need the network: there lies a
/// Cargo.toml, and `cargo metadata` wants to know packages of std that nobody
/// has downloaded. Through a directory of links that leaves it out,
/// rust-analyzer joins the crates by itself.
fn find_std_sources(directory: &Path) -> std::io::Result<()> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = String::from_utf8_lossy(&output.stdout);
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    let links = directory.join("std-sources");
    fs::create_dir_all(&links)?;
    for entry in fs::read_dir(sources)? {
        let entry = entry?;
        if entry.path().is_dir() {
            symlink(entry.path(), links.join(entry.file_name()))?;
        }
    }
    // SAFETY: the only other thread reads stdin.
    unsafe { std::env::set_var("RUST_SRC_PATH", links) };
    Ok(())
}

fn answer(context: &mut CommandContext, ask: &Ask, runtime: Option<&Path>) -> Answer {
    let before = preamble(&ask.view, runtime);
    match ask.question {
        Question::Complete => {
            Answer::Completions(complete(context, &before, &ask.code, ask.position))
        }
        Question::Inspect => Answer::Inspection(inspect(context, &before, &ask.code, ask.position)),
    }
}

fn complete(
    context: &mut CommandContext,
    before: &str,
    code: &str,
    position: usize,
) -> Completions {
    let nothing = Completions {
        start: position,
        end: position,
        matches: Vec::new(),
    };
    let source = format!("{before}{code}");
    let found = match context.completions(&source, before.len() + position) {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%error, "no completions");
            return nothing;
        }
    };
    // What would replace part of the context is no completion of the user's code.
    let (Some(start), Some(end)) = (
        found.start_offset.checked_sub(before.len()),
        found.end_offset.checked_sub(before.len()),
    ) else {
        return nothing;
    };
    if start > end || !code.is_char_boundary(start) || !code.is_char_boundary(end) {
        return nothing;
    }
    let mut matches: Vec<Match> = found
        .completions
        .into_iter()
        .map(|completion| Match {
            text: without_arguments(&completion.code).to_owned(),
            kind: completion.kind.to_owned(),
            signature: completion.label,
        })
        .filter(|found| !is_internal(&found.text))
        .collect();
    // rust-analyzer's own order is by a relevance that evcxr leaves out.
    matches.sort_by(|a, b| order(a).cmp(&order(b)));
    matches.dedup_by(|a, b| a.text == b.text);
    Completions {
        start,
        end,
        matches,
    }
}

/// By name; what starts with `_` last.
fn order(found: &Match) -> (bool, &str) {
    (found.text.starts_with('_'), &found.text)
}

/// `push` of `push(value)`: placeholders would have to be deleted again.
fn without_arguments(code: &str) -> &str {
    match code.find('(') {
        Some(at) if code.ends_with([')', ';']) && at > 0 => &code[..at],
        _ => code,
    }
}

/// What the identifier is that ends at `position`.
fn inspect(
    context: &mut CommandContext,
    before: &str,
    code: &str,
    position: usize,
) -> Option<Inspection> {
    let source = format!("{before}{}", &code[..position]);
    let mut found = context.hover_at(&source, source.len()).ok();
    if found.as_ref().is_none_or(is_nothing) {
        // evcxr finds methods only where they are called.
        let call = format!("{source}(");
        found = context.hover_at(&call, call.len()).ok();
    }
    let (plain, html) = found.filter(|found| !is_nothing(found))?;
    Some(Inspection { plain, html })
}

fn is_nothing((plain, _): &(String, String)) -> bool {
    plain.is_empty() || plain == "No documentation found"
}
