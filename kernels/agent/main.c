/* The agent: what runs on a board. docs/board.md has its commands, the plan, the events and the files. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/fail.h"
#include "commands.h"
#include "session/placement.h"
#include "tuning/tuning.h"
#include "system/wait.h"

static const struct {
  const char* name;
  int (*run)(int argc, char** argv); /* gets what follows the name; returns the exit code */
} commands[] = {
    {"inspect", eb_command_inspect}, {"sample", eb_command_sample},   {"clock", eb_command_clock},
    {"measure", eb_command_measure}, {"start", eb_command_start},     {"follow", eb_command_follow},
    {"stop", eb_command_stop},       {"restore", eb_command_restore}, {"keep", eb_tuning_keep},
};

static int run(int argc, char** argv) {
  for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
    if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 2, argv + 2);
  }
  eb_fail(EB_EXIT_INPUT, argc > 1 ? "unknown command `%s`" : "which command? docs/board.md has them%s",
          argc > 1 ? argv[1] : "");
}

int main(int argc, char** argv) {
  /* A pipe that got one of these numbers would be taken for a standard stream. */
  for (int i = 0; i < 3; i++) {
    if (fcntl(i, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return EB_EXIT_UNFORESEEN;
  }
  setenv("ORT_DISABLE_TELEMETRY", "1", 1); /* for every program that is measured */
  eb_placement_prepare();
  return run(argc, argv);
}
