//! `:dep`: crates that are not the runtime's.
//!
//! evcxr knows how to add a crate to a session: it checks the name, writes a
//! Cargo.toml and has cargo build it. It is started by the first cell that
//! needs it. What cargo tells rustc of the crates then is written down by a
//! wrapper around rustc, and every later cell is compiled with it: cargo takes
//! longer to find that nothing has changed than rustc takes for a cell.

use super::compiler::CRATE;
use evcxr::{CommandContext, Error, EvalContext, EvalOutputs};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tells the wrapper where to write rustc's arguments.
const RECORD_VARIABLE: &str = "SWATH_RECORD_RUSTC";

/// evcxr, once it is needed, and what it found.
pub(super) struct Cargo {
    context: Option<CommandContext>,
    /// Where the wrapper writes.
    record: PathBuf,
    /// `--extern` and `-L`, for rustc.
    crates: Vec<String>,
}

impl Cargo {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            context: None,
            record: folder.join("rustc-arguments"),
            crates: Vec::new(),
        }
    }

    /// rustc's flags for the session's own crates.
    pub(super) fn crates(&self) -> &[String] {
        &self.crates
    }

    /// Runs commands of evcxr's.
    ///
    /// # Errors
    /// evcxr's: a crate that there is not, or that does not compile.
    pub(super) fn execute(&mut self, commands: &str) -> Result<EvalOutputs, Error> {
        if self.context.is_none() {
            self.context = Some(start(&self.record)?);
        }
        let context = self
            .context
            .as_mut()
            .expect("invariant: it was set just above");
        let outputs = context.execute(commands)?;
        if let Ok(arguments) = fs::read(&self.record) {
            self.crates = crate_flags(&arguments);
        }
        Ok(outputs)
    }

    /// Forgets all crates, not what cargo has compiled.
    ///
    /// # Errors
    /// evcxr's, whose process cannot be started again.
    pub(super) fn clear(&mut self) -> Result<(), Error> {
        self.crates.clear();
        match &mut self.context {
            Some(context) => context.execute(":clear").map(drop),
            None => Ok(()),
        }
    }
}

/// Starts evcxr, with the wrapper that writes to `record`.
fn start(record: &Path) -> Result<CommandContext, Error> {
    // evcxr wants to run its cells, which are empty, in a process: this
    // program does that, see `runtime_hook`.
    let program = env::current_exe()?;
    let (mut context, outputs) = EvalContext::with_subprocess_command(Command::new(&program))?;
    std::thread::spawn(move || {
        for line in outputs.stderr {
            tracing::warn!("evcxr: {line}");
        }
    });
    let mut state = context.state();
    for (variable, value) in [
        ("RUSTC_WORKSPACE_WRAPPER", program.as_path()),
        (RECORD_VARIABLE, record),
    ] {
        state.set_build_env(variable, &value.to_string_lossy());
    }
    context.eval_with_state("", state)?;
    Ok(CommandContext::with_eval_context(context))
}

/// Serves as cargo's wrapper around rustc, if this process was started as one:
/// writes rustc's arguments down where they are for a cell, and becomes rustc.
pub(crate) fn wrap_rustc() {
    let Some(record) = env::var_os(RECORD_VARIABLE) else {
        return;
    };
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let Some((rustc, rest)) = arguments.split_first() else {
        return;
    };
    // evcxr's own wrapper calls this one as if it were rustc.
    if Path::new(rustc)
        .file_name()
        .is_none_or(|name| name != "rustc")
    {
        return;
    }
    let is_cell = rest
        .windows(2)
        .any(|pair| pair[0] == "--crate-name" && pair[1] == CRATE);
    if is_cell {
        let lines: Vec<String> = rest
            .iter()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        if let Err(error) = fs::write(&record, lines.join("\n")) {
            eprintln!("cannot write {}: {error}", Path::new(&record).display());
        }
    }
    let error = Command::new(rustc)
        .args(rest)
        .env_remove(RECORD_VARIABLE)
        .exec();
    eprintln!("cannot start {}: {error}", Path::new(rustc).display());
    std::process::exit(99);
}

/// What of rustc's arguments is about crates.
fn crate_flags(recorded: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(recorded);
    let mut flags = Vec::new();
    let mut arguments = text.lines();
    while let Some(argument) = arguments.next() {
        if matches!(argument, "--extern" | "-L" | "-l") {
            flags.push(argument.to_owned());
            flags.extend(arguments.next().map(str::to_owned));
        } else if ["--extern=", "-L", "-l"]
            .iter()
            .any(|prefix| argument.starts_with(prefix))
        {
            flags.push(argument.to_owned());
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_crates_is_kept() {
        let recorded = "--crate-name\nctx\n-C\nopt-level=2\n--extern\nregex=/t/libregex-1.rlib\n\
                        -L\ndependency=/t/deps\n-Lnative=/n\n-Cprefer-dynamic";
        assert_eq!(
            crate_flags(recorded.as_bytes()),
            [
                "--extern",
                "regex=/t/libregex-1.rlib",
                "-L",
                "dependency=/t/deps",
                "-Lnative=/n"
            ]
        );
    }
}
