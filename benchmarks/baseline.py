"""The network to compare with: what a VITS voice of the size of Piper "medium" computes for every frame.

Random weights, as time does not depend on them. Only the flow and the HiFi-GAN decoder are here; the text
encoder, the duration predictor and everything outside the network are left out, in favour of the baseline.

Sizes: VITS, arXiv:2106.06103 (flow: four coupling layers of four WaveNet layers, width 192, kernel 5), with
the lighter decoder that Piper's medium voices have: blocks of two convolutions (HiFi-GAN, arXiv:2010.05646,
V3), 256 channels, upsampling 8, 8, 4, 22.05 kHz. Piper's own code is not used.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

SAMPLE_RATE = 22_050  # Hz
UPSAMPLING = (8, 8, 4)  # 256 samples per frame
HOP_LENGTH = 256
WIDTH = 192
CHANNELS = 256
KERNELS, DILATIONS = (3, 5, 7), ((1, 2), (2, 6), (3, 12))


class CouplingLayer(nn.Module):
    """Half of the channels shifts the other half, by a WaveNet of four gated layers."""

    def __init__(self, n_layers: int = 4, kernel_size: int = 5) -> None:
        super().__init__()
        self.before = nn.Conv1d(WIDTH // 2, WIDTH, 1)
        self.gates = nn.ModuleList(
            nn.Conv1d(WIDTH, 2 * WIDTH, kernel_size, padding=kernel_size // 2) for _ in range(n_layers)
        )
        self.outputs = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH if layer == n_layers - 1 else 2 * WIDTH, 1) for layer in range(n_layers)
        )
        self.after = nn.Conv1d(WIDTH, WIDTH // 2, 1)

    def forward(self, latent: Tensor) -> Tensor:
        """Undo one layer of the flow; (B, C, T) in and out."""
        kept, shifted = latent.chunk(2, dim=1)
        hidden = self.before(kept)
        skipped = torch.zeros_like(hidden)
        for gate, output in zip(self.gates, self.outputs, strict=True):
            signal, strength = gate(hidden).chunk(2, dim=1)
            result = output(torch.tanh(signal) * torch.sigmoid(strength))
            if result.shape[1] == WIDTH:
                skipped = skipped + result
            else:
                residual, skip = result.chunk(2, dim=1)
                hidden, skipped = hidden + residual, skipped + skip
        return torch.cat([kept, shifted - self.after(skipped)], dim=1).flip(1)


class Block(nn.Module):
    """Two dilated convolutions with residuals."""

    def __init__(self, channels: int, kernel_size: int, dilations: tuple[int, int]) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel_size, dilation=d, padding=d * (kernel_size - 1) // 2)
            for d in dilations
        )

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, T) in and out."""
        for convolution in self.convolutions:
            signal = signal + convolution(leaky_relu(signal, 0.1))
        return signal


class Level(nn.Module):
    """Mean of three blocks that look at different widths."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(channels, kernel, dilation) for kernel, dilation in zip(KERNELS, DILATIONS, strict=True)
        )

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, T) in and out."""
        return torch.stack([block(signal) for block in self.blocks]).mean(0)


class Voice(nn.Module):
    """Flow and decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = nn.Sequential(*(CouplingLayer() for _ in range(4)))
        self.before = nn.Conv1d(WIDTH, CHANNELS, 7, padding=3)
        sizes = [CHANNELS >> level for level in range(len(UPSAMPLING) + 1)]
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(sizes[i], sizes[i + 1], 2 * step, step, padding=step // 2)
            for i, step in enumerate(UPSAMPLING)
        )
        self.levels = nn.ModuleList(Level(size) for size in sizes[1:])
        self.after = nn.Conv1d(sizes[-1], 1, 7, padding=3)

    def forward(self, latent: Tensor) -> Tensor:
        """Turn latent frames (B, 192, T) into sound (B, 1, 256 * T)."""
        signal = self.before(self.flow(latent))
        for up, level in zip(self.ups, self.levels, strict=True):
            signal = level(up(leaky_relu(signal, 0.1)))
        return torch.tanh(self.after(leaky_relu(signal, 0.1)))


def export(path: Path) -> None:
    """Write the network as ONNX."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its own end
        torch.onnx.export(
            Voice().eval(),
            (torch.randn(1, WIDTH, 32),),
            str(path),
            input_names=["latent"],
            output_names=["sound"],
            dynamic_axes={"latent": {2: "T"}},
            opset_version=17,
            dynamo=False,
        )


def variants(
    path: Path, threads: tuple[int, ...], seconds: tuple[int, ...]
) -> list[tuple[dict[str, Any], Callable[[], float]]]:
    """What to hand to ``interleave``: real-time factors, ONNX Runtime with its defaults and float32."""
    made: list[tuple[dict[str, Any], Callable[[], float]]] = []
    for count in threads:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = count
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for length in seconds:
            latent = np.random.default_rng(0).standard_normal(
                (1, WIDTH, length * SAMPLE_RATE // HOP_LENGTH), np.float32
            )
            variant = {"precision": "baseline", "threads": count, "seconds": length}
            made.append((variant, partial(_real_time_factor, session, latent)))
    return made


def _real_time_factor(session: onnxruntime.InferenceSession, latent: np.ndarray) -> float:
    started = time.perf_counter()
    (sound,) = session.run(["sound"], {"latent": latent})
    return (time.perf_counter() - started) / (sound.shape[-1] / SAMPLE_RATE)
