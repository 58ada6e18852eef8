#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../runtime/json.h"
#include "child.h"
#include "../job/events.h"

/* It may do many inferences, and look at every layer of them. */
static const double kTimeouts = 60;

static void report(const eb_program* program, const eb_child* child, const char* problem) {
  eb_event("output");
  eb_json_string("name", program->name);
  if (problem) {
    eb_json_null("exit");
  } else {
    eb_json_integer("exit", child->exit);
  }
  eb_json_text("stdout", child->said.bytes, child->said.used);
  eb_json_text("stderr", problem ? problem : child->complained.bytes,
               problem ? strlen(problem) : child->complained.used);
  eb_event_end();
}

void eb_command_run(const eb_plan* plan, const eb_program* program) {
  const double patience_s = kTimeouts * plan->timeout_seconds;
  static char problem[256];
  eb_child child = {0};
  const char* what;
  if (eb_child_start(&child, program, NULL, 0, &what)) {
    snprintf(problem, sizeof problem, "%s: %s: %s", what, program->argv[0], strerror(errno));
    report(program, &child, problem);
  } else {
    eb_child_close_input(&child);
    const int ended = eb_child_drain(&child, (int64_t)(patience_s * 1e9));
    eb_child_end(&child, 0);
    snprintf(problem, sizeof problem, "did not end within %.0f s, or said too much", patience_s);
    report(program, &child, ended ? NULL : problem);
  }
  eb_child_free(&child);
}
