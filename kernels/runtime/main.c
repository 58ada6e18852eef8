/* The runner of an edgebin bundle: loads its graph, runs inputs, checks golden outputs, measures, prints JSON. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "inference.h"
#include "instrument.h"
#include "json.h"
#include "layers.h"
#include "machine.h"
#include "npy.h"
#include "options.h"

/* A file beside this program. */
static char* beside_program(const char* name) {
  char program[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length < 0) eb_fail(EB_EXIT_UNFORESEEN, "cannot find out where this program lies");
  program[length] = '\0';
  char* slash = strrchr(program, '/');
  char* path = eb_allocate((size_t)(slash - program) + 1 + strlen(name) + 1);
  memcpy(path, program, (size_t)(slash - program) + 1);
  strcat(path, name);
  return path;
}

typedef struct {
  int64_t* values;
  int64_t count, room;
} samples;

static void add_sample(samples* samples, int64_t value) {
  if (samples->count == samples->room) {
    samples->room = samples->room ? samples->room * 2 : 1024;
    samples->values = realloc(samples->values, (size_t)samples->room * sizeof *samples->values);
    if (!samples->values) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
  }
  samples->values[samples->count++] = value;
}

static void report_memory(void) {
  eb_json_integer("peak_rss_bytes", eb_peak_rss_bytes());
  eb_json_integer("process_threads", eb_process_threads());
}

/* Returns the number of batches run. */
static int64_t run_input(eb_engine* engine, const eb_options* options, const eb_arrays* inputs, int64_t rows) {
  const eb_arrays outputs = eb_run_all(engine, inputs, rows, options->mark);
  if (options->output) eb_arrays_write(options->output, &outputs);
  eb_json_integer("rows", rows);
  return (rows + engine->spec->batch - 1) / engine->spec->batch;
}

static int check_golden(eb_engine* engine, const eb_options* options, const eb_arrays* inputs, int64_t rows) {
  const eb_arrays expected = eb_arrays_read(options->golden_outputs, engine->spec->outputs.items[0].name);
  if (eb_spec_check(&engine->spec->outputs, &expected, options->golden_outputs) != rows) {
    eb_fail(EB_EXIT_INPUT, "golden inputs and outputs differ in their number of rows");
  }
  const eb_arrays actual = eb_run_all(engine, inputs, rows, options->mark);
  const double atol = options->atol < 0 ? engine->spec->atol : options->atol;
  const double rtol = options->rtol < 0 ? engine->spec->rtol : options->rtol;
  int passed = 1;
  eb_json_open_object("golden");
  eb_json_number("atol", atol);
  eb_json_number("rtol", rtol);
  eb_json_integer("rows", rows);
  eb_json_open_list("outputs");
  for (int i = 0; i < actual.count; i++) {
    const char* name = actual.items[i].name;
    const eb_comparison result = eb_compare(&actual.items[i], eb_arrays_find(&expected, name), atol, rtol);
    passed &= result.passed;
    eb_json_open_object(NULL);
    eb_json_string("name", name);
    eb_json_boolean("passed", result.passed);
    eb_json_number("max_abs_diff", result.max_abs_diff);
    eb_json_integer("vectors", result.rows);
    eb_json_integer("same_argmax", result.same_argmax);
    eb_json_close_object();
    if (!result.passed) {
      fprintf(stderr, "error: output `%s` differs from the golden one by up to %g\n", name, result.max_abs_diff);
    }
  }
  eb_json_close_list();
  eb_json_boolean("passed", passed);
  eb_json_close_object();
  return passed;
}

/* Returns the number of runs. */
static int64_t bench(eb_engine* engine, const eb_options* options) {
  eb_json_integer("first_ns", eb_run_batch_ns(engine, NULL, options->mark));
  int64_t warmup_runs = 0;
  const int64_t warmup_end = eb_now_ns() + (int64_t)(options->warmup_seconds * 1e9);
  for (; eb_now_ns() < warmup_end; warmup_runs++) eb_run_batch_ns(engine, NULL, options->mark);
  samples timed = {0};
  const int64_t end = eb_now_ns() + (int64_t)(options->min_seconds * 1e9);
  while (timed.count < options->min_runs || eb_now_ns() < end) {
    add_sample(&timed, eb_run_batch_ns(engine, NULL, options->mark));
  }
  eb_json_integer("warmup_runs", warmup_runs);
  eb_json_integers("samples_ns", timed.values, timed.count);
  free(timed.values);
  return 1 + warmup_runs + timed.count;
}

static void serve(eb_engine* engine, int marks) {
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    int64_t runs;
    if (sscanf(line, "run %" SCNd64, &runs) != 1 || runs < 1) eb_fail(EB_EXIT_INPUT, "unknown request `%s`", line);
    samples timed = {0};
    const int64_t begin_ns = eb_now_ns();
    while (timed.count < runs) add_sample(&timed, eb_run_batch_ns(engine, NULL, marks));
    const int64_t end_ns = eb_now_ns();
    eb_json_begin();
    eb_json_integers("samples_ns", timed.values, timed.count);
    eb_json_integer("begin_ns", begin_ns);
    eb_json_integer("end_ns", end_ns);
    report_memory();
    eb_json_end();
    free(timed.values);
  }
}

static void report_machine(const eb_options* options, const eb_spec* spec, int64_t load_ns) {
  eb_json_integer("version", 1);
  eb_json_integer("batch", spec->batch);
  eb_json_integer("threads", options->threads);
  int64_t cores[EB_MAX_CORES];
  for (int i = 0; i < options->core_count; i++) cores[i] = options->cores[i];
  eb_json_integers("pinned_cores", cores, options->core_count);
  eb_json_integer("load_ns", load_ns);
}

int main(int argc, char** argv) {
  const eb_options options = eb_options_parse(argc, argv);
  const eb_spec spec = eb_spec_read(options.io ? options.io : beside_program("io.txt"));
  const char* path = options.input ? options.input : options.golden_inputs;
  const eb_arrays inputs = eb_arrays_read(path, spec.inputs.items[0].name);
  const int64_t rows = eb_spec_check(&spec.inputs, &inputs, path);

  if (options.core_count) eb_pin(options.cores, options.core_count);
  const int64_t begin_ns = eb_now_ns();
  static eb_engine engine;
  const eb_engine_options loading = {
      .model = options.model ? options.model : beside_program(eb_engine_model),
      .beside_program = beside_program,
      .threads = options.threads,
  };
  eb_engine_load(&engine, &spec, &loading);
  const int64_t load_ns = eb_now_ns() - begin_ns;

  static eb_functions functions;
  static eb_instrument instrument = {.functions = &functions};
  if (options.mark == EB_MARKS_FUNCTIONS) eb_instrument_mark(&instrument, &engine);
  int passed = 1;
  int64_t runs = 0;
  eb_json_begin();
  report_machine(&options, &spec, load_ns);
  eb_load_batch(&engine, &inputs, 0);
  if (options.bench) runs += bench(&engine, &options); /* before all else: it reports the first inference */
  const int timing_only = options.bench || options.serve;
  if (options.output || (options.input && !timing_only)) runs += run_input(&engine, &options, &inputs, rows);
  if (options.golden_inputs) {
    const eb_arrays golden = eb_arrays_read(options.golden_inputs, spec.inputs.items[0].name);
    const int64_t golden_rows = eb_spec_check(&spec.inputs, &golden, options.golden_inputs);
    passed = check_golden(&engine, &options, &golden, golden_rows);
    runs += (golden_rows + spec.batch - 1) / spec.batch;
  }
  eb_load_batch(&engine, &inputs, 0);
  if (options.per_op && !options.mark) {
    runs = options.min_runs;
    eb_engine_time(&engine, runs, &functions);
  }
  if (options.per_op || options.mark) eb_functions_report(&functions, runs);
  if (options.layers) eb_report_layers(&engine);
  report_memory();
  eb_json_end();
  if (options.serve) serve(&engine, options.mark);
  return passed ? EB_EXIT_OK : EB_EXIT_VERIFICATION;
}
