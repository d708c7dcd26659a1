"""Roles: what each may do, as data, and whether the database still says the same (D6).

`role-matrix.yaml` is the one truth. Code asks `can(user, verb)`, which reads the matrix and the
person's profile; what the console's lists show follows Django permissions, which `apply_roles`
writes from the same file and `drift` compares.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db import IntegrityError, transaction

from privacy.errors import NotAllowed, RoleUnknown, StaffNameTaken
from privacy.models import StaffProfile

MATRIX = Path(__file__).parent / "role-matrix.yaml"
EXTENTS = frozenset({"full", "masked", "counts", "reason", "own-store", "limit", "request", "approve"})
OWN_STORE = "own-store"
PASSWORD_BYTES = 12

Person = AbstractBaseUser | AnonymousUser | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """The role matrix: extents by verb and role, console access and permission patterns by role."""

    verbs: Mapping[str, Mapping[str, str]]
    console: frozenset[str]
    permissions: Mapping[str, tuple[str, ...]]

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(self.permissions)


@cache
def matrix() -> Matrix:
    """The matrix as read from its file; ValueError when it names a role or extent that is not one."""
    return parse_matrix(yaml.safe_load(MATRIX.read_text(encoding="utf-8")))


def parse_matrix(data: dict[str, Any]) -> Matrix:
    """Check and build a matrix from the parsed YAML."""
    roles = set(data["roles"])
    if roles != set(StaffProfile.Role.values):
        raise ValueError("the role matrix and StaffProfile.Role name different roles")
    for verb, extents in data["verbs"].items():
        if not set(extents) <= roles or not set(extents.values()) <= EXTENTS:
            raise ValueError(f"the role matrix has an unknown role or extent at {verb}")
    return Matrix(
        verbs=data["verbs"],
        console=frozenset(name for name, role in data["roles"].items() if role["console"]),
        permissions={name: tuple(role["permissions"]) for name, role in data["roles"].items()},
    )


def profile_of(user: Person) -> StaffProfile | None:
    """The staff profile of an active person, or None; read once per user instance."""
    if user is None or not user.is_active:
        return None
    profile: StaffProfile | None = getattr(user, "staff_profile", None)
    return profile


def role_of(user: Person) -> str | None:
    """The role of an active person, or None for anybody without one."""
    profile = profile_of(user)
    return profile.role if profile else None


def extent(user: Person, verb: str) -> str | None:
    """How far a person may do something (a word of the matrix), or None for not at all.

    KeyError for a verb that the matrix does not know: a typing error must not read as "no".
    """
    allowed = matrix().verbs[verb]
    role = role_of(user)
    return allowed.get(role) if role else None


def can(user: Person, verb: str, *, store: str | None = None) -> bool:
    """Whether a person may do something; `store` (channel/store) is where, for own-store verbs."""
    found = extent(user, verb)
    if found == OWN_STORE and store is not None:
        profile = profile_of(user)
        return bool(profile and profile.store_code == store)
    return found is not None


def require(user: Person, verb: str, *, store: str | None = None) -> None:
    """Raise NotAllowed unless can()."""
    if not can(user, verb, store=store):
        raise NotAllowed


@transaction.atomic
def apply_roles() -> None:
    """Write groups, their permissions and their members as the matrix and the profiles say."""
    wanted = _wanted_permissions()
    for role in matrix().roles:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(wanted[role])
    for profile in StaffProfile.objects.select_related("user"):
        _place(profile)


def _wanted_permissions() -> dict[str, list[Permission]]:
    every = list(Permission.objects.select_related("content_type"))
    return {
        role: [one for one in every if any(fnmatchcase(_label(one), pattern) for pattern in patterns)]
        for role, patterns in matrix().permissions.items()
    }


def _label(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def _place(profile: StaffProfile) -> None:
    """Bring one person's groups and console access in line with their role."""
    user = profile.user
    user.groups.set(Group.objects.filter(name=profile.role))
    console = profile.role in matrix().console
    if user.is_staff != console:
        user.is_staff = console
        user.save(update_fields=["is_staff"])


def drift() -> list[str]:
    """Every way in which the database grants something else than the matrix; empty when it agrees."""
    return [*_group_drift(), *_people_drift()]


def _group_drift() -> Iterator[str]:
    wanted = _wanted_permissions()
    groups = {group.name: group for group in Group.objects.all()}
    for name in groups.keys() - set(wanted):
        yield f"group {name} is not a role"
    for role, permissions in wanted.items():
        if role not in groups:
            yield f"group {role} is missing"
            continue
        held = set(map(_label, groups[role].permissions.select_related("content_type")))
        due = set(map(_label, permissions))
        yield from (f"group {role} has {label} too much" for label in sorted(held - due))
        yield from (f"group {role} lacks {label}" for label in sorted(due - held))


def _people_drift() -> Iterator[str]:
    people = User.objects.filter(is_active=True).select_related("staff_profile")
    for user in people.prefetch_related("groups", "user_permissions__content_type").order_by("pk"):
        role = role_of(user)
        if user.is_superuser:
            yield f"user {user.pk} is a superuser"
        for permission in user.user_permissions.all():
            yield f"user {user.pk} has {_label(permission)} beside the role"
        groups = {group.name for group in user.groups.all()}
        if groups != ({role} if role else set()):
            held = ", ".join(sorted(groups)) or "-"
            yield f"user {user.pk} has the role {role or '-'} and the groups {held}"
        if user.is_staff != (role in matrix().console):
            yield f"user {user.pk} has the role {role or '-'} and is_staff {user.is_staff}"


@transaction.atomic
def make_staff(name: str, role: str, *, store: str = "", password: str | None = None) -> tuple[User, str]:
    """Make a member of staff; answers the user and the password, generated when none is given.

    store: channel/store. Raises RoleUnknown, StaffNameTaken.
    """
    if role not in matrix().roles:
        raise RoleUnknown(role=role)
    password = password or secrets.token_urlsafe(PASSWORD_BYTES)
    try:
        with transaction.atomic():
            user = User.objects.create_user(name, password=password)
    except IntegrityError:
        raise StaffNameTaken(name=name) from None
    _ensure_groups()
    _place(StaffProfile.objects.create(user=user, role=role, store_code=store))
    return user, password


def _ensure_groups() -> None:
    if Group.objects.filter(name__in=matrix().roles).count() < len(matrix().roles):
        apply_roles()
