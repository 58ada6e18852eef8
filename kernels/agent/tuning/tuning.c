#define _GNU_SOURCE
#include "tuning.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/fail.h"
#include "../../runtime/json.h"
#include "../system/capture.h"
#include "../system/paths.h"
#include "change.h"
#include "keeper.h"

#define MAX_WORDS (EB_MAX_SETTINGS + 8)
#define FIRST_OTHER_FILE 3
#define LAST_OTHER_FILE 1024

struct eb_tuning {
  const char* root;
  const char* record;
  pid_t keeper; /* 0: none */
  int to;
  FILE* from;
  eb_changes changes; /* as set; once put back, what was found and what is there now */
  int done;           /* everything is put back */
  char failure[EB_PROBLEM_ROOM];
  char remark[EB_PROBLEM_ROOM]; /* of somebody else, such as sudo */
};

/* The keeper is a copy of this process: in an emulator nothing else could be started. As root it has to be a new one.
 */
_Noreturn static void become_keeper(char** words, int as_root, int input, int output) {
  setsid();
  if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) _exit(127);
  /* The lock of the job, its files, and the end of this pipe that the agent holds. */
  for (int file = FIRST_OTHER_FILE; file < LAST_OTHER_FILE; file++) close(file);
  if (as_root) {
    char path[PATH_MAX];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (eb_program("sudo", path, sizeof path)) execv(path, words);
    dprintf(STDOUT_FILENO, EB_SAYS_FAILED "\tthis needs root, and there is no sudo\n");
    _exit(127);
  }
  eb_on_fail(NULL);
  int count = 0;
  while (words[count]) count++;
  _exit(eb_tuning_keep(count - 4, words + 4));
}

/* `words`: sudo -n PROGRAM keep ROOT RECORD SETTING… */
static void start_keeper(eb_tuning* tuning, char** words, int as_root) {
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) eb_fail(EB_EXIT_UNFORESEEN, "no pipe: %s", strerror(errno));
  /* What the agent does about signals is not for its copy to do. */
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  tuning->keeper = fork();
  if (tuning->keeper == 0) become_keeper(words, as_root, to[0], from[1]);
  sigprocmask(SIG_SETMASK, &before, NULL);
  if (tuning->keeper < 0) eb_fail(EB_EXIT_UNFORESEEN, "cannot start a process: %s", strerror(errno));
  close(to[0]);
  close(from[1]);
  tuning->to = to[1];
  tuning->from = fdopen(from[0], "r");
  tuning->changes.count = 0;
  tuning->done = 0;
  tuning->failure[0] = '\0';
  tuning->remark[0] = '\0';
}

static void hear_change(eb_changes* changes, const char* line) {
  eb_change change;
  if (changes->count < EB_MAX_CHANGES &&
      sscanf(line, "%*[^\t]\t%63[^\t\n]\t%63[^\t\n]\t%63[^\t\n]", change.what, change.before, change.after) == 3) {
    changes->items[changes->count++] = change;
  }
}

static int begins(const char* line, const char* word) {
  size_t length = strlen(word);
  return !strncmp(line, word, length) && (line[length] == '\t' || line[length] == '\n');
}

static void keep_first(char kept[EB_PROBLEM_ROOM], const char* message) {
  if (!*kept) snprintf(kept, EB_PROBLEM_ROOM, "%.*s", (int)strcspn(message, "\n"), message);
}

static const char* why(const eb_tuning* tuning) {
  if (*tuning->failure) return tuning->failure;
  return *tuning->remark ? tuning->remark : "their keeper died";
}

/* Hears all until the keeper has ended, or is ready. */
static int hear(eb_tuning* tuning) {
  char line[EB_PROBLEM_ROOM + 64];
  while (fgets(line, sizeof line, tuning->from)) {
    if (begins(line, EB_SAYS_READY)) return 1;
    if (begins(line, EB_SAYS_DONE)) tuning->done = 1;
    if (begins(line, EB_SAYS_SET) || begins(line, EB_SAYS_RESTORED)) {
      hear_change(&tuning->changes, line);
    } else if (begins(line, EB_SAYS_FAILED)) {
      keep_first(tuning->failure, line + sizeof EB_SAYS_FAILED);
    } else if (!begins(line, EB_SAYS_DONE)) {
      keep_first(tuning->remark, line);
    }
  }
  return 0;
}

static void wait_for_keeper(eb_tuning* tuning) {
  if (tuning->to >= 0) close(tuning->to);
  fclose(tuning->from);
  while (waitpid(tuning->keeper, NULL, 0) < 0 && errno == EINTR) continue;
  tuning->keeper = 0;
}

static int change_needs_root(const char* root, const char* record) {
  const eb_place place = {.root = root, .record = record};
  eb_changes changes;
  eb_record_read(record, &changes);
  int needed = 0;
  for (int i = 0; i < changes.count; i++) needed = needed || eb_change_needs_root(&place, changes.items[i].what);
  return needed;
}

eb_tuning* eb_tuning_apply(const char* root, const eb_settings* settings, const char* record) {
  eb_tuning* tuning = eb_allocate(sizeof *tuning);
  tuning->root = root;
  tuning->record = record;
  if (!settings->count) return tuning;
  const eb_place place = {.root = root, .record = record};
  char program[PATH_MAX];
  char* words[MAX_WORDS] = {"sudo", "-n", eb_path_program(program), "keep", (char*)root, (char*)record};
  int count = 6, as_root = 0;
  for (int i = 0; i < settings->count; i++) {
    words[count++] = (char*)settings->items[i];
    as_root = as_root || eb_change_needs_root(&place, settings->items[i]);
  }
  start_keeper(tuning, words, as_root);
  if (!hear(tuning)) {
    wait_for_keeper(tuning);
    eb_fail(EB_EXIT_INPUT, "cannot make these settings: %s%s", why(tuning), as_root ? " (through `sudo -n`)" : "");
  }
  return tuning;
}

void eb_tuning_report(const eb_tuning* tuning) {
  eb_json_open_list("settings");
  for (int i = 0; i < tuning->changes.count; i++) {
    const eb_change* change = &tuning->changes.items[i];
    eb_json_open_object(NULL);
    eb_json_string("what", change->what);
    eb_json_string("before", change->before);
    eb_json_string("after", change->after);
    eb_json_close_object();
  }
  eb_json_close_list();
}

/* Of a keeper that was killed. */
static void restore_left(eb_tuning* tuning) {
  char program[PATH_MAX];
  char* words[] = {"sudo", "-n", eb_path_program(program), "keep", (char*)tuning->root, (char*)tuning->record, NULL};
  start_keeper(tuning, words, change_needs_root(tuning->root, tuning->record));
  close(tuning->to);
  tuning->to = -1;
  hear(tuning);
  wait_for_keeper(tuning);
}

void eb_tuning_end(eb_tuning* tuning) {
  if (!tuning->keeper) return;
  close(tuning->to);
  tuning->to = -1;
  tuning->changes.count = 0;
  hear(tuning);
  wait_for_keeper(tuning);
  if (!tuning->done && !*tuning->failure) restore_left(tuning);
  if (!tuning->done) eb_fail(EB_EXIT_INPUT, "settings could not be put back: %s", why(tuning));
}

void eb_tuning_restore(const char* root, const char* record) {
  if (access(record, F_OK)) return;
  eb_tuning* tuning = eb_allocate(sizeof *tuning);
  tuning->root = root;
  tuning->record = record;
  restore_left(tuning);
  for (int i = 0; i < tuning->changes.count; i++) {
    const eb_change* change = &tuning->changes.items[i];
    fprintf(stderr, "%s was `%s`, is `%s`\n", change->what, change->before, change->after);
  }
  /* Somebody else may have done it meanwhile. */
  if (!tuning->done && !access(record, F_OK)) eb_fail(EB_EXIT_INPUT, "settings could not be put back: %s", why(tuning));
  free(tuning);
}
