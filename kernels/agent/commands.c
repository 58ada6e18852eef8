#include "commands.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../runtime/fail.h"
#include "../runtime/json.h"
#include "../runtime/machine.h"
#include "board/board.h"
#include "job/job.h"
#include "job/measure.h"
#include "system/paths.h"
#include "power/power.h"
#include "tuning/tuning.h"
#include "system/wait.h"

typedef struct {
  const char* root;
  const char* power;
  double power_hz;
  const char* word; /* the one that is no option; NULL if there is none */
} options;

static double number(const char* option, const char* text) {
  char* end;
  const double value = strtod(text, &end);
  if (!*text || *end || !(value >= 0 && value < 1e9))
    eb_fail(EB_EXIT_INPUT, "%s: not such a number: `%s`", option, text);
  return value;
}

static options parse(int argc, char** argv) {
  options found = {.root = "", .power_hz = 100};
  for (int i = 0; i < argc; i++) {
    const char* value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strncmp(argv[i], "--", 2)) {
      if (found.word) eb_fail(EB_EXIT_INPUT, "one argument too many: `%s`", argv[i]);
      found.word = argv[i];
      continue;
    }
    if (!value) eb_fail(EB_EXIT_INPUT, "`%s` needs a value", argv[i]);
    if (!strcmp(argv[i], "--root")) {
      found.root = value;
    } else if (!strcmp(argv[i], "--power")) {
      found.power = value;
    } else if (!strcmp(argv[i], "--power-hz")) {
      found.power_hz = number("--power-hz", value);
      if (found.power_hz < 0.1) eb_fail(EB_EXIT_INPUT, "--power-hz: too small: `%s`", value);
    } else {
      eb_fail(EB_EXIT_INPUT, "unknown option `%s`", argv[i]);
    }
    i++;
  }
  return found;
}

int eb_command_inspect(int argc, char** argv) {
  const options options = parse(argc, argv);
  if (options.word || options.power) eb_fail(EB_EXIT_INPUT, "usage: agent inspect [--root DIR]");
  char program[PATH_MAX];
  eb_json_begin();
  eb_board_report(options.root, eb_path_parent(program, eb_path_program(program), 1));
  eb_power_report(options.root);
  eb_json_end();
  return EB_EXIT_OK;
}

int eb_command_sample(int argc, char** argv) {
  const options options = parse(argc, argv);
  if (!options.word || !options.power) {
    eb_fail(EB_EXIT_INPUT, "usage: agent sample SECONDS --power SOURCE [--power-hz N] [--root DIR]");
  }
  const double seconds = number("SECONDS", options.word);
  eb_power* power = eb_power_open(options.root, options.power);
  const int64_t begin_ns = eb_now_ns();
  eb_power_start(power, options.power_hz, -1, seconds + 1);
  const int64_t end_ns = begin_ns + (int64_t)(seconds * 1e9);
  const struct timespec end = {.tv_sec = end_ns / 1000000000, .tv_nsec = end_ns % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL)) continue;
  const eb_power_cost cost = eb_power_stop(power);
  const int64_t wall_ns = eb_now_ns() - begin_ns;
  eb_power_flush(power, stdout);
  eb_json_begin();
  eb_json_integer("samples", cost.samples);
  eb_json_integer("cpu_ns", cost.cpu_ns);
  eb_json_integer("late", cost.late);
  eb_json_integer("wall_ns", wall_ns);
  eb_json_end();
  return EB_EXIT_OK;
}

int eb_command_clock(int argc, char** argv) {
  (void)argv;
  if (argc) eb_fail(EB_EXIT_INPUT, "usage: agent clock");
  for (int c; (c = getchar()) != EOF;) {
    if (c != '\n') continue;
    struct timespec real;
    const int64_t monotonic_ns = eb_now_ns();
    clock_gettime(CLOCK_REALTIME, &real);
    eb_json_begin();
    eb_json_integer("monotonic_ns", monotonic_ns);
    eb_json_integer("realtime_ns", (int64_t)real.tv_sec * 1000000000 + real.tv_nsec);
    eb_json_end();
  }
  return EB_EXIT_OK;
}

int eb_command_measure(int argc, char** argv) {
  if (argc != 3) eb_fail(EB_EXIT_INPUT, "usage: agent measure PLAN EVENTS POWER");
  char folder[PATH_MAX], record[PATH_MAX];
  const eb_measure_files files = {
      .events = argv[1],
      .power = argv[2],
      .tuning = eb_path_in(record, eb_path_parent(folder, argv[1], 1), "tuning"),
  };
  const eb_plan plan = eb_plan_read(argv[0]);
  eb_wait_prepare();
  eb_on_fail(eb_measure_give_up);
  eb_measure(&plan, &files);
  return EB_EXIT_OK;
}

int eb_command_start(int argc, char** argv) {
  if (argc != 1) eb_fail(EB_EXIT_INPUT, "usage: agent start JOB");
  eb_wait_prepare();
  return eb_job_start(argv[0]);
}

int eb_command_follow(int argc, char** argv) {
  if (argc != 3) eb_fail(EB_EXIT_INPUT, "usage: agent follow JOB OFFSET SECONDS");
  char* end;
  const long long offset = strtoll(argv[1], &end, 10);
  if (*end || end == argv[1] || offset < 0) eb_fail(EB_EXIT_INPUT, "OFFSET: not a whole number: `%s`", argv[1]);
  eb_wait_prepare();
  return eb_job_follow(argv[0], offset, number("SECONDS", argv[2]));
}

int eb_command_stop(int argc, char** argv) {
  if (argc != 1) eb_fail(EB_EXIT_INPUT, "usage: agent stop JOB");
  eb_wait_prepare();
  return eb_job_stop(argv[0]);
}

int eb_command_restore(int argc, char** argv) {
  const options options = parse(argc, argv);
  if (!options.word || options.power) eb_fail(EB_EXIT_INPUT, "usage: agent restore JOB [--root DIR]");
  char record[PATH_MAX];
  eb_tuning_restore(options.root, eb_path_in(record, options.word, "tuning"));
  return EB_EXIT_OK;
}
