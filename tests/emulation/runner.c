/* Runs a model's library for another process: reads calls from standard input, writes what
   they gave to standard output. Started under an emulator of the processor that the library
   is for. The form of a call is that of `Emulated.call` in library.py. */

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES = 5, ABSENT = -1 };

typedef struct {
    uint32_t size, flags;
    void **params, **state;
    void *prepared;
    int64_t *dims;
    const void *pool;
    int32_t threads, reserved;
} prepare_call;

typedef struct {
    uint32_t size, flags;
    void **inputs, **params, **state_in, **state_out, **outputs;
    void *prepared, *arena;
    int64_t *dims;
    const void *pool;
    int32_t threads, reserved;
} run_call;

static void take(void *where, size_t count) {
    if (count && fread(where, 1, count, stdin) != count) exit(0);
}

static void give(const void *where, size_t count) {
    if (count && fwrite(where, 1, count, stdout) != count) exit(1);
}

static int64_t number(void) {
    int64_t value;
    take(&value, sizeof value);
    return value;
}

static void *memory(int64_t size) {
    void *made = aligned_alloc(64, (size_t)(size + 127) / 64 * 64);
    if (!made) exit(2);
    return made;
}

/* A table: how many entries, then for each its size, or that it is absent, or -2 - k for the
   memory of entry k of `other`; bytes follow where the table is read. */
static void **table(int64_t *count, int64_t **sizes, int is_read, void **other) {
    *count = number();
    void **entries = memory(*count * 8);
    *sizes = memory(*count * 8);
    for (int64_t i = 0; i < *count; i++) {
        int64_t size = (*sizes)[i] = number();
        if (size < ABSENT) {
            entries[i] = other[-2 - size];
        } else if (size == ABSENT) {
            entries[i] = NULL;
        } else {
            entries[i] = memory(size);
            if (is_read) take(entries[i], (size_t)size);
        }
    }
    return entries;
}

static void discard(void **entries, int64_t *sizes, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (sizes[i] >= 0) free(entries[i]);
    free(entries);
    free(sizes);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 3;
    }
    char name[512];
    snprintf(name, sizeof name, "%s_prepare", argv[2]);
    int32_t (*prepare)(const prepare_call *) = dlsym(library, name);
    snprintf(name, sizeof name, "%s_run", argv[2]);
    int32_t (*run)(const run_call *) = dlsym(library, name);
    snprintf(name, sizeof name, "%s_last_error", argv[2]);
    const char *(*last_error)(void) = dlsym(library, name);
    if (!prepare || !run || !last_error) return 3;
    for (;;) {
        int64_t is_run = number(), threads = number(), prepared_bytes = number();
        int64_t arena_bytes = number();
        void *prepared = memory(prepared_bytes), *arena = memory(arena_bytes);
        if (is_run) take(prepared, (size_t)prepared_bytes);
        int64_t counts[TABLES], *sizes[TABLES];
        void **entries[TABLES];
        for (int i = 0; i < TABLES; i++)
            entries[i] = table(&counts[i], &sizes[i], i < 3, entries[2]);
        int64_t dim_count = number(), *dims = memory(dim_count * 8);
        take(dims, (size_t)dim_count * 8);
        int32_t status;
        if (is_run) {
            run_call call = {sizeof call, 0, entries[0], entries[1], entries[2], entries[3],
                             entries[4], prepared, arena, dims, NULL, (int32_t)threads, 0};
            status = run(&call);
        } else {
            prepare_call call = {sizeof call, 0,    entries[1], entries[2],       prepared,
                                 dims,        NULL, (int32_t)threads, 0};
            status = prepare(&call);
        }
        const char *text = last_error();
        int64_t head[2] = {status, text ? (int64_t)strlen(text) : 0};
        give(head, sizeof head);
        give(text, (size_t)head[1]);
        if (is_run) {
            for (int table_of = 3; table_of < TABLES; table_of++)
                for (int64_t i = 0; i < counts[table_of]; i++) {
                    int64_t size = sizes[table_of][i];
                    if (size < ABSENT) size = sizes[2][-2 - size];
                    if (size > 0) give(entries[table_of][i], (size_t)size);
                }
        } else {
            give(prepared, (size_t)prepared_bytes);
        }
        fflush(stdout);
        for (int i = 0; i < TABLES; i++) discard(entries[i], sizes[i], counts[i]);
        free(prepared), free(arena), free(dims);
    }
}
