"""The kinds of card that machine code is made for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """A kind of card by NVIDIA's name for it.

    `capability` is 90 for compute capability 9.0. Code for it runs on later cards of the
    same family too, unless it is `exact`. What `is_text` the driver compiles for the card
    that is there, which may be any later one.
    """

    name: str
    capability: int
    description: str
    exact: bool = False
    is_text: bool = False

    @property
    def virtual(self) -> str:
        """NVIDIA's name for the text of this kind."""
        return self.name.replace("sm_", "compute_")


SM_80 = Architecture("sm_80", 80, "A100, A30")
SM_86 = Architecture("sm_86", 86, "A10, A40, GeForce 30")
SM_89 = Architecture("sm_89", 89, "L4, L40, GeForce 40")
SM_90 = Architecture("sm_90a", 90, "H100, H200", exact=True)
LATER = Architecture("compute_80", 80, "any later card", is_text=True)

CARDS = (SM_80, SM_86, SM_89, SM_90)
ALL = (*CARDS, LATER)
