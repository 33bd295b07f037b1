// Random submissions, answers in any order, deliveries and windows, against what must always hold.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/tracker/client_tracker.hpp>

#include "../../support/tracker_fixture.hpp"

namespace mirbft::client_tracker_random_test {

using mirbft::testing::digest_of;
using mirbft::testing::Recorder;

namespace {

using Number = std::pair<ClientId, ReqNo>;

TrackerConfig tight_config() {
  TrackerConfig config;
  config.cluster = Bytes("test");
  config.window = 40;
  config.max_request_bytes = 100;
  config.max_pending_bytes = 20'000;
  config.max_clients = 5;
  config.reply_cache_bytes = 300;
  return config;
}

/// One run of a Tracker whose surroundings are drawn from a seed.
class Run {
 public:
  explicit Run(std::uint64_t seed) : random_(seed) {}

  void step() {
    switch (below(10)) {
      case 0:
      case 1:
      case 2: submit(); break;
      case 3:
      case 4:
      case 5: answer_hash(); break;
      case 6:
      case 7: answer_signature(); break;
      case 8: deliver(); break;
      default:
        if (below(10) == 0) move_windows();
    }
    look();
  }

  /// Answers all questions and delivers all that is admitted: every submission must be answered.
  void finish() {
    while (!hashes_.empty() || !verifications_.empty()) {
      answer_hash();
      answer_signature();
      look();
    }
    CHECK(tracker_.status().checking == 0);
    while (!admitted_.empty()) {
      deliver();
      look();
    }
    CHECK(tracker_.status().pending == 0);
    CHECK(tracker_.status().pending_bytes == 0);
    CHECK(waiting_.empty());
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  template <class T>
  T draw(std::vector<T>& from) {
    const auto at = from.begin() + static_cast<std::ptrdiff_t>(below(from.size()));
    T drawn = std::move(*at);
    from.erase(at);
    return drawn;
  }

  void submit() {
    const Number number{ClientId(below(8)), ReqNo(below(100))};
    const auto spread = static_cast<Spread>(below(3));
    const std::string body = "body " + std::to_string(below(6));
    const std::string authenticator = below(3) == 0 ? "bad " + std::to_string(below(3)) : "good";
    if (spread == Spread::fetched) {
      fetched_.insert(number);
    } else {
      waiting_.insert(number);
    }
    tracker_.process(
        NewRequest{{number.first, number.second, Bytes(body), Bytes(authenticator)}, spread}, out_);
  }

  void answer_hash() {
    if (hashes_.empty()) return;
    const auto asked = draw(hashes_);
    tracker_.process(HashResult<RequestHash>{digest_of(asked.parts.back()), asked.origin}, out_);
  }

  void answer_signature() {
    if (verifications_.empty()) return;
    const auto asked = draw(verifications_);
    const bool good = asked.authenticator == Bytes("good");
    tracker_.process(RequestSigVerified{asked.reference, good ? SignatureCheck::valid
                                                              : SignatureCheck::malformed},
                     out_);
  }

  void deliver() {
    if (admitted_.empty()) return;
    const Number number = admitted_.begin()->first;
    admitted_.erase(number);
    delivered_.insert(number);
    tracker_.process(Applied{SeqNr(next_sn_++), {{number.first, number.second, Bytes("result")}}},
                     out_);
  }

  void move_windows() {
    WindowsMoved moved;
    std::map<ClientId, std::uint64_t> lows;
    for (const auto& [client, req_no] : delivered_)
      if (req_no.value == lows[client]) ++lows[client];
    for (const auto& [client, low] : lows) moved.windows.push_back({client, ReqNo(low), {}});
    tracker_.process(std::move(moved), out_);
  }

  /// Takes note of what the Tracker has emitted, and checks it.
  void look() {
    while (out_.count<HashRequest<RequestHash>>() > 0)
      hashes_.push_back(out_.take<HashRequest<RequestHash>>());
    while (out_.count<VerifyRequestSig>() > 0) {
      verifications_.push_back(out_.take<VerifyRequestSig>());
      const auto same = std::count_if(
          verifications_.begin(), verifications_.end(), [this](const VerifyRequestSig& other) {
            return other.reference == verifications_.back().reference;
          });
      CHECK_MESSAGE(same == 1, "verdicts on one reference cannot be told apart");
    }
    while (out_.count<StoreVerifiedRequest>() > 0) {
      const auto store = out_.take<StoreVerifiedRequest>();
      const Number number{store.reference.client, store.reference.req_no};
      CHECK(store.authenticator == Bytes("good"));
      CHECK(store.reference.digest == digest_of(store.data));
      CHECK_FALSE(delivered_.contains(number));
      CHECK_MESSAGE(admitted_[number].insert(store.reference.digest).second, "stored twice");
      if (admitted_[number].size() > 1) CHECK(fetched_.contains(number));
      CHECK(out_.take<RequestReady>().reference == store.reference);
    }
    while (out_.count<Replied>() > 0) {
      const auto replied = out_.take<Replied>();
      const Number number{replied.client, replied.req_no};
      // A refusal may be of one submission among several, while another goes on.
      if (!admitted_.contains(number)) waiting_.erase(number);
    }
    CHECK(out_.empty());
    CHECK(tracker_.status().pending_bytes <= 2 * tight_config().max_pending_bytes);
  }

  std::mt19937_64 random_;
  ClientTracker tracker_{tight_config()};
  Recorder out_;
  std::vector<HashRequest<RequestHash>> hashes_;
  std::vector<VerifyRequestSig> verifications_;
  std::map<Number, std::set<Digest>> admitted_;
  std::set<Number> delivered_;
  std::set<Number> waiting_;
  std::set<Number> fetched_;
  std::uint64_t next_sn_ = 0;
};

}  // namespace

TEST_CASE("every submission is answered, and nothing stays behind") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Run run(seed);
    for (int i = 0; i < 1'000; ++i) run.step();
    run.finish();
  }
}

}  // namespace mirbft::client_tracker_random_test
