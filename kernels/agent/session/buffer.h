/* Bytes that arrive piece by piece. */
#ifndef EDGEBIN_AGENT_BUFFER_H
#define EDGEBIN_AGENT_BUFFER_H

#include <stddef.h>
#include <sys/types.h>

typedef struct {
  char* bytes; /* ends in a zero that does not count */
  size_t used, room;
} eb_buffer;

/* Appends what one read() gives; returns what that returned. */
ssize_t eb_buffer_read(eb_buffer* buffer, int descriptor);

/* Removes the first `count` bytes. */
void eb_buffer_drop(eb_buffer* buffer, size_t count);

void eb_buffer_free(eb_buffer* buffer);

#endif
