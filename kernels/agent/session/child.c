#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/fail.h"
#include "../../runtime/machine.h"
#include "placement.h"
#include "../system/wait.h"

enum { KEPT_COMPLAINTS = 8192, MOST_SAID = 64 << 20 };

extern char** environ;

static eb_child* running;

typedef struct {
  int error;
  enum { PINNING, STARTING } at;
} start_failure;

static char** environment_with(char** added, int count) {
  int own = 0;
  while (environ[own]) own++;
  char** all = eb_allocate(((size_t)own + (size_t)count + 1) * sizeof *all);
  int kept = 0;
  for (int i = 0; i < own; i++) {
    const size_t name = strcspn(environ[i], "=") + 1;
    int replaced = 0;
    for (int j = 0; j < count; j++) replaced |= !strncmp(environ[i], added[j], name);
    if (!replaced) all[kept++] = environ[i];
  }
  for (int j = 0; j < count; j++) all[kept + j] = added[j];
  return all;
}

static _Noreturn void become(const eb_program* program, char** environment, const int64_t* cores, int core_count,
                             const int pipes[4], pid_t parent) {
  start_failure failure = {.at = STARTING};
  eb_wait_undo();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127); /* it was killed before the line above */
  for (int i = 0; i < 3; i++) dup2(pipes[i], i);
  if (!eb_placement_of_child(cores, core_count)) {
    failure.at = PINNING;
  } else {
    execvpe(program->argv[0], program->argv, environment);
  }
  failure.error = errno;
  while (write(pipes[3], &failure, sizeof failure) < 0 && errno == EINTR) continue;
  _exit(127);
}

static void open_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC)) eb_fail(EB_EXIT_UNFORESEEN, "cannot make a pipe: %s", strerror(errno));
}

int eb_child_start(eb_child* child, const eb_program* program, const int64_t* cores, int core_count,
                   const char** what) {
  int in[2], out[2], err[2], failed[2];
  open_pipe(in);
  open_pipe(out);
  open_pipe(err);
  open_pipe(failed);
  char** environment = environment_with(program->environment, program->environment_count);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) eb_fail(EB_EXIT_UNFORESEEN, "cannot start a process: %s", strerror(errno));
  if (!pid) become(program, environment, cores, core_count, (int[]){in[0], out[1], err[1], failed[1]}, parent);
  free(environment);
  close(in[0]);
  close(out[1]);
  close(err[1]);
  close(failed[1]);
  *child = (eb_child){.pid = pid, .in = in[1], .out = out[0], .err = err[0], .next = running};
  running = child;
  start_failure failure;
  ssize_t got;
  do {
    got = read(failed[0], &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  close(failed[0]);
  if (got <= 0) return 0;
  eb_child_end(child, 0);
  *what = failure.at == PINNING ? "cannot use its cores" : "cannot start";
  errno = failure.error;
  return -1;
}

void eb_child_say(eb_child* child, const char* line) {
  size_t left = strlen(line);
  while (left && child->in >= 0) {
    const ssize_t put = write(child->in, line, left);
    if (put < 0 && errno != EINTR) return; /* it has ended, as reading its answer will show */
    if (put > 0) {
      line += put;
      left -= (size_t)put;
    }
  }
}

static void close_end(int* descriptor) {
  if (*descriptor >= 0) close(*descriptor);
  *descriptor = -1;
}

void eb_child_close_input(eb_child* child) { close_end(&child->in); }

static void take(eb_buffer* buffer, int* descriptor) {
  if (eb_buffer_read(buffer, *descriptor) <= 0) close_end(descriptor);
}

static void reap(eb_child* child, int options) {
  int status;
  if (!child->pid || waitpid(child->pid, &status, options) != child->pid) return;
  child->pid = 0;
  child->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  child->exit = child->signal ? 128 + child->signal : WEXITSTATUS(status);
}

/* Takes what there is, or waits for some. 0: the time is over, or the program has ended and all is taken. */
static int step(eb_child* child, int64_t until_ns, size_t most_complaints) {
  reap(child, WNOHANG);
  /* A program may leave others behind that hold its pipes: once it has ended, what is there now is all. */
  const int64_t until = child->pid ? until_ns : 0;
  struct pollfd ends[] = {{.fd = child->out, .events = POLLIN}, {.fd = child->err, .events = POLLIN}};
  if (!eb_wait(ends, 2, until)) return 0;
  if (ends[0].revents) take(&child->said, &child->out);
  if (ends[1].revents) take(&child->complained, &child->err);
  if (child->complained.used > 2 * most_complaints) {
    eb_buffer_drop(&child->complained, child->complained.used - most_complaints);
  }
  return 1;
}

eb_answer eb_child_line(eb_child* child, int64_t patience_ns, char** line) {
  const int64_t until_ns = eb_now_ns() + patience_ns;
  eb_buffer_drop(&child->said, child->taken);
  child->taken = 0;
  for (size_t seen = 0;;) {
    char* end = child->said.used > seen ? memchr(child->said.bytes + seen, '\n', child->said.used - seen) : NULL;
    if (end) {
      *end = '\0';
      *line = child->said.bytes;
      child->taken = (size_t)(end - child->said.bytes) + 1;
      return EB_LINE;
    }
    seen = child->said.used;
    if (child->out < 0 || seen > MOST_SAID) return EB_ENDED;
    if (!step(child, until_ns, KEPT_COMPLAINTS)) return child->pid ? EB_SILENT : EB_ENDED;
  }
}

int eb_child_drain(eb_child* child, int64_t patience_ns) {
  const int64_t until_ns = eb_now_ns() + patience_ns;
  while (child->pid || child->out >= 0 || child->err >= 0) {
    if (child->said.used > MOST_SAID) return 0;
    if (!step(child, until_ns, MOST_SAID)) return !child->pid;
  }
  return 1;
}

void eb_child_end(eb_child* child, int64_t patience_ns) {
  eb_child_close_input(child);
  if (!eb_child_drain(child, patience_ns) && child->pid) {
    kill(child->pid, SIGKILL);
    reap(child, 0);
    eb_child_drain(child, 0);
  }
  close_end(&child->out);
  close_end(&child->err);
  for (eb_child** link = &running; *link; link = &(*link)->next) {
    if (*link != child) continue;
    *link = child->next;
    break;
  }
}

void eb_child_free(eb_child* child) {
  eb_buffer_free(&child->said);
  eb_buffer_free(&child->complained);
}

void eb_children_kill(void) {
  while (running) eb_child_end(running, 0);
}
