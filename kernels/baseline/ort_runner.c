/* The baseline: runs an ONNX model on onnxruntime's own shared library, with the protocol of edgebin's runner.
 *
 *   ort_runner LIBRARY MODEL INPUT_NAME INPUT_FILE SHAPE OUTPUT_NAME [--threads N] [--output FILE]
 *              (--serve | --mark RUNS | --per-op RUNS)
 *
 * INPUT_FILE and FILE are raw little-endian float32; SHAPE is like 1,3,224,224. One input, one output.
 * --serve   prints {"load_ns":...,"version":...} when the model is loaded; then each line "run N" on stdin gives one
 *           line
 *           {"samples_ns":[...],"begin_ns":...,"end_ns":...} with the times of N inferences, and CLOCK_MONOTONIC before
 *           the first and after the last, until end of input.
 * --mark    RUNS inferences marked as kernels/runtime/marks.h says.
 * --per-op  prints calls and time of each node in RUNS inferences, as onnxruntime's own profiler has them and the
 *           bundles' runner prints them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../ort/abi.h"
#include "../runtime/engine_ort_profile.h"
#include "../runtime/functions.h"
#include "../runtime/json.h"
#include "../runtime/marks.h"

#define MAX_RANK 8

typedef struct {
  const OrtApi* api;
  OrtSession* session;
  const char *input_name, *output_name;
  OrtValue *input, *output;
} model_t;

static _Noreturn void die(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("ort_runner: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static void check(const OrtApi* api, OrtStatus* status, const char* what) {
  if (status) die("%s: %s", what, api->GetErrorMessage(status));
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static const OrtApi* open_library(const char* path, const char** version) {
  /* onnxruntime uploads usage data unless this is set before it starts. */
  setenv("ORT_DISABLE_TELEMETRY", "1", 1);
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) die("%s", dlerror());
  const OrtApiBase* (*get_base)(void) = (const OrtApiBase* (*)(void))dlsym(library, "OrtGetApiBase");
  if (!get_base) die("%s is not onnxruntime", path);
  const OrtApi* api = get_base()->GetApi(ORT_ABI_VERSION);
  if (!api) die("%s is too old: it lacks API version %d", path, ORT_ABI_VERSION);
  *version = get_base()->GetVersionString();
  return api;
}

static float* read_floats(const char* path, size_t count) {
  float* data = malloc(count * sizeof(float));
  FILE* file = fopen(path, "rb");
  if (!data || !file || fread(data, sizeof(float), count, file) != count || fgetc(file) != EOF)
    die("%s does not hold %zu float32 values", path, count);
  fclose(file);
  return data;
}

static OrtValue* read_input(const OrtApi* api, const char* path, const char* shape_text) {
  int64_t shape[MAX_RANK];
  size_t rank = 0, count = 1;
  for (const char* at = shape_text; *at && rank < MAX_RANK; rank++) {
    char* end;
    shape[rank] = strtoll(at, &end, 10);
    if (end == at || shape[rank] < 1) die("not a shape: %s", shape_text);
    count *= (size_t)shape[rank];
    at = *end == ',' ? end + 1 : end;
  }
  OrtMemoryInfo* memory;
  OrtValue* value = NULL;
  check(api, api->CreateCpuMemoryInfo(ORT_ARENA_ALLOCATOR, ORT_MEMORY_DEFAULT, &memory), "memory");
  check(api,
        api->CreateTensorWithDataAsOrtValue(memory, read_floats(path, count), count * sizeof(float), shape, rank,
                                            ORT_TENSOR_FLOAT, &value),
        "input");
  return value;
}

static int64_t run_once(model_t* m, int mark) {
  if (m->output) m->api->ReleaseValue(m->output);
  m->output = NULL;
  const OrtValue* inputs[] = {m->input};
  int64_t start = now_ns();
  if (mark) eb_mark(EB_MARK_INFERENCE_BEGIN);
  OrtStatus* status = m->api->Run(m->session, NULL, &m->input_name, inputs, 1, &m->output_name, 1, &m->output);
  if (mark) eb_mark(EB_MARK_INFERENCE_END);
  int64_t elapsed = now_ns() - start;
  check(m->api, status, "inference");
  return elapsed;
}

static void serve(model_t* m) {
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    long runs;
    if (sscanf(line, "run %ld", &runs) != 1 || runs < 1) die("not a request: %s", line);
    int64_t* samples = malloc((size_t)runs * sizeof *samples);
    if (!samples) die("out of memory for %ld times", runs);
    const int64_t begin = now_ns();
    for (long i = 0; i < runs; i++) samples[i] = run_once(m, 0);
    const int64_t end = now_ns();
    fputs("{\"samples_ns\":[", stdout);
    for (long i = 0; i < runs; i++) printf("%s%lld", i ? "," : "", (long long)samples[i]);
    printf("],\"begin_ns\":%lld,\"end_ns\":%lld}\n", (long long)begin, (long long)end);
    fflush(stdout);
    free(samples);
  }
}

/* The profiler writes into a folder of its own, whose name goes into `folder`. */
static void begin_profile(const OrtApi* api, OrtSessionOptions* options, char* folder, size_t size) {
  const char* parent = getenv("TMPDIR");
  char prefix[1024];
  snprintf(folder, size, "%s/edgebin-XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(folder)) die("cannot make a folder like %s for the profile", folder);
  snprintf(prefix, sizeof prefix, "%s/nodes", folder);
  check(api, api->EnableProfiling(options, prefix), "profiling");
}

static void report_nodes(model_t* m, long runs, const char* folder) {
  static eb_functions functions;
  OrtAllocator* allocator;
  char* file;
  for (long i = 0; i < 1 + runs; i++) run_once(m, 0);
  check(m->api, m->api->GetAllocatorWithDefaultOptions(&allocator), "allocator");
  check(m->api, m->api->SessionEndProfiling(m->session, allocator, &file), "profiling");
  eb_ort_profile_read(file, 1, &functions);
  remove(file);
  rmdir(folder);
  eb_json_begin();
  eb_functions_report(&functions, runs);
  eb_json_end();
}

static void write_output(model_t* m, const char* path) {
  OrtShapeInfo* shape;
  size_t count;
  void* data;
  check(m->api, m->api->GetTensorTypeAndShape(m->output, &shape), "output shape");
  check(m->api, m->api->GetTensorShapeElementCount(shape, &count), "output size");
  check(m->api, m->api->GetTensorMutableData(m->output, &data), "output");
  m->api->ReleaseTensorTypeAndShapeInfo(shape);
  FILE* file = fopen(path, "wb");
  if (!file || fwrite(data, sizeof(float), count, file) != count || fclose(file)) die("cannot write %s", path);
}

int main(int argc, char** argv) {
  if (argc < 8)
    die("needs LIBRARY MODEL INPUT_NAME INPUT_FILE SHAPE OUTPUT_NAME and --serve, --mark RUNS or --per-op RUNS");
  int threads = 1, serving = 0;
  long marked_runs = 0, profiled_runs = 0;
  const char* output_path = NULL;
  for (int i = 7; i < argc; i++) {
    if (!strcmp(argv[i], "--serve"))
      serving = 1;
    else if (!strcmp(argv[i], "--threads") && i + 1 < argc)
      threads = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--mark") && i + 1 < argc)
      marked_runs = atol(argv[++i]);
    else if (!strcmp(argv[i], "--per-op") && i + 1 < argc)
      profiled_runs = atol(argv[++i]);
    else if (!strcmp(argv[i], "--output") && i + 1 < argc)
      output_path = argv[++i];
    else
      die("unknown argument: %s", argv[i]);
  }
  const char* version;
  const OrtApi* api = open_library(argv[1], &version);
  model_t m = {.api = api, .input_name = argv[3], .output_name = argv[6]};
  int64_t start = now_ns();
  OrtEnv* env;
  OrtSessionOptions* options;
  check(api, api->CreateEnv(ORT_LOGGING_WARNING, "edgebin-baseline", &env), "environment");
  check(api, api->CreateSessionOptions(&options), "options");
  check(api, api->SetIntraOpNumThreads(options, threads), "threads");
  char profile_folder[512];
  if (profiled_runs) begin_profile(api, options, profile_folder, sizeof profile_folder);
  check(api, api->CreateSession(env, argv[2], options, &m.session), "model");
  int64_t load_ns = now_ns() - start;
  m.input = read_input(api, argv[4], argv[5]);

  if (serving) {
    printf("{\"load_ns\":%lld,\"version\":\"%s\"}\n", (long long)load_ns, version);
    fflush(stdout);
    serve(&m);
  }
  for (long i = 0; i < marked_runs; i++) run_once(&m, 1);
  if (profiled_runs) report_nodes(&m, profiled_runs, profile_folder);
  if (output_path && m.output) write_output(&m, output_path);
  return 0;
}
