"""Messages of an ONNX file as far as they are read here, without the package onnx: a device has none.

Field numbers: onnx/onnx.proto3 of ONNX. What is not described stays in the message as it is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "onnx_subset"

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Model": {"graph": (7, "Graph"), "opset_import": (8, "Opset*")},
    "Graph": {
        "node": (1, "Node*"),
        "initializer": (5, "Tensor*"),
        "input": (11, "Value*"),
        "output": (12, "Value*"),
    },
    "Node": {
        "input": (1, "string*"),
        "output": (2, "string*"),
        "name": (3, "string"),
        "op_type": (4, "string"),
        "attribute": (5, "Attribute*"),
        "domain": (7, "string"),
    },
    "Attribute": {"name": (1, "string"), "i": (3, "int64"), "type": (20, "int32")},
    "Tensor": {
        "dims": (1, "int64*"),
        "data_type": (2, "int32"),
        "name": (8, "string"),
        "raw_data": (9, "bytes"),
    },
    "Value": {"name": (1, "string"), "type": (2, "Type")},
    "Type": {"tensor": (1, "TensorType")},
    "TensorType": {"elem_type": (1, "int32")},
    "Opset": {"domain": (1, "string"), "version": (2, "int64")},
}


def read_model(content: bytes) -> Any:
    """Parse an ONNX file; its ``SerializeToString`` writes it again."""
    parsed = _messages()["Model"]()
    parsed.ParseFromString(content)
    return parsed


@lru_cache(maxsize=1)
def _messages() -> dict[str, Any]:
    """Classes of the messages, by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="onnx_subset.proto", package="onnx_subset", syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            field = message.field.add(name=field_name, number=number)
            field.label = field.LABEL_REPEATED if kind.endswith("*") else field.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind in _MESSAGES:
                field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = getattr(field, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    find = pool.FindMessageTypeByName
    return {name: message_factory.GetMessageClass(find(f"{_PACKAGE}.{name}")) for name in _MESSAGES}
