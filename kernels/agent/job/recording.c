#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../runtime/fail.h"
#include "../../runtime/machine.h"
#include "../system/wait.h"

static const double kLeadSamples = 3;

static const char* file_path;
static FILE* file;
static eb_power* power;
static double power_hz;
static int64_t begin_ns; /* 0: not sampling */
static eb_recording_total total;

static _Noreturn void fail(void) {
  const int error = errno;
  file = NULL;
  eb_fail(EB_EXIT_UNFORESEEN, "cannot write `%s`: %s", file_path, strerror(error));
}

void eb_recording_open(const eb_plan* plan, const char* path) {
  if (!plan->power) return;
  file_path = path;
  power_hz = plan->power_hz;
  power = eb_power_open(plan->root, plan->power);
  file = fopen(path, "ae");
  if (!file) fail();
}

void eb_recording_start(int cpu, double seconds) {
  if (!power) return;
  begin_ns = eb_now_ns();
  eb_power_start(power, power_hz, cpu, seconds);
}

void eb_recording_flush(void) {
  if (!power || !file) return;
  eb_power_flush(power, file);
  if (fflush(file) || ferror(file)) fail();
}

void eb_recording_lead(void) {
  if (begin_ns) eb_wait_until(eb_now_ns() + (int64_t)(kLeadSamples / power_hz * 1e9));
}

void eb_recording_stop(void) {
  if (!begin_ns) return;
  const eb_power_cost cost = eb_power_stop(power);
  total.cost.samples += cost.samples;
  total.cost.cpu_ns += cost.cpu_ns;
  total.cost.late += cost.late;
  total.wall_ns += eb_now_ns() - begin_ns;
  begin_ns = 0;
  eb_recording_flush();
}

eb_recording_total eb_recording_total_cost(void) { return total; }
