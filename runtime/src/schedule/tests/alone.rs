//! Runs tests of per-process state in a process of their own.

use std::process::Command;

/// Runs the rest of a test, `path`, in a process of its own.
pub(crate) fn in_own_process(path: &str, body: impl FnOnce()) {
    const ALONE: &str = "SWATH_TEST_ALONE";
    let name = path.split_once("::").expect("a path in a crate").1;
    if std::env::var_os(ALONE).is_some_and(|alone| alone == *name) {
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(ALONE, name)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{failed}");
    assert!(told.contains("1 passed"), "no test {name}: {told}");
}

macro_rules! alone {
    ($test:ident, $body:expr) => {
        crate::schedule::tests::alone::in_own_process(
            concat!(module_path!(), "::", stringify!($test)),
            $body,
        )
    };
}
pub(crate) use alone;
