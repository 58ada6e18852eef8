#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "../../runtime/fail.h"
#include "../../runtime/machine.h"
#include "../session/buffer.h"
#include "job.h"
#include "../system/paths.h"
#include "../system/wait.h"

/* How often it looks whether the job still runs; and once it has said how it ended, for it then is about to. News of
 * its folder come by themselves, at once: what copying them disturbs is the first inference of a turn, which is not
 * counted. */
static const double kLookS = 1, kLookAtEndS = 0.01;

typedef struct {
  int file;
  eb_buffer unsent; /* what has been read and not been copied: less than a line, after copy_lines */
} source;

static void write_all(const char* bytes, size_t count) {
  while (count) {
    const ssize_t put = write(STDOUT_FILENO, bytes, count);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) eb_fail(EB_EXIT_UNFORESEEN, "cannot write: %s", strerror(errno));
    bytes += put;
    count -= (size_t)put;
  }
}

static void copy_lines(const char* path, long long offset, source* from) {
  if (from->file < 0) {
    from->file = open(path, O_RDONLY | O_CLOEXEC);
    if (from->file < 0 && errno == ENOENT) return;
    if (from->file < 0) eb_fail(EB_EXIT_INPUT, "cannot read `%s`: %s", path, strerror(errno));
    lseek(from->file, (off_t)offset, SEEK_SET);
  }
  while (eb_buffer_read(&from->unsent, from->file) > 0) {
    const char* last = memrchr(from->unsent.bytes, '\n', from->unsent.used);
    if (!last) continue;
    const size_t whole = (size_t)(last - from->unsent.bytes) + 1;
    write_all(from->unsent.bytes, whole);
    eb_buffer_drop(&from->unsent, whole);
  }
}

int eb_job_follow(const char* job, long long offset, double seconds) {
  char events[PATH_MAX], exit[PATH_MAX], news[4096];
  eb_process process;
  if (!eb_job_process(job, &process)) eb_fail(EB_EXIT_INPUT, "the job `%s` has not been started", job);
  eb_path_in(events, job, "events");
  eb_path_in(exit, job, "exit");
  const int64_t end_ns = eb_now_ns() + (int64_t)(seconds * 1e9);
  struct pollfd watch = {.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .events = POLLIN};
  if (watch.fd >= 0) inotify_add_watch(watch.fd, job, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  source from = {.file = -1};
  for (;;) {
    const int runs = eb_process_runs(&process); /* before reading: then what is read is all there is */
    const int64_t now_ns = eb_now_ns();
    copy_lines(events, offset, &from);
    if (!runs) break;
    if (now_ns >= end_ns) return EB_EXIT_OK;
    const double look_s = access(exit, F_OK) ? kLookS : kLookAtEndS;
    const int64_t look_ns = now_ns + (int64_t)(look_s * 1e9);
    eb_wait(&watch, 1, look_ns < end_ns ? look_ns : end_ns);
    while (read(watch.fd, news, sizeof news) > 0) continue;
  }
  if (access(exit, F_OK)) {
    eb_fail(EB_EXIT_UNFORESEEN, "the job has been killed, or the board was restarted");
  }
  return EB_EXIT_OK;
}
