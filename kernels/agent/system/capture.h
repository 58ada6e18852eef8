/* Asks other programs: finds them, runs them with an end in sight, keeps what they say. */
#ifndef EDGEBIN_AGENT_CAPTURE_H
#define EDGEBIN_AGENT_CAPTURE_H

#include <stddef.h>

enum { EB_NOT_STARTED = -1, EB_TIMED_OUT = -2 };

/* Finds a program on PATH, or in the usual folders: a shell over SSH often has no sbin. Gives `path`, or NULL. */
const char* eb_program(const char* name, char* path, size_t room);

/* Runs a program, which is found as above, with nothing to read. Gives its exit status (128 and more for a signal),
 * EB_NOT_STARTED, or EB_TIMED_OUT after it was ended. What it wrote, on both its outputs, goes into `said` as far as
 * there is room. */
int eb_capture(const char* const* command, double seconds, char* said, size_t room);

#endif
