/* The command line. */
#ifndef EDGEBIN_RUNTIME_OPTIONS_H
#define EDGEBIN_RUNTIME_OPTIONS_H

#include <stdint.h>

#define EB_MAX_CORES 256

/* What --mark and --mark-inferences ask for. */
enum { EB_MARKS_NOTHING, EB_MARKS_FUNCTIONS, EB_MARKS_INFERENCES };

typedef struct {
  const char *model, *io;
  const char *input, *output;
  const char *golden_inputs, *golden_outputs;
  double atol, rtol;                      /* negative: as io.txt says */
  int bench, serve, per_op, layers, mark; /* mark: EB_MARKS_... */
  int64_t min_runs;
  double warmup_seconds, min_seconds;
  int threads;
  int cores[EB_MAX_CORES];
  int core_count;
} eb_options;

/* Ends the program on an unusable command line, and after --help. */
eb_options eb_options_parse(int argc, char** argv);

#endif
