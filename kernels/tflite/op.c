#include "op.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "flexbuffer.h"

int tfl_fail(tfl_call* call, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(call->message, sizeof call->message, format, arguments);
  va_end(arguments);
  return 0;
}

static TfLiteTensor* tensor_at(const tfl_call* call, int index) {
  return index < 0 || (size_t)index >= call->context->tensors_size ? NULL : &call->context->tensors[index];
}

TfLiteTensor* tfl_input(const tfl_call* call, size_t index) {
  return index < call->input_count ? tensor_at(call, call->inputs[index]) : NULL;
}

TfLiteTensor* tfl_output(const tfl_call* call, size_t index) {
  return index < call->output_count ? tensor_at(call, call->outputs[index]) : NULL;
}

int tfl_is_constant(const TfLiteTensor* tensor) {
  return (tensor->allocation_type == TFLITE_MMAP_RO || tensor->allocation_type == TFLITE_PERSISTENT_RO) && tensor->data;
}

size_t tfl_rows_of(const TfLiteTensor* tensor) {
  size_t rows = 1;
  for (int i = 0; i + 1 < tensor->dims->size; i++) rows *= (size_t)tensor->dims->data[i];
  return rows;
}

size_t tfl_last_of(const TfLiteTensor* tensor) {
  return tensor->dims->size ? (size_t)tensor->dims->data[tensor->dims->size - 1] : 1;
}

const char* tfl_name(const tfl_call* call) {
  const TfLiteTensor* output = tfl_output(call, 0);
  return output && output->name ? output->name : "";
}

int tfl_read_ints(tfl_call* call, const tfl_int_option* options, size_t count) {
  eb_flex_map map;
  if (eb_flex_open(&map, call->options, call->option_bytes) != EB_FLEX_OK) {
    return tfl_fail(call, "its options are no flexbuffer map");
  }
  for (size_t i = 0; i < count; i++) {
    if (eb_flex_int(&map, options[i].key, options[i].value) != EB_FLEX_OK) {
      return tfl_fail(call, "its option `%s` is missing or not an integer", options[i].key);
    }
  }
  return 1;
}

int tfl_check_arity(tfl_call* call, size_t inputs, size_t outputs) {
  if (call->input_count != inputs || call->output_count != outputs) {
    return tfl_fail(call, "takes %zu inputs and gives %zu outputs, but has %zu and %zu", inputs, outputs,
                    call->input_count, call->output_count);
  }
  for (size_t i = 0; i < outputs; i++) {
    if (!tfl_output(call, i)) return tfl_fail(call, "output %zu is missing", i);
  }
  return 1;
}

int tfl_resize_output(tfl_call* call, size_t index, size_t rank, const int64_t* dims) {
  /* TFLite frees it, as what its own TfLiteIntArrayCreate made by malloc. */
  TfLiteIntArray* shape = malloc(sizeof *shape + rank * sizeof *shape->data);
  if (!shape) return tfl_fail(call, "out of memory");
  shape->size = (int)rank;
  for (size_t i = 0; i < rank; i++) {
    if (dims[i] < 0 || dims[i] > INT32_MAX) {
      free(shape);
      return tfl_fail(call, "output %zu would have an axis of %lld", index, (long long)dims[i]);
    }
    shape->data[i] = (int)dims[i];
  }
  if (call->context->ResizeTensor(call->context, tfl_output(call, index), shape) != TFLITE_OK) {
    return tfl_fail(call, "output %zu could not be resized", index);
  }
  return 1;
}

static eb_type type_of(int type) {
  switch (type) {
    case TFLITE_FLOAT32:
      return EB_F32;
    case TFLITE_UINT8:
      return EB_U8;
    case TFLITE_INT32:
      return EB_I32;
    case TFLITE_INT64:
      return EB_I64;
    default:
      return EB_NO_TYPE;
  }
}

int tfl_describe(const TfLiteTensor* tensor, int with_data, eb_tensor* described) {
  *described = (eb_tensor){.type = type_of(tensor->type), .rank = (size_t)tensor->dims->size};
  if (described->type == EB_NO_TYPE || described->rank > EB_MAX_RANK) return 0;
  for (size_t i = 0; i < described->rank; i++) described->dims[i] = tensor->dims->data[i];
  described->data = with_data || tfl_is_constant(tensor) ? tensor->data : NULL;
  return 1;
}
