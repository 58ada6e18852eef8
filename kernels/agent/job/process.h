/* Other processes, known by when they started: a number alone may have been given to another one since. */
#ifndef EDGEBIN_AGENT_PROCESS_H
#define EDGEBIN_AGENT_PROCESS_H

#include <stdio.h>
#include <sys/types.h>

typedef struct {
  pid_t id;
  unsigned long long start_ticks; /* since boot */
  char boot[40];                  /* which boot that was */
} eb_process;

/* A process that runs now. Returns 0 where there is none. */
int eb_process_find(pid_t id, eb_process* process);

int eb_process_runs(const eb_process* process);

/* Whether processes of a group that it has led may be left: none is where another process has its number by now. */
int eb_process_may_have_group(const eb_process* process);

/* As one line of text. Reading returns 0 where that is none. */
void eb_process_write(const eb_process* process, FILE* file);
int eb_process_read(eb_process* process, FILE* file);

/* Sends a signal to all processes of a group that is a session as well, as setsid makes them. Signal 0 sends none.
 * Returns how many there are. */
int eb_group_signal(pid_t group, int signal);

#endif
