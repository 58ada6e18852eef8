/* The functions of a graph, with their calls and times. */
#ifndef EDGEBIN_RUNTIME_FUNCTIONS_H
#define EDGEBIN_RUNTIME_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

#define EB_MAX_FUNCTIONS 4096
#define EB_SLOTS (4 * EB_MAX_FUNCTIONS)

typedef struct {
  char* name;
  int64_t calls;
  int64_t self_ns; /* without the functions it called */
} eb_function;

typedef struct {
  int count;
  eb_function items[EB_MAX_FUNCTIONS];
  int slots[EB_SLOTS]; /* hash table of names: 1 + index of a function, 0 where empty */
} eb_functions;

/* The index of the function of this name, which is added if it is new. */
int eb_functions_find(eb_functions* functions, const char* name, size_t name_bytes);

/* Writes them into the JSON: the list `functions`, and `functions_runs`. */
void eb_functions_report(const eb_functions* functions, int64_t runs);

#endif
