/* Channels that are read from files, which stay open: a sample is one system call for each file. */
#ifndef EDGEBIN_AGENT_POWER_RAILS_H
#define EDGEBIN_AGENT_POWER_RAILS_H

#include "source.h"

/* Opens the files of a channel (`second` NULL: there is one) and tries them; what fails is the source's problem. */
void eb_rail_open(eb_source* source, eb_channel* channel, const char* first, const char* second, double unit);

/* The `read` of sources whose channels hold power. */
void eb_rails_power(eb_source* source, double* values);

/* The `read` of sources whose channels count energy: if one cannot be read none is, and the next reading has it all. */
void eb_rails_energy(eb_source* source, double* values);

#endif
