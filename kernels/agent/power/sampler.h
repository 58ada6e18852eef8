/* The thread that reads a source at a steady rate into memory. */
#ifndef EDGEBIN_AGENT_POWER_SAMPLER_H
#define EDGEBIN_AGENT_POWER_SAMPLER_H

#include <stdio.h>

#include "source.h"

typedef struct eb_sampler eb_sampler;

/* Starts it, with memory for at most `seconds` of samples; `cpu` negative: on any. */
eb_sampler* eb_sampler_start(eb_source* source, double hz, int cpu, double seconds);

/* Writes the samples so far and makes room, while the thread goes on. */
void eb_sampler_flush(eb_sampler* sampler, FILE* stream);

/* Ends the thread. Samples that were not flushed can still be. */
eb_power_cost eb_sampler_stop(eb_sampler* sampler);

void eb_sampler_free(eb_sampler* sampler);

#endif
