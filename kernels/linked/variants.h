/* The kernels that this program or library was linked with, from kernels/variants.inc: a name is all that a new one
 * needs here, unless its operation is new. */
#ifndef EDGEBIN_LINKED_VARIANTS_H
#define EDGEBIN_LINKED_VARIANTS_H

#include <stddef.h>

/* `run` and `workspace` take the operation's argument struct of edgebin.h; `workspace` returns 0 where there is none.
 * `nr` and `word_bits` are the layout of weights, as kernels/variants.inc has them. */
typedef struct {
  const char *op, *path;
  size_t nr, word_bits;
  void (*run)(const void* args);
  size_t (*workspace)(const void* args);
} eb_variant;

/* The next variant that was linked in, from `previous` on; the first for NULL, NULL after the last. */
const eb_variant* eb_next_variant(const eb_variant* previous);

/* NULL: there is none, or it belongs to another architecture. */
const eb_variant* eb_find_variant(const char* op, const char* path);

#endif
