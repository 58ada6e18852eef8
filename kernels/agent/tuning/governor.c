/* How the clock follows the load: one governor for each group of processors that share a clock. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../system/sysfs.h"
#include "kinds.h"

#define POLICIES "/sys/devices/system/cpu/cpufreq/policy"
#define LIST_ROOM 256

static int needs_root(const eb_place* place) {
  glob_t files;
  eb_sysfs_glob(place->root, POLICIES "*/scaling_governor", &files);
  int needed = 0;
  for (size_t i = 0; i < files.gl_pathc; i++) needed = needed || access(files.gl_pathv[i], W_OK);
  globfree(&files);
  return needed && geteuid() != 0;
}

/* The kernel lists what it offers, in words parted by blanks. */
static int is_offered(const char* policy, const char* wanted, char* problem) {
  char list[LIST_ROOM], within[LIST_ROOM + 2], word[EB_WORD_ROOM + 2];
  if (!*wanted || strchr(wanted, ' ')) {
    snprintf(problem, EB_PROBLEM_ROOM, "`%s` is no name of a governor", wanted);
    return 0;
  }
  if (eb_sysfs_text(eb_sysfs_path("%s/scaling_available_governors", policy).text, list, sizeof list)) return 1;
  snprintf(within, sizeof within, " %s ", list);
  snprintf(word, sizeof word, " %s ", wanted);
  if (strstr(within, word)) return 1;
  snprintf(problem, EB_PROBLEM_ROOM, "there is no governor `%s`, only: %s", wanted, list);
  return 0;
}

static int plan(const eb_place* place, const char* wanted, eb_changes* changes, char* problem) {
  glob_t policies;
  eb_sysfs_glob(place->root, POLICIES "*", &policies);
  int failed = policies.gl_pathc == 0;
  if (failed) snprintf(problem, EB_PROBLEM_ROOM, "this machine lets nobody choose a governor");
  for (size_t i = 0; !failed && i < policies.gl_pathc; i++) {
    const char* policy = policies.gl_pathv[i];
    char what[EB_WORD_ROOM], before[EB_WORD_ROOM];
    snprintf(what, sizeof what, "governor %s", strrchr(policy, '/') + 1);
    failed = !is_offered(policy, wanted, problem);
    if (!failed && eb_sysfs_text(eb_sysfs_path("%s/scaling_governor", policy).text, before, sizeof before)) {
      snprintf(problem, EB_PROBLEM_ROOM, "cannot read the %s: %s", what, strerror(errno));
      failed = 1;
    }
    if (!failed) failed = eb_changes_add(changes, what, before, wanted, problem);
  }
  globfree(&policies);
  return failed ? -1 : 0;
}

/* By number: what a record says must not lead to another file. */
static eb_path file_of(const eb_place* place, const eb_change* change) {
  unsigned policy;
  char more;
  if (sscanf(change->what, "governor policy%u%c", &policy, &more) != 1) return eb_sysfs_path("%s", "");
  return eb_sysfs_path("%s" POLICIES "%u/scaling_governor", place->root, policy);
}

static int now(const eb_place* place, const eb_change* change, char now[EB_WORD_ROOM]) {
  return eb_sysfs_text(file_of(place, change).text, now, EB_WORD_ROOM);
}

static int set(const eb_place* place, const eb_change* change, const char* value, char* problem) {
  char there[EB_WORD_ROOM];
  int file = open(file_of(place, change).text, O_WRONLY | O_TRUNC | O_CLOEXEC);
  int written = file >= 0 && write(file, value, strlen(value)) == (ssize_t)strlen(value);
  int reason = errno;
  if (file >= 0) close(file);
  if (!written) {
    snprintf(problem, EB_PROBLEM_ROOM, "cannot set the %s to `%s`: %s", change->what, value, strerror(reason));
    return -1;
  }
  if (now(place, change, there) || strcmp(there, value) != 0) {
    snprintf(problem, EB_PROBLEM_ROOM, "the %s does not stay `%s`", change->what, value);
    return -1;
  }
  return 0;
}

const eb_kind eb_kind_governor = {"governor", needs_root, plan, now, set};
