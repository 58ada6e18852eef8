/* .npz: a zip archive of .npy files. Only stored (uncompressed) members are read, so no zlib is needed on the board. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "npy.h"

#define LOCAL_SIGNATURE 0x04034b50u
#define CENTRAL_SIGNATURE 0x02014b50u
#define END_SIGNATURE 0x06054b50u
#define LOCAL_BYTES 30
#define CENTRAL_BYTES 46
#define END_BYTES 22
#define DOS_DATE_1980 0x21

static uint16_t get16(const uint8_t* p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t get32(const uint8_t* p) { return get16(p) | (uint32_t)get16(p + 2) << 16; }
static uint64_t get64(const uint8_t* p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

static uint32_t crc32_update(uint32_t crc, const uint8_t* data, size_t bytes) {
  static uint32_t table[256];
  if (!table[1]) {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320u ^ (value >> 1) : value >> 1;
      table[i] = value;
    }
  }
  crc = ~crc;
  for (size_t i = 0; i < bytes; i++) crc = table[(crc ^ data[i]) & 0xff] ^ (crc >> 8);
  return ~crc;
}

/* Reading ---------------------------------------------------------------------------------------------------------- */

typedef struct {
  uint8_t* content;
  size_t bytes;
  const char* path;
} file_content;

static file_content read_file(const char* path) {
  FILE* stream = fopen(path, "rb");
  if (!stream) eb_fail(EB_EXIT_INPUT, "cannot read %s", path);
  if (fseek(stream, 0, SEEK_END)) eb_fail(EB_EXIT_INPUT, "cannot read %s", path);
  const long bytes = ftell(stream);
  rewind(stream);
  file_content file = {eb_allocate(bytes > 0 ? (size_t)bytes : 1), bytes > 0 ? (size_t)bytes : 0, path};
  if (bytes < 0 || fread(file.content, 1, file.bytes, stream) != file.bytes) {
    eb_fail(EB_EXIT_INPUT, "cannot read %s", path);
  }
  fclose(stream);
  return file;
}

static const uint8_t* bytes_at(const file_content* file, uint64_t offset, uint64_t count) {
  if (offset > file->bytes || count > file->bytes - offset) {
    eb_fail(EB_EXIT_INPUT, "%s is a truncated or damaged archive", file->path);
  }
  return file->content + offset;
}

/* numpy writes sizes in the 64-bit extra field whenever it streams, however small they are. */
static void read_zip64(const file_content* file, const uint8_t* extra, size_t extra_bytes, uint64_t* size,
                       uint64_t* stored, uint64_t* offset) {
  for (size_t at = 0; at + 4 <= extra_bytes;) {
    const size_t field_bytes = get16(extra + at + 2);
    if (field_bytes > extra_bytes - at - 4) break;
    if (get16(extra + at) == 1) {
      const uint8_t* value = extra + at + 4;
      const uint8_t* end = value + field_bytes;
      uint64_t* const wanted[] = {size, stored, offset};
      for (int i = 0; i < 3; i++) {
        if (*wanted[i] != UINT32_MAX) continue;
        if (end - value < 8) eb_fail(EB_EXIT_INPUT, "%s is a damaged archive", file->path);
        *wanted[i] = get64(value);
        value += 8;
      }
      return;
    }
    at += 4 + field_bytes;
  }
}

static eb_array read_member(const file_content* file, const uint8_t* entry, const char* member) {
  uint64_t stored = get32(entry + 20), size = get32(entry + 24), offset = get32(entry + 42);
  read_zip64(file, entry + CENTRAL_BYTES + get16(entry + 28), get16(entry + 30), &size, &stored, &offset);
  if (get16(entry + 10) != 0) {
    eb_fail(EB_EXIT_INPUT, "%s is compressed: write it with numpy.savez, not savez_compressed", file->path);
  }
  const uint8_t* local = bytes_at(file, offset, LOCAL_BYTES);
  if (get32(local) != LOCAL_SIGNATURE || size != stored) {
    eb_fail(EB_EXIT_INPUT, "%s is a damaged archive", file->path);
  }
  const uint8_t* content = bytes_at(file, offset + LOCAL_BYTES + get16(local + 26) + get16(local + 28), size);
  if (crc32_update(0, content, size) != get32(entry + 16)) {
    eb_fail(EB_EXIT_INPUT, "%s is damaged: wrong checksum of %s", file->path, member);
  }
  return eb_npy_parse(content, size, member, file->path);
}

static eb_arrays read_npz(const file_content* file) {
  const uint8_t* end = NULL;
  for (size_t back = END_BYTES; back <= file->bytes && back <= END_BYTES + UINT16_MAX; back++) {
    if (get32(file->content + file->bytes - back) == END_SIGNATURE) {
      end = file->content + file->bytes - back;
      break;
    }
  }
  if (!end) eb_fail(EB_EXIT_INPUT, "%s is neither .npy nor .npz, or truncated", file->path);
  eb_arrays arrays = {.count = 0};
  const int entries = get16(end + 10);
  if (entries > EB_MAX_ARRAYS) eb_fail(EB_EXIT_INPUT, "%s holds more than %d arrays", file->path, EB_MAX_ARRAYS);
  uint64_t at = get32(end + 16);
  for (int i = 0; i < entries; i++) {
    const uint8_t* entry = bytes_at(file, at, CENTRAL_BYTES);
    const size_t name_bytes = get16(entry + 28);
    const size_t entry_bytes = CENTRAL_BYTES + name_bytes + get16(entry + 30) + get16(entry + 32);
    bytes_at(file, at, entry_bytes);
    if (get32(entry) != CENTRAL_SIGNATURE) eb_fail(EB_EXIT_INPUT, "%s is a damaged archive", file->path);
    char name[EB_MAX_NAME];
    if (name_bytes < 4 || name_bytes - 4 >= sizeof name || memcmp(entry + CENTRAL_BYTES + name_bytes - 4, ".npy", 4)) {
      eb_fail(EB_EXIT_INPUT, "%s holds something that is not a .npy array", file->path);
    }
    memcpy(name, entry + CENTRAL_BYTES, name_bytes - 4);
    name[name_bytes - 4] = '\0';
    arrays.items[arrays.count++] = read_member(file, entry, name);
    at += entry_bytes;
  }
  return arrays;
}

eb_arrays eb_arrays_read(const char* path, const char* npy_name) {
  file_content file = read_file(path);
  eb_arrays arrays = {.count = 0};
  if (file.bytes && file.content[0] == 0x93) {
    arrays.items[arrays.count++] = eb_npy_parse(file.content, file.bytes, npy_name, path);
  } else {
    arrays = read_npz(&file);
  }
  free(file.content);
  return arrays;
}

/* Writing ---------------------------------------------------------------------------------------------------------- */

static void put16(FILE* stream, uint32_t value) {
  fputc((int)(value & 0xff), stream);
  fputc((int)(value >> 8 & 0xff), stream);
}
static void put32(FILE* stream, uint32_t value) {
  put16(stream, value);
  put16(stream, value >> 16);
}

typedef struct {
  char name[EB_MAX_NAME + 4];
  uint32_t crc, bytes, offset;
} member_record;

/* The fields that a local header and a central entry share, from "version needed" to the extra field's length. */
static void put_member(FILE* stream, const member_record* member) {
  put16(stream, 20); /* version needed */
  put16(stream, 0);  /* flags */
  put16(stream, 0);  /* method: stored */
  put16(stream, 0);  /* time */
  put16(stream, DOS_DATE_1980);
  put32(stream, member->crc);
  put32(stream, member->bytes);
  put32(stream, member->bytes);
  put16(stream, (uint32_t)strlen(member->name));
  put16(stream, 0); /* extra */
}

static void write_npz(FILE* stream, const eb_arrays* arrays, const char* path) {
  member_record members[EB_MAX_ARRAYS];
  for (int i = 0; i < arrays->count; i++) {
    const eb_array* array = &arrays->items[i];
    char header[EB_NPY_HEADER_BYTES];
    const size_t header_bytes = eb_npy_header(array, header), data_bytes = eb_array_bytes(array);
    const long offset = ftell(stream);
    if (offset < 0 || (uint64_t)offset + header_bytes + data_bytes + 4096 > INT32_MAX) {
      eb_fail(EB_EXIT_INPUT, "%s would exceed 2 GB: run fewer images at once", path);
    }
    member_record* member = &members[i];
    snprintf(member->name, sizeof member->name, "%s.npy", array->name);
    member->bytes = (uint32_t)(header_bytes + data_bytes);
    member->crc = crc32_update(crc32_update(0, (uint8_t*)header, header_bytes), array->data, data_bytes);
    member->offset = (uint32_t)offset;
    put32(stream, LOCAL_SIGNATURE);
    put_member(stream, member);
    fputs(member->name, stream);
    fwrite(header, 1, header_bytes, stream);
    fwrite(array->data, 1, data_bytes, stream);
  }
  const uint32_t central = (uint32_t)ftell(stream);
  for (int i = 0; i < arrays->count; i++) {
    put32(stream, CENTRAL_SIGNATURE);
    put16(stream, 20); /* version made by */
    put_member(stream, &members[i]);
    put16(stream, 0); /* comment */
    put16(stream, 0); /* disk */
    put16(stream, 0); /* internal attributes */
    put32(stream, 0); /* external attributes */
    put32(stream, members[i].offset);
    fputs(members[i].name, stream);
  }
  const uint32_t end = (uint32_t)ftell(stream);
  put32(stream, END_SIGNATURE);
  put32(stream, 0); /* disks */
  put16(stream, (uint32_t)arrays->count);
  put16(stream, (uint32_t)arrays->count);
  put32(stream, end - central);
  put32(stream, central);
  put16(stream, 0); /* comment */
}

void eb_arrays_write(const char* path, const eb_arrays* arrays) {
  const size_t length = strlen(path);
  char* partial = eb_allocate(length + sizeof ".partial");
  strcat(strcpy(partial, path), ".partial");
  FILE* stream = fopen(partial, "wb");
  if (!stream) eb_fail(EB_EXIT_INPUT, "cannot write %s", partial);
  if (length > 4 && !strcmp(path + length - 4, ".npy")) {
    if (arrays->count != 1) eb_fail(EB_EXIT_INPUT, "%d arrays do not fit in one .npy: use .npz", arrays->count);
    char header[EB_NPY_HEADER_BYTES];
    fwrite(header, 1, eb_npy_header(&arrays->items[0], header), stream);
    fwrite(arrays->items[0].data, 1, eb_array_bytes(&arrays->items[0]), stream);
  } else {
    write_npz(stream, arrays, path);
  }
  const int failed = ferror(stream);
  if (fclose(stream) || failed || rename(partial, path)) {
    remove(partial);
    eb_fail(EB_EXIT_INPUT, "cannot write %s", path);
  }
  free(partial);
}
