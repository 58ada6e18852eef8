#include "measure.h"

#include <stdlib.h>
#include <time.h>

#include "../../runtime/json.h"
#include "../../runtime/machine.h"
#include "../board/board.h"
#include "../session/child.h"
#include "../session/command.h"
#include "events.h"
#include "../power/power.h"
#include "recording.h"
#include "../session/session.h"

enum { FORMAT_VERSION = 1 };

static eb_tuning* tuning; /* NULL: nothing has been changed */

static void report_times(void) {
  struct timespec real;
  eb_json_integer("monotonic_ns", eb_now_ns());
  clock_gettime(CLOCK_REALTIME, &real);
  eb_json_integer("realtime_ns", (int64_t)real.tv_sec * 1000000000 + real.tv_nsec);
}

static void report_board(const eb_plan* plan, const char* folder) {
  eb_json_open_object("board");
  eb_board_report(plan->root, folder);
  eb_power_report(plan->root);
  eb_json_close_object();
}

static void apply_tuning(const eb_plan* plan, const char* record) {
  if (!plan->tune.count) return;
  tuning = eb_tuning_apply(plan->root, &plan->tune, record);
  eb_event("tuned");
  eb_tuning_report(tuning);
  eb_event_end();
}

static void undo_tuning(void) {
  eb_tuning* undone = tuning;
  if (!undone) return;
  tuning = NULL; /* first: a failure in the next lines comes here again */
  eb_tuning_end(undone);
  if (!eb_events_work()) return;
  eb_event("restored");
  eb_tuning_report(undone);
  eb_event_end();
}

static void report_end(const eb_plan* plan, const char* folder) {
  const eb_recording_total total = eb_recording_total_cost();
  eb_event("end");
  report_times();
  report_board(plan, folder);
  eb_json_open_object("sampler");
  eb_json_integer("samples", total.cost.samples);
  eb_json_integer("cpu_ns", total.cost.cpu_ns);
  eb_json_integer("late", total.cost.late);
  eb_json_integer("wall_ns", total.wall_ns);
  eb_json_close_object();
  eb_event_end();
}

void eb_measure(const eb_plan* plan, const eb_measure_files* files) {
  eb_events_open(files->events);
  eb_event("begin");
  eb_json_integer("agent", FORMAT_VERSION);
  report_times();
  report_board(plan, files->folder);
  eb_event_end();
  eb_recording_open(plan, files->power);
  apply_tuning(plan, files->tuning);
  for (int i = 0; i < plan->session_count; i++) eb_session_run(plan, i);
  for (int i = 0; i < plan->command_count; i++) eb_command_run(plan, &plan->commands[i]);
  undo_tuning();
  report_end(plan, files->folder);
}

void eb_measure_give_up(int exit_code, const char* message) {
  (void)exit_code;
  eb_children_kill();
  eb_recording_stop();
  undo_tuning();
  if (!eb_events_work()) return;
  eb_event("error");
  eb_json_string("message", message);
  eb_event_end();
}
