//! The commands in front of a cell: `:dep`, `:vars` and the rest of evcxr's.

use super::dependencies;
use super::diagnostics::{Diagnostic, cell_error};
use super::failures::interrupted;
use super::io::bundle;
use super::items::Items;
use super::run::Session;
use super::source::Source;
use super::types::short;
use super::{Cell, CellError, Display, EventKind};
use evcxr::{CompilationError, Error};

impl Session {
    /// Runs the commands in front of a cell.
    pub(super) fn commands(&mut self, cell: &Cell, source: &Source) -> Result<(), CellError> {
        let lines: Vec<&str> = source
            .commands
            .iter()
            .map(|range| cell.code[range.clone()].trim())
            .collect();
        let is_all = source.statements.is_empty() && !source.has_syntax_errors;
        let mut for_evcxr: Vec<&str> = Vec::new();
        for line in lines {
            let (command, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            if !matches!(command, ":dep") {
                self.evcxr_commands(&mut for_evcxr, cell, is_all)?;
            }
            match command {
                ":vars" => {
                    let (text, html) = self.variables_table();
                    self.show(
                        [
                            ("text/plain".to_owned(), text),
                            ("text/html".to_owned(), html),
                        ],
                        is_all,
                    );
                }
                ":t" | ":type" if self.variables.contains_key(argument.trim()) => {
                    let state = &self.variables[argument.trim()];
                    let text = format!("{}: {}", argument.trim(), short(&state.variable.type_name));
                    self.show([("text/plain".to_owned(), text)], is_all);
                }
                ":dep" => match dependencies::bound(argument) {
                    Some(bound) => {
                        self.bind(bound.name)?;
                        let note = format!(
                            "{} {}: the runtime's own, bound at once\n",
                            bound.name, bound.version
                        );
                        self.shared
                            .channel
                            .tell(EventKind::Stdout(note.into_bytes()));
                    }
                    None => {
                        let name = argument.split('=').next().unwrap_or_default().trim();
                        self.bound
                            .extend(dependencies::HELD.iter().find(|held| **held == name));
                        self.dependencies.push(argument.to_owned());
                        for_evcxr.push(line);
                    }
                },
                ":clear" | ":restart" => {
                    self.context
                        .execute(line)
                        .map_err(|error| self.other_error(&error))?;
                    self.items = Items::default();
                    self.bound.clear();
                    self.dependencies.clear();
                    self.variables.clear();
                    self.gone.clear();
                    self.import_prelude()?;
                    self.shared
                        .channel
                        .begin(cell.id, cell.allow_stdin)
                        .map_err(|error| self.other_error(&error.to_string().into()))?;
                }
                _ => {
                    for_evcxr.push(line);
                    self.evcxr_commands(&mut for_evcxr, cell, is_all)?;
                }
            }
        }
        self.evcxr_commands(&mut for_evcxr, cell, is_all)
    }

    /// Whether a crate was added by `:dep`.
    pub(super) fn has_own(&self, name: &str) -> bool {
        self.dependencies.iter().any(|argument| {
            argument
                .split('=')
                .next()
                .is_some_and(|added| added.trim() == name)
        })
    }

    /// Binds a name to the runtime's copy of a crate.
    fn bind(&mut self, name: &'static str) -> Result<(), CellError> {
        if self.bound.insert(name) {
            let import = format!("use swath::{name};");
            self.context
                .execute(&import)
                .map_err(|error| self.other_error(&error))?;
        }
        Ok(())
    }

    fn evcxr_commands(
        &mut self,
        lines: &mut Vec<&str>,
        cell: &Cell,
        is_all: bool,
    ) -> Result<(), CellError> {
        if lines.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(lines).join("\n");
        let result = self.context.execute(&text);
        if self.was_interrupted_while_compiling(&result) {
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
                let first = text.lines().next().unwrap_or_default();
                let diagnostic = Diagnostic::at_name(message, String::new(), &cell.code, first);
                Err(cell_error(&[diagnostic], &cell.code, cell.number))
            }
            Err(error) => Err(self.other_error(&error)),
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

    fn variables_table(&self) -> (String, String) {
        let rows: Vec<[String; 4]> = self
            .variables
            .iter()
            .map(|(name, state)| {
                let nbytes = state
                    .variable
                    .nbytes
                    .map(|nbytes| nbytes.to_string())
                    .unwrap_or_default();
                [
                    name.clone(),
                    short(&state.variable.type_name),
                    state.variable.summary.clone(),
                    nbytes,
                ]
            })
            .collect();
        let heads = ["Variable", "Type", "Value", "Bytes"];
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .chain([heads[column].len()])
                .max()
                .unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2), width(3)];
        let text_row = |row: [&str; 4]| -> String {
            let cells: Vec<String> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned()
        };
        let mut text = text_row(heads);
        let mut html = String::from("<table><thead><tr>");
        html.extend(
            heads
                .iter()
                .map(|head| format!("<th style=\"text-align:left\">{head}</th>")),
        );
        html += "</tr></thead><tbody>";
        for row in &rows {
            text.push('\n');
            text += &text_row([&row[0], &row[1], &row[2], &row[3]]);
            html += "<tr>";
            html.extend(
                row.iter()
                    .map(|cell| format!("<td style=\"text-align:left\">{}</td>", escape(cell))),
            );
            html += "</tr>";
        }
        html += "</tbody></table>";
        (text, html)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
