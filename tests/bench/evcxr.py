"""evcxr's own kernel, for comparison with ours.

It is not installed: its kernelspec is written into a temporary folder, so that
no Jupyter installation changes. Build it with `cargo install evcxr_jupyter`.
"""

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

from kernel import running_kernel

NAME = "evcxr"


@contextmanager
def running_evcxr(program: Path, folder: str, keep: Path | None = None):
    """Runs evcxr's kernel in `folder`, started as its own kernelspec starts it.

    It ignores the user's configuration. Compiled crates go to `keep`, where the
    next kernel finds them; without it they are deleted with the kernel.
    """
    with TemporaryDirectory() as scratch:
        spec = Path(scratch) / "kernels" / NAME
        spec.mkdir(parents=True)
        spec.joinpath("kernel.json").write_text(
            json.dumps(
                {
                    "argv": [str(program), "--control_file", "{connection_file}"],
                    "display_name": "Rust",
                    "language": "rust",
                    "interrupt_mode": "message",
                }
            )
        )
        config = Path(scratch) / "config"
        config.mkdir()
        environment = os.environ | {"EVCXR_CONFIG_DIR": str(config)}
        environment.pop("EVCXR_TMPDIR", None)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            environment["EVCXR_TMPDIR"] = str(keep)
        specs = KernelSpecManager(kernel_dirs=[str(spec.parent)], ensure_native_kernel=False)
        manager = KernelManager(kernel_name=NAME, kernel_spec_manager=specs)
        with running_kernel(folder, manager, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as kernel:
            yield kernel
