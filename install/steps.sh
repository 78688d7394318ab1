# The set-up steps that install/run and tests/run share. Sourced, not run.
#
# Each step first checks whether its result already exists, so that a second run
# takes seconds. A step that fails calls `give_up`, which says what went wrong and
# what to do about it.

# shellcheck shell=bash

PROJECT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
VENV="$PROJECT/.venv"
PYTHON="$VENV/bin/python"
KERNEL_NAME=swath
KERNEL_DISPLAY_NAME="Rust (Swath)"
# Polars alone leaves 4 GB of intermediate files.
BUILD_SPACE_GB=10
VENV_SPACE_GB=1
# The minimum for JupyterLab's packages.
PYTHON_MINIMUM=3.11

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    BOLD=$'\e[1m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
    BOLD='' RED='' PLAIN=''
fi

STEP=0
STEPS=0

# step TEXT: prints the next heading, numbered.
step() {
    STEP=$((STEP + 1))
    STEP_STARTED=$SECONDS
    printf '\n%s[%d/%d] %s%s\n' "$BOLD" "$STEP" "$STEPS" "$1" "$PLAIN"
}

# done_with TEXT: prints the result of the step, and how long it took.
done_with() {
    printf '      %s (%d s)\n' "$1" $((SECONDS - STEP_STARTED))
}

# give_up PROBLEM [WHAT TO DO, one line each ...]: reports the problem and exits.
give_up() {
    {
        printf '\n%s%s%s\n' "$RED" "$1" "$PLAIN"
        shift
        if (($#)); then
            printf 'What to do:\n'
            printf '  %s\n' "$@"
        fi
    } >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# at_least FOUND WANTED: succeeds if version FOUND is WANTED or newer.
at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

free_gb() { df -Pk -- "$1" | awk 'NR == 2 { print int($4 / 1048576) }'; }

# install_debian PACKAGE ...: installs by apt-get, if that needs no password.
install_debian() {
    local as_root=()
    have apt-get || return 1
    if [[ $EUID -ne 0 ]]; then
        have sudo && sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    "${as_root[@]}" apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq "$@" >/dev/null
}

# Prints cargo's target folder: CARGO_TARGET_DIR, cargo's own configuration, or target/.
target_folder() {
    if [[ -n ${CARGO_TARGET_DIR:-} ]]; then
        # Cargo resolves a relative one against its working directory, which is the project.
        case $CARGO_TARGET_DIR in
            /*) printf '%s\n' "$CARGO_TARGET_DIR" ;;
            *) printf '%s\n' "$PROJECT/$CARGO_TARGET_DIR" ;;
        esac
    else
        (cd -- "$PROJECT" && cargo metadata --format-version 1 --no-deps --locked --offline 2>/dev/null) |
            python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])' 2>/dev/null ||
            printf '%s\n' "$PROJECT/target"
    fi
}

check_tools() {
    local wanted found sysroot source folder
    have cargo && have rustc || give_up "cargo and rustc are not on the PATH." \
        "Install Rust with rustup (https://rustup.rs), open a new terminal, and run this again."

    wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$PROJECT/Cargo.toml" | head -n 1)
    found=$(rustc --version | awk '{ print $2 }')
    at_least "$found" "$wanted" || give_up "rustc is $found, Swath needs $wanted or newer." \
        "rustup update stable"

    # Completion and inspection read the standard library's source.
    sysroot=$(rustc --print sysroot)
    source="${RUST_SRC_PATH:-$sysroot/lib/rustlib/src/rust/library}"
    if [[ ! -f $source/std/src/lib.rs ]]; then
        if have rustup; then
            echo "      rust-src is missing: adding it with rustup"
            rustup component add rust-src || give_up "rustup could not add rust-src." \
                "Check the network, then: rustup component add rust-src"
        else
            give_up "The standard library's source (rust-src) is not in $source." \
                "With rustup:  rustup component add rust-src" \
                "With Debian's Rust:  apt-get install rust-src" \
                "Elsewhere: unpack it, and set RUST_SRC_PATH to its library folder"
        fi
    fi

    have cc || give_up "There is no C compiler (cc), which Rust needs to link." \
        "Debian, Ubuntu:  apt-get install gcc libc6-dev" \
        "Fedora:  dnf install gcc" \
        "macOS:  xcode-select --install"

    have python3 || give_up "python3 is not on the PATH." "Debian, Ubuntu:  apt-get install python3 python3-venv"
    found=$(python3 -c 'import platform; print(platform.python_version())')
    at_least "$found" "$PYTHON_MINIMUM" || give_up "python3 is $found, JupyterLab needs $PYTHON_MINIMUM or newer." \
        "Put a newer python3 first on the PATH and run this again."

    folder=$(target_folder)
    if [[ ! -x $folder/release/swath ]]; then
        mkdir -p -- "$folder" || give_up "The build folder $folder can't be created." "Set CARGO_TARGET_DIR to a writable folder."
        (($(free_gb "$folder") >= BUILD_SPACE_GB)) ||
            give_up "$folder has $(free_gb "$folder") GB free; the first build needs $BUILD_SPACE_GB GB." \
                "Free some space there, or set CARGO_TARGET_DIR to a folder on a larger disk."
    fi
    if [[ ! -d $VENV ]] && (($(free_gb "$PROJECT") < VENV_SPACE_GB)); then
        give_up "$PROJECT has less than the $VENV_SPACE_GB GB free that JupyterLab needs." "Free some space there and run this again."
    fi
    done_with "rustc $(rustc --version | awk '{ print $2 }'), rust-src, cc, python3 $found"
}

# make_venv REQUIREMENTS ...: makes .venv with exactly these packages; reinstalls them when a list has changed.
make_venv() {
    local stamp list arguments=() lists=("$PROJECT/install/constraints.txt" "$@" "$PROJECT"/install/papermill/*.{toml,py})
    stamp="$VENV/.swath-$(basename -- "$(dirname -- "${!#}")")"
    if [[ -x $PYTHON && -f $stamp ]] && cat -- "${lists[@]}" | cmp -s - "$stamp"; then
        done_with "already there"
        return
    fi
    # The scripts of a folder that was moved still point to its old place.
    if [[ -d $VENV ]] && ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
        echo "      .venv no longer works: making it again"
        rm -rf -- "$VENV"
    fi
    if [[ ! -d $VENV ]]; then
        if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
            give_up "This python3 ($(command -v python3)) can't make virtual environments." \
                "Debian, Ubuntu:  apt-get install python3-venv"
        fi
        python3 -m venv -- "$VENV" || {
            rm -rf -- "$VENV"
            give_up "python3 -m venv failed." "Debian, Ubuntu:  apt-get install python3-venv"
        }
    fi
    for list in "$@"; do arguments+=(--requirement "$list"); done
    # Run in the project's folder, because the list names our own package by a relative path.
    (cd -- "$PROJECT" && "$PYTHON" -m pip install --quiet --disable-pip-version-check \
        --constraint "$PROJECT/install/constraints.txt" "${arguments[@]}") ||
        give_up "pip could not install the packages above." \
            "No network or proxy: set HTTPS_PROXY, or point pip at a mirror (pip config set global.index-url URL)." \
            "No space: see df -h. Then run this again: it continues from here."
    cat -- "${lists[@]}" >"$stamp"
    done_with "$("$VENV/bin/jupyter" lab --version | sed 's/^/JupyterLab /')"
}

# build CARGO-ARGUMENTS ...
build() {
    (cd -- "$PROJECT" && cargo build --release --workspace --locked "$@") || give_up "The build failed; the compiler's messages are above." \
        "No network: cargo needs crates.io the first time; later builds work with CARGO_NET_OFFLINE=true." \
        "No space left: free some, or set CARGO_TARGET_DIR to a folder on a larger disk." \
        "“signal: 9” or “killed”: too little memory; try CARGO_BUILD_JOBS=1." \
        "Then run this again: it continues from here."
    SWATH="$(target_folder)/release/swath"
    [[ -x $SWATH ]] || give_up "cargo succeeded, but $SWATH does not exist." "Set CARGO_TARGET_DIR to the folder that cargo builds in."
    done_with "$SWATH"
}

install_kernelspec() {
    "$SWATH" install --prefix "$VENV" --name "$KERNEL_NAME" --display-name "$KERNEL_DISPLAY_NAME" ||
        give_up "The kernelspec could not be installed into $VENV." "$SWATH doctor   # reports what is wrong and how to fix it"
    done_with "kernel “$KERNEL_DISPLAY_NAME” is in $VENV"
}

fetch_movielens() {
    # With the venv's python, whose pip is known to work.
    "$PYTHON" "$PROJECT/install/movielens" || give_up "The walkthrough's data could not be fetched." "See the messages above."
    done_with "ready"
}
