"""The laws of messages: what must be true of them and of notices at any time."""

from __future__ import annotations

from parts.sql.law import Law

LAWS: list[Law] = [
    Law(
        "notice_counts_its_messages",
        "A notice says as many messages as belong to it, and at least one unless it is a digest, about an address, or "
        "said by another now.",
        """
        SELECT 'notice ' || notice.id, notice.messages_count::text, count(message.id)::text || ', at least 1'
        FROM notifications_notice AS notice
        LEFT JOIN notifications_message AS message ON message.notice_id = notice.id
        GROUP BY notice.id
        HAVING count(message.id) <> notice.messages_count OR (
            count(message.id) = 0
            AND notice.thread_kind NOT IN (
                'confirm', 'address_off', 'allow_address', 'wishes', 'stuck', 'word_proposal'
            )
            AND notice.state <> 'replayed'
        )
        """,
    ),
    Law(
        "message_goes_where_its_notice_goes",
        "A message and the notice that says it are for one reader and go over one channel.",
        """
        SELECT 'message ' || message.id, message.recipient_id || ' by ' || message.channel,
            notice.recipient_id || ' by ' || notice.channel
        FROM notifications_message AS message
        JOIN notifications_notice AS notice ON notice.id = message.notice_id
        WHERE (message.recipient_id, message.channel) <> (notice.recipient_id, notice.channel)
        """,
    ),
    Law(
        "notice_tells_a_customer_of_their_orders",
        "A notice of a customer's contact is about an order of that customer.",
        """
        SELECT 'notice ' || notice.id, 'customer ' || recipient.customer_id,
            'customer ' || coalesce(job.customer_id::text, parts_order.customer_id::text, 'none')
        FROM notifications_notice AS notice
        JOIN notifications_recipient AS recipient ON recipient.id = notice.recipient_id
        LEFT JOIN orders_serviceorder AS job ON job.id = notice.thread_id AND notice.thread_kind = 'service_order'
        LEFT JOIN orders_partsorder AS parts_order
            ON parts_order.id = notice.thread_id AND notice.thread_kind = 'parts_order'
        WHERE recipient.customer_id IS NOT NULL AND notice.thread_kind IN ('service_order', 'parts_order')
            AND recipient.customer_id IS DISTINCT FROM coalesce(job.customer_id, parts_order.customer_id)
        """,
    ),
    Law(
        "digest_is_said_to_its_reader",
        "A digest's issue is told by a notice of that digest to its own reader, and such a notice is of a digest.",
        """
        SELECT 'issue ' || issue.id, 'reader ' || subscription.reader_id, 'reader ' || notice.recipient_id
        FROM notifications_digestissue AS issue
        JOIN notifications_digestsubscription AS subscription ON subscription.id = issue.subscription_id
        JOIN notifications_notice AS notice ON notice.id = issue.notice_id
        WHERE notice.recipient_id <> subscription.reader_id OR notice.thread_kind <> 'stuck'
            OR notice.thread_id <> subscription.id
        """,
    ),
    Law(
        "notice_was_tried_as_often_as_it_says",
        "What was handed over was handed over by its last attempt.",
        """
        SELECT 'notice ' || notice.id, 'attempt ' || coalesce(max(attempt.number)::text, 'none'),
            'attempt ' || notice.attempts
        FROM notifications_notice AS notice
        LEFT JOIN notifications_attempt AS attempt ON attempt.notice_id = notice.id AND attempt.succeeded
        WHERE notice.state IN ('sent', 'delivered')
        GROUP BY notice.id
        HAVING max(attempt.number) IS DISTINCT FROM notice.attempts::int
        """,
    ),
    Law(
        "dead_letter_holds_what_nobody_was_told",
        "An open dead letter has messages, and none of them was handed over or is on its way.",
        """
        SELECT 'dead letter ' || letter.id, count(message.id) || ' messages, ' || count(notice.id) || ' on their way',
            'at least 1, none on its way'
        FROM notifications_deadletter AS letter
        LEFT JOIN notifications_message AS message ON message.dead_letter_id = letter.id
        LEFT JOIN notifications_notice AS notice ON notice.id = message.notice_id AND notice.state <> 'dead'
        WHERE letter.state = 'open'
        GROUP BY letter.id
        HAVING count(message.id) = 0 OR count(notice.id) > 0
        """,
    ),
]
