#define _GNU_SOURCE
#include "wait.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "../../runtime/fail.h"
#include "../../runtime/machine.h"

static const int kEnding[] = {SIGTERM, SIGINT, SIGHUP};
enum { ENDINGS = sizeof kEnding / sizeof *kEnding };

static sigset_t outside;
static volatile sig_atomic_t asked; /* the signal that asks to end */

static void ask(int signal) {
  if (!asked) asked = signal;
}

static void wake(int signal) { (void)signal; }

void eb_wait_prepare(void) {
  sigset_t blocked;
  sigemptyset(&blocked);
  struct sigaction action = {.sa_handler = ask};
  for (int i = 0; i < ENDINGS; i++) {
    sigaddset(&blocked, kEnding[i]);
    sigaction(kEnding[i], &action, NULL);
  }
  sigaddset(&blocked, SIGCHLD);
  action.sa_handler = wake;
  sigaction(SIGCHLD, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
  sigprocmask(SIG_BLOCK, &blocked, &outside);
}

void eb_wait_undo(void) {
  for (int i = 0; i < ENDINGS; i++) signal(kEnding[i], SIG_DFL);
  signal(SIGCHLD, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
  sigprocmask(SIG_SETMASK, &outside, NULL);
}

int eb_wait(struct pollfd* descriptors, int count, int64_t until_ns) {
  static int told;
  int64_t left_ns = until_ns - eb_now_ns();
  if (left_ns < 0) left_ns = 0;
  const struct timespec left = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
  const int ready = ppoll(descriptors, (nfds_t)count, &left, &outside);
  const int interrupted = ready < 0 && errno == EINTR;
  if (asked && !told) {
    told = 1; /* what puts things in order waits as well */
    eb_fail(128 + asked, "ended by signal %d (%s)", (int)asked, strsignal(asked));
  }
  if (ready < 0 && !interrupted) eb_fail(EB_EXIT_UNFORESEEN, "cannot wait: %s", strerror(errno));
  if (interrupted) {
    for (int i = 0; i < count; i++) descriptors[i].revents = 0;
  }
  return ready > 0 || interrupted;
}

void eb_wait_until(int64_t until_ns) {
  while (eb_wait(NULL, 0, until_ns)) continue;
}
