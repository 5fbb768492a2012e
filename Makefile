# make demo    speak six lines over MQTT; WAV and lip-sync files in demo-out/
# make test    run the tests
# make check   lint and types
# make faults-update  kill 300 updates at random moments; a short version is in make test
# make bench   measure this machine; JSON in benchmarks/results/, table in README.md
#
# Every target makes its own virtual environment from Python 3.10 to 3.13; PYTHON=... chooses one, PIP_ARGS=...
# is handed to pip.

DEMO := .venv
DEV := .venv-dev
TEST_TOOLS := chromium espeak-ng flite mosquitto mosquitto-clients
DEV_EXTRAS := ja,demo,quantize,distill,dev

.PHONY: help demo test check faults-update bench tools clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(DEMO)/ready
	@$(DEMO)/bin/python -m edge.demo $(DEMO_FLAGS)

test: $(DEV)/ready tools
	$(DEV)/bin/python -m pytest

check: $(DEV)/ready
	$(DEV)/bin/python -m ruff check .
	$(DEV)/bin/python -m ruff format --check .
	$(DEV)/bin/python -m mypy

faults-update: $(DEV)/ready
	SOVITS_FAULTS=300 $(DEV)/bin/python -m pytest tests/deploy/test_faults.py

bench: $(DEV)/ready tools
	$(DEV)/bin/python -m benchmarks

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
