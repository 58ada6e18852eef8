#include "power.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/fail.h"
#include "../../runtime/json.h"
#include "sampler.h"
#include "source.h"

struct eb_power {
  eb_source source;
  eb_sampler* sampler;
};

static eb_sources find(const char* root) {
  eb_sources sources = {NULL, 0};
  eb_ina3221_find(root, &sources);
  eb_pmic_find(root, &sources);
  eb_hwmon_find(root, &sources);
  eb_rapl_find(root, &sources);
  return sources;
}

static void report_source(const eb_source* source) {
  eb_json_open_object(NULL);
  eb_json_string("source", source->name);
  eb_json_boolean("readable", !source->problem[0]);
  if (source->problem[0]) {
    eb_json_string("problem", source->problem);
  } else {
    eb_json_null("problem");
  }
  eb_json_string("boundary", source->boundary);
  eb_json_string("trust", (char[]){source->trust, '\0'});
  eb_json_string("reading", source->counts_energy ? "energy" : "power");
  eb_json_open_object("settings");
  for (int i = 0; i < source->noted_count; i++) eb_json_integer(source->noted[i].key, source->noted[i].value);
  eb_json_close_object();
  eb_json_open_list("channels");
  for (int i = 0; i < source->channel_count; i++) {
    eb_json_open_object(NULL);
    eb_json_string("label", source->channels[i].label);
    eb_json_boolean("total", source->channels[i].total);
    eb_json_close_object();
  }
  eb_json_close_list();
  eb_json_close_object();
}

void eb_power_report(const char* root) {
  eb_sources sources = find(root);
  eb_json_open_list("power_sources");
  for (int i = 0; i < sources.count; i++) {
    report_source(&sources.items[i]);
    eb_source_close(&sources.items[i]);
  }
  eb_json_close_list();
  free(sources.items);
}

eb_power* eb_power_open(const char* root, const char* source) {
  eb_sources sources = find(root);
  eb_power* power = eb_allocate(sizeof *power);
  int chosen = -1;
  for (int i = 0; i < sources.count; i++) {
    if (chosen < 0 && !strcmp(sources.items[i].name, source)) {
      chosen = i;
      power->source = sources.items[i];
    } else {
      eb_source_close(&sources.items[i]);
    }
  }
  free(sources.items);
  if (chosen < 0) eb_fail(EB_EXIT_INPUT, "this machine has no power source `%s`", source);
  if (power->source.problem[0]) {
    eb_fail(EB_EXIT_INPUT, "the power source `%s` cannot be read: %s", source, power->source.problem);
  }
  return power;
}

void eb_power_start(eb_power* power, double hz, int cpu, double seconds) {
  eb_sampler_free(power->sampler);
  power->sampler = eb_sampler_start(&power->source, hz, cpu, seconds);
}

void eb_power_flush(eb_power* power, FILE* stream) { eb_sampler_flush(power->sampler, stream); }

eb_power_cost eb_power_stop(eb_power* power) { return eb_sampler_stop(power->sampler); }
