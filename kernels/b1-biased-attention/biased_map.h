/* eb_b1_biased_attention: scores go to floats twice, once for the row's best and once to compare with it; that is
 * cheaper than keeping them. Include after a simd/f32_*.h and a simd/u8_*.h.
 */
#include <math.h>
#include <string.h>

#include "edgebin.h"

typedef eb_b1_biased_attention_args attention_args;

typedef struct {
  const attention_args* args;
  size_t head;
} map_rule;

#define MAP_VECTORS VF_ROW_VECTORS
#define MAP_TOKENS (MAP_VECTORS * VF_LANES)

static size_t map_count(const attention_args* args) {
  (void)args;
  return 1;
}

static map_rule map_rule_of(const attention_args* args, size_t head) { return (map_rule){args, head}; }

/* t of MAP_TOKENS tokens, -infinity past the last of `count`. */
EB_INLINE void biased_scores(const attention_args* args, const uint8_t* agree, const float* bias, size_t count, vf* t) {
  float copy[MAP_TOKENS];
  if (count < MAP_TOKENS) {
    for (size_t j = 0; j < MAP_TOKENS; j++) copy[j] = j < count ? bias[j] : -INFINITY;
    bias = copy;
  }
  const vf scale = vf_set1(args->scale), two = vf_set1(2.0f), minus_d = vf_set1(-(float)args->head_dim);
  EB_UNROLL for (int v = 0; v < MAP_VECTORS; v++) {
    const vf score = vf_fma(vf_load_u8(agree + v * VF_LANES), two, minus_d);
    t[v] = vf_fma(score, scale, vf_load(bias + v * VF_LANES));
  }
}

static int32_t write_maps(const map_rule* rule, size_t row, const uint8_t* agree, uint8_t* maps, size_t map_bytes) {
  const attention_args* args = rule->args;
  const size_t nkv = args->nkv;
  const float* bias = args->bias + (rule->head * args->nq + row) * nkv;
  vf t[MAP_VECTORS], best = vf_set1(-INFINITY);
  for (size_t token = 0; token < nkv; token += MAP_TOKENS) {
    biased_scores(args, agree + token, bias + token, nkv - token, t);
    EB_UNROLL for (int v = 0; v < MAP_VECTORS; v++) best = vf_max(best, t[v]);
  }
  vf limit[MAP_VECTORS];
  EB_UNROLL for (int v = 0; v < MAP_VECTORS; v++) limit[v] = vf_set1(vf_max_across(best) - args->margin);
  int32_t ones = 0;
  memset(maps, 0, map_bytes);
  for (size_t token = 0; token < nkv; token += MAP_TOKENS) {
    biased_scores(args, agree + token, bias + token, nkv - token, t);
    uint64_t word = ~vf_less_bits(t, limit, MAP_VECTORS);
    const size_t count = EB_MIN(nkv - token, MAP_TOKENS);
    if (count < 64) word &= ((uint64_t)1 << count) - 1;
    memcpy(maps + token / 8, &word, MAP_TOKENS / 8);
    ones += __builtin_popcountll(word);
  }
  return ones;
}

#include "../b1-attention/attention.h"

size_t EB_SYMBOL(eb_b1_biased_attention_workspace)(const attention_args* args) { return workspace_bytes(args); }

void EB_SYMBOL(eb_b1_biased_attention)(const attention_args* args) { attend(args); }
