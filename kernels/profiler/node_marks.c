/* Marks the nodes that our libraries run inside other runtimes, for counter.c. Loaded into the guest beside them.
 *
 * eb_marks_observer is what `edgebin_observe` of a library takes. It learns the nodes, in the order in which they run,
 * from all inferences before eb_marks_begin; the inference between eb_marks_begin and eb_marks_end is marked. Of n
 * nodes, function i is the i-th, n is what runs before the first and n + 1 what runs after the last; the runtime's work
 * between nodes belongs to no function. What the marking itself executes between nodes is less than a hundred
 * instructions. */
#include <stdio.h>
#include <stdlib.h>

#include "../dispatch/dispatch.h"
#include "../runtime/marks.h"

#define EB_EXPORT __attribute__((visibility("default")))
#define MAX_NODES 4096

static const char* nodes[MAX_NODES];
static size_t node_count, at;
static int marking;

static void die(const char* why) {
  fprintf(stderr, "node marks: %s\n", why);
  abort();
}

/* The first inference is learnt; any other before eb_marks_begin has to repeat it. */
static void learn(const char* name) {
  if (node_count && nodes[0] == name) at = 0;
  if (at == node_count) {
    if (node_count == MAX_NODES) die("too many nodes");
    nodes[node_count++] = name;
  }
  if (nodes[at++] != name) die("nodes run in another order");
}

EB_EXPORT void eb_marks_observer(void* self, const char* name, const eb_tensor* outputs, size_t output_count,
                                 int after) {
  (void)self, (void)outputs, (void)output_count;
  if (!marking) {
    if (!after) learn(name);
  } else if (after) {
    eb_mark(at == node_count ? (long)node_count + 2 : EB_MARK_NONE);
  } else {
    if (at == node_count || nodes[at] != name) die("nodes run in another order");
    eb_mark((long)++at);
  }
}

EB_EXPORT void eb_marks_begin(void) {
  at = 0;
  marking = 1;
  eb_mark(EB_MARK_INFERENCE_BEGIN);
  eb_mark((long)node_count + 1);
}

/* Returns the number of marked nodes, which is eb_marks_count() unless some did not run. */
EB_EXPORT size_t eb_marks_end(void) {
  eb_mark(EB_MARK_INFERENCE_END);
  marking = 0;
  return at;
}

EB_EXPORT size_t eb_marks_count(void) { return node_count; }
EB_EXPORT const char* eb_marks_name(size_t index) { return index < node_count ? nodes[index] : NULL; }
