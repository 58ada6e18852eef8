/* Settings of the machine that make it steady, put back in every case.
 *
 * A process of its own, the keeper, holds the settings: it records what was there in `record`, applies, and waits for
 * the end of its standard input, which comes when the agent ends, however it ends. Where that needs root, the keeper is
 * started through `sudo -n`. If the keeper itself is killed, `record` remains, and eb_tuning_restore undoes it later.
 */
#ifndef EDGEBIN_AGENT_TUNING_H
#define EDGEBIN_AGENT_TUNING_H

#define EB_MAX_SETTINGS 16

typedef struct {
  const char* items[EB_MAX_SETTINGS]; /* such as "governor performance", as in a plan */
  int count;
} eb_settings;

typedef struct eb_tuning eb_tuning;

/* Applies the settings. Ends the program where one cannot be applied, with everything put back (EB_EXIT_INPUT). */
eb_tuning* eb_tuning_apply(const char* root, const eb_settings* settings, const char* record);

/* Writes the list `settings` (what, before, after) into the open JSON object. */
void eb_tuning_report(const eb_tuning* tuning);

/* Puts everything back and waits until that is done. */
void eb_tuning_end(eb_tuning* tuning);

/* Undoes what `record` says, if its keeper is gone; removes it. Without such a file nothing happens. */
void eb_tuning_restore(const char* root, const char* record);

/* The keeper: what the agent runs as `agent keep ROOT RECORD SETTING…`. */
int eb_tuning_keep(int argc, char** argv);

#endif
