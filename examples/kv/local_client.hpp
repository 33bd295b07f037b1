// A client in the replica's process, which takes its requests from standard input.
#ifndef MIRBFT_EXAMPLES_KV_LOCAL_CLIENT_HPP
#define MIRBFT_EXAMPLES_KV_LOCAL_CLIENT_HPP

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/wire/request_bytes.hpp>

#include "../shared/process.hpp"
#include "config.hpp"
#include "replica.hpp"

namespace kv {

/// Each line of standard input is `NUMBER COMMAND`; each answer on standard output is `NUMBER: `
/// and the result, or `NUMBER! ` and why there is none. Numbers are the caller's: one that is
/// given again, after a restart too, is the same request.
class LocalClient {
 public:
  /// Throws ConfigError unless the cluster knows this client.
  LocalClient(const ClientConfig& client, const Config& config)
      : id_(client.id),
        key_(mirbft::ByteView(client.seed)),
        cluster_(config.cluster),
        answered_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (answered_.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    for (const ClientEntry& entry : config.clients)
      if (entry.id == client.id && entry.public_key == programs::public_key_of(client.seed)) return;
    throw mirbft::ConfigError("id", std::to_string(client.id.value),
                              "is no client of this cluster, or its seed is another: take the "
                              "file that came with the replica's configuration");
  }

  /// What to wait for: more input, unless enough is under way, and answers.
  int input() const {
    const std::lock_guard lock(mutex_);
    return over_ || open_ >= most_open ? -1 : STDIN_FILENO;
  }
  int answers() const noexcept { return answered_.get(); }

  void take_input(Replica& replica) {
    std::array<char, 1 << 14> part;
    const ssize_t got = ::read(STDIN_FILENO, part.data(), part.size());
    if (got <= 0) over_ = got == 0 || errno != EINTR;
    if (got <= 0) return;
    text_.append(part.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = text_.find('\n')) != text_.npos; text_.erase(0, end + 1))
      take_line(replica, std::string_view(text_).substr(0, end));
  }
  void print_answers() {
    std::uint64_t ignored;
    (void)::eventfd_read(answered_.get(), &ignored);
    std::string lines;
    {
      const std::lock_guard lock(mutex_);
      std::swap(lines, lines_);
    }
    for (std::string_view rest = lines; !rest.empty();) {
      const ssize_t done = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (done < 0) return;
      rest.remove_prefix(static_cast<std::size_t>(done));
    }
  }

 private:
  static constexpr std::uint64_t most_open = 1024;

  void take_line(Replica& replica, std::string_view line) {
    mirbft::ReqNo number;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), number.value);
    const auto at = static_cast<std::size_t>(read.ptr - line.data());
    if (read.ec != std::errc{} || at == line.size() || line[at] != ' ')
      return say(std::string(line.substr(0, 40)) + "! must be a number, a blank and a command");
    {
      const std::lock_guard lock(mutex_);
      ++open_;
    }
    const bool taken = replica.submit(sign(number, line.substr(at + 1)),
                                      [this](const mirbft::Replied& reply) { answer(reply); });
    if (!taken) answer({id_, number, mirbft::Outcome::overloaded, {}, {}});
  }

  mirbft::Request sign(mirbft::ReqNo number, std::string_view command) {
    const mirbft::Bytes body{std::string(command)};
    for (const mirbft::Bytes& part :
         mirbft::wire::request_parts(cluster_.view(), id_, number, body))
      hasher_.update(part.view());
    const mirbft::RequestRef reference{id_, number, hasher_.finish()};
    return {id_, number, body,
            key_.sign(mirbft::wire::request_signature_bytes(cluster_.view(), reference).view())};
  }

  void answer(const mirbft::Replied& reply) {
    const bool done = reply.outcome == mirbft::Outcome::delivered ||
                      reply.outcome == mirbft::Outcome::already_delivered;
    {
      const std::lock_guard lock(mutex_);
      --open_;
    }
    say(std::to_string(reply.req_no.value) + (done ? ": " : "! ") +
        std::string(done ? reply.result.text() : to_string(reply.outcome)));
  }
  void say(const std::string& line) {
    {
      const std::lock_guard lock(mutex_);
      lines_ += line + '\n';
    }
    (void)::eventfd_write(answered_.get(), 1);
  }

  const mirbft::ClientId id_;
  const mirbft::Ed25519Key key_;
  const mirbft::Bytes cluster_;
  const programs::Handle answered_;
  mirbft::Sha256 hasher_;
  std::string text_;
  bool over_ = false;

  mutable std::mutex mutex_;
  std::uint64_t open_ = 0;
  std::string lines_;
};

}  // namespace kv

#endif
