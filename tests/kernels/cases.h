/* What the tests of all operations share: the kernel under test, awkward sizes, the end of a case. */
#ifndef EDGEBIN_TESTS_CASES_H
#define EDGEBIN_TESTS_CASES_H

/* A tuning has some of the operations only. */
#define EB_API __attribute__((weak))

#include "../../kernels/internal/compiler.h"
#include "epilogues.h"

typedef struct {
  const char *op, *path;
  size_t nr, word_bits;
} variant;

#define EB_PATH(path, arch, features)
#define EB_TUNING(tuning, path)
#define EB_VARIANT(op, path, nr, word_bits, source) {#op, #path, nr, word_bits},
static const variant kVariants[] = {
#include "../../kernels/variants.inc"
};
#undef EB_PATH
#undef EB_TUNING
#undef EB_VARIANT

static const variant* find_variant(const char* op, const char* path) {
  const variant* v = kVariants;
  while (strcmp(v->op, op) || strcmp(v->path, path)) v++;
  return v;
}

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

#endif
