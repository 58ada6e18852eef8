#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENSOR_ALIGNMENT 64

void eb_fail(int exit_code, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("error: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
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
