/* A program that has contexts of its own calls the model in one of them. */

#include <stdio.h>
#include <string.h>
#include "toy.h"

/* Of the driver. */
int cuInit(unsigned flags);
int cuCtxCreate_v2(void **made, unsigned flags, int device);
int cuCtxDestroy_v2(void *context);
int cuCtxPushCurrent_v2(void *context);
int cuCtxPopCurrent_v2(void **context);
int cuDevicePrimaryCtxRetain(void **context, int device);
int cuDevicePrimaryCtxRelease_v2(int device);
/* Of the driver that stands in for it. */
extern int emulated_cards;
int emulated_depth(void);
int emulated_users(int device);

enum { ROWS = 5 };

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            printf("line %d: %s (%s)\n", __LINE__, #condition, toy_last_error());     \
            return 1;                                                                 \
        }                                                                             \
    } while (0)

static void *new_array(const void *contents, int64_t bytes) {
    void *made = NULL;
    if (toy_card()->allocate(bytes, &made) != LXC_OK) return NULL;
    if (contents != NULL && toy_card()->upload(made, contents, bytes, NULL) != LXC_OK)
        return NULL;
    return made;
}

/* Return 0 if the model computes what it should. */
static int compute(void) {
    const lxc_card *card = toy_card();
    const float ones[4] = {1, 1, 1, 1}, zeros[4] = {0};
    float x[4 * ROWS], y[4 * ROWS];
    int64_t n = ROWS;
    for (int i = 0; i < 4 * ROWS; ++i) x[i] = (float)i;
    void *w = new_array(ones, sizeof ones), *mean = new_array(zeros, sizeof zeros);
    void *there = new_array(x, sizeof x), *count = new_array(zeros, sizeof(int32_t));
    void *result = new_array(NULL, sizeof y), *arena = new_array(NULL, TOY_ARENA_BYTES);
    void *prepared = new_array(NULL, TOY_PREPARED_BYTES);
    CHECK(w && mean && there && count && result && arena && prepared);
    const void *in[] = {there}, *params[] = {w, w, w}, *state[] = {mean, count};
    void *out[] = {result}, *state_out[] = {NULL, count};
    toy_prepare_call first = {sizeof first, 0, params, state, prepared, &n, NULL, 0, 0};
    toy_call call = {sizeof call, 0,     in, params, state, state_out, out,
                     prepared,    arena, &n, NULL,   0,     0};
    CHECK(toy_prepare(&first) == LXC_OK && toy_run(&call) == LXC_OK);
    CHECK(card->download(y, result, sizeof y, NULL) == LXC_OK && card->wait(NULL) == LXC_OK);
    for (int i = 0; i < 4 * ROWS; ++i) CHECK(y[i] == 2 * x[i] + 1);
    void *all[] = {w, mean, there, count, result, arena, prepared};
    for (int i = 0; i < 7; ++i) CHECK(card->release(all[i]) == LXC_OK);
    return 0;
}

/* The primary context, which others release while the model goes on. */
static int in_the_primary_one(void) {
    void *primary;
    CHECK(cuDevicePrimaryCtxRetain(&primary, 1) == 0 && cuCtxPushCurrent_v2(primary) == 0);
    CHECK(compute() == 0);
    CHECK(toy_card()->use(0) == LXC_EDEVICE && toy_card()->use(1) == LXC_OK);
    CHECK(cuCtxPopCurrent_v2(&primary) == 0 && cuDevicePrimaryCtxRelease_v2(1) == 0);
    CHECK(emulated_users(1) == 1 && compute() == 0);
    CHECK(toy_card()->close() == LXC_OK && compute() == 0 && toy_card()->close() == LXC_OK);
    return emulated_users(1) != 1 || emulated_users(0) != 0;
}

/* A context of the caller, beside the primary one or not, that goes after close. */
static int in_one_of_its_own(int others) {
    void *own, *primary;
    for (int i = 0; i < others; ++i) CHECK(cuDevicePrimaryCtxRetain(&primary, 1) == 0);
    CHECK(cuCtxCreate_v2(&own, 0, 1) == 0 && compute() == 0);
    CHECK(emulated_users(1) == others && toy_card()->use(0) == LXC_EDEVICE);
    CHECK(cuCtxPopCurrent_v2(&own) == 0 && compute() == 0 && emulated_depth() == 0);
    CHECK(toy_card()->close() == LXC_OK && cuCtxDestroy_v2(own) == 0);
    CHECK(compute() == 0); /* on the first card, as no context is current */
    return emulated_users(0) != 1 || emulated_users(1) != others;
}

/* A model that was closed before it loaded a kernel lets go of the context too. */
static int without_a_kernel(void) {
    void *own, *memory;
    CHECK(cuCtxCreate_v2(&own, 0, 1) == 0);
    CHECK(toy_card()->allocate(64, &memory) == LXC_OK);
    CHECK(toy_card()->release(memory) == LXC_OK && toy_card()->close() == LXC_OK);
    CHECK(cuCtxDestroy_v2(own) == 0 && compute() == 0);
    return emulated_users(0) != 1;
}

int main(int count, char **arguments) {
    emulated_cards = 2;
    if (count != 2 || cuInit(0) != 0) return 1;
    if (strcmp(arguments[1], "primary") == 0) return in_the_primary_one();
    if (strcmp(arguments[1], "own") == 0) return in_one_of_its_own(0);
    if (strcmp(arguments[1], "beside") == 0) return in_one_of_its_own(1);
    return without_a_kernel();
}
