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

static int test_b1_attention_case(uint64_t seed, size_t heads, size_t d, size_t nq, size_t nkv, size_t maps) {
  random_state = seed;
  const size_t width = heads * d;
  eb_b1_attention_args args = {.heads = heads, .head_dim = d, .nq = nq, .nkv = nkv, .maps = maps};
  args.q = random_bits(nq, width);
  args.k = random_bits(nkv, width);
  args.v = random_bits(nkv, width);
  int64_t* table = guarded_alloc((d + 1) * sizeof(int64_t), sizeof(int64_t));
  const size_t table_bits = 1 + random_below(50);
  for (size_t i = 0; i <= d; i++) table[i] = (int64_t)(random_u64() >> (64 - table_bits));
  args.exp_table = table;
  /* Limits spread over what the sums may be, with ties; now and then a map that takes nothing or everything. */
  int64_t* limit = guarded_alloc(maps * heads * (d + 1) * sizeof(int64_t), sizeof(int64_t));
  for (size_t i = 0; i < maps * heads; i++) {
    const size_t mode = random_below(6);
    for (size_t s = 0; s <= d; s++) {
      const int64_t spread = (int64_t)(random_u64() >> (64 - table_bits)) * (int64_t)nkv;
      limit[i * (d + 1) + s] = mode == 0 ? 0 : mode == 1 ? INT64_MAX : spread;
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
