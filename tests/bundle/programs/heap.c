/* Counts what is asked of the heap while a bundle is called, and by one call of malloc. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "digits.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_int asked;

void *malloc(size_t size) {
    asked += 1;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    asked += 1;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    asked += 1;
    return __libc_realloc(old, size);
}

static int run(const digits_call *call) {
    for (int i = 0; i < 100; i++)
        if (digits_run(call)) return 1;
    return 0;
}

int main(int argc, char **argv) {
    static _Alignas(64) char arena[DIGITS_ARENA_BYTES];
    static float x[64 * 64], y[64 * 10];
    int64_t dims[] = {64};
    const void *inputs[] = {x};
    void *outputs[] = {y}, *state_out[DIGITS_STATE_COUNT] = {NULL};
    digits_values values = {.size = sizeof values};
    asked = 0;
    if (digits_selftest(argc > 1 ? argv[1] : NULL)) return 2;
    if (digits_init(&values, argc > 1 ? argv[1] : NULL)) return 2;
    digits_call call = {.size = sizeof call, .inputs = inputs, .params = values.params,
        .state_in = values.state, .state_out = state_out, .outputs = outputs,
        .prepared = values.prepared, .arena = arena, .dims = dims, .threads = 1};
    int first = asked;
    if (run(&call)) return 3;
    int alone = asked - first;
    call.threads = 4;
    if (digits_run(&call)) return 4; /* the threads of the pool are there now */
    first = asked;
    if (run(&call)) return 5;
    int together = asked - first;
    digits_release(&values);
    first = asked;
    void *volatile own = malloc(1);
    free(own);
    printf("%d %d %d\n", alone, together, asked - first);
    return 0;
}
