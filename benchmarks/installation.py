"""An installation of Shuke as a brand would have it: keys, a programme, channels, and people at work."""

from pathlib import Path

from django.core.management import call_command

from benchmarks.limits import connect
from config import cluster, database, static_files
from config.cluster import Cluster
from loyalty import publishing
from members import api_keys, channels
from privacy import roles

PROGRAMME = Path(publishing.__file__).with_name("programmes") / "demo.yaml"
CLERK, ADMIN = "bench-clerk", "bench-admin"
STORE = "jingan"
MOST_RATE = 9_999_999  # requests a minute: the limit is asked for each time, and never reached


def make() -> tuple[Cluster, str]:
    """Make it in the folder that the settings name; its server, and an API key of the channel `tmall`."""
    database.bring_up()
    server = database.embedded()
    assert server is not None, "measurements bring their own server"
    call_command("migrate", interactive=False, verbosity=0)
    static_files.collect_when_needed()
    publishing.load(PROGRAMME.read_bytes())
    tmall = channels.make("tmall", "tmall")
    channels.make("youzan", "youzan")
    channels.make_store(channels.make(STORE, "pos"), STORE)
    roles.make_staff(CLERK, "clerk", store=f"{STORE}/{STORE}")
    roles.make_staff(ADMIN, "admin")
    return server, api_keys.make(tmall, rate=MOST_RATE)[1]


def calm(server: Cluster) -> None:
    """Let the server finish what loading has left behind, as it would by itself within minutes."""
    with connect(server, cluster.DATABASE, cluster.ADMIN) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
