// The request store of a node over RocksDB: a well-kept database in the place of SegmentStore.
#ifndef MIRBFT_MODULES_STORE_ROCKSDB_HPP
#define MIRBFT_MODULES_STORE_ROCKSDB_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <boost/hana/adapt_struct.hpp>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/little_endian.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// Whose store this is, and where.
struct RocksDbConfig {
  /// A directory of its own; it is made if there is none.
  std::string path;
  NodeId node{};
  Bytes cluster{"mirbft"};
  /// Of each of the two tables in memory that take what is written.
  std::uint64_t write_buffer_bytes = 32u << 20;
};

/// What a RocksDbStore has done since it was opened, and what RocksDB takes itself to hold.
struct RocksDbStoreStatus {
  std::uint64_t syncs = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t estimated_requests = 0;
  std::uint64_t bytes_on_disk = 0;
  std::uint64_t bytes_in_memory = 0;
};

/// Requests by reference, durable when `sync` returns: all that was put and collected since the
/// last one is one atomic write, with one fsync of RocksDB's own log.
///
/// As with a SegmentStore, what was delivered where is not kept: after a restart it is delivered
/// again, or collected once it is below its client's window. An operation that fails throws
/// ModuleFailure, and so does each later one: nothing is tried again.
class RocksDbStore {
 public:
  /// Throws ModuleFailure where RocksDB cannot open the directory, ConfigError where the store in
  /// it is another node's.
  explicit RocksDbStore(const RocksDbConfig& config) : path_(config.path), database_(open(config)) {
    claim(config);
  }

  /// Keeps a request; of one that is there already, only the authenticator is new.
  void put(const RequestRef& reference, const Bytes& data, const Bytes& authenticator) {
    if (const Request* before = get(reference)) {
      if (before->authenticator == authenticator) return;
      return write(reference, Bytes(before->data), authenticator);
    }
    write(reference, data, authenticator);
  }

  void sync() {
    if (!failure_.empty()) throw ModuleFailure(failure_);
    if (batch_->GetWriteBatch()->Count() == 0) return;
    rocksdb::WriteOptions durable;
    durable.sync = true;
    status_.written_bytes += batch_->GetWriteBatch()->GetDataSize();
    require(database_->Write(durable, batch_->GetWriteBatch()), "write to");
    batch_->Clear();
    ++status_.syncs;
  }

  /// The request, or null when it is absent. Valid until the next call.
  const Request* get(const RequestRef& reference) {
    std::string value;
    const auto found = batch_->GetFromBatchAndDB(database_.get(), {}, key_of(reference), &value);
    if (found.IsNotFound() && failure_.empty()) return nullptr;
    require(found, "read");
    load(reference, value);
    return &last_;
  }

  /// Calls `look(const RequestRef&, const Request&)` for every request.
  template <class Look>
  void for_each(Look&& look) {
    walk({}, std::string(1, request_mark + 1), [&](const RequestRef& reference, const auto& value) {
      load(reference, value.ToStringView());
      look(reference, last_);
    });
  }

  /// Remembers where the requests of a batch were delivered.
  void delivered(SeqNr sn, Batch batch) {
    deliveries_.insert(batch->begin(), batch->end());
    delivered_.insert_or_assign(sn, std::move(batch));
  }

  /// Drops what was delivered at or before `collection.through`, and what was never delivered
  /// below its client's `low`.
  void collect(const Collection& collection) {
    const auto end = delivered_.upper_bound(collection.through);
    for (auto at = delivered_.begin(); at != end; at = delivered_.erase(at))
      for (const RequestRef& reference : *at->second) {
        deliveries_.erase(reference);
        require(batch_->Delete(key_of(reference)), "write to");
      }
    for (const ClientWindow& window : collection.windows) {
      std::set<RequestRef> old;
      walk({window.client, ReqNo(0), {}}, key_of({window.client, window.low, {}}),
           [&](const RequestRef& reference, const auto&) { old.insert(reference); });
      for (const RequestRef& reference : old)
        if (!deliveries_.contains(reference))
          require(batch_->Delete(key_of(reference)), "write to");
    }
  }

  RocksDbStoreStatus status() const {
    RocksDbStoreStatus status = status_;
    const auto ask = [this](const std::string& name, std::uint64_t& value) {
      (void)database_->GetIntProperty(name, &value);
    };
    ask(rocksdb::DB::Properties::kEstimateNumKeys, status.estimated_requests);
    ask(rocksdb::DB::Properties::kTotalSstFilesSize, status.bytes_on_disk);
    ask(rocksdb::DB::Properties::kCurSizeAllMemTables, status.bytes_in_memory);
    return status;
  }

 private:
  /// What keys begin with, so that those of requests are apart from the owner's.
  static constexpr char request_mark = 'r';
  static constexpr const char* owner_key = "owner";

  static std::unique_ptr<rocksdb::DB> open(const RocksDbConfig& config) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = config.write_buffer_bytes;
    // A torn write at the end is what a crash leaves. Anything else that is damaged was durable,
    // and to go on without it would be to forget.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    options.keep_log_file_num = 2;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, config.path, &opened);
    if (!status.ok())
      throw ModuleFailure("cannot open " + config.path + ": " + status.ToString());
    return std::unique_ptr<rocksdb::DB>(opened);
  }

  void claim(const RocksDbConfig& config) {
    const std::string own =
        "node " + std::to_string(config.node.value) + " of cluster \"" +
        std::string(config.cluster.text()) + '"';
    std::string owner;
    const rocksdb::Status found = database_->Get({}, owner_key, &owner);
    if (found.IsNotFound()) {
      require(batch_->Put(owner_key, own), "write to");
      return sync();
    }
    require(found, "read");
    if (owner != own)
      throw ConfigError(
          "path", path_,
          "holds the requests of " + owner + ": each store needs a directory of its own");
  }

  /// In the order of references: client and number (big-endian), digest.
  static std::string key_of(const RequestRef& reference) {
    std::string key(1, request_mark);
    for (const std::uint64_t number : {reference.client.value, reference.req_no.value})
      for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(number >> shift & 255);
    key.append(reference.digest.bytes.begin(), reference.digest.bytes.end());
    return key;
  }
  static constexpr std::size_t key_size = 1 + 2 * sizeof(std::uint64_t) + Digest::size;
  RequestRef reference_of(std::string_view key) const {
    if (key.size() != key_size) fail("read", "a key is no request's");
    const auto number_at = [key](std::size_t at) {
      std::uint64_t number = 0;
      for (const char byte : key.substr(at, sizeof number))
        number = number << 8 | static_cast<std::uint8_t>(byte);
      return number;
    };
    RequestRef reference{ClientId(number_at(1)), ReqNo(number_at(9)), {}};
    std::copy(key.end() - Digest::size, key.end(), reference.digest.bytes.begin());
    return reference;
  }

  /// A value is the length of the body (u32, little-endian), the body, and the authenticator.
  void write(const RequestRef& reference, const Bytes& data, const Bytes& authenticator) {
    std::uint8_t length[sizeof(std::uint32_t)];
    std::uint8_t* at = length;
    little_endian::put(at, static_cast<std::uint32_t>(data.size()));
    std::string value(length, length + sizeof length);
    value += data.text();
    value += authenticator.text();
    require(batch_->Put(key_of(reference), value), "write to");
  }
  void load(const RequestRef& reference, std::string_view value) {
    const ByteView bytes = bytes_of(value);
    constexpr std::size_t head = sizeof(std::uint32_t);
    const std::uint8_t* at = bytes.data();
    if (bytes.size() < head) fail("read", "a value is no request");
    const std::size_t length = little_endian::get<std::uint32_t>(at);
    if (length > bytes.size() - head) fail("read", "a value is no request");
    last_ = {reference.client, reference.req_no, Bytes(bytes.subspan(head, length)),
             Bytes(bytes.subspan(head + length))};
  }

  /// Calls `look(reference, value)` for the requests from `begin` on whose keys are below `end`.
  template <class Look>
  void walk(const RequestRef& begin, const std::string& end, Look&& look) {
    const std::unique_ptr<rocksdb::Iterator> at(
        batch_->NewIteratorWithBase(database_->NewIterator({})));
    for (at->Seek(key_of(begin)); at->Valid() && at->key().compare(end) < 0; at->Next())
      look(reference_of(at->key().ToStringView()), at->value());
    require(at->status(), "read");
  }

  void require(const rocksdb::Status& status, const char* operation) {
    if (!failure_.empty()) throw ModuleFailure(failure_);
    if (status.ok()) return;
    failure_ = text_of(operation, status.ToString());
    throw ModuleFailure(failure_);
  }
  [[noreturn]] void fail(const char* operation, const char* reason) const {
    throw ModuleFailure(text_of(operation, reason));
  }
  std::string text_of(const char* operation, const std::string& reason) const {
    return std::string("cannot ") + operation + ' ' + path_ + ": " + reason;
  }

  std::string path_;
  std::unique_ptr<rocksdb::DB> database_;
  /// What the next `sync` writes.
  std::unique_ptr<rocksdb::WriteBatchWithIndex> batch_ =
      std::make_unique<rocksdb::WriteBatchWithIndex>(rocksdb::BytewiseComparator(), 0, true);
  std::map<SeqNr, Batch> delivered_;
  /// All that is in those.
  std::set<RequestRef> deliveries_;
  Request last_;
  std::string failure_;
  RocksDbStoreStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::RocksDbStoreStatus, syncs, written_bytes, estimated_requests,
                        bytes_on_disk, bytes_in_memory);

#endif
