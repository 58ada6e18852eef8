/* eb_b1_attention: z by table, then one threshold per map, for limit does not fall along agree.
 *
 * The variant that includes this has defined exp_sum, exp_sum_of(table, head_dim) and exp_sum_row(&sum, agree, tokens),
 * the sum over exp_table.
 */
#include "edgebin.h"
#include "threshold_map.h"

typedef eb_b1_attention_args attention_args;

typedef struct {
  const attention_args* args;
  size_t head;
  exp_sum sum;
} map_rule;

static size_t map_count(const attention_args* args) { return args->maps; }

static map_rule map_rule_of(const attention_args* args, size_t head) {
  return (map_rule){args, head, exp_sum_of(args->exp_table, args->head_dim)};
}

/* The smallest agree with z < limit[agree], or count if there is none. Without branches: they would be guesses. */
static size_t first_above(const int64_t* limit, size_t count, int64_t z) {
  size_t first = 0;
  while (count) {
    const size_t half = count / 2;
    const int above = z < limit[first + half];
    first = above ? first : first + half + 1;
    count = above ? half : count - half - 1;
  }
  return first;
}

static int32_t write_maps(const map_rule* rule, size_t row, const uint8_t* agree, uint8_t* maps, size_t map_bytes) {
  const attention_args* args = rule->args;
  const int64_t z = exp_sum_row(&rule->sum, agree, args->nkv);
  const size_t entries = args->head_dim + 1;
  int32_t ones = 0;
  for (size_t s = 0; s < args->maps; s++) {
    const size_t threshold = first_above(args->limit + (s * args->heads + rule->head) * entries, entries, z);
    ones += eb_threshold_map(agree, (uint8_t)threshold, args->nkv, maps + s * map_bytes);
  }
  (void)row;
  return ones;
}

#include "attention.h"

size_t EB_SYMBOL(eb_b1_attention_workspace)(const attention_args* args) { return workspace_bytes(args); }

void EB_SYMBOL(eb_b1_attention)(const attention_args* args) { attend(args); }
