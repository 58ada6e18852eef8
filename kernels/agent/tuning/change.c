#include "change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"

static const eb_kind* const kinds[] = {&eb_kind_governor, &eb_kind_nvpmodel, &eb_kind_clocks};

static const eb_kind* kind_of(const char* text) {
  size_t length = strcspn(text, " ");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strlen(kinds[i]->name) == length && !strncmp(kinds[i]->name, text, length)) return kinds[i];
  }
  return NULL;
}

int eb_changes_add(eb_changes* changes, const char* what, const char* before, const char* after, char* problem) {
  if (changes->count == EB_MAX_CHANGES) {
    snprintf(problem, EB_PROBLEM_ROOM, "more than %d settings", EB_MAX_CHANGES);
    return -1;
  }
  eb_change* change = &changes->items[changes->count++];
  snprintf(change->what, sizeof change->what, "%s", what);
  snprintf(change->before, sizeof change->before, "%s", before);
  snprintf(change->after, sizeof change->after, "%s", after);
  return 0;
}

int eb_change_needs_root(const eb_place* place, const char* setting) {
  const eb_kind* kind = kind_of(setting);
  return kind && kind->needs_root(place);
}

int eb_change_plan(const eb_place* place, const char* setting, eb_changes* changes, char* problem) {
  const eb_kind* kind = kind_of(setting);
  const char* wanted = setting + strcspn(setting, " ");
  if (*wanted) wanted++;
  if (kind && strlen(wanted) < EB_WORD_ROOM) return kind->plan(place, wanted, changes, problem);
  snprintf(problem, EB_PROBLEM_ROOM, "there is no setting `%s`", setting);
  return -1;
}

int eb_change_make(const eb_place* place, const eb_change* change, char* problem) {
  if (!strcmp(change->before, change->after)) return 0;
  return kind_of(change->what)->set(place, change, change->after, problem);
}

/* Gives 0, or -1 where it is there but does not say how it is. */
static int look(const eb_kind* kind, const eb_place* place, const eb_change* change, char now[EB_WORD_ROOM]) {
  if (!kind->now(place, change, now)) return 0;
  int gone = errno == ENOENT;
  strcpy(now, gone ? "gone" : "unknown");
  return gone ? 0 : -1;
}

int eb_change_undo(const eb_place* place, const eb_change* change, eb_undone* undone) {
  const eb_kind* kind = kind_of(change->what);
  char problem[EB_PROBLEM_ROOM];
  strcpy(undone->found, "gone");
  int failed = kind ? look(kind, place, change, undone->found) : 0;
  memcpy(undone->left, undone->found, sizeof undone->left);
  if (failed) return -1;
  if (!strcmp(undone->found, change->before) || strcmp(undone->found, change->after) != 0) return 0;
  failed = kind->set(place, change, change->before, problem);
  look(kind, place, change, undone->left);
  return failed;
}
