/* Classify one digit from C. argv[1] holds the params, the state and an image, each leaf as a
   32-bit number of bytes and the bytes, in the order of model.h. Prints the ten logits.

   unzip -j digits.lxc code/native/model.h code/native/model.so
   cc -I. examples/digits/classify.c ./model.so -o classify */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static _Alignas(64) unsigned char prepared[DIGITS_PREPARED_BYTES], arena[DIGITS_ARENA_BYTES];

static void *leaf(FILE *file) {
    int32_t bytes = 0;
    if (fread(&bytes, sizeof bytes, 1, file) != 1) exit(2);
    void *data = malloc((size_t)bytes);
    if (!data || fread(data, 1, (size_t)bytes, file) != (size_t)bytes) exit(2);
    return data;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) return 2;
    const void *params[DIGITS_PARAM_COUNT], *state[DIGITS_STATE_COUNT], *inputs[1];
    void *kept[DIGITS_STATE_COUNT] = {NULL}; /* every leaf is frozen: nothing comes out */
    float logits[10];
    void *outputs[1] = {logits};
    for (int i = 0; i < DIGITS_PARAM_COUNT; i++) params[i] = leaf(file);
    for (int i = 0; i < DIGITS_STATE_COUNT; i++) state[i] = leaf(file);
    inputs[0] = leaf(file);
    int64_t dims[1] = {1};
    digits_prepare_call once = {.size = sizeof once, .params = params, .state = state,
                                .prepared = prepared, .dims = dims};
    digits_call call = {.size = sizeof call, .inputs = inputs, .params = params,
                        .state_in = state, .state_out = kept, .outputs = outputs,
                        .prepared = prepared, .arena = arena, .dims = dims};
    if (digits_prepare(&once) || digits_run(&call)) {
        fprintf(stderr, "%s\n", digits_last_error());
        return 1;
    }
    for (int i = 0; i < 10; i++) printf("%.9g\n", (double)logits[i]);
    return 0;
}
