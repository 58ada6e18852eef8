/* The agent: what runs on a board. docs/board.md has its commands, the plan, the events and the files. */
#include <string.h>

#include "../runtime/fail.h"
#include "commands.h"
#include "tuning.h"

static const struct {
  const char* name;
  int (*run)(int argc, char** argv); /* gets what follows the name; returns the exit code */
} commands[] = {
    {"inspect", eb_command_inspect}, {"sample", eb_command_sample}, {"clock", eb_command_clock},
    {"restore", eb_command_restore}, {"keep", eb_tuning_keep},
};

int main(int argc, char** argv) {
  for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
    if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 2, argv + 2);
  }
  eb_fail(EB_EXIT_INPUT, argc > 1 ? "unknown command `%s`" : "which command? docs/board.md has them%s",
          argc > 1 ? argv[1] : "");
}
