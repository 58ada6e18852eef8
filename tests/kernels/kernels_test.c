/* Compares every kernel of one path, EB_TEST_PATH, with `scalar`, bit for bit, over awkward shapes and between guard
 * pages.
 *
 * Prints one line per operation and the seed of each case that fails; exits with the number of operations that failed.
 * A pointer past a buffer ends it by SIGSEGV, an instruction that this processor lacks by SIGILL.
 */
#include "../../kernels/internal/compiler.h"
#include "epilogues.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)

typedef struct {
  const char *op, *path;
  size_t nr, word_bits;
} variant;
#define EB_PATH(path, arch, features)
#define EB_VARIANT(op, path, nr, word_bits, source) {#op, #path, nr, word_bits},
static const variant kVariants[] = {
#include "../../kernels/variants.inc"
};
#undef EB_PATH
#undef EB_VARIANT

#define EB_PATH EB_TEST_PATH
#define TESTED(op) EB_SYMBOL(eb_##op)

static int finish_case(const char* what, uint64_t seed, int differs) {
  const int damaged = guarded_free_all();
  if (differs) printf("  %s, seed %llu: differs from scalar\n", what, (unsigned long long)seed);
  if (damaged) printf("  %s, seed %llu: wrote outside %d buffers\n", what, (unsigned long long)seed, damaged);
  return differs || damaged;
}

/* Primes, tile sizes of all paths +-1, one row, one column, whole and partial words. */
static const size_t kRows[] = {1, 2, 3, 4, 5, 7, 11, 12, 13, 17};
static const size_t kCols[] = {1,  2,  8,  15, 16, 17,  24,  31,  32,  33,  40, 48,
                               63, 64, 65, 72, 96, 127, 128, 129, 136, 192, 257};
static const size_t kDepths[] = {1, 3, 15, 16, 17, 31, 33, 63, 64, 65, 70, 127, 128, 130, 191, 192, 193, 384, 500, 512};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(array) (array)[random_below(COUNT(array))]

static int test_b1_gemm_case(const variant* v, uint64_t seed, size_t m, size_t n, size_t k, int style) {
  random_state = seed;
  const value_kind kind = (value_kind)random_below(2);
  const epilogue_pair pair = random_epilogue(m, n, kind, style);
  const uint8_t* a = random_bits(m, k);
  const uint8_t* w = random_bits(n, k);
  const eb_b1_gemm_args reference = {m, n, k, a, w, pair.reference};
  const eb_b1_gemm_args tested = {m, n, k, a, pack_panels(w, n, EB_BIT_ROW_BYTES(k), v->nr, v->word_bits), pair.tested};
  eb_b1_gemm__scalar(&reference);
  TESTED(b1_gemm)(&tested);
  char what[96];
  snprintf(what, sizeof(what), "m %zu n %zu k %zu style %d", m, n, k, style);
  return finish_case(what, seed, epilogues_differ(&pair));
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
    const eb_b1_gemm_args reference = {m, n, k, a, w, pair.reference};
    const eb_b1_gemm_args tested = {m, n, k, a, pack_panels(w, n, row_bytes, v->nr, v->word_bits), pair.tested};
    eb_b1_gemm__scalar(&reference);
    TESTED(b1_gemm)(&tested);
    const int wrong = pair.reference.out[0] != -(float)k;
    failures += finish_case("all bits differ", i, wrong || epilogues_differ(&pair));
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
  for (int side = 0; side < 2; side++) {
    const size_t workspace = side ? TESTED(b1_attention_workspace)(&args) : eb_b1_attention_workspace__scalar(&args);
    contexts[side] = args.context = guarded_alloc(context_bytes, sizeof(int32_t));
    args.workspace = guarded_alloc(workspace, 64);
    for (size_t head = 0; head < heads; head = args.head_end) {
      args.head_begin = head;
      args.head_end = head + 1 + random_below(heads - head);
      side ? TESTED(b1_attention)(&args) : eb_b1_attention__scalar(&args);
    }
  }
  char what[96];
  snprintf(what, sizeof(what), "heads %zu head_dim %zu nq %zu nkv %zu maps %zu", heads, d, nq, nkv, maps);
  return finish_case(what, seed, memcmp(contexts[0], contexts[1], context_bytes) != 0);
}

static int test_b1_attention(const variant* v) {
  (void)v;
  static const size_t kHeadDims[] = {8, 16, 24, 32, 40, 64, 72, 96, 120, 128, 136, 192, 248};
  static const size_t kTokens[] = {1, 2, 3, 7, 16, 17, 31, 49, 50, 53, 63, 64, 65, 128, 129, 196, 197};
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

static int test_f32_stencil(const variant* v) {
  (void)v;
  static const size_t kSides[] = {1, 2, 3, 4, 5, 7};
  int failures = 0;
  for (uint64_t seed = 0; seed < 150; seed++) {
    random_state = seed;
    const size_t h = PICK(kSides), w = PICK(kSides), c = PICK(kCols);
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

static const struct {
  const char* op;
  int (*run)(const variant*);
} kTests[] = {{"b1_gemm", test_b1_gemm}, {"b1_gemm", test_b1_gemm_extremes},  {"f32_gemm", test_f32_gemm},
              {"rows", test_rows},       {"b1_attention", test_b1_attention}, {"f32_stencil", test_f32_stencil}};

int main(void) {
  int failed = 0;
  for (size_t i = 0; i < COUNT(kVariants); i++) {
    if (strcmp(kVariants[i].path, STRING(EB_TEST_PATH))) continue;
    int tests = 0, failures = 0;
    for (size_t t = 0; t < COUNT(kTests); t++) {
      if (strcmp(kTests[t].op, kVariants[i].op)) continue;
      for (guarded_side = FLUSH_UPPER; guarded_side < SIDES; guarded_side++) failures += kTests[t].run(&kVariants[i]);
      tests++;
    }
    printf("%s %s: %s\n", kVariants[i].path, kVariants[i].op, !tests ? "no test" : failures ? "failed" : "ok");
    fflush(stdout);
    failed += !tests || failures;
  }
  return failed;
}
