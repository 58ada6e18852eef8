/* Products and the elementwise kernel. */
#ifndef EDGEBIN_TESTS_GEMM_CASES_H
#define EDGEBIN_TESTS_GEMM_CASES_H

#include "b1_gemm_case.h"

static int test_b1_gemm_case(const variant* v, uint64_t seed, size_t m, size_t n, size_t k, int style) {
  random_state = seed;
  const value_kind kind = (value_kind)random_below(2);
  const epilogue_pair pair = random_epilogue(m, n, kind, style);
  const b1_product p = random_product(m, n, k, random_below(3) == 0);
  char what[96];
  snprintf(what, sizeof(what), "m %zu n %zu k %zu planes %d style %d", m, n, k, p.a2 ? 2 : 1, style);
  return finish_case(what, seed, b1_gemm_differs(v, &p, &pair));
}

static int test_b1_gemm(const variant* v) {
  static const struct {
    size_t m, n, k;
  } kDangers[] = {
      {5, 67, 248 * 2 + 1},  /* k overflows a byte accumulator that is flushed one step late */
      {5, 33, 31 * 16 + 16}, /* one step into the second block of bytes */
      {2, 65, 2053},         /* several blocks */
      {3, 35, 70000},        /* k overflows a 16-bit accumulator */
      {5, 17, 65472},        /* a 16-bit accumulator, full */
      {1, 66, 65473 + 63},
  };
  int failures = 0;
  for (size_t i = 0; i < COUNT(kDangers); i++) {
    failures += test_b1_gemm_case(v, 1000 + i, kDangers[i].m, kDangers[i].n, kDangers[i].k, 0);
  }
  for (uint64_t seed = 0; seed < 400; seed++) {
    random_state = seed;
    failures += test_b1_gemm_case(v, seed, PICK(kRows), PICK(kCols), PICK(kDepths), (int)(seed % 8));
  }
  return failures;
}

/* All bits differ: the largest counts that there are. */
static int test_b1_gemm_extremes(const variant* v) {
  static const size_t kExtremes[] = {31, 248, 256, 495, 496, 497, 512, 65472, 65535, 65536, 70000};
  int failures = 0;
  for (size_t i = 0; i < COUNT(kExtremes); i++) {
    const size_t m = 4, n = 33, k = kExtremes[i], row_bytes = EB_BIT_ROW_BYTES(k);
    random_state = i;
    const epilogue_pair pair = random_epilogue(m, n, INTEGERS, 0);
    uint8_t* a = guarded_alloc(m * row_bytes, 1);
    uint8_t* w = guarded_alloc(n * row_bytes, 1);
    memset(w, 0, n * row_bytes);
    memset(a, 0, m * row_bytes);
    for (size_t r = 0; r < m; r++) {
      for (size_t bit = 0; bit < k; bit++) a[r * row_bytes + bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
    const b1_product p = {m, n, k, a, i % 2 ? a : NULL, w};
    const int differs = b1_gemm_differs(v, &p, &pair);
    const int wrong = pair.reference.out[0] != -(float)k;
    failures += finish_case("all bits differ", i, wrong || differs);
  }
  return failures;
}

static int test_f32_gemm(const variant* v) {
  static const size_t kF32Depths[] = {1, 2, 3, 4, 5, 7, 8, 16, 27, 33, 48, 130};
  int failures = 0;
  for (uint64_t seed = 0; seed < 200; seed++) {
    random_state = seed;
    const size_t m = PICK(kRows), n = PICK(kCols), k = PICK(kF32Depths);
    const value_kind kind = (value_kind)random_below(2);
    const epilogue_pair pair = random_epilogue(m, n, kind, (int)(seed % 8));
    const float* a = random_floats(m * k, FRACTIONS);
    const float* w = random_floats(n * k, FRACTIONS);
    const eb_f32_gemm_args reference = {m, n, k, a, w, pair.reference};
    const eb_f32_gemm_args tested = {
        m, n, k, a, pack_panels((const uint8_t*)w, n, k * sizeof(float), v->nr, 32), pair.tested};
    eb_f32_gemm__scalar(&reference);
    TESTED(f32_gemm)(&tested);
    char what[96];
    snprintf(what, sizeof(what), "m %zu n %zu k %zu", m, n, k);
    failures += finish_case(what, seed, epilogues_differ(&pair));
  }
  return failures;
}

static int test_w1_gemm(const variant* v) {
  static const size_t kW1Depths[] = {1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 130};
  const variant* scalar = find_variant("w1_gemm", "scalar");
  int failures = 0;
  for (uint64_t seed = 0; seed < 200; seed++) {
    random_state = seed;
    const size_t m = PICK(kRows), n = PICK(kCols), k = PICK(kW1Depths);
    const value_kind kind = (value_kind)random_below(2);
    const epilogue_pair pair = random_epilogue(m, n, kind, (int)(seed % 8));
    const float* a = random_floats(m * k, FRACTIONS);
    const uint8_t* w = random_bits(n, k);
    const eb_w1_gemm_args reference = {m, n, k, a, pack_bit_panels(w, n, k, scalar->nr), pair.reference};
    const eb_w1_gemm_args tested = {m, n, k, a, pack_bit_panels(w, n, k, v->nr), pair.tested};
    eb_w1_gemm__scalar(&reference);
    TESTED(w1_gemm)(&tested);
    char what[96];
    snprintf(what, sizeof(what), "m %zu n %zu k %zu", m, n, k);
    failures += finish_case(what, seed, epilogues_differ(&pair));
  }
  return failures;
}

/* style < 0: a and w are all extremes. */
static int test_w1i8_gemm_case(const variant* v, uint64_t seed, size_t m, size_t n, size_t k, int style) {
  random_state = seed;
  const epilogue_pair pair = random_epilogue(m, n, (value_kind)random_below(2), style < 0 ? 0 : style);
  int8_t* a = guarded_alloc(m * k, 1);
  for (size_t i = 0; i < m * k; i++) a[i] = style < 0 ? (seed % 2 ? 127 : -128) : (int8_t)(uint8_t)random_u64();
  const float* row_scale = seed % 3 ? random_floats(m, FRACTIONS) : NULL;
  uint8_t* w = random_bits(n, k);
  if (style < 0) {
    for (size_t i = 0; i < n * k; i++) {
      uint8_t* byte = w + i / k * EB_BIT_ROW_BYTES(k) + i % k / 8;
      *byte = seed / 2 % 2 ? *byte | (uint8_t)(1u << (i % k % 8)) : *byte & (uint8_t)~(1u << (i % k % 8));
    }
  }
  const void* panels = pack_panels(w, n, EB_BIT_ROW_BYTES(k), v->nr, v->word_bits);
  eb_w1i8_gemm_args reference = {m, n, k, a, row_scale, w, NULL, pair.reference};
  eb_w1i8_gemm_args tested = {m, n, k, a, row_scale, panels, NULL, pair.tested};
  reference.workspace = guarded_alloc(eb_w1i8_gemm_workspace__scalar(&reference), 64);
  tested.workspace = guarded_alloc(TESTED(w1i8_gemm_workspace)(&tested), 64);
  eb_w1i8_gemm__scalar(&reference);
  TESTED(w1i8_gemm)(&tested);
  char what[96];
  snprintf(what, sizeof(what), "m %zu n %zu k %zu style %d", m, n, k, style);
  return finish_case(what, seed, epilogues_differ(&pair));
}

static int test_w1i8_gemm(const variant* v) {
  int failures = 0;
  for (uint64_t seed = 0; seed < 300; seed++) {
    random_state = seed;
    failures += test_w1i8_gemm_case(v, seed, PICK(kRows), PICK(kCols), PICK(kDepths), (int)(seed % 8));
  }
  return failures;
}

/* Every byte and every sign alike: the largest sums that there are. */
static int test_w1i8_gemm_extremes(const variant* v) {
  static const size_t kExtremes[] = {31, 32, 255, 256, 257, 2048, 8193, 131071};
  int failures = 0;
  for (size_t i = 0; i < COUNT(kExtremes); i++) {
    for (uint64_t seed = 0; seed < 4; seed++) failures += test_w1i8_gemm_case(v, seed, 5, 33, kExtremes[i], -1);
  }
  return failures;
}

static int test_rows(const variant* v) {
  (void)v;
  int failures = 0;
  for (uint64_t seed = 0; seed < 400; seed++) {
    random_state = seed;
    const size_t m = PICK(kRows), n = PICK(kCols);
    const value_kind kind = (value_kind)random_below(2);
    const epilogue_pair pair = random_epilogue(m, n, kind, (int)(seed % 8));
    eb_rows_args reference = {.m = m, .n = n, .epilogue = pair.reference};
    if (random_below(2)) {
      reference.x_f32 = random_floats(m * n, kind);
    } else {
      int32_t* x = guarded_alloc(m * n * sizeof(int32_t), sizeof(int32_t));
      for (size_t i = 0; i < m * n; i++) x[i] = (int32_t)(uint32_t)random_u64() >> random_below(31);
      reference.x_i32 = x;
    }
    eb_rows_args tested = reference;
    tested.epilogue = pair.tested;
    eb_rows__scalar(&reference);
    TESTED(rows)(&tested);
    char what[96];
    snprintf(what, sizeof(what), "m %zu n %zu", m, n);
    failures += finish_case(what, seed, epilogues_differ(&pair));
  }
  return failures;
}

static int test_quantize(const variant* v) {
  (void)v;
  int failures = 0;
  for (uint64_t seed = 0; seed < 300; seed++) {
    random_state = seed;
    const size_t m = PICK(kRows), n = PICK(kCols);
    float* x = random_floats(m * n, FRACTIONS);
    /* Halves of integers are ties where the largest is 127; other rows are tiny as a whole. */
    for (size_t j = 0; j < n && seed % 3 == 0; j++) x[j] = j ? (float)(int8_t)(uint8_t)random_u64() / 2 : 127.0f;
    for (size_t j = 0; j < m * n && seed % 5 == 0; j++) x[j] *= 0x1p-101f;
    int8_t* q[2];
    float* scale[2];
    for (int side = 0; side < 2; side++) {
      q[side] = guarded_alloc(m * n, 1);
      scale[side] = guarded_alloc(m * sizeof(float), sizeof(float));
      const eb_quantize_args args = {m, n, x, q[side], scale[side]};
      if (side) {
        TESTED(quantize)(&args);
      } else {
        eb_quantize__scalar(&args);
      }
    }
    char what[96];
    snprintf(what, sizeof(what), "m %zu n %zu", m, n);
    failures += finish_case(what, seed, memcmp(q[0], q[1], m * n) || memcmp(scale[0], scale[1], m * sizeof(float)));
  }
  return failures;
}

static int test_layernorm(const variant* v) {
  (void)v;
  int failures = 0;
  for (uint64_t seed = 0; seed < 400; seed++) {
    random_state = seed;
    const size_t m = PICK(kRows), n = PICK(kCols);
    const value_kind kind = (value_kind)random_below(2);
    const epilogue_pair pair = random_epilogue(m, n, kind, (int)(seed % 8));
    float* x = random_floats(m * n, FRACTIONS);
    /* Rows far from zero lose most digits in a mean that is summed in another order. */
    const float offset = seed % 3 ? 0.0f : 1000.0f;
    for (size_t i = 0; i < m * n; i++) x[i] += offset;
    const float epsilon = seed % 2 ? 1e-5f : 1e-12f;
    const eb_layernorm_args reference = {m, n, x, epsilon, pair.reference};
    const eb_layernorm_args tested = {m, n, x, epsilon, pair.tested};
    eb_layernorm__scalar(&reference);
    TESTED(layernorm)(&tested);
    char what[96];
    snprintf(what, sizeof(what), "m %zu n %zu", m, n);
    failures += finish_case(what, seed, epilogues_differ(&pair));
  }
  return failures;
}

#endif
