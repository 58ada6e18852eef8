/* eb_b1_relative_attention: the threshold is what lies `drop` below the row's best. */
#include "../b1-attention/threshold_map.h"
#include "edgebin.h"

typedef eb_b1_relative_attention_args attention_args;
typedef const attention_args* map_rule;

static size_t map_count(const attention_args* args) {
  (void)args;
  return 1;
}

static map_rule map_rule_of(const attention_args* args, size_t head) {
  (void)head;
  return args;
}

static int32_t write_maps(const map_rule* rule, size_t row, const uint8_t* agree, uint8_t* maps, size_t map_bytes) {
  const attention_args* args = *rule;
  uint8_t best = 0;
  for (size_t j = 0; j < args->nkv; j++) best = agree[j] > best ? agree[j] : best;
  const uint8_t threshold = args->drop < best ? (uint8_t)(best - args->drop) : 0;
  (void)row, (void)map_bytes;
  return eb_threshold_map(agree, threshold, args->nkv, maps);
}

#include "../b1-attention/attention.h"

size_t EB_SYMBOL(eb_b1_relative_attention_workspace)(const attention_args* args) { return workspace_bytes(args); }

void EB_SYMBOL(eb_b1_relative_attention)(const attention_args* args) { attend(args); }
