"""Hold the code in an artifact against the IR in it, run in float64."""
