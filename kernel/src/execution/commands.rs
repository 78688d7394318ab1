//! The commands at the start of a cell: `:dep`, `:vars`, the rest of evcxr's
//! commands, and lines for the shell.

use super::channel::bundle;
use super::compiler::OptLevel;
use super::crates::Added;
use super::diagnostics::{Diagnostic, cell_error};
use super::failures::{broken, interrupted};
use super::items::Items;
use super::listing;
use super::process::RuntimeProcess;
use super::run::CellRunner;
use super::source::ParsedCell;
use super::types::short;
use super::variables::is_held;
use super::{Cell, CellError, EventKind, Stage};
use crate::commands::COMMANDS;
use crate::display::Display;
use std::io::Read;
use std::process::{Command, Stdio};

/// Commands of evcxr that have no effect here, with the reason. A notebook
/// written for evcxr may contain them, and its cells must still run.
const WITHOUT_EFFECT: [(&str, &str); 14] = [
    (
        ":allow_static_linking",
        "crates are linked into one shared library",
    ),
    (
        ":cache",
        "cargo's build results are kept until the kernel ends",
    ),
    (":clear_cache", ""),
    (
        ":codegen_backend",
        "cells are compiled with the default backend of the compiler that built Swath",
    ),
    (
        ":doc",
        "press Shift+Tab on a name, or run `?name` in a cell, to show its documentation",
    ),
    (":efmt", ""),
    (":fmt", ""),
    (":internal_debug", ""),
    (
        ":linker",
        "cells are linked with rustc's own lld if it is installed; `:linker` without an argument prints the linker",
    ),
    (":load_config", ""),
    (":preserve_vars_on_panic", "variables are always kept"),
    (
        ":quit",
        "shut the kernel down from the notebook's Kernel menu; `:restart` restarts the runtime process",
    ),
    (":time_passes", ""),
    (":types", ""),
];
const TOOLCHAIN: &str = "cells must be compiled by the compiler that built Swath: \
                         code from another compiler cannot be loaded";

impl CellRunner {
    /// Runs the commands at the start of a cell.
    pub(super) fn commands(&mut self, cell: &Cell, source: &ParsedCell) -> Result<(), CellError> {
        let is_all = source.statements.is_empty() && !source.has_syntax_errors;
        for range in &source.commands {
            let line = cell.code[range.clone()].trim();
            let (command, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            self.command(line, command, argument.trim(), cell, is_all)?;
        }
        Ok(())
    }

    fn command(
        &mut self,
        line: &str,
        command: &str,
        argument: &str,
        cell: &Cell,
        is_all: bool,
    ) -> Result<(), CellError> {
        let text = match command {
            ":vars" => {
                self.look_again();
                let lambdas = self.lambdas.keys().map(|name| &**name);
                self.show(listing::of(&self.variables, lambdas), is_all);
                return Ok(());
            }
            ":t" | ":type" => match self.variables.get(argument) {
                Some(state) => format!("{argument}: {}", short(&state.variable.type_name)),
                None if self.lambdas.contains_key(argument) => format!("{argument}: closure"),
                None => {
                    let message =
                        format!("there is no variable `{argument}`; `:vars` lists the variables");
                    return Err(command_error(message, line, cell));
                }
            },
            ":dep" => return self.add_dependency(argument, cell),
            ":clear" => return self.clear(cell),
            ":restart" => {
                self.restart(cell)?;
                "the runtime process has been restarted: variables are lost, items are kept"
                    .to_owned()
            }
            ":opt" => {
                if !argument.is_empty() {
                    self.opt_level = opt_level(argument).ok_or_else(|| {
                        let message = format!(
                            "there is no optimization level `{argument}`: expected 0, 1, 2, 3, s, z, or auto, which chooses for each cell"
                        );
                        command_error(message, line, cell)
                    })?;
                }
                match self.opt_level {
                    Some(OptLevel::Fixed(level)) => format!("Optimization: {level}"),
                    _ => "Optimization: auto".to_owned(),
                }
            }
            ":env" => {
                let Some((name, value)) = argument.split_once('=') else {
                    let message = "expected `:env NAME=VALUE`".to_owned();
                    return Err(command_error(message, line, cell));
                };
                self.environment.insert(name.to_owned(), value.to_owned());
                format!("{name} will be {value} after the next `:restart`")
            }
            ":recovery" => {
                let on = match argument {
                    "" => self.recovery.is_some(),
                    "on" => true,
                    "off" => false,
                    _ => {
                        let message =
                            format!("`:recovery {argument}` is invalid: expected on or off");
                        return Err(command_error(message, line, cell));
                    }
                };
                self.set_recovery(on).map_err(|error| {
                    broken(&format!("cannot turn recovery {argument}: {error}"))
                })?;
                self.recovery_text()
            }
            ":timing" => {
                self.tells_time = !self.tells_time;
                format!("Timing: {}", self.tells_time)
            }
            ":explain" => self.explanations(),
            ":last_error_json" => self
                .last_errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
            ":last_compile_dir" => self.compiler.folder().display().to_string(),
            ":version" => env!("CARGO_PKG_VERSION").to_owned(),
            ":help" => COMMANDS
                .iter()
                .map(|(name, purpose)| format!("{name:<18}{purpose}"))
                .collect::<Vec<_>>()
                .join("\n"),
            ":toolchain" if argument.is_empty() => self.compiler.program().display().to_string(),
            ":toolchain" => {
                self.note_no_effect(command, TOOLCHAIN);
                return Ok(());
            }
            ":linker" if argument.is_empty() => self.compiler.linker().to_owned(),
            ":offline" => {
                let offline = argument != "0";
                self.crates.set_offline(offline);
                format!("Offline: {offline}")
            }
            ":sccache" if argument != "0" && !is_on_path("sccache") => {
                self.note_no_effect(command, "sccache was not found on the PATH");
                return Ok(());
            }
            ":sccache" => {
                self.crates.sccache = argument != "0";
                format!("sccache: {}", self.crates.sccache)
            }
            ":show_deps" => self.crates.requests().join("\n"),
            _ if line.starts_with('!') => return self.shell(line.trim_start_matches('!')),
            _ => match WITHOUT_EFFECT.iter().find(|(name, _)| *name == command) {
                Some((_, why)) => {
                    self.note_no_effect(command, why);
                    return Ok(());
                }
                None => return Err(self.unknown_command(line, command, cell)),
            },
        };
        self.show([("text/plain".to_owned(), text)], is_all);
        Ok(())
    }

    /// Reports that a command has no effect here, and why.
    fn note_no_effect(&self, command: &str, why: &str) {
        let why = match why {
            "" => String::new(),
            why => format!(": {why}"),
        };
        self.note(&format!("{command} has no effect in Swath{why}"));
    }

    /// Prints a note.
    pub(super) fn note(&self, text: &str) {
        let note = format!("note: {text}\n");
        let channel = &self.shared.channel;
        channel.emit(EventKind::Stderr(note.into_bytes()));
    }

    fn unknown_command(&self, line: &str, command: &str, cell: &Cell) -> CellError {
        let near = COMMANDS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| strsim::jaro(name, command) > 0.85)
            .max_by(|a, b| strsim::jaro(a, command).total_cmp(&strsim::jaro(b, command)));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`:help` lists the commands".to_owned(),
        };
        command_error(
            format!("there is no command `{command}`: {help}"),
            line,
            cell,
        )
    }

    /// Adds a crate: the runtime's own copy if it fits, otherwise a copy that
    /// cargo builds.
    pub(super) fn add_dependency(&mut self, argument: &str, cell: &Cell) -> Result<(), CellError> {
        let channel = &self.shared.channel;
        channel.emit(EventKind::Stage(Stage::Crates));
        let tell = |line: &str| channel.emit(EventKind::Stderr(format!("{line}\n").into_bytes()));
        let is_interrupted = || self.shared.interrupted.lock().is_some();
        match self.crates.add(argument, &tell, &is_interrupted) {
            Ok(Added::Known | Added::Built) => Ok(()),
            Ok(Added::Held { name, version }) => {
                let note = format!("{name} {version}: the runtime's own copy, available at once\n");
                channel.emit(EventKind::Stdout(note.into_bytes()));
                Ok(())
            }
            Err(_) if self.shared.interrupted.lock().is_some() => {
                Err(interrupted("the crate was not added"))
            }
            Err(message) => {
                let line = cell
                    .code
                    .lines()
                    .find(|line| line.contains(argument))
                    .unwrap_or_default();
                Err(command_error(message, line.trim(), cell))
            }
        }
    }

    /// Runs a line in the shell, in the folder where the cells run.
    fn shell(&mut self, line: &str) -> Result<(), CellError> {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec 2>&1\n{line}")])
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if let Some(folder) = self.shared.folder() {
            command.current_dir(folder);
        }
        let cannot = |error: std::io::Error| broken(&format!("cannot run `{line}`: {error}"));
        let mut child = command.spawn().map_err(cannot)?;
        if let Some(mut output) = child.stdout.take() {
            let mut bytes = [0; 8192];
            loop {
                match output.read(&mut bytes) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => {
                        let channel = &self.shared.channel;
                        channel.emit(EventKind::Stdout(bytes[..count].to_vec()));
                    }
                }
            }
        }
        let status = child.wait().map_err(cannot)?;
        if self.shared.interrupted.lock().is_some() {
            return Err(interrupted(&format!("`{}` was stopped", line.trim())));
        }
        if !status.success() {
            let expression = match status.code() {
                // The shell's status for a command that does not exist.
                Some(127) => format!(
                    ". To run it as Rust, write it in parentheses: `(!{})`",
                    line.trim()
                ),
                _ => String::new(),
            };
            self.note(&format!(
                "`{}` ended with {status}{expression}",
                line.trim()
            ));
        }
        Ok(())
    }

    fn clear(&mut self, cell: &Cell) -> Result<(), CellError> {
        self.crates.clear();
        self.items = Items::new();
        self.lambdas.clear();
        self.restart(cell)?;
        self.lost.clear();
        Ok(())
    }

    /// Starts a new runtime process, without any variable.
    fn restart(&mut self, cell: &Cell) -> Result<(), CellError> {
        self.process.end();
        self.empty_recovery_folder()
            .map_err(|error| broken(&format!("cannot remove the recovery files: {error}")))?;
        // Disconnect before the new process connects, which may happen at once.
        self.shared.channel.disconnect();
        let replaced = RuntimeProcess::start(&self.shared, &self.environment);
        self.process =
            replaced.map_err(|error| broken(&format!("cannot restart the runtime: {error}")))?;
        self.items.restart_all_statics();
        let mut lost: Vec<String> = std::mem::take(&mut self.variables)
            .into_keys()
            .filter(|name| !is_held(name))
            .collect();
        lost.extend(self.lose_lambdas());
        for name in lost {
            let reason =
                format!("`{name}` was lost when the runtime process was restarted: set it again");
            self.lost.insert(name, reason);
        }
        if self.recovery.is_some() {
            self.tell_recovery();
        }
        self.begin(cell)
    }

    /// Returns rustc's explanations of the last errors.
    fn explanations(&self) -> String {
        let explanations: Vec<&str> = self
            .last_errors
            .iter()
            .filter_map(|error| error["code"]["explanation"].as_str())
            .collect();
        if explanations.is_empty() {
            "there is no error to explain".to_owned()
        } else {
            explanations.join("\n")
        }
    }

    pub(super) fn show(
        &self,
        content: impl IntoIterator<Item = (String, String)>,
        as_result: bool,
    ) {
        let data: Vec<_> = content.into_iter().collect();
        if data.is_empty() {
            return;
        }
        let bundle = bundle(data);
        self.shared.channel.emit(if as_result {
            EventKind::Result(bundle)
        } else {
            EventKind::Display(Display {
                bundle,
                id: None,
                update: false,
            })
        });
    }
}

/// Parses the level of `:opt`; `Some(None)` chooses the level for each cell.
fn opt_level(argument: &str) -> Option<Option<OptLevel>> {
    match argument {
        "auto" => Some(None),
        "0" | "1" | "2" | "3" | "s" | "z" => argument
            .chars()
            .next()
            .map(|level| Some(OptLevel::Fixed(level))),
        _ => None,
    }
}

fn is_on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

/// Returns an error at the line of a command.
fn command_error(message: String, line: &str, cell: &Cell) -> CellError {
    let diagnostic = Diagnostic::at_name(message, String::new(), &cell.code, line);
    cell_error(&[diagnostic], &cell.code, cell.number)
}
