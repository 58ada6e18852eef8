#include "epilogues.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/fail.h"
#include "values.h"

#define EB_EPILOGUE(name, spelt) {name, spelt},
static const struct {
  const char *name, *spelt;
} kNames[] = {
#include "epilogues.inc"
};

/* The next word of a list that ends at a colon or at the end, or "". */
static const char* next_word(const char** text, char* word, size_t room) {
  size_t length = strcspn(*text, ",:");
  if (length >= room) eb_fail(EB_EXIT_INPUT, "no epilogue: `%s`", *text);
  memcpy(word, *text, length);
  word[length] = '\0';
  *text += length + ((*text)[length] == ',');
  return word;
}

static void add_operand(eb_epilogue* e, const char* word, size_t m, size_t n) {
  const struct {
    const char* name;
    const float** field;
    size_t count;
  } kFields[] = {
      {"scale", &e->scale, n},
      {"bias", &e->bias, n},
      {"slope", &e->slope, n},
      {"offset", &e->offset, n},
      {"gain", &e->gain, n},
      {"shift", &e->shift, n},
      {"skip", &e->skip, m * n},
      {"threshold0", e->threshold, n},
      {"threshold1", e->threshold + 1, n},
      {"threshold2", e->threshold + 2, n},
  };
  size_t index, divisor = 1;
  if (sscanf(word, "residual%zu/%zu", &index, &divisor) >= 1 && index < EB_MAX_RESIDUALS && divisor) {
    e->residual_cols[index] = n / divisor;
    e->residual[index] = eb_random_floats(m * e->residual_cols[index]);
    return;
  }
  for (size_t i = 0; i < sizeof(kFields) / sizeof(kFields[0]); i++) {
    if (strcmp(kFields[i].name, word)) continue;
    *kFields[i].field = eb_random_floats(kFields[i].count);
    return;
  }
  eb_fail(EB_EXIT_INPUT, "no operand of an epilogue: `%s`", word);
}

eb_epilogue eb_make_epilogue(eb_call* call, const char* out, size_t m, size_t n) {
  for (size_t i = 0; i < sizeof(kNames) / sizeof(kNames[0]); i++) {
    if (!strcmp(kNames[i].name, out)) out = kNames[i].spelt;
  }
  eb_epilogue e = {0};
  char word[32];
  while (*next_word(&out, word, sizeof word)) add_operand(&e, word, m, n);
  const char* stored = *out ? out + 1 : "";
  const char* pool = strchr(stored, ':');
  e.pool = pool ? strtoul(pool + 1, NULL, 10) : 1;
  if (e.pool < 1 || n % e.pool) eb_fail(EB_EXIT_INPUT, "%zu columns cannot be pooled like this: `%s`", n, out);
  while (*next_word(&stored, word, sizeof word)) {
    size_t plane;
    if (!strcmp(word, "out")) {
      e.out = eb_add_result(call, m * (n / e.pool) * sizeof(float));
    } else if (sscanf(word, "bits%zu", &plane) == 1 && plane < EB_MAX_BIT_PLANES && e.threshold[plane]) {
      e.bits[plane] = eb_add_result(call, m * EB_BIT_ROW_BYTES(n));
    } else {
      eb_fail(EB_EXIT_INPUT, "no result of this epilogue: `%s`", word);
    }
  }
  if (!call->result_count) eb_fail(EB_EXIT_INPUT, "an epilogue that stores nothing: `%s`", out);
  return e;
}
