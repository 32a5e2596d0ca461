"""Was this clear? What the link in a message opens, and what came of it, for who writes wordings."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from config.desk.orders import for_staff
from config.messages.tabs import tabs
from config.messages.wordings import SEE
from config.tracking import limits
from notifications import clarity
from notifications.actions import feedback as deeds
from notifications.models import Feedback
from parts.errors import NotFound


class ClearForm(forms.Form):
    """Whether a message was clear, and what was not."""

    is_clear = forms.ChoiceField(choices=[("yes", _("Yes")), ("no", _("No"))])
    comment = forms.CharField(
        label=_("What was not clear?"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=deeds.LONGEST_COMMENT,
        required=False,
    )


# Exempt from Django's check, which asks for a cookie that a mail program's browser may not keep: whoever has the token
# may answer, and nothing else is done by it.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def clear(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether a message was clear. Only a POST answers: mail scanners follow links."""
    if limits.seconds_to_wait(request):
        return render(request, "messages/clear.html", {"is_slowed": True}, status=429)
    try:
        notice = deeds.notice_of(token)
    except NotFound:
        limits.note_wrong_link(request)
        return render(request, "messages/clear.html", {"is_closed": True}, status=404)
    with translation.override(notice.language or translation.get_language()):
        form, status = ClearForm(request.POST or None), 200
        if request.method == "POST":
            if form.is_valid():
                is_clear = form.cleaned_data["is_clear"] == "yes"
                deeds.answer(token=token, is_clear=is_clear, comment=form.cleaned_data["comment"], at=timezone.now())
                return redirect(request.path)
            status = 400
        given = Feedback.objects.filter(notice=notice).first()
        context = {"notice": notice, "form": form, "given": given, "house": settings.HOUSE_NAME}
        return render(request, "messages/clear.html", context, status=status)


@for_staff(SEE)
@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """Show by version how clear the wordings were, and what readers wrote."""
    context = {
        "versions": clarity.by_version(timezone.now()),
        "comments": clarity.comments(),
        "days": clarity.SPAN.days,
        **tabs(request, "clarity"),
    }
    return render(request, "messages/clarity.html", context)
