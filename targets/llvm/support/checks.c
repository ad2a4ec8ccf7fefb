/* What a call must keep, looked at before anything of it is used. */

/* Where the leaves of a group begin in an array of byte counts, and its spans in a run. */
typedef struct lxc_places {
    int32_t params;
    int32_t state;
    int32_t outputs;
    int32_t prepared;
    int32_t written;
    int32_t state_out;
    int32_t arena;
    int32_t spans;
} lxc_places;

static lxc_places lxc_places_of(const lxc_model *model) {
    lxc_places at;
    at.params = model->inputs.count;
    at.state = at.params + model->params.count;
    at.outputs = at.state + model->state.count;
    at.prepared = at.outputs;
    at.written = at.prepared + 1;
    at.state_out = at.written + model->outputs.count;
    at.arena = at.state_out + model->state.count;
    at.spans = at.arena + 1;
    return at;
}

static const char *lxc_span_label(const lxc_model *model, const lxc_places *at,
                                  int32_t index) {
    if (index < at->params) return model->inputs.leaves[index].label;
    if (index < at->state) return model->params.leaves[index - at->params].label;
    if (index < at->prepared) return model->state.leaves[index - at->state].label;
    if (index == at->prepared) return "prepared";
    if (index < at->state_out) return model->outputs.leaves[index - at->written].label;
    if (index < at->arena) return model->state.leaves[index - at->state_out].label;
    return "arena";
}

static int32_t lxc_check_dims(const lxc_model *model, const int64_t *dims, int64_t *bytes) {
    if (dims == NULL && model->dim_count > 0)
        return lxc_fail(LXC_ENULL, "the table of the dimensions is missing");
    for (int32_t i = 0; i < model->dim_count; ++i) {
        const lxc_dim *dim = &model->dims[i];
        if (dims[i] < dim->low || dims[i] > dim->high)
            return lxc_fail(LXC_EDIMENSION, "%s is %lld, outside %lld to %lld", dim->name,
                            (long long)dims[i], (long long)dim->low, (long long)dim->high);
    }
    if (model->leaf_bytes(dims, bytes) != 0)
        return lxc_fail(LXC_EDIMENSION, "the dimensions give an axis a negative length");
    return LXC_OK;
}

/* Nothing behind the size is read before this one is known to be right. */
static int32_t lxc_check_size(uint32_t size, size_t expected) {
    if (size == expected) return LXC_OK;
    return lxc_fail(LXC_EARGUMENT, "the call has size %u, and %u is expected", (unsigned)size,
                    (unsigned)expected);
}

static int32_t lxc_check_options(uint32_t flags, int32_t threads, int32_t reserved,
                                 const lxc_pool *pool) {
    if (flags != 0 || reserved != 0 || threads < 0)
        return lxc_fail(LXC_EARGUMENT, "flags and reserved must be 0, threads not negative");
    if (pool != NULL && (pool->size != sizeof(lxc_pool) || pool->version != LXC_POOL_VERSION))
        return lxc_fail(LXC_EPOOL, "the pool is of another version");
    if (pool != NULL && (pool->launch == NULL || pool->threads == NULL))
        return lxc_fail(LXC_EPOOL, "a function of the pool is NULL");
    return LXC_OK;
}

static int32_t lxc_check_overlap(const lxc_model *model, const lxc_places *at,
                                 const lxc_span *spans, int32_t count,
                                 int32_t first_written) {
    int32_t found[2];
    if (!lxc_find_overlap(spans, count, first_written, at->state, at->state_out,
                          model->state.count, found))
        return LXC_OK;
    return lxc_fail(LXC_EOVERLAP, "%s, which is written, overlaps %s",
                    lxc_span_label(model, at, found[0]), lxc_span_label(model, at, found[1]));
}

static int32_t lxc_check_run(const lxc_model *model, const lxc_places *at,
                             const lxc_call *call, int64_t *bytes, lxc_span *spans) {
    int32_t code;
    if ((code = lxc_check_size(call->size, sizeof *call)) ||
        (code = lxc_check_options(call->flags, call->threads, call->reserved, call->pool)) ||
        (code = lxc_check_dims(model, call->dims, bytes)) ||
        (code = lxc_gather(&model->inputs, call->inputs, bytes, LXC_READS_ALL, spans)) ||
        (code = lxc_gather(&model->params, call->params, bytes + at->params,
                           LXC_READS_WHAT_RUN_DOES, spans + at->params)) ||
        (code = lxc_gather(&model->state, call->state_in, bytes + at->state, LXC_READS_ALL,
                           spans + at->state)) ||
        (code = lxc_gather_buffer("prepared", call->prepared, model->prepared_bytes,
                                  spans + at->prepared)) ||
        (code = lxc_gather(&model->outputs, (const void *const *)call->outputs,
                           bytes + at->outputs, 0, spans + at->written)) ||
        (code = lxc_gather_written(&model->state, call->state_out, call->state_in,
                                   bytes + at->state, spans + at->state_out)) ||
        (code = lxc_gather_buffer("arena", call->arena, model->arena_bytes,
                                  spans + at->arena)))
        return code;
    return lxc_check_overlap(model, at, spans, at->spans, at->written);
}

static int32_t lxc_check_prepare(const lxc_model *model, const lxc_places *at,
                                 const lxc_prepare_call *call, int64_t *bytes,
                                 lxc_span *spans) {
    int32_t code;
    if ((code = lxc_check_size(call->size, sizeof *call)) ||
        (code = lxc_check_options(call->flags, call->threads, call->reserved, call->pool)) ||
        (code = lxc_check_dims(model, call->dims, bytes)) ||
        (code = lxc_gather(&model->params, call->params, bytes + at->params, LXC_READS_ALL,
                           spans + at->params)) ||
        (code = lxc_gather(&model->state, call->state, bytes + at->state, LXC_READS_FROZEN,
                           spans + at->state)) ||
        (code = lxc_gather_buffer("prepared", call->prepared, model->prepared_bytes,
                                  spans + at->prepared)))
        return code;
    for (int32_t i = 0; i < at->params; ++i) spans[i] = lxc_span_of(NULL, 0);
    return lxc_check_overlap(model, at, spans, at->prepared + 1, at->prepared);
}
