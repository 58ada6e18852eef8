/* Questions to the firmware of a Raspberry Pi, as `vcgencmd` asks them, without starting a program. */
#ifndef EDGEBIN_AGENT_MAILBOX_H
#define EDGEBIN_AGENT_MAILBOX_H

#include <stddef.h>

#define EB_MAILBOX_ROOM 4096 /* the longest question or answer, with its NUL */

/* Opens the mailbox; gives -1 and errno where there is none (ENOENT) or it may not be used (EACCES: the group `video`
 * may). `root` goes before every path. */
int eb_mailbox_open(const char* root);

/* Asks `text` and writes the answer, as text with its lines parted by newlines, into `answer` of `room` bytes. Gives 0,
 * or -1 and errno: EPROTO where the firmware does not know the command. */
int eb_mailbox_ask(int mailbox, const char* text, char* answer, size_t room);

/* Opens, asks one question, closes. */
int eb_mailbox_command(const char* root, const char* text, char* answer, size_t room);

#endif
