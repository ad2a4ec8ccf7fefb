/* The text of the last failure, one per thread. */

static _Thread_local char lxc_error_text[256];

__attribute__((format(printf, 2, 3))) static int32_t lxc_fail(int32_t code, const char *format,
                                                              ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lxc_error_text, sizeof lxc_error_text, format, arguments);
    va_end(arguments);
    return code;
}
