/* eb_b1_conv on Armv8.0 NEON: 8 pixels x 16 channels, a word of 16 channels of a tap at a time by LD1R, EOR, CNT, ADD;
 * see conv.h for constraints and layouts. Registers: 16 of byte sums, 2 of weights, the rest for words and products.
 *
 * A word is 62 instructions for 2048 bit products (33 each); a group of 16 -> 16 channels has nine words, then takes 14
 * instructions a pixel to floats. Bit products per instruction, with the epilogue to floats (QEMU, 3 x 3, four groups):
 * 56 x 56 x 64 16.4 (7.3 when bits were gathered); 28 x 28 x 128, dilation 3, 18.3 (13.3). Counting alone: 24.3, 23.4.
 */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#include "words_neon.h"
#include "conv.h"
