#include "kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/fail.h"
#include "../runtime/json.h"
#include "../runtime/machine.h"
#include "../runtime/marks.h"
#include "call.h"
#include "values.h"

#define MOST_TIMED 1000

typedef struct {
  const eb_operation* operation;
  const eb_variant* variant;
  const char* out;
  int64_t repeats, limit_ns;
  size_t dims[EB_MAX_DIMS];
  int dim_count;
} request;

static int64_t parse_number(const char* text) {
  char* end;
  const long long value = strtoll(text, &end, 10);
  if (*end || end == text || value < 0 || value > INT32_MAX) eb_fail(EB_EXIT_INPUT, "no size or count: `%s`", text);
  return value;
}

/* REPEATS, or a time such as 20ms. */
static void parse_repeats(request* r, const char* text) {
  char* end;
  const long long ms = strtoll(text, &end, 10);
  if (end != text && !strcmp(end, "ms") && ms > 0 && ms < 60000) {
    r->repeats = MOST_TIMED;
    r->limit_ns = ms * 1000000;
  } else {
    r->repeats = parse_number(text);
    r->limit_ns = INT64_MAX;
  }
}

static request parse_request(int argc, char** argv) {
  if (argc < 4) eb_fail(EB_EXIT_INPUT, "usage: probe kernel OP VARIANT OUT REPEATS DIM...");
  request r = {.operation = eb_find_operation(argv[0]), .out = argv[2]};
  parse_repeats(&r, argv[3]);
  r.variant = eb_find_variant(r.operation->kernel, argv[1]);
  if (!r.variant) eb_fail(EB_EXIT_INPUT, "this program has no `%s` of `%s`", r.operation->kernel, argv[1]);
  while (r.dim_count < EB_MAX_DIMS && r.operation->dims[r.dim_count]) r.dim_count++;
  if (argc - 4 != r.dim_count) eb_fail(EB_EXIT_INPUT, "`%s` has %d sizes, not %d", argv[0], r.dim_count, argc - 4);
  for (int i = 0; i < r.dim_count; i++) {
    r.dims[i] = (size_t)parse_number(argv[4 + i]);
    if (!r.dims[i]) eb_fail(EB_EXIT_INPUT, "a size of 0: `%s`", r.operation->dims[i]);
  }
  return r;
}

static eb_call prepare(const request* r, const eb_variant* variant) {
  eb_call call = {0};
  eb_values_restart();
  r->operation->prepare(&call, variant, r->dims, r->out);
  return call;
}

static int is_exact(const request* r, const eb_call* call) {
  const eb_variant* scalar = eb_find_variant(r->operation->kernel, "scalar");
  const eb_call reference = prepare(r, scalar);
  scalar->run(&reference.args);
  for (size_t i = 0; i < call->result_count; i++) {
    if (memcmp(call->results[i].data, reference.results[i].data, call->results[i].bytes)) return 0;
  }
  return 1;
}

static void run_marked(const request* r, const eb_call* call) {
  eb_mark(EB_MARK_INFERENCE_BEGIN);
  eb_mark(1);
  r->variant->run(&call->args);
  eb_mark(EB_MARK_NONE);
  eb_mark(EB_MARK_INFERENCE_END);
}

/* Returns how many calls there were: at least one, as many as fit into the time. */
static int64_t run_timed(const request* r, const eb_call* call, int64_t* ns) {
  int64_t spent = 0, done = 0;
  while (done < r->repeats && (!done || spent < r->limit_ns)) {
    const int64_t begin = eb_now_ns();
    r->variant->run(&call->args);
    ns[done] = eb_now_ns() - begin;
    spent += ns[done++];
  }
  return done;
}

int eb_probe_kernel(int argc, char** argv, int paced) {
  const request r = parse_request(argc, argv);
  const eb_call call = prepare(&r, r.variant);
  int64_t* ns = eb_allocate((size_t)r.repeats * sizeof *ns);
  r.variant->run(&call.args);
  const int exact = is_exact(&r, &call);
  run_marked(&r, &call);
  int64_t dims[EB_MAX_DIMS];
  for (int i = 0; i < r.dim_count; i++) dims[i] = (int64_t)r.dims[i];
  char line[16];
  do {
    const int64_t timed = run_timed(&r, &call, ns);
    eb_json_begin();
    eb_json_string("op", r.operation->op);
    eb_json_string("variant", r.variant->path);
    eb_json_string("out", r.out);
    eb_json_integers("dims", dims, r.dim_count);
    eb_json_integer("bmac", (int64_t)call.macs);
    eb_json_boolean("exact", exact);
    eb_json_integer("repeats", timed);
    eb_json_integers("ns", ns, timed);
    eb_json_end();
  } while (paced && fgets(line, sizeof line, stdin));
  return exact ? EB_EXIT_OK : EB_EXIT_VERIFICATION;
}
