/* Source of the format: raspberrypi/utils, vcgencmd/vcgencmd.c. */
#include "mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GET_GENCMD_RESULT 0x00030080
#define MAILBOX_PROPERTY _IOWR(100, 0, char*)

/* A property message with one tag. */
typedef struct {
  uint32_t bytes;
  uint32_t code;
  uint32_t tag;
  uint32_t tag_bytes;
  uint32_t tag_code;
  uint32_t status; /* of the command; the text follows */
  char text[EB_MAILBOX_ROOM];
  uint32_t end;
} message;

int eb_mailbox_open(const char* root) {
  static const char* const devices[] = {"/dev/vcio_gencmd", "/dev/vcio"};
  int reason = ENOENT;
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", root, devices[i]);
    int mailbox = open(path, O_RDONLY | O_CLOEXEC);
    if (mailbox >= 0) return mailbox;
    if (errno != ENOENT) reason = errno;
  }
  errno = reason;
  return -1;
}

int eb_mailbox_ask(int mailbox, const char* text, char* answer, size_t room) {
  size_t length = strlen(text);
  if (length >= EB_MAILBOX_ROOM || room == 0) {
    errno = EMSGSIZE;
    return -1;
  }
  message asked = {.bytes = sizeof asked, .tag = GET_GENCMD_RESULT, .tag_bytes = sizeof asked.text};
  memcpy(asked.text, text, length);
  if (ioctl(mailbox, MAILBOX_PROPERTY, &asked) < 0) return -1;
  asked.text[sizeof asked.text - 1] = '\0';
  /* Behind a short answer the end of the question may still stand. */
  size_t first = strlen(asked.text) + 1;
  if (first < length && !memcmp(asked.text + first, text + first, length - first)) {
    memset(asked.text + first, 0, length - first);
  }
  if (asked.status || !strncmp(asked.text, "error=", 6)) {
    errno = EPROTO;
    return -1;
  }
  /* Some firmware ends each line of an answer with NUL: all that is not NUL counts. */
  size_t end = sizeof asked.text;
  while (end > 0 && !asked.text[end - 1]) end--;
  size_t written = end < room ? end : room - 1;
  for (size_t i = 0; i < written; i++) answer[i] = asked.text[i] ? asked.text[i] : '\n';
  answer[written] = '\0';
  return 0;
}

int eb_mailbox_command(const char* root, const char* text, char* answer, size_t room) {
  int mailbox = eb_mailbox_open(root);
  if (mailbox < 0) return -1;
  int failed = eb_mailbox_ask(mailbox, text, answer, room);
  int reason = errno;
  close(mailbox);
  errno = reason;
  return failed;
}
