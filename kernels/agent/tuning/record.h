/* What has been set, in a file beside the job: written before anything is changed, so that it can always be undone. */
#ifndef EDGEBIN_AGENT_TUNING_RECORD_H
#define EDGEBIN_AGENT_TUNING_RECORD_H

#include <stddef.h>

#define EB_MAX_CHANGES 128
#define EB_WORD_ROOM 64

/* One thing that was changed: "governor policy0" from "ondemand" to "performance". */
typedef struct {
  char what[EB_WORD_ROOM];
  char before[EB_WORD_ROOM];
  char after[EB_WORD_ROOM];
} eb_change;

typedef struct {
  eb_change items[EB_MAX_CHANGES];
  int count;
} eb_changes;

/* Makes the file, or opens the one that is there, and holds it until this process ends, however it does. Where another
 * process holds it this waits. Gives the open file; -1 and errno, EWOULDBLOCK after that many seconds. */
int eb_record_hold(const char* path, int make, int patience_seconds);

/* Whether a process holds it. */
int eb_record_is_held(const char* path);

/* Adds a change; it is on the disk when this returns. Gives 0, or -1 and errno. */
int eb_record_add(int record, const eb_change* change);

/* All changes of a file; one that was not written to its end was not made either. */
void eb_record_read(const char* path, eb_changes* changes);

/* Removes it, with the files beside it whose names begin with its own. */
void eb_record_remove(const char* path);

#endif
