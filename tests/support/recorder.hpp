// An `out` for tests that drive a module by hand: it records what the module emits.
#ifndef MIRBFT_TESTS_SUPPORT_RECORDER_HPP
#define MIRBFT_TESTS_SUPPORT_RECORDER_HPP

#include <algorithm>
#include <any>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::testing {

/// Events in the order in which they were emitted. Follow-ups appear behind the others when their
/// parent is taken, as they do in a Node when it has been processed.
class Recorder {
 public:
  class Emitted;

  template <class E>
  Emitted emit(E event);

  /// Takes out the oldest event of type `E`; the test fails if there is none.
  template <class E>
  E take() {
    const auto found = std::find_if(records_.begin(), records_.end(), holds<E>);
    REQUIRE_MESSAGE(found != records_.end(), "no such event was emitted");
    E event = std::any_cast<E>(std::move(found->event));
    std::vector<Record> follow_ups = std::move(found->follow_ups);
    records_.erase(found);
    std::move(follow_ups.begin(), follow_ups.end(), std::back_inserter(records_));
    return event;
  }

  /// Takes out the oldest event of any of these types, for `use(event)`. False if there is none.
  template <class... E, class Use>
  bool take_any(Use&& use) {
    const auto found = std::find_if(records_.begin(), records_.end(), [](const Record& record) {
      return (holds<E>(record) || ...);
    });
    if (found == records_.end()) return false;
    return ((holds<E>(*found) && (use(take<E>()), true)) || ...);
  }

  template <class E>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(records_.begin(), records_.end(), holds<E>));
  }
  std::size_t size() const noexcept { return records_.size(); }
  bool empty() const noexcept { return records_.empty(); }
  void clear() noexcept { records_.clear(); }

 private:
  struct Record {
    std::any event;
    std::vector<Record> follow_ups;
  };

  template <class E>
  static bool holds(const Record& record) {
    return record.event.type() == typeid(E);
  }

  /// Takes an event, or a chain of one with its own follow-ups.
  template <class E>
  static Record record(E event) {
    if constexpr (requires { event.event, event.next; }) {
      Record made{std::move(event.event), {}};
      std::apply(
          [&](auto&... next) { (made.follow_ups.push_back(record(std::move(next))), ...); },
          event.next);
      return made;
    } else {
      return {std::move(event), {}};
    }
  }

  std::vector<Record> records_;
};

class Recorder::Emitted {
 public:
  explicit Emitted(Record& parent) noexcept : parent_(parent) {}

  template <class... Next>
  void then(Next... next) {
    (parent_.follow_ups.push_back(record(std::move(next))), ...);
  }

 private:
  Record& parent_;
};

template <class E>
Recorder::Emitted Recorder::emit(E event) {
  records_.push_back(record(std::move(event)));
  return Emitted(records_.back());
}

}  // namespace mirbft::testing

#endif
