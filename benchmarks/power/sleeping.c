/* The floor: a loop that wakes at a steady rate and does nothing. `sleeping SECONDS HZ` prints what the agent prints.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int64_t period = (int64_t)(1e9 / atof(argv[2])), samples = (int64_t)(atof(argv[1]) * atof(argv[2]));
  const int64_t begin = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);
  int64_t late = 0;
  for (int64_t i = 1; i <= samples; i++) {
    const int64_t due = begin + i * period;
    const struct timespec time = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    late += now(CLOCK_MONOTONIC) - due > period / 2;
  }
  printf("{\"samples\":%" PRId64 ",\"cpu_ns\":%" PRId64 ",\"late\":%" PRId64 ",\"wall_ns\":%" PRId64 "}\n", samples,
         now(CLOCK_THREAD_CPUTIME_ID) - cpu, late, now(CLOCK_MONOTONIC) - begin);
  return 0;
}
