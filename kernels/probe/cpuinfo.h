/* What /proc/cpuinfo says about this processor. */
#ifndef EDGEBIN_PROBE_CPUINFO_H
#define EDGEBIN_PROBE_CPUINFO_H

#define EB_CPU_LINE 4096

/* The value of the first line with this key, or "". */
void eb_cpuinfo(const char* key, char value[EB_CPU_LINE]);

/* Whether the first core has a feature, named as /proc/cpuinfo names it. */
int eb_cpu_has(const char* feature);

/* Whether this program runs under an emulator of user programs, whose times say nothing about the processor that it
 * imitates. 0 does not prove that it does not. */
int eb_is_emulated(void);

/* Under an emulator prints {"emulated": true} and returns 1: there are no figures to give. */
int eb_say_emulated(void);

/* probe machine: architecture, features and identity of the processor, and whether it is emulated. */
int eb_probe_machine(int argc, char** argv);

#endif
