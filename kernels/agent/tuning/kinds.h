/* The kinds of settings: each knows how it is named, read and set. */
#ifndef EDGEBIN_AGENT_TUNING_KINDS_H
#define EDGEBIN_AGENT_TUNING_KINDS_H

#include "change.h"

typedef struct {
  const char* name; /* first word of its settings and changes */
  int (*needs_root)(const eb_place* place);
  /* As eb_change_plan; `wanted` is what follows the name. */
  int (*plan)(const eb_place* place, const char* wanted, eb_changes* changes, char* problem);
  /* What is there now, in the words of `before` and `after`. Gives 0; or -1 and errno, ENOENT where the thing itself is
   * no longer there. */
  int (*now)(const eb_place* place, const eb_change* change, char now[EB_WORD_ROOM]);
  /* Sets it to `value`, one of `before` and `after`. Gives 0; or -1 and why not, in `problem`. */
  int (*set)(const eb_place* place, const eb_change* change, const char* value, char* problem);
} eb_kind;

extern const eb_kind eb_kind_governor;
extern const eb_kind eb_kind_nvpmodel;
extern const eb_kind eb_kind_clocks;

/* Adds a change; in `problem` why there is no room. */
int eb_changes_add(eb_changes* changes, const char* what, const char* before, const char* after, char* problem);

#endif
