// What a log on disk needs of a file system: one directory, and its files.
#ifndef MIRBFT_MODULES_FILES_FILES_HPP
#define MIRBFT_MODULES_FILES_FILES_HPP

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <mirbft/types/bytes.hpp>

namespace mirbft {

/// An open file. It stays usable when it is renamed or removed. Each call does all that it says or
/// throws ModuleFailure, which names operation, file and reason.
///
/// What was written is durable after `sync`. A crash before that leaves of each sector of 512 bytes
/// either what was there or what was written; after a `sync` that failed, nobody knows.
template <class F>
concept IsFile = std::movable<F> && requires(F& file, const F& seen, std::uint64_t offset,
                                             ByteView bytes, std::span<std::uint8_t> into) {
  { seen.size() } -> std::same_as<std::uint64_t>;
  seen.read(offset, into);
  file.write(offset, bytes);
  file.sync();
};

/// An open directory, which nobody else has open for as long as this object lives. `create` makes a
/// file of `size` zeros, with their space reserved, and fails if there is one of that name. `list`
/// returns the names of all files in ascending order. Which names there are is durable after
/// `sync`. `path` says what people call a file. `salt` is a number that stale bytes of this disk
/// were never written with.
template <class F>
concept IsFiles = std::movable<F> && IsFile<typename F::File> &&
                  requires(F& files, const std::string& name, std::uint64_t size) {
                    { files.list() } -> std::same_as<std::vector<std::string>>;
                    { files.create(name, size) } -> std::same_as<typename F::File>;
                    { files.open(name) } -> std::same_as<typename F::File>;
                    files.rename(name, name);
                    files.remove(name);
                    files.sync();
                    { files.path(name) } -> std::same_as<std::string>;
                    { files.salt() } -> std::same_as<std::uint64_t>;
                  };

/// `stem` with the lowest number from 1 on behind it that makes a name which is not taken.
template <IsFiles Files>
std::string numbered_name(Files& files, const std::string& stem) {
  const std::vector<std::string> taken = files.list();
  for (std::uint64_t number = 1;; ++number) {
    std::string name = stem + std::to_string(number);
    if (!std::ranges::binary_search(taken, name)) return name;
  }
}

}  // namespace mirbft

#endif
