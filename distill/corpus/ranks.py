"""Several processes of one command, one for each GPU, on one machine or many, started as training's are.

A process on its own needs no PyTorch; with more, or under torchrun or SLURM, Lightning Fabric joins them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from ..config import DistillError

PATIENCE = timedelta(days=30)  # of a process that is done for those that are not
_LOOK_S = 0.5

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """This process among those of the command."""

    rank: int = 0
    """0 to size - 1; the first one does what is done once."""
    size: int = 1
    gpu: str | None = None
    """What CUDA_VISIBLE_DEVICES should hold for the programs of this rank; None leaves it alone."""
    _barrier: Callable[[], None] = lambda: None

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """Give what this process has to do; neighbours go to different ones, so that shares are alike."""
        return items[self.rank :: self.size]

    def wait(self) -> None:
        """Wait until all processes are here.

        Raises:
            DistillError: one of them has ended.
        """
        try:
            self._barrier()
        except RuntimeError as error:
            raise DistillError(
                "another process of this run has ended; run the command again to go on"
            ) from error

    def folder(self, corpus: Path) -> Path:
        """Give the folder for what each process keeps for itself; the first one has the corpus itself."""
        return corpus if self.rank == 0 else corpus / "ranks" / str(self.rank)


def expected_rank() -> int:
    """Say which process this will be, before they have joined."""
    named = ["RANK", "LOCAL_RANK"]
    if int(os.environ.get("SLURM_NTASKS", "1")) > 1:
        named.insert(0, "SLURM_PROCID")
    return next((int(os.environ[name]) for name in named if name in os.environ), 0)


def join_ranks(devices: int) -> Ranks:
    """Start the other processes if none did yet, and join them."""
    tasks = int(os.environ.get("SLURM_NTASKS", "1"))
    if devices == 1 and tasks == 1 and "LOCAL_RANK" not in os.environ:
        return Ranks()
    from lightning.fabric import Fabric
    from lightning.fabric.strategies.ddp import DDPStrategy

    size = int(os.environ.get("WORLD_SIZE", devices))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ.get("SLURM_NTASKS_PER_NODE", devices)))
    nodes = int(os.environ.get("SLURM_NNODES", max(1, size // local)))
    # Only barriers are needed; gloo waits on GPUs' processes without taking memory there.
    strategy = DDPStrategy(process_group_backend="gloo", timeout=PATIENCE)
    fabric = Fabric(devices=local, num_nodes=nodes, strategy=strategy)
    fabric.launch()
    if fabric.global_rank > 0:
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    gpu = _visible(fabric.device.index) if fabric.device.type == "cuda" else None
    return Ranks(fabric.global_rank, fabric.world_size, gpu, fabric.barrier)


def _visible(index: int | None) -> str:
    """Name a GPU as CUDA_VISIBLE_DEVICES does, which may already hide some."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = visible.split(",") if visible else []
    return names[index or 0] if names else str(index or 0)


def _end_with_parent(parent: int) -> None:
    """Leave when the process that started this one was killed."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
