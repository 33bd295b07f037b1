// The smallest useful App: a replicated counter, and the example of writing one.
#ifndef MIRBFT_MODULES_APP_COUNTER_HPP
#define MIRBFT_MODULES_APP_COUNTER_HPP

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// Adds up: the body "add N" counts N, any other counts one. The reply is the new value as text.
/// Sums wrap at 2^64, so that every replica agrees on every input.
class Counter {
 public:
  std::vector<Bytes> apply(SeqNr, std::span<const Request> requests) {
    std::vector<Bytes> replies;
    replies.reserve(requests.size());
    for (const Request& request : requests) {
      value_ += amount(request.data.text());
      replies.push_back(snapshot());
    }
    return replies;
  }

  Bytes snapshot() const { return Bytes(std::to_string(value_)); }

  void restore(ByteView state) {
    const auto value = number({reinterpret_cast<const char*>(state.data()), state.size()});
    if (!value) throw ModuleFailure("counter: the snapshot is not a number");
    value_ = *value;
  }

  std::uint64_t value() const noexcept { return value_; }

 private:
  static std::uint64_t amount(std::string_view body) noexcept {
    return body.starts_with("add ") ? number(body.substr(4)).value_or(1) : 1;
  }

  static std::optional<std::uint64_t> number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

  std::uint64_t value_ = 0;
};

}  // namespace mirbft

#endif
