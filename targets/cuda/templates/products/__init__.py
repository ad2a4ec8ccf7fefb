"""Products of matrices and convolutions on cards."""
