/* What the runner asks of the operating system: time, cores, memory. */
#ifndef EDGEBIN_RUNTIME_MACHINE_H
#define EDGEBIN_RUNTIME_MACHINE_H

#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t eb_now_ns(void);

/* Keeps this thread, and those it starts from now on, on the given cores. */
void eb_pin(const int* cores, int count);

/* The largest resident set so far. */
int64_t eb_peak_rss_bytes(void);

/* Threads in this process right now; 0 where /proc does not say. */
int eb_process_threads(void);

#endif
