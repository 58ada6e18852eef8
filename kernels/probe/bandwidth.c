#include "bandwidth.h"

#include <stdint.h>
#include <string.h>

#include "../runtime/fail.h"
#include "../runtime/json.h"
#include "../runtime/machine.h"
#include "cpuinfo.h"

#define TRIES 7
#define LEAST_BYTES_PER_TRY (32 << 20)
#define MOST_BYTES (64 << 20)

typedef struct {
  uint64_t *from, *to;
  size_t bytes;
} buffers;

static void copy(const buffers* b) {
  memcpy(b->to, b->from, b->bytes);
  __asm__ volatile("" ::: "memory");
}

static void write(const buffers* b) {
  memset(b->to, 1, b->bytes);
  __asm__ volatile("" ::: "memory");
}

typedef uint64_t words __attribute__((vector_size(16)));

/* Eight vectors side by side, so that none waits for another. */
static void read(const buffers* b) {
  words any[8] = {0};
  const words* from = (const words*)b->from;
  for (size_t i = 0; i < b->bytes / sizeof(words); i += 8) {
    for (size_t j = 0; j < 8; j++) any[j] |= from[i + j];
  }
  for (int j = 1; j < 8; j++) any[0] |= any[j];
  __asm__ volatile("" ::"m"(any[0]) : "memory");
}

static double bytes_per_s(void (*run)(const buffers*), const buffers* b) {
  const size_t times = b->bytes < LEAST_BYTES_PER_TRY ? LEAST_BYTES_PER_TRY / b->bytes : 1;
  int64_t best = INT64_MAX;
  run(b);
  for (int i = 0; i < TRIES; i++) {
    const int64_t begin = eb_now_ns();
    for (size_t j = 0; j < times; j++) run(b);
    const int64_t ns = eb_now_ns() - begin;
    if (ns < best) best = ns;
  }
  return (double)b->bytes * (double)times * 1e9 / (double)best;
}

int eb_probe_bandwidth(int argc, char** argv) {
  (void)argv;
  if (argc) eb_fail(EB_EXIT_INPUT, "usage: probe bandwidth");
  if (eb_say_emulated()) return EB_EXIT_OK;
  static const size_t kBytes[] = {16 << 10, 128 << 10, 1 << 20, 8 << 20, MOST_BYTES};
  buffers b = {eb_allocate_aligned(MOST_BYTES), eb_allocate_aligned(MOST_BYTES), 0};
  eb_json_begin();
  eb_json_boolean("emulated", 0);
  eb_json_open_list("bandwidth");
  for (size_t i = 0; i < sizeof(kBytes) / sizeof(kBytes[0]); i++) {
    b.bytes = kBytes[i];
    eb_json_open_object(NULL);
    eb_json_integer("bytes", (int64_t)b.bytes);
    eb_json_number("read_bytes_per_s", bytes_per_s(read, &b));
    eb_json_number("write_bytes_per_s", bytes_per_s(write, &b));
    eb_json_number("copy_bytes_per_s", bytes_per_s(copy, &b));
    eb_json_close_object();
  }
  eb_json_close_list();
  eb_json_end();
  return EB_EXIT_OK;
}
