/* What the machine labours under: other work, heat, and what it does against heat and low voltage. */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../runtime/json.h"
#include "../system/mailbox.h"
#include "../system/sysfs.h"
#include "parts.h"

#define TEXT_ROOM 128
#define COLDEST_MILLICELSIUS (-100000) /* Jetsons have -256 degrees for parts that are switched off */
#define MAX_ALARMS 8
#define LOOK_NS 300000000 /* 30 ticks of each processor */

static void write_load(const char* root) {
  char text[TEXT_ROOM];
  eb_json_number("load_1min",
                 eb_sysfs_text(eb_sysfs_path("%s/proc/loadavg", root).text, text, sizeof text) ? NAN : atof(text));
}

typedef struct {
  double busy, all; /* in ticks, of all processors */
} processor_time;

/* Source: proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are in user and nice already. */
static int read_processor_time(processor_time* time) {
  double ticks[8] = {0};
  FILE* stat = fopen("/proc/stat", "re");
  if (!stat) return 0;
  const int found = fscanf(stat, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1], &ticks[2], &ticks[3],
                           &ticks[4], &ticks[5], &ticks[6], &ticks[7]);
  fclose(stat);
  *time = (processor_time){0};
  for (int i = 0; i < 8; i++) time->all += ticks[i];
  time->busy = time->all - ticks[3] - ticks[4];
  return found >= 5;
}

/* How many processors others keep busy right now. The load average would not do: it has the last minute in it, and so
 * the compiler that made what is now to be measured. A recorded machine has no now. */
static void write_busy(const char* root) {
  const struct timespec look = {.tv_nsec = LOOK_NS};
  processor_time before, after;
  double busy = NAN;
  if (!*root && read_processor_time(&before)) {
    nanosleep(&look, NULL);
    if (read_processor_time(&after) && after.all > before.all) {
      busy = (after.busy - before.busy) / (after.all - before.all) * (double)sysconf(_SC_NPROCESSORS_ONLN);
    }
  }
  eb_json_number("busy_processors", busy);
}

static void write_temperatures(const char* root) {
  glob_t zones;
  eb_sysfs_glob(root, "/sys/class/thermal/thermal_zone*", &zones);
  eb_json_open_list("temperatures");
  for (size_t i = 0; i < zones.gl_pathc; i++) {
    char name[TEXT_ROOM];
    int64_t millicelsius;
    if (eb_sysfs_text(eb_sysfs_path("%s/type", zones.gl_pathv[i]).text, name, sizeof name)) continue;
    if (eb_sysfs_integer(eb_sysfs_path("%s/temp", zones.gl_pathv[i]).text, &millicelsius)) continue;
    if (millicelsius < COLDEST_MILLICELSIUS) continue;
    eb_json_open_object(NULL);
    eb_json_string("name", name);
    eb_json_number("celsius", (double)millicelsius / 1000);
    eb_json_close_object();
  }
  eb_json_close_list();
  globfree(&zones);
}

/* The firmware's own answer; the kernel's file holds one that it got earlier, and is all that there is for users who
 * may not use the mailbox. Older kernels have it, and boards differ in where. */
static const char* throttled_bits(const char* root, char* text, size_t room) {
  char answer[EB_MAILBOX_ROOM];
  if (!eb_mailbox_command(root, "get_throttled", answer, sizeof answer) && !strncmp(answer, "throttled=", 10)) {
    snprintf(text, room, "%.*s", (int)room - 1, answer + 10);
    return "firmware";
  }
  static const char* const places[] = {"/sys/devices/platform/soc*/*firmware/get_throttled",
                                       "/sys/devices/platform/*firmware/get_throttled"};
  const char* source = NULL;
  for (size_t i = 0; !source && i < sizeof places / sizeof *places; i++) {
    glob_t found;
    eb_sysfs_glob(root, places[i], &found);
    if (found.gl_pathc > 0 && !eb_sysfs_text(found.gl_pathv[0], text, room)) source = "kernel";
    globfree(&found);
  }
  return source;
}

static void write_throttled(const char* root) {
  char text[TEXT_ROOM];
  char* end = text;
  const char* source = throttled_bits(root, text, sizeof text);
  unsigned long bits = source ? strtoul(text, &end, 16) : 0;
  if (end == text) {
    eb_json_null("throttled");
    return;
  }
  eb_json_open_object("throttled");
  eb_json_string("source", source);
  eb_json_integer("bits", (int64_t)bits);
  eb_json_close_object();
}

static void write_over_current(const char* root) {
  glob_t devices;
  eb_sysfs_glob(root, "/sys/class/hwmon/hwmon*", &devices);
  eb_json_open_list("over_current");
  for (size_t i = 0; i < devices.gl_pathc; i++) {
    char name[TEXT_ROOM];
    const char* device = devices.gl_pathv[i];
    if (eb_sysfs_text(eb_sysfs_path("%s/name", device).text, name, sizeof name)) continue;
    if (strcmp(name, "soctherm_oc") != 0) continue;
    for (int alarm = 1; alarm <= MAX_ALARMS; alarm++) {
      int64_t count;
      snprintf(name, sizeof name, "oc%d", alarm);
      if (eb_sysfs_integer(eb_sysfs_path("%s/%s_event_cnt", device, name).text, &count)) continue;
      eb_json_open_object(NULL);
      eb_json_string("name", name);
      eb_json_integer("count", count);
      eb_json_close_object();
    }
  }
  eb_json_close_list();
  globfree(&devices);
}

void eb_board_strain(const char* root) {
  write_load(root);
  write_busy(root);
  write_temperatures(root);
  write_throttled(root);
  write_over_current(root);
}
