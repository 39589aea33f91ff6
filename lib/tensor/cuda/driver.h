// The GPU as the rest of the library sees it, without a CUDA header: memory, copies, one product. driver.cu is the real
// one; tests/lib/tensor/cuda/driver.cpp stands in for it where there is no GPU, so that everything else can be run
// there.
//
// Everything is done in order on one stream. Whatever goes wrong is an Error in one line that says what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "lib/tensor/device.h"
#include "lib/tensor/mat.h"

namespace nd::cuda {

// What it takes to use the first GPU and is not there, "" when nothing is.
std::string what_is_missing();

std::byte* allocate(size_t bytes);
void release(std::byte* memory);
// Host memory that the GPU copies from by itself.
std::byte* allocate_pinned(size_t bytes);
void release_pinned(std::byte* memory);
// How many pieces of either were asked for so far.
uint64_t allocations();

// From pinned memory the copy is on its way when this returns; any other memory may be changed then.
void copy_to_device(void* to, const void* from, size_t bytes);
// Waits for everything asked for before.
void copy_to_host(void* to, const void* from, size_t bytes);
// Into memory from allocate_pinned, on its way when this returns.
void copy_to_host_later(void* to, const void* from, size_t bytes);
void synchronize();

// Marks in the order of the work, numbered from 1, that can be waited for without waiting for what comes after.
// The mark by which all that was asked for is done: set here, or, while a step is recorded, when that is started.
uint64_t mark();
// The mark that will be set next: by it all that was asked for is done, too.
uint64_t next_mark();
// On any thread; sets the next mark if that is meant. std::logic_error where a step waits for itself to be done while
// it is being recorded. 0: for nothing.
void wait_for(uint64_t mark);

// From here on what this thread asks for is not done but recorded, and then started as a whole: a step of many small
// kernels costs the host one call. Meanwhile other threads ask for nothing but memory and marks already set, and this
// one waits for nothing; std::logic_error where they do. What the host wrote for it is read when it runs, so it lies in
// mirrored memory.
void begin_recording();
void start_recorded();
// Forgets it instead; arenas that it read are then to be reset.
void drop_recording();
bool recording();
// Steps started so far, and how many of them were unlike the one before, for which a graph had to be built.
RecordedCounts recorded_counts();

// For benchmarks: the seconds that the GPU is at work between these two calls, or NaN where that could not be told.
// Meanwhile nothing overlaps with the host, so all takes longer. Both on the thread that computes.
void start_busy_clock();
double stop_busy_clock();

// From here on sgemm may round what it multiplies to TF32; at first it may not.
void allow_tf32(bool allowed);
// c = op(a) op(b) + beta c, column by column as BLAS has it: op(a) is (m,k), op(b) (k,n).
void sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda,
           const float* b, int64_t ldb, float beta, float* c, int64_t ldc);

// --- Built on these, memory.cu ---

std::byte* allocate_mirrored(size_t bytes);
void release_mirrored(std::byte* memory);
void renew(std::byte* memory);
void send(std::byte* memory, size_t bytes);
// copy_to_device, where `from` may also be a part of mirrored memory, which is then not changed before it is renewed.
void copy_in(void* to, const void* from, size_t bytes);
// copy_to_host_later into a part of mirrored memory.
void copy_out_later(void* to, const void* from, size_t bytes);
void set_all(const Mat& x, float value);

}  // namespace nd::cuda
