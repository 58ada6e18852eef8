/* Compares every kernel of one path, EB_TEST_PATH, with `scalar`, bit for bit, over awkward shapes and between guard
 * pages.
 *
 * Prints one line per operation and the seed of each case that fails; exits with the number of operations that failed.
 * A pointer past a buffer ends it by SIGSEGV, an instruction that this processor lacks by SIGILL.
 */
#include "attention_cases.h"
#include "bit_cases.h"
#include "gemm_cases.h"
#include "image_cases.h"
#include "network_cases.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)

static const struct {
  const char* op;
  int (*run)(const variant*);
} kTests[] = {
    {"b1_gemm", test_b1_gemm},
    {"b1_gemm", test_b1_gemm_extremes},
    {"b1_gemm", test_b1_gemm_limits},
    {"b1_gemm", test_b1_gemm_networks},
    {"f32_gemm", test_f32_gemm},
    {"w1_gemm", test_w1_gemm},
    {"w1i8_gemm", test_w1i8_gemm},
    {"w1i8_gemm", test_w1i8_gemm_extremes},
    {"rows", test_rows},
    {"quantize", test_quantize},
    {"layernorm", test_layernorm},
    {"b1_conv", test_b1_conv},
    {"b1_attention", test_b1_attention},
    {"b1_relative_attention", test_b1_relative_attention},
    {"b1_biased_attention", test_b1_biased_attention},
    {"f32_stencil", test_f32_stencil},
};

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
