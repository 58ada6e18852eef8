/* Room for a bundle: memory and disk. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../../runtime/json.h"
#include "../system/sysfs.h"
#include "fields.h"
#include "parts.h"

static int64_t memory_bytes(const char* root, const char* key) {
  char line[256];
  FILE* file = fopen(eb_sysfs_path("%s/proc/meminfo", root).text, "re");
  int64_t bytes = -1;
  while (file && bytes < 0 && fgets(line, sizeof line, file)) {
    long long kilobytes;
    size_t length = strlen(key);
    if (!strncmp(line, key, length) && sscanf(line + length, ": %lld kB", &kilobytes) == 1) bytes = kilobytes * 1024;
  }
  if (file) fclose(file);
  return bytes;
}

/* What is left to this user where `folder` is or, before anything was copied, will be. */
static int64_t disk_bytes(const char* folder) {
  char path[PATH_MAX];
  struct statvfs disk;
  snprintf(path, sizeof path, "%s", folder ? folder : ".");
  while (statvfs(path, &disk)) {
    char* slash = strrchr(path, '/');
    if (!slash) return -1;
    slash[slash == path] = '\0'; /* "/" is the last parent */
    if (slash == path && statvfs(path, &disk)) return -1;
  }
  return (int64_t)(disk.f_bavail * disk.f_frsize);
}

void eb_board_room(const char* root, const char* folder) {
  eb_json_integer("page_bytes", sysconf(_SC_PAGESIZE));
  eb_board_integer("memory_total_bytes", memory_bytes(root, "MemTotal"));
  eb_board_integer("memory_available_bytes", memory_bytes(root, "MemAvailable"));
  eb_board_integer("disk_free_bytes", disk_bytes(folder));
}
