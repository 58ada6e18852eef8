#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "../linked/variants.h"
#include "../runtime/fail.h"
#include "../runtime/json.h"
#include "bandwidth.h"
#include "batch.h"
#include "cpuinfo.h"
#include "kernel.h"
#include "rates.h"

static int list(int argc, char** argv) {
  (void)argv;
  if (argc) eb_fail(EB_EXIT_INPUT, "usage: probe list");
  eb_json_begin();
  eb_json_open_list("variants");
  for (const eb_variant* v = eb_next_variant(NULL); v; v = eb_next_variant(v)) {
    eb_json_open_object(NULL);
    eb_json_string("op", v->op);
    eb_json_string("variant", v->path);
    eb_json_close_object();
  }
  eb_json_close_list();
  eb_json_end();
  return EB_EXIT_OK;
}

static int kernel(int argc, char** argv) { return eb_probe_kernel(argc, argv, 0); }
static int paced(int argc, char** argv) { return eb_probe_kernel(argc, argv, 1); }

static int batch(int argc, char** argv);

static const struct {
  const char* name;
  int (*run)(int argc, char** argv);
} kCommands[] = {{"list", list},
                 {"machine", eb_probe_machine},
                 {"rates", eb_probe_rates},
                 {"bandwidth", eb_probe_bandwidth},
                 {"kernel", kernel},
                 {"paced", paced},
                 {"batch", batch}};

int eb_probe_command(int argc, char** argv) {
  for (size_t i = 0; argc && i < sizeof(kCommands) / sizeof(kCommands[0]); i++) {
    if (!strcmp(kCommands[i].name, argv[0])) return kCommands[i].run(argc - 1, argv + 1);
  }
  eb_fail(EB_EXIT_INPUT,
          "usage: probe list | machine | rates | bandwidth | batch | kernel | paced OP VARIANT OUT REPEATS DIM...");
}

static int batch(int argc, char** argv) {
  (void)argv;
  if (argc) eb_fail(EB_EXIT_INPUT, "usage: probe batch < LINES");
  return eb_probe_batch(eb_probe_command, stdin);
}
