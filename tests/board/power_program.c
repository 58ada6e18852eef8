/* The part of the agent that is about power, as a program: `inspect --root DIR`, and `sample SECONDS --power SOURCE
 * --power-hz N --root DIR`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../kernels/agent/power.h"
#include "../../kernels/runtime/json.h"

static const char* option(int argc, char** argv, const char* name, const char* otherwise) {
  for (int i = 1; i + 1 < argc; i++) {
    if (!strcmp(argv[i], name)) return argv[i + 1];
  }
  return otherwise;
}

int main(int argc, char** argv) {
  const char* root = option(argc, argv, "--root", "");
  if (argc > 1 && !strcmp(argv[1], "inspect")) {
    eb_json_begin();
    eb_power_report(root);
    eb_json_end();
    return 0;
  }
  double seconds = atof(argv[2]);
  eb_power* power = eb_power_open(root, option(argc, argv, "--power", ""));
  eb_power_start(power, atof(option(argc, argv, "--power-hz", "100")), -1, seconds + 1);
  struct timespec pause = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&pause, NULL);
  eb_power_cost cost = eb_power_stop(power);
  eb_power_flush(power, stdout);
  eb_json_begin();
  eb_json_integer("samples", cost.samples);
  eb_json_integer("cpu_ns", cost.cpu_ns);
  eb_json_integer("late", cost.late);
  eb_json_end();
  return 0;
}
