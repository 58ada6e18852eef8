/* Many commands in one run of the program. */
#ifndef EDGEBIN_PROBE_BATCH_H
#define EDGEBIN_PROBE_BATCH_H

#include <stdio.h>

/* Reads a command per line from `lines`, words apart by spaces, and runs `command` in a process of its own, so that one
 * that dies does not take the others with it. Each prints its line of JSON, or this program prints {"failed": status}:
 * an exit code, or minus the number of a signal. */
int eb_probe_batch(int (*command)(int argc, char** argv), FILE* lines);

#endif
