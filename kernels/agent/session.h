/* Contenders timed against each other in turns, on the same processors, so that whatever disturbs one disturbs all. */
#ifndef EDGEBIN_AGENT_SESSION_H
#define EDGEBIN_AGENT_SESSION_H

#include "contender.h"
#include "plan.h"

typedef struct {
  const eb_plan* plan;
  const eb_plan_session* asked;
  int number;
  int beside;               /* a processor that the contenders do not use; -1 if there is none */
  eb_contender* contenders; /* as in the plan */
  eb_contender** chosen;    /* those that are timed */
  int chosen_count;
} eb_session;

/* The whole of one session, from the start of its contenders to their end. Ends the program where it cannot be done. */
void eb_session_run(const eb_plan* plan, int number);

/* Its parts, in this order, each in a file of its own. */

/* Starts all, and of several of one name keeps the quickest in a trial (rivals.c). */
void eb_session_choose(eb_session* session);

/* Warm-up until times are steady, then rounds of turns (rounds.c). */
void eb_session_time(eb_session* session);

/* Idle stretches and windows of uninterrupted inference, with the power sampled (energy.c). */
void eb_session_energy(eb_session* session);

/* An event that names the session; with `contender`, also that. */
void eb_session_event(const eb_session* session, const char* kind, const eb_contender* contender);

/* The event `clock`. */
void eb_session_clock(const eb_session* session);

#endif
