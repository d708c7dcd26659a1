"""How days and instants are written where Django writes them: as by our own filters."""
