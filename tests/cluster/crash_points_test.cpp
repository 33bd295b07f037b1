// One replica of four crashes at a point, is restarted on its disk, and nothing is lost: for the
// points one after another.
//
// What a replica does shows outside as frames that it sends and as what stands on its disk: a crash
// elsewhere looks like one at a boundary of its lists of events. So these are the points: before
// each list, before each operation of the disk, before each frame. The test cases stride through
// them; those that take every point, in every way, are skipped unless they are asked for:
//
//   build/release/tests/cluster_test -tc="every *" --no-skip
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

#include <doctest/doctest.h>

#include "../sim/iss_cluster.hpp"
#include "../support/sanitized.hpp"

namespace mirbft::crash_points_test {
namespace {

using namespace std::chrono_literals;

using Cluster = sim::Cluster<testing::CheckedIss>;

enum class Before : std::uint8_t { list, disk_operation, frame };

/// Where a replica crashes, what that leaves of its disk, and how long it is away.
struct Point {
  std::uint64_t seed = 1;
  Before before = Before::list;
  std::uint64_t number = 0;
  NodeId victim;
  sim::Tail tail = sim::Tail::lost;
  sim::Time away{};
};
std::ostream& operator<<(std::ostream& out, const Point& point) {
  constexpr const char* names[] = {"list", "disk operation", "frame"};
  constexpr const char* tails[] = {"kept", "drawn", "lost"};
  return out << "seed " << point.seed << ": node " << point.victim.value << " crashes before its "
             << names[static_cast<std::size_t>(point.before)] << ' ' << point.number
             << ", its tail is " << tails[static_cast<std::size_t>(point.tail)]
             << ", and it is away for " << point.away / 1ms << " ms";
}

constexpr std::uint64_t clients = 2;
constexpr std::uint64_t requests = 6;

/// Epochs of eight slots: so few requests fill more than two of them.
IssConfig protocol() {
  IssConfig config = testing::iss_config(4);
  config.epoch_length = 8;
  config.max_batch_requests = 1;
  return config;
}

class Course {
 public:
  explicit Course(const Point& point)
      : cluster_(config_of(point),
                 testing::iss_modules<testing::CheckedIss>(protocol()),
                 testing::iss_checks(protocol())) {
    for (std::uint64_t client = 0; client < clients; ++client)
      cluster_.add_client({.id = ClientId(client),
                           .requests = requests,
                           .open = 2,
                           .rest = 2ms,
                           .body = testing::command});
  }

  Cluster& cluster() noexcept { return cluster_; }

  void arm(const Point& point) {
    switch (point.before) {
      case Before::list: return cluster_.crash_after(point.victim, point.number);
      case Before::disk_operation: return cluster_.disk(point.victim).fail_after(point.number);
      case Before::frame: return cluster_.crash_after_frames(point.victim, point.number);
    }
  }
  /// Goes on until the replica is gone; false if all was done before.
  bool crashes(NodeId victim) {
    (void)cluster_.run_until([&] { return !cluster_.is_up(victim) || is_done(); }, 60s, 1ms);
    return !cluster_.is_up(victim);
  }
  /// Lets the rest happen. All must get done, and no rule be broken.
  void finish(const Point& point) {
    (void)cluster_.run_for(point.away);
    cluster_.heal();
    cluster_.restart(point.victim);
    CHECK(cluster_.run_until([&] { return is_done(); }, 60s));
    cluster_.checks().ended(cluster_.findings());
    for (const sim::Finding& finding : cluster_.findings().all()) FAIL_CHECK(finding.text);
    CHECK(cluster_.checks().template get<sim::TotalOrder>().requests() == clients * requests);
    CHECK(cluster_.checks().template get<sim::EpochsAgree<>>().epochs() >= 2);
  }

 private:
  static sim::ClusterConfig config_of(const Point& point) {
    sim::ClusterConfig config;
    config.seed = point.seed;
    config.tail = point.tail;
    return config;
  }
  bool is_done() {
    return cluster_.clients_done() && cluster_.agree(cluster_.members()) &&
           std::ranges::all_of(cluster_.members(), [&](NodeId id) {
             return cluster_[id].status().protocol.stable_checkpoints >= 2;
           });
  }

  Cluster cluster_;
};

/// False if there is no such point: all is done before.
bool crash_at(const Point& point) {
  CAPTURE(point);
  Course course(point);
  course.arm(point);
  if (!course.crashes(point.victim)) return false;
  course.finish(point);
  return true;
}

/// The replica crashes amid its work, and at the point when it comes back from that.
bool crash_again_at(const Point& point) {
  CAPTURE(point);
  Course course(point);
  Point first = point;
  first.before = Before::list;
  first.number = 400;
  course.arm(first);
  REQUIRE(course.crashes(point.victim));
  course.arm(point);
  course.cluster().restart(point.victim);
  if (!course.crashes(point.victim)) return false;
  course.finish(point);
  return true;
}

constexpr sim::Time absences[] = {0ms, 200ms, 4s};
constexpr sim::Tail tails[] = {sim::Tail::lost, sim::Tail::kept};

/// Takes every `stride`-th point of every replica, in turn with each absence and tail. Returns how
/// many there are, roughly.
template <class CrashAt>
std::uint64_t walk(Before before, std::uint64_t stride, CrashAt crash_at_point) {
  constexpr std::uint64_t part = testing::sanitized ? 7 : 1;
  stride *= part;
  std::uint64_t points = 0;
  for (std::uint64_t victim = 0; victim < 4; ++victim)
    for (std::uint64_t number = victim % stride;; number += stride, ++points)
      if (!crash_at_point(Point{.seed = 1,
                                .before = before,
                                .number = number,
                                .victim = NodeId(victim),
                                .tail = tails[points % 2],
                                .away = absences[points % 3]}))
        break;
  return points * part;
}

/// Takes every point of every replica, with each absence and tail, in so many courses of events.
std::uint64_t walk_all(Before before, std::uint64_t seeds) {
  std::uint64_t points = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    for (std::uint64_t victim = 0; victim < 4; ++victim)
      for (const sim::Tail tail : tails)
        for (const sim::Time away : absences)
          for (std::uint64_t number = 0; crash_at({.seed = seed,
                                                   .before = before,
                                                   .number = number,
                                                   .victim = NodeId(victim),
                                                   .tail = tail,
                                                   .away = away});
               ++number)
            ++points;
  return points;
}

}  // namespace

TEST_CASE("a replica crashes between any two of its lists of events") {
  CHECK(walk(Before::list, 2, crash_at) > 1200);
}
TEST_CASE("a replica crashes at any operation of its disk, with and without what is not synced") {
  CHECK(walk(Before::disk_operation, 1, crash_at) > 1000);
}
TEST_CASE("a replica crashes before any of its frames, amid a list of them") {
  CHECK(walk(Before::frame, 1, crash_at) > 500);
}
TEST_CASE("a replica crashes again while it recovers") {
  CHECK(walk(Before::disk_operation, 5, crash_again_at) > 80);
  CHECK(walk(Before::list, 10, crash_again_at) > 80);
}

TEST_CASE("every list of events" * doctest::skip()) {
  MESSAGE(walk_all(Before::list, 5), " crashes");
}
TEST_CASE("every operation of the disk" * doctest::skip()) {
  MESSAGE(walk_all(Before::disk_operation, 5), " crashes");
}
TEST_CASE("every frame" * doctest::skip()) { MESSAGE(walk_all(Before::frame, 5), " crashes"); }
TEST_CASE("every operation and list after a restart" * doctest::skip()) {
  MESSAGE(walk(Before::disk_operation, 1, crash_again_at), " crashes");
  MESSAGE(walk(Before::list, 1, crash_again_at), " crashes");
}

}  // namespace mirbft::crash_points_test
