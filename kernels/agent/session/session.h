/* Contenders timed against each other in turns, on the same processors, so that whatever disturbs one disturbs all. */
#ifndef EDGEBIN_AGENT_SESSION_H
#define EDGEBIN_AGENT_SESSION_H

#include "report.h"

/* The whole of one session, from the start of its contenders to their end. Ends the program where it cannot be done. */
void eb_session_run(const eb_plan* plan, int number);

/* Its parts, in this order, each in a file of its own. */

/* Starts all, and of several of one name keeps the quickest in a trial (rivals.c). */
void eb_session_choose(eb_session* session);

/* Warm-up until times are steady, then rounds of turns (rounds.c). */
void eb_session_time(eb_session* session);

/* Idle stretches and windows of uninterrupted inference, with the power sampled (energy.c). */
void eb_session_energy(eb_session* session);

#endif
