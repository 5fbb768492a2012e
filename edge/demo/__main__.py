"""``python -m edge.demo`` is what ``make demo`` runs."""

from .show import main

if __name__ == "__main__":
    main()
