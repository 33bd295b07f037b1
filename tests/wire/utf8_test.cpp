#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <mirbft/wire/utf8.hpp>

namespace mirbft::utf8_test {

namespace {

bool is_text(std::string_view bytes) { return wire::is_utf8(bytes_of(bytes)); }

// By the definition: the shortest form of a code point that is no surrogate.
std::string utf8_of(std::uint32_t code) {
  const auto part = [code](int shift, std::uint32_t mark) {
    return static_cast<char>(mark | (shift == 0 || mark == 0x80 ? (code >> shift & 0x3f)
                                                                : code >> shift));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {part(6, 0xc0), part(0, 0x80)};
  if (code < 0x10000) return {part(12, 0xe0), part(6, 0x80), part(0, 0x80)};
  return {part(18, 0xf0), part(12, 0x80), part(6, 0x80), part(0, 0x80)};
}

}  // namespace

TEST_CASE("utf8: every code point but surrogates is text, and cut off it is not") {
  for (std::uint32_t code = 0; code <= 0x110000; code += code < 0x3000 ? 1 : 61) {
    const std::string bytes = utf8_of(code);
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    CAPTURE(code);
    REQUIRE(is_text(bytes) == (!is_surrogate && code <= 0x10ffff));
    REQUIRE(is_text("a" + bytes + "b") == is_text(bytes));
    if (bytes.size() > 1) REQUIRE_FALSE(is_text(bytes.substr(0, bytes.size() - 1)));
  }
}

TEST_CASE("utf8: overlong forms, lone continuations and bytes that never occur") {
  for (const char* bytes :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", "\x80", "\xbf", "\xff", "\xf5\x80\x80\x80", "\xc3\x28",
        "\xe2\x82\x28", "\xf0\x9f\x90\x28", "a\x80"}) {
    CAPTURE(bytes);
    CHECK_FALSE(is_text(bytes));
  }
  CHECK(is_text(""));
  CHECK(is_text(std::string_view("\0", 1)));
}

}  // namespace mirbft::utf8_test
