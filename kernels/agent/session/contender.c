#include "contender.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/fail.h"
#include "../../runtime/machine.h"
#include "answer.h"

enum { TAIL_LINES = 20, SHOWN_BYTES = 80 };

/* Loading a model and its first inference have no precedent to judge them by, and a small board reads it from a card.
 */
static const double kUnknownTimeouts = 10;
static const int64_t kExpectedTimes = 20;
static const int64_t kEndPatienceNs = 10000000000;

static const char* tail(const char* text) {
  const char* at = text + strlen(text);
  while (at > text && at[-1] == '\n') at--;
  for (int lines = 0; at > text; at--) {
    if (at[-1] == '\n' && ++lines == TAIL_LINES) break;
  }
  return at;
}

/* Ends the program, and keeps why, with the last that it has said on its standard error. Returns 0. */
static int fail(eb_contender* contender, const char* format, ...) __attribute__((format(printf, 2, 3)));
static int fail(eb_contender* contender, const char* format, ...) {
  eb_child* child = &contender->child;
  va_list arguments;
  va_start(arguments, format);
  int used = vsnprintf(contender->problem, sizeof contender->problem, format, arguments);
  va_end(arguments);
  contender->exit = child->pid ? -1 : child->exit;
  eb_child_end(child, 0);
  const char* complaint = child->complained.used ? tail(child->complained.bytes) : "";
  const size_t room = used < EB_PROBLEM_BYTES ? EB_PROBLEM_BYTES - (size_t)used - 2 : 0;
  if (strlen(complaint) > room) complaint += strlen(complaint) - room;
  if (*complaint && room) snprintf(contender->problem + used, room + 2, "\n%s", complaint);
  for (size_t end = strlen(contender->problem); end && contender->problem[end - 1] == '\n'; end--) {
    contender->problem[end - 1] = '\0';
  }
  eb_child_free(child);
  contender->usable = 0;
  return 0;
}

static int died(eb_contender* contender) {
  eb_child* child = &contender->child;
  /* Its output may end a moment before itself. */
  if (child->pid) eb_child_drain(child, kEndPatienceNs / 10);
  if (child->pid) return fail(contender, child->out < 0 ? "closed its output" : "answered without end");
  if (child->signal) return fail(contender, "was ended by signal %d", child->signal);
  return fail(contender, "ended with %d", child->exit);
}

/* The next line, which must be a JSON object; NULL where it went wrong. */
static char* answer(eb_contender* contender, double patience_s) {
  char* line;
  switch (eb_child_line(&contender->child, (int64_t)(patience_s * 1e9), &line)) {
    case EB_LINE:
      if (eb_answer_is_object(line)) return line;
      fail(contender, "answered `%.*s`", SHOWN_BYTES, line);
      return NULL;
    case EB_ENDED:
      died(contender);
      return NULL;
    case EB_SILENT:
      fail(contender, "did not answer within %.0f s", patience_s);
  }
  return NULL;
}

int eb_contender_start(eb_contender* contender, const int64_t* cores, int core_count) {
  const int64_t begin_ns = eb_now_ns();
  const char* what;
  if (eb_child_start(&contender->child, contender->program, cores, core_count, &what)) {
    contender->exit = -1;
    snprintf(contender->problem, sizeof contender->problem, "%s: %s: %s", what, contender->program->argv[0],
             strerror(errno));
    return 0;
  }
  const char* hello = answer(contender, kUnknownTimeouts * contender->timeout_seconds);
  if (!hello) return 0;
  contender->load_ns = eb_now_ns() - begin_ns;
  contender->hello = strdup(hello);
  contender->usable = 1;
  return 1;
}

static double patience_s(const eb_contender* contender, int64_t runs) {
  if (!contender->inference_ns) return kUnknownTimeouts * contender->timeout_seconds;
  const double expected_s = (double)(kExpectedTimes * runs) * (double)contender->inference_ns / 1e9;
  return expected_s > contender->timeout_seconds ? expected_s : contender->timeout_seconds;
}

int eb_contender_run(eb_contender* contender, int64_t runs) {
  char request[32];
  snprintf(request, sizeof request, "run %" PRId64 "\n", runs);
  if (contender->room < runs) {
    contender->room = runs;
    contender->samples_ns = realloc(contender->samples_ns, (size_t)runs * sizeof *contender->samples_ns);
    if (!contender->samples_ns) eb_fail(EB_EXIT_UNFORESEEN, "out of memory for %" PRId64 " samples", runs);
  }
  const int64_t asked_ns = eb_now_ns();
  eb_child_say(&contender->child, request);
  const char* line = answer(contender, patience_s(contender, runs));
  if (!line) return 0;
  const int64_t answered_ns = eb_now_ns();
  contender->count = eb_answer_integers(line, "samples_ns", contender->samples_ns, runs);
  if (contender->count != runs) return fail(contender, "did not answer with %" PRId64 " timings", runs);
  int64_t sum = 0;
  for (int64_t i = 0; i < runs; i++) {
    if (contender->samples_ns[i] < 0) return fail(contender, "answered with a negative time");
    sum += contender->samples_ns[i];
  }
  if (sum == 0) return fail(contender, "answered with no time at all");
  if (!eb_answer_integer(line, "begin_ns", &contender->begin_ns) ||
      !eb_answer_integer(line, "end_ns", &contender->end_ns)) {
    contender->begin_ns = asked_ns;
    contender->end_ns = answered_ns;
  }
  contender->inference_ns = sum / runs + 1;
  return 1;
}

void eb_contender_must_run(eb_contender* contender, int64_t runs) {
  if (!eb_contender_run(contender, runs)) {
    eb_fail(EB_EXIT_UNFORESEEN, "`%s` %s", contender->program->name, contender->problem);
  }
}

int64_t eb_contender_peak_rss_bytes(const eb_contender* contender) {
  char line[256];
  long long kib = 0;
  snprintf(line, sizeof line, "/proc/%d/status", (int)contender->child.pid);
  FILE* status = fopen(line, "re");
  if (!status) return 0;
  while (fgets(line, sizeof line, status) && sscanf(line, "VmHWM: %lld", &kib) != 1) continue;
  fclose(status);
  return (int64_t)kib * 1024;
}

void eb_contender_end(eb_contender* contender) {
  if (contender->usable) {
    eb_child_end(&contender->child, kEndPatienceNs);
    eb_child_free(&contender->child);
  }
  contender->usable = 0;
  free(contender->samples_ns);
  free(contender->hello);
  contender->samples_ns = NULL;
  contender->hello = NULL;
}
