/* What the agent can be asked for. Each gets its arguments, without its name, and returns the exit code. */
#ifndef EDGEBIN_AGENT_COMMANDS_H
#define EDGEBIN_AGENT_COMMANDS_H

int eb_command_inspect(int argc, char** argv);
int eb_command_sample(int argc, char** argv);
int eb_command_clock(int argc, char** argv);
int eb_command_measure(int argc, char** argv);
int eb_command_start(int argc, char** argv);
int eb_command_follow(int argc, char** argv);
int eb_command_stop(int argc, char** argv);
int eb_command_restore(int argc, char** argv);

#endif
