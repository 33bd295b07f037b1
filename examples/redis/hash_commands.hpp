// HSET, HGET, HDEL and HGETALL.
#ifndef MIRBFT_EXAMPLES_REDIS_HASH_COMMANDS_HPP
#define MIRBFT_EXAMPLES_REDIS_HASH_COMMANDS_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include "call.hpp"

namespace redis {

inline void hset(Call& call) {
  if (call.size() % 2 != 0) return call.reply.error(error::wrong_arity(call.name));
  Hash* hash = nullptr;
  if (!call.obtain(hash)) return;
  std::int64_t added = 0;
  for (std::size_t at = 2; at < call.size(); at += 2)
    added += hash->insert_or_assign(std::string(call[at]), std::string(call[at + 1])).second;
  call.reply.integer(added);
}

inline void hget(Call& call) {
  const Hash* hash = nullptr;
  if (!call.find(hash)) return;
  if (!hash) return call.reply.null();
  const auto field = hash->find(call[2]);
  field == hash->end() ? call.reply.null() : call.reply.bulk(field->second);
}

inline void hdel(Call& call) {
  Hash* hash = nullptr;
  if (!call.change(hash)) return;
  std::int64_t removed = 0;
  for (std::size_t at = 2; hash && at < call.size(); ++at) {
    const auto field = hash->find(call[at]);
    if (field == hash->end()) continue;
    hash->erase(field);
    ++removed;
  }
  if (hash) call.erase_if_empty(*hash);
  call.reply.integer(removed);
}

inline void hgetall(Call& call) {
  const Hash* hash = nullptr;
  if (!call.find(hash)) return;
  call.reply.map(hash ? hash->size() : 0);
  if (!hash) return;
  for (const auto& [field, value] : *hash) {
    if (call.reply.overflowed()) return;
    call.reply.bulk(field);
    call.reply.bulk(value);
  }
}

}  // namespace redis

#endif
