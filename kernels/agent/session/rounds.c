#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/fail.h"
#include "../../runtime/json.h"
#include "../job/events.h"
#include "session.h"
#include "steady.h"

/* One contender's turn: long against a context switch and the refilling of caches, short against drift of the clock. */
static const double kTurnNs = 0.15e9;
/* Warm-up that has not settled by so many times what was asked for never will. */
static const double kWarmupCap = 10;
enum { WARMUP_RUNS = 10 };

typedef struct {
  int64_t turn; /* inferences */
  int64_t runs;
  double spent_ns;
} progress;

typedef struct {
  int64_t *items, count, room;
} samples;

static void append(samples* to, const eb_contender* from) {
  if (to->room < to->count + from->count) {
    to->room = 2 * to->room + from->count;
    to->items = realloc(to->items, (size_t)to->room * sizeof *to->items);
    if (!to->items) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
  }
  memcpy(to->items + to->count, from->samples_ns, (size_t)from->count * sizeof *to->items);
  to->count += from->count;
}

/* Returns the inferences of one turn. */
static int64_t warm_up(const eb_session* session, eb_contender* contender) {
  const double seconds = session->plan->warmup_seconds;
  samples warm = {0};
  double spent_ns = 0;
  int64_t runs = 1;
  int settled = 0, over = 0;
  while (!over) {
    eb_contender_must_run(contender, runs);
    append(&warm, contender);
    for (int64_t i = 0; i < contender->count; i++) spent_ns += (double)contender->samples_ns[i];
    settled = warm.count >= EB_STEADY_SAMPLES && eb_is_steady(warm.items + warm.count - EB_STEADY_SAMPLES);
    if (seconds == 0) settled = 1;
    over = (spent_ns >= seconds * 1e9 && settled) || spent_ns >= kWarmupCap * seconds * 1e9;
    const double last_ns = fmax((double)warm.items[warm.count - 1], 1e3);
    runs = (int64_t)fmax(1, fmin(WARMUP_RUNS, seconds * 1e9 / last_ns / 20));
  }
  eb_session_event(session, "warmup", contender);
  eb_json_integers("samples_ns", warm.items, warm.count);
  eb_json_boolean("settled", settled);
  eb_event_end();
  const int recent = warm.count < EB_STEADY_SAMPLES ? (int)warm.count : EB_STEADY_SAMPLES;
  const double median_ns = fmax(eb_median(warm.items + warm.count - recent, recent), 1);
  free(warm.items);
  return (int64_t)fmin(fmax(1, round(kTurnNs / median_ns)), EB_MOST_RUNS - 1);
}

/* A turn begins with one inference that is not counted, because the caches still hold the contender before it. */
static void take_turn(const eb_session* session, int64_t number, eb_contender* contender, progress* progress) {
  eb_contender_must_run(contender, progress->turn + 1);
  for (int64_t i = 1; i < contender->count; i++) progress->spent_ns += (double)contender->samples_ns[i];
  progress->runs += progress->turn;
  eb_session_event(session, "round", contender);
  eb_json_integer("round", number);
  eb_json_integer("begin_ns", contender->begin_ns);
  eb_json_integer("end_ns", contender->end_ns);
  eb_json_integers("samples_ns", contender->samples_ns + 1, progress->turn);
  eb_event_end();
}

static int enough(const eb_plan* plan, const progress* all, int count) {
  for (int i = 0; i < count; i++) {
    if (all[i].runs < plan->min_runs || all[i].spent_ns < plan->min_seconds * 1e9) return 0;
  }
  return 1;
}

void eb_session_time(eb_session* session) {
  const int count = session->chosen_count;
  progress* progresses = eb_allocate((size_t)count * sizeof *progresses);
  for (int i = 0; i < count; i++) progresses[i].turn = warm_up(session, session->chosen[i]);
  eb_session_clock(session);
  for (int64_t round = 0; !enough(session->plan, progresses, count); round++) {
    for (int step = 0; step < count; step++) {
      const int i = (int)((round + step) % count);
      take_turn(session, round, session->chosen[i], &progresses[i]);
    }
  }
  eb_session_clock(session);
  free(progresses);
}
