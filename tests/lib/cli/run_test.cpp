// The whole of a tool's life, in a child process: exit codes, what goes to stdout and to stderr, signals.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "lib/cli/command.h"

namespace nd::cli {
namespace {

struct Options {
  std::string how = "done", output = "-";
  Common common;
};

void declare(Command& c, Options& o) {
  c.summary("end in a given way");
  c.option(o.how, "--how", "WORD", "how to end");
  c.text_output(o.output);
  c.common(o.common, threads);
  c.example("probe --how done");
}

void declare_predicate(Command& c, Options& o) {
  declare(c, o);
  c.predicate();
}

void validate(const Options& o) {
  if (o.how == "nonsense") throw UsageError("--how nonsense makes no sense");
}

int run(const Options& o, Context& ctx) {
  if (o.how == "fail") throw Error("news.tsv", 7, "expected 8 columns, found \x1b[1m");
  if (o.how == "no") return 1;
  if (o.how == "memory") throw std::bad_alloc();
  if (o.how == "bug") throw std::logic_error("impossible");
  if (o.how == "stop") {
    catch_stop_signals();
    std::raise(SIGTERM);
    if (int signal = stop_requested()) throw Interrupted(signal);
  }
  if (o.how == "stop twice") {
    catch_stop_signals();
    std::raise(SIGINT);
    std::raise(SIGINT);
  }
  if (o.how == "log") {
    ctx.log.info("epoch", {{"epoch", 3}, {"loss", 0.5f}, {"name", "a b"}});
    ctx.log.debug("numbers", {{"seconds", 0.08510799899977428}, {"lr", 1e-5}, {"auc", std::nan("")}});
    ctx.log.debug("detail");
    ctx.log.warn("odd");
  }
  if (o.how == "progress") {
    Progress progress(ctx.log, "rows", 10);
    progress.at(1);
    usleep(150'000);
    progress.at(5);
    ctx.log.info("halfway");
  }
  std::cout << "result\n";
  return 0;
}

struct Outcome {
  int code;
  std::string out, err;
};

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, n);
  close(fd);
  return text;
}

// The two ends of a terminal: what is written to ends[1] is read from ends[0].
bool terminal(int ends[2]) {
  ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
  if (ends[0] < 0 || grantpt(ends[0]) || unlockpt(ends[0])) return false;
  ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
  return ends[1] >= 0;
}

// stdout_path, when given, takes the place of stdout; stderr is a terminal on request.
Outcome probe(std::vector<std::string> args, bool predicate = false, const char* stdout_path = nullptr,
              bool err_is_terminal = false) {
  int out[2], err[2];
  if (pipe(out) || (err_is_terminal ? !terminal(err) : pipe(err))) std::abort();
  std::fflush(nullptr);  // else the child writes what the test program has in its buffers, too
  pid_t child = fork();
  if (child == 0) {
    dup2(stdout_path ? open(stdout_path, O_WRONLY) : out[1], 1);
    dup2(err[1], 2);
    for (int fd : {out[0], out[1], err[0], err[1]}) close(fd);
    std::vector<char*> argv = {const_cast<char*>("probe")};
    for (auto& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    _exit(cli::main<Options>(argv.size() - 1, argv.data(), "probe", predicate ? declare_predicate : declare, validate,
                             run));
  }
  close(out[1]);
  close(err[1]);
  Outcome outcome = {0, read_all(out[0]), read_all(err[0])};
  waitpid(child, &outcome.code, 0);
  outcome.code = WIFEXITED(outcome.code) ? WEXITSTATUS(outcome.code) : -WTERMSIG(outcome.code);
  return outcome;
}

TEST(Run, EndsWithTheRightCodeAndOneLine) {
  EXPECT_EQ(probe({}).code, 0);
  EXPECT_EQ(probe({}).out, "result\n");
  EXPECT_EQ(probe({}).err, "");

  Outcome fail = probe({"--how", "fail"});
  EXPECT_EQ(fail.code, 1);
  EXPECT_EQ(fail.err, "probe: news.tsv:7: expected 8 columns, found \\x1b[1m\n");
  EXPECT_EQ(probe({"--how", "memory"}).code, 1);
  EXPECT_EQ(probe({"--how", "memory"}).err, "probe: out of memory\n");
  EXPECT_EQ(probe({"--how", "bug"}).err, "probe: internal error: impossible\n");

  Outcome usage = probe({"--how", "nonsense"});
  EXPECT_EQ(usage.code, 2);
  EXPECT_EQ(usage.err, "probe: --how nonsense makes no sense\n");
  EXPECT_EQ(probe({"--bogus"}).code, 2);

  Outcome stop = probe({"--how", "stop"});
  EXPECT_EQ(stop.code, 128 + SIGTERM);
  EXPECT_EQ(stop.err, "probe: stopped by SIGTERM\n");
  EXPECT_EQ(probe({"--how", "stop twice"}).code, -SIGINT);  // by the signal itself: nobody looked at the flag
}

TEST(Run, APredicateSaysTroubleWithTwo) {
  EXPECT_EQ(probe({}, true).code, 0);
  EXPECT_EQ(probe({"--how", "no"}, true).code, 1);
  EXPECT_EQ(probe({"--how", "no"}, true).err, "");
  EXPECT_EQ(probe({"--how", "fail"}, true).code, 2);
  EXPECT_EQ(probe({"--how", "memory"}, true).code, 2);
  EXPECT_EQ(probe({}, true, "/dev/full").code, 2);
}

TEST(Run, NoticesAFullDisk) {
  for (const char* arg : {"--how=done", "--help", "--version", "--print-options"}) {
    Outcome full = probe({arg}, false, "/dev/full");
    EXPECT_EQ(full.code, 1) << arg;
    EXPECT_EQ(full.err, "probe: standard output: No space left on device\n") << arg;
  }
}

TEST(Run, NoticesAReaderThatWentAway) {
  Outcome outcome;
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  std::string path = "/proc/self/fd/" + std::to_string(pipes[1]);
  int keep = open(path.c_str(), O_WRONLY);
  close(pipes[0]);
  outcome = probe({}, false, path.c_str());
  close(keep);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "probe: standard output: Broken pipe\n");
}

TEST(Run, LogsForPeopleAndForMachines) {
  EXPECT_EQ(probe({"--how", "log"}).err, "probe: epoch epoch=3 loss=0.5 name=\"a b\"\nprobe: warning: odd\n");
  EXPECT_EQ(probe({"--how", "log", "-q"}).err, "probe: warning: odd\n");
  EXPECT_NE(
      probe({"--how", "log", "-v"}).err.find("probe: numbers seconds=0.085108 lr=1e-05 auc=none\nprobe: detail\n"),
      std::string::npos);
  std::string json = probe({"--how", "log", "--log-format", "json"}).err;
  EXPECT_NE(
      json.find(
          "\"level\":\"info\",\"tool\":\"probe\",\"event\":\"epoch\",\"epoch\":3,\"loss\":0.5,\"name\":\"a b\"}\n"),
      std::string::npos)
      << json;
  EXPECT_EQ(json.find("{\"t\":\"20"), 0u);
  EXPECT_NE(probe({"--how", "log", "-v", "--log-format", "json"})
                .err.find("\"seconds\":0.08510799899977428,\"lr\":1e-05,\"auc\":null}\n"),
            std::string::npos);
  json = probe({"--how", "fail", "--log-format", "json"}).err;
  EXPECT_NE(json.find("\"level\":\"error\",\"tool\":\"probe\",\"event\":\"failed\",\"message\":\"news.tsv:7:"),
            std::string::npos);
}

TEST(Run, ReadsItsLogLevelFromTheEnvironment) {
  setenv("ND_LOG", "error", 1);
  EXPECT_EQ(probe({"--how", "log"}).err, "");
  setenv("ND_LOG", "loud", 1);
  EXPECT_EQ(probe({}).code, 2);
  unsetenv("ND_LOG");
}

TEST(Run, ShowsABarOnATerminalOnly) {
  EXPECT_EQ(probe({"--how", "progress"}).err, "probe: halfway\n");
  // The bar is wiped before a line is written.
  EXPECT_EQ(probe({"--how", "progress"}, false, nullptr, true).err,
            "probe: rows 5/10 [############............] 50%, 0s left\r\x1b[Kprobe: halfway\r\n");
  EXPECT_EQ(probe({"--how", "progress", "-q"}, false, nullptr, true).err, "");
}

}  // namespace
}  // namespace nd::cli
