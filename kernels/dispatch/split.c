/* How a run is split into parts: as edgebin/backends/tvm/glue.py and calls.py split calls into blocks. */
#include <stdlib.h>

#include "node.h"

/* A part is a multiple of the tallest register tile (rows), so that splitting work between threads costs no half tiles.
 */
#define ROW_GRAIN 12

void eb_split_rows(eb_call* call) {
  const size_t even = EB_CEIL_DIV(call->rows, call->node->parts);
  call->per_part = EB_CEIL_DIV(even, ROW_GRAIN) * ROW_GRAIN;
  call->parts = call->rows ? EB_CEIL_DIV(call->rows, call->per_part) : 0;
}

void eb_split_images(eb_call* call) {
  call->image_parts = EB_MIN(call->node->parts, call->height);
  call->parts = call->images * call->image_parts;
}

void eb_part_of_image(const eb_call* call, size_t index, size_t* image, size_t* row_begin, size_t* row_end) {
  const size_t parts = call->image_parts, part = index % parts;
  *image = index / parts;
  *row_begin = part * call->height / parts;
  *row_end = (part + 1) * call->height / parts;
}

void* eb_aligned(size_t bytes) {
  const size_t whole = EB_CEIL_DIV(bytes ? bytes : 1, 64) * 64;
  return whole < bytes ? NULL : aligned_alloc(64, whole);
}

void eb_run_with_workspace(eb_call* call, const void* args, void** workspace) {
  const eb_variant* variant = call->node->variant;
  const size_t bytes = variant->workspace(args);
  *workspace = bytes ? eb_aligned(bytes) : NULL;
  if (bytes && !*workspace) {
    atomic_store(&call->out_of_memory, 1);
    return;
  }
  variant->run(args);
  free(*workspace);
}
