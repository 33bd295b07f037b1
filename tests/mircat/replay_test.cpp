#include <mirbft/mircat/replay.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <mirbft/log/reader.hpp>
#include <mirbft/log/writer.hpp>
#include <mirbft/mircat/node_modules.hpp>
#include <mirbft/mircat/step.hpp>

#include "../log/sample_log.hpp"
#include "commands.hpp"
#include "sequencer.hpp"

namespace mirbft::replay_test {

using namespace mirbft::mircat;
using mirbft::testing::Ran;
using mirbft::testing::run;
using sample::Mark;

namespace {

using Recorded = sample::SequencerNode<>;
constexpr ModuleMaker maker = NodeModules<Recorded>::maker;

/// A log, and what stands in it.
struct Recording {
  Recording() {
    sample::record(FileInterceptor(file.path()));
    log = std::make_unique<LogReader>(file.path());
    events = sample::read_all(*log);
  }

  /// "index: text" of the first difference of a module; empty if there is none.
  std::string difference(std::size_t slot) const {
    const MadeModule made = maker.make(slot, *log, {});
    REQUIRE_MESSAGE(made.module, made.refusal);
    for (const LogEvent& event : events)
      if (const auto found = made.module->step(event))
        return std::to_string(found->recorded.index) + ": " + found->text;
    return "";
  }

  /// Changes the last event of a type; returns its index.
  template <class E, class Change>
  std::string change(const Change& how) {
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      std::optional<E> value = event->template as<E>();
      if (!value) continue;
      how(*value);
      event->payload = wire::encode(*value);
      return std::to_string(event->index) + ": ";
    }
    FAIL("there is no such event");
    return "";
  }

  sample::TemporaryFile file;
  std::unique_ptr<LogReader> log;
  std::vector<LogEvent> events;
};

constexpr std::size_t of_tracker = slot::tracker.index(), of_hasher = slot::hasher.index(),
                      of_crypto = slot::crypto.index(), of_protocol = slot::protocol.index(),
                      of_app = slot::app.index();

/// Alters the last `E` and expects the module to part there, in that field.
template <class E, class Change>
void check_output(std::size_t slot, std::string_view field, const Change& how) {
  CAPTURE(field);
  Recording recording;
  const std::string at = recording.change<E>(how);
  const std::string found = recording.difference(slot);
  CHECK_MESSAGE(found.starts_with(at), found);
  CHECK_MESSAGE(found.find(field) != std::string::npos, found);
}
/// The same of an input: it is the outputs that part.
template <class E, class Change>
void check_input(std::size_t slot, std::string_view field, const Change& how) {
  CAPTURE(field);
  Recording recording;
  recording.change<E>(how);
  const std::string found = recording.difference(slot);
  CHECK_MESSAGE(found.find(field) != std::string::npos, found);
}

template <class E>
struct One {
  E event;
  template <class Look>
  void for_each(Look&& look) const {
    look(event);
  }
};

/// Writes the events into a new log of that Node.
template <class... Es>
void write(const std::string& path, const std::vector<LogEvent>& all, const LogReader& like,
           events<Es...> types, const LogOptions& options = {}) {
  LogWriter writer(path, options);
  writer.begin(like.node(), like.cluster().view(), types, like.modules());
  for (const LogEvent& event : all)
    (void)((event.number == Es::number &&
            (writer.append(event.slot, One<Es>{*event.as<Es>()}, event.time), true)) ||
           ...);
}

ReplayCommand replaying() { return ReplayCommand(maker); }
StepCommand stepping() { return StepCommand(maker); }

}  // namespace

TEST_CASE("A log says what its Node was made of, and how that was configured") {
  const Recording recording;
  const auto* described = description_of(of_protocol, *recording.log);
  REQUIRE(described);
  CHECK(described->name == "Sequencer");
  CHECK(described->config == R"({"every":4})");
  CHECK(description_of(of_app, *recording.log)->name == "Counter");
  CHECK(description_of(of_app, *recording.log)->config.empty());
  // Public keys, and no secret.
  const std::string keys = description_of(of_crypto, *recording.log)->config;
  const Ed25519Key own(sample::seed(1).view());
  CHECK(keys.find(hex(own.public_key().view())) != std::string::npos);
  CHECK(keys.find(hex(sample::seed(1).view())) == std::string::npos);
}

TEST_CASE("Every module that can be replays without a difference") {
  const Recording recording;
  for (const std::size_t slot : replayable_slots) {
    CAPTURE(slot_names[slot]);
    CHECK(recording.difference(slot) == "");
    const MadeModule made = maker.make(slot, *recording.log, {});
    for (const LogEvent& event : recording.events) made.module->step(event);
    CHECK(made.module->count().fed >= 8);
    CHECK(made.module->count().compared >= 8);
    CHECK(made.module->count().pending == 0);
  }
}

TEST_CASE("An output that was altered is named, where it stands") {
  check_output<Deliver>(of_protocol, "sn: ", [](Deliver& event) { ++event.sn; });
  check_output<HashRequest<Mark>>(of_protocol, "parts[0]: ", [](HashRequest<Mark>& event) {
    event.parts[0] = Bytes("mask");
  });
  check_output<AppRestoreState>(of_protocol, "chunks[0]: ", [](AppRestoreState& event) {
    event.chunks[0] = Bytes("37");
  });
  check_output<StoreVerifiedRequest>(of_tracker, "data: ", [](StoreVerifiedRequest& event) {
    event.data = Bytes("add 9");
  });
  check_output<RequestReady>(of_tracker, "size: ", [](RequestReady& event) { ++event.size; });
  check_output<Replied>(of_tracker, "result: ", [](Replied& event) { event.result = Bytes("0"); });
  check_output<Applied>(of_app, "replies[0].result: ", [](Applied& event) {
    event.replies[0].result = Bytes("0");
  });
  check_output<AppSnapshot>(of_app, "changed[0].data: ", [](AppSnapshot& event) {
    event.changed[0].data = Bytes("0");
  });
  check_output<HashResult<RequestHash>>(of_hasher, "digest: ", [](HashResult<RequestHash>& event) {
    event.digest.bytes[31] ^= 1;
  });
  check_output<RequestSigVerified>(of_crypto, "verdict: ", [](RequestSigVerified& event) {
    event.verdict = SignatureCheck::invalid;
  });
  using Verified = NodeSigsVerified<Mark>;
  check_output<Verified>(of_crypto, "verdicts[0]: ", [](Verified& event) {
    event.verdicts[0] = SignatureCheck::valid;
  });
}

TEST_CASE("An input that was altered shows in the first output that follows from it") {
  check_input<RequestReady>(of_protocol, "req_no: ", [](RequestReady& event) {
    ++event.reference.req_no;
  });
  check_input<NewRequest>(of_tracker, "parts[1]: ", [](NewRequest& event) {
    event.request.data = Bytes("add 3");
  });
  check_input<Apply>(of_app, "replies[0].result: ", [](Apply& event) {
    event.requests[0].data = Bytes("add 9");
  });
  check_input<HashRequest<Mark>>(of_hasher, "digest: ", [](HashRequest<Mark>& event) {
    event.parts[0] = Bytes("mask");
  });
  check_input<VerifyRequestSig>(of_crypto, "verdict: ", [](VerifyRequestSig& event) {
    event.authenticator = Bytes(std::vector<std::uint8_t>(64, 3));
  });
}

TEST_CASE("A module that fails in the replay alone parts from the log") {
  Recording recording;
  recording.change<Apply>([](Apply& event) { ++event.sn; });
  const std::string found = recording.difference(of_app);
  CHECK_MESSAGE(found.find("fails at event") != std::string::npos, found);
  CHECK_MESSAGE(found.find("out of order") != std::string::npos, found);

  const MadeModule made = maker.make(of_app, *recording.log, {});
  for (const LogEvent& event : recording.events) {
    CHECK_FALSE(made.module->step(event));
    if (!made.module->failure().empty()) break;
  }
  // Where nothing follows, the recorded one may have failed as well.
  CHECK(made.module->failure().find("out of order") != std::string::npos);
}

TEST_CASE("mircat replay tells what it has compared, and in JSON") {
  const Recording recording;
  const Ran text = run(replaying(), {{"logs", recording.file.path()}});
  CHECK(text.status == status::ok);
  for (const char* module : {"protocol", "tracker", "app", "hasher", "crypto"})
    CHECK_MESSAGE(text.says(std::string("\n  ") + module), text.out);
  CHECK_FALSE(text.says("DIFFERS"));
  const Ran json = run(replaying(), {{"logs", recording.file.path()}, {"--json", ""}});
  CHECK(json.status == status::ok);
  CHECK_MESSAGE(json.says(R"("module":"hasher","fed":16,"compared":16,"pending":0)"), json.out);
  CHECK(json.says(R"("difference":null})"));
}

TEST_CASE("mircat replay stops at the first difference, and says which module parts in what") {
  Recording recording;
  const std::string at =
      recording.change<Applied>([](Applied& event) { event.replies[0].result = Bytes("0"); });
  const sample::TemporaryFile altered;
  write(altered.path(), recording.events, *recording.log, Recorded::Events{});
  const Ran all = run(replaying(), {{"logs", altered.path()}});
  CHECK(all.status == status::finding);
  CHECK_MESSAGE(all.says("the app parts from the log here"), all.out);
  CHECK_MESSAGE(all.says("modified: replies[0].result: \"0\" -> \"36\""), all.out);
  CHECK_MESSAGE(all.says("\n  " + at.substr(0, at.size() - 2) + ' '), all.out);
  const Ran other = run(replaying(), {{"logs", altered.path()}, {"--module", "protocol,hasher"}});
  CHECK(other.status == status::ok);
  const Ran json = run(replaying(), {{"logs", altered.path()}, {"--json", ""}});
  CHECK(json.status == status::finding);
  CHECK_MESSAGE(json.says(R"("type":"Applied","text":"modified: replies[0].result)"), json.out);
}

namespace {

/// Keeps the descriptions to itself, as Interceptors did before there were any.
class OldInterceptor {
 public:
  explicit OldInterceptor(const std::string& path) : file_(path) {}
  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...> types) {
    file_.begin(self, cluster, types);
  }
  template <class List>
  void intercept(Slot slot, const List& list) {
    file_.intercept(slot, list);
  }
  void end() { file_.end(); }

 private:
  FileInterceptor file_;
};

}  // namespace

TEST_CASE("What the log does not say of a module, --config does") {
  const sample::TemporaryFile log, config, wrong;
  sample::record(OldInterceptor(log.path()));
  config.write(R"({"every": 4})");
  wrong.write(R"({"every": 3})");
  const Ran all = run(replaying(), {{"logs", log.path()}});
  CHECK(all.status == status::ok);
  CHECK_MESSAGE(all.says("not replayed: the log does not say how the protocol was configured: give "
                         "a file with a SequencerConfig in JSON, by --config protocol=FILE"),
                all.out);
  CHECK_THROWS_AS(run(replaying(), {{"logs", log.path()}, {"--module", "protocol"}}), ConfigError);
  const auto with = [&](const sample::TemporaryFile& file) {
    return run(replaying(), {{"logs", log.path()}, {"--module", "protocol"},
                             {"--config", "protocol=" + file.path()}});
  };
  CHECK(with(config).status == status::ok);
  CHECK(with(wrong).status == status::finding);
}

TEST_CASE("A series is replayed as one log, and not without its beginning") {
  const Recording recording;
  const sample::TemporaryFile directory;
  std::filesystem::create_directories(directory.path());
  LogOptions options;
  options.rotation = LogRotation{};
  options.rotation->bytes = 16384;
  write(directory.path() + "/node", recording.events, *recording.log, Recorded::Events{}, options);
  const std::filesystem::path first = directory.path() + "/node-0001.000001.mirlog";
  REQUIRE(std::filesystem::exists(first));
  REQUIRE(std::filesystem::exists(directory.path() + "/node-0001.000002.mirlog"));
  const Ran whole = run(replaying(), {{"logs", directory.path()}, {"--json", ""}});
  CHECK(whole.status == status::ok);
  CHECK_MESSAGE(whole.says("\"events\":" + std::to_string(recording.events.size()) + ','),
                whole.out);
  const Ran step = run(stepping(), {{"log", directory.path() + "/node-0001"}}, "continue\n");
  CHECK_MESSAGE(step.says("ends after " + std::to_string(recording.events.size())), step.out);
  std::filesystem::remove(first);
  const Ran rest =
      run(replaying(), {{"logs", directory.path()}, {"logs", recording.file.path()}});
  CHECK(rest.status == status::unusable);
  CHECK_MESSAGE(rest.err.find("are missing, and what the modules were by then is not known "
                              "(protocol, tracker, app, crypto)") != std::string::npos,
                rest.err);
  CHECK(std::ranges::count(rest.err, '\n') == 1);
  CHECK_MESSAGE(rest.says("app       not replayed: what it was by event "), rest.out);
  CHECK_MESSAGE(rest.says("hasher    given "), rest.out);
  CHECK_MESSAGE(rest.says(recording.file.path() + ": node "), rest.out);
  const auto alone = [&](const char* module) {
    return run(replaying(), {{"logs", directory.path()}, {"--module", module}});
  };
  CHECK(alone("hasher").status == status::ok);
  CHECK(alone("hasher").err.empty());
  CHECK(alone("hasher,app").status == status::unusable);
  CHECK(alone("hasher,app").out.empty());
}

TEST_CASE("A Hasher is replayed from anywhere in a log, and then every digest is compared") {
  const Recording recording;
  const auto is_digest = [](const LogEvent& event) {
    return event.name.find("HashResult") != std::string_view::npos;
  };
  for (std::size_t first = 1; first < recording.events.size(); first += 7) {
    CAPTURE(first);
    const MadeModule hasher = maker.make(of_hasher, *recording.log, {});
    REQUIRE(hasher.module->join());
    std::uint64_t digests = 0;
    for (std::size_t i = first; i < recording.events.size(); ++i) {
      CHECK_FALSE(hasher.module->step(recording.events[i]));
      digests += is_digest(recording.events[i]) ? 1 : 0;
    }
    const ReplayCount count = hasher.module->count();
    CHECK(count.compared + count.passed_over == digests);
    CHECK(count.compared + count.pending == count.fed);
    CHECK(count.passed_over <= 2);
  }
  for (const std::size_t slot : {of_protocol, of_tracker, of_app, of_crypto})
    CHECK_FALSE(maker.make(slot, *recording.log, {}).module->join());
}

TEST_CASE("Wrong words are told with the mend") {
  const Recording recording;
  const auto refusal = [&](const char* option, const char* value) {
    try {
      run(replaying(), {{"logs", recording.file.path()}, {option, value}});
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal("--module", "protocols").find("name protocol, tracker") != std::string::npos);
  CHECK(refusal("--module", "store").find("more than the log says") != std::string::npos);
  CHECK(refusal("--module", "").find("name protocol, tracker") != std::string::npos);
  CHECK(refusal("--config", "protocol").find("MODULE=FILE") != std::string::npos);
  CHECK(refusal("--config", "app=x.json").find("takes none") != std::string::npos);
  CHECK(refusal("--config", "protocol=/nowhere").find("/nowhere") != std::string::npos);
}

namespace {

struct OtherCounter : Counter {};

}  // namespace

TEST_CASE("Another type of module is replayed only when it is asked for") {
  const Recording recording;
  using Other = sample::SequencerNode<FileInterceptor, OtherCounter>;
  const ModuleMaker other = NodeModules<Other>::maker;
  const Ran all = run(ReplayCommand(other), {{"logs", recording.file.path()}});
  CHECK_MESSAGE(all.says("not replayed: the log's is Counter, this program's OtherCounter"),
                all.out);
  const Ran app_alone =
      run(ReplayCommand(other), {{"logs", recording.file.path()}, {"--module", "app"}});
  CHECK_MESSAGE(app_alone.says("given 14, compared 14"), app_alone.out);
}

TEST_CASE("mircat step shows what a module is given, what it emits and what has changed") {
  const Recording recording;
  const Ran three = run(stepping(), {{"log", recording.file.path()}}, "step\nstep 2\n");
  CHECK(three.status == status::ok);
  CHECK_MESSAGE(three.says(" RequestReady "), three.out);
  CHECK_MESSAGE(three.says("  emits store Deliver { batch"), three.out);
  CHECK_MESSAGE(three.says("  next: 0 -> 1\n"), three.out);
  CHECK_FALSE(three.says("  restored: "));
  const Ran full = run(stepping(), {{"log", recording.file.path()}, {"--full", ""}}, "s\n");
  CHECK_MESSAGE(full.says("  restored: 0\n"), full.out);
  const Ran app_state =
      run(stepping(), {{"log", recording.file.path()}, {"--module", "app"}}, "step 2\n");
  CHECK_MESSAGE(app_state.says("snapshot.text: \"1\" -> \"3\""), app_state.out);
}

TEST_CASE("mircat step runs to where a filter breaks, and to the end") {
  const Recording recording;
  const Ran broken = run(stepping(),
                         {{"log", recording.file.path()}, {"--break", "type=Deliver sn=5"}},
                         "continue\nprint next\nbreak type=AppRestored\nc\nc\nprint valid\n"
                         "quit\ns\n");
  CHECK(broken.status == status::ok);
  CHECK_MESSAGE(broken.says(" store Deliver sn: 5 "), broken.out);
  CHECK_MESSAGE(broken.says("\n  next: 6\n"), broken.out);
  CHECK_MESSAGE(broken.says("  restored: 1 -> 2\n"), broken.out);
  CHECK_MESSAGE(broken.says("the log ends after " + std::to_string(recording.events.size())),
                broken.out);
  CHECK_MESSAGE(broken.out.ends_with("  valid: 0\n"), broken.out);
  CHECK_THROWS_AS(run(stepping(), {{"log", recording.file.path()}}, "jump\n"), ConfigError);
  CHECK_THROWS_AS(run(stepping(), {{"log", recording.file.path()}}, "step 0\n"), ConfigError);
  CHECK_THROWS_AS(run(stepping(), {{"log", recording.file.path()}, {"--break", "type=Nobody"}}),
                  ConfigError);
}

TEST_CASE("mircat step ends at a difference, and writes JSON") {
  Recording recording;
  recording.change<Deliver>([](Deliver& event) { event.sn = SeqNr(70); });
  const sample::TemporaryFile altered;
  write(altered.path(), recording.events, *recording.log, Recorded::Events{});
  const Ran text = run(stepping(), {{"log", altered.path()}}, "continue\nstep\n");
  CHECK(text.status == status::finding);
  CHECK_MESSAGE(text.says("modified: sn: 70 -> 7"), text.out);
  CHECK_MESSAGE(text.says("the replay is over"), text.out);
  const Ran json = run(stepping(), {{"log", altered.path()}, {"--json", ""}}, "step\ncontinue\n");
  CHECK_MESSAGE(json.says(R"("emitted":[{"slot":"store","type":"Deliver","event":{)"), json.out);
  CHECK_MESSAGE(json.says(R"("state":{"next":1},"failure":null,"difference":null})"), json.out);
  CHECK_MESSAGE(json.says(R"("difference":"modified: sn: 70 -> 7\n"})"), json.out);
}

TEST_CASE("mircat step on a terminal refuses a log without its beginning each time it is asked") {
  const Recording recording;
  const sample::TemporaryFile directory;
  std::filesystem::create_directories(directory.path());
  LogOptions options;
  options.rotation = LogRotation{};
  options.rotation->bytes = 16384;
  write(directory.path() + "/node", recording.events, *recording.log, Recorded::Events{}, options);
  std::filesystem::remove(directory.path() + "/node-0001.000001.mirlog");
  StepCommand command = stepping();
  Options words;
  command.options(words);
  mirbft::testing::set(words, "log", directory.path());
  std::istringstream in("continue\nstep\n");
  std::ostringstream out, err;
  Console console(in, out, err, Terminals{true, true, true, false});
  CHECK(command.run(console) == status::ok);
  CHECK_MESSAGE(out.str() == "(mircat) (mircat) (mircat) ", out.str());
  const std::string told = err.str();
  CHECK_MESSAGE(std::ranges::count(told, '\n') == 2, told);
}

}  // namespace mirbft::replay_test
