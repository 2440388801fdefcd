#!/usr/bin/env bash
# Runs the fuzz targets one after another: fuzz/run.sh [SECONDS [TARGET...]], SECONDS of processor time each; without
# arguments 600, all of them. Needs a nightly compiler and cargo-fuzz (cargo install --locked cargo-fuzz). A finding lies
# in fuzz/artifacts/TARGET; once it is fixed it belongs to fuzz/regressions/TARGET, which the tests replay.
set -euo pipefail
cd "$(dirname "$0")"

seconds="${1:-600}"
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)
[ -n "${TING_FUZZ_BUILT:-}" ] || cargo +nightly fuzz build --release --debug-assertions
binaries="target/$(rustc -vV | sed -n 's/^host: //p')/release"
ticks="$(getconf CLK_TCK)"

failed=()
for target in "${targets[@]}"; do
  echo "==== $target, $seconds s of processor time ===="
  mkdir -p "target/found/$target" "artifacts/$target"
  known=()
  for folder in {corpus,regressions}/"$target"; do [ -d "$folder" ] && known+=("$folder"); done
  # Every kind of file is of use to the target that takes any.
  [ "$target" = any ] && known=(corpus/* $(ls -d regressions/* 2>/dev/null || true))
  # The first folder takes what is new. One allocation of 64 MiB, 1 GiB in all (the sanitizer's own memory is most
  # of it), or five minutes on one input (the machine may be busy) is a finding. Messages of the decoders' walls would fill the disk.
  ASAN_OPTIONS=detect_odr_violation=0 "$binaries/$target" "target/found/$target" "${known[@]}" -artifact_prefix="artifacts/$target/" \
    -max_len=16384 -timeout=300 -malloc_limit_mb=64 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 -close_fd_mask=0 \
    2> >(tail -c 200000 >"target/found/$target.log") &
  fuzzer=$!
  # libFuzzer's own limit is of the clock, which says little on a machine with other work.
  while read -r -a stat 2>/dev/null </proc/$fuzzer/stat && [ $(((stat[13] + stat[14]) / ticks)) -lt "$seconds" ]; do
    sleep 1
  done
  kill -USR1 $fuzzer 2>/dev/null || true # it writes its statistics and ends
  wait $fuzzer || failed+=("$target")
  tail -n 12 "target/found/$target.log" || true
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "found something: ${failed[*]}" >&2
  exit 1
fi
