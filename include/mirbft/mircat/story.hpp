// What the logs of a cluster tell, put together: events and messages to draw, slots, latencies,
// findings.
#ifndef MIRBFT_MIRCAT_STORY_HPP
#define MIRBFT_MIRCAT_STORY_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/message.h>

#include <mirbft/mircat/event_time.hpp>
#include <mirbft/mircat/findings.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/latencies.hpp>
#include <mirbft/mircat/matching.hpp>
#include <mirbft/mircat/meaning.hpp>
#include <mirbft/mircat/short_json.hpp>
#include <mirbft/mircat/slots.hpp>

namespace mirbft::mircat {

/// An event as it is drawn.
struct StoryEvent {
  std::uint64_t node = 0;
  std::uint64_t index = 0;
  std::uint64_t time = 0;
  std::uint8_t slot = 0;
  Direction direction = Direction::local;
  Phase reached = Phase::none;
  std::string type;
  std::string message;
  std::optional<std::uint64_t> sn;
  /// Its fields, and those of the message that is sent or received.
  std::string fields;
  std::string body;
};

/// A message from one event to another; of what is lost, `to` is a node.
struct StoryArrow {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

/// Where a log begins and ends, and how much of it there is.
struct StoryNode {
  std::uint64_t events = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::vector<std::string> files;
};

/// Which of too many events are kept.
enum class Keep : std::uint8_t { first, last };

/// Takes the events of all logs in their order. Slots, latencies and findings are of all of them;
/// of the events themselves at most `limit` are kept, to be drawn.
class Story {
 public:
  using Events = std::deque<std::pair<std::uint64_t, StoryEvent>>;

  Story(std::size_t limit, Keep keep) : limit_(std::max<std::size_t>(limit, 1)), keep_(keep) {}

  void add_node(std::uint64_t node, std::string file) {
    nodes_[node].files.push_back(std::move(file));
    slots_.add_node(node);
  }

  /// `is_drawn` says whether it passes the filter of what is to be drawn.
  template <class IsDrawn>
  void add(const Found& found, IsDrawn&& is_drawn) {
    const google::protobuf::Message& message = found.printer->parse(found.event);
    const Meaning meaning = meaning_of(message, found.event.payload.view());
    const std::uint64_t node = found.node.value;
    const Moment moment{time_.of(found, meaning, message), total_++};
    StoryNode& seen = nodes_[node];
    if (seen.events++ == 0) seen.first = moment.time;
    seen.last = moment.time;
    slots_.add(node, moment, meaning, [this](Phase before, Phase now, auto duration) {
      latencies_.add_phase(before, now, duration);
    });
    latencies_.add(node, moment.time, meaning);
    if (is_drawn(found)) keep(found, moment, meaning);
    match(node, moment.event, meaning);
    findings_.add(found, moment, meaning);
  }

  /// After the last event.
  void finish() {
    matcher_.for_each_lost([this](const auto& key, std::uint64_t event) {
      if (!nodes_.contains(key.to)) return;
      lost_.push_back({event, key.to});
      findings_.lost(key.from, key.to);
    });
    drop_arrows_of_others();
  }

  /// The events to draw, and what number each has among all of them, ascending.
  const Events& events() const noexcept { return events_; }
  const std::vector<StoryArrow>& arrows() const noexcept { return arrows_; }
  const std::vector<StoryArrow>& lost() const noexcept { return lost_; }
  const std::map<std::uint64_t, StoryNode>& nodes() const noexcept { return nodes_; }
  const SlotTable& slots() const noexcept { return slots_; }
  const Latencies& latencies() const noexcept { return latencies_; }
  std::vector<Finding> findings() const { return findings_.all(slots_); }
  /// How many events there were, and how many messages that arrived.
  std::uint64_t total() const noexcept { return total_; }
  std::uint64_t matched() const noexcept { return matched_; }
  /// How many events would be drawn if there were no limit.
  std::uint64_t wanted() const noexcept { return wanted_; }

  /// The place of an event among those that are drawn.
  std::optional<std::size_t> place_of(std::uint64_t event) const {
    const auto found = std::ranges::lower_bound(events_, event, {}, Number{});
    if (found == events_.end() || found->first != event) return std::nullopt;
    return static_cast<std::size_t>(found - events_.begin());
  }

 private:
  struct Number {
    std::uint64_t operator()(const Events::value_type& event) const { return event.first; }
  };

  void match(std::uint64_t node, std::uint64_t event, const Meaning& meaning) {
    const auto arrived = [&](std::uint64_t from, std::uint64_t to) {
      arrows_.push_back({from, to});
      ++matched_;
    };
    if (meaning.direction == Direction::sent) {
      for (const std::uint64_t peer : meaning.peers) {
        if (nodes_.contains(peer)) findings_.sent(node, peer);
        if (const auto receipt = matcher_.sent({node, peer, meaning.content}, event))
          arrived(event, *receipt);
      }
    } else if (meaning.direction == Direction::received && meaning.peers.front() != node) {
      if (const auto sending = matcher_.received({meaning.peers.front(), node, meaning.content},
                                                 event))
        arrived(*sending, event);
    }
    if (arrows_.size() > 16 * limit_ + (std::size_t{1} << 20)) drop_arrows_of_others();
  }

  void keep(const Found& found, Moment moment, const Meaning& meaning) {
    ++wanted_;
    if (events_.size() == limit_) {
      if (keep_ == Keep::first) return;
      events_.pop_front();
    }
    const google::protobuf::Message& message = found.printer->parse(found.event);
    StoryEvent event{found.node.value, found.event.index, moment.time,
                     static_cast<std::uint8_t>(found.event.slot.index()), meaning.direction,
                     meaning.reached, std::string(meaning.type), std::string(meaning.message),
                     meaning.sn, {}, {}};
    if (meaning.direction == Direction::local) {
      event.fields = short_json(message);
    } else {
      event.fields = short_json(message, "message");
      event.body = short_json_of_field(message, "message");
    }
    events_.emplace_back(moment.event, std::move(event));
  }

  void drop_arrows_of_others() {
    std::erase_if(arrows_, [this](const StoryArrow& arrow) {
      return !place_of(arrow.from) || !place_of(arrow.to);
    });
    std::erase_if(lost_, [this](const StoryArrow& arrow) { return !place_of(arrow.from); });
  }

  std::size_t limit_;
  Keep keep_;
  EventTime time_;
  MessageMatcher<std::uint64_t> matcher_;
  SlotTable slots_;
  Latencies latencies_;
  Findings findings_;
  std::map<std::uint64_t, StoryNode> nodes_;
  Events events_;
  std::vector<StoryArrow> arrows_;
  std::vector<StoryArrow> lost_;
  std::uint64_t total_ = 0;
  std::uint64_t matched_ = 0;
  std::uint64_t wanted_ = 0;
};

}  // namespace mirbft::mircat

#endif
