#include <doctest/doctest.h>

#include <string>

#include <mirbft/modules/interceptor/optional.hpp>

namespace mirbft::optional_test {

namespace {

/// Notes its calls.
struct Noting {
  std::string* calls;

  template <class... Es>
  void begin(NodeId self, ByteView, events<Es...>) {
    *calls += "begin " + std::to_string(self.value) + ' ' + std::to_string(sizeof...(Es)) + '\n';
  }
  template <class List>
  void intercept(Slot slot, const List& list) {
    *calls += "intercept " + std::to_string(slot.index()) + ' ' + list + '\n';
  }
  void end() { *calls += "end\n"; }
};

void show_all(OptionalInterceptor<Noting> interceptor) {
  interceptor.begin(NodeId(7), {}, events<int, char>{});
  interceptor.intercept(slot::app, std::string("some"));
  interceptor.end();
}

/// Is told of the modules.
struct Told {
  int* modules;

  template <class... Es>
  void begin(NodeId, ByteView, events<Es...>, int number) {
    *modules = number;
  }
};

template <class Interceptor>
concept TakesModules = requires(Interceptor& interceptor) {
  interceptor.begin(NodeId(1), {}, events<int>{}, 5);
};

}  // namespace

TEST_CASE("an interceptor is told of the modules if it takes that") {
  int modules = 0;
  OptionalInterceptor<Told> interceptor(Told{&modules});
  interceptor.begin(NodeId(1), {}, events<int>{}, 5);
  CHECK(modules == 5);
  CHECK(TakesModules<OptionalInterceptor<Told>>);
  CHECK_FALSE(TakesModules<OptionalInterceptor<Noting>>);
}

TEST_CASE("an interceptor sees everything where there is one") {
  std::string calls;
  show_all(OptionalInterceptor<Noting>(Noting{&calls}));
  CHECK(calls == "begin 7 2\nintercept " + std::to_string(slot::app.index()) + " some\nend\n");
}

TEST_CASE("it may be there or not") {
  std::string calls;
  OptionalInterceptor<Noting> interceptor;
  show_all(interceptor);
  CHECK(calls.empty());
  interceptor = OptionalInterceptor<Noting>(Noting{&calls});
  show_all(interceptor);
  CHECK(calls.ends_with("end\n"));
}

}  // namespace mirbft::optional_test
