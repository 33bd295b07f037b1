// The stock mircat: for the replicas of mirbft-kv. One for a Node of your own takes no more.
#include <mirbft/mircat/mircat.hpp>
#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/modules/crypto/batch.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>

// Net, Wal and Store are never made: any of their kind will do.
using Replica =
    mirbft::Node<mirbft::LoopbackNet, mirbft::Sha256,
                 mirbft::BatchVerifier<mirbft::SodiumCrypto, mirbft::Sha256>,
                 mirbft::KeyValueStore, mirbft::MemoryWal, mirbft::ClientTracker,
                 mirbft::MemoryStore, mirbft::Iss<mirbft::Pbft>, mirbft::NullInterceptor>;

int main(int argc, char** argv) { return mirbft::mircat::run<Replica>(argc, argv); }
