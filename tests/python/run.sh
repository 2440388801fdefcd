#!/usr/bin/env bash
# The tests of the Python package: builds its wheel, installs it into the venv under target/, and runs tests/python there.
# Needs cargo, python3 with venv, and PyPI on the first run. What cargo has built is used: the wheel is a debug build.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v cargo >/dev/null || { echo "missing: cargo; install Rust from https://rustup.rs" >&2; exit 1; }
python3 -c 'import venv, ensurepip' 2>/dev/null || { echo "missing: python3 with venv (apt-get install python3-venv)" >&2; exit 1; }

mkdir -p "${CARGO_TARGET_DIR:-target}"
target="$(realpath "${CARGO_TARGET_DIR:-target}")"
venv="$target/venv"
# A venv that was only half made is made again.
"$venv/bin/python" -c 'import ensurepip' 2>/dev/null || python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/sdk/requirements.txt -r tests/python/requirements.txt

binary="${TING_BIN:-$target/debug/ting}"
[ -x "$binary" ] || cargo build

rm -rf "$target/wheels"
# The profile of the tests, so that nothing is compiled a second time.
"$venv/bin/maturin" build --quiet --profile dev --manifest-path python/Cargo.toml --interpreter "$venv/bin/python" --out "$target/wheels"
"$venv/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$target"/wheels/ting-*.whl

TING_BIN="$binary" "$venv/bin/python" -m unittest discover --start-directory tests/python "$@"
