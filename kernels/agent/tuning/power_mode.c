/* The power mode of a Jetson. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../system/nvpmodel.h"
#include "kinds.h"

static int needs_root(const eb_place* place) {
  (void)place;
  return geteuid() != 0;
}

static int plan(const eb_place* place, const char* wanted, eb_changes* changes, char* problem) {
  char* end;
  long mode = strtol(wanted, &end, 10);
  char before[EB_WORD_ROOM], after[EB_WORD_ROOM];
  if (end == wanted || *end || mode < 0) {
    snprintf(problem, EB_PROBLEM_ROOM, "`%s` is no number of a power mode", wanted);
    return -1;
  }
  int current = eb_nvpmodel_mode(place->root);
  if (current < 0) {
    snprintf(problem, EB_PROBLEM_ROOM, "this machine has no power modes: nvpmodel does not say which one is set");
    return -1;
  }
  snprintf(before, sizeof before, "%d", current);
  snprintf(after, sizeof after, "%ld", mode);
  return eb_changes_add(changes, "nvpmodel", before, after, problem);
}

static int now(const eb_place* place, const eb_change* change, char now[EB_WORD_ROOM]) {
  (void)change;
  int mode = eb_nvpmodel_mode(place->root);
  snprintf(now, EB_WORD_ROOM, "%d", mode);
  errno = EIO;
  return mode < 0 ? -1 : 0;
}

static int set(const eb_place* place, const eb_change* change, const char* value, char* problem) {
  (void)change;
  return eb_nvpmodel_set(place->root, atoi(value), problem, EB_PROBLEM_ROOM);
}

const eb_kind eb_kind_nvpmodel = {"nvpmodel", needs_root, plan, now, set};
