/* A Jetson's power mode. */
#ifndef EDGEBIN_AGENT_NVPMODEL_H
#define EDGEBIN_AGENT_NVPMODEL_H

#include <stddef.h>

/* The mode's number; -1 where there is none, or it does not say. */
int eb_nvpmodel_mode(const char* root);

/* What the configuration calls a mode; NULL where it does not say. */
const char* eb_nvpmodel_name(const char* root, int mode, char* name, size_t room);

/* Switches to a mode. Gives 0; or -1 and why not, in `problem`. One that needs a restart is refused: nothing changes.
 */
int eb_nvpmodel_set(const char* root, int mode, char* problem, size_t room);

#endif
