/* Waiting, and being told to end meanwhile.
 *
 * Signals are blocked except in here, so that none is missed and none interrupts anything else. SIGTERM, SIGINT and
 * SIGHUP end the program through eb_fail, with everything put in order, and exit code 128 + signal. */
#ifndef EDGEBIN_AGENT_WAIT_H
#define EDGEBIN_AGENT_WAIT_H

#include <poll.h>
#include <stdint.h>

void eb_wait_prepare(void);

/* Waits until a descriptor can be read, a child has ended or CLOCK_MONOTONIC is `until_ns`. Negative descriptors are
 * skipped. Returns 0 when the time is over. */
int eb_wait(struct pollfd* descriptors, int count, int64_t until_ns);

void eb_wait_until(int64_t until_ns);

/* In a new child: signals as programs expect them. */
void eb_wait_undo(void);

#endif
