// Replies as Redis' protocol has them, in its second and its third version.
#ifndef MIRBFT_EXAMPLES_REDIS_REPLY_WRITER_HPP
#define MIRBFT_EXAMPLES_REDIS_REPLY_WRITER_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "numbers.hpp"

namespace redis {

/// The version of the protocol that a connection speaks; HELLO changes it.
enum class Protocol : std::uint8_t { resp2 = 2, resp3 = 3 };

/// Appends replies to a text, up to `most` bytes; what goes beyond is dropped, and `overflowed()`
/// from then on: nobody can make the writer hold more, whatever he asks for.
///
/// After `array(n)`, `set(n)` or `map(n)` come that many elements, or pairs of them, each a reply.
class ReplyWriter {
 public:
  explicit ReplyWriter(Protocol protocol,
                       std::size_t most = std::numeric_limits<std::size_t>::max())
      : protocol_(protocol), most_(most) {}

  Protocol protocol() const noexcept { return protocol_; }
  void use(Protocol protocol) noexcept { protocol_ = protocol; }

  void simple(std::string_view text) { line('+', text); }
  void ok() { simple("OK"); }
  /// `text` begins with the error's code, such as ERR. What would end the line becomes a blank.
  void error(std::string_view text) {
    std::string safe(text);
    for (char& letter : safe)
      if (letter == '\r' || letter == '\n') letter = ' ';
    line('-', safe);
  }
  void integer(std::int64_t number) { line(':', std::to_string(number)); }
  void bulk(std::string_view text) {
    count('$', text.size());
    put(text);
    put("\r\n");
  }
  /// Text for people: a kind of its own in the third version.
  void verbatim(std::string_view text) {
    if (protocol_ == Protocol::resp2) return bulk(text);
    count('=', text.size() + 4);
    put("txt:");
    put(text);
    put("\r\n");
  }
  void real(double number) {
    if (protocol_ == Protocol::resp2) return bulk(text_of(number));
    line(',', text_of(number));
  }
  void null() { put(protocol_ == Protocol::resp2 ? "$-1\r\n" : "_\r\n"); }
  void null_array() { put(protocol_ == Protocol::resp2 ? "*-1\r\n" : "_\r\n"); }

  void array(std::size_t size) { count('*', size); }
  void set(std::size_t size) { count(protocol_ == Protocol::resp2 ? '*' : '~', size); }
  void map(std::size_t pairs) {
    protocol_ == Protocol::resp2 ? count('*', 2 * pairs) : count('%', pairs);
  }

  /// Whoever has a long reply to write may stop here.
  bool overflowed() const noexcept { return overflowed_; }
  /// What has been written since the last time.
  std::string take() { return std::exchange(text_, {}); }

 private:
  void line(char kind, std::string_view text) {
    put({&kind, 1});
    put(text);
    put("\r\n");
  }
  void count(char kind, std::size_t size) { line(kind, std::to_string(size)); }
  void put(std::string_view text) {
    overflowed_ = overflowed_ || text.size() > most_ - text_.size();
    if (!overflowed_) text_ += text;
  }

  Protocol protocol_;
  std::size_t most_;
  bool overflowed_ = false;
  std::string text_;
};

}  // namespace redis

#endif
