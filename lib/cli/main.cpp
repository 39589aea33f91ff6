// What happens around a tool's run(): one line for every way to fail, the right exit code, and no output lost unseen.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>
#include <stdexcept>

#include "lib/cli/command.h"

namespace nd::cli {
namespace {

// A write that stdio has put off may fail only now (a full disk, a reader that went away).
void close_stdout() {
  errno = 0;
  std::cout.flush();
  bool failed = !std::cout || std::ferror(stdout);
  failed = std::fclose(stdout) != 0 || failed;
  if (failed) throw Error("standard output", errno ? std::strerror(errno) : "not everything could be written");
}

}  // namespace

int run_tool(int argc, char** argv, const char* name, const std::function<void(Command&)>& declare,
             const std::function<void()>& validate, const std::function<int(Context&)>& run) {
  prepare_process();
  Command command(name);
  declare(command);
  const int failed = command.is_predicate() ? 2 : 1;
  Log log;
  log.tool = name;
  int code;
  try {
    if (command.parse({argv + 1, argv + argc})) {
      validate();
      Context ctx(command);
      log = ctx.log;
      code = run(ctx);
    } else {
      // A long answer is written before close_stdout, which would no longer know what went wrong.
      errno = 0;
      if (std::fputs(command.answer().c_str(), stdout) == EOF)
        throw Error("standard output", errno ? std::strerror(errno) : "not everything could be written");
      code = 0;
    }
    close_stdout();
  } catch (const UsageError& e) {
    log.error(e.what());
    code = 2;
  } catch (const Interrupted& e) {
    log.error("stopped by SIG" + std::string(sigabbrev_np(e.signal) ? sigabbrev_np(e.signal) : "?"));
    code = 128 + e.signal;
  } catch (const Error& e) {
    log.error(e.what());
    code = failed;
  } catch (const std::bad_alloc&) {
    log.error("out of memory");
    code = failed;
  } catch (const std::exception& e) {
    log.error(std::string("internal error: ") + e.what());
    code = failed;
  }
  return code;
}

}  // namespace nd::cli
