// The example of README.md, section "Clients", which is compared with this by tests/readme.
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/client/client.hpp>
#include <mirbft/client/client_port.hpp>
#include <mirbft/client/ed25519_signer.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/net/tls_transport.hpp>

#include "../support/fake_replica.hpp"

namespace mirbft::example_test {

namespace {

ClientReply put_apples(const std::vector<ReplicaAddress>& replicas, const Bytes& seed,
                       const std::map<NodeId, std::set<Digest>>& certificates) {
  const ClientConfig config{.cluster_id = "shop", .id = ClientId(7), .replicas = replicas};
  Client<Ed25519Signer, Sha256, TlsClient> client(
      config, Ed25519Signer(seed.view(), "shop"), TlsClient(TlsPins(certificates)));

  const ClientReply reply = client.call(Bytes("put apples 3"));
  if (reply.end == ClientEnd::delivered)
    std::cout << reply.result.text() << " at " << reply.sn.value << '\n';
  else
    std::cout << to_string(reply.end) << '\n';
  return reply;
}

}  // namespace

TEST_CASE("the example works") {
  const TlsIdentity identity = TlsIdentity::generate("replica");
  testing::FakeReplica replica([](const Request& request) -> std::optional<Replied> {
    if (request.req_no == never_valid) return testing::never_seen(request);
    return Replied{request.client, request.req_no, Outcome::delivered, SeqNr(1), Bytes("done")};
  });
  ClientPort<testing::FakeReplica, TlsServer> port({.self = NodeId(0), .cluster_id = "shop"},
                                                   replica, TlsServer(identity));
  const ClientReply reply =
      put_apples({{NodeId(0), "127.0.0.1", port.port()}}, Ed25519Key::random_seed(),
                 {{NodeId(0), {identity.fingerprint()}}});
  CHECK(reply.end == ClientEnd::delivered);
  CHECK(reply.result == Bytes("done"));
}

}  // namespace mirbft::example_test
