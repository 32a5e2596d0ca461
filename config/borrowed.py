"""Texts that we show and others wrote without a translation: said here, so that our catalogues have them too.

Whoever marks a text (the admin's theme, the history of fields) finds it in our catalogues by its English words. What a
relation is called Django makes from the name of our field; `name_relations` has it said in the reader's language. The
lists are read by nobody but `config.translating`, which finds what is marked in them.
"""

from __future__ import annotations

from django.apps import apps
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_noop as _

OURS = ("backorders", "integrations", "notifications", "orders", "parts", "reports")

#: What relations are called that are not called as what they lead to.
RELATIONS = (
    _("author"),
    _("correction"),
    _("count"),
    _("decision"),
    _("destination"),
    _("excluded warehouse"),
    _("hold reason"),
    _("is open"),
    _("level"),
    _("movement"),
    _("order"),
    _("other"),
    _("parent"),
    _("revision"),
    _("run"),
    _("transfer"),
    _("user"),
)

#: What the admin's theme says.
THEME = (
    _("%(full_result_count)s total"),
    _("Add row"),
    _("All applications"),
    _("Apply Filters"),
    _("Change History"),
    _("Change reason"),
    _("Changed by"),
    _("Choose a date from the list below to revert to a previous version of this object"),
    _("Choose file to upload"),
    _("Click to cancel"),
    _("Click to download"),
    _("Comment"),
    _("Date from"),
    _("Date to"),
    _("Expand row"),
    _("General"),
    _("Go back"),
    _("Group"),
    _("Loading more results..."),
    _("More actions"),
    _("No data"),
    _("No recent searches"),
    _("No results found"),
    _("No results matching your query"),
    _("Object"),
    _("Previous"),
    _("Recent searches"),
    _("Reset filters"),
    _("Return to site"),
    _("Run"),
    _("Search apps and models..."),
    _("Select action"),
    _("Select action to run"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("System"),
    _("This item will be deleted."),
    _("This object doesn't have a change history."),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Toggle password visibility"),
    _("Type to search"),
    _("User permissions"),
    _("Value"),
    _("Welcome back to"),
    _("You have been successfully logged out from the administration"),
    _("After you've created a user, you’ll be able to edit more user options."),
    _(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can "
        'change the password using <a href="{}" class="text-primary-600 dark:text-primary-500">this '
        "form</a>."
    ),
    _(
        "Whether the user will be able to authenticate using a password or not. If disabled, they "
        "may still be able to authenticate using other backends, such as Single Sign-On or LDAP."
    ),
    _("Forgotten your password or username?"),
    _("True"),
    _("False"),
    _("Image preview"),
    _("Press the 'Change History' button below to edit the history."),
    _("Press the 'Revert' button below to revert to this version of the object."),
    _("Revert"),
    _("Revert %s"),
    _("Deleted %(type_name)s"),
    _("View history: %s"),
)

#: What the registers of API clients, of tasks and of what runs by the clock say.
REGISTERS = (
    _("application"),
    _("authorization grant type"),
    _("Authorization code"),
    _("Client credentials"),
    _("client ID"),
    _("client secret"),
    _("client type"),
    _("Confidential"),
    _("created"),
    _("Failed task"),
    _("Failed tasks"),
    _("Public"),
    _("updated"),
    _("Function"),
    _("Result"),
    _("Stopped at"),
    _("Task"),
    _("Time Taken"),
    _("Attempt count"),
    _("Cron"),
    _("Cron expression"),
    _("Daily"),
    _("Hourly"),
    _("Weekly"),
    _("Monthly"),
    _("Once"),
    _("How often this task should be enqueued."),
    _("When this schedule runs next (stored in UTC)."),
    _("Dotted import path to the callable, e.g. myapp.tasks.job."),
    _("e.g. module.tasks.function"),
    _("n = n times, -1 = forever"),
    _("Number of minutes for the Minutes type"),
    _("Next Run"),
    _("Repeats"),
    _("Schedule Type"),
    _("Scheduled task"),
    _("Scheduled tasks"),
    _("Queued task"),
    _("Queued tasks"),
    _("Successful task"),
    _("Successful tasks"),
)


def name_relations() -> None:
    """Have the fields of ours that have no name of their own named in the reader's language; migrations see nothing."""
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.concrete_fields:
                if isinstance(field.verbose_name, str):
                    field.verbose_name = gettext_lazy(field.verbose_name)
