/* A program that runs beside the agent, with pipes on its standard streams. None outlives the agent: not even one that
 * is killed. */
#ifndef EDGEBIN_AGENT_CHILD_H
#define EDGEBIN_AGENT_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "buffer.h"
#include "../plan.h"

typedef struct eb_child {
  pid_t pid;            /* 0 once it has ended and been waited for */
  int exit;             /* its exit code then, 128 + signal where one ended it */
  int signal;           /* that signal, or 0 */
  int in, out, err;     /* -1 when closed */
  eb_buffer said;       /* by its standard output, and not yet taken */
  eb_buffer complained; /* by its standard error, at least the last 8 KiB */
  size_t taken;         /* of `said`, by the last line */
  struct eb_child* next;
} eb_child;

/* Starts the program on these cores, or on all the agent may use (core_count 0). Returns 0; or -1 with why in errno and
 * in `*what`, what could not be done. `child` must stay where it is until eb_child_end. */
int eb_child_start(eb_child* child, const eb_program* program, const int64_t* cores, int core_count, const char** what);

/* Writes a line to its standard input; a program that has ended does not mind. */
void eb_child_say(eb_child* child, const char* line);

typedef enum { EB_LINE, EB_ENDED, EB_SILENT } eb_answer;

/* Waits for the next line of its standard output, without the newline, valid until the next call. EB_ENDED: there will
 * be none. EB_SILENT: none came in time. */
eb_answer eb_child_line(eb_child* child, int64_t patience_ns, char** line);

/* Closes its standard input, which programs take as the sign to end. */
void eb_child_close_input(eb_child* child);

/* Takes all its output until it ends; 0 if it does not in time, or says too much. */
int eb_child_drain(eb_child* child, int64_t patience_ns);

/* Closes its standard input, and kills it if it has not ended after `patience_ns`. What it said stays until
 * eb_child_free. */
void eb_child_end(eb_child* child, int64_t patience_ns);
void eb_child_free(eb_child* child);

/* Kills all that run. */
void eb_children_kill(void);

#endif
