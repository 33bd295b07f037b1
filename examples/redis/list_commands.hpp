// LPUSH, RPUSH, LPOP, RPOP, LRANGE and LLEN.
#ifndef MIRBFT_EXAMPLES_REDIS_LIST_COMMANDS_HPP
#define MIRBFT_EXAMPLES_REDIS_LIST_COMMANDS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "call.hpp"

namespace redis {

namespace detail {

enum class End : std::uint8_t { left, right };

inline void push(Call& call, End end) {
  List* list = nullptr;
  if (!call.obtain(list)) return;
  for (std::size_t at = 2; at < call.size(); ++at)
    end == End::left ? list->emplace_front(call[at]) : list->emplace_back(call[at]);
  call.reply.integer(static_cast<std::int64_t>(list->size()));
}

inline void pop_one(Call& call, List& list, End end) {
  call.reply.bulk(end == End::left ? list.front() : list.back());
  end == End::left ? list.pop_front() : list.pop_back();
}

inline void pop(Call& call, End end) {
  if (call.size() > 3) return call.reply.error(error::wrong_arity(call.name));
  const bool has_count = call.size() == 3;
  std::int64_t most = 1;
  List* list = nullptr;
  if ((has_count && !call.read_count(2, most)) || !call.change(list)) return;
  if (!list) return has_count ? call.reply.null_array() : call.reply.null();
  const std::size_t count = std::min(static_cast<std::size_t>(most), list->size());
  if (has_count) call.reply.array(count);
  for (std::size_t popped = 0; popped < count; ++popped) pop_one(call, *list, end);
  call.erase_if_empty(*list);
}

}  // namespace detail

inline void lpush(Call& call) { detail::push(call, detail::End::left); }
inline void rpush(Call& call) { detail::push(call, detail::End::right); }
inline void lpop(Call& call) { detail::pop(call, detail::End::left); }
inline void rpop(Call& call) { detail::pop(call, detail::End::right); }

inline void llen(Call& call) {
  const List* list = nullptr;
  if (call.find(list)) call.reply.integer(list ? static_cast<std::int64_t>(list->size()) : 0);
}

inline void lrange(Call& call) {
  std::int64_t first = 0;
  std::int64_t last = 0;
  const List* list = nullptr;
  if (!call.read(2, first) || !call.read(3, last) || !call.find(list)) return;
  const Places places(first, last, list ? list->size() : 0);
  call.reply.array(places.count);
  for (std::size_t at = 0; at < places.count && !call.reply.overflowed(); ++at)
    call.reply.bulk((*list)[places.first + at]);
}

}  // namespace redis

#endif
