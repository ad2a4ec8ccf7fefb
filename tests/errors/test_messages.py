"""What users read when a model is wrong: one golden file per message."""

from pathlib import Path

import pytest

from lxc.errors import CODES, LxcError
from tests.conftest import Golden
from tests.errors.wrong_kaun import WRONG_KAUN
from tests.errors.wrong_models import WRONG as WRONG_MODELS
from tests.errors.wrong_recurrent import WRONG_RECURRENT
from tests.errors.wrong_structure import WRONG_STRUCTURE

WRONG = WRONG_MODELS | WRONG_RECURRENT | WRONG_STRUCTURE | WRONG_KAUN
GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_model_gets_its_diagnostic(name: str, golden: Golden) -> None:
    with pytest.raises(LxcError) as error:
        WRONG[name]()
    assert error.value.code in CODES
    golden.compare(GOLDEN / f"{name}.txt", f"{error.value}\n")


def test_every_golden_file_of_a_model_has_its_model() -> None:
    files = {path.stem for path in GOLDEN.glob("*.txt")}
    assert files >= set(WRONG)
