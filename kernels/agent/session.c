#include "session.h"

#include <stdlib.h>

#include "../runtime/fail.h"
#include "../runtime/json.h"
#include "clock.h"
#include "events.h"
#include "placement.h"

void eb_session_event(const eb_session* session, const char* kind, const eb_contender* contender) {
  eb_event(kind);
  eb_json_integer("session", session->number);
  if (contender) eb_json_integer("contender", contender->number);
}

void eb_session_clock(const eb_session* session) {
  const int cpu = session->asked->core_count ? (int)session->asked->cores[0] : eb_clock_here();
  const double hz = eb_clock_hz(cpu);
  if (hz == 0) return; /* the contenders may be where the agent may not */
  eb_session_event(session, "clock", NULL);
  eb_json_integer("cpu", cpu);
  eb_json_integer("hz", (int64_t)hz);
  eb_event_end();
}

static void report_memory(const eb_session* session) {
  for (int i = 0; i < session->chosen_count; i++) {
    eb_session_event(session, "memory", session->chosen[i]);
    eb_json_integer("peak_rss_bytes", eb_contender_peak_rss_bytes(session->chosen[i]));
    eb_event_end();
  }
}

void eb_session_run(const eb_plan* plan, int number) {
  eb_session session = {.plan = plan, .asked = &plan->sessions[number], .number = number};
  const int count = session.asked->contender_count;
  session.contenders = eb_allocate((size_t)count * sizeof *session.contenders);
  session.chosen = eb_allocate((size_t)count * sizeof *session.chosen);
  for (int i = 0; i < count; i++) {
    session.contenders[i].program = &session.asked->contenders[i];
    session.contenders[i].number = i;
    session.contenders[i].timeout_seconds = plan->timeout_seconds;
  }
  eb_session_event(&session, "session", NULL);
  eb_json_integer("threads", session.asked->threads);
  eb_json_integers("cores", session.asked->cores, session.asked->core_count);
  eb_event_end();

  session.beside = eb_placement_beside(session.asked->cores, session.asked->core_count);
  eb_session_choose(&session);
  eb_session_time(&session);
  eb_session_energy(&session);
  report_memory(&session);

  for (int i = 0; i < count; i++) eb_contender_end(&session.contenders[i]);
  free(session.contenders);
  free(session.chosen);
}
