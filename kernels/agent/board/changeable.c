/* What could be set for a measurement, and what an earlier one has left set. */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/json.h"
#include "../system/capture.h"
#include "../system/nvpmodel.h"
#include "../system/sysfs.h"
#include "../tuning/record.h"
#include "fields.h"
#include "parts.h"

#define SUDO_SECONDS 10

static int is_there(const char* program) {
  char path[PATH_MAX];
  return eb_program(program, path, sizeof path) != NULL;
}

static void write_nvpmodel(const char* root) {
  char name[64];
  int mode = eb_nvpmodel_mode(root);
  if (mode < 0) {
    eb_json_null("nvpmodel");
    return;
  }
  eb_json_open_object("nvpmodel");
  eb_json_integer("mode", mode);
  eb_board_string("name", eb_nvpmodel_name(root, mode, name, sizeof name));
  eb_json_close_object();
}

static int governors_writable(const char* root) {
  glob_t policies;
  eb_sysfs_glob(root, "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor", &policies);
  int writable = policies.gl_pathc > 0;
  for (size_t i = 0; i < policies.gl_pathc; i++) writable = writable && !access(policies.gl_pathv[i], W_OK);
  globfree(&policies);
  return writable;
}

static int may_sudo(void) {
  static const char* const command[] = {"sudo", "-n", "true", NULL};
  char said[256];
  return geteuid() == 0 || eb_capture(command, SUDO_SECONDS, said, sizeof said) == 0;
}

/* The job's name is its folder's. */
static void write_left(const char* folder) {
  glob_t records;
  eb_sysfs_glob(folder ? folder : "", "/jobs/*/tuning", &records);
  eb_json_open_list("left_tuning");
  for (size_t i = 0; folder && i < records.gl_pathc; i++) {
    if (eb_record_is_held(records.gl_pathv[i])) continue;
    char* path = records.gl_pathv[i];
    *strrchr(path, '/') = '\0';
    eb_json_string(NULL, strrchr(path, '/') + 1);
  }
  eb_json_close_list();
  globfree(&records);
}

void eb_board_changeable(const char* root, const char* folder) {
  write_nvpmodel(root);
  eb_json_open_object("tuning");
  eb_json_boolean("governor_writable", governors_writable(root));
  eb_json_boolean("sudo", may_sudo());
  eb_json_boolean("nvpmodel", is_there("nvpmodel"));
  eb_json_boolean("jetson_clocks", is_there("jetson_clocks"));
  eb_json_close_object();
  write_left(folder);
}
