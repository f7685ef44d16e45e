"""``python -m flowreasoner_plugins`` is ``flowreasoner``."""

from flowreasoner_plugins.cli import main

if __name__ == "__main__":
    main()
