#define _GNU_SOURCE
#include "nvpmodel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "sysfs.h"

#define ASK_SECONDS 10
#define SET_SECONDS 60
#define SAID_ROOM 4096

/* nvpmodel writes "pmode:0002", and more in newer releases. Asking itself needs root on some. */
static int from_status(const char* root) {
  char text[256];
  int mode;
  if (eb_sysfs_text(eb_sysfs_path("%s/var/lib/nvpmodel/status", root).text, text, sizeof text)) return -1;
  const char* at = strstr(text, "pmode:");
  return at && sscanf(at, "pmode:%d", &mode) == 1 ? mode : -1;
}

/* The number is a line of its own, behind that of the name. */
static int from_program(void) {
  static const char* const command[] = {"nvpmodel", "-q", NULL};
  char said[SAID_ROOM];
  int mode = -1;
  if (eb_capture(command, ASK_SECONDS, said, sizeof said)) return -1;
  for (char* line = strtok(said, "\n"); line; line = strtok(NULL, "\n")) {
    char* end;
    long number = strtol(line, &end, 10);
    if (end != line && !*end) mode = (int)number;
  }
  return mode;
}

int eb_nvpmodel_mode(const char* root) {
  int mode = from_status(root);
  return mode >= 0 ? mode : from_program();
}

const char* eb_nvpmodel_name(const char* root, int mode, char* name, size_t room) {
  char line[256], found[64];
  FILE* file = fopen(eb_sysfs_path("%s/etc/nvpmodel.conf", root).text, "re");
  const char* result = NULL;
  while (file && !result && fgets(line, sizeof line, file)) {
    int number;
    if (sscanf(line, " < POWER_MODEL ID=%d NAME=%63[^ >\n]", &number, found) != 2 || number != mode) continue;
    snprintf(name, room, "%s", found);
    result = name;
  }
  if (file) fclose(file);
  return result;
}

static void last_line(char* said, char* problem, size_t room) {
  size_t end = strlen(said);
  while (end > 0 && said[end - 1] == '\n') said[--end] = '\0';
  const char* line = strrchr(said, '\n');
  snprintf(problem, room, "%s", line ? line + 1 : said);
}

int eb_nvpmodel_set(const char* root, int mode, char* problem, size_t room) {
  char number[16], said[SAID_ROOM];
  snprintf(number, sizeof number, "%d", mode);
  /* Where a mode needs a restart it asks whether to restart now. eb_capture gives it nothing to read: it gives up. */
  const char* const command[] = {"nvpmodel", "-m", number, NULL};
  int status = eb_capture(command, SET_SECONDS, said, sizeof said);
  if (strcasestr(said, "reboot")) {
    snprintf(problem, room, "nvpmodel %d needs a restart: set it, restart, and measure without it", mode);
    return -1;
  }
  if (status == EB_NOT_STARTED) {
    snprintf(problem, room, "nvpmodel is not there");
    return -1;
  }
  if (status == EB_TIMED_OUT) {
    snprintf(problem, room, "nvpmodel %d was not done within %d seconds", mode, SET_SECONDS);
    return -1;
  }
  if (status != 0 || eb_nvpmodel_mode(root) != mode) {
    char why[256];
    last_line(said, why, sizeof why);
    snprintf(problem, room, "nvpmodel %d was refused: %s", mode, *why ? why : "it does not say why");
    return -1;
  }
  return 0;
}
