#define _GNU_SOURCE
#include "sampler.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../runtime/fail.h"
#include "../../runtime/machine.h"

#define SECOND_NS 1000000000

/* A ring: the thread writes at `taken`, eb_sampler_flush reads from `flushed`; neither waits for the other. */
struct eb_sampler {
  eb_source* source;
  int64_t period_ns;
  int cpu;
  int64_t room;
  int64_t* t_ns;
  double* watts; /* channels of each sample one after the other */
  _Atomic int64_t taken;
  _Atomic int64_t flushed;
  atomic_int stopping;
  int64_t last_ns; /* when a counter was last read */
  uint64_t chance;
  pthread_t thread;
  eb_power_cost cost;
};

/* Reads the source into `watts`; gives the time, that of the middle of the reading. */
static int64_t read_source(eb_sampler* sampler, double* watts) {
  eb_source* source = sampler->source;
  int64_t begin = eb_now_ns();
  source->read(source, watts);
  int64_t t_ns = begin + (eb_now_ns() - begin) / 2;
  if (source->counts_energy && !isnan(watts[0])) {
    /* Of the first reading nobody knows since when. */
    double seconds = sampler->last_ns ? (double)(t_ns - sampler->last_ns) / SECOND_NS : NAN;
    for (int i = 0; i < source->channel_count; i++) watts[i] /= seconds;
    sampler->last_ns = t_ns;
  }
  return t_ns;
}

static void take(eb_sampler* sampler) {
  int64_t taken = atomic_load_explicit(&sampler->taken, memory_order_relaxed);
  /* Without room the sample is lost, and its gap seen later. */
  if (taken - atomic_load_explicit(&sampler->flushed, memory_order_acquire) == sampler->room) return;
  int64_t slot = taken % sampler->room;
  sampler->t_ns[slot] = read_source(sampler, sampler->watts + slot * sampler->source->channel_count);
  atomic_store_explicit(&sampler->taken, taken + 1, memory_order_release);
}

static void sleep_until(int64_t due_ns) {
  struct timespec due = {.tv_sec = due_ns / SECOND_NS, .tv_nsec = due_ns % SECOND_NS};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
}

/* Where it may not be there, it is on any: the samples are the same. */
static void keep_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

/* Some part of a period, by chance (xorshift64*). Inferences are a load that repeats itself: samples at even distances
 * could keep step with them and see only a part of each. Source: Vigna, An experimental exploration of Marsaglia's
 * xorshift generators. */
static int64_t part_of_period(eb_sampler* sampler) {
  uint64_t* state = &sampler->chance;
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  double share = (double)((*state * 2685821657736338717u) >> 11) / 9007199254740992.0;
  return (int64_t)(share * (double)sampler->period_ns);
}

static void* run(void* argument) {
  eb_sampler* sampler = argument;
  if (sampler->cpu >= 0) keep_on(sampler->cpu);
  if (sampler->source->counts_energy) {
    double since_unknown[EB_MAX_CHANNELS];
    read_source(sampler, since_unknown);
  }
  const int64_t start_ns = eb_now_ns();
  sampler->chance = (uint64_t)start_ns | 1;
  for (int64_t period = 0;;) {
    int64_t due_ns = start_ns + period * sampler->period_ns + part_of_period(sampler);
    sleep_until(due_ns);
    if (atomic_load_explicit(&sampler->stopping, memory_order_relaxed)) break;
    sampler->cost.late += eb_now_ns() - due_ns > sampler->period_ns / 2;
    take(sampler);
    period++;
    /* What was missed is missed: a burst of samples would say nothing about that time. */
    int64_t now = (eb_now_ns() - start_ns) / sampler->period_ns;
    if (now > period) period = now;
  }
  struct timespec spent;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  sampler->cost.cpu_ns = (int64_t)spent.tv_sec * SECOND_NS + spent.tv_nsec;
  return NULL;
}

eb_sampler* eb_sampler_start(eb_source* source, double hz, int cpu, double seconds) {
  if (!(hz >= 0.1 && hz <= 10000)) eb_fail(EB_EXIT_INPUT, "power cannot be sampled at %g Hz: 0.1 to 10000", hz);
  if (!(seconds > 0 && seconds <= 1e6)) eb_fail(EB_EXIT_INPUT, "power cannot be sampled for %g s at once", seconds);
  eb_sampler* sampler = eb_allocate(sizeof *sampler);
  sampler->source = source;
  sampler->period_ns = (int64_t)(SECOND_NS / hz);
  sampler->cpu = cpu;
  sampler->room = (int64_t)ceil(hz * seconds) + 1;
  size_t time_bytes = (size_t)sampler->room * sizeof *sampler->t_ns;
  size_t watt_bytes = (size_t)sampler->room * (size_t)source->channel_count * sizeof *sampler->watts;
  sampler->t_ns = eb_allocate(time_bytes);
  sampler->watts = eb_allocate(watt_bytes);
  /* Touched now, so that no page is fetched while something is timed. */
  memset(sampler->t_ns, 0xff, time_bytes);
  memset(sampler->watts, 0xff, watt_bytes);
  /* Signals are the business of the thread that started this one. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&sampler->thread, NULL, run, sampler);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) eb_fail(EB_EXIT_UNFORESEEN, "cannot start the thread that samples power: %s", strerror(failed));
  return sampler;
}

void eb_sampler_flush(eb_sampler* sampler, FILE* stream) {
  int64_t taken = atomic_load_explicit(&sampler->taken, memory_order_acquire);
  int64_t flushed = atomic_load_explicit(&sampler->flushed, memory_order_relaxed);
  int channels = sampler->source->channel_count;
  for (; flushed < taken; flushed++) {
    int64_t slot = flushed % sampler->room;
    fprintf(stream, "{\"t_ns\":%" PRId64 ",\"w\":[", sampler->t_ns[slot]);
    for (int i = 0; i < channels; i++) {
      double watts = sampler->watts[slot * channels + i];
      if (i) fputc(',', stream);
      if (isfinite(watts)) {
        fprintf(stream, "%.9g", watts);
      } else {
        fputs("null", stream);
      }
    }
    fputs("]}\n", stream);
  }
  atomic_store_explicit(&sampler->flushed, flushed, memory_order_release);
  fflush(stream);
}

eb_power_cost eb_sampler_stop(eb_sampler* sampler) {
  atomic_store(&sampler->stopping, 1);
  pthread_join(sampler->thread, NULL);
  sampler->cost.samples = atomic_load(&sampler->taken);
  return sampler->cost;
}

void eb_sampler_free(eb_sampler* sampler) {
  if (!sampler) return;
  free(sampler->t_ns);
  free(sampler->watts);
  free(sampler);
}
