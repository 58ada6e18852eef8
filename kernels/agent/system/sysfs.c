#define _GNU_SOURCE
#include "sysfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fail.h"

void eb_sysfs_glob(const char* root, const char* pattern, glob_t* found) {
  char full[2 * PATH_MAX];
  size_t length = 0;
  for (const char* c = root; *c && length < PATH_MAX; c++) {
    if (strchr("*?[]\\", *c)) full[length++] = '\\';
    full[length++] = *c;
  }
  snprintf(full + length, sizeof full - length, "%s", pattern);
  int failed = glob(full, 0, NULL, found);
  if (failed == GLOB_NOSPACE) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
}

eb_path eb_sysfs_path(const char* format, ...) {
  eb_path path;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(path.text, sizeof path.text, format, arguments);
  va_end(arguments);
  return path;
}

int eb_sysfs_there(const char* path) { return !access(path, F_OK); }

int eb_sysfs_text(const char* path, char* text, size_t room) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, room - 1);
  int reason = errno;
  close(file);
  errno = reason;
  if (length < 0) return -1;
  while (length > 0 && (!text[length - 1] || isspace((unsigned char)text[length - 1]))) length--;
  text[length] = '\0';
  return 0;
}

int eb_sysfs_integer(const char* path, int64_t* value) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  int failed = eb_sysfs_again(file, value);
  int reason = errno;
  close(file);
  errno = reason;
  return failed;
}

int eb_sysfs_again(int file, int64_t* value) {
  char text[32];
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  if (length < 0) return -1;
  text[length] = '\0';
  const char* c = text;
  int negative = *c == '-';
  c += negative;
  const char* digits = c;
  int64_t number = 0;
  for (; *c >= '0' && *c <= '9' && c - digits < 18; c++) number = 10 * number + (*c - '0');
  if (c == digits || (*c && !isspace((unsigned char)*c))) {
    errno = EINVAL;
    return -1;
  }
  *value = negative ? -number : number;
  return 0;
}
