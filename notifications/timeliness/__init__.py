"""Whether people are told in time, and how long each leg of a notice's way takes. The definition stands here.

**Notification timeliness** = notices handed over within their target ÷ notices that were to be handed over.

- A notice counts once it was handed over, or given up for good (dead, and whatever somebody did about that: it was
  never in time, even where its news went another way or were sent again, which is a notice of its own), or is overdue
  now. One that was dropped because its news were of no use any more counts nowhere; one that still has time, not yet.
- Its clock runs from when the first event that it tells was recorded; where its reader wished for a digest or quiet
  hours, or a maintenance window held it, from when it was allowed to go (`Notice.measured_from`). What was late before
  a window began is not excused by it. What the house itself makes wait (a rule's delay, limits of a channel, tries that
  failed) is not excused at all. It stops when the channel's provider took the notice (`handed_over_at`).
- Its target is that of the most demanding of the rules that chose it (`Rule.target_seconds`).
- It belongs to the day (UTC) on which its clock began, to its channel, and to the region of its order.

Days are added up whole (`DailyTimeliness`); those that notices have touched since are read from the notices themselves.
How long a leg took is kept in steps that grow by a fifth, so that a median or a 95th percentile is right to a tenth.
"""
