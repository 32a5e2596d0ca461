"""The laws of controlled parts: nothing about one changes without a second person."""

from __future__ import annotations

from parts.sql.law import Law

LAWS: list[Law] = [
    Law(
        "applied_change_was_approved_by_another",
        "An applied change of a controlled part was approved by another person than the one who asked, says what it"
        " changed, and the part's history has it under who approved it.",
        """
        SELECT 'change ' || change.id,
            format('asked for by %s, approved by %s', coalesce(change.requested_by_id::text, 'a system'),
                coalesce(change.decided_by_id::text, 'nobody')),
            'approved by another, and in the history of the part'
        FROM parts_partchange AS change
        WHERE change.status = 'applied'
            AND (change.decided_by_id IS NULL OR change.decided_at IS NULL
                OR change.decided_by_id = change.requested_by_id
                OR (change.changes = '{}' AND change.entries = '[]')
                OR (change.changes <> '{}' AND NOT EXISTS (
                    SELECT
                    FROM parts_historicalpart AS kept
                    WHERE kept.id = change.part_id AND kept.history_user_id = change.decided_by_id
                        AND kept.history_change_reason = left(change.reason, 100)
                )))
        """,
    ),
    Law(
        "controlled_part_changes_by_approval_only",
        "Whatever a part's history says of the time in which it was controlled, another person approved.",
        """
        SELECT 'part ' || later.number || ', version ' || later.history_id,
            'changed by ' || coalesce(later.history_user_id::text, 'nobody'), 'approved as a change'
        FROM (
            SELECT kept.*, lag(kept.is_controlled) OVER (
                PARTITION BY kept.id ORDER BY kept.history_date, kept.history_id
            ) AS was_controlled
            FROM parts_historicalpart AS kept
            WHERE kept.id IN (SELECT id FROM parts_historicalpart WHERE is_controlled)
        ) AS later
        WHERE later.was_controlled
            AND NOT EXISTS (
                SELECT
                FROM parts_partchange AS change
                WHERE change.part_id = later.id AND change.status = 'applied' AND change.changes <> '{}'
                    AND change.decided_by_id = later.history_user_id
                    AND left(change.reason, 100) = later.history_change_reason
            )
        """,
    ),
    Law(
        "decided_change_says_who_and_when",
        "A change that waits is decided by nobody; one that was refused names who, when and why; one that was taken"
        " back, when.",
        """
        SELECT 'change ' || id,
            format('%s by %s at %s', status, coalesce(decided_by_id::text, 'nobody'),
                coalesce(decided_at::text, 'no time')),
            'who, when and why where it is refused, nobody where it waits or was taken back'
        FROM parts_partchange
        WHERE CASE status
            WHEN 'waiting' THEN decided_by_id IS NOT NULL OR decided_at IS NOT NULL
            WHEN 'withdrawn' THEN decided_by_id IS NOT NULL OR decided_at IS NULL
            WHEN 'refused' THEN decided_by_id IS NULL OR decided_at IS NULL OR refusal = ''
                OR decided_by_id = requested_by_id
            ELSE false
        END
        """,
    ),
]
