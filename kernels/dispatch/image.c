/* What works on images: eb_b1_conv and eb_f32_stencil. Inputs are [images, height, width, row of a pixel]. */
#include "node.h"

static int measure(eb_call* call, char* message) {
  const eb_tensor* x = &call->inputs[0];
  if (x->rank != 4 || eb_count(x, 1, &call->rows)) return eb_refuse(message, "its input is not images [b, h, w, c]");
  call->images = (size_t)x->dims[0];
  call->height = (size_t)x->dims[1];
  call->width = (size_t)x->dims[2];
  call->image_parts = 1;
  if (call->height) eb_split_images(call);
  return 0;
}

int eb_measure_conv(eb_call* call, char* message) {
  const eb_tensor* bits = &call->inputs[0];
  if (measure(call, message)) return -1;
  const size_t channels = (size_t)call->node->attributes.channels, row_bytes = EB_BIT_ROW_BYTES(channels);
  if (!eb_is_bits(bits) || eb_row_bytes(bits) != row_bytes) {
    return eb_refuse(message, "its pixels are not %zu bytes, of %zu bits", row_bytes, channels);
  }
  call->columns = call->node->n;
  return 0;
}

void eb_run_conv(void* at, size_t index) {
  eb_call* call = at;
  const eb_node* node = call->node;
  const eb_attributes* a = &node->attributes;
  size_t image, row_begin, row_end;
  eb_part_of_image(call, index, &image, &row_begin, &row_end);
  const size_t begin = image * call->height * call->width, channels = (size_t)a->channels;
  eb_b1_conv_args args = {
      .h = call->height,
      .w = call->width,
      .c = channels,
      .n = node->n,
      .kernel = (size_t)a->kernel,
      .dilation = (size_t)a->dilation,
      .groups = (size_t)a->groups,
      .row_begin = row_begin,
      .row_end = row_end,
      .a = (const uint8_t*)call->inputs[0].data + begin * EB_BIT_ROW_BYTES(channels),
      .weights = node->packed,
      .epilogue = eb_epilogue_from(call, begin),
  };
  eb_run_with_workspace(call, &args, &args.workspace);
}

int eb_measure_stencil(eb_call* call, char* message) {
  const eb_tensor *x = &call->inputs[0], *taps = &call->inputs[1], *bias = &call->inputs[2];
  if (measure(call, message)) return -1;
  if (x->type != EB_F32 || !eb_last(x)) return eb_refuse(message, "its input is not float32");
  call->columns = eb_last(x);
  const size_t taps_shape[] = {9, call->columns};
  if (eb_has_shape(taps, EB_F32, 2, taps_shape) && eb_has_shape(bias, EB_F32, 1, taps_shape + 1)) return 0;
  return eb_refuse(message, "its taps and bias are not float32 [9, %zu] and [%zu]", call->columns, call->columns);
}

void eb_run_stencil(void* at, size_t index) {
  const eb_call* call = at;
  size_t image, row_begin, row_end;
  eb_part_of_image(call, index, &image, &row_begin, &row_end);
  const size_t pixels = image * call->height * call->width, first = pixels * call->columns;
  const eb_f32_stencil_args args = {
      .h = call->height,
      .w = call->width,
      .c = call->columns,
      .row_begin = row_begin,
      .row_end = row_end,
      .circular = call->node->attributes.circular != 0,
      .x = (const float*)call->inputs[0].data + first,
      .taps = call->inputs[1].data,
      .bias = call->inputs[2].data,
      .skip = eb_epilogue_from(call, pixels).skip,
      .y = (float*)call->outputs[0].data + first,
  };
  call->node->variant->run(&args);
}
