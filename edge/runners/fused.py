"""Second graph for ONNX Runtime: a quantized product, its scales and its bias as one operator.

ONNX Runtime makes ``MatMulIntegerToFloat`` of a product between Q/DQ by itself, but adds the bias afterwards,
which reads and writes everything once more. The operator takes the bias as an input, so the graph is written
anew when it is loaded; the result is the same to the bit. What is gained: docs/engine.md.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .onnx_subset import read_model

DOMAIN, OPERATOR = "com.microsoft", "MatMulIntegerToFloat"
UNSIGNED_ZERO = "unsigned_zero_point"
_UINT8 = 2  # TensorProto.DataType
_SIGNED_ZERO, _SHIFTED_ZERO = b"\x00", b"\x80"


def fuse_products(model: bytes, unsigned: bool) -> bytes:
    """Write every product between Q/DQ with its bias as one operator.

    Args:
        model: ONNX file; products as ``quantize/qdq.py`` writes them, everything else stays as it is.
        unsigned: round activations to uint8 with zero at 128, as x86 multiplies; ONNX Runtime does that
            by itself as long as it finds Q/DQ.

    Returns:
        ONNX file; the same bytes if it holds no such product.
    """
    parsed = read_model(model)
    rewriter = _Rewriter(parsed.graph)
    if not rewriter.fuse():
        return model
    if unsigned:
        rewriter.shift_zero()
    rewriter.finish()
    parsed.opset_import.add(domain=DOMAIN, version=1)
    written: bytes = parsed.SerializeToString()
    return written


class _Rewriter:
    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._producers = {name: node for node in graph.node for name in node.output}
        self._consumers: dict[str, list[Any]] = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self._consumers[name].append(node)
        for value in graph.output:
            self._consumers[value.name].append(value)
        self._removed: set[int] = set()
        self._fused: list[Any] = []

    def fuse(self) -> int:
        """Rewrite the products; gives their number."""
        for node in self._graph.node:
            sources = [self._producers.get(name) for name in node.input]
            if node.op_type == "MatMul" and all(_is(source, "DequantizeLinear") for source in sources):
                self._fuse(node, *sources)
        return len(self._fused)

    def _fuse(self, product: Any, activation: Any, weight: Any) -> None:
        if weight.input[0] not in self._constants or activation.input[0] in self._constants:
            return
        if len(activation.input) != 3 or len(weight.input) != 3:
            return
        quantized, scale, zero = activation.input
        weights, weight_scale, weight_zero = weight.input
        bias, after = self._bias(product)
        for dequantize, name in ((activation, product.input[0]), (weight, product.input[1])):
            if len(self._consumers[name]) == 1:
                self._removed.add(id(dequantize))
            self._consumers[name].remove(product)
        product.op_type, product.domain = OPERATOR, DOMAIN
        if self._is_zero(weight_zero):
            weight_zero = ""  # without, a product is 1 to 2 % faster
        product.input[:] = [quantized, weights, scale, weight_scale, zero, weight_zero, *bias]
        if after is not None:
            self._removed.add(id(after))
            product.output[:] = after.output
        self._consumers[quantized].append(product)
        self._fused.append(product)

    def _is_zero(self, name: str) -> bool:
        constant = self._constants.get(name)
        return constant is not None and bool(constant.raw_data) and not any(constant.raw_data)

    def _bias(self, product: Any) -> tuple[list[str], Any]:
        """Name of the bias and the node that adds it, if nothing else reads the product."""
        readers = self._consumers[product.output[0]]
        if len(readers) != 1 or not _is(readers[0], "Add"):
            return [], None
        biases = [name for name in readers[0].input if name in self._constants]
        if len(biases) != 1 or len(self._constants[biases[0]].dims) != 1:
            return [], None
        return biases, readers[0]

    def shift_zero(self) -> None:
        """Let activations that only products read have their zero at 128."""
        used = False
        for quantize in self._graph.node:
            if quantize.op_type != "QuantizeLinear" or len(quantize.input) != 3:
                continue
            readers = [node for node in self._consumers[quantize.output[0]] if id(node) not in self._removed]
            zero = self._constants.get(quantize.input[2])
            fit = zero is not None and zero.raw_data == _SIGNED_ZERO
            if fit and readers and all(_is(node, OPERATOR) for node in readers):
                used = True
                quantize.input[2] = UNSIGNED_ZERO
                for product in readers:
                    product.input[4] = UNSIGNED_ZERO
        if used:
            self._graph.initializer.add(name=UNSIGNED_ZERO, data_type=_UINT8, raw_data=_SHIFTED_ZERO)

    def finish(self) -> None:
        """Take out what nothing reads any more."""
        kept = [node for node in self._graph.node if id(node) not in self._removed]
        del self._graph.node[:]
        self._graph.node.extend(kept)


def _is(node: Any, kind: str) -> bool:
    """Whether something is an operator of a kind; a constant and an output of the graph are none."""
    return getattr(node, "op_type", "") == kind
