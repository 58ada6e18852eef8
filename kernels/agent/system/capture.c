#define _GNU_SOURCE
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/machine.h"

#define USUAL_FOLDERS "/usr/sbin:/usr/bin:/sbin:/bin"
#define PATIENCE_MS 20

static const char* search(const char* folders, const char* name, char* path, size_t room) {
  while (*folders) {
    size_t length = strcspn(folders, ":");
    if (length > 0 && (size_t)snprintf(path, room, "%.*s/%s", (int)length, folders, name) < room &&
        !access(path, X_OK)) {
      return path;
    }
    folders += length;
    if (*folders) folders++;
  }
  return NULL;
}

const char* eb_program(const char* name, char* path, size_t room) {
  const char* folders = getenv("PATH");
  const char* found = folders ? search(folders, name, path, room) : NULL;
  return found ? found : search(USUAL_FOLDERS, name, path, room);
}

_Noreturn static void become(const char* path, const char* const* command, int output) {
  setpgid(0, 0);
  /* It must not change anything any more once whoever asked is gone, and what it has set is put back. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(127);
  execv(path, (char* const*)command);
  _exit(127);
}

/* Reads until the program has ended, or time is up. */
static int listen_to(pid_t program, int output, int64_t deadline_ns, char* said, size_t room) {
  size_t length = 0;
  int status = 0;
  int ended = 0;
  for (;;) {
    struct pollfd waiting = {.fd = output, .events = POLLIN};
    if (poll(&waiting, 1, PATIENCE_MS) > 0) {
      char more[512];
      ssize_t count = read(output, more, sizeof more);
      for (ssize_t i = 0; i < count && length + 1 < room; i++) said[length++] = more[i];
      if (count > 0) continue;
      if (!ended) usleep(PATIENCE_MS * 1000);
    }
    /* Whatever it has started in the background may hold the pipe open for ever. */
    if (ended) break;
    ended = waitpid(program, &status, WNOHANG) == program;
    if (!ended && eb_now_ns() > deadline_ns) {
      kill(-program, SIGKILL);
      waitpid(program, &status, WNOHANG);
      status = -1;
      break;
    }
  }
  said[length] = '\0';
  if (status == -1) return EB_TIMED_OUT;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int eb_capture(const char* const* command, double seconds, char* said, size_t room) {
  char path[PATH_MAX];
  int ends[2];
  said[0] = '\0';
  if (!eb_program(command[0], path, sizeof path) || pipe2(ends, O_CLOEXEC)) return EB_NOT_STARTED;
  pid_t program = fork();
  if (program == 0) become(path, command, ends[1]);
  close(ends[1]);
  int status = EB_NOT_STARTED;
  if (program > 0) status = listen_to(program, ends[0], eb_now_ns() + (int64_t)(seconds * 1e9), said, room);
  close(ends[0]);
  return status;
}
