/* What a session is, and what all of its parts write of it. */
#ifndef EDGEBIN_AGENT_SESSION_REPORT_H
#define EDGEBIN_AGENT_SESSION_REPORT_H

#include "../plan.h"
#include "contender.h"

typedef struct {
  const eb_plan* plan;
  const eb_plan_session* asked;
  int number;
  int beside;               /* a processor that the contenders do not use; -1 if there is none */
  eb_contender* contenders; /* as in the plan */
  eb_contender** chosen;    /* those that are timed */
  int chosen_count;
} eb_session;

/* An event that names the session; with `contender`, also that. */
void eb_session_event(const eb_session* session, const char* kind, const eb_contender* contender);

/* The event `clock`. */
void eb_session_clock(const eb_session* session);

#endif
