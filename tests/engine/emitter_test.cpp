#include <mirbft/engine/emitter.hpp>

#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::emitter_test {

using namespace mirbft::engine;

namespace {

struct Module {};
struct Single {
  static constexpr auto destination = slot::wal;
  char name = ' ';
};
struct Broadcast {
  static constexpr auto destination = slot::wal | slot::net;
};
struct Unknown {};
using Declared = events<Single, Broadcast>;

/// Stands for the WorkItems: writes down who follows whom.
struct Items {
  FollowUps* push(Single&& event) {
    pushed += event.name;
    return &place;
  }
  FollowUps* push(Broadcast&&) {
    pushed += '*';
    return nullptr;
  }
  FollowUps& append(FollowUps& list, Single&& event) {
    appended += event.name;
    last = &list;
    own.first = &handles[places++];
    nested.push_back(own);
    return nested.back();
  }
  FollowUps& append(FollowUps&, Broadcast&&) {
    appended += '*';
    return place;
  }

  FollowUps place, own;
  char handles[16] = {};
  std::size_t places = 0;
  std::vector<FollowUps> nested = [] {
    std::vector<FollowUps> room;
    room.reserve(16);
    return room;
  }();
  FollowUps* last = nullptr;
  std::string pushed, appended;
};
using Out = Emitter<Module, Declared, Items>;

}  // namespace

TEST_CASE("an emitted event is pushed at once") {
  Items items;
  Out out(items);
  out.emit(Single{'a'});
  const Single kept{'b'};
  out.emit(kept);
  out.emit(Broadcast{});
  CHECK(items.pushed == "ab*");
  CHECK(items.appended.empty());
}

TEST_CASE("follow-ups are appended to the event that they follow, in the order of writing") {
  Items items;
  Out out(items);
  out.emit(Single{'a'}).then(Single{'b'}, Broadcast{}, Single{'c'});
  CHECK(items.pushed == "a");
  CHECK(items.appended == "b*c");
  CHECK(items.last == &items.place);
}

TEST_CASE("chains nest to any depth, each event under its own parent") {
  Items items;
  Out out(items);
  out.emit(Single{'a'}).then(
      chain(Single{'b'}).then(Single{'c'}, chain(Single{'d'}).then(Single{'e'}, Broadcast{})),
      chain(Single{'f'}));
  CHECK(items.appended == "bcde*f");
  CHECK(items.last == &items.place);

  Items more;
  Out(more).emit(Single{'a'}).then(chain(Single{'b'}).then(Single{'c'}));
  CHECK(more.last == &more.nested[0]);
}

TEST_CASE("a task's answers go to those who have asked, and to nobody else") {
  Items items;
  TaskEmitter<events<Single>, Items> out(items);
  out.emit(Single{'a'});
  out.emit(Unknown{});
  CHECK(items.pushed == "a");
}

TEST_CASE("a broadcast has nothing to follow it") {
  Items items;
  CHECK(std::is_same_v<decltype(Out(items).emit(Broadcast{})), NoFollowUps<Module, Broadcast>>);
}

}  // namespace mirbft::emitter_test
