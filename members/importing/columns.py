"""Columns: whose file this may be and what its columns may mean, as a proposal to a person."""

from itertools import islice
from pathlib import Path

from members.formats import registry
from members.formats.mapped import MappedKind, Mapping, guess_mapping
from members.formats.reading import open_table
from members.importing import files
from members.importing.samples import shown
from members.models import Channel, ImportRun

SAMPLES = 3


def likely_channel(path: Path) -> Channel | None:
    """The channel that a file is likely of: one of its platform, the one last imported into first.

    Raises a `FileRefused` for what cannot be read at all: no choice of a channel would help.
    """
    with open_table(path) as table:
        described = registry.recognise(table.headers)
    if described is None or not described.platforms:
        return None
    fitting = Channel.objects.filter(platform__in=described.platforms, is_active=True)
    last = ImportRun.objects.filter(channel__in=fitting).order_by("-pk").first()
    return last.channel if last else fitting.first()


def fits(run: ImportRun) -> bool:
    """Whether the format of the file is one that the channel's platform writes."""
    described = registry.FORMATS.get(run.format)
    return described is None or not described.platforms or run.channel.platform in described.platforms


def proposal(run: ImportRun, kind: MappedKind | None = None) -> Mapping:
    """What the columns of a run may mean: as chosen before, else by their names."""
    if run.mapping is not None and (kind is None or run.mapping["kind"] == kind):
        return Mapping(**run.mapping)
    return guess_mapping(run.headers, kind)


def samples(run: ImportRun) -> dict[str, list[str]]:
    """The first values of each column, masked; none when the file is gone."""
    found: dict[str, list[str]] = {header: [] for header in run.headers}
    path = files.path_of(run.key)
    if not path.exists():
        return found
    with open_table(path) as table:
        for row in islice(table.rows, SAMPLES):
            for header in run.headers:
                value = row.text(header)
                if value and header:
                    found[header].append(shown(header, value))
    return found
