/* The model of toy.c, with a launch for every 8 rows: how many there are depends on the batch,
   as with loops that are launches of their steps. */

#include <stdint.h>

int32_t lxc_launch(int64_t *cell, int64_t kernel, int64_t blocks, const int64_t *arguments,
                   int64_t count);

enum { DOUBLE, SCALE, FINISH, PIECE = 8, ROW_BYTES = 16 };

int32_t toy_entry_prepare(const int64_t *params, const int64_t *state, int64_t prepared,
                          const int64_t *dims, int32_t *status, int64_t *work) {
    const int64_t arguments[] = {params[1], state[0], prepared};
    (void)dims, (void)status;
    return lxc_launch(work, DOUBLE, 1, arguments, 3);
}

int32_t toy_entry_run(const int64_t *inputs, const int64_t *params, const int64_t *state_in,
                      const int64_t *state_out, const int64_t *outputs, int64_t prepared,
                      int64_t arena, const int64_t *dims, int32_t *status, int64_t *work) {
    const int64_t finish[] = {arena, outputs[0], state_in[1], state_out[1], dims[0]};
    (void)status;
    for (int64_t first = 0; first < dims[0]; first += PIECE) {
        int64_t rows = dims[0] - first < PIECE ? dims[0] - first : PIECE;
        int64_t bytes = first * ROW_BYTES;
        const int64_t scale[] = {inputs[0] + bytes, params[0], params[2],
                                 prepared, arena + bytes, rows};
        if (lxc_launch(work, SCALE, 1, scale, 6)) return 1;
    }
    return lxc_launch(work, FINISH, (dims[0] + 31) / 32, finish, 5);
}
