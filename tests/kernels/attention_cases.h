/* The three attentions. */
#ifndef EDGEBIN_TESTS_ATTENTION_CASES_H
#define EDGEBIN_TESTS_ATTENTION_CASES_H

#include "cases.h"

static const size_t kHeadDims[] = {8, 16, 24, 32, 40, 64, 72, 96, 120, 128, 136, 192, 248};
static const size_t kTokens[] = {1, 2, 3, 7, 16, 17, 31, 49, 50, 53, 63, 64, 65, 128, 129, 196, 197};

/* Calls the path and `scalar` on the same arguments, heads in random portions; `args` is an lvalue of their type. */
#define RUN_BOTH(op, args, contexts, context_bytes)                                                            \
  for (int side = 0; side < 2; side++) {                                                                       \
    const size_t bytes = side ? TESTED(op##_workspace)(&args) : EB_CONCAT(eb_##op##_workspace, scalar)(&args); \
    contexts[side] = args.context = guarded_alloc(context_bytes, sizeof(int32_t));                             \
    args.workspace = guarded_alloc(bytes, 64);                                                                 \
    for (size_t head = 0; head < args.heads; head = args.head_end) {                                           \
      args.head_begin = head;                                                                                  \
      args.head_end = head + 1 + random_below(args.heads - head);                                              \
      side ? TESTED(op)(&args) : EB_CONCAT(eb_##op, scalar)(&args);                                            \
    }                                                                                                          \
  }

static int compare_i64(const void* a, const void* b) {
  const int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
  return (x > y) - (x < y);
}

/* Anything, or what exp gives: rising by some factor, down to 0 if it is large. Sums of 2^17 entries fit in int64. */
static const int64_t* random_exp_table(size_t d) {
  int64_t* table = guarded_alloc((d + 1) * sizeof(int64_t), sizeof(int64_t));
  const size_t bits = 1 + random_below(45);
  const double factor = 0.3 + 0.1 * (double)random_below(7);
  double entry = (double)((uint64_t)1 << bits) - 1.0;
  const int rising = (int)random_below(3);
  for (size_t i = d + 1; i-- > 0; entry *= factor) {
    table[i] = rising ? (int64_t)entry : (int64_t)(random_u64() >> (64 - bits));
  }
  return table;
}

/* z of one row of the first head, as edgebin.h states it. */
static int64_t exp_sum_of_row(const eb_b1_attention_args* args, size_t row) {
  const size_t row_bytes = EB_BIT_ROW_BYTES(args->heads * args->head_dim);
  int64_t z = 0;
  for (size_t j = 0; j < args->nkv; j++) {
    size_t agree = args->head_dim;
    for (size_t b = 0; b < args->head_dim / 8; b++) {
      agree -= (size_t)__builtin_popcount(args->q[row * row_bytes + b] ^ args->k[j * row_bytes + b]);
    }
    z += args->exp_table[agree];
  }
  return z;
}

static int test_b1_attention_case(uint64_t seed, size_t heads, size_t d, size_t nq, size_t nkv, size_t maps) {
  random_state = seed;
  const size_t width = heads * d, row_bytes = EB_BIT_ROW_BYTES(width);
  eb_b1_attention_args args = {.heads = heads, .head_dim = d, .nq = nq, .nkv = nkv, .maps = maps};
  uint8_t* q = random_bits(nq, width);
  args.k = random_bits(nkv, width);
  args.v = random_bits(nkv, width);
  args.q = q;
  /* A row that is a key's twin: its best score lies far above the others. */
  if (random_below(2)) memcpy(q + random_below(nq) * row_bytes, args.k + random_below(nkv) * row_bytes, row_bytes);
  args.exp_table = random_exp_table(d);
  /* Limits spread over what the sums may be, some just at a row's sum; now and then a map that takes nothing or all. */
  int64_t* limit = guarded_alloc(maps * heads * (d + 1) * sizeof(int64_t), sizeof(int64_t));
  for (size_t i = 0; i < maps * heads; i++) {
    const size_t mode = random_below(6);
    const int64_t z = exp_sum_of_row(&args, random_below(nq));
    for (size_t s = 0; s <= d; s++) {
      const int64_t near = z - 1 + (int64_t)random_below(3), any = (int64_t)(random_u64() % (uint64_t)(2 * z + 1));
      limit[i * (d + 1) + s] = mode == 0 ? 0 : mode == 1 ? INT64_MAX : s % 2 ? near : any;
    }
    qsort(limit + i * (d + 1), d + 1, sizeof(int64_t), compare_i64);
  }
  args.limit = limit;
  const size_t context_bytes = nq * width * sizeof(int32_t);
  int32_t* contexts[2];
  RUN_BOTH(b1_attention, args, contexts, context_bytes)
  char what[96];
  snprintf(what, sizeof(what), "heads %zu head_dim %zu nq %zu nkv %zu maps %zu", heads, d, nq, nkv, maps);
  return finish_case(what, seed, memcmp(contexts[0], contexts[1], context_bytes) != 0);
}

static int test_b1_attention(const variant* v) {
  (void)v;
  int failures = 0;
  failures += test_b1_attention_case(2000, 3, 64, 5, 197, 3);
  failures += test_b1_attention_case(2001, 1, 64, 3, 784, 1);  /* more tokens than a byte accumulator takes */
  failures += test_b1_attention_case(2002, 1, 32, 2, 3136, 2); /* the largest grid of the published systems */
  failures += test_b1_attention_case(2003, 1, 8, 2, 70001, 1); /* nkv overflows a 16-bit accumulator */
  for (uint64_t seed = 2100; seed < 2130; seed++) { /* a best score far above the others, and limits near the sum */
    failures += test_b1_attention_case(seed, 1, 192, 1, 197, 3);
  }
  for (uint64_t seed = 0; seed < 150; seed++) {
    random_state = seed;
    const size_t d = seed % 3 ? PICK(kHeadDims) : 64;
    failures += test_b1_attention_case(seed, 1 + random_below(3), d, PICK(kRows), PICK(kTokens), 1 + seed % 3);
  }
  return failures;
}

static int test_b1_relative_attention_case(uint64_t seed, size_t heads, size_t d, size_t nq, size_t nkv) {
  static const size_t kDrops[] = {0, 1, 3, 8, 100, 100000};
  random_state = seed;
  const size_t width = heads * d, context_bytes = nq * width * sizeof(int32_t);
  eb_b1_relative_attention_args args = {.heads = heads, .head_dim = d, .nq = nq, .nkv = nkv, .drop = PICK(kDrops)};
  args.q = random_bits(nq, width);
  args.k = random_bits(nkv, width);
  args.v = random_bits(nkv, width);
  int32_t* contexts[2];
  RUN_BOTH(b1_relative_attention, args, contexts, context_bytes)
  char what[96];
  snprintf(what, sizeof(what), "heads %zu head_dim %zu nq %zu nkv %zu drop %zu", heads, d, nq, nkv, args.drop);
  return finish_case(what, seed, memcmp(contexts[0], contexts[1], context_bytes) != 0);
}

static int test_b1_relative_attention(const variant* v) {
  (void)v;
  int failures = test_b1_relative_attention_case(2000, 1, 64, 3, 3136);
  for (uint64_t seed = 0; seed < 120; seed++) {
    random_state = seed;
    const size_t d = seed % 3 ? PICK(kHeadDims) : 64;
    failures += test_b1_relative_attention_case(seed, 1 + random_below(3), d, PICK(kRows), PICK(kTokens));
  }
  return failures;
}

static int test_b1_biased_attention_case(uint64_t seed, size_t heads, size_t d, size_t nq, size_t nkv) {
  random_state = seed;
  const size_t width = heads * d, context_bytes = nq * width * sizeof(int32_t);
  const value_kind kind = (value_kind)random_below(2); /* integers: scores tie with the limit */
  eb_b1_biased_attention_args args = {.heads = heads, .head_dim = d, .nq = nq, .nkv = nkv};
  args.q = random_bits(nq, width);
  args.k = random_bits(nkv, width);
  args.v = random_bits(nkv, width);
  args.bias = random_floats(heads * nq * nkv, kind);
  args.scale = kind == INTEGERS ? 1.0f : random_float(FRACTIONS);
  args.margin = (float)random_below(8) * (kind == INTEGERS ? 1.0f : 0.3f);
  int32_t* contexts[2];
  RUN_BOTH(b1_biased_attention, args, contexts, context_bytes)
  char what[96];
  snprintf(what, sizeof(what), "heads %zu head_dim %zu nq %zu nkv %zu", heads, d, nq, nkv);
  return finish_case(what, seed, memcmp(contexts[0], contexts[1], context_bytes) != 0);
}

static int test_b1_biased_attention(const variant* v) {
  (void)v;
  int failures = test_b1_biased_attention_case(2000, 1, 64, 3, 3136);
  for (uint64_t seed = 0; seed < 120; seed++) {
    random_state = seed;
    const size_t d = seed % 3 ? PICK(kHeadDims) : 32;
    failures += test_b1_biased_attention_case(seed, 1 + random_below(3), d, PICK(kRows), PICK(kTokens));
  }
  return failures;
}

#endif
