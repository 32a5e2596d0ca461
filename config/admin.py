"""People, roles, machines that connect, and background tasks in the back office."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django_q import admin as _theirs_of_tasks  # noqa: F401 - registers what is replaced below
from django_q.models import Failure, OrmQ, Schedule, Success
from oauth2_provider.admin import AccessTokenAdmin
from oauth2_provider.models import (
    AccessToken,
    Application,
    Grant,
    IDToken,
    RefreshToken,
    revoke_access_token,
)
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config import roles
from config.clients import ClientForm, accounts_for
from config.schedules import word_of
from parts.actors import Actor
from parts.admin.deeds import Deed, Done
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Office, Shown
from parts.labels import role_word
from reports.actions.access import changing_rights

for _theirs in (User, Group, AccessToken, Application, Grant, IDToken, RefreshToken, Failure, OrmQ, Schedule, Success):
    admin.site.unregister(_theirs)


class PersonForm(UserChangeForm):
    """Whether somebody may enter the back office follows from their role."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(groups := self.fields.get("groups"), ModelMultipleChoiceField):
            vars(groups)["label_from_instance"] = lambda group: role_word(group.name)

    def clean(self) -> dict[str, Any]:
        """Refuse a role of the house without the door to it, and a partner inside."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "groups" not in self.fields:
            return cleaned
        is_staff = {role.name: role.is_staff for role in roles.ROLES}
        kinds = {is_staff[group.name] for group in cleaned.get("groups", ()) if group.name in is_staff}
        if kinds == {True, False}:
            self.add_error("groups", _g("A partner is not of the house: give one kind of role or the other."))
        elif kinds and cleaned.get("is_staff") not in kinds:
            says = _g("These roles work in the back office.") if True in kinds else _g("This role stays outside of it.")
            self.add_error("is_staff", says)
        return cleaned


class RoleFilter(RelatedFieldListFilter):
    """By role, each called as its reader calls it."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        """Return the roles that there are."""
        return [(str(group.pk), role_word(group.name)) for group in Group.objects.order_by("name")]


def _on_record(request: HttpRequest) -> AbstractContextManager[None]:
    """Return what records changes of rights as those of whoever asks; nothing where they only look."""
    if request.method != "POST":
        return nullcontext()
    return changing_rights(by=Actor.user(request.user), source="admin")


@admin.register(User)
class PersonOffice(UserAdmin, Office):
    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "name", "email", "roles", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active", ("groups", RoleFilter))
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("groups", "is_staff", "is_active", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def changeform_view(self, request: HttpRequest, *args: Any, **facts: Any) -> Any:
        """Record what is changed here under the name of who changes it."""
        with _on_record(request):
            return super().changeform_view(request, *args, **facts)

    def delete_view(self, request: HttpRequest, *args: Any, **facts: Any) -> Any:
        """As for changing."""
        with _on_record(request):
            return super().delete_view(request, *args, **facts)

    def changelist_view(self, request: HttpRequest, *args: Any, **facts: Any) -> Any:
        """As for changing, of several."""
        with _on_record(request):
            return super().changelist_view(request, *args, **facts)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Read the roles along."""
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Nobody gives rights to themselves; only who is above all rights makes another so."""
        fixed = ("last_login", "date_joined")
        if request.user.is_superuser:
            return fixed
        own = ("groups", "is_staff", "is_active") if obj is not None and obj.pk == request.user.pk else ()
        return (*fixed, "is_superuser", *own)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who is above all rights is not for others to change (nor is their password)."""
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing."""
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not above and super().has_delete_permission(request, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Offer, where a client's account is chosen, those that may be."""
        if request.GET.get("model_name") == Application._meta.model_name:
            queryset = queryset & accounts_for(request.user)
        found: tuple[QuerySet[User], bool] = super().get_search_results(request, queryset, search_term)
        return found

    @display(description=_("name"), ordering="last_name")
    def name(self, person: User) -> str:
        """The full name."""
        return person.get_full_name()

    @display(description=_("roles"))
    def roles(self, person: User) -> str:
        """The groups."""
        return ", ".join(role_word(group.name) for group in person.groups.all())


@admin.register(Group)
class RoleOffice(Shown):
    """Roles are a table in config/roles.py; what stands there is looked at here."""

    list_display = ("called", "people")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("called", "rights")
    readonly_fields = ("called", "rights")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Read who has it along."""
        return super().get_queryset(request).prefetch_related("user_set")

    def title_of(self, subject: Any) -> str:
        """Say its name."""
        return role_word(subject.name)

    @display(description=_("name"), ordering="name")
    def called(self, role: Group) -> str:
        """Its name in the reader's language."""
        return role_word(role.name)

    @display(description=_("people"))
    def people(self, role: Group) -> int:
        """How many have it."""
        return len(role.user_set.all())

    @display(description=_("rights"))
    def rights(self, role: Group) -> str:
        """The names of its permissions."""
        found = Permission.objects.filter(group=role).values_list("content_type__app_label", "codename")
        return ", ".join(sorted(f"{app}.{codename}" for app, codename in found))


@admin.register(LogEntry)
class LogEntryOffice(Shown):
    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag", "change_message")
    list_filter = (("user", ChosenFilter), ("action_time", RangeDateTimeFilter))
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__username")
    ordering = ("-id",)


# --- Machines --------------------------------------------------------------------------------------------------------


@admin.register(Application)
class ClientOffice(Office):
    form = ClientForm
    list_display = ("name", "client_id", "user", "created")
    list_select_related = ("user",)
    search_fields = ("name", "client_id", "user__username")
    autocomplete_fields = ("user",)
    ordering = ("name", "id")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Take no account that is not the editor's to let a machine act for."""
        if db_field.name == "user":
            kwargs["queryset"] = accounts_for(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who could not have set up a client does not give it a new secret either."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or accounts_for(request.user).filter(pk=obj.user_id).exists())

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show no hash to who may only look."""
        shown = self.has_change_permission(request, obj) if obj else True
        return ("name", "client_id", "client_secret", "user") if shown else ("name", "client_id", "user")


def _revoke(subject: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    revoke_access_token(subject)
    return Done(_g("The token is worth nothing now."))


@admin.register(AccessToken)
class AccessTokenOffice(AccessTokenAdmin, Shown):
    list_display = ("id", "application", "user", "scope", "expires", "created")
    list_filter = (("application", ChosenFilter), ("expires", RangeDateTimeFilter))
    list_select_related = ("application", "user")
    fields = ("application", "user", "scope", "expires", "created")
    raw_id_fields = ()
    actions = None
    ordering = ("-id",)
    deeds = (
        Deed(
            slug="revoke",
            title=_("Revoke"),
            permission="oauth2_provider.delete_accesstoken",
            act=_revoke,
            icon="key_off",
            inline=True,
            danger=True,
        ),
    )


class TokenOffice(Shown):
    """What OAuth keeps beside the access tokens; never the secret itself."""

    list_display = ("id", "application", "user", "created")
    list_filter = (("application", ChosenFilter),)
    list_select_related = ("application", "user")
    fields = ("application", "user", "created", "updated")
    search_fields = ("application__name", "application__client_id", "user__username")
    raw_id_fields = ()
    readonly_fields = ()
    actions = None
    ordering = ("-id",)


@admin.register(RefreshToken)
class RefreshTokenOffice(TokenOffice):
    pass


@admin.register(Grant)
class GrantOffice(TokenOffice):
    pass


@admin.register(IDToken)
class IDTokenOffice(TokenOffice):
    pass


# --- Background tasks ------------------------------------------------------------------------------------------------


@admin.register(Success)
class SuccessOffice(Shown):
    list_display = ("name", "func", "started", "stopped", "group")
    search_fields = ("name", "func", "group")
    ordering = ("-started", "id")


@admin.register(Failure)
class FailureOffice(Shown):
    list_display = ("name", "func", "started", "attempt_count")
    search_fields = ("name", "func", "group")
    ordering = ("-started", "id")


@admin.register(Schedule)
class ScheduleOffice(Shown):
    list_display = ("called", "func", "schedule_type", "next_run", "repeats")
    search_fields = ("name", "func")
    fields = ("called", "func", "schedule_type", "minutes", "cron", "next_run", "repeats")
    readonly_fields = ("called",)
    ordering = ("id",)

    def title_of(self, subject: Any) -> str:
        """Say what it does."""
        return word_of(subject.name)

    @display(description=_("name"), ordering="name")
    def called(self, row: Schedule) -> str:
        """What it does, in the reader's language."""
        return word_of(row.name)


@admin.register(OrmQ)
class OrmQOffice(Shown):
    list_display = ("id", "key", "lock")
    search_fields = ("key",)
    fields = ("key", "lock")
    ordering = ("-id",)
