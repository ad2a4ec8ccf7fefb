/* What the code that all bundles share is told of one of them. */

#include <stddef.h>
#if defined(__aarch64__) || defined(__riscv)
#include <sys/auxv.h>
#endif

typedef enum lxc_kind {
    LXC_BOOL, LXC_INT8, LXC_INT16, LXC_INT32, LXC_INT64, LXC_UINT8, LXC_UINT16, LXC_UINT32,
    LXC_UINT64, LXC_FLOAT16, LXC_BFLOAT16, LXC_FLOAT32, LXC_FLOAT64
} lxc_kind;

/* How an input of the check is made up: integers are below `below`, if that is not 0. */
typedef struct lxc_draw {
    lxc_kind kind;
    int64_t below;
} lxc_draw;

/* What a result of the check has to be: of the elements 0, stride, 2 * stride, ..., counted
   around the end, the first `count` are off by no more than `allowed`. The result is output
   `place`, or from the number of outputs on a leaf of the state. */
typedef struct lxc_expected {
    int32_t place;
    lxc_kind kind;
    int64_t count;
    int64_t stride;
    double allowed;
    const double *exact;
} lxc_expected;

typedef struct lxc_check {
    const int64_t *dims;
    const lxc_draw *inputs;
    const lxc_expected *expected;
    int32_t expected_count;
} lxc_check;

/* Values in a file of exactly `bytes`, which starts with `head`. Leaves lie at offsets, -1
   for those that are not there. */
typedef struct lxc_file {
    const char *head;
    int64_t head_bytes;
    int64_t bytes;
    const int64_t *params;
    const int64_t *state;
} lxc_file;

/* `file` is NULL where the tables behind it hold the values themselves. */
typedef struct lxc_bundle {
    const lxc_model *model;
    int32_t (*prepare)(const lxc_prepare_call *call);
    int32_t (*run)(const lxc_call *call);
    const char *(*lacking)(void); /* what the processor does not have, or NULL */
    int32_t constant_count;
    const void *const *constants;
    const lxc_file *file;
    const void *const *params;
    const void *const *state;
    const void *prepared;
    const lxc_check *check;
} lxc_bundle;

int32_t lxc_check_processor(const lxc_bundle *bundle);
int32_t lxc_init(const lxc_bundle *bundle, lxc_values *values, const char *path);
void lxc_release(lxc_values *values);
int32_t lxc_selftest(const lxc_bundle *bundle, const char *path);
