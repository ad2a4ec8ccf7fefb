/* run and prepare: check the call, then enter the compiled code. */

typedef struct lxc_dim {
    const char *name;
    int64_t low;
    int64_t high;
} lxc_dim;

typedef struct lxc_model {
    lxc_group inputs;
    lxc_group params; /* and behind them the constants */
    lxc_group state;
    lxc_group outputs;
    const lxc_dim *dims;
    int32_t dim_count;
    int64_t prepared_bytes;
    int64_t arena_bytes;
} lxc_model;

/* Where the leaves of a group begin in an array of byte counts, and its spans in a run. */
enum {
    LXC_PARAMS = LXC_INPUT_COUNT,
    LXC_STATE = LXC_PARAMS + LXC_PARAM_COUNT,
    LXC_OUTPUTS = LXC_STATE + LXC_STATE_COUNT,
    LXC_LEAVES = LXC_OUTPUTS + LXC_OUTPUT_COUNT,
    LXC_PREPARED = LXC_OUTPUTS,
    LXC_WRITTEN = LXC_PREPARED + 1,
    LXC_STATE_OUT = LXC_WRITTEN + LXC_OUTPUT_COUNT,
    LXC_ARENA = LXC_STATE_OUT + LXC_STATE_COUNT,
    LXC_SPANS = LXC_ARENA + 1
};

static const lxc_model lxc_this;
static int32_t lxc_leaf_bytes(const int64_t *dims, int64_t *bytes);

static const char *lxc_span_label(int32_t index) {
    if (index < LXC_PARAMS) return lxc_this.inputs.leaves[index].label;
    if (index < LXC_STATE) return lxc_this.params.leaves[index - LXC_PARAMS].label;
    if (index < LXC_PREPARED) return lxc_this.state.leaves[index - LXC_STATE].label;
    if (index == LXC_PREPARED) return "prepared";
    if (index < LXC_STATE_OUT) return lxc_this.outputs.leaves[index - LXC_WRITTEN].label;
    if (index < LXC_ARENA) return lxc_this.state.leaves[index - LXC_STATE_OUT].label;
    return "arena";
}

static int32_t lxc_check_dims(const int64_t *dims, int64_t *bytes) {
    if (dims == NULL && lxc_this.dim_count > 0)
        return lxc_fail(LXC_ENULL, "the table of the dimensions is missing");
    for (int32_t i = 0; i < lxc_this.dim_count; ++i) {
        const lxc_dim *dim = &lxc_this.dims[i];
        if (dims[i] < dim->low || dims[i] > dim->high)
            return lxc_fail(LXC_EDIMENSION, "%s is %lld, outside %lld to %lld", dim->name,
                            (long long)dims[i], (long long)dim->low, (long long)dim->high);
    }
    if (lxc_leaf_bytes(dims, bytes) != 0)
        return lxc_fail(LXC_EDIMENSION, "the dimensions give an axis a negative length");
    return LXC_OK;
}

static int32_t lxc_check_struct(uint32_t size, size_t expected, uint32_t flags,
                                int32_t threads, int32_t reserved, const lxc_pool *pool) {
    if (size != expected)
        return lxc_fail(LXC_EARGUMENT, "the call has size %u, and %u is expected",
                        (unsigned)size, (unsigned)expected);
    if (flags != 0 || reserved != 0 || threads < 0)
        return lxc_fail(LXC_EARGUMENT, "flags and reserved must be 0, threads not negative");
    if (pool != NULL && (pool->size != sizeof(lxc_pool) || pool->version != LXC_POOL_VERSION))
        return lxc_fail(LXC_EPOOL, "the pool is of another version");
    return LXC_OK;
}

static int32_t lxc_check_overlap(const lxc_span *spans, int32_t count, int32_t first_written) {
    int32_t found[2];
    if (!lxc_find_overlap(spans, count, first_written, LXC_STATE, LXC_STATE_OUT,
                          LXC_STATE_COUNT, found))
        return LXC_OK;
    return lxc_fail(LXC_EOVERLAP, "%s, which is written, overlaps %s", lxc_span_label(found[0]),
                    lxc_span_label(found[1]));
}

static int32_t lxc_check_run(const lxc_call *call, int64_t *bytes) {
    lxc_span spans[LXC_SPANS];
    int32_t code;
    if ((code = lxc_check_struct(call->size, sizeof *call, call->flags, call->threads,
                                 call->reserved, call->pool)) ||
        (code = lxc_check_dims(call->dims, bytes)) ||
        (code = lxc_gather(&lxc_this.inputs, call->inputs, bytes, 0, spans)) ||
        (code = lxc_gather(&lxc_this.params, call->params, bytes + LXC_PARAMS, 0,
                           spans + LXC_PARAMS)) ||
        (code = lxc_gather(&lxc_this.state, call->state_in, bytes + LXC_STATE, 0,
                           spans + LXC_STATE)) ||
        (code = lxc_gather_buffer("prepared", call->prepared, lxc_this.prepared_bytes,
                                  spans + LXC_PREPARED)) ||
        (code = lxc_gather(&lxc_this.outputs, (const void *const *)call->outputs,
                           bytes + LXC_OUTPUTS, 0, spans + LXC_WRITTEN)) ||
        (code = lxc_gather_written(&lxc_this.state, call->state_out, call->state_in,
                                   bytes + LXC_STATE, spans + LXC_STATE_OUT)) ||
        (code = lxc_gather_buffer("arena", call->arena, lxc_this.arena_bytes,
                                  spans + LXC_ARENA)))
        return code;
    return lxc_check_overlap(spans, LXC_SPANS, LXC_WRITTEN);
}

static int32_t lxc_check_prepare(const lxc_prepare_call *call, int64_t *bytes) {
    lxc_span spans[LXC_PREPARED + 1];
    int32_t code;
    if ((code = lxc_check_struct(call->size, sizeof *call, call->flags, call->threads,
                                 call->reserved, call->pool)) ||
        (code = lxc_check_dims(call->dims, bytes)) ||
        (code = lxc_gather(&lxc_this.params, call->params, bytes + LXC_PARAMS, 0,
                           spans + LXC_PARAMS)) ||
        (code = lxc_gather(&lxc_this.state, call->state, bytes + LXC_STATE, 1,
                           spans + LXC_STATE)) ||
        (code = lxc_gather_buffer("prepared", call->prepared, lxc_this.prepared_bytes,
                                  spans + LXC_PREPARED)))
        return code;
    for (int32_t i = 0; i < LXC_PARAMS; ++i) spans[i] = lxc_span_of(NULL, 0);
    return lxc_check_overlap(spans, LXC_PREPARED + 1, LXC_PREPARED);
}

static void lxc_copy_frozen(const lxc_call *call, const int64_t *bytes) {
    for (int32_t i = 0; i < lxc_this.state.count; ++i) {
        void *out = call->state_out[i];
        if (lxc_this.state.leaves[i].frozen && out != NULL && out != call->state_in[i])
            memmove(out, call->state_in[i], (size_t)bytes[LXC_STATE + i]);
    }
}

static int32_t lxc_finish(int32_t returned, int32_t status) {
    if (returned == 0 && status == 0) return LXC_OK;
    if (!lxc_has_raised)
        lxc_fail(LXC_EKERNEL, "the compiled code failed with %d and %d", (int)returned,
                 (int)status);
    return LXC_EKERNEL;
}

static int32_t lxc_run(const lxc_call *call) {
    int64_t bytes[LXC_LEAVES + 1];
    int32_t status = 0;
    if (call == NULL) return lxc_fail(LXC_ENULL, "the call is NULL");
    int32_t code = lxc_check_run(call, bytes);
    if (code != LXC_OK) return code;
    const lxc_pool *outer_pool = lxc_current.pool;
    int32_t outer_threads = lxc_current.threads;
    lxc_current.pool = call->pool != NULL ? call->pool : &lxc_own_pool;
    lxc_current.threads = call->threads;
    lxc_current.work = 0;
    lxc_has_raised = 0;
    int32_t returned = lxc_entry_run(
        (const int64_t *)call->inputs, (const int64_t *)call->params,
        (const int64_t *)call->state_in, (const int64_t *)call->state_out,
        (const int64_t *)call->outputs, (int64_t)(intptr_t)call->prepared,
        (int64_t)(intptr_t)call->arena, call->dims, &status, &lxc_current.work);
    lxc_current.pool = outer_pool;
    lxc_current.threads = outer_threads;
    code = lxc_finish(returned, status);
    if (code == LXC_OK) lxc_copy_frozen(call, bytes);
    return code;
}

static int32_t lxc_prepare(const lxc_prepare_call *call) {
    int64_t bytes[LXC_LEAVES + 1];
    int32_t status = 0;
    if (call == NULL) return lxc_fail(LXC_ENULL, "the call is NULL");
    int32_t code = lxc_check_prepare(call, bytes);
    if (code != LXC_OK) return code;
    const lxc_pool *outer_pool = lxc_current.pool;
    int32_t outer_threads = lxc_current.threads;
    lxc_current.pool = call->pool != NULL ? call->pool : &lxc_own_pool;
    lxc_current.threads = call->threads;
    lxc_current.work = 0;
    lxc_has_raised = 0;
    int32_t returned = lxc_entry_prepare(
        (const int64_t *)call->params, (const int64_t *)call->state,
        (int64_t)(intptr_t)call->prepared, call->dims, &status, &lxc_current.work);
    lxc_current.pool = outer_pool;
    lxc_current.threads = outer_threads;
    return lxc_finish(returned, status);
}
