"""Deeds: what a person can do in the back office beyond editing. Each is a button or a form that calls one action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    CHECKBOX_CLASSES,
    FILE_CLASSES,
    INPUT_CLASSES,
    SELECT_CLASSES,
    TEXTAREA_CLASSES,
)

from parts.actors import Actor
from parts.errors import Refused, VersionConflict

SOURCE = "admin"


def told(request: HttpRequest) -> dict[str, Any]:
    """Return what every action is told besides its business: who, from where, when."""
    return {"by": Actor.user(request.user), "source": SOURCE, "at": timezone.now()}


class DeedForm(forms.Form):
    """What a deed asks. It cleans and converts; rules are the action's.

    `subject` is the object the deed is done to (None for one that stands on a list). Its version travels along, so that
    the action can tell that somebody else was quicker. Fields named by `present` begin with what the subject has now.
    `asked` is what stands behind the question mark of the page's address.
    """

    present: ClassVar[tuple[str, ...]] = ()

    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    error_css_class = "errors"

    def __init__(self, *args: Any, subject: Any = None, asked: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subject = subject
        self.asked = asked if asked is not None else QueryDict()
        self.fields["expected_version"].initial = getattr(subject, "version", None)
        for name in self.present:
            self.fields[name].initial = getattr(subject, name)
        self.shape()
        for field in self.fields.values():
            _dress(field)

    def shape(self) -> None:
        """Adapt the fields to the subject; for subclasses."""

    @property
    def is_preview(self) -> bool:
        """Whether it was sent to see what it would do. Such a form shows that, and does nothing."""
        return False

    def refuse(self, refusal: Refused) -> None:
        """Show a refusal where it belongs: at the fields it names, otherwise above the form."""
        self.add_error(None, say(refusal, self.subject))
        for path, said in refusal.extra.get("fields", {}).items():
            if path in self.fields:
                self.add_error(path, said)
            elif said and not all(text in refusal.detail for text in map(str, said)):
                self.add_error(None, f"{path}: {' '.join(said)}")


def _dress(field: forms.Field) -> None:
    widget = field.widget
    classes = INPUT_CLASSES
    if isinstance(widget, AutocompleteSelect | forms.HiddenInput):
        return
    if isinstance(widget, forms.CheckboxInput):
        classes = CHECKBOX_CLASSES
    elif isinstance(widget, forms.FileInput):
        classes = [*FILE_CLASSES, "desk-file"]
    elif isinstance(widget, forms.Select):
        classes = SELECT_CLASSES
    elif isinstance(widget, forms.Textarea):
        classes, widget.attrs["rows"] = TEXTAREA_CLASSES, 3
    elif isinstance(field, forms.DateField):
        widget.input_type = "date"
        widget.format = "%Y-%m-%d"
    elif isinstance(field, forms.DateTimeField):
        widget.input_type = "datetime-local"
        widget.format = "%Y-%m-%dT%H:%M"
        zone = timezone.get_current_timezone_name()
        field.help_text = field.help_text or _("Time in the zone %(zone)s.") % {"zone": zone}
    widget.attrs["class"] = " ".join(classes)


class SelectOrType(AutocompleteSelect):
    """Offers what fits while one types; in a browser that runs no scripts, a field for the whole number or name.

    `label` is what that field is called to those who do not see it, `text` what stands in it where the object is known.
    """

    label = ""
    text = ""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Return the list, and the field that only shows where no script fills the list."""
        is_key = self._is_key(value)
        return format_html(
            '{}<noscript><input type="text" name="{}" value="{}" aria-label="{}" class="{}"></noscript>',
            super().render(name, value if is_key else None, attrs, renderer),
            name,
            self.text or ("" if is_key else value),
            self.label or _("Number or name, written out"),
            " ".join(INPUT_CLASSES),
        )

    def _is_key(self, value: Any) -> bool:
        try:
            self.field.target_field.to_python(value)
        except ValidationError:
            return False
        return True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return what was typed, else what is chosen."""
        values = data.getlist(name) if isinstance(data, QueryDict) else [data.get(name)]
        return next((value for value in reversed(values) if value), None)


class Named(forms.ModelChoiceField):
    """An object by its key, or by what the back office finds it by, written out: its number, code or name."""

    def to_python(self, value: Any) -> Model | None:
        """Return the object. Raises ValidationError where none, or more than one, is called so."""
        try:
            return super().to_python(value)
        except ValidationError:
            return self._called(str(value).strip())

    def _called(self, text: str) -> Model:
        assert self.queryset is not None
        is_called = Q(*((f"{name}__iexact", text) for name in self._names()), _connector=Q.OR)
        found = list(self.queryset.filter(is_called).order_by("pk")[:2])
        if len(found) == 1:
            return found[0]
        says = _("More than one is called “%(text)s”.") if found else _("Nothing is called “%(text)s”.")
        raise ValidationError(says, code="invalid_choice", params={"text": text})

    def name_of(self, found: Model) -> str:
        """Return what an object is written out as, so that it is found again."""
        return str(getattr(found, self._names()[0]))

    def _names(self) -> list[str]:
        assert self.queryset is not None
        names = admin.site.get_model_admin(self.queryset.model).search_fields
        return [name for name in names if LOOKUP_SEP not in name]


class Chosen(Named):
    """An object chosen by typing a part of its name; `like` is a foreign key to the same kind of object."""

    def __init__(self, like: Field[Any, Any], **kwargs: Any) -> None:
        assert like.related_model is not None
        widget = SelectOrType(like, admin.site, attrs={"data-placeholder": " "})
        super().__init__(queryset=like.related_model._default_manager.all(), widget=widget, **kwargs)


class NoteForm(DeedForm):
    """Asks for nothing but a note that may be left out."""

    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=2000, widget=forms.Textarea)


class ReasonForm(DeedForm):
    """Asks why."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=2000, widget=forms.Textarea)


class NothingAsked(DeedForm):
    """A button is enough."""


@dataclass(frozen=True)
class Done:
    """What to tell the person, and the object to show next (None: where they came from)."""

    says: str
    show: Model | None = None


#: What a deed does, given its subject, what its form asked, and who does it, from where and when.
Act = Callable[[Any, dict[str, Any], dict[str, Any]], Done]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """A verb on the page of an object, or (`on_list`) on the list of its kind.

    `permission` decides who sees it and is asked for again when it is done; the action asks once more. `offered` tells
    whether it makes sense for an object as it stands. `inline` deeds take POST only and answer with a message.
    """

    slug: str
    title: Any
    permission: str
    act: Act
    form: type[DeedForm] = NothingAsked
    offered: Callable[[Any], bool] = lambda subject: True
    icon: str = "bolt"
    intro: Any = ""
    danger: bool = False
    inline: bool = False
    hidden: bool = False
    on_list: bool = False
    template: str = "admin/desk/deed.html"
    context: Callable[[Any, DeedForm, dict[str, Any]], dict[str, Any]] | None = None


def say(refusal: Refused, subject: Any = None) -> str:
    """Return a refusal in words for a person: where it stands, where it may go, who was quicker."""
    words = _words(subject)
    if isinstance(refusal, VersionConflict):
        status = refusal.extra.get("status")
        now = _(" It is %(status)s now.") % {"status": words.get(status, status)} if status else ""
        return _(
            "Somebody was quicker: %(what)s has changed since you opened this page.%(now)s Look again, then decide."
        ) % {
            "what": subject,
            "now": now,
        }
    if "allowed" in refusal.extra and "current" in refusal.extra:
        allowed = [str(words.get(status, status)) for status in refusal.extra["allowed"]]
        return _("Not possible: %(what)s is %(current)s. From there: %(allowed)s.") % {
            "what": subject,
            "current": words.get(refusal.extra["current"], refusal.extra["current"]),
            "allowed": ", ".join(allowed) or _("nowhere, it is final"),
        }
    return refusal.detail


def _words(subject: Any) -> dict[Any, Any]:
    if subject is None or not hasattr(subject, "status"):
        return {}
    return dict(subject._meta.get_field("status").flatchoices)
