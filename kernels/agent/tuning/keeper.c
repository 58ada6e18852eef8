/* The keeper: a process of its own, which outlives the agent for as long as it takes to put everything back. */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fail.h"
#include "../system/paths.h"
#include "../system/sysfs.h"
#include "tuning.h"
#include "change.h"

#define PATIENCE_SECONDS 120 /* for the keeper of an earlier job, which is putting things back */

static const int ending_signals[] = {SIGTERM, SIGHUP, SIGINT};

static void ignore(int signal) { (void)signal; }

/* They are let in only while there is nothing else to do, so that no change is left half made. */
static void hold_signals(sigset_t* let_in) {
  sigset_t held;
  sigemptyset(&held);
  struct sigaction action = {.sa_handler = ignore};
  for (size_t i = 0; i < sizeof ending_signals / sizeof *ending_signals; i++) {
    sigaction(ending_signals[i], &action, NULL);
    sigaddset(&held, ending_signals[i]);
  }
  sigprocmask(SIG_SETMASK, &held, NULL);
  sigemptyset(let_in);
  signal(SIGPIPE, SIG_IGN);
}

/* Until the agent ends, however it does, or somebody wants this to end. */
static void wait_for_end(const sigset_t* let_in) {
  for (;;) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (ppoll(&input, 1, NULL, let_in) < 0) return;
    char unused[64];
    if (read(STDIN_FILENO, unused, sizeof unused) <= 0) return;
  }
}

/* Nobody may be listening any more: a write that fails changes nothing. `to` may be -1. */
static void say(int to, const char* kind, const char* what, const char* before, const char* after) {
  dprintf(to, "%s\t%s\t%s\t%s\n", kind, what, before, after);
}

/* The last one first. Removes the record if nothing is left to do. */
static int undo_all(const eb_place* place, const eb_changes* changes, int to) {
  int failed = 0;
  for (int i = changes->count - 1; i >= 0; i--) {
    const eb_change* change = &changes->items[i];
    eb_undone undone;
    if (eb_change_undo(place, change, &undone)) {
      dprintf(to, EB_SAYS_FAILED "\tcannot put back: %s is `%s`, was `%s`\n", change->what, undone.left,
              change->before);
      failed = 1;
    }
    say(to, EB_SAYS_RESTORED, change->what, undone.found, undone.left);
  }
  if (failed) return EB_EXIT_INPUT;
  eb_record_remove(place->record);
  dprintf(to, EB_SAYS_DONE "\n");
  return EB_EXIT_OK;
}

/* What a record says, once no keeper holds it any more. */
static int restore(const eb_place* place, int to) {
  int record = eb_record_hold(place->record, 0, PATIENCE_SECONDS);
  if (record < 0 && errno == ENOENT) return EB_EXIT_OK;
  if (record < 0) {
    dprintf(to, EB_SAYS_FAILED "\tcannot use `%s`: %s\n", place->record, strerror(errno));
    return EB_EXIT_INPUT;
  }
  eb_changes changes;
  eb_record_read(place->record, &changes);
  int status = undo_all(place, &changes, to);
  close(record);
  return status;
}

/* What other jobs have set is put back first, by their keepers or here: else it would be taken for what was there. */
static void settle_others(const eb_place* place) {
  char jobs[PATH_MAX];
  glob_t records;
  eb_sysfs_glob(eb_path_parent(jobs, place->record, 2), "/*/tuning", &records);
  for (size_t i = 0; i < records.gl_pathc; i++) {
    const eb_place other = {.root = place->root, .record = records.gl_pathv[i]};
    restore(&other, -1);
  }
  globfree(&records);
}

/* Writes down and makes all changes of a setting, and adds them to those that have been `made`. */
static int make(const eb_place* place, int record, const char* setting, eb_changes* made, char* problem) {
  int first = made->count;
  int failed = eb_change_plan(place, setting, made, problem);
  int planned = failed ? first : made->count;
  made->count = first;
  for (int i = first; !failed && i < planned; i++) {
    const eb_change* change = &made->items[i];
    if (eb_record_add(record, change)) {
      snprintf(problem, EB_PROBLEM_ROOM, "cannot write `%s`: %s", place->record, strerror(errno));
      return -1;
    }
    made->count = i + 1; /* a change that fails may be half made */
    failed = eb_change_make(place, change, problem);
    if (!failed) say(STDOUT_FILENO, EB_SAYS_SET, change->what, change->before, change->after);
  }
  return failed;
}

int eb_tuning_keep(int argc, char** argv) {
  if (argc < 2) eb_fail(EB_EXIT_INPUT, "usage: agent keep ROOT RECORD [SETTING…]");
  const eb_place place = {.root = argv[0], .record = argv[1]};
  sigset_t let_in;
  setsid();
  hold_signals(&let_in);
  if (argc == 2) return restore(&place, STDOUT_FILENO);
  settle_others(&place);
  int record = eb_record_hold(place.record, 1, 0);
  if (record < 0) {
    dprintf(STDOUT_FILENO, EB_SAYS_FAILED "\tcannot make `%s`: %s\n", place.record, strerror(errno));
    return EB_EXIT_INPUT;
  }
  eb_changes made = {.count = 0};
  for (int i = 2; i < argc; i++) {
    char problem[EB_PROBLEM_ROOM];
    if (make(&place, record, argv[i], &made, problem)) {
      dprintf(STDOUT_FILENO, EB_SAYS_FAILED "\t%s\n", problem);
      undo_all(&place, &made, STDOUT_FILENO);
      return EB_EXIT_INPUT;
    }
  }
  dprintf(STDOUT_FILENO, EB_SAYS_READY "\n");
  wait_for_end(&let_in);
  return undo_all(&place, &made, STDOUT_FILENO);
}
