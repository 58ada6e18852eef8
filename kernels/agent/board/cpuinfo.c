#define _GNU_SOURCE
#include "cpuinfo.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../system/sysfs.h"

static char* trimmed(char* text) {
  while (isspace((unsigned char)*text)) text++;
  char* end = text + strlen(text);
  while (end > text && isspace((unsigned char)end[-1])) end--;
  *end = '\0';
  return text;
}

void eb_cpuinfo_read(const char* root, void (*see)(const char* key, const char* value, void* context), void* context) {
  FILE* file = fopen(eb_sysfs_path("%s/proc/cpuinfo", root).text, "re");
  if (!file) return;
  char* line = NULL;
  size_t room = 0;
  while (getline(&line, &room, file) >= 0) {
    char* colon = strchr(line, ':');
    if (!colon) continue;
    *colon = '\0';
    see(trimmed(line), trimmed(colon + 1), context);
  }
  free(line);
  fclose(file);
}

typedef struct {
  const char* key;
  char* text;
  size_t room;
  int found;
} question;

static void answer(const char* key, const char* value, void* context) {
  question* asked = context;
  if (asked->found || strcmp(key, asked->key) != 0) return;
  snprintf(asked->text, asked->room, "%s", value);
  asked->found = 1;
}

const char* eb_cpuinfo_first(const char* root, const char* key, char* text, size_t room) {
  question asked = {.key = key, .text = text, .room = room};
  eb_cpuinfo_read(root, answer, &asked);
  return asked.found ? text : NULL;
}
