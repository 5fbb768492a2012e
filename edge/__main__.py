"""``python -m edge`` is ``sovits-edge``."""

from .cli.main import main

if __name__ == "__main__":
    main()
