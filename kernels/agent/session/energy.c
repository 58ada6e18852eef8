#include <math.h>

#include "../../runtime/json.h"
#include "../../runtime/machine.h"
#include "../job/events.h"
#include "../job/recording.h"
#include "session.h"
#include "../system/wait.h"

/* A window is one request, so that nothing interrupts its inferences; it is asked for somewhat more of them than should
 * fill it. Where the program has become so much quicker that the window is too short, it is taken again, larger. */
static const double kMargin = 1.05, kMarginGrowth = 1.25;
enum { ATTEMPTS = 10 };

static void idle(const eb_session* session) {
  const double seconds = session->plan->idle_seconds;
  if (seconds == 0) return;
  const int64_t begin_ns = eb_now_ns();
  eb_wait_until(begin_ns + (int64_t)(seconds * 1e9));
  const int64_t end_ns = eb_now_ns();
  eb_session_event(session, "idle", NULL);
  eb_json_integer("begin_ns", begin_ns);
  eb_json_integer("end_ns", end_ns);
  eb_event_end();
  eb_recording_flush();
}

static int64_t runs_of_window(const eb_plan* plan, const eb_contender* contender, double margin) {
  const double filling = ceil(margin * plan->energy_seconds * 1e9 / (double)contender->inference_ns);
  return (int64_t)fmin(fmax(filling, (double)plan->energy_min_runs), EB_MOST_RUNS);
}

static void window(const eb_session* session, int64_t number, eb_contender* contender) {
  const eb_plan* plan = session->plan;
  double margin = kMargin;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++, margin *= kMarginGrowth) {
    eb_contender_must_run(contender, runs_of_window(plan, contender, margin));
    if ((double)(contender->end_ns - contender->begin_ns) >= plan->energy_seconds * 1e9) break;
  }
  /* Now and not before: after idling, a governor has yet to see that there is work. */
  eb_session_clock(session);
  eb_session_event(session, "window", contender);
  eb_json_integer("window", number);
  eb_json_integer("begin_ns", contender->begin_ns);
  eb_json_integer("end_ns", contender->end_ns);
  eb_json_integer("runs", contender->count);
  eb_event_end();
  eb_recording_flush();
}

/* The longest time between two flushes, were everything half as fast again; and a minute. */
static double longest_stretch_s(const eb_session* session) {
  double longest = session->plan->idle_seconds;
  for (int i = 0; i < session->chosen_count; i++) {
    const eb_contender* contender = session->chosen[i];
    const double runs = (double)runs_of_window(session->plan, contender, kMargin);
    longest = fmax(longest, runs * (double)contender->inference_ns / 1e9);
  }
  return 1.5 * longest + 60;
}

void eb_session_energy(eb_session* session) {
  const eb_plan* plan = session->plan;
  if (!plan->power && plan->idle_seconds == 0) return;
  const int count = session->chosen_count;
  eb_recording_start(session->beside, longest_stretch_s(session));
  eb_recording_lead();
  idle(session);
  for (int64_t number = 0; number < plan->energy_windows; number++) {
    for (int step = 0; step < count; step++) window(session, number, session->chosen[(number + step) % count]);
  }
  idle(session);
  eb_recording_lead();
  eb_recording_stop();
}
