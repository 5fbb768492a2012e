"""``make bench``: measure this machine; ``make bench-report`` writes tables and pages from the results."""

from .dev_x86 import DEVICE
from .device import main

main(DEVICE)
