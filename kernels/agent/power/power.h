/* Power of the board: what can be read (docs/board.md, "The board"), and a thread that reads it at a steady rate. */
#ifndef EDGEBIN_AGENT_POWER_H
#define EDGEBIN_AGENT_POWER_H

#include <stdint.h>
#include <stdio.h>

#define EB_MAX_CHANNELS 32

/* Writes the list `power_sources` into the open JSON object, those that can be read and those that cannot. `root` goes
 * before every path. */
void eb_power_report(const char* root);

typedef struct eb_power eb_power;

/* Opens a source by the name that eb_power_report gives it. Ends the program where there is none of this name or it
 * cannot be read (EB_EXIT_INPUT). */
eb_power* eb_power_open(const char* root, const char* source);

/* Starts a thread, which never ends the program, that reads the source `hz` times a second, on core `cpu` (negative: on
 * any). Samples go into memory, for at most `seconds`; nothing is written until eb_power_flush. */
void eb_power_start(eb_power* power, double hz, int cpu, double seconds);

/* Appends all samples so far to `stream`, one JSON line each, and makes room. Call it where nothing is being timed. */
void eb_power_flush(eb_power* power, FILE* stream);

typedef struct {
  int64_t samples;
  int64_t cpu_ns; /* what the thread has spent */
  int64_t late;   /* samples taken more than half a period after their time */
} eb_power_cost;

/* Ends the thread and says what it has cost since eb_power_start. What was not flushed still can be; the source can be
 * started again. */
eb_power_cost eb_power_stop(eb_power* power);

#endif
