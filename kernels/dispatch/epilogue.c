/* The epilogue of a node: its operands and results by name, checked and turned into an eb_epilogue. */
#include <string.h>

#include "node.h"

/* Vectors have an element for each column; the others are rows. Numbered words stand in order. */
typedef struct {
  const char* word;
  size_t offset; /* in eb_epilogue */
  enum { VECTOR, RESIDUAL, SKIP } kind;
  size_t index;
} stage;

static const stage kStages[] = {
    {"scale", offsetof(eb_epilogue, scale), VECTOR, 0},
    {"bias", offsetof(eb_epilogue, bias), VECTOR, 0},
    {"residual0", offsetof(eb_epilogue, residual[0]), RESIDUAL, 0},
    {"residual1", offsetof(eb_epilogue, residual[1]), RESIDUAL, 1},
    {"residual2", offsetof(eb_epilogue, residual[2]), RESIDUAL, 2},
    {"slope", offsetof(eb_epilogue, slope), VECTOR, 0},
    {"offset", offsetof(eb_epilogue, offset), VECTOR, 0},
    {"gain", offsetof(eb_epilogue, gain), VECTOR, 0},
    {"shift", offsetof(eb_epilogue, shift), VECTOR, 0},
    {"skip", offsetof(eb_epilogue, skip), SKIP, 0},
    {"threshold0", offsetof(eb_epilogue, threshold[0]), VECTOR, 0},
    {"threshold1", offsetof(eb_epilogue, threshold[1]), VECTOR, 1},
    {"threshold2", offsetof(eb_epilogue, threshold[2]), VECTOR, 2},
};
#define STAGES (sizeof(kStages) / sizeof(kStages[0]))

typedef struct {
  const char *word, *needs; /* the stage that makes the result */
  eb_result_kind kind;
  size_t index;
} result_word;

static const result_word kResults[] = {
    {"out", NULL, EB_OUT, 0},
    {"bits0", "threshold0", EB_BITS, 0},
    {"bits1", "threshold1", EB_BITS, 1},
    {"bits2", "threshold2", EB_BITS, 2},
    {"context", NULL, EB_CONTEXT, 0},
    {"y", NULL, EB_IMAGE, 0},
};
#define RESULTS (sizeof(kResults) / sizeof(kResults[0]))

/* The next word of a text; its length is 0 at the end. */
static size_t next_word(const char** at) {
  *at += strspn(*at, " ");
  return strcspn(*at, " ");
}

static int is_word(const char* text, size_t length, const char* word) {
  return strlen(word) == length && !memcmp(text, word, length);
}

static int has_stage(const eb_node* node, const char* word) {
  for (size_t i = 0; i < node->operand_count; i++) {
    if (!strcmp(kStages[node->operands[i]].word, word)) return 1;
  }
  return 0;
}

static int has_result(const eb_node* node, eb_result_kind kind, size_t index) {
  for (size_t i = 0; i < node->result_count; i++) {
    if (node->results[i].kind == kind && node->results[i].index == index) return 1;
  }
  return 0;
}

static int read_operands(eb_node* node, const char* text, char* message) {
  for (size_t length; (length = next_word(&text)); text += length) {
    size_t s = 0;
    while (s < STAGES && !is_word(text, length, kStages[s].word)) s++;
    if (s == STAGES || has_stage(node, kStages[s].word) || node->operand_count == EB_MAX_INPUTS) {
      return eb_refuse(message, "no such operand, or it comes twice: `%.*s`", (int)EB_MIN(length, 40), text);
    }
    node->operands[node->operand_count++] = (unsigned char)s;
  }
  return 0;
}

static int read_results(eb_node* node, const char* text, char* message) {
  for (size_t length; (length = next_word(&text)); text += length) {
    size_t r = 0;
    while (r < RESULTS && !is_word(text, length, kResults[r].word)) r++;
    const int own = r < RESULTS && (kResults[r].kind == EB_OUT || kResults[r].kind == EB_BITS) == !node->op->results;
    const int fixed = r < RESULTS && node->op->results;
    if ((!own && !fixed) || has_result(node, kResults[r].kind, kResults[r].index)) {
      return eb_refuse(message, "no such result, or it comes twice: `%.*s`", (int)EB_MIN(length, 40), text);
    }
    if (kResults[r].needs && !has_stage(node, kResults[r].needs)) {
      return eb_refuse(message, "`%s` needs an operand `%s`", kResults[r].word, kResults[r].needs);
    }
    node->results[node->result_count++] = (eb_node_result){.kind = kResults[r].kind, .index = kResults[r].index};
  }
  return node->result_count ? 0 : eb_refuse(message, "it has no results");
}

/* The kernels stop at the first residual or plane that is not there, and take shift only with gain. */
static int check_stages(const eb_node* node, char* message) {
  if (has_stage(node, "gain") != has_stage(node, "shift")) return eb_refuse(message, "`gain` and `shift` go together");
  for (size_t i = 0; i < node->operand_count; i++) {
    const stage* s = &kStages[node->operands[i]];
    if (s->index && !has_stage(node, kStages[node->operands[i] - 1].word)) {
      return eb_refuse(message, "`%s` without `%s`", s->word, kStages[node->operands[i] - 1].word);
    }
    if (!strncmp(s->word, "threshold", 9) && !has_result(node, EB_BITS, s->index)) {
      return eb_refuse(message, "`%s` without `bits%zu`", s->word, s->index);
    }
  }
  const int64_t pool = node->attributes.pool;
  if (pool != 0 && pool != 1 && pool != 2 && pool != 4 && pool != 8) return eb_refuse(message, "no such pool");
  if (pool > 1 && !has_result(node, EB_OUT, 0)) return eb_refuse(message, "`pool` without `out`");
  return 0;
}

static int read_shapes(eb_node* node, const char* text, char* message) {
  size_t count = 0;
  for (size_t length; (length = next_word(&text)); text += length) {
    if (count == node->result_count || eb_read_shape(text, length, &node->results[count++].shape)) {
      return eb_refuse(message, "`shapes` does not give a shape for each result");
    }
  }
  return count && count != node->result_count ? eb_refuse(message, "`shapes` does not give a shape for each result")
                                              : 0;
}

int eb_read_epilogue(eb_node* node, const eb_attributes* attributes, size_t input_count, char* message) {
  const eb_op* op = node->op;
  const char* operands = op->operands ? op->operands : attributes->operands;
  if (op->optional && input_count == (size_t)op->leading) operands = "";
  const char* results = op->results ? op->results : attributes->results;
  const char* shapes = attributes->shapes;
  return read_operands(node, operands ? operands : "", message) ||
                 read_results(node, results ? results : "", message) || check_stages(node, message) ||
                 read_shapes(node, shapes ? shapes : "", message)
             ? -1
             : 0;
}

static const eb_tensor* operand(const eb_call* call, size_t i) {
  return &call->inputs[call->node->op->leading + (int)i];
}

int eb_check_epilogue(const eb_call* call, char* message) {
  const eb_node* node = call->node;
  const size_t pool = node->attributes.pool > 1 ? (size_t)node->attributes.pool : 1;
  if (call->columns % pool) return eb_refuse(message, "%zu columns do not pool by %zu", call->columns, pool);
  for (size_t i = 0; i < node->operand_count; i++) {
    const stage* s = &kStages[node->operands[i]];
    const eb_tensor* t = operand(call, i);
    size_t rows;
    if (t->type != EB_F32 || !t->rank || eb_count(t, 1, &rows)) {
      return eb_refuse(message, "`%s` is not a float32 tensor", s->word);
    }
    const size_t columns = eb_last(t);
    const int fits = s->kind == VECTOR     ? rows == 1 && columns == call->columns
                     : s->kind == RESIDUAL ? rows == call->rows && columns && call->columns % columns == 0
                                           : rows == call->rows && columns == call->columns;
    if (!fits) {
      return eb_refuse(message, "`%s` of %zu rows of %zu does not fit %zu rows of %zu", s->word, rows, columns,
                       call->rows, call->columns);
    }
  }
  return 0;
}

eb_epilogue eb_epilogue_from(const eb_call* call, size_t begin) {
  const eb_node* node = call->node;
  eb_epilogue e = {.pool = (size_t)node->attributes.pool};
  for (size_t i = 0; i < node->operand_count; i++) {
    const stage* s = &kStages[node->operands[i]];
    const eb_tensor* t = operand(call, i);
    const float* data = t->data;
    if (s->kind != VECTOR) data += begin * eb_last(t);
    if (s->kind == RESIDUAL) e.residual_cols[s->index] = eb_last(t);
    memcpy((char*)&e + s->offset, &data, sizeof(data));
  }
  for (size_t i = 0; i < node->result_count; i++) {
    const eb_node_result* result = &node->results[i];
    void* data = call->outputs[i].data;
    if (result->kind == EB_OUT) e.out = (float*)data + begin * (call->columns / (e.pool > 1 ? e.pool : 1));
    if (result->kind == EB_BITS) e.bits[result->index] = (uint8_t*)data + begin * EB_BIT_ROW_BYTES(call->columns);
  }
  return e;
}
