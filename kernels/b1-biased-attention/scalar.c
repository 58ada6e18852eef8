/* Word for word as edgebin.h states it; the workspace holds one row of t. */
#include <math.h>

#include "../b1-attention/scalar.h"

size_t eb_b1_biased_attention_workspace__scalar(const eb_b1_biased_attention_args* args) {
  return args->nkv * sizeof(float);
}

void eb_b1_biased_attention__scalar(const eb_b1_biased_attention_args* args) {
  const size_t d = args->head_dim, nkv = args->nkv, width = args->heads * d, row_bytes = EB_BIT_ROW_BYTES(width);
  float* t = args->workspace;
  for (size_t h = args->head_begin; h < args->head_end; h++) {
    for (size_t i = 0; i < args->nq; i++) {
      float best = -INFINITY;
      for (size_t j = 0; j < nkv; j++) {
        const int agree = eb_agreeing(args->q + i * row_bytes, args->k + j * row_bytes, h * d, d);
        t[j] = fmaf((float)(2 * agree - (int)d), args->scale, args->bias[(h * args->nq + i) * nkv + j]);
        if (t[j] > best) best = t[j];
      }
      int32_t* context = args->context + i * width + h * d;
      memset(context, 0, d * sizeof(int32_t));
      for (size_t j = 0; j < nkv; j++) {
        if (t[j] >= best - args->margin) eb_add_values(context, args->v + j * row_bytes, h * d, d);
      }
    }
  }
}
