/* eb_b1_relative_attention: the threshold is what lies `drop` below the row's best. */
#include "../b1-attention/threshold_map.h"
#include "edgebin.h"

typedef eb_b1_relative_attention_args attention_args;
typedef const attention_args* map_rule;

static size_t map_count(const attention_args* args) {
  (void)args;
  return 1;
}

static size_t map_rule_bytes(const attention_args* args) {
  (void)args;
  return 0;
}

static map_rule map_rule_of(const attention_args* args, void* memory) {
  (void)memory;
  return args;
}

EB_NOINLINE void write_maps(map_rule* rule, size_t head, const size_t* row, uint8_t* agree, size_t stride,
                            const map_layout* layout, uint8_t* maps, int32_t* ones) {
  const size_t drop = (*rule)->drop;
  vu8 most[ROWS];
  EB_UNROLL for (size_t r = 0; r < ROWS; r++) {
    most[r] = vu8_set1(agree[r * stride]);
    vu8_store(agree + r * stride + layout->nkv, most[r]); /* the last vector has only tokens and copies of the first */
  }
  for (size_t j = 0; j < layout->nkv; j += VU8_LANES) {
    EB_UNROLL for (size_t r = 0; r < ROWS; r++) most[r] = vu8_max(most[r], vu8_load(agree + r * stride + j));
  }
  EB_UNROLL for (size_t r = 0; r < ROWS; r++) {
    const uint8_t best = vu8_max_across(most[r]), threshold = drop < best ? (uint8_t)(best - drop) : 0;
    ones[r] = eb_threshold_map(agree + r * stride, threshold, layout, maps + r * layout->stride);
  }
  (void)head, (void)row;
}

#include "../b1-attention/attention.h"

size_t EB_SYMBOL(eb_b1_relative_attention_workspace)(const attention_args* args) { return workspace_bytes(args); }

void EB_SYMBOL(eb_b1_relative_attention)(const attention_args* args) { attend(args); }
