#include "rates.h"

#include "../runtime/fail.h"
#include "../runtime/json.h"
#include "../runtime/machine.h"
#include "cpuinfo.h"

#define LOOPS 2000
#define TRIES 25

/* The quickest of some tries: nothing makes a processor faster than it is, but much makes it slower. */
static double best_ns(void (*run)(int64_t loops, void* memory), void* memory) {
  int64_t best = INT64_MAX;
  for (int i = 0; i < TRIES; i++) {
    const int64_t begin = eb_now_ns();
    run(LOOPS, memory);
    const int64_t ns = eb_now_ns() - begin;
    if (ns < best) best = ns;
  }
  return (double)best / ((double)LOOPS * EB_RATE_BLOCK);
}

static void run_chain(int64_t loops, void* memory) {
  (void)memory;
  eb_add_chain(loops);
}

double eb_cycle_ns(void) { return best_ns(run_chain, NULL); }

int eb_probe_rates(int argc, char** argv) {
  (void)argv;
  if (argc) eb_fail(EB_EXIT_INPUT, "usage: probe rates");
  if (eb_say_emulated()) return EB_EXIT_OK;
  void* memory = eb_allocate_aligned(EB_RATE_MEMORY);
  eb_json_begin();
  eb_json_boolean("emulated", 0);
  eb_json_number("freq_hz", 1e9 / eb_cycle_ns());
  eb_json_open_list("instructions");
  for (const eb_instruction* i = kInstructions; i->name; i++) {
    if (i->feature && !eb_cpu_has(i->feature)) continue;
    /* The clock may move: it is read again beside each figure. */
    const double cycle_ns = eb_cycle_ns();
    eb_json_open_object(NULL);
    eb_json_string("name", i->name);
    eb_json_number("per_cycle", cycle_ns / best_ns(i->independent, memory));
    if (i->dependent) eb_json_number("latency", best_ns(i->dependent, memory) / cycle_ns);
    eb_json_close_object();
  }
  eb_json_close_list();
  eb_json_end();
  return EB_EXIT_OK;
}
