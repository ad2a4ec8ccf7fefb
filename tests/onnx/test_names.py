"""Names out of files become names that everything else has, and come back."""

import re

from hypothesis import given, strategies

from lxc.frontend.onnx.names import name_of, node_path, path_of, paths_of, word_of

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
texts = strategies.text(min_size=1) | strategies.text("_u2ea.0/:é", min_size=1)


@given(texts)
def test_every_name_makes_keys_and_comes_back(name: str) -> None:
    for path in (path_of(name), word_of(name)):
        assert all(KEY.fullmatch(word) for word in path.split("."))
        assert name_of(path) == name


@given(strategies.sets(texts, max_size=8))
def test_no_parameter_stands_below_another(names: set[str]) -> None:
    paths = paths_of(names)
    assert {name_of(path) for path in paths.values()} == names
    for path in paths.values():
        assert not any(other.startswith(f"{path}.") for other in paths.values())


def test_names_of_torch_keep_their_levels() -> None:
    assert path_of("layer1.0.conv.weight") == "layer1._0.conv.weight"
    assert path_of("hidden_units") == "hidden_units"
    assert path_of("onnx::Conv_3") == "onnx_u3a__u3a_Conv_3"
    assert node_path("/layer1/layer1.0/conv/Conv") == "layer1.layer1._0.conv.Conv"
