/* A program that is run once, to its end. */
#ifndef EDGEBIN_AGENT_COMMAND_H
#define EDGEBIN_AGENT_COMMAND_H

#include "../plan.h"

/* Writes the event `output`, whatever becomes of the program. */
void eb_command_run(const eb_plan* plan, const eb_program* program);

#endif
