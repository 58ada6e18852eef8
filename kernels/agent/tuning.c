/* Stands in until the real one is merged: knows no setting. */
#include "tuning.h"

#include <stddef.h>

#include "../runtime/fail.h"
#include "../runtime/json.h"

eb_tuning* eb_tuning_apply(const char* root, const eb_settings* settings, const char* record) {
  (void)root;
  (void)record;
  if (settings->count) eb_fail(EB_EXIT_INPUT, "cannot tune `%s`", settings->items[0]);
  return NULL;
}

void eb_tuning_report(const eb_tuning* tuning) {
  (void)tuning;
  eb_json_open_list("settings");
  eb_json_close_list();
}

void eb_tuning_end(eb_tuning* tuning) { (void)tuning; }

void eb_tuning_restore(const char* root, const char* record) {
  (void)root;
  (void)record;
}

int eb_tuning_keep(int argc, char** argv) {
  (void)argc;
  (void)argv;
  return EB_EXIT_INPUT;
}
