/* Which processors the agent, its sampler and the programs of a session use. */
#ifndef EDGEBIN_AGENT_PLACEMENT_H
#define EDGEBIN_AGENT_PLACEMENT_H

#include <stdint.h>

/* Remembers what this process may use; before all others. */
void eb_placement_prepare(void);

/* Keeps the agent off the cores of a session, where it may use others. Returns one for the sampler, -1 for any. */
int eb_placement_beside(const int64_t* cores, int count);

/* In a new child: its cores, all if `count` is 0. Returns 0 and why in errno if it cannot use them. */
int eb_placement_of_child(const int64_t* cores, int count);

/* Runs the thread on one core only, and where it was before (eb_placement_beside). */
int eb_placement_on(int core);
void eb_placement_back(void);

#endif
