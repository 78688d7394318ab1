"""The program's own installation: it writes kernelspecs that Jupyter accepts, and does not touch others."""

import json
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel


@pytest.fixture
def run(swath, tmp_path):
    def run_swath(*arguments, environment=None):
        return subprocess.run(
            [swath, *map(str, arguments)], capture_output=True, text=True, timeout=120, cwd=tmp_path,
            env=os.environ | (environment or {}), check=False,
        )

    return run_swath


def spec_of(prefix: Path, name: str = "swath") -> dict:
    return json.loads((prefix / "share" / "jupyter" / "kernels" / name / "kernel.json").read_text())


def test_install_into_a_prefix(run, swath, tmp_path):
    prefix = tmp_path / "a prefix with spaces"
    done = run("install", "--prefix", prefix)
    assert done.returncode == 0, done.stderr
    folder = prefix / "share" / "jupyter" / "kernels" / "swath"
    assert str(folder) in done.stdout + done.stderr

    spec = spec_of(prefix)
    assert Path(spec["argv"][0]).is_absolute()
    assert os.path.samefile(spec["argv"][0], swath)
    assert spec["argv"][1] == "kernel" and "{connection_file}" in spec["argv"]
    assert spec["display_name"] == "Rust (Swath)"
    assert spec["language"] == "rust"
    assert spec["interrupt_mode"] == "message"

    assert "<svg" in (folder / "logo-svg.svg").read_text()
    for size in (32, 64):
        image = (folder / f"logo-{size}x{size}.png").read_bytes()
        assert image.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", image[16:24]) == (size, size)


def test_an_installed_spec_starts(run, tmp_path, monkeypatch):
    prefix = tmp_path / "prefix"
    assert run("install", "--prefix", prefix, "--name", "swath-trial", "--env", "SWATH_TRIAL=a value").returncode == 0
    monkeypatch.setenv("JUPYTER_PATH", str(prefix / "share" / "jupyter"))
    assert "swath-trial" in KernelSpecManager().find_kernel_specs()
    manager, client = start_new_kernel(kernel_name="swath-trial", startup_timeout=60)
    try:
        outputs = []
        client.execute_interactive(
            'std::env::var("SWATH_TRIAL")?', timeout=60,
            output_hook=lambda message: outputs.append(message["content"].get("data", {})),
        )
        assert {"text/plain": '"a value"'} in outputs
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def test_names_and_environment(run, tmp_path):
    done = run("install", "--prefix", tmp_path, "--name", "swath-two", "--display-name", "Swath, two threads",
               "--env", "RAYON_NUM_THREADS=2", "--env", "EMPTY=", "--env", "EQUATION=a=b")
    assert done.returncode == 0, done.stderr
    spec = spec_of(tmp_path, "swath-two")
    assert spec["display_name"] == "Swath, two threads"
    assert spec["env"] == {"RAYON_NUM_THREADS": "2", "EMPTY": "", "EQUATION": "a=b"}


def test_installing_again_replaces_our_own(run, tmp_path):
    assert run("install", "--prefix", tmp_path).returncode == 0
    assert run("install", "--prefix", tmp_path, "--display-name", "Newer").returncode == 0
    assert spec_of(tmp_path)["display_name"] == "Newer"


def foreign(prefix: Path) -> Path:
    folder = prefix / "share" / "jupyter" / "kernels" / "swath"
    folder.mkdir(parents=True)
    spec = folder / "kernel.json"
    spec.write_text('{"argv": ["/usr/bin/other", "{connection_file}"], "display_name": "Other", "language": "rust"}')
    (folder / "precious.txt").write_text("keep me")
    return spec


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_another_kernels_spec_is_left_alone(run, tmp_path, command):
    spec = foreign(tmp_path)
    before = spec.read_text()
    done = run(command, "--prefix", tmp_path)
    assert done.returncode != 0
    assert str(spec.parent) in done.stderr
    if command == "install":
        assert "--name" in done.stderr, "the error doesn't say what to do"
    assert spec.read_text() == before
    assert (spec.parent / "precious.txt").exists()


def test_a_spec_that_is_no_json_is_left_alone(run, tmp_path):
    spec = foreign(tmp_path)
    spec.write_text("{broken")
    assert run("install", "--prefix", tmp_path).returncode != 0
    assert spec.read_text() == "{broken"


def test_uninstall(run, tmp_path):
    run("install", "--prefix", tmp_path)
    run("install", "--prefix", tmp_path, "--name", "swath-other")
    done = run("uninstall", "--prefix", tmp_path)
    assert done.returncode == 0, done.stderr
    kernels = tmp_path / "share" / "jupyter" / "kernels"
    assert sorted(path.name for path in kernels.iterdir()) == ["swath-other"]


def test_uninstall_of_nothing_says_so(run, tmp_path):
    done = run("uninstall", "--prefix", tmp_path)
    assert done.returncode != 0
    assert "swath" in done.stderr and str(tmp_path) in done.stderr


def test_list(run, tmp_path):
    run("install", "--prefix", tmp_path, "--name", "swath-listed")
    done = run("list", environment={"JUPYTER_PATH": str(tmp_path / "share" / "jupyter")})
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if "swath-listed" in line)
    assert str(tmp_path) in line


def test_only_one_place_at_a_time(run, tmp_path):
    done = run("install", "--prefix", tmp_path, "--user")
    assert done.returncode != 0
    assert "--user" in done.stderr


def test_user_installs_into_the_users_folder(run, tmp_path):
    done = run("install", "--user", environment={"JUPYTER_DATA_DIR": str(tmp_path / "data")})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "kernels" / "swath" / "kernel.json").is_file()


@pytest.mark.parametrize("name", ["", "a b", "../up", "a/b", "ü"])
def test_names_that_jupyter_refuses(run, tmp_path, name):
    done = run("install", "--prefix", tmp_path, "--name", name)
    assert done.returncode != 0
    assert "name" in done.stderr
    assert not (tmp_path / "share").exists()


def test_an_environment_without_a_value(run, tmp_path):
    done = run("install", "--prefix", tmp_path, "--env", "NOVALUE")
    assert done.returncode != 0
    assert "NOVALUE" in done.stderr


def test_a_prefix_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = run("install", "--prefix", tmp_path / "file")
    assert done.returncode != 0
    assert str(tmp_path / "file") in done.stderr


def test_doctor_finds_all_well(run):
    done = run("doctor")
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    for subject in ("rustc", "rust-src", "linker", "space"):
        assert re.search(subject, text, re.IGNORECASE), f"nothing about {subject} in\n{text}"


def test_doctor_says_what_is_missing_and_how_to_mend_it(run, tmp_path):
    done = run("doctor", environment={"PATH": str(tmp_path)})
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "rustc" in text
    assert "rustup" in text, f"no mend in\n{text}"


def test_a_kernel_without_a_connection_file(run, tmp_path):
    done = run("kernel", "-f", tmp_path / "missing.json")
    assert done.returncode != 0
    assert "missing.json" in done.stderr


def test_a_connection_file_that_is_broken(run, tmp_path):
    (tmp_path / "broken.json").write_text('{"ip": "127.0.0.1"')
    done = run("kernel", "-f", tmp_path / "broken.json")
    assert done.returncode != 0
    assert "broken.json" in done.stderr


def test_version_and_help(run):
    assert re.match(r"swath \d+\.\d+\.\d+", run("--version").stdout)
    text = run("--help").stdout
    for command in ("kernel", "install", "uninstall", "list", "doctor"):
        assert command in text
