/* A plan, as docs/board.md has its lines. */
#ifndef EDGEBIN_AGENT_PLAN_H
#define EDGEBIN_AGENT_PLAN_H

#include <stdint.h>

#include "tuning/tuning.h"

/* A command line. `argv` and `environment` end in NULL; the latter is added to the agent's own. */
typedef struct {
  char* name;
  char **argv, **environment;
  int argument_count, environment_count;
} eb_program;

typedef struct {
  int64_t threads;
  int64_t* cores;
  int core_count; /* 0: the scheduler chooses */
  eb_program* contenders;
  int contender_count;
} eb_plan_session;

typedef struct {
  const char* root;  /* "" for the machine itself */
  const char* power; /* NULL for none */
  double power_hz;
  double warmup_seconds;
  int64_t min_runs;
  double min_seconds;
  double idle_seconds;
  int64_t energy_windows;
  double energy_seconds;
  int64_t energy_min_runs;
  double timeout_seconds;
  eb_settings tune;
  eb_plan_session* sessions;
  int session_count;
  eb_program* commands;
  int command_count;
} eb_plan;

/* Ends the program where a line is not understood (EB_EXIT_INPUT). What is read stays until the program ends. */
eb_plan eb_plan_read(const char* path);

#endif
