//! The commands in front of a cell: `:dep`, `:vars` and the rest of evcxr's.

use super::compiler::OptLevel;
use super::dependencies;
use super::diagnostics::{Diagnostic, cell_error};
use super::failures::{broken, interrupted};
use super::io::bundle;
use super::items::Items;
use super::listing;
use super::process::RuntimeProcess;
use super::run::Session;
use super::source::Source;
use super::types::short;
use super::{Cell, CellError, Display, EventKind, Stage};
use crate::completion::COMMANDS;
use evcxr::{CompilationError, Error};

/// Commands about how evcxr shows values and errors, which a notebook that was
/// written for it may hold: they change nothing here.
const WITHOUT_EFFECT: [&str; 7] = [
    ":efmt",
    ":fmt",
    ":internal_debug",
    ":load_config",
    ":preserve_vars_on_panic",
    ":time_passes",
    ":types",
];

impl Session {
    /// Runs the commands in front of a cell.
    pub(super) fn commands(&mut self, cell: &Cell, source: &Source) -> Result<(), CellError> {
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
                self.show(listing::of(&self.variables), is_all);
                return Ok(());
            }
            ":t" | ":type" => match self.variables.get(argument) {
                Some(state) => format!("{argument}: {}", short(&state.variable.type_name)),
                None => {
                    let message = format!("there is no variable `{argument}`; `:vars` lists them");
                    return Err(command_error(message, line, cell));
                }
            },
            ":dep" => return self.add_dependency(argument, cell),
            ":clear" => return self.clear(cell),
            ":restart" => {
                self.restart(cell)?;
                "the runtime process has been restarted: variables are gone, items are still there"
                    .to_owned()
            }
            ":opt" => {
                if !argument.is_empty() {
                    self.opt_level = opt_level(argument).ok_or_else(|| {
                        let message = format!(
                            "there is no optimization level `{argument}`: 0, 1, 2, 3, s, z, or auto, which is by cell"
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
                    let message = "an environment variable is set by `:env NAME=VALUE`".to_owned();
                    return Err(command_error(message, line, cell));
                };
                self.environment.insert(name.to_owned(), value.to_owned());
                format!("{name} is {value} after the next `:restart`")
            }
            ":recovery" => {
                let on = match argument {
                    "" => self.recovery.is_some(),
                    "on" => true,
                    "off" => false,
                    _ => {
                        let message = format!("there is no recovery `{argument}`: on, or off");
                        return Err(command_error(message, line, cell));
                    }
                };
                self.set_recovery(on).map_err(|error| {
                    broken(&format!("recovery cannot be turned {argument}: {error}"))
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
            ":toolchain" if argument.is_empty() => self.compiler.rustc().display().to_string(),
            ":toolchain" | ":codegen_backend" => {
                let message = "cells are compiled by the compiler that built Swath, and no other: \
                               what another one makes cannot be loaded"
                    .to_owned();
                return Err(command_error(message, line, cell));
            }
            ":linker" if argument.is_empty() => self.compiler.linker().to_owned(),
            ":linker" => {
                let message = "cells are linked by rustc's own lld where it is there, \
                               which `:linker` cannot change; `:linker` alone tells"
                    .to_owned();
                return Err(command_error(message, line, cell));
            }
            ":quit" => {
                let message =
                    "a notebook's kernel is ended from its Kernel menu; `:restart` ends the runtime process"
                        .to_owned();
                return Err(command_error(message, line, cell));
            }
            ":doc" => {
                let message =
                    "documentation is shown by Shift+Tab on a name (`?` behind it in a console)"
                        .to_owned();
                return Err(command_error(message, line, cell));
            }
            _ if WITHOUT_EFFECT.contains(&command) => {
                let note = format!("note: {command} changes nothing in Swath\n");
                self.shared
                    .channel
                    .tell(EventKind::Stderr(note.into_bytes()));
                return Ok(());
            }
            _ => return self.ask_cargo(line, cell, is_all),
        };
        self.show([("text/plain".to_owned(), text)], is_all);
        Ok(())
    }

    /// Adds a crate: the runtime's own copy where that fits, or else what cargo
    /// builds.
    pub(super) fn add_dependency(&mut self, argument: &str, cell: &Cell) -> Result<(), CellError> {
        if let Some(bound) = dependencies::bound(argument) {
            if self.bound.insert(bound.name) {
                self.items
                    .bring(bound.name, &format!("swath::{}", bound.name));
            }
            let note = format!(
                "{} {}: the runtime's own, bound at once\n",
                bound.name, bound.version
            );
            self.shared
                .channel
                .tell(EventKind::Stdout(note.into_bytes()));
            return Ok(());
        }
        self.ask_cargo(&format!(":dep {argument}"), cell, false)?;
        let name = dependencies::name(argument);
        if let Some(held) = dependencies::HELD.iter().find(|held| **held == name) {
            self.bound.insert(held);
            // The name is the other copy's from now on.
            self.items.drop_import(name);
        }
        self.dependencies.push(argument.to_owned());
        Ok(())
    }

    /// Whether a crate was added by `:dep`.
    pub(super) fn has_own(&self, name: &str) -> bool {
        self.dependencies
            .iter()
            .any(|argument| dependencies::name(argument) == name)
    }

    fn clear(&mut self, cell: &Cell) -> Result<(), CellError> {
        self.cargo
            .clear()
            .map_err(|error| broken(&error.to_string()))?;
        self.items = Items::new();
        self.bound.clear();
        self.dependencies.clear();
        self.restart(cell)?;
        self.gone.clear();
        Ok(())
    }

    /// Starts a new runtime process, without any variable.
    fn restart(&mut self, cell: &Cell) -> Result<(), CellError> {
        self.process.end();
        self.empty_recovery_folder()
            .map_err(|error| broken(&format!("cannot forget what is on disk: {error}")))?;
        let replaced = RuntimeProcess::start(&self.shared.workplace, &self.environment);
        // The old one is not to be waited for, even where there is no new one.
        self.shared.channel.disconnect();
        self.process =
            replaced.map_err(|error| broken(&format!("cannot restart the runtime: {error}")))?;
        self.items.restart_all_statics();
        for name in std::mem::take(&mut self.variables).into_keys() {
            let reason =
                format!("`{name}` was lost when the runtime process was restarted: set it again");
            self.gone.insert(name, reason);
        }
        if self.recovery.is_some() {
            self.tell_recovery();
        }
        self.begin(cell)
    }

    /// rustc's explanations of the last errors.
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

    /// Leaves a command to evcxr: `:dep`, `:offline`, `!ls`.
    fn ask_cargo(&mut self, line: &str, cell: &Cell, is_all: bool) -> Result<(), CellError> {
        self.stage(Stage::Crates);
        let result = self.cargo.execute(line);
        if result.is_err() && self.shared.interrupted.lock().is_some() {
            return Err(interrupted("the crate was not added"));
        }
        match result {
            Ok(outputs) => {
                self.show(outputs.content_by_mime_type, is_all);
                Ok(())
            }
            Err(Error::CompilationErrors(errors)) => {
                let message = errors
                    .iter()
                    .map(CompilationError::message)
                    .collect::<Vec<_>>()
                    .join("\n");
                Err(command_error(message, line, cell))
            }
            Err(error) => Err(broken(&error.to_string())),
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
        self.shared.channel.tell(if as_result {
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

/// The level that `:opt` asks for: `Some(None)` is by cell.
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

/// An error at a command's line.
fn command_error(message: String, line: &str, cell: &Cell) -> CellError {
    let diagnostic = Diagnostic::at_name(message, String::new(), &cell.code, line);
    cell_error(&[diagnostic], &cell.code, cell.number)
}
