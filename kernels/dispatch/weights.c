/* Constant weights: checked, then packed into the panels that a node's kernel reads. */
#include <string.h>

#include "../linked/pack.h"
#include "node.h"

/* 2^22: sums of a binary product are exact below. */
#define BIT_LIMIT 4194304

/* The weight's rows, and room for its panels. */
static int take_weight(eb_node* node, const eb_tensor* weight, char* message) {
  size_t rows;
  if (weight->rank != 2 || eb_count(weight, 1, &rows) || !rows || !eb_last(weight)) {
    return eb_refuse(message, "its weight is not a matrix");
  }
  node->n = rows;
  return 0;
}

static int allocate_panels(eb_node* node, size_t bytes, char* message) {
  node->packed = eb_aligned(bytes);
  if (!node->packed) return eb_refuse(message, "out of memory for %zu bytes of weights", bytes);
  memset(node->packed, 0, bytes);
  return 0;
}

/* Rows of k bits; bits behind them would count. */
static int take_bits(eb_node* node, const eb_tensor* weight, int64_t k, char* message) {
  if (take_weight(node, weight, message)) return -1;
  if (k < 1 || k >= BIT_LIMIT) return eb_refuse(message, "rows of %lld bits", (long long)k);
  node->k = (size_t)k;
  const size_t row_bytes = EB_BIT_ROW_BYTES(node->k);
  if (weight->type != EB_U8 || eb_last(weight) != row_bytes) {
    return eb_refuse(message, "its weight is not uint8 rows of %zu bytes, of %lld bits", row_bytes, (long long)k);
  }
  const uint8_t* rows = weight->data;
  for (size_t i = 0; i < node->n; i++, rows += row_bytes) {
    for (size_t bit = node->k; bit < row_bytes * 8; bit++) {
      if (rows[bit / 8] >> (bit % 8) & 1)
        return eb_refuse(message, "its weight has bits beyond the first %zu", node->k);
    }
  }
  return 0;
}

int eb_create_bits_gemm(eb_node* node, const eb_tensor* inputs, char* message) {
  const eb_tensor* weight = &inputs[node->op->constant];
  if (take_bits(node, weight, node->attributes.k, message)) return -1;
  const size_t row_bytes = EB_BIT_ROW_BYTES(node->k);
  if (allocate_panels(node, eb_panel_bytes(node->n, row_bytes, node->variant), message)) return -1;
  eb_pack_panels(weight->data, node->n, row_bytes, node->variant, node->packed);
  return 0;
}

int eb_create_signed_gemm(eb_node* node, const eb_tensor* inputs, char* message) {
  const eb_tensor* weight = &inputs[node->op->constant];
  if (take_bits(node, weight, node->attributes.k, message)) return -1;
  if (allocate_panels(node, eb_bit_panel_bytes(node->n, node->k, node->variant), message)) return -1;
  eb_pack_bit_panels(weight->data, node->n, node->k, node->variant, node->packed);
  return 0;
}

int eb_create_float_gemm(eb_node* node, const eb_tensor* inputs, char* message) {
  const eb_tensor* weight = &inputs[node->op->constant];
  if (take_weight(node, weight, message)) return -1;
  if (weight->type != EB_F32) return eb_refuse(message, "its weight is not float32");
  node->k = eb_last(weight);
  const size_t row_bytes = node->k * sizeof(float);
  if (allocate_panels(node, eb_panel_bytes(node->n, row_bytes, node->variant), message)) return -1;
  eb_pack_panels(weight->data, node->n, row_bytes, node->variant, node->packed);
  return 0;
}

int eb_create_conv(eb_node* node, const eb_tensor* inputs, char* message) {
  const eb_tensor* weight = &inputs[node->op->constant];
  const eb_attributes* a = &node->attributes;
  if (a->kernel < 1 || a->kernel > 1023 || a->kernel % 2 == 0) return eb_refuse(message, "no such size of a kernel");
  if (a->dilation < 1 || a->dilation > 65535) return eb_refuse(message, "no such dilation");
  if (a->groups < 1 || a->channels < 1 || a->channels >= BIT_LIMIT || a->channels % a->groups) {
    return eb_refuse(message, "its channels do not make that many groups");
  }
  if (take_bits(node, weight, a->kernel * a->kernel * (a->channels / a->groups), message)) return -1;
  const size_t groups = (size_t)a->groups, row_bytes = EB_BIT_ROW_BYTES(node->k);
  if (node->n % groups) return eb_refuse(message, "%zu output channels do not make %zu groups", node->n, groups);
  if (allocate_panels(node, eb_group_panel_bytes(node->n, row_bytes, groups, node->variant), message)) return -1;
  eb_pack_group_panels(weight->data, node->n, row_bytes, groups, node->variant, node->packed);
  return 0;
}
