#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../../runtime/fail.h"
#include "job.h"
#include "../system/paths.h"

void eb_lock_take(const char* folder, const char* job) {
  char path[PATH_MAX], holder[PATH_MAX];
  const int file = open(eb_path_in(path, folder, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) eb_fail(EB_EXIT_INPUT, "cannot open `%s`: %s", path, strerror(errno));
  if (flock(file, LOCK_EX | LOCK_NB)) {
    if (errno != EWOULDBLOCK) eb_fail(EB_EXIT_UNFORESEEN, "cannot lock `%s`: %s", path, strerror(errno));
    const ssize_t length = read(file, holder, sizeof holder - 1);
    holder[length > 0 ? length : 0] = '\0';
    eb_fail(EB_EXIT_BUSY, "the board is busy: job `%s` is running", holder);
  }
  const char* name = strrchr(job, '/') + 1;
  if (ftruncate(file, 0) || pwrite(file, name, strlen(name), 0) < 0) {
    eb_fail(EB_EXIT_UNFORESEEN, "cannot write `%s`: %s", path, strerror(errno));
  }
}
