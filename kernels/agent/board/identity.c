/* Which machine this is, and as whom the agent runs there. */
#define _GNU_SOURCE
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../../runtime/json.h"
#include "../system/mailbox.h"
#include "../system/sysfs.h"
#include "cpuinfo.h"
#include "fields.h"
#include "parts.h"

#define MAX_GROUPS 256

static const char* read_text(const char* root, const char* name, char* text, size_t room) {
  return eb_sysfs_text(eb_sysfs_path("%s%s", root, name).text, text, room) ? NULL : text;
}

/* A board's device tree names it. Of a PC the processor says more than the maker's words. */
static void write_model(const char* root) {
  char text[512];
  const char* model = read_text(root, "/proc/device-tree/model", text, sizeof text);
  if (!model) model = eb_cpuinfo_first(root, "model name", text, sizeof text);
  eb_board_string("model", model);
}

static void write_kernel(const char* root) {
  struct utsname system;
  uname(&system);
  char text[256];
  const char* kernel = read_text(root, "/proc/sys/kernel/osrelease", text, sizeof text);
  eb_json_string("machine", system.machine);
  eb_json_string("kernel", kernel ? kernel : system.release);
}

/* The lines of `vcgencmd version` but for the maker's, in one: "Mar 17 2023 10:50:39, version 82f0… (release)". */
static int pi_firmware(const char* root, char* firmware, size_t room) {
  char answer[EB_MAILBOX_ROOM];
  if (eb_mailbox_command(root, "version", answer, sizeof answer)) return 0;
  size_t length = 0;
  firmware[0] = '\0';
  for (char* line = strtok(answer, "\n"); line; line = strtok(NULL, "\n")) {
    while (*line == ' ') line++;
    while (*line && line[strlen(line) - 1] == ' ') line[strlen(line) - 1] = '\0';
    if (!*line || !strncmp(line, "Copyright", 9) || length >= room) continue;
    length += (size_t)snprintf(firmware + length, room - length, "%s%s", length ? ", " : "", line);
  }
  return length > 0;
}

/* "# R32 (release), REVISION: 7.1, GCID: …" is L4T 32.7.1. */
static int jetson_firmware(const char* root, char* firmware, size_t room) {
  char text[1024];
  int major;
  char minor[32];
  if (!read_text(root, "/etc/nv_tegra_release", text, sizeof text)) return 0;
  if (sscanf(text, "# R%d (release), REVISION: %31[0-9.]", &major, minor) != 2) return 0;
  snprintf(firmware, room, "L4T %d.%s", major, minor);
  return 1;
}

static void write_user(const char* root) {
  char number[16];
  snprintf(number, sizeof number, "%u", (unsigned)geteuid());
  const char* name = number;
  FILE* file = fopen(eb_sysfs_path("%s/etc/passwd", root).text, "re");
  for (struct passwd* entry; file && name == number && (entry = fgetpwent(file));) {
    if (entry->pw_uid == geteuid()) name = entry->pw_name;
  }
  eb_json_string("user", name);
  if (file) fclose(file);
}

static void write_groups(const char* root) {
  gid_t groups[MAX_GROUPS + 1];
  int count = getgroups(MAX_GROUPS, groups);
  if (count < 0) count = 0;
  groups[count++] = getegid();
  eb_json_open_list("groups");
  FILE* file = fopen(eb_sysfs_path("%s/etc/group", root).text, "re");
  for (struct group* entry; file && (entry = fgetgrent(file));) {
    int is_in = 0;
    for (int i = 0; i < count; i++) is_in = is_in || groups[i] == entry->gr_gid;
    if (is_in) eb_json_string(NULL, entry->gr_name);
  }
  if (file) fclose(file);
  eb_json_close_list();
}

void eb_board_identity(const char* root) {
  char firmware[512] = "";
  write_model(root);
  write_kernel(root);
  int known = pi_firmware(root, firmware, sizeof firmware) || jetson_firmware(root, firmware, sizeof firmware);
  eb_board_string("firmware", known ? firmware : NULL);
  write_user(root);
  write_groups(root);
}
