#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

static const char kHelp[] =
    "usage: runner [--input FILE [--output FILE]] [--golden INPUTS OUTPUTS] [--bench | --serve] [options]\n"
    "Runs the graph of an edgebin bundle. Prints one line of JSON on stdout; messages go to stderr.\n"
    "\n"
    "  --input FILE             .npz with arrays named as the model's inputs, or .npy where there is one input\n"
    "  --output FILE            writes the outputs there\n"
    "  --golden INPUTS OUTPUTS  runs INPUTS and compares with OUTPUTS; exit code 3 when they differ\n"
    "  --atol A  --rtol R       |difference| <= A + R * |golden|; default: what io.txt says\n"
    "  --bench                  times single batches: first inference, warm-up, then at least\n"
    "                           --min-runs (50) and at least --min-seconds (3); warm-up --warmup-seconds (0.5)\n"
    "  --serve                  reads lines `run N` on stdin, answers each with N times in one line of JSON\n"
    "  --per-op                 adds calls and time of each function, measured apart from --bench's times\n"
    "  --layers                 adds samples of each function's result (layers.h), from one run apart\n"
    "  --mark                   marks functions and inferences for an emulator (marks.h)\n"
    "  --mark-inferences        marks inferences alone, which nothing then disturbs\n"
    "  --threads N              threads to compute with (1)\n"
    "  --pin 0,1                keeps the process on these cores\n"
    "  --model FILE             the graph; default: the bundle's, beside this program\n"
    "  --io FILE                default: io.txt beside this program\n"
    "\n"
    "exit codes: 0 ok, 1 unforeseen, 2 unusable input, 3 outputs differ\n";

enum { INPUT = 1, OUTPUT, GOLDEN, ATOL, RTOL, WARMUP, RUNS, SECONDS, THREADS, PIN, MODEL, IO, HELP };

static double number(const char* text, const char* option, double least) {
  char* end;
  const double value = strtod(text, &end);
  if (end == text || *end || !(value >= least)) eb_fail(EB_EXIT_INPUT, "%s cannot be `%s`", option, text);
  return value;
}

static int integer(const char* text, const char* option, int least, int most) {
  char* end;
  const long value = strtol(text, &end, 10);
  if (end == text || *end || value < least || value > most) eb_fail(EB_EXIT_INPUT, "%s cannot be `%s`", option, text);
  return (int)value;
}

static void parse_cores(eb_options* options, char* list) {
  char* rest = NULL;
  for (char* core = strtok_r(list, ",", &rest); core; core = strtok_r(NULL, ",", &rest)) {
    if (options->core_count == EB_MAX_CORES) eb_fail(EB_EXIT_INPUT, "--pin takes at most %d cores", EB_MAX_CORES);
    options->cores[options->core_count++] = integer(core, "--pin", 0, 1023);
  }
  if (!options->core_count) eb_fail(EB_EXIT_INPUT, "--pin needs cores, such as 0,1");
}

eb_options eb_options_parse(int argc, char** argv) {
  eb_options options = {
      .atol = -1, .rtol = -1, .min_runs = 50, .warmup_seconds = 0.5, .min_seconds = 3.0, .threads = 1};
  const struct option known[] = {
      {"input", required_argument, NULL, INPUT},
      {"output", required_argument, NULL, OUTPUT},
      {"golden", required_argument, NULL, GOLDEN},
      {"atol", required_argument, NULL, ATOL},
      {"rtol", required_argument, NULL, RTOL},
      {"bench", no_argument, &options.bench, 1},
      {"serve", no_argument, &options.serve, 1},
      {"per-op", no_argument, &options.per_op, 1},
      {"layers", no_argument, &options.layers, 1},
      {"mark", no_argument, &options.mark, EB_MARKS_FUNCTIONS},
      {"mark-inferences", no_argument, &options.mark, EB_MARKS_INFERENCES},
      {"warmup-seconds", required_argument, NULL, WARMUP},
      {"min-runs", required_argument, NULL, RUNS},
      {"min-seconds", required_argument, NULL, SECONDS},
      {"threads", required_argument, NULL, THREADS},
      {"pin", required_argument, NULL, PIN},
      {"model", required_argument, NULL, MODEL},
      {"io", required_argument, NULL, IO},
      {"help", no_argument, NULL, HELP},
      {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (option) {
      case 0:
        break;
      case INPUT:
        options.input = optarg;
        break;
      case OUTPUT:
        options.output = optarg;
        break;
      case GOLDEN:
        options.golden_inputs = optarg;
        if (optind >= argc) eb_fail(EB_EXIT_INPUT, "--golden takes two files");
        options.golden_outputs = argv[optind++];
        break;
      case ATOL:
        options.atol = number(optarg, "--atol", 0);
        break;
      case RTOL:
        options.rtol = number(optarg, "--rtol", 0);
        break;
      case WARMUP:
        options.warmup_seconds = number(optarg, "--warmup-seconds", 0);
        break;
      case RUNS:
        options.min_runs = integer(optarg, "--min-runs", 1, 1000000000);
        break;
      case SECONDS:
        options.min_seconds = number(optarg, "--min-seconds", 0);
        break;
      case THREADS:
        options.threads = integer(optarg, "--threads", 1, 1024);
        break;
      case PIN:
        parse_cores(&options, optarg);
        break;
      case MODEL:
        options.model = optarg;
        break;
      case IO:
        options.io = optarg;
        break;
      case HELP:
        fputs(kHelp, stdout);
        exit(EB_EXIT_OK);
      default:
        fputs("try --help\n", stderr);
        exit(EB_EXIT_INPUT);
    }
  }
  if (optind < argc) eb_fail(EB_EXIT_INPUT, "unexpected argument `%s`", argv[optind]);
  if (!options.input && !options.golden_inputs) eb_fail(EB_EXIT_INPUT, "give --input or --golden");
  if (options.output && !options.input) eb_fail(EB_EXIT_INPUT, "--output needs --input");
  if (options.bench && options.serve) eb_fail(EB_EXIT_INPUT, "--bench and --serve exclude each other");
  return options;
}
