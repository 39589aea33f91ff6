#include "lib/nn/parameters.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "formats/rules.h"
#include "lib/io/error.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

void start(Mat x, Init init, uint64_t seed, const std::string& name, double scale) {
  const Random random(seed, "init/" + name);
  const double fan = static_cast<double>(x.rows + x.cols);
  for (int64_t i = 0; i < x.size(); ++i) {
    switch (init) {
      case Init::zeros:
        x.data[i] = 0;
        break;
      case Init::ones:
        x.data[i] = 1;
        break;
      case Init::uniform:
        x.data[i] = static_cast<float>((2 * random.uniform(i) - 1) * scale);
        break;
      case Init::normal:
        x.data[i] = static_cast<float>(random.normal(i) * scale);
        break;
      case Init::glorot_uniform:
        x.data[i] = static_cast<float>((2 * random.uniform(i) - 1) * std::sqrt(6 / fan));
        break;
      case Init::small_normal:
        x.data[i] = static_cast<float>(random.normal(i) * 0.01 * std::sqrt(2 / fan));
        break;
    }
  }
}

// The tensor of that name, which must be there, have this shape and hold numbers.
const Matrix& tensor_of(const std::map<std::string, Matrix>& tensors, const std::string& name, int64_t rows,
                        int64_t cols) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw Error("tensor " + name + " is missing");
  const Matrix& m = found->second;
  if (m.rows != rows || m.cols != cols)
    throw Error("tensor " + name + " is " + std::to_string(m.rows) + " x " + std::to_string(m.cols) + ", expected " +
                std::to_string(rows) + " x " + std::to_string(cols));
  if (const std::string problem = finite(("tensor " + name).c_str(), m.values, cols); !problem.empty())
    throw Error(problem);
  return m;
}

}  // namespace

Parameter& Parameters::add(const std::string& name, int64_t rows, int64_t cols, Init init, uint64_t seed,
                           bool embedding, double scale) {
  if (trained_) {
    const Matrix& from = tensor_of(*trained_, name, rows, cols);
    Parameter& p = list_.emplace_back(Parameter{name, memory_.mat(rows, cols)});
    copy_in(from.values.data(), p.value);
    return p;
  }
  Parameter& p = list_.emplace_back();
  p.name = name;
  for (Mat* m : {&p.value, &p.grad, &p.m, &p.v}) *m = memory_.mat(rows, cols);
  for (const Mat& m : {p.grad, p.m, p.v}) fill(m, 0.0f);
  p.embedding = embedding;
  std::vector<float> values(static_cast<size_t>(rows * cols));
  start({values.data(), rows, cols}, init, seed, name, scale);
  copy_in(values.data(), p.value);
  return p;
}

Parameter* Parameters::find(std::string_view name) {
  for (Parameter& p : list_)
    if (p.name == name) return &p;
  return nullptr;
}

int64_t Parameters::count() const {
  int64_t n = 0;
  for (const Parameter& p : list_) n += p.value.size();
  return n;
}

Var Parameters::on(Tape& tape, std::string_view name) {
  Parameter* p = find(name);
  if (!p) throw std::logic_error("no parameter " + std::string(name));
  return tape.leaf(p->value, p->grad, &p->started);
}

void Parameters::clear_gradients() {
  for (Parameter& p : list_) p.started = false;
}

const Mat& Parameters::squared_norm() {
  if (norm_.empty()) norm_ = memory_.mat(1, 1);
  fill(norm_, 0.0f);
  for (const Parameter& p : list_)
    if (p.started) ops::squared_norm(p.grad, true, norm_);
  return norm_;
}

void Parameters::step(const OptimiserOptions& o, int64_t t) {
  AdamStep step;
  step.lr = o.lr;
  step.beta1 = o.beta1;
  step.beta2 = o.beta2;
  step.epsilon = o.epsilon;
  if (o.clip > 0) {
    step.longest = o.clip;
    step.squared_norm = squared_norm();
  }
  step.decoupled = o.l2_mode == "decoupled";
  step.c1 = 1 - std::pow(o.beta1, static_cast<double>(t));
  step.c2 = 1 - std::pow(o.beta2, static_cast<double>(t));
  std::vector<AdamParameter> stepped;
  for (Parameter& p : list_) {
    const double decay = o.l2_mode == "none" || !p.decayed ? 0 : o.l2;
    if (!p.started) fill(p.grad, 0.0f);
    stepped.push_back({p.grad, p.m, p.v, p.value, decay, o.sparse_rows && p.embedding});
  }
  ops::adam(step, stepped);
}

void Parameters::write(std::map<std::string, Matrix>& tensors, const std::string& prefix, Mat Parameter::*what) const {
  for (const Parameter& p : list_) {
    const Mat& x = p.*what;
    tensors[prefix + p.name] = {values_of(x), x.rows, x.cols};
  }
}

void Parameters::read(const std::map<std::string, Matrix>& tensors, const std::string& prefix, Mat Parameter::*what) {
  for (Parameter& p : list_) {
    Mat& x = p.*what;
    const Matrix& from = tensor_of(tensors, prefix + p.name, x.rows, x.cols);
    copy_in(from.values.data(), x);
  }
}

}  // namespace nd
