"""Models out of ONNX files. `lxc.load_onnx` reads one; only that needs the package onnx."""
