/* What the code that all models share is told of one of them. */

typedef struct lxc_leaf {
    const char *label;
    int32_t alignment; /* the size of an element */
    int32_t frozen;
    int32_t unread; /* by run: a parameter that prepare alone needs */
} lxc_leaf;

typedef struct lxc_group {
    const char *label;
    const lxc_leaf *leaves;
    int32_t count;
} lxc_group;

typedef struct lxc_dim {
    const char *name;
    int64_t low;
    int64_t high;
} lxc_dim;

/* `leaf_bytes` computes the size of every leaf, group by group in the order of the fields. */
typedef struct lxc_model {
    lxc_group inputs;
    lxc_group params; /* and behind them the constants */
    lxc_group state;
    lxc_group outputs;
    const lxc_dim *dims;
    int32_t dim_count;
    int64_t prepared_bytes;
    int64_t arena_bytes;
    int32_t uses_tiles; /* registers that hold whole tiles */
    int32_t (*leaf_bytes)(const int64_t *dims, int64_t *bytes);
    int32_t (*prepare)(const int64_t *params, const int64_t *state, int64_t prepared,
                       const int64_t *dims, int32_t *status, int64_t *work);
    int32_t (*run)(const int64_t *inputs, const int64_t *params, const int64_t *state_in,
                   const int64_t *state_out, const int64_t *outputs, int64_t prepared,
                   int64_t arena, const int64_t *dims, int32_t *status, int64_t *work);
} lxc_model;

/* Spans without bytes are {0, 0}, which overlaps nothing. */
typedef struct lxc_span {
    uintptr_t begin;
    uintptr_t end;
} lxc_span;

/* `bytes` has room for one number per leaf. `spans` has room for one span per leaf, one more
   per leaf of the state, and two. */
int32_t lxc_prepare(const lxc_model *model, const lxc_prepare_call *call, int64_t *bytes,
                    lxc_span *spans);
int32_t lxc_run(const lxc_model *model, const lxc_call *call, int64_t *bytes, lxc_span *spans);
const char *lxc_last_error(void);
const lxc_pool *lxc_pool_of_library(void);
