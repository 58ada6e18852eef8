#include "session.h"

#include <stdlib.h>

#include "../../runtime/fail.h"
#include "../../runtime/json.h"
#include "../job/events.h"
#include "placement.h"
#include "report.h"

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
