"""Which element of which segment becomes what: the field map of EDIFACT, version 1, in docs/integrations/edifact.md."""

from __future__ import annotations

from integrations.formats.field_map import Field, FieldMap

VERSION = "1"

#: DTM, 2005: the day on which it arrives; the first that a line, else its message, has in this order.
ARRIVES = ("69", "67", "191", "17", "132", "358")
LEFT_ON, STATUS_ON = "11", "334"
#: QTY, 6063, of an answer: to be delivered, split, back ordered. Of a despatch advice: despatched.
ANSWERED, DESPATCHED, ORDERED = ("113", "11", "83"), "12", "21"
#: Directories in which C555 of STS is a status event (9011); later ones have a status description (4405).
OF_THE_NINETIES = ("D9", "S9", "9")
#: BGM, 1225, of what takes back or changes an earlier message of its sender's: a despatch advice is read once.
DESPATCH_NEW = frozenset({"", "9", "31", "46", "47"})

ACTION, FUNCTION, EVENT, DESCRIPTION = "edifact-1229", "edifact-1225", "edifact-9011", "edifact-4405"
OF_PART = "-part"

MAP = FieldMap(
    VERSION,
    (
        Field(
            "all_0",
            "UNB S002 0007 and 0004, 0020; UNH 0062",
            "key",
            "Sender and references: what makes a message known",
        ),
        Field("all_1", "UNB S004", "sent_at", "When it was sent, in the system's time zone"),
        Field("all_2", "UNH S009 0052 and 0054", "Code.release", "Directory of its codes"),
        Field(
            "ordrsp_3",
            "ORDRSP RFF+ON 1154, of the line or the header",
            "SupplyDated.line",
            "Number of our purchase order",
        ),
        Field(
            "ordrsp_4",
            "ORDRSP RFF+ON 1156, RFF+LI 1154, else LIN 1082",
            "SupplyDated.line",
            "Position in our purchase order",
        ),
        Field("ordrsp_5", "ORDRSP LIN 1229", "SupplyDated.codes", "Answer on the line, list edifact-1229"),
        Field("ordrsp_6", "ORDRSP BGM 1225", "SupplyDated.codes", "Answer where a line has none, list edifact-1225"),
        Field("ordrsp_7", "ORDRSP QTY+113, +11, +83", "SupplyDated.schedule", "How much, in pieces"),
        Field(
            "ordrsp_8",
            "ORDRSP DTM+69, +67, +191, +17, +132, +358",
            "SupplyDated.schedule",
            "The day on which it arrives",
        ),
        Field("ordrsp_9", "ORDRSP DTM+137", "SupplyDated.occurred_at", "When it was answered, else when it was sent"),
        Field("desadv_10", "DESADV BGM 1004", "Shipped.shipment_number", "The sender's number of the despatch advice"),
        Field("desadv_11", "DESADV DTM+11, else DTM+137", "Shipped.occurred_at", "When it left"),
        Field(
            "desadv_12",
            "DESADV DTM+69, +67, +191, +17, +132, +358",
            "SupplyShipped.arrives_on",
            "The day on which it arrives",
        ),
        Field(
            "desadv_13",
            "DESADV RFF+ON 1154, of the line or the header",
            "items.line",
            "Number of our parts order or purchase order",
        ),
        Field("desadv_14", "DESADV RFF+ON 1156, else RFF+LI 1154", "items.line", "Position in that order"),
        Field("desadv_15", "DESADV QTY+12", "items.quantity", "How much left, in pieces; the same line is added up"),
        Field("desadv_16", "DESADV GIN+BN of the line", "items.serials", "Serial numbers"),
        Field("desadv_17", "DESADV GIN+BX of the line", "items.batches", "Batches"),
        Field("desadv_18", "DESADV TDT C040 3128, else 3127", "Shipped.carrier", "Carrier"),
        Field("desadv_19", "DESADV RFF+CN, else RFF+AAM", "Shipped.tracking_number", "The carrier's reference"),
        Field("desadv_20", "DESADV GIN+BJ", "SupplyShipped.packages", "Numbers on the packages"),
        Field(
            "ostrpt_21",
            "OSTRPT RFF+ON 1154 of the line, else DOC 1004, else RFF+ON",
            "StatusReached.subject",
            "Number of our order",
        ),
        Field(
            "ostrpt_22",
            "OSTRPT RFF+ON 1156, RFF+LI 1154, else LIN 1082",
            "StatusReached.subject",
            "Position in that order",
        ),
        Field(
            "ostrpt_23", "OSTRPT STS C555", "StatusReached.codes", "Status, list edifact-9011 (D.9x) or edifact-4405"
        ),
        Field(
            "ostrpt_24",
            "OSTRPT QTY against QTY+21",
            "StatusReached.codes",
            "A status of a part of the line is of the list …-part",
        ),
        Field("ostrpt_25", "OSTRPT DTM+334, else DTM+137", "StatusReached.occurred_at", "When the status changed"),
        Field(
            "ostrpt_26",
            "OSTRPT DTM+69, +67, +191, +17, +132, +358",
            "SupplyDated.schedule",
            "From a supplier: when it arrives",
        ),
    ),
)
