"""Train the network with PyTorch and keep its weights and the test images beside this file.

    python examples/digits/train.py

The images are the handwritten digits of the UCI repository (E. Alpaydin and C. Kaynak,
"Optical Recognition of Handwritten Digits", 1998, licence CC BY 4.0), as scikit-learn ships
them: 1797 images of 8 x 8 pixels with values 0 to 16. Needs torch and scikit-learn; lxc
itself needs neither.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).parent
EPOCHS = 60


def twin() -> nn.Sequential:
    """Return the network of `model.py` in PyTorch."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def train(network: nn.Sequential, images: torch.Tensor, labels: torch.Tensor) -> None:
    """Minimise the cross-entropy with Adam and a falling learning rate."""
    optimiser = torch.optim.Adam(network.parameters(), 2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    network.train()
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(images)), 64):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(network(images[batch]), labels[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()


def leaves_of(network: Any) -> dict[str, Any]:
    """Return the weights under the names of lxc's trees, kernels flipped for `nn.Conv`."""
    leaves: dict[str, torch.Tensor] = {}
    for name, place in (("layer_1", 0), ("layer_4", 4)):
        leaves[f"params.{name}.weight"] = network[place].weight.flip(2, 3)
        leaves[f"params.{name}.bias"] = network[place].bias
    for name, place in (("layer_2", 1), ("layer_5", 5)):
        norm = network[place]
        leaves[f"params.{name}.scale"] = norm.weight
        leaves[f"params.{name}.bias"] = norm.bias
        leaves[f"state.{name}.running_mean"] = norm.running_mean
        leaves[f"state.{name}.running_var"] = norm.running_var
    for name, place in (("layer_9", 10), ("layer_10", 12)):
        leaves[f"params.{name}.weight"] = network[place].weight
        leaves[f"params.{name}.bias"] = network[place].bias
    arrays = {k: np.ascontiguousarray(leaf.detach().numpy()) for k, leaf in leaves.items()}
    arrays["state.layer_8.rng"] = np.array([0, 1], np.uint32)
    return arrays


def main() -> None:
    """Train, print the accuracy on the test split, write both files."""
    torch.manual_seed(0)
    digits = load_digits()
    images = digits.images.astype(np.uint8).reshape(-1, 1, 8, 8)
    parts = train_test_split(
        images, digits.target, test_size=360, random_state=0, stratify=digits.target
    )
    train_images, test_images, train_labels, test_labels = parts
    inputs, tests = (
        torch.tensor(part / 16, dtype=torch.float32) for part in (train_images, test_images)
    )
    network = twin()
    train(network, inputs, torch.tensor(train_labels))
    network.eval()
    with torch.no_grad():
        logits = network(tests).numpy()
    accuracy = (logits.argmax(1) == test_labels).mean()
    print(f"accuracy on {len(test_labels)} test images: {accuracy:.4f}")
    save_file(leaves_of(network), HERE / "weights.safetensors")
    np.savez_compressed(
        HERE / "test.npz", images=test_images, labels=test_labels.astype(np.uint8)
    )


if __name__ == "__main__":
    main()
