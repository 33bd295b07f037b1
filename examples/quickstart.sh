#!/usr/bin/env bash
# A cluster at work: installs what is missing, builds, and has four replicas, as four processes on
# this machine, put the commands of a file into one order and apply them to a key-value store.
# It is the real thing: commands are signed, replicas speak TLS and keep their promises on disk.
#
#   bash examples/quickstart.sh           the commands of examples/quickstart/commands.txt
#   bash examples/quickstart.sh FILE      one's own: SET key value, GET key, DEL key, INCR key
#   bash examples/quickstart.sh -         the same from standard input
#   bash examples/quickstart.sh --help    this text
#
# Exit status: 0 if all replicas agree and every command was delivered exactly once, 1 if not,
# 2 for wrong input.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/release

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

# Shows how long something takes: on a terminal in one line, elsewhere now and then.
tick() {
  local started=$SECONDS every=10 begin='' end='\n' pause
  if [[ -t 1 ]]; then every=0.5 begin='\r\033[K' end=''; fi
  trap 'kill "$pause"; exit' TERM
  while true; do
    sleep "$every" >/dev/null &
    pause=$!
    wait "$pause"
    printf "$begin%s: %d s$end" "$1" $((SECONDS - started))
  done
}

# quietly WHAT COMMAND...: shows what it is about and how long that takes; if it fails, all of it.
quietly() {
  local log=$build/quickstart.log status=0
  tick "$1" &
  trap "kill $! 2>/dev/null || true" EXIT
  shift
  "$@" >"$log" 2>&1 || status=$?
  kill $! && wait $! || true
  trap - EXIT
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
  ((status == 0)) || { cat "$log" >&2; echo "error: this failed: $*" >&2; return 1; }
}

build_programs() {
  source "$root/examples/packages.sh"
  install_packages "${build_packages[@]}"
  mkdir -p "$build"
  [[ -f $build/build.ninja ]] || quietly configuring cmake -S "$root" --preset release
  [[ -x $build/bin/mirbft-quickstart ]] || echo "building in build/release, about a minute"
  quietly building cmake --build "$build" --target mirbft-replica mirbft-quickstart
}

case ${1-} in
  -h | --help) usage; exit 0 ;;
esac
build_programs </dev/null
if (($# == 0)); then set -- "$root/examples/quickstart/commands.txt"; fi
exec "$build/bin/mirbft-quickstart" "$@"
