import json

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from privacy import roles
from privacy.errors import NotAllowed, RoleUnknown, StaffNameTaken
from privacy.models import StaffProfile

# Written by hand from the design, so that a slip in role-matrix.yaml is seen.
EXPECTED = {
    "members.find": "clerk service marketing privacy admin auditor",
    "members.reveal": "service privacy",
    "members.export": "marketing privacy admin",
    "points.redeem": "clerk",
    "points.adjust": "service",
    "points.approve": "admin",
    "orders.refund": "clerk service",
    "imports.run": "marketing admin",
    "programme.draft": "marketing",
    "programme.publish": "admin",
    "finance.export": "finance",
    "rights.decide": "privacy",
    "segments.edit": "marketing",
    "trail.view": "privacy admin auditor",
}


@pytest.mark.parametrize("verb", list(EXPECTED))
def test_each_role_may_do_what_the_design_says_and_nothing_else(staff, verb):
    allowed = {role for role in roles.matrix().roles if roles.can(staff(role), verb)}
    assert allowed == set(EXPECTED[verb].split())


def test_nobody_approves_what_they_may_ask_for():
    """Two people: no role may both make and approve (maker is not checker)."""
    pairs = {
        "points.adjust": "points.approve",
        "tiers.set": "tiers.approve",
        "programme.draft": "programme.publish",
    }
    verbs = roles.matrix().verbs
    for make, approve in pairs.items():
        assert not set(verbs[make]) & set(verbs[approve])


def test_an_auditor_changes_nothing():
    views = {verb for verb, extents in roles.matrix().verbs.items() if "auditor" in extents}
    assert {verb.split(".")[1] for verb in views} <= {"view", "find", "list"}


def test_no_role_no_rights(db):
    nobody = User.objects.create_user("nobody")
    root = User.objects.create_superuser("root")
    for person in (nobody, root, AnonymousUser(), None):
        assert roles.role_of(person) is None
        assert not roles.can(person, "members.find")
        with pytest.raises(NotAllowed):
            roles.require(person, "members.find")


def test_who_has_left_may_do_nothing(staff):
    clerk = staff("clerk")
    clerk.is_active = False
    assert not roles.can(clerk, "members.find")


def test_a_verb_nobody_knows_is_a_mistake(staff):
    with pytest.raises(KeyError):
        roles.can(staff("admin"), "members.fnid")


def test_a_clerk_moves_points_in_their_own_store_only(staff):
    clerk, homeless, service = staff("clerk", "pos/jingan"), staff("clerk"), staff("service")
    assert roles.extent(clerk, "points.redeem") == "own-store"
    assert roles.can(clerk, "points.redeem", store="pos/jingan")
    assert not roles.can(clerk, "points.redeem", store="pos/pudong")
    assert not roles.can(homeless, "points.redeem", store="pos/jingan")
    assert roles.can(service, "orders.refund", store="pos/pudong")


@pytest.mark.parametrize(
    "slip",
    [
        {"roles": {"clerk": {"console": False, "permissions": []}}, "verbs": {}},
        {"verbs": {"x.do": {"clrk": "full"}}},
        {"verbs": {"x.do": {"clerk": "fully"}}},
    ],
)
def test_a_slip_in_the_matrix_is_refused(slip):
    good = {role: {"console": True, "permissions": []} for role in StaffProfile.Role.values}
    with pytest.raises(ValueError, match="role matrix"):
        roles.parse_matrix({"roles": good, **slip})


def test_every_pattern_of_a_permission_finds_one(db):
    every = [roles._label(one) for one in Permission.objects.select_related("content_type")]
    for patterns in roles.matrix().permissions.values():
        for pattern in patterns:
            if not pattern.startswith("segments."):  # the floor that is built last
                assert any(roles.fnmatchcase(label, pattern) for label in every), pattern


def test_a_database_without_roles_agrees_after_apply(db, capsys):
    Group.objects.all().delete()
    with pytest.raises(SystemExit) as end:
        call_command("check_roles")
    assert end.value.code == 1
    assert "group clerk is missing" in capsys.readouterr().out
    call_command("check_roles", "--apply")
    assert "agrees" in capsys.readouterr().out


def _grant_group(people):
    Group.objects.get(name="clerk").permissions.add(Permission.objects.get(codename="change_notice"))


def _drop_permission(people):
    Group.objects.get(name="auditor").permissions.remove(Permission.objects.get(codename="view_notice"))


def _grant_person(people):
    people["clerk"].user_permissions.add(Permission.objects.get(codename="delete_notice"))


def _second_group(people):
    people["clerk"].groups.add(Group.objects.get(name="admin"))


def _superuser(people):
    User.objects.filter(pk=people["clerk"].pk).update(is_superuser=True)


def _console(people):
    User.objects.filter(pk=people["clerk"].pk).update(is_staff=True)


def _role_by_sql(people):
    StaffProfile.objects.filter(user=people["clerk"]).update(role="admin")


def _foreign_group(people):
    Group.objects.create(name="helpers")


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (_grant_group, "group clerk has privacy.change_notice too much"),
        (_drop_permission, "group auditor lacks privacy.view_notice"),
        (_grant_person, "has privacy.delete_notice beside the role"),
        (_second_group, "has the role clerk and the groups admin, clerk"),
        (_superuser, "is a superuser"),
        (_console, "has the role clerk and is_staff True"),
        (_role_by_sql, "has the role admin and the groups clerk"),
        (_foreign_group, "group helpers is not a role"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_check_roles_finds_planted_drift(staff, capsys, damage, line):
    people = {role: staff(role) for role in ("clerk", "auditor")}
    assert roles.drift() == []
    damage(people)
    with pytest.raises(SystemExit):
        call_command("check_roles", "--json")
    assert any(line in found for found in json.loads(capsys.readouterr().out)["drift"])


def test_make_staff_prints_a_password_that_works(db, capsys):
    call_command("make_staff", "xiaoli", "--role", "clerk", "--store", "pos/jingan")
    password = capsys.readouterr().out.strip()
    user = User.objects.get(username="xiaoli")
    assert len(password) >= 16
    assert user.check_password(password)
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert (user.staff_profile.role, user.staff_profile.store_code) == ("clerk", "pos/jingan")
    assert [group.name for group in user.groups.all()] == ["clerk"]
    assert roles.drift() == []


def test_a_store_told_by_one_code_is_the_first_of_its_channel(db, capsys):
    call_command("make_staff", "xiaoli", "--role", "clerk", "--store", "jingan")
    assert User.objects.get(username="xiaoli").staff_profile.store_code == "jingan/jingan"


def test_a_name_is_taken_once_and_nothing_is_left_behind(db):
    roles.make_staff("xiaoli", "clerk")
    with pytest.raises(StaffNameTaken):
        roles.make_staff("xiaoli", "admin")
    with pytest.raises(RoleUnknown):
        roles.make_staff("other", "king")
    assert User.objects.count() == StaffProfile.objects.count() == 1
    with pytest.raises(CommandError):
        call_command("make_staff", "xiaoli", "--role", "clerk")


def test_the_database_knows_the_roles(staff):
    with pytest.raises(IntegrityError, match="staff_profile_role_is_known"), transaction.atomic():
        StaffProfile.objects.filter(user=staff("clerk")).update(role="king")


@pytest.mark.parametrize("role", StaffProfile.Role.values)
def test_only_the_clerk_has_no_console(staff, role):
    assert staff(role).is_staff == (role != "clerk")
