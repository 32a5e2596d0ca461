"""Systems that connect: what a client must be, and for whom whoever sets it up may let it act.

Giving accounts their roles is the administrator's job. Acting through a client in the name of somebody else is not: so
a client acts for an account of its own, one that nobody signs in with.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import Application
from unfold.widgets import UnfoldAdminTextInputWidget

#: A secret is drawn, not thought up; a shorter one is not.
SHORTEST_SECRET = 32
#: The only kind of client there is. What is none of these gets no token (config/api/tokens.py), and the database takes
#: none (a constraint by integrations.0002).
KIND = {
    "client_type": Application.CLIENT_CONFIDENTIAL,
    "authorization_grant_type": Application.GRANT_CLIENT_CREDENTIALS,
    "hash_client_secret": True,
}


def accounts_for(editor: User | AnonymousUser) -> QuerySet[User]:
    """Return the accounts that a client may act for if this person sets it up.

    Those without a password that nobody has ever signed in with, and one's own. Who is above all rights may take any
    active account; nobody else one that is above all rights.
    """
    active = User.objects.filter(is_active=True)
    if editor.is_superuser:
        return active
    of_a_machine = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX, last_login=None)
    return active.filter(of_a_machine | Q(pk=editor.pk), is_superuser=False)


class ClientForm(forms.ModelForm[Application]):
    """A client: its name, its two credentials, and whom it acts for. The rest is the same for all of them."""

    client_secret = forms.CharField(
        label=_("secret"),
        min_length=SHORTEST_SECRET,
        max_length=255,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = Application
        fields = ("name", "client_id", "client_secret", "user")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "user" not in self.fields:  # who may only look is shown no form
            return
        secret, self._kept = self.fields["client_secret"], self.instance.client_secret
        if self.instance.pk:
            self.initial["client_secret"] = ""
            secret.help_text = _("Kept as a hash, nobody can read it. Leave this empty to keep it, or enter a new one.")
        else:
            self.initial["client_secret"] = generate_client_secret()
            secret.required = True
            secret.help_text = _("Copy it now: once saved, nobody can read it again.")
        self.fields["user"].required = True
        self.fields["user"].help_text = _(
            "What the system may do and see is what this account may. Give each system an account of its own, "
            "without a password, with the role it needs."
        )

    def clean_client_secret(self) -> str:
        """Return the new secret, or what is kept of the present one."""
        return str(self.cleaned_data["client_secret"] or self._kept)

    def clean(self) -> dict[str, Any] | None:
        """Make it the one kind of client."""
        for name, value in KIND.items():
            setattr(self.instance, name, value)
        return super().clean()
