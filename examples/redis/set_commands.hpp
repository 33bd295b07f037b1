// SADD, SREM, SPOP, SMEMBERS and SISMEMBER.
#ifndef MIRBFT_EXAMPLES_REDIS_SET_COMMANDS_HPP
#define MIRBFT_EXAMPLES_REDIS_SET_COMMANDS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "call.hpp"

namespace redis {

inline void sadd(Call& call) {
  Set* set = nullptr;
  if (!call.obtain(set)) return;
  std::int64_t added = 0;
  for (std::size_t at = 2; at < call.size(); ++at) added += set->insert(call[at]);
  call.reply.integer(added);
}

inline void srem(Call& call) {
  Set* set = nullptr;
  if (!call.change(set)) return;
  std::int64_t removed = 0;
  for (std::size_t at = 2; set && at < call.size(); ++at) removed += set->erase(call[at]);
  if (set) call.erase_if_empty(*set);
  call.reply.integer(removed);
}

inline void spop(Call& call) {
  if (call.size() > 3) return call.reply.error(error::syntax);
  const bool has_count = call.size() == 3;
  std::int64_t most = 1;
  Set* set = nullptr;
  if ((has_count && !call.read_count(2, most)) || !call.change(set)) return;
  if (!set) return has_count ? call.reply.set(0) : call.reply.null();
  const std::size_t count = std::min(static_cast<std::size_t>(most), set->size());
  if (has_count) call.reply.set(count);
  for (std::size_t popped = 0; popped < count; ++popped) {
    const std::string member = (*set)[call.random.below(set->size())];
    set->erase(member);
    call.reply.bulk(member);
  }
  call.erase_if_empty(*set);
}

inline void smembers(Call& call) {
  const Set* set = nullptr;
  if (!call.find(set)) return;
  call.reply.set(set ? set->size() : 0);
  for (std::size_t at = 0; set && at < set->size() && !call.reply.overflowed(); ++at)
    call.reply.bulk((*set)[at]);
}

inline void sismember(Call& call) {
  const Set* set = nullptr;
  if (call.find(set)) call.reply.integer(set && set->contains(call[2]));
}

}  // namespace redis

#endif
