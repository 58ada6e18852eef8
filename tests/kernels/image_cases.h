/* Convolution and stencil. */
#ifndef EDGEBIN_TESTS_IMAGE_CASES_H
#define EDGEBIN_TESTS_IMAGE_CASES_H

#include "cases.h"

static int test_b1_conv_case(const variant* v, uint64_t seed, size_t h, size_t w, size_t kernel, size_t dilation,
                             size_t groups, size_t group_c, size_t group_n) {
  random_state = seed;
  const size_t c = groups * group_c, n = groups * group_n, k = kernel * kernel * group_c;
  const size_t row_bytes = EB_BIT_ROW_BYTES(k), pixels = h * w;
  const epilogue_pair pair = random_epilogue(pixels, n, (value_kind)random_below(2), (int)(seed % 8));
  eb_b1_conv_args args = {.h = h, .w = w, .c = c, .n = n, .kernel = kernel, .dilation = dilation, .groups = groups};
  args.a = random_bits(pixels, c);
  const uint8_t* rows = random_bits(n, k);
  uint8_t* panels = NULL;
  for (size_t g = 0; g < groups; g++) {
    const size_t bytes = packed_bytes(group_n, row_bytes, v->nr, v->word_bits);
    if (g == 0) panels = guarded_alloc(groups * bytes, 1);
    memcpy(panels + g * bytes, pack_panels(rows + g * group_n * row_bytes, group_n, row_bytes, v->nr, v->word_bits),
           bytes);
  }
  for (int side = 0; side < 2; side++) {
    args.weights = side ? panels : rows;
    args.epilogue = side ? pair.tested : pair.reference;
    args.workspace = guarded_alloc(side ? TESTED(b1_conv_workspace)(&args) : eb_b1_conv_workspace__scalar(&args), 64);
    for (size_t row = 0; row < h; row = args.row_end) {
      args.row_begin = row;
      args.row_end = row + 1 + random_below(h - row);
      side ? TESTED(b1_conv)(&args) : eb_b1_conv__scalar(&args);
    }
  }
  char what[128];
  snprintf(what, sizeof(what), "h %zu w %zu kernel %zu dilation %zu groups %zu of %zu -> %zu", h, w, kernel, dilation,
           groups, group_c, group_n);
  return finish_case(what, seed, epilogues_differ(&pair));
}

static int test_b1_conv(const variant* v) {
  static const size_t kSides[] = {1, 2, 3, 5, 7, 11}, kKernels[] = {1, 3, 3, 3, 5}, kDilations[] = {1, 2, 3, 5};
  static const size_t kGroups[] = {1, 2, 3, 4}, kGroupC[] = {1, 3, 7, 8, 9, 16, 16, 24, 31, 32, 32, 33, 64, 72};
  static const size_t kGroupN[] = {1, 2, 3, 8, 15, 16, 16, 17, 24, 31, 32, 32, 33, 64, 65};
  int failures = 0;
  failures += test_b1_conv_case(v, 3000, 13, 12, 3, 5, 4, 16, 16); /* the published convolutions */
  failures += test_b1_conv_case(v, 3001, 9, 14, 3, 3, 4, 32, 32);
  failures += test_b1_conv_case(v, 3002, 3, 131, 3, 1, 2, 16, 16); /* rows longer than the kernels take at once */
  failures += test_b1_conv_case(v, 3003, 4, 9, 3, 2, 1, 128, 8);   /* k overflows a byte accumulator */
  for (uint64_t seed = 0; seed < 150; seed++) {
    random_state = seed;
    const size_t h = PICK(kSides), w = PICK(kSides), kernel = PICK(kKernels), dilation = PICK(kDilations);
    failures += test_b1_conv_case(v, seed, h, w, kernel, dilation, PICK(kGroups), PICK(kGroupC), PICK(kGroupN));
  }
  return failures;
}

static int test_f32_stencil(const variant* v) {
  (void)v;
  static const size_t kSides[] = {1, 2, 3, 4, 5, 7}, kWidths[] = {1, 2, 4, 5, 7, 8, 9, 12, 13, 17, 21};
  int failures = 0;
  for (uint64_t seed = 0; seed < 150; seed++) {
    random_state = seed;
    const size_t h = PICK(kSides), w = PICK(kWidths), c = PICK(kCols);
    eb_f32_stencil_args args = {.h = h, .w = w, .c = c, .circular = (int)random_below(2)};
    args.x = random_floats(h * w * c, FRACTIONS);
    args.taps = random_floats(9 * c, FRACTIONS);
    args.bias = random_floats(c, FRACTIONS);
    if (random_below(2)) args.skip = random_floats(h * w * c, FRACTIONS);
    float* results[2];
    for (int side = 0; side < 2; side++) {
      results[side] = args.y = guarded_alloc(h * w * c * sizeof(float), sizeof(float));
      for (size_t row = 0; row < h; row = args.row_end) {
        args.row_begin = row;
        args.row_end = row + 1 + random_below(h - row);
        side ? TESTED(f32_stencil)(&args) : eb_f32_stencil__scalar(&args);
      }
    }
    char what[96];
    snprintf(what, sizeof(what), "h %zu w %zu c %zu circular %d", h, w, c, args.circular);
    failures += finish_case(what, seed, memcmp(results[0], results[1], h * w * c * sizeof(float)) != 0);
  }
  return failures;
}

#endif
