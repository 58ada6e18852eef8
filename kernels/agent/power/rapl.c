/* Running average power limit of x86 processors, through powercap: counters of energy.
 *
 * Source: Documentation/power/powercap of Linux. Domains lie in each other (psys, package, core), so only packages are
 * read, and what lies in them or round them is not. */
#include <stdio.h>
#include <string.h>

#include "rails.h"
#include "source.h"
#include "../system/sysfs.h"

static const char boundary[] =
    "the processor packages, by their own count, on some a model; not memory, drives, fans and power supply";

void eb_rapl_find(const char* root, eb_sources* sources) {
  glob_t found;
  eb_source* source = NULL;
  eb_sysfs_glob(root, "/sys/class/powercap/intel-rapl:*", &found);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    const char* folder = found.gl_pathv[i];
    char name[EB_LABEL_ROOM];
    if (eb_sysfs_text(eb_sysfs_path("%s/name", folder).text, name, sizeof name)) continue;
    if (strncmp(name, "package", 7)) continue;
    if (!source) source = eb_source_add(sources, "rapl", boundary, 'D');
    eb_channel* channel = eb_source_channel(source, name, 1);
    if (!channel) continue;
    eb_rail_open(source, channel, eb_sysfs_path("%s/energy_uj", folder).text, NULL, 1e-6);
    eb_path range = eb_sysfs_path("%s/max_energy_range_uj", folder);
    if (eb_sysfs_integer(range.text, &channel->rail.range)) channel->rail.range = 0;
  }
  globfree(&found);
  if (!source) return;
  source->counts_energy = 1;
  source->read = eb_rails_energy;
}
