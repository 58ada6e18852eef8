/* The file `power`: samples of a source while energy is measured. Without a source all of this does nothing. */
#ifndef EDGEBIN_AGENT_RECORDING_H
#define EDGEBIN_AGENT_RECORDING_H

#include <stdint.h>

#include "../plan.h"
#include "../power/power.h"

/* Ends the program where the source cannot be read or the file not be written, as eb_recording_flush does. */
void eb_recording_open(const eb_plan* plan, const char* path);

/* Samples on processor `cpu` (negative: any), with room for `seconds` between two calls of eb_recording_flush. */
void eb_recording_start(int cpu, double seconds);
void eb_recording_flush(void);

/* Waits for some samples: power at the edge of a window is what lies between two of them. */
void eb_recording_lead(void);

/* Ends sampling and flushes; may be called at any time. */
void eb_recording_stop(void);

typedef struct {
  eb_power_cost cost;
  int64_t wall_ns; /* how long it has sampled */
} eb_recording_total;

eb_recording_total eb_recording_total_cost(void);

#endif
