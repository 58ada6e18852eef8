/* The file `events`: one JSON object a line, each written at once, so that a reader never meets half of one. */
#ifndef EDGEBIN_AGENT_EVENTS_H
#define EDGEBIN_AGENT_EVENTS_H

/* Ends the program where the file cannot be written, as the functions below do (EB_EXIT_UNFORESEEN). */
void eb_events_open(const char* path);

/* Begins an event of this kind; what eb_json_… then writes belongs to it, until the end. */
void eb_event(const char* kind);
void eb_event_end(void);

/* Whether events can still be written. */
int eb_events_work(void);

#endif
