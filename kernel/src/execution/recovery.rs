//! Replaces the runtime process when it has ended.
//!
//! The kernel's own knowledge survives: functions, types, `use`, `:dep`. Values do
//! not, unless recovery is on (`SWATH_RECOVERY=1`, `:recovery on`): then the runtime
//! also writes persisted collections to files, and the new process restores the
//! variables whose files are complete.

use super::death::Death;
use super::process::RuntimeProcess;
use super::run::CellRunner;
use super::source::ParsedCell;
use super::variables::is_held;
use super::{CellError, EventKind};
use std::sync::atomic::Ordering;
use std::time::Duration;
use swath_channel::ToRuntime;

/// The environment variable that turns recovery on from the start of the kernel.
const VARIABLE: &str = "SWATH_RECOVERY";

/// How long the new process may take to find the files on disk. It reads the list of
/// files, but no values.
const RESTORING: Duration = Duration::from_secs(30);

/// The maximum number of variables that an error names.
const NAMED: usize = 40;

/// The end of a process, and its consequences.
#[derive(Debug)]
pub(super) struct Loss {
    death: Death,
    lost: Vec<String>,
    /// The variables restored from disk.
    back: Vec<String>,
    /// Statics that existed in the process and that the current cell uses.
    statics: Vec<String>,
    /// Whether recovery could have restored some of the lost variables.
    is_avoidable: bool,
    /// Why no new process could be started.
    not_started: Option<String>,
}

/// Returns whether recovery is on from the start.
pub(super) fn is_on_from_start() -> bool {
    match std::env::var(VARIABLE).as_deref() {
        Ok("1" | "on" | "true") => true,
        Ok("" | "0" | "off" | "false") | Err(_) => false,
        Ok(other) => {
            tracing::warn!("{VARIABLE} is `{other}`, expected 1 or 0: recovery is off");
            false
        }
    }
}

impl CellRunner {
    /// Starts a new runtime process after one has ended during a cell; returns the
    /// cell's error.
    pub(super) fn died(&mut self) -> CellError {
        self.replace_process(None).into_error()
    }

    /// Checks whether background work has ended the process since the last cell, and
    /// starts another.
    ///
    /// The cell still runs if it uses nothing that was lost: that costs least, and a
    /// note reports what happened. If it names a lost variable, the compiler reports
    /// an error that says when it was lost. A static would silently be initialised
    /// again, so a cell that uses an initialised one is not run.
    ///
    /// # Errors
    /// The cell must not be run.
    pub(super) fn look_after_process(&mut self, source: &ParsedCell) -> Result<(), CellError> {
        if !self.has_lost_process() {
            return Ok(());
        }
        // A user who interrupted the cell does not want it to run.
        let killed = self.shared.killed.load(Ordering::Acquire);
        let loss = self.replace_process(Some(source));
        if killed || loss.not_started.is_some() || !loss.statics.is_empty() {
            return Err(loss.into_error());
        }
        let note = format!(
            "note: since the last cell, {}\nA new process runs this cell.\n",
            loss.lines().join("\n")
        );
        self.shared
            .channel
            .emit(EventKind::Stderr(note.into_bytes()));
        Ok(())
    }

    /// Returns whether the process has ended, or is about to.
    pub(super) fn has_lost_process(&self) -> bool {
        self.shared.channel.has_closed() || !self.process.is_running()
    }

    /// Replaces an ended process by a new one. `next` is the cell that is still to
    /// run.
    fn replace_process(&mut self, next: Option<&ParsedCell>) -> Loss {
        let channel = &self.shared.channel;
        let stderr = channel.stderr_tail();
        let end = self.process.wait();
        channel.disconnect();
        let killed = self.shared.killed.swap(false, Ordering::AcqRel);
        let statics = next
            .map(|source| self.items.live_statics(&source.names))
            .unwrap_or_default();
        self.items.restart_all_statics();
        let started = self.start_process();
        let before = std::mem::take(&mut self.variables);
        let mut back = Vec::new();
        if started.is_ok() {
            back = self.take_back();
        }
        for variable in &back {
            let mut state = match before.get(&variable.name) {
                Some(state) => state.clone(),
                // The cell had finished, but the process ended before reporting it.
                None => self.new_state(variable, false, None),
            };
            state.variable = variable.clone();
            self.lost.remove(&variable.name);
            self.variables.insert(variable.name.clone(), state);
        }
        let mut lost: Vec<String> = before
            .keys()
            .filter(|name| !self.variables.contains_key(*name) && !is_held(name))
            .cloned()
            .collect();
        lost.extend(self.lose_lambdas());
        for name in &lost {
            let reason = format!("`{name}` was lost when the runtime process ended: set it again");
            self.lost.insert(name.clone(), reason);
        }
        let is_collection = |name: &String| {
            before
                .get(name)
                .is_some_and(|state| state.variable.type_name.starts_with("swath::"))
        };
        Loss {
            death: Death::of(&end, &stderr, killed),
            is_avoidable: self.recovery.is_none() && lost.iter().any(is_collection),
            lost,
            back: back.into_iter().map(|variable| variable.name).collect(),
            statics,
            not_started: started.err().map(|error| error.to_string()),
        }
    }

    fn start_process(&mut self) -> std::io::Result<()> {
        self.process = RuntimeProcess::start(&self.shared, &self.environment)?;
        Ok(())
    }

    /// Lets the new process restore variables from disk; returns them.
    fn take_back(&mut self) -> Vec<swath_channel::Variable> {
        if self.recovery.is_none() {
            return Vec::new();
        }
        if let Some(back) = self.tell_recovery() {
            return back;
        }
        // The files contain something that this process does not survive: the next
        // one must not see them.
        self.process.end();
        self.shared.channel.disconnect();
        if self.empty_recovery_folder().is_ok() && self.start_process().is_ok() {
            return self.tell_recovery().unwrap_or_default();
        }
        Vec::new()
    }

    /// Tells the runtime process whether recovery is on. Returns the variables that
    /// it restored; `None` if it does not answer.
    pub(super) fn tell_recovery(&self) -> Option<Vec<swath_channel::Variable>> {
        let folder = self.recovery.as_ref();
        let message = ToRuntime::Recover {
            folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
        };
        let process = &self.process;
        self.shared
            .channel
            .recover(&message, || process.is_running(), RESTORING)
    }

    /// Turns recovery on or off.
    ///
    /// # Errors
    /// The folder cannot be created, or the process does not answer.
    pub(super) fn set_recovery(&mut self, on: bool) -> std::io::Result<()> {
        if on == self.recovery.is_some() {
            return Ok(());
        }
        self.recovery = if on {
            Some(self.shared.workplace.recovery()?)
        } else {
            None
        };
        match self.tell_recovery() {
            Some(_) => Ok(()),
            None => Err(std::io::Error::other("the runtime process does not answer")),
        }
    }

    /// Deletes the files on disk: the session begins without variables.
    pub(super) fn empty_recovery_folder(&self) -> std::io::Result<()> {
        let Some(folder) = &self.recovery else {
            return Ok(());
        };
        std::fs::remove_dir_all(folder)?;
        std::fs::create_dir(folder)
    }

    /// Returns the output of `:recovery`.
    pub(super) fn recovery_text(&self) -> String {
        match &self.recovery {
            Some(folder) => format!(
                "Recovery: on. Persisted collections are also written to {}, and are restored when the runtime process ends",
                folder.display()
            ),
            None => "Recovery: off. When the runtime process ends, every variable is lost; \
                     with `:recovery on`, persisted collections are restored"
                .to_owned(),
        }
    }
}

impl Loss {
    /// Returns lines that say what happened, what was lost, and what to do.
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}.", self.death.what)];
        if !self.back.is_empty() {
            lines.push(format!("Restored from disk: {}.", names(&self.back)));
        }
        let lost = match &self.lost[..] {
            [] => "No variable was lost".to_owned(),
            lost => format!("Lost variables: {}", names(lost)),
        };
        lines.push(format!(
            "{lost}; functions, types, `use` and `:dep` are kept."
        ));
        lines.extend(self.death.mend.as_ref().map(|mend| format!("help: {mend}")));
        if self.is_avoidable {
            lines.push(
                "help: with `:recovery on`, persisted collections are restored from disk"
                    .to_owned(),
            );
        }
        lines
    }

    fn into_error(self) -> CellError {
        let mut traceback = self.lines();
        traceback[0] = format!("\u{1b}[1m{}\u{1b}[0m: {}", self.death.ename, traceback[0]);
        if !self.statics.is_empty() {
            traceback.push(format!(
                "This happened after the last cell. The current cell was not run, because it uses statics that start \
                 again: {}. Run it again to continue.",
                names(&self.statics)
            ));
        }
        if let Some(error) = &self.not_started {
            traceback.push(format!("Cannot start a new process: {error}."));
        }
        CellError {
            ename: self.death.ename.to_owned(),
            evalue: self.death.what,
            traceback,
        }
    }
}

/// Returns the first names, and how many more there are.
fn names(names: &[String]) -> String {
    let mut text = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED {
        text += &format!(" and {} more", names.len() - NAMED);
    }
    text
}
