# Sourced by scripts: the Debian packages that this project builds with, and how to get them.

# What the programs and their tests are built with.
build_packages=(
  g++ cmake ninja-build libboost-dev libprotobuf-dev protobuf-compiler libssl-dev libsodium-dev
  libzstd-dev libcli11-dev doctest-dev libbenchmark-dev libjemalloc-dev
)
# What the other compiler, the sanitizers and the checks need besides.
check_packages=(clang libclang-rt-dev llvm lld ccache python3 binutils redis-tools librocksdb-dev)

# install_packages PACKAGE...: installs those that are missing, and is silent if none is.
install_packages() {
  local package status missing=() as_root=()
  for package in "$@"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || true
    [[ $status == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ! command -v apt-get >/dev/null; then
    echo "error: no apt-get here; install what Debian calls ${missing[*]}" >&2
    return 1
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "error: as root, run: apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null || {
    echo "error: apt-get could not install ${missing[*]}" >&2
    return 1
  }
}
