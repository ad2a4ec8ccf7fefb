"""Say what differs between two artifacts, or between two arrays."""
