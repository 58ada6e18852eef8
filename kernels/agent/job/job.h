/* A measurement that runs by itself, whatever becomes of the connection that has started it. Its folder, JOB, lies in
 * the folder `jobs` of edgebin's folder; docs/board.md says what is in it. */
#ifndef EDGEBIN_AGENT_JOB_H
#define EDGEBIN_AGENT_JOB_H

#include "process.h"

enum { EB_EXIT_BUSY = 4 };

/* Starts the job and prints its process. For one that has been started before that is all it does: a caller who has not
 * heard the answer may ask again. */
int eb_job_start(const char* job);

/* Ends the job's processes, and no others, and waits until they are gone. */
int eb_job_stop(const char* job);

/* The job's process, running or not; 0 where the job was never started. */
int eb_job_process(const char* job, eb_process* process);

/* Copies whole lines of JOB/events, from `offset` on, to standard output until the job ends or `seconds` are over. */
int eb_job_follow(const char* job, long long offset, double seconds);

#endif
