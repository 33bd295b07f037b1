// A child process that ends with its parent, with pipes to its standard input and output.
#ifndef MIRBFT_EXAMPLES_SHARED_PROCESS_HPP
#define MIRBFT_EXAMPLES_SHARED_PROCESS_HPP

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace programs {

/// An open file that is closed with it.
class Handle {
 public:
  explicit Handle(int number = -1) noexcept : number_(number) {}
  Handle(Handle&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Handle() { close(); }

  int get() const noexcept { return number_; }
  void close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

struct Pipe {
  Handle read;
  Handle write;
};

/// Neither end is left open in other children.
inline Pipe make_pipe() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  return {Handle(ends[0]), Handle(ends[1])};
}

/// Where a child's errors go: where this process has its own, or to the pipe of the output.
enum class Errors { ours, output };

/// Started when it is made, and killed at the latest when this object or this process goes.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command, Errors errors = Errors::ours) {
    Pipe input = make_pipe();
    Pipe output = make_pipe();
    const pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (id_ == 0)
      become(command, input.read.get(), output.write.get(),
             errors == Errors::ours ? STDERR_FILENO : output.write.get(), parent);
    input_ = std::move(input.write);
    output_ = std::move(output.read);
  }
  Process(Process&& other) noexcept
      : id_(std::exchange(other.id_, 0)),
        input_(std::move(other.input_)),
        output_(std::move(other.output_)),
        buffer_(std::move(other.buffer_)) {}
  Process& operator=(Process&&) = delete;
  ~Process() {
    if (id_ == 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }

  /// The system's number of it; 0 when it has ended and was waited for.
  pid_t id() const noexcept { return id_; }
  /// Readable when there is output, or the end of it.
  int output() const noexcept { return output_.get(); }

  /// Gives it a line; one that has ended meanwhile does not get it.
  void write_line() const noexcept { (void)!::write(input_.get(), "\n", 1); }
  void close_input() noexcept { input_.close(); }
  /// Sends it a signal.
  void signal(int number) const noexcept {
    if (id_ != 0) ::kill(id_, number);
  }

  /// Reads what there is, waiting for it if need be. False at the end of the output.
  bool read() {
    std::array<char, 4096> part;
    const ssize_t got = ::read(output_.get(), part.data(), part.size());
    if (got > 0) buffer_.append(part.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && errno == EINTR);
  }
  /// Takes out the next whole line that was read.
  std::optional<std::string> next_line() {
    const std::size_t end = buffer_.find('\n');
    if (end == std::string::npos) return std::nullopt;
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }

  /// Waits for its end; returns how it came, in words, or nothing if that was with status 0.
  std::string wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) continue;
    id_ = 0;
    if (WIFSIGNALED(status))
      return "was ended by signal " + std::to_string(WTERMSIG(status)) + " (" +
             ::strsignal(WTERMSIG(status)) + ')';
    return WEXITSTATUS(status) == 0 ? std::string()
                                    : "ended with status " + std::to_string(WEXITSTATUS(status));
  }

 private:
  /// In the child, which has nothing but this thread.
  [[noreturn]] static void become(const std::vector<std::string>& command, int input, int output,
                                  int errors, pid_t parent) noexcept {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& argument : command)
      arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    std::perror(arguments[0]);
    ::_exit(127);
  }

  pid_t id_ = 0;
  Handle input_;
  Handle output_;
  std::string buffer_;
};

}  // namespace programs

#endif
