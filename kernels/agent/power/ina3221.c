/* The INA3221 of Jetson modules: three rails each. JetPack 4 shows them through iio, later ones through hwmon.
 *
 * Source: drivers/hwmon/ina3221.c of Linux; NVIDIA's Jetson guides for the names of the rails. */
#include <stdio.h>
#include <string.h>

#include "rails.h"
#include "source.h"
#include "../system/sysfs.h"

static const char boundary[] =
    "input of the module (POM_5V_IN or VDD_IN), in steps of some 40 mW; not the carrier board and what it feeds";

static int is_total(const char* label) { return !strcmp(label, "POM_5V_IN") || !strcmp(label, "VDD_IN"); }

static int is_rail(const char* label) {
  return label[0] && strcmp(label, "NC") && strcmp(label, "sum of shunt voltages");
}

/* How a layout names its files: `label` is a pattern, the others stand before the number of the rail and "_input". */
typedef struct {
  const char* label;
  const char* label_format; /* of the file's name, for its number */
  const char* power;
  double watts; /* for one of its power */
  const char* millivolts;
  const char* milliamperes;
} layout;

static const layout layouts[] = {
    {"/sys/bus/i2c/drivers/ina3221*/*/iio:device*/rail_name_*", "rail_name_%d", "in_power", 1e-3, "in_voltage",
     "in_current"},
    {"/sys/bus/i2c/drivers/ina3221*/*/hwmon/hwmon*/in*_label", "in%d_label", "power", 1e-6, "in", "curr"},
};

static void add_rail(eb_source* source, const layout* files, const char* folder, int number, const char* label) {
  eb_channel* channel = eb_source_channel(source, label, is_total(label));
  if (!channel) return;
  /* Without a file of power it is voltage times current. */
  eb_path power = eb_sysfs_path("%s/%s%d_input", folder, files->power, number);
  if (eb_sysfs_there(power.text)) {
    eb_rail_open(source, channel, power.text, NULL, files->watts);
  } else {
    eb_path millivolts = eb_sysfs_path("%s/%s%d_input", folder, files->millivolts, number);
    eb_path milliamperes = eb_sysfs_path("%s/%s%d_input", folder, files->milliamperes, number);
    eb_rail_open(source, channel, millivolts.text, milliamperes.text, 1e-6);
  }
  if (!channel->total) return;
  eb_source_note(source, "samples", eb_sysfs_path("%s/samples", folder).text);
  eb_source_note(source, "update_interval_ms", eb_sysfs_path("%s/update_interval", folder).text);
}

void eb_ina3221_find(const char* root, eb_sources* sources) {
  eb_source* source = NULL;
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    glob_t found;
    eb_sysfs_glob(root, layouts[i].label, &found);
    for (size_t j = 0; j < found.gl_pathc; j++) {
      char* path = found.gl_pathv[j];
      char label[EB_LABEL_ROOM];
      int number;
      if (sscanf(strrchr(path, '/') + 1, layouts[i].label_format, &number) != 1) continue;
      if (!source) source = eb_source_add(sources, "ina3221", boundary, 'B');
      if (eb_sysfs_text(path, label, sizeof label)) {
        eb_source_refused(source, path);
        continue;
      }
      *strrchr(path, '/') = '\0';
      if (is_rail(label)) add_rail(source, &layouts[i], path, number, label);
    }
    globfree(&found);
  }
  if (!source) return;
  source->read = eb_rails_power;
  int totals = 0;
  for (int i = 0; i < source->channel_count; i++) totals += source->channels[i].total;
  if (totals != 1)
    eb_source_problem(source, "it has no rail POM_5V_IN or VDD_IN: the sum of others leaves something out");
}
