/* The tile of 4 rows x 64 lanes in assembly, for scores (EOR) and context (AND): compilers spill some of the sixteen
 * sums, the more the more they think of an in-order core.
 *
 *   v0-v3    a plane's 64 bytes                        v4-v7    the rows' byte, broadcast
 *   v8-v15   EOR or AND, counted, two rows in turn     v16-v31  sums, row by row
 *
 * A step is 2048 bit products in 16 EOR, 16 CNT, 16 ADD, SUBS, B.NE and 2 LD1 (5 where the broadcasts are LD1R); the
 * first has no ADD. The next step's loads come between the last EOR and the last CNT, so that in-order cores have work
 * while they wait: the last step's are of the byte behind the last, which is inside the workspace.
 */
#define TILE_OP(op, x, a, b, c, d)                                                                                  \
  op " v" #a ".16b, v0.16b, v" #x ".16b\n" op " v" #b ".16b, v1.16b, v" #x ".16b\n" op " v" #c ".16b, v2.16b, v" #x \
     ".16b\n" op " v" #d ".16b, v3.16b, v" #x ".16b\n"
#define TILE_CNT(a, b, c, d) \
  "cnt v" #a ".16b, v" #a    \
  ".16b\n"                   \
  "cnt v" #b ".16b, v" #b    \
  ".16b\n"                   \
  "cnt v" #c ".16b, v" #c    \
  ".16b\n"                   \
  "cnt v" #d ".16b, v" #d ".16b\n"
#define TILE_ADD(a, b, c, d, e, f, g, h) \
  "add v" #e ".16b, v" #e ".16b, v" #a   \
  ".16b\n"                               \
  "add v" #f ".16b, v" #f ".16b, v" #b   \
  ".16b\n"                               \
  "add v" #g ".16b, v" #g ".16b, v" #c   \
  ".16b\n"                               \
  "add v" #h ".16b, v" #h ".16b, v" #d ".16b\n"
#define TILE(op, load) \
  load                                          \
  TILE_OP(op, 4, 16, 17, 18, 19)                \
  TILE_OP(op, 5, 20, 21, 22, 23)                \
  TILE_OP(op, 6, 24, 25, 26, 27)                \
  TILE_OP(op, 7, 28, 29, 30, 31)                \
  load                                          \
  TILE_CNT(16, 17, 18, 19)                      \
  TILE_CNT(20, 21, 22, 23)                      \
  "subs %[steps], %[steps], #1\n"               \
  TILE_CNT(24, 25, 26, 27)                      \
  TILE_CNT(28, 29, 30, 31)                      \
  "b.eq 2f\n"                                   \
  "1:\n"                                        \
  TILE_OP(op, 4, 8, 9, 10, 11)                  \
  TILE_OP(op, 5, 12, 13, 14, 15)                \
  TILE_CNT(8, 9, 10, 11)                        \
  TILE_CNT(12, 13, 14, 15)                      \
  TILE_ADD(8, 9, 10, 11, 16, 17, 18, 19)        \
  TILE_OP(op, 6, 8, 9, 10, 11)                  \
  TILE_ADD(12, 13, 14, 15, 20, 21, 22, 23)      \
  TILE_OP(op, 7, 12, 13, 14, 15)                \
  load                                          \
  TILE_CNT(8, 9, 10, 11)                        \
  TILE_CNT(12, 13, 14, 15)                      \
  "subs %[steps], %[steps], #1\n"               \
  TILE_ADD(8, 9, 10, 11, 24, 25, 26, 27)        \
  TILE_ADD(12, 13, 14, 15, 28, 29, 30, 31)      \
  "b.ne 1b\n"                                   \
  "2:\n"                                        \
  "st1 {v16.16b-v19.16b}, [%[sums]], %[stride]\n" \
  "st1 {v20.16b-v23.16b}, [%[sums]], %[stride]\n" \
  "st1 {v24.16b-v27.16b}, [%[sums]], %[stride]\n" \
  "st1 {v28.16b-v31.16b}, [%[sums]]\n"
#define TILE_CLOBBERS                                                                                                 \
  "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14",      \
      "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", \
      "v31"

/* broadcasts: [step][4], and four vectors behind the last. */
EB_INLINE void tile_agree(const uint8_t* planes, size_t steps, const vu8* broadcasts, uint8_t* sums, size_t stride) {
  __asm__ volatile(TILE("eor",
                        "ld1 {v0.16b-v3.16b}, [%[planes]], #64\n"
                        "ld1 {v4.16b-v7.16b}, [%[broadcasts]], #64\n")
                   : [planes] "+r"(planes), [broadcasts] "+r"(broadcasts), [steps] "+r"(steps), [sums] "+r"(sums)
                   : [stride] "r"(stride)
                   : TILE_CLOBBERS);
}

/* row: four rows of maps, `steps` bytes and one more. */
EB_INLINE void tile_context(const uint8_t* planes, size_t plane_stride, size_t steps, const uint8_t* const row[4],
                            uint8_t* sums) {
  const uint8_t *row0 = row[0], *row1 = row[1], *row2 = row[2], *row3 = row[3];
  __asm__ volatile(TILE("and",
                        "ld1 {v0.16b-v3.16b}, [%[planes]], %[plane_stride]\n"
                        "ld1r {v4.16b}, [%[row0]], #1\n"
                        "ld1r {v5.16b}, [%[row1]], #1\n"
                        "ld1r {v6.16b}, [%[row2]], #1\n"
                        "ld1r {v7.16b}, [%[row3]], #1\n")
                   : [planes] "+r"(planes), [row0] "+r"(row0), [row1] "+r"(row1), [row2] "+r"(row2), [row3] "+r"(row3),
                     [steps] "+r"(steps), [sums] "+r"(sums)
                   : [plane_stride] "r"(plane_stride), [stride] "r"((size_t)64)
                   : TILE_CLOBBERS);
}
