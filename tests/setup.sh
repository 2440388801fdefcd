#!/usr/bin/env bash
# Brings a Debian machine to what the checks need. Packages are installed by root or where sudo asks no password;
# otherwise it prints the command and stops. tests/run.sh and .ci/run call it; it does nothing where nothing is missing.
set -euo pipefail

packages=()
need() { packages+=("$@"); }
has() { command -v "$1" >/dev/null; }
has_library() { python3 -c "import ctypes.util, sys; sys.exit(not ctypes.util.find_library('$1'))" 2>/dev/null; }

has cc || need build-essential
python3 -c 'import venv, ensurepip' 2>/dev/null || need python3 python3-venv
# The encoders and reference decoders of the format matrix (tests/formats).
has ffmpeg || need ffmpeg
has sox || need sox
has opusenc || need opus-tools
has speexenc || need speex
has mpg123 || need mpg123
has espeak-ng || need espeak-ng
# The microphone of `ting listen`: ALSA's headers to build the feature, and `arecord` to record without it.
has pkg-config || need pkg-config
has pkg-config && pkg-config --exists alsa || need libasound2-dev
has arecord || need alsa-utils
has_library opus || need libopus0
has_library opencore-amrnb || need libopencore-amrnb0
has_library opencore-amrwb || need libopencore-amrwb0
has_library vo-amrwbenc || need libvo-amrwbenc0

if [ ${#packages[@]} -gt 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  if ! has apt-get; then
    echo "missing, under Debian's names: ${packages[*]}; install them" >&2
    exit 1
  elif [ "$(id -u)" -eq 0 ]; then
    sudo=()
  elif has sudo && sudo -n true 2>/dev/null; then
    sudo=(sudo -n --preserve-env=DEBIAN_FRONTEND)
  else
    echo "missing: run 'sudo apt-get update && sudo apt-get install ${packages[*]}', then this again" >&2
    exit 1
  fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi

has cargo || { echo "missing: cargo; install Rust from https://rustup.rs" >&2; exit 1; }
if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
  has rustup || { echo "missing: rustfmt and clippy; install the ones of your Rust" >&2; exit 1; }
  rustup component add rustfmt clippy
fi
