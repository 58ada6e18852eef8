#include "variants.h"

#include <string.h>

/* A program has the variants of one architecture, and a tuning has some of the operations only. Hidden: a library takes
 * none from another one in its process. */
#define EB_API __attribute__((weak, visibility("hidden")))
#include "edgebin.h"

/* Which operations want a workspace. */
#define WORKSPACE_b1_gemm(path, args) 0
#define WORKSPACE_f32_gemm(path, args) 0
#define WORKSPACE_w1_gemm(path, args) 0
#define WORKSPACE_rows(path, args) 0
#define WORKSPACE_quantize(path, args) 0
#define WORKSPACE_layernorm(path, args) 0
#define WORKSPACE_f32_stencil(path, args) 0
#define WORKSPACE_w1i8_gemm(path, args) eb_w1i8_gemm_workspace__##path(args)
#define WORKSPACE_b1_conv(path, args) eb_b1_conv_workspace__##path(args)
#define WORKSPACE_b1_attention(path, args) eb_b1_attention_workspace__##path(args)
#define WORKSPACE_b1_relative_attention(path, args) eb_b1_relative_attention_workspace__##path(args)
#define WORKSPACE_b1_biased_attention(path, args) eb_b1_biased_attention_workspace__##path(args)

#define EB_PATH(path, architecture, features)
#define EB_TUNING(tuning, path)

#define EB_VARIANT(op, path, nr, word_bits, source)                             \
  static void run_##op##__##path(const void* args) { eb_##op##__##path(args); } \
  static size_t workspace_##op##__##path(const void* args) {                    \
    (void)args;                                                                 \
    return WORKSPACE_##op(path, args);                                          \
  }                                                                             \
  static int linked_##op##__##path(void) { return eb_##op##__##path != NULL; }
#include "../variants.inc"
#undef EB_VARIANT

typedef struct {
  eb_variant variant;
  int (*linked)(void);
} entry;

#define EB_VARIANT(op, path, nr, word_bits, source) \
  {{#op, #path, nr, word_bits, run_##op##__##path, workspace_##op##__##path}, linked_##op##__##path},
static const entry kEntries[] = {
#include "../variants.inc"
};
#define ENTRIES (sizeof(kEntries) / sizeof(kEntries[0]))

const eb_variant* eb_next_variant(const eb_variant* previous) {
  const entry* next = previous ? (const entry*)previous + 1 : kEntries;
  while (next < kEntries + ENTRIES && !next->linked()) next++;
  return next < kEntries + ENTRIES ? &next->variant : NULL;
}

const eb_variant* eb_find_variant(const char* op, const char* path) {
  const eb_variant* variant = eb_next_variant(NULL);
  while (variant && (strcmp(variant->op, op) || strcmp(variant->path, path))) variant = eb_next_variant(variant);
  return variant;
}
