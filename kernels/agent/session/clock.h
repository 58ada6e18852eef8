/* The speed of a processor, measured: what the system says of it is not true on every board. */
#ifndef EDGEBIN_AGENT_CLOCK_H
#define EDGEBIN_AGENT_CLOCK_H

/* Additions per second of a chain in which each needs the one before, on this processor; it takes a few ms. Each takes
 * one cycle on all cores that edgebin knows. 0 where this process may not use the processor. */
double eb_clock_hz(int cpu);

/* A processor to measure on: the one that runs this. */
int eb_clock_here(void);

#endif
