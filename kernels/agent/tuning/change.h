/* Changing one setting of the machine, and undoing it. */
#ifndef EDGEBIN_AGENT_TUNING_CHANGE_H
#define EDGEBIN_AGENT_TUNING_CHANGE_H

#include <stddef.h>

#include "record.h"

#define EB_PROBLEM_ROOM 512

/* The machine, and where the record of changes is; beside it jetson_clocks keeps its own. */
typedef struct {
  const char* root;
  const char* record;
} eb_place;

/* Whether this user needs to be root for a setting ("governor performance") or a change ("governor policy0"). */
int eb_change_needs_root(const eb_place* place, const char* setting);

/* Adds the changes that a setting is made of, with what is there now. Gives 0; or -1 and why not, in `problem`. */
int eb_change_plan(const eb_place* place, const char* setting, eb_changes* changes, char* problem);

/* Makes a change. Gives 0; or -1 and why not, in `problem`. */
int eb_change_make(const eb_place* place, const eb_change* change, char* problem);

typedef struct {
  char found[EB_WORD_ROOM]; /* what was there */
  char left[EB_WORD_ROOM];  /* what is there now */
} eb_undone;

/* Undoes a change, unless someone else has changed the same thing since; 0 in both cases. Gives -1 where it ought to
 * be undone, but cannot be. */
int eb_change_undo(const eb_place* place, const eb_change* change, eb_undone* undone);

#endif
