/* One binary product, by `scalar` and by the kernel under test. */
#ifndef EDGEBIN_TESTS_B1_GEMM_CASE_H
#define EDGEBIN_TESTS_B1_GEMM_CASE_H

#include "cases.h"

typedef struct {
  size_t m, n, k;
  const uint8_t *a, *a2, *w; /* rows of bits; a2 NULL: one plane */
} b1_product;

static b1_product random_product(size_t m, size_t n, size_t k, int ternary) {
  const uint8_t* a = random_bits(m, k);
  const uint8_t* a2 = ternary ? random_bits(m, k) : NULL;
  return (b1_product){m, n, k, a, a2, random_bits(n, k)};
}

static int b1_gemm_differs(const variant* v, const b1_product* p, const epilogue_pair* pair) {
  const void* panels = pack_panels(p->w, p->n, EB_BIT_ROW_BYTES(p->k), v->nr, v->word_bits);
  const eb_b1_gemm_args reference = {p->m, p->n, p->k, p->a, p->a2, p->w, pair->reference};
  const eb_b1_gemm_args tested = {p->m, p->n, p->k, p->a, p->a2, panels, pair->tested};
  eb_b1_gemm__scalar(&reference);
  TESTED(b1_gemm)(&tested);
  return epilogues_differ(pair);
}

#endif
