#!/usr/bin/env bash
# Runs the fuzz targets one after another: fuzz/run.sh [SECONDS [TARGET...]]; without arguments 600 s each, all of them.
# Needs a nightly compiler and cargo-fuzz (cargo install --locked cargo-fuzz). What is found lies in
# fuzz/artifacts/TARGET; put the file into fuzz/regressions/TARGET once it is fixed.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds="${1:-600}"
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)

failed=()
for target in "${targets[@]}"; do
  echo "==== $target, $seconds s ===="
  mkdir -p "fuzz/target/found/$target"
  known=()
  for folder in fuzz/{corpus,regressions}/"$target"; do [ -d "$folder" ] && known+=("$folder"); done
  [ "$target" = any ] && known=(fuzz/corpus/* $(ls -d fuzz/regressions/* 2>/dev/null))
  # The first folder takes what is new. One allocation of 64 MiB, or 1 GiB in all (the sanitizer's own memory is
  # most of it), or 20 s on one input is a finding.
  cargo +nightly fuzz run --release --debug-assertions "$target" \
    "fuzz/target/found/$target" "${known[@]}" -- \
    -max_total_time="$seconds" -max_len=16384 -timeout=20 -malloc_limit_mb=64 -rss_limit_mb=1024 -print_final_stats=1 ||
    failed+=("$target")
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "found something: ${failed[*]}" >&2
  exit 1
fi
