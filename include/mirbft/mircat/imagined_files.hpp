// A directory as it would be after changes that are only imagined: the disk keeps what it has.
#ifndef MIRBFT_MIRCAT_IMAGINED_FILES_HPP
#define MIRBFT_MIRCAT_IMAGINED_FILES_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// What has become of a file: the one on the disk, if it is there, and what was written over it.
template <class File>
struct ImaginedContent {
  std::string origin;
  std::optional<File> base;
  std::uint64_t size = 0;
  std::vector<std::pair<std::uint64_t, std::vector<std::uint8_t>>> writes;
};

/// An open file of an ImaginedFiles.
template <class Base>
class ImaginedFile {
 public:
  explicit ImaginedFile(std::shared_ptr<ImaginedContent<Base>> content) noexcept
      : content_(std::move(content)) {}

  std::uint64_t size() const noexcept { return content_->size; }

  void read(std::uint64_t offset, std::span<std::uint8_t> into) const {
    if (offset > size() || into.size() > size() - offset)
      throw ModuleFailure("cannot read " + content_->origin + ": it ends too early");
    std::ranges::fill(into, std::uint8_t{0});
    if (content_->base) read_base(offset, into);
    for (const auto& [begin, bytes] : content_->writes) {
      const std::uint64_t from = std::max(begin, offset);
      const std::uint64_t to = std::min(begin + bytes.size(), offset + into.size());
      if (from < to)
        std::ranges::copy(ByteView(bytes).subspan(from - begin, to - from),
                          into.subspan(from - offset).begin());
    }
  }
  void write(std::uint64_t offset, ByteView bytes) {
    content_->size = std::max(content_->size, offset + bytes.size());
    content_->writes.emplace_back(offset, std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  }
  void sync() const noexcept {}

 private:
  void read_base(std::uint64_t offset, std::span<std::uint8_t> into) const {
    const std::uint64_t end = content_->base->size();
    if (offset < end)
      content_->base->read(offset, into.first(std::min<std::uint64_t>(into.size(), end - offset)));
  }

  std::shared_ptr<ImaginedContent<Base>> content_;
};

/// Begins as `files`, which outlives it, and never changes them. Of a file that is only read
/// nothing is kept in memory.
template <IsFiles Files>
class ImaginedFiles {
  using Content = ImaginedContent<typename Files::File>;

 public:
  using File = ImaginedFile<typename Files::File>;

  explicit ImaginedFiles(Files& files) : files_(&files) {
    for (std::string& name : files.list()) {
      auto content = std::make_shared<Content>();
      content->origin = name;
      contents_.emplace(std::move(name), std::move(content));
    }
  }

  std::vector<std::string> list() const {
    std::vector<std::string> names;
    for (const auto& entry : contents_) names.push_back(entry.first);
    return names;
  }
  File create(const std::string& name, std::uint64_t size) {
    if (contents_.contains(name)) refuse("create", name, "there is one already");
    auto content = std::make_shared<Content>();
    content->size = size;
    contents_.emplace(name, content);
    return File(std::move(content));
  }
  File open(const std::string& name) {
    const auto content = existing(name)->second;
    if (!content->base && !content->origin.empty()) {
      content->base = files_->open(content->origin);
      content->size = content->base->size();
    }
    return File(content);
  }
  void rename(const std::string& from, const std::string& to) {
    const auto at = existing(from);
    auto content = std::move(at->second);
    contents_.erase(at);
    contents_.insert_or_assign(to, std::move(content));
  }
  void remove(const std::string& name) { contents_.erase(existing(name)); }
  void sync() const noexcept {}
  std::string path(const std::string& name) const { return files_->path(name); }
  std::uint64_t salt() const { return files_->salt(); }

 private:
  [[noreturn]] void refuse(const char* operation, const std::string& name, const char* why) const {
    throw ModuleFailure(std::string("cannot ") + operation + ' ' + path(name) + ": " + why);
  }
  auto existing(const std::string& name) {
    const auto found = contents_.find(name);
    if (found == contents_.end()) refuse("find", name, "there is none");
    return found;
  }

  Files* files_;
  std::map<std::string, std::shared_ptr<Content>> contents_;
};

}  // namespace mirbft::mircat

#endif
