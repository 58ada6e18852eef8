/* Stands in for the firmware of a Pi, linked with `-Wl,--wrap=ioctl`: the answer to a question is what the file of its
 * name holds in the folder $FAKE_MAILBOX, byte for byte; without such a file the firmware does not know the command. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TEXT_BYTES 4096

/* As the firmware sees the message: words, of which the seventh begins the text. */
static int answer(uint32_t* words) {
  const uint32_t expected[] = {(7 + TEXT_BYTES / 4) * 4, 0, 0x00030080, TEXT_BYTES, 0, 0};
  for (int i = 0; i < 6; i++) {
    if (words[i] != expected[i]) return errno = EINVAL, -1;
  }
  char* text = (char*)(words + 6);
  char path[PATH_MAX + TEXT_BYTES];
  snprintf(path, sizeof path, "%s/%s", getenv("FAKE_MAILBOX"), text);
  int file = open(path, O_RDONLY);
  if (file < 0) {
    strcpy(text, "error=1 error_msg=\"Command not registered\"");
    return 0;
  }
  ssize_t length = pread(file, text, TEXT_BYTES - 1, 0);
  close(file);
  if (length < 0) return -1;
  text[length] = '\0'; /* what else the question was stays behind it */
  words[1] = 0x80000000u;
  words[4] = 0x80000000u | (uint32_t)length;
  return 0;
}

int __wrap_ioctl(int file, int request, ...) {
  (void)file;
  if ((unsigned)request != (unsigned)_IOWR(100, 0, char*)) return errno = ENOTTY, -1;
  va_list arguments;
  va_start(arguments, request);
  uint32_t* message = va_arg(arguments, uint32_t*);
  va_end(arguments);
  return answer(message);
}
