#define _GNU_SOURCE
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/fail.h"
#include "../../runtime/json.h"
#include "../../runtime/machine.h"
#include "lock.h"
#include "measure.h"
#include "../system/paths.h"
#include "../system/wait.h"

/* To put everything in order on request; tools such as nvpmodel are slow. */
static const double kPatienceS = 60;
static const double kPollS = 0.02;

static char partial_exit_path[PATH_MAX], exit_path[PATH_MAX];

int eb_job_process(const char* job, eb_process* process) {
  char path[PATH_MAX];
  if (access(job, F_OK)) eb_fail(EB_EXIT_INPUT, "there is no job `%s`: %s", job, strerror(errno));
  FILE* file = fopen(eb_path_in(path, job, "pid"), "re");
  if (!file && errno == ENOENT) return 0;
  if (!file) eb_fail(EB_EXIT_INPUT, "cannot read `%s`: %s", path, strerror(errno));
  if (!eb_process_read(process, file)) eb_fail(EB_EXIT_INPUT, "`%s` names no process", path);
  fclose(file);
  return 1;
}

/* The file has its size before the job begins, so that its end can be written down on a full disk. */
static void write_exit(int code) {
  FILE* file = fopen(partial_exit_path, "r+e");
  if (!file) file = fopen(partial_exit_path, "we");
  if (!file) eb_fail(EB_EXIT_UNFORESEEN, "cannot write `%s`: %s", partial_exit_path, strerror(errno));
  fprintf(file, "%d   \n", code);
  if (fclose(file)) eb_fail(EB_EXIT_UNFORESEEN, "cannot write `%s`: %s", partial_exit_path, strerror(errno));
}

static void publish_exit(int code) {
  write_exit(code);
  rename(partial_exit_path, exit_path);
}

static void give_up(int exit_code, const char* message) {
  eb_measure_give_up(exit_code, message);
  publish_exit(exit_code);
}

static void redirect(int descriptor, const char* path, int flags) {
  const int file = open(path, flags | O_CLOEXEC, 0644);
  if (file < 0) eb_fail(EB_EXIT_INPUT, "cannot open `%s`: %s", path, strerror(errno));
  dup2(file, descriptor);
  close(file);
}

static _Noreturn void run(const char* job, const eb_plan* plan, int go) {
  char path[PATH_MAX], events[PATH_MAX], power[PATH_MAX], tuning[PATH_MAX], folder[PATH_MAX];
  char byte;
  setsid();
  /* The end of the pipe without a word: whoever starts this has been killed, and nobody knows of this process. */
  if (read(go, &byte, 1) != 1) _exit(EB_EXIT_UNFORESEEN);
  close(go);
  eb_on_fail(give_up);
  redirect(STDERR_FILENO, eb_path_in(path, job, "stderr"), O_WRONLY | O_CREAT | O_APPEND);
  redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
  redirect(STDOUT_FILENO, "/dev/null", O_WRONLY);
  const eb_measure_files files = {
      .events = eb_path_in(events, job, "events"),
      .power = eb_path_in(power, job, "power"),
      .folder = eb_path_parent(folder, job, 2),
      .tuning = eb_path_in(tuning, job, "tuning"),
  };
  eb_measure(plan, &files);
  publish_exit(EB_EXIT_OK);
  exit(EB_EXIT_OK);
}

static void write_process(const char* job, pid_t id, eb_process* process) {
  char path[PATH_MAX], partial[PATH_MAX];
  if (!eb_process_find(id, process)) eb_fail(EB_EXIT_UNFORESEEN, "cannot see process %d", (int)id);
  FILE* file = fopen(eb_path_in(partial, job, ".pid"), "we");
  if (file) eb_process_write(process, file);
  if (!file || fclose(file) || rename(partial, eb_path_in(path, job, "pid"))) {
    eb_fail(EB_EXIT_UNFORESEEN, "cannot write `%s`: %s", partial, strerror(errno));
  }
}

static void start(const char* job, eb_process* process) {
  char path[PATH_MAX], folder[PATH_MAX];
  const eb_plan plan = eb_plan_read(eb_path_in(path, job, "plan"));
  eb_lock_take(eb_path_parent(folder, job, 2), job);
  if (eb_job_process(job, process)) return; /* another has started it meanwhile, and it has ended */
  eb_path_in(partial_exit_path, job, ".exit");
  eb_path_in(exit_path, job, "exit");
  write_exit(EB_EXIT_UNFORESEEN);
  int go[2];
  if (pipe2(go, O_CLOEXEC)) eb_fail(EB_EXIT_UNFORESEEN, "cannot make a pipe: %s", strerror(errno));
  const pid_t id = fork();
  if (id < 0) eb_fail(EB_EXIT_UNFORESEEN, "cannot start a process: %s", strerror(errno));
  if (!id) {
    close(go[1]);
    run(job, &plan, go[0]);
  }
  write_process(job, id, process);
  if (write(go[1], "", 1) != 1) eb_fail(EB_EXIT_UNFORESEEN, "the job's process is gone");
}

int eb_job_start(const char* job) {
  char whole[PATH_MAX];
  eb_process process;
  if (!realpath(job, whole)) eb_fail(EB_EXIT_INPUT, "there is no job `%s`: %s", job, strerror(errno));
  if (!eb_job_process(whole, &process)) start(whole, &process);
  eb_json_begin();
  eb_json_integer("pid", process.id);
  eb_json_end();
  return EB_EXIT_OK;
}

static int has_exit(const char* job) {
  char path[PATH_MAX];
  return !access(eb_path_in(path, job, "exit"), F_OK);
}

static int64_t in_seconds(double seconds) { return eb_now_ns() + (int64_t)(seconds * 1e9); }

int eb_job_stop(const char* job) {
  eb_process process;
  if (!eb_job_process(job, &process)) return EB_EXIT_OK;
  if (!eb_process_runs(&process)) {
    if (has_exit(job) || !eb_process_may_have_group(&process)) return EB_EXIT_OK;
  } else {
    kill(process.id, SIGTERM);
    kill(process.id, SIGCONT); /* it may have been halted */
  }
  const int64_t patience_ns = in_seconds(kPatienceS);
  while (eb_process_runs(&process)) {
    if (eb_now_ns() > patience_ns) kill(process.id, SIGKILL);
    eb_wait_until(in_seconds(kPollS));
  }
  /* The keeper of settings is left some time to put them back. Without it nothing should be left. */
  const int64_t end_ns = in_seconds(kPatienceS);
  while (eb_group_signal(process.id, eb_now_ns() > end_ns ? SIGKILL : 0)) eb_wait_until(in_seconds(kPollS));
  return EB_EXIT_OK;
}
