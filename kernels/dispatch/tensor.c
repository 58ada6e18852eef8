/* Shapes: sizes of rows, products that cannot overflow, shapes as words. */
#include "node.h"

size_t eb_item_bytes(eb_type type) {
  switch (type) {
    case EB_U8:
      return 1;
    case EB_F32:
    case EB_I32:
      return 4;
    case EB_I64:
      return 8;
    default:
      return 0;
  }
}

int eb_is_bits(const eb_tensor* tensor) { return tensor->type == EB_U8 || tensor->type == EB_I32; }

size_t eb_last(const eb_tensor* tensor) { return tensor->rank ? (size_t)tensor->dims[tensor->rank - 1] : 0; }

size_t eb_row_bytes(const eb_tensor* tensor) { return eb_last(tensor) * eb_item_bytes(tensor->type); }

int eb_count(const eb_tensor* tensor, size_t skip, size_t* count) {
  *count = 1;
  if (tensor->rank < skip || tensor->rank > EB_MAX_RANK) return -1;
  for (size_t i = 0; i < tensor->rank; i++) {
    if (tensor->dims[i] < 0 || tensor->dims[i] > INT32_MAX) return -1;
    if (i < tensor->rank - skip && __builtin_mul_overflow(*count, (size_t)tensor->dims[i], count)) return -1;
  }
  return *count > PTRDIFF_MAX / 8 ? -1 : 0;
}

int eb_has_shape(const eb_tensor* tensor, eb_type type, size_t rank, const size_t* dims) {
  if (tensor->type != type || tensor->rank != rank) return 0;
  for (size_t i = 0; i < rank; i++) {
    if (tensor->dims[i] < 0 || (size_t)tensor->dims[i] != dims[i]) return 0;
  }
  return 1;
}

int eb_read_shape(const char* word, size_t length, eb_tensor* tensor) {
  tensor->rank = 0;
  for (size_t at = 0; at < length; at++) {
    int64_t size = 0;
    const size_t from = at;
    for (; at < length && word[at] >= '0' && word[at] <= '9'; at++) {
      size = size * 10 + (word[at] - '0');
      if (size > INT32_MAX) return -1;
    }
    if (at == from || tensor->rank == EB_MAX_RANK || (at < length && (word[at] != 'x' || at + 1 == length))) return -1;
    tensor->dims[tensor->rank++] = size;
  }
  return tensor->rank ? 0 : -1;
}
