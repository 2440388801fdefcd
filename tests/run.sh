#!/usr/bin/env bash
# Every check of the project, stopping at the first that fails: formatting, lints, Rust tests with the format matrix and
# the fuzzing corpora, the official Python SDK against the real server, and the Python package. Needs cargo, and PyPI on the first run;
# tests/setup.sh sees to the rest.
set -euo pipefail
cd "$(dirname "$0")/.."

section() { printf '\n==== %s ====\n' "$1"; }

section "what is needed"
tests/setup.sh
cargo --version
python3 --version

section "formatting"
cargo fmt --all --check

section "lints"
cargo clippy --workspace --all-targets -- -D warnings

section "reference documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --features ting-client/embedded

section "files for the format matrix"
mkdir -p "${CARGO_TARGET_DIR:-target}"
target="$(realpath "${CARGO_TARGET_DIR:-target}")"
rm -rf "$target/formats"
python3 tests/formats/make.py "$target/formats"

section "rust tests"
TING_FORMATS="$target/formats" cargo test --workspace

section "the microphone"
# Built once more with the feature, which is not the default on Linux. The whole workspace, so that no crate below is built
# again with other features of its own.
cargo clippy --workspace --all-targets --features ting-cli/microphone,ting-examples/microphone -- -D warnings
cargo test --workspace --features ting-cli/microphone,ting-examples/microphone --test listen --test examples

section "the binary"
# Both at once, with the same features as the tests, so that nothing is compiled a second time.
cargo build -p ting-cli -p ting-python

section "the python sdk"
venv="$target/venv"
# A venv that was only half made is made again.
"$venv/bin/python" -c 'import ensurepip' 2>/dev/null || python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/sdk/requirements.txt

section "sdk tests"
TING_BIN="$target/debug/ting" "$venv/bin/python" -m unittest discover --start-directory tests/sdk --verbose

section "the python package"
TING_BIN="$target/debug/ting" tests/python/run.sh --verbose

section "all checks passed"
