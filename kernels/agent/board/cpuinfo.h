/* /proc/cpuinfo: paragraphs, one for each processor, with lines of a key and a value. */
#ifndef EDGEBIN_AGENT_BOARD_CPUINFO_H
#define EDGEBIN_AGENT_BOARD_CPUINFO_H

#include <stddef.h>

/* Calls `see` with each key and value, blanks at their ends gone. */
void eb_cpuinfo_read(const char* root, void (*see)(const char* key, const char* value, void* context), void* context);

/* The first value of a key in `text`; NULL where it does not occur. */
const char* eb_cpuinfo_first(const char* root, const char* key, char* text, size_t room);

#endif
