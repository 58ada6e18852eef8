/* A running inference program. It prints one JSON object when its model is loaded; each line `run N` on its standard
 * input then gives one with `samples_ns`, the times of N inferences, and with `begin_ns` and `end_ns`, CLOCK_MONOTONIC
 * before the first and after the last. It ends when its standard input does. */
#ifndef EDGEBIN_AGENT_CONTENDER_H
#define EDGEBIN_AGENT_CONTENDER_H

#include <stdint.h>

#include "child.h"
#include "../plan.h"

#define EB_PROBLEM_BYTES 4096

/* More of one request make its answer too long. */
#define EB_MOST_RUNS 1000000

typedef struct {
  const eb_program* program;
  int number; /* in its session */
  double timeout_seconds;
  eb_child child;
  int usable; /* it has started, and has not been ended */
  char* hello;
  int64_t load_ns;
  int64_t inference_ns; /* the mean of the last answer, 0 before the first one */
  int64_t *samples_ns, count, room;
  int64_t begin_ns, end_ns;
  char problem[EB_PROBLEM_BYTES]; /* what went wrong; then `exit` is its exit code, -1 where it was the agent that
                                     ended it */
  int exit;
} eb_contender;

/* Both return 0 where it went wrong; the program has ended then. */
int eb_contender_start(eb_contender* contender, const int64_t* cores, int core_count);
int eb_contender_run(eb_contender* contender, int64_t runs);

/* The same, but it must not go wrong: ends the agent. */
void eb_contender_must_run(eb_contender* contender, int64_t runs);

/* The most memory that it has had resident; 0 where the system does not say. */
int64_t eb_contender_peak_rss_bytes(const eb_contender* contender);

void eb_contender_end(eb_contender* contender);

#endif
