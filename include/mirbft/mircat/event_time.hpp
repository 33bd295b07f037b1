// When an event was, also in a log that does not say so.
#ifndef MIRBFT_MIRCAT_EVENT_TIME_HPP
#define MIRBFT_MIRCAT_EVENT_TIME_HPP

#include <cstdint>
#include <map>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/meaning.hpp>

namespace mirbft::mircat {

/// The time of events: the log's own, or, in a log that does not know it, the last Tick's, or how
/// many events there were.
class EventTime {
 public:
  std::uint64_t of(const Found& found, const Meaning& meaning,
                   const google::protobuf::Message& message) {
    if (found.event.time != 0) return found.event.time;
    std::uint64_t& last = last_[found.node.value];
    if (meaning.mark != Mark::tick) return last != 0 ? last : found.event.index;
    const auto* now = message.GetDescriptor()->FindFieldByName("now");
    if (now && !now->is_repeated() &&
        now->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_INT64)
      last = static_cast<std::uint64_t>(message.GetReflection()->GetInt64(message, now));
    return last;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> last_;
};

}  // namespace mirbft::mircat

#endif
