#!/usr/bin/env bash
# Installs what is missing, builds and checks everything, in stages: about 20 minutes on two cores
# where the compiler's cache is warm, 45 from nothing.
#
#   bash tests/run.sh             all stages
#   bash tests/run.sh STAGE...    only these
#   bash tests/run.sh --help      this text and the stages
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
source examples/packages.sh

stages=(
  release style single_header wiring install headers clang asan tsan single fuzz bench quickstart
)
declare -A about=(
  [release]="g++ -O2: the programs, and the tests"
  [style]="layout, layers and the shape of the text"
  [single_header]="the single header is current, and compiles alone"
  [wiring]="wirings that must not compile, and what their user reads"
  [install]="an outside project uses the package and the source tree"
  [headers]="every header compiles alone"
  [clang]="clang: the programs, and the tests that run them"
  [asan]="clang with the address and undefined behaviour sanitizers: the tests"
  [tsan]="thread sanitizer: the tests that use threads"
  [single]="tests of each room against the single header"
  [fuzz]="each fuzz target for a short while"
  [bench]="each benchmark runs"
  [quickstart]="examples/quickstart.sh: a cluster orders a file of commands"
)
checks='^(style|single_header|wiring|install|headers|bench)$'

usage() {
  sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0"
  local stage
  for stage in "${stages[@]}"; do printf '  %-14s %s\n' "$stage" "${about[$stage]}"; done
}

configure() {
  cmake --preset "$1" >build/configure.log 2>&1 || {
    cat build/configure.log
    return 1
  }
}

# build PRESET CMAKE-ARGUMENT...
build() {
  local quiet=()
  [[ -t 1 ]] || quiet=(-- --quiet)
  configure "$1" && cmake --build --preset "$@" --parallel "$(nproc)" "${quiet[@]}"
}

# run_tests PRESET CTEST-ARGUMENT...: runs them and adds them to the sums.
run_tests() {
  local status summary
  ctest --no-label-summary --preset "$@" 2>&1 | tee build/ctest.log
  status=${PIPESTATUS[0]}
  summary=$(grep -oE '[0-9]+ tests failed out of [0-9]+' build/ctest.log | tail -1)
  read -r failed _ _ _ _ total <<<"${summary:-1 tests failed out of 1}"
  failed_tests=$((failed_tests + failed))
  passed_tests=$((passed_tests + total - failed))
  ((status == 0)) || echo "one of them again: ctest --preset $1 -R '^NAME\$'"
  return "$status"
}

run_stage() {
  case $1 in
    release) build release && run_tests release --label-exclude "$checks" ;;
    clang) build clang --target programs && run_tests clang -R '^(examples/|quickstart/programs)' ;;
    asan | tsan | single | fuzz) build "$1" && run_tests "$1" ;;
    bench) build release && run_tests release --label-regex '^bench$' ;;
    style | single_header | wiring | install | headers)
      configure release && run_tests release --label-regex "^$1\$" ;;
    quickstart) bash examples/quickstart.sh && passed_tests=$((passed_tests + 1)) ;;
  esac
}

chosen=("$@")
for stage in "$@"; do
  [[ $stage == -h || $stage == --help ]] && { usage; exit 0; }
  [[ -v about[$stage] ]] || { echo "error: no stage '$stage'; --help lists them" >&2; exit 2; }
done
(($#)) || chosen=("${stages[@]}")

mkdir -p build
install_packages "${build_packages[@]}" "${check_packages[@]}" || exit 1
passed_tests=0 failed_tests=0 failed_stages=() report=()
for stage in "${chosen[@]}"; do
  printf '\n== %s: %s\n' "$stage" "${about[$stage]}"
  started=$SECONDS failed_before=$failed_tests outcome=passed
  run_stage "$stage" || {
    outcome=FAILED failed_stages+=("$stage")
    # A build that fails has no tests to count.
    ((failed_tests > failed_before)) || failed_tests=$((failed_tests + 1))
  }
  report+=("$(printf '%-14s %-6s %4d s' "$stage" "$outcome" $((SECONDS - started)))")
  echo "== ${report[-1]}"
done

printf '\n'
printf '%s\n' "${report[@]}"
((${#failed_stages[@]} == 0)) || echo "again: bash tests/run.sh ${failed_stages[*]}"
echo "$passed_tests passed, $failed_tests failed"
((failed_tests == 0))
