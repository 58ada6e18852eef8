#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../system/sysfs.h"

#define PAUSE_MS 50
#define LINE_ROOM (3 * EB_WORD_ROOM + 8)

int eb_record_hold(const char* path, int make, int patience_seconds) {
  int record = open(path, O_RDWR | O_APPEND | O_CLOEXEC | (make ? O_CREAT | O_EXCL : 0), 0644);
  if (record < 0) return -1;
  for (int left_ms = 1000 * patience_seconds;; left_ms -= PAUSE_MS) {
    if (!flock(record, LOCK_EX | LOCK_NB)) return record;
    if (errno != EWOULDBLOCK || left_ms <= 0) break;
    usleep(1000 * PAUSE_MS);
  }
  int reason = errno;
  close(record);
  errno = reason;
  return -1;
}

int eb_record_is_held(const char* path) {
  int record = open(path, O_RDONLY | O_CLOEXEC);
  if (record < 0) return 0;
  int held = flock(record, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
  close(record);
  return held;
}

int eb_record_add(int record, const eb_change* change) {
  char line[LINE_ROOM];
  int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", change->what, change->before, change->after);
  if (write(record, line, (size_t)length) != length) return -1;
  return fsync(record);
}

void eb_record_read(const char* path, eb_changes* changes) {
  changes->count = 0;
  FILE* file = fopen(path, "re");
  char line[LINE_ROOM];
  while (file && changes->count < EB_MAX_CHANGES && fgets(line, sizeof line, file)) {
    eb_change* change = &changes->items[changes->count];
    char end;
    int parts = sscanf(line, "%63[^\t\n]\t%63[^\t\n]\t%63[^\t\n]%c", change->what, change->before, change->after, &end);
    if (parts == 4 && end == '\n') changes->count++;
  }
  if (file) fclose(file);
}

void eb_record_remove(const char* path) {
  glob_t beside;
  eb_sysfs_glob(path, ".*", &beside);
  for (size_t i = 0; i < beside.gl_pathc; i++) unlink(beside.gl_pathv[i]);
  globfree(&beside);
  unlink(path);
}
