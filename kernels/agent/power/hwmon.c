/* Sensors of hwmon, each by its own name: what they measure only the user knows.
 *
 * Source: Documentation/hwmon/sysfs-interface.rst and ina2xx.rst of Linux for the units. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rails.h"
#include "source.h"
#include "../system/sysfs.h"

#define CHIPS "/sys/class/hwmon/hwmon*"

static const char boundary[] = "as wired by the user: edgebin cannot know what this sensor measures";

/* Kinds of files, the better one first: of one number only the first kind that is there counts. */
typedef struct {
  const char* stem;
  const char* end;
  double unit;
  int counts_energy;
  const char* times; /* stem of the file to multiply with; its label counts as well */
} kind;

static const kind kinds[] = {
    {"power", "_input", 1e-6, 0, NULL},
    {"power", "_average", 1e-6, 0, NULL},
    {"energy", "_input", 1e-6, 1, NULL},
    {"curr", "_input", 1e-6, 0, "in"},
};

/* The number in `path` if the file is of this kind, -1 otherwise. */
static int number_of(const kind* what, const char* path) {
  const char* name = strrchr(path, '/') + 1;
  int number, length = 0;
  if (strncmp(name, what->stem, strlen(what->stem))) return -1;
  if (sscanf(name + strlen(what->stem), "%d%n", &number, &length) != 1) return -1;
  return strcmp(name + strlen(what->stem) + length, what->end) ? -1 : number;
}

/* Whether the chip has the same channel in a kind that is preferred to this. */
static int superseded(const kind* what, const char* folder, int number) {
  for (const kind* better = kinds; better < what; better++) {
    if (better->counts_energy != what->counts_energy) continue;
    if (eb_sysfs_there(eb_sysfs_path("%s/%s%d%s", folder, better->stem, number, better->end).text)) return 1;
  }
  return 0;
}

static int is_named(const eb_sources* sources, const char* name) {
  for (int i = 0; i < sources->count; i++) {
    if (!strcmp(sources->items[i].name, name)) return 1;
  }
  return 0;
}

static void add_sensor(eb_sources* sources, const char* folder, const char* chip, const kind* what, int number) {
  eb_path first = eb_sysfs_path("%s/%s%d%s", folder, what->stem, number, what->end);
  eb_path second = eb_sysfs_path("%s/%s%d_input", folder, what->times ? what->times : "", number);
  if (superseded(what, folder, number) || (what->times && !eb_sysfs_there(second.text))) return;
  char stem[EB_LABEL_ROOM], label[EB_LABEL_ROOM] = "", name[2 * EB_LABEL_ROOM];
  snprintf(stem, sizeof stem, "%s%d", what->stem, number);
  if (eb_sysfs_text(eb_sysfs_path("%s/%s_label", folder, stem).text, label, sizeof label) && what->times) {
    eb_sysfs_text(eb_sysfs_path("%s/%s%d_label", folder, what->times, number).text, label, sizeof label);
  }
  snprintf(name, sizeof name, "hwmon:%s:%s", chip, label[0] ? label : stem);
  if (is_named(sources, name)) snprintf(name, sizeof name, "hwmon:%s:%s", chip, stem);
  eb_source* source = eb_source_add(sources, name, boundary, 'B');
  source->counts_energy = what->counts_energy;
  source->read = what->counts_energy ? eb_rails_energy : eb_rails_power;
  eb_channel* channel = eb_source_channel(source, label[0] ? label : stem, 1);
  eb_rail_open(source, channel, first.text, what->times ? second.text : NULL, what->unit);
  eb_source_note(source, "samples", eb_sysfs_path("%s/samples", folder).text);
  eb_source_note(source, "update_interval_ms", eb_sysfs_path("%s/update_interval", folder).text);
  eb_source_note(source, "shunt_resistor_uohm", eb_sysfs_path("%s/shunt_resistor", folder).text);
}

/* The chip's name; with the address of its device where several chips have this name. */
static void name_chip(const glob_t* chips, size_t which, char* name, size_t room) {
  const char* folder = chips->gl_pathv[which];
  if (eb_sysfs_text(eb_sysfs_path("%s/name", folder).text, name, room)) snprintf(name, room, "%s", "unnamed");
  int same = 0;
  for (size_t i = 0; i < chips->gl_pathc; i++) {
    char other[EB_LABEL_ROOM];
    eb_path path = eb_sysfs_path("%s/name", chips->gl_pathv[i]);
    same += !eb_sysfs_text(path.text, other, sizeof other) && !strcmp(name, other);
  }
  if (same < 2) return;
  eb_path device = {{0}};
  ssize_t length = readlink(eb_sysfs_path("%s/device", folder).text, device.text, sizeof device.text - 1);
  const char* address = strrchr(length > 0 ? device.text : folder, '/');
  snprintf(name + strlen(name), room - strlen(name), "@%.31s", address ? address + 1 : device.text);
}

static int jetson_has(const eb_sources* sources) {
  for (int i = 0; i < sources->count; i++) {
    if (!strcmp(sources->items[i].name, "ina3221") && !sources->items[i].problem[0]) return 1;
  }
  return 0;
}

void eb_hwmon_find(const char* root, eb_sources* sources) {
  glob_t chips;
  eb_sysfs_glob(root, CHIPS, &chips);
  int has_ina3221 = jetson_has(sources);
  for (size_t i = 0; i < chips.gl_pathc; i++) {
    char chip[EB_LABEL_ROOM];
    name_chip(&chips, i, chip, sizeof chip);
    if (has_ina3221 && !strncmp(chip, "ina3221", 7)) continue;
    for (const kind* what = kinds; what < kinds + sizeof kinds / sizeof *kinds; what++) {
      glob_t files;
      eb_sysfs_glob(chips.gl_pathv[i], eb_sysfs_path("/%s*%s", what->stem, what->end).text, &files);
      for (size_t j = 0; j < files.gl_pathc; j++) {
        int number = number_of(what, files.gl_pathv[j]);
        if (number >= 0) add_sensor(sources, chips.gl_pathv[i], chip, what, number);
      }
      globfree(&files);
    }
  }
  globfree(&chips);
}
