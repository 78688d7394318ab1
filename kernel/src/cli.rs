//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::completion::{self, Analyzer};
use crate::connection::{Channels, ConnectionFile, Listeners};
use crate::error::{Error, Result};
use crate::execution::{Evaluator, Workplace};
use crate::install::{self, Location};
use crate::session::{Record, Session, Sources};
use crate::signals;
use swath_wire::{Encoder, Signer};

/// A Jupyter kernel for interactive parallel analytics in Rust.
#[derive(Debug, Parser)]
#[command(name = "swath", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the kernel. Jupyter starts this command.
    Kernel {
        /// The connection file.
        #[arg(short = 'f', long = "connection-file", value_name = "FILE")]
        file: PathBuf,
        /// The script name that `jupyter run` appends. It is ignored.
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        _more: Vec<OsString>,
    },
    /// Install a kernelspec, so that Jupyter finds the kernel.
    Install {
        #[command(flatten)]
        place: Place,
        /// The name that Jupyter shows for the kernel.
        #[arg(long, default_value = install::DISPLAY_NAME)]
        display_name: String,
        /// An environment variable to set for the kernel; may be repeated.
        #[arg(long = "env", value_name = "KEY=VALUE")]
        environment: Vec<String>,
    },
    /// Remove the kernelspec that `install` wrote.
    Uninstall {
        #[command(flatten)]
        place: Place,
    },
    /// List Swath's kernelspecs.
    List,
    /// Check that everything the kernel needs is available.
    Doctor,
    /// Answer the kernel's questions about code.
    #[command(hide = true)]
    Analyze,
}

/// Selects a kernelspec.
#[derive(Args, Debug)]
struct Place {
    /// In the user's Jupyter directory (the default).
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    user: bool,
    /// In the active virtual or conda environment.
    #[arg(long, conflicts_with = "prefix")]
    sys_prefix: bool,
    /// In DIR/share/jupyter.
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// The kernelspec's name.
    #[arg(long, default_value = install::NAME)]
    name: String,
}

impl Place {
    fn location(&self) -> Location {
        match &self.prefix {
            Some(prefix) => Location::Prefix(prefix.clone()),
            None if self.sys_prefix => Location::SysPrefix,
            None => Location::User,
        }
    }
}

/// Parses the command line and runs its command.
pub(crate) fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            EnvFilter::try_from_env("SWATH_LOG").unwrap_or_else(|_| EnvFilter::new("warn")),
        )
        .init();
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("swath: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Kernel { file, .. } => kernel(&file),
        Command::Install {
            place,
            display_name,
            environment,
        } => {
            let path =
                install::install(&place.location(), &place.name, &display_name, &environment)?;
            println!("installed {}", path.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Uninstall { place } => {
            let path = install::uninstall(&place.location(), &place.name)?;
            println!("removed {}", path.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::List => {
            print!("{}", install::list());
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor => {
            let report = install::doctor();
            print!("{report}");
            Ok(if report.has_failed() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            })
        }
        Command::Analyze => Ok(if completion::analyze() == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }),
    }
}

/// Runs the kernel until a client ends it.
fn kernel(path: &std::path::Path) -> Result<ExitCode> {
    let file = ConnectionFile::read(path)?;
    // Bind first: clients connect at once.
    let listeners = Listeners::bind(&file)?;
    let paths = listeners.paths();
    // SAFETY: no thread has been started yet.
    let workplace = unsafe { Workplace::prepare() }.map_err(Error::Workplace)?;
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Error::Threads)?;
    let folder = workplace.path().to_owned();
    let served = threads.block_on(serve(file, listeners, workplace));
    for path in paths {
        let _ = std::fs::remove_file(path);
    }
    // Does not wait for a task that blocks.
    threads.shutdown_background();
    // A compilation that was still running may have written more files.
    let _ = std::fs::remove_dir_all(folder);
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve(file: ConnectionFile, listeners: Listeners, workplace: Workplace) -> Result<()> {
    let signals = signals::listen();
    let signer = Signer::new(file.key.as_bytes());
    let encoder = Encoder::new(signer.clone());
    let (channels, requests) = Channels::open(listeners, &signer, &encoder).await?;
    let (evaluator, cells) = Evaluator::start(workplace).map_err(Error::Workplace)?;
    let (session, answers) = Session::new(
        Arc::new(evaluator),
        Analyzer::new(),
        channels,
        encoder,
        file,
        Record::new(Record::default_path()),
    );
    let sources = Sources {
        requests,
        cells,
        signals,
    };
    session.run(sources, answers).await;
    Ok(())
}
