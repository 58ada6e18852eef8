#define _GNU_SOURCE
#include "plan.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/fail.h"

#define FIRST_LINE "edgebin-plan 1"

typedef struct {
  eb_plan plan;
  eb_program* program; /* the last one, which `arg` and `env` belong to */
  const char* path;
  int line;
} reader;

static _Noreturn void refuse(const reader* reader, const char* why, const char* text) {
  eb_fail(EB_EXIT_INPUT, "%s:%d: %s: `%s`", reader->path, reader->line, why, text);
}

/* Makes room for one more, zeroed, and for a NULL after it. */
static void* one_more(void* items, int count, size_t size) {
  char* grown = realloc(items, ((size_t)count + 2) * size);
  if (!grown) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
  memset(grown + (size_t)count * size, 0, 2 * size);
  return grown;
}

static char* copy(const char* text) {
  char* copied = strdup(text);
  if (!copied) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
  return copied;
}

static double number(const reader* reader, const char* text) {
  char* end;
  const double value = strtod(text, &end);
  if (end == text || *end || !isfinite(value) || value < 0) refuse(reader, "not a number", text);
  return value;
}

static int64_t integer(const reader* reader, const char* text) {
  char* end;
  errno = 0;
  const long long value = strtoll(text, &end, 10);
  if (end == text || *end || errno || value < 0) refuse(reader, "not a whole number", text);
  return value;
}

static const struct {
  const char* key;
  size_t offset;
  int whole;
  double least;
} kNumbers[] = {
    {"power-hz", offsetof(eb_plan, power_hz), 0, 0.1},
    {"warmup-seconds", offsetof(eb_plan, warmup_seconds), 0, 0},
    {"min-runs", offsetof(eb_plan, min_runs), 1, 1},
    {"min-seconds", offsetof(eb_plan, min_seconds), 0, 0},
    {"idle-seconds", offsetof(eb_plan, idle_seconds), 0, 0},
    {"energy-windows", offsetof(eb_plan, energy_windows), 1, 0},
    {"energy-seconds", offsetof(eb_plan, energy_seconds), 0, 0},
    {"energy-min-runs", offsetof(eb_plan, energy_min_runs), 1, 1},
    {"timeout-seconds", offsetof(eb_plan, timeout_seconds), 0, 0.1},
};

static int read_number(reader* reader, const char* key, const char* value) {
  for (size_t i = 0; i < sizeof kNumbers / sizeof *kNumbers; i++) {
    if (strcmp(key, kNumbers[i].key)) continue;
    char* const field = (char*)&reader->plan + kNumbers[i].offset;
    const int64_t whole = kNumbers[i].whole ? integer(reader, value) : 0;
    const double real = kNumbers[i].whole ? (double)whole : number(reader, value);
    if (real < kNumbers[i].least) refuse(reader, "too small", value);
    if (kNumbers[i].whole) {
      *(int64_t*)field = whole;
    } else {
      *(double*)field = real;
    }
    return 1;
  }
  return 0;
}

static void read_cores(reader* reader, eb_plan_session* session, char* text) {
  if (!strcmp(text, "-")) return;
  const char* whole = copy(text);
  for (char* word; (word = strsep(&text, ","));) {
    const int64_t core = integer(reader, word);
    if (core >= CPU_SETSIZE) refuse(reader, "not cores", whole);
    session->cores = one_more(session->cores, session->core_count, sizeof *session->cores);
    session->cores[session->core_count++] = core;
  }
}

static void read_session(reader* reader, char* value) {
  eb_plan* plan = &reader->plan;
  plan->sessions = one_more(plan->sessions, plan->session_count, sizeof *plan->sessions);
  eb_plan_session* session = &plan->sessions[plan->session_count++];
  char* cores = value;
  const char* threads = strsep(&cores, " ");
  if (!cores) refuse(reader, "a session has threads and cores", value);
  session->threads = integer(reader, threads);
  if (session->threads < 1) refuse(reader, "too small", threads);
  read_cores(reader, session, cores);
  reader->program = NULL;
}

static eb_program* read_program(reader* reader, eb_program* programs, int* count, const char* name) {
  if (!*name) refuse(reader, "without a name", name);
  programs = one_more(programs, *count, sizeof *programs);
  reader->program = &programs[(*count)++];
  reader->program->name = copy(name);
  return programs;
}

static void read_word(char*** words, int* count, const char* value) {
  *words = one_more(*words, *count, sizeof **words);
  (*words)[(*count)++] = copy(value);
}

static void read_line(reader* reader, const char* line, const char* key, char* value) {
  eb_plan* plan = &reader->plan;
  eb_plan_session* session = plan->session_count ? &plan->sessions[plan->session_count - 1] : NULL;
  eb_program* program = reader->program;
  if (read_number(reader, key, value)) return;
  if (!strcmp(key, "root")) {
    plan->root = copy(value);
  } else if (!strcmp(key, "power") && *value) {
    plan->power = strcmp(value, "none") ? copy(value) : NULL;
  } else if (!strcmp(key, "tune") && *value) {
    if (plan->tune.count == EB_MAX_SETTINGS) refuse(reader, "too many settings", line);
    plan->tune.items[plan->tune.count++] = copy(value);
  } else if (!strcmp(key, "session")) {
    read_session(reader, value);
  } else if (!strcmp(key, "contender")) {
    if (!session) refuse(reader, "before the first session", line);
    session->contenders = read_program(reader, session->contenders, &session->contender_count, value);
  } else if (!strcmp(key, "command")) {
    plan->commands = read_program(reader, plan->commands, &plan->command_count, value);
  } else if (!strcmp(key, "arg")) {
    if (!program) refuse(reader, "before the first contender", line);
    read_word(&program->argv, &program->argument_count, value);
  } else if (!strcmp(key, "env")) {
    if (!program) refuse(reader, "before the first contender", line);
    if (*value == '=' || !strchr(value, '=')) refuse(reader, "not NAME=VALUE", line);
    read_word(&program->environment, &program->environment_count, value);
  } else {
    refuse(reader, "unknown line", line);
  }
}

static void check_programs(const reader* reader, const eb_program* programs, int count) {
  for (int i = 0; i < count; i++) {
    if (!programs[i].argument_count || !*programs[i].argv[0]) {
      eb_fail(EB_EXIT_INPUT, "%s: `%s` has no program", reader->path, programs[i].name);
    }
  }
}

static void check(const reader* reader) {
  const eb_plan* plan = &reader->plan;
  for (int i = 0; i < plan->session_count; i++) {
    if (!plan->sessions[i].contender_count) eb_fail(EB_EXIT_INPUT, "%s: a session without contenders", reader->path);
    check_programs(reader, plan->sessions[i].contenders, plan->sessions[i].contender_count);
  }
  check_programs(reader, plan->commands, plan->command_count);
}

eb_plan eb_plan_read(const char* path) {
  reader reader = {.path = path,
                   .plan = {.root = "",
                            .power_hz = 100,
                            .warmup_seconds = 1,
                            .min_runs = 50,
                            .min_seconds = 5,
                            .energy_windows = 5,
                            .energy_seconds = 10,
                            .energy_min_runs = 100,
                            .timeout_seconds = 60}};
  FILE* file = fopen(path, "re");
  if (!file) eb_fail(EB_EXIT_INPUT, "cannot read `%s`: %s", path, strerror(errno));
  char *line = NULL, *whole = NULL;
  size_t room = 0;
  for (ssize_t length; (length = getline(&line, &room, file)) >= 0; free(whole)) {
    reader.line++;
    if (length && line[length - 1] == '\n') line[--length] = '\0';
    whole = copy(line);
    if (strlen(line) != (size_t)length) refuse(&reader, "a zero in the line", line);
    if (reader.line == 1) {
      if (strcmp(line, FIRST_LINE)) refuse(&reader, "not a plan of this version, `" FIRST_LINE "`", line);
    } else if (*line && *line != '#') {
      char* value = line;
      const char* key = strsep(&value, " ");
      read_line(&reader, whole, key, value ? value : line + length);
    }
  }
  if (ferror(file)) eb_fail(EB_EXIT_INPUT, "cannot read `%s`: %s", path, strerror(errno));
  if (!reader.line) eb_fail(EB_EXIT_INPUT, "`%s` is empty", path);
  free(line);
  fclose(file);
  check(&reader);
  return reader.plan;
}
