/* eb_b1_attention: z by table, then one threshold per map, for limit does not fall along agree. */
#include "edgebin.h"
#include "exp_sum.h"
#include "threshold_map.h"

typedef eb_b1_attention_args attention_args;

typedef struct {
  const attention_args* args;
  exp_sum sum;
} map_rule;

static size_t map_count(const attention_args* args) { return args->maps; }

static size_t map_rule_bytes(const attention_args* args) { return exp_sum_bytes(args->head_dim); }

static map_rule map_rule_of(const attention_args* args, void* memory) {
  return (map_rule){args, exp_sum_of(args->exp_table, args->head_dim, memory)};
}

/* For each row the smallest agree with z.low < limit[agree], or count if there is none. For ROWS rows in step, because
 * each step waits for the one before; and without jumps, half of which would be mispredicted: the empty statement keeps
 * compilers from making jumps of the selection. */
EB_INLINE void first_above(const int64_t* limit, size_t count, const exp_bounds* z, size_t* first) {
  EB_UNROLL for (size_t r = 0; r < ROWS; r++) first[r] = 0;
  for (; count > 1; count -= count / 2) {
    EB_UNROLL for (size_t r = 0; r < ROWS; r++) {
      size_t further = -(size_t)(z[r].low >= limit[first[r] + count / 2 - 1]);
      __asm__("" : "+r"(further));
      first[r] += count / 2 & further;
    }
  }
  EB_UNROLL for (size_t r = 0; r < ROWS; r++) first[r] += z[r].low >= limit[first[r]];
}

EB_NOINLINE void write_maps(map_rule* rule, size_t head, const size_t* row, uint8_t* agree, size_t stride,
                            const map_layout* layout, uint8_t* maps, int32_t* ones) {
  const attention_args* args = rule->args;
  const size_t entries = args->head_dim + 1;
  exp_bounds z[ROWS];
  size_t threshold[ROWS];
  exp_sum_bounds(&rule->sum, agree, stride, args->nkv, z);
  for (size_t s = 0; s < args->maps; s++) {
    const int64_t* limit = args->limit + (s * args->heads + head) * entries;
    first_above(limit, entries, z, threshold);
    for (size_t r = 0; r < ROWS; r++) {
      if (threshold[r] < entries && z[r].high >= limit[threshold[r]]) { /* the limit lies between the bounds */
        for (size_t i = 0; i < ROWS; i++) z[i] = exp_sum_exact(&rule->sum, agree + i * stride, args->nkv);
        first_above(limit, entries, z, threshold);
      }
    }
    for (size_t r = 0; r < ROWS; r++) {
      const int32_t map_ones = eb_threshold_map(agree + r * stride, (uint8_t)threshold[r], layout,
                                                maps + (r * args->maps + s) * layout->stride);
      ones[r] = s ? ones[r] + map_ones : map_ones;
    }
  }
  (void)row;
}

#include "attention.h"

size_t EB_SYMBOL(eb_b1_attention_workspace)(const attention_args* args) { return workspace_bytes(args); }

void EB_SYMBOL(eb_b1_attention)(const attention_args* args) { attend(args); }
