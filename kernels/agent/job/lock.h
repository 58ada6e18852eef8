/* One job at a time on a board. */
#ifndef EDGEBIN_AGENT_LOCK_H
#define EDGEBIN_AGENT_LOCK_H

/* Holds FOLDER/lock until this process and those it forks have ended. Ends the program where another job holds it
 * (EB_EXIT_BUSY), and says which. */
void eb_lock_take(const char* folder, const char* job);

#endif
