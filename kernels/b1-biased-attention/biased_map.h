/* eb_b1_biased_attention: scores go to floats, which are kept until the row's best is known; then the row of agree
 * becomes a row of bytes that say which tokens are near enough, and a map like any other. Include after scores_*.h:
 *   eb_scores16(agree, bias, scale, head_dim, t)   t of 16 tokens
 *   eb_at_least16(t, limit, on)                    16 bytes: 255 where t >= limit, else 0
 */
#include <math.h>
#include <string.h>

#include "../b1-attention/threshold_map.h"
#include "edgebin.h"

typedef eb_b1_biased_attention_args attention_args;

typedef struct {
  const attention_args* args;
  float* t; /* of a row, whole 16 tokens */
} map_rule;

static size_t map_count(const attention_args* args) {
  (void)args;
  return 1;
}

static size_t map_rule_bytes(const attention_args* args) { return EB_CEIL_DIV(args->nkv, 16) * 16 * sizeof(float); }

static map_rule map_rule_of(const attention_args* args, void* memory) { return (map_rule){args, memory}; }

/* t of 16 tokens, kept and compared with the best. */
EB_INLINE void take_scores(const uint8_t* agree, const float* bias, float scale, size_t head_dim, float* kept,
                           vf* best) {
  vf t[VF_SCORES];
  eb_scores16(agree, bias, scale, head_dim, t);
  EB_UNROLL for (int v = 0; v < VF_SCORES; v++) {
    best[v] = vf_max(best[v], t[v]);
    vf_store(kept + v * VF_LANES, t[v]);
  }
}

/* Turns a row of agree into bytes of ones where a token is near enough to the best. */
static void mark_near_best(const attention_args* args, float* t, const float* bias, uint8_t* agree) {
  const size_t nkv = args->nkv, d = args->head_dim;
  const float scale = args->scale, margin = args->margin;
  vf best[VF_SCORES];
  EB_UNROLL for (int v = 0; v < VF_SCORES; v++) best[v] = vf_set1(-INFINITY);
  if (nkv < 16) {
    float few[16];
    EB_UNROLL for (int v = 0; v < VF_SCORES; v++) vf_store(few + v * VF_LANES, vf_set1(-INFINITY));
    memcpy(few, bias, nkv * sizeof(float));
    take_scores(agree, few, scale, d, t, best);
  } else {
    for (size_t token = 0; token + 16 <= nkv; token += 16) {
      take_scores(agree + token, bias + token, scale, d, t + token, best);
    }
    /* The last 16 once more, some of them: nothing changes, and no bias is read past its end. */
    take_scores(agree + nkv - 16, bias + nkv - 16, scale, d, t + nkv - 16, best);
  }
  EB_UNROLL for (int v = 1; v < VF_SCORES; v++) best[0] = vf_max(best[0], best[v]);
  const vf limit = vf_set1(vf_max_across(best[0]) - margin);
  for (size_t token = 0; token < nkv; token += 16) eb_at_least16(t + token, limit, agree + token);
}

EB_NOINLINE void write_maps(map_rule* rule, size_t head, const size_t* row, uint8_t* agree, size_t stride,
                            const map_layout* layout, uint8_t* maps, int32_t* ones) {
  const attention_args* args = rule->args;
  for (size_t r = 0; r < ROWS; r++) {
    mark_near_best(args, rule->t, args->bias + (head * args->nq + row[r]) * args->nkv, agree + r * stride);
  }
  /* Only now, for maps read the marks in other pieces than they were written: each would wait for its store. */
  for (size_t r = 0; r < ROWS; r++) {
    ones[r] = eb_threshold_map(agree + r * stride, 255, layout, maps + r * layout->stride);
  }
}

#include "../b1-attention/attention.h"

size_t EB_SYMBOL(eb_b1_biased_attention_workspace)(const attention_args* args) { return workspace_bytes(args); }

void EB_SYMBOL(eb_b1_biased_attention)(const attention_args* args) { attend(args); }
