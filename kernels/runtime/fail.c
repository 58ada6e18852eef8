#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENSOR_ALIGNMENT 64

#define MESSAGE_BYTES 16384
#define MOST_FAILURES 8 /* then something fails again and again */

static int failures;
static void (*before_end)(int exit_code, const char* message);

void eb_on_fail(void (*listener)(int exit_code, const char* message)) { before_end = listener; }

void eb_fail(int exit_code, const char* format, ...) {
  static char message[MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  fprintf(stderr, "error: %s\n", message);
  if (before_end && failures++ < MOST_FAILURES) before_end(exit_code, message);
  exit(exit_code);
}

void* eb_allocate(size_t bytes) {
  void* memory = calloc(bytes ? bytes : 1, 1);
  if (!memory) eb_fail(EB_EXIT_UNFORESEEN, "out of memory (%zu bytes)", bytes);
  return memory;
}

void* eb_allocate_aligned(size_t bytes) {
  void* memory = NULL;
  if (posix_memalign(&memory, TENSOR_ALIGNMENT, bytes ? bytes : 1)) {
    eb_fail(EB_EXIT_UNFORESEEN, "out of memory (%zu bytes)", bytes);
  }
  memset(memory, 0, bytes);
  return memory;
}
