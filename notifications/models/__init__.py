"""Floor 3's nouns for people: rules, readers, messages and notices, wordings, windows."""

from notifications.models.dead import DeadLetter
from notifications.models.devices import PushDevice
from notifications.models.digests import DigestIssue, DigestSubscription
from notifications.models.feedback import Feedback
from notifications.models.messages import Alert, Attempt, Message, Notice
from notifications.models.numbers import LiftedStop, ReceivedSms, StoppedNumber
from notifications.models.people import Address, Recipient, Watch
from notifications.models.proposals import RootCause, WordProposal
from notifications.models.rules import EscalationLevel, Rule
from notifications.models.templates import Template, TemplateVersion
from notifications.models.timeliness import DailyTimeliness
from notifications.models.windows import ChannelSetting, MaintenanceWindow

__all__ = [
    "Address",
    "Alert",
    "Attempt",
    "ChannelSetting",
    "DeadLetter",
    "DailyTimeliness",
    "DigestIssue",
    "DigestSubscription",
    "EscalationLevel",
    "Feedback",
    "LiftedStop",
    "MaintenanceWindow",
    "Message",
    "Notice",
    "PushDevice",
    "ReceivedSms",
    "Recipient",
    "RootCause",
    "Rule",
    "StoppedNumber",
    "Template",
    "TemplateVersion",
    "Watch",
    "WordProposal",
]
