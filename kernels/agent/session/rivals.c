/* Several contenders may have one name: ways to run the same model. One may refuse it while another takes it. */
#include <stdlib.h>
#include <string.h>

#include "../../runtime/fail.h"
#include "../../runtime/json.h"
#include "../job/events.h"
#include "placement.h"
#include "session.h"

enum { TRIAL_RUNS = 10 };

static void report_failure(const eb_session* session, const eb_contender* contender) {
  eb_session_event(session, "failed", contender);
  eb_json_string("name", contender->program->name);
  if (contender->exit < 0) {
    eb_json_null("exit");
  } else {
    eb_json_integer("exit", contender->exit);
  }
  eb_json_string("message", contender->problem);
  eb_event_end();
}

static void start(const eb_session* session, eb_contender* contender) {
  if (!eb_contender_start(contender, session->asked->cores, session->asked->core_count)) {
    report_failure(session, contender);
    return;
  }
  eb_session_event(session, "started", contender);
  eb_json_string("name", contender->program->name);
  eb_json_integer("load_ns", contender->load_ns);
  eb_json_raw("hello", contender->hello);
  eb_event_end();
}

static void run_first(const eb_session* session, eb_contender* contender) {
  if (!contender->usable) return;
  if (!eb_contender_run(contender, 1)) {
    report_failure(session, contender);
    return;
  }
  eb_session_event(session, "first", contender);
  eb_json_integers("samples_ns", contender->samples_ns, 1);
  eb_event_end();
}

/* The least of a few times, without the first of them; INT64_MAX if it fails. */
static int64_t try_out(const eb_session* session, eb_contender* contender) {
  if (!eb_contender_run(contender, TRIAL_RUNS + 1)) {
    report_failure(session, contender);
    return INT64_MAX;
  }
  eb_session_event(session, "trial", contender);
  eb_json_integers("samples_ns", contender->samples_ns + 1, TRIAL_RUNS);
  eb_event_end();
  int64_t least = INT64_MAX;
  for (int i = 1; i <= TRIAL_RUNS; i++) {
    if (contender->samples_ns[i] < least) least = contender->samples_ns[i];
  }
  return least;
}

static int same_name(const eb_contender* a, const eb_contender* b) {
  return !strcmp(a->program->name, b->program->name);
}

/* The quickest of those that have the name of this one, which is the first of them. */
static eb_contender* quickest(const eb_session* session, const eb_contender* first) {
  const int count = session->asked->contender_count;
  int usable = 0;
  for (int i = 0; i < count; i++) {
    usable += same_name(&session->contenders[i], first) && session->contenders[i].usable;
  }
  eb_contender* best = NULL;
  int64_t best_ns = INT64_MAX;
  for (int i = 0; i < count; i++) {
    eb_contender* contender = &session->contenders[i];
    if (!same_name(contender, first) || !contender->usable) continue;
    const int64_t least_ns = usable > 1 ? try_out(session, contender) : 0;
    if (contender->usable && (!best || least_ns < best_ns)) {
      best = contender;
      best_ns = least_ns;
    }
  }
  if (!best) eb_fail(EB_EXIT_UNFORESEEN, "`%s` %s", first->program->name, first->problem);
  return best;
}

static int is_first_of_name(const eb_session* session, int number) {
  for (int i = 0; i < number; i++) {
    if (same_name(&session->contenders[i], &session->contenders[number])) return 0;
  }
  return 1;
}

static int is_chosen(const eb_session* session, const eb_contender* contender) {
  for (int i = 0; i < session->chosen_count; i++) {
    if (session->chosen[i] == contender) return 1;
  }
  return 0;
}

void eb_session_choose(eb_session* session) {
  const int count = session->asked->contender_count;
  for (int i = 0; i < count; i++) start(session, &session->contenders[i]);
  for (int i = 0; i < count; i++) run_first(session, &session->contenders[i]);
  int64_t* numbers = eb_allocate((size_t)count * sizeof *numbers);
  for (int i = 0; i < count; i++) {
    if (!is_first_of_name(session, i)) continue;
    session->chosen[session->chosen_count] = quickest(session, &session->contenders[i]);
    numbers[session->chosen_count] = session->chosen[session->chosen_count]->number;
    session->chosen_count++;
  }
  for (int i = 0; i < count; i++) {
    if (!is_chosen(session, &session->contenders[i])) eb_contender_end(&session->contenders[i]);
  }
  eb_session_event(session, "chosen", NULL);
  eb_json_integers("contenders", numbers, session->chosen_count);
  eb_event_end();
  free(numbers);
}
