//! The kernelspec, with which Jupyter starts the kernel.
//! <https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs>

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::locations::Location;
use crate::error::{Error, Result};

/// The files next to kernel.json.
const LOGOS: [(&str, &[u8]); 3] = [
    (
        "logo-svg.svg",
        include_bytes!("../../../install/kernelspec/logo-svg.svg"),
    ),
    (
        "logo-64x64.png",
        include_bytes!("../../../install/kernelspec/logo-64x64.png"),
    ),
    (
        "logo-32x32.png",
        include_bytes!("../../../install/kernelspec/logo-32x32.png"),
    ),
];

/// Writes the kernelspec; returns its directory.
pub(crate) fn install(
    location: &Location,
    name: &str,
    display_name: &str,
    environment: &[String],
) -> Result<PathBuf> {
    let directory = directory(location, name)?;
    let environment = parse_environment(environment)?;
    refuse_foreign(&directory)?;
    let executable =
        std::env::current_exe().map_err(Error::file("find the path of", Path::new("swath")))?;
    let spec = json!({
        "argv": [executable, "kernel", "-f", "{connection_file}"],
        "display_name": display_name,
        "language": "rust",
        "interrupt_mode": "message",
        "env": environment,
        "metadata": {
            "debugger": false,
            "swath": env!("CARGO_PKG_VERSION"),
        },
    });
    fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
    for (file, content) in LOGOS {
        write(&directory.join(file), content)?;
    }
    // Write this last: it makes the kernel visible.
    write(
        &directory.join("kernel.json"),
        format!("{}\n", serde_json::to_string_pretty(&spec)?).as_bytes(),
    )?;
    Ok(directory)
}

/// Removes the kernelspec if it is ours; returns its directory.
pub(crate) fn uninstall(location: &Location, name: &str) -> Result<PathBuf> {
    let directory = directory(location, name)?;
    if !directory.exists() {
        return Err(Error::NoKernelspec { path: directory });
    }
    refuse_foreign(&directory)?;
    fs::remove_dir_all(&directory).map_err(Error::file("remove", &directory))?;
    Ok(directory)
}

/// Lists our kernelspecs, one line each: name, display name, directory.
pub(crate) fn list() -> String {
    let mut lines = String::new();
    for kernels in Location::search() {
        let Ok(entries) = fs::read_dir(&kernels) else {
            continue;
        };
        let mut directories: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        directories.sort();
        for directory in directories {
            let Some(spec) = read(&directory).filter(is_ours) else {
                continue;
            };
            let name = directory.file_name().unwrap_or_default().to_string_lossy();
            let display_name = spec["display_name"].as_str().unwrap_or_default();
            let missing = match spec["argv"][0].as_str() {
                Some(executable) if Path::new(executable).is_file() => String::new(),
                executable => format!("  ({} is missing)", executable.unwrap_or("argv[0]")),
            };
            lines.push_str(&format!(
                "{name:<16} {display_name:<24} {}{missing}\n",
                directory.display()
            ));
        }
    }
    if lines.is_empty() {
        lines.push_str("no kernelspec of Swath is installed; run `swath install`\n");
    }
    lines
}

fn directory(location: &Location, name: &str) -> Result<PathBuf> {
    let is_valid = !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "._-".contains(character));
    if !is_valid {
        return Err(Error::KernelName(name.to_owned()));
    }
    // Jupyter looks kernels up in lower case.
    Ok(location.kernels()?.join(name.to_ascii_lowercase()))
}

fn parse_environment(entries: &[String]) -> Result<Map<String, Value>> {
    entries
        .iter()
        .map(|entry| match entry.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), json!(value))),
            _ => Err(Error::EnvironmentEntry(entry.clone())),
        })
        .collect()
}

/// Returns an error if the directory contains another kernel, or something
/// else.
fn refuse_foreign(directory: &Path) -> Result<()> {
    let is_empty = || fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
    if !directory.exists() || is_empty() {
        return Ok(());
    }
    let found = match read(directory) {
        Some(spec) if is_ours(&spec) => return Ok(()),
        Some(spec) => format!("`{}`", spec["argv"][0].as_str().unwrap_or("nothing")),
        None => "nothing: it has no kernel.json".to_owned(),
    };
    Err(Error::ForeignKernelspec {
        path: directory.to_owned(),
        found,
    })
}

fn read(directory: &Path) -> Option<Value> {
    let text = fs::read(directory.join("kernel.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

fn is_ours(spec: &Value) -> bool {
    let executable = spec["argv"][0].as_str().map(Path::new);
    !spec["metadata"]["swath"].is_null()
        || executable
            .and_then(Path::file_name)
            .is_some_and(|name| name == "swath")
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).map_err(Error::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(directory: &tempfile::TempDir) -> Location {
        Location::Prefix(directory.path().to_owned())
    }

    #[test]
    fn install_twice_then_uninstall() {
        let prefix = tempfile::tempdir().unwrap();
        let location = at(&prefix);
        let environment = ["A=b=c".to_owned()];
        for _ in 0..2 {
            install(&location, "Swath", "Rust (Swath)", &environment).unwrap();
        }
        let directory = prefix.path().join("share/jupyter/kernels/swath");
        let spec = read(&directory).unwrap();
        assert!(Path::new(spec["argv"][0].as_str().unwrap()).is_absolute());
        assert_eq!(spec["argv"][3], "{connection_file}");
        assert_eq!(spec["interrupt_mode"], "message");
        assert_eq!(spec["env"]["A"], "b=c");
        assert!(spec.get("kernel_protocol_version").is_none());
        for (file, content) in LOGOS {
            assert_eq!(fs::read(directory.join(file)).unwrap(), content);
        }
        uninstall(&location, "swath").unwrap();
        assert!(!directory.exists());
        let error = uninstall(&location, "swath").unwrap_err().to_string();
        assert!(error.contains("does not exist"), "{error}");
    }

    #[test]
    fn another_kernel_is_never_touched() {
        let prefix = tempfile::tempdir().unwrap();
        let location = at(&prefix);
        let directory = prefix.path().join("share/jupyter/kernels/rust");
        fs::create_dir_all(&directory).unwrap();
        fs::write(
            directory.join("kernel.json"),
            r#"{"argv":["/usr/bin/evcxr_jupyter"]}"#,
        )
        .unwrap();
        for result in [
            install(&location, "rust", "Rust", &[]),
            uninstall(&location, "rust"),
        ] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("/usr/bin/evcxr_jupyter"), "{error}");
            assert!(error.contains("--name"), "{error}");
        }
        assert!(directory.join("kernel.json").exists());
    }

    #[test]
    fn names_and_environment_are_checked() {
        let prefix = tempfile::tempdir().unwrap();
        for name in ["", "../x", "a b", ".hidden"] {
            assert!(matches!(
                install(&at(&prefix), name, "x", &[]),
                Err(Error::KernelName(_))
            ));
        }
        assert!(matches!(
            install(&at(&prefix), "x", "x", &["NOVALUE".to_owned()]),
            Err(Error::EnvironmentEntry(_))
        ));
    }
}
