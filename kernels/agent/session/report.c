#include "report.h"

#include "../../runtime/json.h"
#include "../job/events.h"
#include "clock.h"

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
