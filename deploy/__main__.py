"""``python -m deploy`` is ``sovits-deploy``."""

from .cli import main

if __name__ == "__main__":
    main()
