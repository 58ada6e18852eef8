#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "fail.h"

int64_t eb_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void eb_pin(const int* cores, int count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < count; i++) CPU_SET((size_t)cores[i], &set);
  if (sched_setaffinity(0, sizeof set, &set)) eb_fail(EB_EXIT_INPUT, "cannot use these cores: %s", strerror(errno));
}

int64_t eb_peak_rss_bytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (int64_t)usage.ru_maxrss * 1024;
}

int eb_process_threads(void) {
  FILE* status = fopen("/proc/self/status", "r");
  if (!status) return 0;
  char line[256];
  int threads = 0;
  while (fgets(line, sizeof line, status) && sscanf(line, "Threads: %d", &threads) != 1) continue;
  fclose(status);
  return threads;
}
