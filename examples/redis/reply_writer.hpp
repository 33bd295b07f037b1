// Replies as Redis' protocol has them, in its second and its third version.
#ifndef MIRBFT_EXAMPLES_REDIS_REPLY_WRITER_HPP
#define MIRBFT_EXAMPLES_REDIS_REPLY_WRITER_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "numbers.hpp"

namespace redis {

/// The version of the protocol that a connection speaks; HELLO changes it.
enum class Protocol : std::uint8_t { resp2 = 2, resp3 = 3 };

/// Appends replies to a text. After `array(n)`, `set(n)` or `map(n)` come that many elements, or
/// pairs of them, each a reply.
class ReplyWriter {
 public:
  explicit ReplyWriter(Protocol protocol) : protocol_(protocol) {}

  Protocol protocol() const noexcept { return protocol_; }
  void use(Protocol protocol) noexcept { protocol_ = protocol; }

  void simple(std::string_view text) { line('+', text); }
  void ok() { simple("OK"); }
  /// `text` begins with the error's code, such as ERR. What would end the line becomes a blank.
  void error(std::string_view text) {
    text_ += '-';
    for (const char letter : text) text_ += letter == '\r' || letter == '\n' ? ' ' : letter;
    text_ += "\r\n";
  }
  void integer(std::int64_t number) { line(':', std::to_string(number)); }
  void bulk(std::string_view text) {
    count('$', text.size());
    text_.append(text).append("\r\n");
  }
  /// Text for people: a kind of its own in the third version.
  void verbatim(std::string_view text) {
    if (protocol_ == Protocol::resp2) return bulk(text);
    count('=', text.size() + 4);
    text_.append("txt:").append(text).append("\r\n");
  }
  void real(double number) {
    if (protocol_ == Protocol::resp2) return bulk(text_of(number));
    line(',', text_of(number));
  }
  void null() { text_ += protocol_ == Protocol::resp2 ? "$-1\r\n" : "_\r\n"; }
  void null_array() { text_ += protocol_ == Protocol::resp2 ? "*-1\r\n" : "_\r\n"; }

  void array(std::size_t size) { count('*', size); }
  void set(std::size_t size) { count(protocol_ == Protocol::resp2 ? '*' : '~', size); }
  void map(std::size_t pairs) {
    protocol_ == Protocol::resp2 ? count('*', 2 * pairs) : count('%', pairs);
  }

  /// What has been written since the last time.
  std::string take() { return std::exchange(text_, {}); }

 private:
  void line(char kind, std::string_view text) {
    text_ += kind;
    text_.append(text).append("\r\n");
  }
  void count(char kind, std::size_t size) { line(kind, std::to_string(size)); }

  Protocol protocol_;
  std::string text_;
};

}  // namespace redis

#endif
