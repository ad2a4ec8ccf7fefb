"""The list of mutations fits the code, and every mutation is noticed."""

import pytest

from tests.conformance.mutations import FOLDER, MUTATIONS, ROOT, Mutation, main


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_a_mutation_has_its_place_and_its_tests(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text("utf-8")
    assert text.count(mutation.old) == 1
    assert mutation.old != mutation.new
    for test in mutation.tests:
        file, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / FOLDER / file).read_text("utf-8")


@pytest.mark.slow
def test_every_mutation_is_noticed() -> None:
    assert main() == 0
