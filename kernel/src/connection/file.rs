//! The connection file that a client writes for the kernel.
//! <https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files>

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};

/// Where to bind, and the key that signs messages.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionFile {
    /// How clients connect.
    pub(crate) transport: Transport,
    /// The key of the signatures. If it is empty, messages are not signed.
    pub(crate) key: String,
    /// The ports of the sockets. For ipc, the suffixes of their paths.
    pub(crate) ports: Ports,
}

/// How clients connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// On an interface's address.
    Tcp {
        /// The address.
        ip: String,
    },
    /// On Unix sockets `{prefix}-{port}`.
    Ipc {
        /// The paths' common part.
        prefix: PathBuf,
    },
}

/// The port of each socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    /// Requests.
    pub(crate) shell: u16,
    /// Urgent requests.
    pub(crate) control: u16,
    /// Questions to the user.
    pub(crate) stdin: u16,
    /// Broadcasts.
    pub(crate) iopub: u16,
    /// Echo.
    pub(crate) heartbeat: u16,
}

/// The file's JSON.
#[derive(Deserialize)]
struct Raw {
    #[serde(default = "tcp")]
    transport: String,
    ip: String,
    #[serde(default)]
    key: String,
    #[serde(default = "hmac_sha256")]
    signature_scheme: String,
    shell_port: u16,
    control_port: u16,
    stdin_port: u16,
    iopub_port: u16,
    hb_port: u16,
}

fn tcp() -> String {
    "tcp".to_owned()
}

fn hmac_sha256() -> String {
    "hmac-sha256".to_owned()
}

impl ConnectionFile {
    /// Reads and checks the file, and removes other users' access to it, because
    /// it contains the key.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::ConnectionFileUnreadable {
            path: path.to_owned(),
            source,
        })?;
        hide(path);
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        let raw: Raw =
            serde_json::from_str(text).map_err(|source| Error::ConnectionFileMalformed {
                path: path.to_owned(),
                source,
            })?;
        let wrong = |field, found: &str, expected| Error::ConnectionField {
            path: path.to_owned(),
            field,
            found: found.to_owned(),
            expected,
        };
        if !raw.key.is_empty() && raw.signature_scheme != "hmac-sha256" {
            return Err(wrong(
                "signature_scheme",
                &raw.signature_scheme,
                "hmac-sha256",
            ));
        }
        for (field, port) in [
            ("shell_port", raw.shell_port),
            ("control_port", raw.control_port),
            ("stdin_port", raw.stdin_port),
            ("iopub_port", raw.iopub_port),
            ("hb_port", raw.hb_port),
        ] {
            if port == 0 {
                return Err(wrong(field, "0", "the port that clients connect to"));
            }
        }
        let transport = match raw.transport.as_str() {
            "tcp" => Transport::Tcp { ip: raw.ip },
            "ipc" => Transport::Ipc {
                prefix: raw.ip.into(),
            },
            other => return Err(wrong("transport", other, "tcp or ipc")),
        };
        Ok(Self {
            transport,
            key: raw.key,
            ports: Ports {
                shell: raw.shell_port,
                control: raw.control_port,
                stdin: raw.stdin_port,
                iopub: raw.iopub_port,
                heartbeat: raw.hb_port,
            },
        })
    }
}

/// Removes the permissions of group and others, if we are allowed to.
fn hide(path: &Path) {
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0
        && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))
    {
        tracing::warn!(path = %path.display(), %error, "connection file remains readable by other users");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"transport":"tcp","ip":"127.0.0.1","key":"k","kernel_name":"swath",
        "signature_scheme":"hmac-sha256","shell_port":1,"control_port":2,"stdin_port":3,
        "iopub_port":4,"hb_port":5}"#;

    /// Parses GOOD with `from` replaced by `to`.
    fn parse(from: &str, to: &str) -> Result<ConnectionFile> {
        assert!(GOOD.contains(from));
        ConnectionFile::parse(&GOOD.replace(from, to), Path::new("/run/kernel.json"))
    }

    #[test]
    fn tcp_and_ipc() {
        let tcp = parse("", "").unwrap();
        assert_eq!(
            tcp.transport,
            Transport::Tcp {
                ip: "127.0.0.1".to_owned()
            }
        );
        assert_eq!(tcp.ports.heartbeat, 5);
        let ipc = parse(
            r#""transport":"tcp","ip":"127.0.0.1""#,
            r#""transport":"ipc","ip":"/tmp/k""#,
        )
        .unwrap();
        assert_eq!(
            ipc.transport,
            Transport::Ipc {
                prefix: "/tmp/k".into()
            }
        );
    }

    #[test]
    fn errors_name_the_file_and_the_field() {
        for (from, to, field) in [
            (r#""hb_port":5"#, r#""x":5"#, "hb_port"),
            (r#""shell_port":1"#, r#""shell_port":0"#, "shell_port"),
            (r#""tcp""#, r#""udp""#, "transport"),
            ("hmac-sha256", "hmac-md5", "signature_scheme"),
            (r#""ip":"127.0.0.1","#, "", "`ip`"),
        ] {
            let error = parse(from, to).unwrap_err().to_string();
            assert!(error.contains("/run/kernel.json"), "{error}");
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn others_may_not_read_the_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kernel.json");
        fs::write(&path, GOOD).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        ConnectionFile::read(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
