// A database that is asked as a client asks it: lines in, replies as text out.
#ifndef MIRBFT_TESTS_REDIS_DATABASE_HPP
#define MIRBFT_TESTS_REDIS_DATABASE_HPP

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/wire/codec.hpp>

#include "../../examples/redis/database.hpp"
#include "../../examples/redis/inline_command.hpp"

namespace redis {

inline Step step(std::string_view line, std::uint32_t database = 0, std::uint32_t protocol = 2) {
  Step made{database, protocol, {}};
  const std::vector<std::string> words = split_inline(line).value();
  for (const std::string& word : words) made.arguments.emplace_back(std::string_view(word));
  return made;
}

/// The bytes of the reply, with `|` for each line's end.
inline std::string shown(const mirbft::Bytes& reply) {
  std::string text;
  for (const char letter : reply.text())
    if (letter == '\n') text += '|';
    else if (letter != '\r') text += letter;
  return text;
}

/// Applies requests, one after the other, at `time`.
struct Asked {
  Database database;
  std::uint64_t time = 1'000'000;
  mirbft::SeqNr sn;

  std::vector<mirbft::Bytes> apply(const Order& order) {
    const mirbft::Request request{mirbft::ClientId(0), mirbft::ReqNo(0),
                                  mirbft::wire::encode(order), {}};
    ++sn;
    const auto results = database.apply(sn, std::span(&request, 1));
    return mirbft::wire::decode<Replies>(results.at(0), mirbft::wire::Form::canonical)
        .value()
        .replies;
  }
  std::string operator()(std::string_view line, std::uint32_t protocol = 2,
                         std::uint32_t number = 0) {
    return shown(apply({time, {step(line, number, protocol)}}).at(0));
  }
};

}  // namespace redis

#endif
