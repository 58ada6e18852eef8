/* What the keeper says on its standard output, a line each, parts separated by tabs. */
#ifndef EDGEBIN_AGENT_TUNING_KEEPER_H
#define EDGEBIN_AGENT_TUNING_KEEPER_H

#define EB_SAYS_SET "set"           /* WHAT BEFORE AFTER: was set */
#define EB_SAYS_READY "ready"       /* all is set */
#define EB_SAYS_RESTORED "restored" /* WHAT BEFORE AFTER: what was found, and what is there now */
#define EB_SAYS_FAILED "failed"     /* MESSAGE: cannot be set, or not be put back */
#define EB_SAYS_DONE "done"         /* all is put back, or somebody else's */

#endif
