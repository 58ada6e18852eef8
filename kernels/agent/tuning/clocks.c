/* The highest clocks of a Jetson's power mode, by jetson_clocks, which keeps what was there in a file of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../system/capture.h"
#include "../system/sysfs.h"
#include "kinds.h"

#define SECONDS 60
#define SAID_ROOM 4096

/* What jetson_clocks found before, what it made of that, and what is there now. */
#define BEFORE "clocks-before"
#define AFTER "clocks-after"
#define NOW "clocks-now"

static int needs_root(const eb_place* place) {
  (void)place;
  return geteuid() != 0;
}

static eb_path beside(const eb_place* place, const char* name) { return eb_sysfs_path("%s.%s", place->record, name); }

static int ask(const char* option, const char* file, char* problem) {
  const char* const command[] = {"jetson_clocks", option, file, NULL};
  char said[SAID_ROOM];
  int status = eb_capture(command, SECONDS, said, sizeof said);
  if (!status) return 0;
  const char* why = status == EB_NOT_STARTED ? "is not there" : status == EB_TIMED_OUT ? "takes too long" : "failed: ";
  snprintf(problem, EB_PROBLEM_ROOM, "jetson_clocks %s%.300s", why, status > 0 ? said : "");
  return -1;
}

/* It asks before it writes over a file, so there must be none. */
static int store(const eb_place* place, const char* name, char* problem) {
  eb_path file = beside(place, name);
  unlink(file.text);
  return ask("--store", file.text, problem);
}

/* The next line about a lowest clock: these jetson_clocks raises. Others, such as the fan's, change by themselves, and
 * a board must not be left at its highest clocks because of them. */
static int next_line(FILE* file, char** line, size_t* room) {
  while (getline(line, room, file) >= 0) {
    if (strstr(*line, "min_freq")) return 1;
  }
  return 0;
}

static int is_same(const eb_place* place, const char* name) {
  FILE* files[] = {fopen(beside(place, name).text, "re"), fopen(beside(place, NOW).text, "re")};
  char* lines[] = {NULL, NULL};
  size_t rooms[] = {0, 0};
  int same = files[0] && files[1];
  int more = same;
  while (same && more) {
    more = next_line(files[0], &lines[0], &rooms[0]);
    same = next_line(files[1], &lines[1], &rooms[1]) == more && (!more || !strcmp(lines[0], lines[1]));
  }
  for (int i = 0; i < 2; i++) {
    free(lines[i]);
    if (files[i]) fclose(files[i]);
  }
  return same;
}

static int plan(const eb_place* place, const char* wanted, eb_changes* changes, char* problem) {
  char path[PATH_MAX];
  (void)place;
  if (*wanted) {
    snprintf(problem, EB_PROBLEM_ROOM, "jetson-clocks takes no value, `%s` was given", wanted);
    return -1;
  }
  if (!eb_program("jetson_clocks", path, sizeof path)) {
    snprintf(problem, EB_PROBLEM_ROOM, "this machine has no jetson_clocks");
    return -1;
  }
  return eb_changes_add(changes, "jetson-clocks", "off", "on", problem);
}

static int now(const eb_place* place, const eb_change* change, char now[EB_WORD_ROOM]) {
  char problem[EB_PROBLEM_ROOM];
  (void)change;
  strcpy(now, "off");
  if (!eb_sysfs_there(beside(place, BEFORE).text)) return 0; /* ended before it began */
  int half_way = !eb_sysfs_there(beside(place, AFTER).text);
  /* If it does not say what is there, putting it back is still tried. */
  if (store(place, NOW, problem) || half_way || is_same(place, AFTER)) {
    strcpy(now, "on");
  } else if (!is_same(place, BEFORE)) {
    strcpy(now, "changed by someone else");
  }
  return 0;
}

static int set(const eb_place* place, const eb_change* change, const char* value, char* problem) {
  if (!strcmp(value, change->before)) return ask("--restore", beside(place, BEFORE).text, problem);
  if (store(place, BEFORE, problem) || ask(NULL, NULL, problem)) return -1;
  return store(place, AFTER, problem);
}

const eb_kind eb_kind_clocks = {"jetson-clocks", needs_root, plan, now, set};
