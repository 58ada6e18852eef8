/* Does what a plan says. */
#ifndef EDGEBIN_AGENT_MEASURE_H
#define EDGEBIN_AGENT_MEASURE_H

#include "../plan.h"

typedef struct {
  const char *events, *power; /* the files */
  const char* folder;         /* edgebin's on the board; NULL for the current one */
  const char* tuning;         /* where settings of before are recorded */
} eb_measure_files;

/* Ends the program where it cannot be done; eb_measure_give_up has to be called on the way out then. */
void eb_measure(const eb_plan* plan, const eb_measure_files* files);

/* Ends children and sampling, undoes tuning, and writes the event `error`. */
void eb_measure_give_up(int exit_code, const char* message);

#endif
