/* When warm-up is over. */
#ifndef EDGEBIN_AGENT_STEADY_H
#define EDGEBIN_AGENT_STEADY_H

#include <stdint.h>

#define EB_STEADY_SAMPLES 20

/* The median of `count` values, at most EB_STEADY_SAMPLES of them. */
double eb_median(const int64_t* values, int count);

/* Whether the median of the last ten of these EB_STEADY_SAMPLES times differs by less than 2 % from that of the ten
 * before. */
int eb_is_steady(const int64_t samples_ns[EB_STEADY_SAMPLES]);

#endif
