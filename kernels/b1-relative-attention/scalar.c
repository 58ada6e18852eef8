/* Word for word as edgebin.h states it; the workspace holds one row of agree. */
#include "../b1-attention/scalar.h"

size_t eb_b1_relative_attention_workspace__scalar(const eb_b1_relative_attention_args* args) { return args->nkv; }

void eb_b1_relative_attention__scalar(const eb_b1_relative_attention_args* args) {
  const size_t d = args->head_dim, nkv = args->nkv, width = args->heads * d, row_bytes = EB_BIT_ROW_BYTES(width);
  uint8_t* agree = args->workspace;
  for (size_t h = args->head_begin; h < args->head_end; h++) {
    for (size_t i = 0; i < args->nq; i++) {
      size_t best = 0;
      for (size_t j = 0; j < nkv; j++) {
        agree[j] = eb_agreeing(args->q + i * row_bytes, args->k + j * row_bytes, h * d, d);
        if (agree[j] > best) best = agree[j];
      }
      int32_t* context = args->context + i * width + h * d;
      memset(context, 0, d * sizeof(int32_t));
      for (size_t j = 0; j < nkv; j++) {
        if (agree[j] + args->drop >= best) eb_add_values(context, args->v + j * row_bytes, h * d, d);
      }
    }
  }
}
