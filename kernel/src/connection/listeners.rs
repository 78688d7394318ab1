//! Binds all sockets, before anything answers requests.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use super::ConnectionFile;
use super::file::Transport;
use super::stream::Listener;
use crate::error::{Error, Result};

/// The bound sockets. Clients may connect, and wait for answers.
pub(crate) struct Listeners {
    pub(super) shell: Listener,
    pub(super) control: Listener,
    pub(super) stdin: Listener,
    pub(super) iopub: Listener,
    pub(super) heartbeat: Listener,
    /// The Unix sockets' paths, to be removed at exit.
    paths: Vec<PathBuf>,
}

impl Listeners {
    /// Binds all five sockets.
    pub(crate) fn bind(file: &ConnectionFile) -> Result<Self> {
        let mut paths = Vec::new();
        let mut bind = |channel, port| match &file.transport {
            Transport::Tcp { ip } => bind_tcp(channel, ip, port),
            Transport::Ipc { prefix } => {
                let mut path = prefix.clone().into_os_string();
                path.push(format!("-{port}"));
                let path = PathBuf::from(path);
                let listener = bind_ipc(channel, &path)?;
                paths.push(path);
                Ok(listener)
            }
        };
        Ok(Self {
            shell: bind("shell", file.ports.shell)?,
            control: bind("control", file.ports.control)?,
            stdin: bind("stdin", file.ports.stdin)?,
            iopub: bind("iopub", file.ports.iopub)?,
            heartbeat: bind("heartbeat", file.ports.heartbeat)?,
            paths,
        })
    }

    /// Returns the files to remove at exit.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.paths.clone()
    }
}

fn bind_tcp(channel: &'static str, ip: &str, port: u16) -> Result<Listener> {
    let host = if ip == "*" { "0.0.0.0" } else { ip };
    TcpListener::bind((host, port))
        .map(Listener::Tcp)
        .map_err(|source| Error::Bind {
            channel,
            endpoint: format!("tcp://{ip}:{port}"),
            source,
        })
}

fn bind_ipc(channel: &'static str, path: &Path) -> Result<Listener> {
    let failed = |source| Error::Bind {
        channel,
        endpoint: format!("ipc://{}", path.display()),
        source,
    };
    // A kernel that was killed leaves its sockets behind. The connection file
    // assigns the path to us, so a dead socket is removed. A live listener
    // belongs to another kernel, and stays.
    if std::os::unix::net::UnixStream::connect(path)
        .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    {
        let _ = fs::remove_file(path);
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(Listener::Ipc(listener))
}
