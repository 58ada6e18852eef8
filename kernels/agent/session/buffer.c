#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fail.h"

#define PIECE 65536

ssize_t eb_buffer_read(eb_buffer* buffer, int descriptor) {
  if (buffer->room < buffer->used + PIECE + 1) {
    buffer->room = buffer->used * 2 + PIECE + 1;
    buffer->bytes = realloc(buffer->bytes, buffer->room);
    if (!buffer->bytes) eb_fail(EB_EXIT_UNFORESEEN, "out of memory (%zu bytes)", buffer->room);
  }
  ssize_t got;
  do {
    got = read(descriptor, buffer->bytes + buffer->used, PIECE);
  } while (got < 0 && errno == EINTR);
  if (got > 0) buffer->used += (size_t)got;
  buffer->bytes[buffer->used] = '\0';
  return got;
}

void eb_buffer_drop(eb_buffer* buffer, size_t count) {
  if (!count) return;
  memmove(buffer->bytes, buffer->bytes + count, buffer->used - count + 1);
  buffer->used -= count;
}

void eb_buffer_free(eb_buffer* buffer) {
  free(buffer->bytes);
  *buffer = (eb_buffer){0};
}
