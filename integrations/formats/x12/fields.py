"""Which element of which segment becomes what: the field map of X12, version 1, shown in docs/integrations/x12.md."""

from __future__ import annotations

from integrations.formats.field_map import Field, FieldMap

VERSION = "1"

#: BAK01, BSN01, BSR…: purposes (353) that say something new. Others take back or change an earlier message.
ORIGINAL = frozenset({"00", "06"})
#: ACK04, DTM01 (374): the day on which it arrives. Days on which it leaves there are no days on which it comes.
ARRIVES = frozenset({"017", "067", "069", "072", "075", "371"})
SHIPPED_ON, ARRIVES_ON = ("011",), ("017", "067", "371")
#: ISR01 (368) whose date (ISR02) is the day on which it arrives.
ISR_ARRIVES = frozenset({"EX"})
#: QTY01 (673) that says how much of a line a status is about.
QTY_OF_STATUS = frozenset({"01", "12", "39"})

LINE_STATUS, ANSWER_TO_ORDER, ORDER_STATUS = "x12-668", "x12-587", "x12-368"
#: The same codes about a line of our purchase order, and about a part of a line.
ORDER_STATUS_OF_SUPPLY, ORDER_STATUS_OF_PART = "x12-368-supply", "x12-368-part"

MAP = FieldMap(
    VERSION,
    (
        Field(
            "all_0", "ISA05, ISA06, ISA13, GS06, ST02", "key", "Sender and control numbers: what makes a message known"
        ),
        Field("all_1", "GS04, GS05", "sent_at", "When it was sent, in the system's time zone"),
        Field("all_2", "GS08, first six", "Code.release", "Release of its codes"),
        Field("855_3", "855 BAK03", "SupplyDated.line", "Number of our purchase order"),
        Field("855_4", "855 PO101", "SupplyDated.line", "Position in our purchase order"),
        Field("855_5", "855 ACK01", "SupplyDated.codes", "Answer on the line, list x12-668"),
        Field("855_6", "855 BAK02", "SupplyDated.codes", "Answer where a line has no ACK, list x12-587"),
        Field("855_7", "855 ACK02, ACK03", "SupplyDated.schedule", "How much, in pieces"),
        Field("855_8", "855 ACK04, ACK05; DTM after ACK", "SupplyDated.schedule", "The day on which it arrives"),
        Field("855_9", "855 BAK09", "SupplyDated.occurred_at", "Day of the answer, else when it was sent"),
        Field("856_10", "856 BSN02", "Shipped.shipment_number", "The sender's number of the shipment"),
        Field("856_11", "856 DTM*011, else BSN03 and BSN04", "Shipped.occurred_at", "When it left"),
        Field("856_12", "856 DTM*017, *067, *371", "SupplyShipped.arrives_on", "The day on which it arrives"),
        Field("856_13", "856 PRF01 of the order's HL", "items.line", "Number of our parts order or purchase order"),
        Field("856_14", "856 LIN01 of the item's HL", "items.line", "Position in that order"),
        Field("856_15", "856 SN102, SN103", "items.quantity", "How much left, in pieces; the same line is added up"),
        Field("856_16", "856 REF*SE", "items.serials", "Serial numbers"),
        Field("856_17", "856 REF*LT", "items.batches", "Batches"),
        Field("856_18", "856 TD505, else TD503", "Shipped.carrier", "Carrier"),
        Field("856_19", "856 REF*2I, else REF*CN", "Shipped.tracking_number", "Tracking number"),
        Field("856_20", "856 MAN*GM, MAN*CP", "SupplyShipped.packages", "Numbers on the packages"),
        Field("870_21", "870 PRF01 of the order's HL", "StatusReached.subject", "Number of our order"),
        Field("870_22", "870 PO101", "StatusReached.subject", "Position in that order"),
        Field("870_23", "870 ISR01", "StatusReached.codes", "Status, list x12-368; of a part of the line x12-368-part"),
        Field("870_24", "870 ISR02", "StatusReached.occurred_at", "Day of the status, else when it was sent"),
        Field(
            "870_26",
            "870 QTY02 with QTY*01, *12, *39; PO102",
            "StatusReached.codes",
            "Whether a status is about all of the line",
        ),
        Field(
            "870_25", "870 ISR02 with EX; DTM", "SupplyDated.schedule", "From a supplier: the day on which it arrives"
        ),
    ),
)
