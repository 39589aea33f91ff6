#include "lib/cli/log.h"

#include <unistd.h>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace nd::cli {
namespace {

const char* name_of(Level level) {
  const char* names[] = {"error", "warn", "info", "debug"};
  return names[static_cast<int>(level)];
}

// A bar is on the terminal's last line and must be wiped before anything else is written there.
bool bar_drawn = false;

void put(const std::string& text) {
  std::string out = bar_drawn ? "\r\x1b[K" + text : text;
  bar_drawn = false;
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
}

std::string now() {
  auto time = std::chrono::system_clock::now();
  std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  std::tm utc;
  gmtime_r(&seconds, &utc);
  char text[32], out[48];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(out, sizeof out, "%s.%03dZ", text, static_cast<int>(milliseconds));
  return out;
}

std::string json_head(const Log& log, Level level) {
  return "{\"t\":\"" + now() + "\",\"level\":\"" + name_of(level) + "\",\"tool\":" + json_text(log.tool);
}

// Six digits are what a person reads: 0.512346, 1e-05, 1.2e+06; "none" where there is no number.
std::string six_digits(double value) {
  if (!std::isfinite(value)) return "none";
  char buffer[32];
  return {buffer, static_cast<size_t>(std::snprintf(buffer, sizeof buffer, "%.6g", value))};
}

std::string fixed(double value, int digits) {
  char buffer[32];
  return {buffer, static_cast<size_t>(std::snprintf(buffer, sizeof buffer, "%.*f", digits, value))};
}

std::string duration(double seconds) {
  int64_t s = static_cast<int64_t>(seconds + 0.5);
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return std::to_string(s / 60) + "m" + std::to_string(s % 60) + "s";
  return std::to_string(s / 3600) + "h" + std::to_string(s / 60 % 60) + "m";
}

}  // namespace

// Strings stand without quotes where that is unambiguous.
Field::Field(std::string name, std::string_view value) : name(std::move(name)), json(json_text(value)), plain(json) {
  if (json.size() > 2 && json.find_first_of(" =\\", 1) == std::string::npos) plain = json.substr(1, json.size() - 2);
}
Field::Field(std::string name, float value)
    : name(std::move(name)), json(number_text(value)), plain(six_digits(value)) {}
Field::Field(std::string name, double value)
    : name(std::move(name)), json(number_text(value)), plain(six_digits(value)) {}

void Log::error(std::string_view message) {
  std::string text = printable(message);
  put(json ? json_head(*this, Level::error) + ",\"event\":\"failed\",\"message\":" + json_text(text) + "}\n"
           : tool + ": " + text + "\n");
}

void Log::line(Level at, std::string_view event, Fields fields) {
  if (at > level) return;
  std::string text;
  if (json) {
    text = json_head(*this, at) + ",\"event\":" + json_text(event);
    for (const auto& field : fields) text += "," + json_text(field.name) + ":" + field.json;
    text += "}";
  } else {
    text = tool + ": " + (at == Level::warn ? "warning: " : "") + std::string(event);
    for (const auto& field : fields) text += " " + field.name + "=" + field.plain;
    text = printable(text);
  }
  put(text + "\n");
}

Progress::Progress(Log& log, std::string what, int64_t total)
    : log_(log),
      what_(std::move(what)),
      total_(total),
      bar_(!log.json && isatty(STDERR_FILENO)),
      start_(Clock::now()),
      shown_(start_) {}

Progress::~Progress() {
  if (bar_drawn) put("");
}

void Progress::at(int64_t done) {
  if (log_.level < Level::info) return;
  auto time = Clock::now();
  if (time - shown_ < (bar_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000))) return;
  shown_ = time;
  double seconds = std::chrono::duration<double>(time - start_).count();
  if (!bar_) {
    if (total_ > 0) log_.info(what_, {{"done", done}, {"total", total_}, {"seconds", static_cast<int64_t>(seconds)}});
    else log_.info(what_, {{"done", done}, {"seconds", static_cast<int64_t>(seconds)}});
    return;
  }
  std::string text = log_.tool + ": " + what_ + " " + std::to_string(done);
  if (total_ > 0) {
    double part = static_cast<double>(done) / static_cast<double>(total_);
    size_t full = static_cast<size_t>(24 * (part < 1 ? part : 1));
    text += "/" + std::to_string(total_) + " [" + std::string(full, '#') + std::string(24 - full, '.') + "] " +
            fixed(100 * part, 0) + "%";
    if (part > 0) text += ", " + duration(seconds / part - seconds) + " left";
  } else {
    text += ", " + duration(seconds);
  }
  put(text);
  bar_drawn = true;
}

}  // namespace nd::cli
