"""Which of two tellings of the same thing holds (ledger.md, *The same thing twice*). Pure."""

SAME = "same"
CHANGED = "changed"
STALE = "stale"
CONFLICT = "conflict"
NEW = "new"


def judge(
    told_version: int | None, told_digest: bytes, known_version: int | None, known_digest: bytes | None
) -> str:
    """What to do with something told again: `same`, `changed`, `stale` or `conflict`.

    An older version is stale, whatever it says; the same version must say the same; a newer one
    holds. Where either has no version, the latest arrival holds.
    """
    if told_version is not None and known_version is not None and told_version <= known_version:
        if told_version < known_version:
            return STALE
        return SAME if told_digest == known_digest else CONFLICT
    return SAME if told_digest == known_digest else CHANGED


def later(told: int | None, known: int | None) -> int | None:
    """The version to keep: a telling without one does not take away the one we have."""
    if told is None or known is None:
        return known if told is None else told
    return max(told, known)
