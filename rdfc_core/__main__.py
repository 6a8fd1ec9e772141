"""``python -m rdfc_core``: the command ``rdfc``, as torchrun starts it."""

from rdfc_core.cli import main

if __name__ == "__main__":
    main()
