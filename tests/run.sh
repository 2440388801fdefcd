#!/usr/bin/env bash
# Every check of the project, stopping at the first that fails: formatting, lints, Rust tests, and the official Python
# SDK against the real server. Needs cargo, Python 3.9 or newer with venv, and PyPI on the first run.
set -euo pipefail
cd "$(dirname "$0")/.."

section() { printf '\n==== %s ====\n' "$1"; }
missing() { printf 'missing: %s\n' "$1" >&2; exit 1; }

section "what is needed"
command -v cargo >/dev/null || missing "cargo; install Rust from https://rustup.rs"
command -v python3 >/dev/null || missing "python3; on Debian: apt-get install python3 python3-venv"
python3 -c 'import venv, ensurepip' 2>/dev/null ||
  missing "Python's venv; on Debian: apt-get install python3-venv"
cargo fmt --version >/dev/null 2>&1 || missing "rustfmt; rustup component add rustfmt"
cargo clippy --version >/dev/null 2>&1 || missing "clippy; rustup component add clippy"
cargo --version
python3 --version

section "formatting"
cargo fmt --all --check

section "lints"
cargo clippy --workspace --all-targets -- -D warnings

section "rust tests"
cargo test --workspace

section "the binary"
cargo build

section "the python sdk"
target="$(realpath "${CARGO_TARGET_DIR:-target}")"
venv="$target/venv"
# A venv that was only half made is made again.
"$venv/bin/python" -c 'import ensurepip' 2>/dev/null || python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/sdk/requirements.txt

section "sdk tests"
TING_BIN="$target/debug/ting" "$venv/bin/python" -m unittest discover --start-directory tests/sdk --verbose

section "all checks passed"
