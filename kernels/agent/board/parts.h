/* The parts of what a machine says about itself. Each writes its keys into the open JSON object. */
#ifndef EDGEBIN_AGENT_BOARD_PARTS_H
#define EDGEBIN_AGENT_BOARD_PARTS_H

void eb_board_identity(const char* root);                 /* model, machine, kernel, firmware, user, groups */
void eb_board_userland(const char* root);                 /* os, userland_bits, glibc */
void eb_board_processors(const char* root);               /* hwcap, hwcap2, features, cpus */
void eb_board_room(const char* root, const char* folder); /* page_bytes, memory_…, disk_free_bytes */
void eb_board_strain(const char* root); /* load_1min, busy_processors, temperatures, throttled, over_current */
void eb_board_changeable(const char* root, const char* folder); /* nvpmodel, tuning, left_tuning */

#endif
