/* Per-function calls and times, and marks for an emulator (marks.h). */
#ifndef EDGEBIN_RUNTIME_INSTRUMENT_H
#define EDGEBIN_RUNTIME_INSTRUMENT_H

#include "vm.h"

#define EB_MAX_FUNCTIONS 4096
#define EB_SLOTS (4 * EB_MAX_FUNCTIONS)
#define EB_MAX_NESTING 64

typedef struct {
  char* name;
  int64_t calls;
  int64_t self_ns; /* without the functions it called */
} eb_function;

typedef struct {
  int marks;
  int count;
  eb_function functions[EB_MAX_FUNCTIONS];
  int slots[EB_SLOTS]; /* hash table of names: 1 + index of a function, 0 where empty */
  int depth;
  struct {
    int function;
    int64_t begin_ns, nested_ns;
  } stack[EB_MAX_NESTING];
} eb_instrument;

/* From now on every function that the machine runs is counted in `instrument`; with `marks`, marked too. */
void eb_instrument_attach(eb_instrument* instrument, eb_vm* vm, int marks);

#endif
