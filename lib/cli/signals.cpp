#include "lib/cli/signals.h"

#include <fcntl.h>
#include <unistd.h>
#include <csignal>

namespace nd::cli {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

void remember(int signal) { stop_signal = signal; }

}  // namespace

void catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART | SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int stop_requested() { return stop_signal; }

void prepare_process() {
  for (int fd = 0; fd <= 2; ++fd) {
    // Descriptors are handed out lowest first, so open() lands on fd. Stdout gets a read-only one: writing to it must
    // fail, as writing to a closed stdout does.
    if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd) _exit(1);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is a write error too
}

}  // namespace nd::cli
