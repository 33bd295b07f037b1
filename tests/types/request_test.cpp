#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <boost/hana.hpp>

#include <mirbft/types/request.hpp>

namespace mirbft::request_test {

namespace hana = boost::hana;

namespace {

/// The reflected members' names, in the order in which they have field numbers.
template <class T>
std::vector<std::string> members() {
  std::vector<std::string> names;
  hana::for_each(hana::keys(T{}), [&](auto name) { names.emplace_back(name.c_str()); });
  return names;
}

}  // namespace

TEST_CASE("the members keep their places, for places are field numbers") {
  CHECK(members<Request>() ==
        std::vector<std::string>{"client", "req_no", "data", "authenticator"});
  CHECK(members<RequestRef>() == std::vector<std::string>{"client", "req_no", "digest"});
}

TEST_CASE("references order by client, then number, then digest") {
  Digest some;
  some.bytes[0] = 1;
  const RequestRef first{ClientId(1), ReqNo(9), some};
  CHECK(first < RequestRef{ClientId(2), ReqNo(0), Digest()});
  CHECK(first < RequestRef{ClientId(1), ReqNo(10), Digest()});
  CHECK(RequestRef{ClientId(1), ReqNo(9), Digest()} < first);
}

TEST_CASE("requests are equal when all of them is") {
  const Request request{ClientId(1), ReqNo(2), Bytes("data"), Bytes("signature")};
  Request other = request;
  CHECK(other == request);
  other.authenticator = Bytes("another");
  CHECK(other != request);
}

}  // namespace mirbft::request_test
