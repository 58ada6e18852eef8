/* The attentions: one part for each head of each image. Inputs q [b, nq, bits], k and v [b, nkv, bits]. */
#include "node.h"

int eb_create_attention(eb_node* node, const eb_tensor* inputs, char* message) {
  (void)inputs;
  const eb_attributes* a = &node->attributes;
  if (a->heads < 1 || a->heads > 65535) return eb_refuse(message, "no such number of heads");
  if (a->head_dim < 8 || a->head_dim > 248 || a->head_dim % 8) {
    return eb_refuse(message, "heads of %lld bits: multiples of 8 up to 248 are possible", (long long)a->head_dim);
  }
  return a->drop < 0 ? eb_refuse(message, "its drop is less than 0") : 0;
}

static int measure(eb_call* call, char* message) {
  const eb_attributes* a = &call->node->attributes;
  const size_t columns = (size_t)(a->heads * a->head_dim), row_bytes = EB_BIT_ROW_BYTES(columns);
  for (size_t i = 0; i < 3; i++) {
    const eb_tensor* t = &call->inputs[i];
    size_t rows;
    if (!eb_is_bits(t) || t->rank != 3 || eb_count(t, 1, &rows) || eb_row_bytes(t) != row_bytes) {
      return eb_refuse(message, "`%c` is not [b, n, %zu] bytes of bits", "qkv"[i], row_bytes);
    }
    if (t->dims[0] != call->inputs[0].dims[0] || (i == 2 && t->dims[1] != call->inputs[1].dims[1])) {
      return eb_refuse(message, "`q`, `k` and `v` do not fit together");
    }
  }
  call->images = (size_t)call->inputs[0].dims[0];
  call->height = (size_t)call->inputs[0].dims[1]; /* queries */
  call->width = (size_t)call->inputs[1].dims[1];  /* keys */
  if (!call->width) return eb_refuse(message, "it has no keys");
  call->rows = call->images * call->height;
  call->columns = columns;
  call->parts = call->images * (size_t)a->heads;
  return 0;
}

int eb_measure_relative(eb_call* call, char* message) { return measure(call, message); }

/* Kernels look for the first score that is within its limit, and add up exponentials without looking. */
static int check_tables(const eb_call* call, char* message) {
  const int64_t *table = call->inputs[3].data, *limit = call->inputs[4].data;
  const size_t entries = (size_t)call->node->attributes.head_dim + 1;
  if (!table || !limit) return 0;
  for (size_t i = 0; i < entries; i++) {
    if (table[i] < 0 || table[i] > INT64_MAX / (int64_t)call->width) {
      return eb_refuse(message, "sums of its `exp_table` do not fit in 64 bits");
    }
  }
  const size_t rows = (size_t)(call->inputs[4].dims[0] * call->inputs[4].dims[1]);
  for (size_t row = 0; row < rows; row++, limit += entries) {
    for (size_t i = 1; i < entries; i++) {
      if (limit[i] < limit[i - 1]) return eb_refuse(message, "its `limit` falls");
    }
  }
  return 0;
}

int eb_measure_softmax(eb_call* call, char* message) {
  if (measure(call, message)) return -1;
  const eb_attributes* a = &call->node->attributes;
  const eb_tensor* limit = &call->inputs[4];
  const size_t entries = (size_t)a->head_dim + 1;
  const size_t maps = limit->rank == 3 && limit->dims[0] > 0 ? (size_t)limit->dims[0] : 0;
  const size_t limit_shape[] = {maps, (size_t)a->heads, entries};
  if (!eb_has_shape(&call->inputs[3], EB_I64, 1, &entries) || !maps || maps > 255 ||
      !eb_has_shape(limit, EB_I64, 3, limit_shape)) {
    return eb_refuse(message, "its tables are not int64 [%zu] and [maps, %zu, %zu]", entries, (size_t)a->heads,
                     entries);
  }
  return check_tables(call, message);
}

int eb_measure_biased(eb_call* call, char* message) {
  static const size_t kOne = 1;
  if (measure(call, message)) return -1;
  const eb_tensor* bias = &call->inputs[3];
  const size_t groups = bias->rank == 4 && bias->dims[0] > 0 ? (size_t)bias->dims[0] : 0;
  const size_t shape[] = {groups, (size_t)call->node->attributes.heads, call->height, call->width};
  if (!groups || call->images % groups || !eb_has_shape(bias, EB_F32, 4, shape)) {
    return eb_refuse(message, "its bias is not float32 [groups, heads, queries, keys]");
  }
  if (eb_has_shape(&call->inputs[4], EB_F32, 1, &kOne) && eb_has_shape(&call->inputs[5], EB_F32, 1, &kOne)) return 0;
  return eb_refuse(message, "its scale and margin are not float32 [1]");
}

/* What the three argument structs have in common, of part `index`. */
#define FILL(args, call, index)                                                                   \
  const eb_attributes* a = &(call)->node->attributes;                                             \
  const size_t image = (index) / (size_t)a->heads, row_bytes = EB_BIT_ROW_BYTES((call)->columns); \
  (args).heads = (size_t)a->heads, (args).head_dim = (size_t)a->head_dim;                         \
  (args).nq = (call)->height, (args).nkv = (call)->width;                                         \
  (args).head_begin = (index) % (size_t)a->heads, (args).head_end = (args).head_begin + 1;        \
  (args).q = (const uint8_t*)(call)->inputs[0].data + image * (call)->height * row_bytes;         \
  (args).k = (const uint8_t*)(call)->inputs[1].data + image * (call)->width * row_bytes;          \
  (args).v = (const uint8_t*)(call)->inputs[2].data + image * (call)->width * row_bytes;          \
  (args).context = (int32_t*)(call)->outputs[0].data + image * (call)->height * (call)->columns;

void eb_run_softmax(void* at, size_t index) {
  eb_call* call = at;
  eb_b1_attention_args args = {.maps = (size_t)call->inputs[4].dims[0]};
  FILL(args, call, index)
  args.exp_table = call->inputs[3].data;
  args.limit = call->inputs[4].data;
  eb_run_with_workspace(call, &args, &args.workspace);
}

void eb_run_relative(void* at, size_t index) {
  eb_call* call = at;
  eb_b1_relative_attention_args args = {.drop = (size_t)call->node->attributes.drop};
  FILL(args, call, index)
  eb_run_with_workspace(call, &args, &args.workspace);
}

void eb_run_biased(void* at, size_t index) {
  eb_call* call = at;
  const float *scale = call->inputs[4].data, *margin = call->inputs[5].data;
  eb_b1_biased_attention_args args = {.scale = *scale, .margin = *margin};
  FILL(args, call, index)
  const size_t per_group = args.heads * args.nq * args.nkv;
  args.bias = (const float*)call->inputs[3].data + image % (size_t)call->inputs[3].dims[0] * per_group;
  eb_run_with_workspace(call, &args, &args.workspace);
}
