"""Where the time of a call goes: kernel by kernel, and against what the machine can do."""
