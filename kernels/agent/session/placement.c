#define _GNU_SOURCE
#include "placement.h"

#include <sched.h>

static cpu_set_t allowed, beside;

void eb_placement_prepare(void) {
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  beside = allowed;
}

int eb_placement_beside(const int64_t* cores, int count) {
  beside = allowed;
  for (int i = 0; i < count; i++) CPU_CLR((size_t)cores[i], &beside);
  const int others = count && CPU_COUNT(&beside);
  if (!others) beside = allowed;
  eb_placement_back();
  for (int core = 0; others && core < CPU_SETSIZE; core++) {
    if (CPU_ISSET((size_t)core, &beside)) return core;
  }
  return -1;
}

int eb_placement_of_child(const int64_t* cores, int count) {
  cpu_set_t set = allowed;
  if (count) CPU_ZERO(&set);
  for (int i = 0; i < count; i++) CPU_SET((size_t)cores[i], &set);
  return !sched_setaffinity(0, sizeof set, &set);
}

int eb_placement_on(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)core, &set);
  return !sched_setaffinity(0, sizeof set, &set);
}

void eb_placement_back(void) { sched_setaffinity(0, sizeof beside, &beside); }
