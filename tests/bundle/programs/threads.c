/* Many threads call a bundle at once, and each runs its check beside. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "digits.h"

enum { CALLERS = 4, CALLS = 12, IMAGES = 3 };
static digits_values values = {.size = sizeof values};
static const char *path;
static float x[IMAGES * 64], right[IMAGES * 10];
static atomic_int wrong;

static int32_t call(float *y, void *arena) {
    int64_t dims[] = {IMAGES};
    const void *inputs[] = {x};
    void *outputs[] = {y}, *state_out[DIGITS_STATE_COUNT] = {NULL};
    digits_call one = {.size = sizeof one, .inputs = inputs, .params = values.params,
        .state_in = values.state, .state_out = state_out, .outputs = outputs,
        .prepared = values.prepared, .arena = arena, .dims = dims};
    return digits_run(&one);
}

static void *work(void *arena) {
    float y[IMAGES * 10];
    for (int i = 0; i < CALLS; i++) {
        if (call(y, arena) || memcmp(y, right, sizeof y)) wrong += 1;
        if (i % 10 == 0 && digits_selftest(path)) wrong += 1;
    }
    return NULL;
}

int main(int argc, char **argv) {
    static _Alignas(64) char arenas[CALLERS][DIGITS_ARENA_BYTES];
    path = argc > 1 ? argv[1] : NULL;
    for (int i = 0; i < IMAGES * 64; i++) x[i] = (float)(i % 7) / 7;
    if (digits_init(&values, path) || call(right, arenas[0])) return 2;
    pthread_t threads[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        if (pthread_create(&threads[i], NULL, work, arenas[i])) return 3;
    for (int i = 0; i < CALLERS; i++) pthread_join(threads[i], NULL);
    digits_release(&values);
    digits_release(&values);
    printf("%d wrong\n", (int)wrong);
    return 0;
}
