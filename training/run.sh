#!/usr/bin/env bash
# The whole recipe of the embedded model: DATA in, a model folder and evaluation sets out. See training/README.md.
#
#   training/run.sh DATA WORK [MINUTES]
#
# Run again after an interruption, it goes on where it stopped.
set -euo pipefail
# Each background job is a process group of its own, so that its workers end with it.
set -m

usage() {
  printf 'usage: %s DATA WORK [MINUTES]\n' "$0" >&2
  printf 'environment: PYTHON (python3), WORKERS and PROCESSES (one per core), TRAIN_OPTIONS (for train.py)\n' >&2
  exit 2
}
[ $# -eq 2 ] || [ $# -eq 3 ] || usage
[[ "${3-1}" =~ ^[0-9]+([.][0-9]+)?$ ]] || usage

missing() { printf 'missing: %s\n' "$1" >&2; exit 1; }
section() { printf '\n==== %s ====\n' "$1"; }

here="$(cd "$(dirname "$0")" && pwd)"
data="$1"
work="$2"
minutes="${3:-110}"
python="${PYTHON:-python3}"
workers="${WORKERS:-$(nproc)}"
processes="${PROCESSES:-$(nproc)}"
train_options=()
[ -z "${TRAIN_OPTIONS:-}" ] || read -ra train_options <<<"$TRAIN_OPTIONS"
# Half the bits are faster only where the processor multiplies them itself.
if grep -qE 'avx512_bf16|amx_bf16' /proc/cpuinfo 2>/dev/null; then
  train_options+=(--bf16)
fi

[ -d "$data/text" ] && [ -d "$data/speech" ] || missing "text/ and speech/ in $data"
command -v ffmpeg >/dev/null || missing "ffmpeg; on Debian: apt-get install ffmpeg"
command -v flite >/dev/null || missing "flite; on Debian: apt-get install flite"
"$python" -c 'import ctypes; ctypes.CDLL("libespeak-ng.so.1")' 2>/dev/null ||
  missing "libespeak-ng.so.1; on Debian: apt-get install espeak-ng"
"$python" -c 'import jieba, opencc, pyopenjtalk, pypinyin, safetensors, scipy, sentencepiece, soundfile, torch' ||
  missing "Python packages; $python -m pip install -r $here/requirements.txt"
mkdir -p "$work"

jobs_running=()
stop_jobs() {
  for job in "${jobs_running[@]}"; do
    kill -- "-$job" 2>/dev/null || true
  done
}
trap stop_jobs EXIT
trap 'exit 130' INT TERM

section "tokens"
# inter.txt is written last.
[ -e "$work/inter.txt" ] || "$python" "$here/tokens.py" --data "$data" --work "$work"

section "features and training, $minutes minutes; the log of the features is $work/prepare.log"
"$python" "$here/prepare.py" --data "$data" --work "$work" --processes "$processes" >"$work/prepare.log" 2>&1 &
prepare=$!
"$python" "$here/train.py" --work "$work" --minutes "$minutes" --workers "$workers" "${train_options[@]}" &
train=$!
jobs_running=("$prepare" "$train")
# Without features training would wait for ever, so the first job to fail ends the run.
wait -n "$prepare" "$train" || {
  printf 'a job failed; the end of %s:\n' "$work/prepare.log" >&2
  tail -n 5 "$work/prepare.log" >&2
  exit 1
}
wait "$train"
# Features that were not ready in time are not needed any more.
stop_jobs
wait "$prepare" 2>/dev/null || true
jobs_running=()

section "voice activity detector"
[ -e "$work/vad.safetensors" ] ||
  "$python" "$here/vad.py" --data "$data" --work "$work" --out "$work/vad.safetensors"

section "model folder $work/model"
"$python" "$here/export.py" --work "$work" --out "$work/model"
"$python" "$here/lm.py" --work "$work" --out "$work/model/lm.bin" --order 4
"$python" "$here/readings.py" --data "$data" --tokens "$work/model/tokens.txt" --out "$work/model/readings.txt"

"$python" "$here/lexicon.py" --work "$work" --out "$work/model"
"$python" "$here/dictionary.py" --work "$work" --data "$data" --out "$work/model"

section "recurrent language model"
lm_options=()
[[ " ${train_options[*]} " != *" --bf16 "* ]] || lm_options+=(--bf16)
[ -e "$work/model/recurrent_lm.safetensors" ] ||
  "$python" "$here/recurrent_lm.py" --work "$work" --model "$work/model" "${lm_options[@]}"

section "punctuation network"
[ -e "$work/model/punc.safetensors" ] ||
  "$python" "$here/punct.py" --data "$data" --model "$work/model"
"$python" "$here/punct_eval.py" --data "$data" --model "$work/model"

section "evaluation sets of unseen sentences in $work/synth-dev"
"$python" "$here/synth_eval.py" --data "$data" --out "$work/synth-dev"

section "done"
cat <<END
measure:  cargo run --release -- eval --model-dir $work/model \\
            $work/synth-dev/synth-zh.tsv $work/synth-dev/synth-zh.tar \\
            $work/synth-dev/synth-en.tsv $work/synth-dev/synth-en.tar \\
            $work/synth-dev/synth-ja.tsv $work/synth-dev/synth-ja.tar
embed:    cp $work/model/* $here/../models/tiny/ && cargo build --release
END
