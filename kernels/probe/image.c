/* Calls of the convolution (dims h, w, c, n, kernel, dilation, groups) and of the stencil (h, w, c). */
#include <string.h>

#include "../linked/pack.h"
#include "../runtime/fail.h"
#include "call.h"
#include "epilogues.h"
#include "values.h"

void eb_prepare_b1_conv(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  const size_t h = dims[0], w = dims[1], c = dims[2], n = dims[3], kernel = dims[4], groups = dims[6];
  if (!groups || c % groups || n % groups || kernel % 2 == 0) eb_fail(EB_EXIT_INPUT, "no such convolution");
  eb_b1_conv_args* args = &call->args.b1_conv;
  *args = (eb_b1_conv_args){.h = h, .w = w, .c = c, .n = n, .kernel = kernel, .dilation = dims[5], .groups = groups};
  args->row_end = h;
  args->a = eb_random_bits(h * w, c);
  const size_t k = kernel * kernel * c / groups, row_bytes = EB_BIT_ROW_BYTES(k);
  void* weights = eb_allocate_aligned(eb_group_panel_bytes(n, row_bytes, groups, variant));
  eb_pack_group_panels(eb_random_bits(n, k), n, row_bytes, groups, variant, weights);
  args->weights = weights;
  args->workspace = eb_allocate_aligned(variant->workspace(args));
  args->epilogue = eb_make_epilogue(call, out, h * w, n);
  call->macs = (uint64_t)h * w * k * n;
}

void eb_prepare_f32_stencil(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  (void)variant;
  const size_t h = dims[0], w = dims[1], c = dims[2];
  eb_f32_stencil_args* args = &call->args.f32_stencil;
  *args = (eb_f32_stencil_args){.h = h, .w = w, .c = c, .row_end = h};
  args->x = eb_random_floats(h * w * c);
  args->taps = eb_random_floats(9 * c);
  args->bias = eb_random_floats(c);
  if (!strcmp(out, "skip")) {
    args->skip = eb_random_floats(h * w * c);
  } else if (strcmp(out, "f32")) {
    eb_fail(EB_EXIT_INPUT, "the stencil gives `f32` or `skip`, not `%s`", out);
  }
  args->y = eb_add_result(call, h * w * c * sizeof(float));
  call->macs = (uint64_t)h * w * c * 9;
}
